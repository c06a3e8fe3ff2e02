// SPDX-License-Identifier: GPL-2.0-or-later
/* An upload as what a core is written to. */
#include "client/interrupt.h"
#include "client/upload/store.h"
#include "layout/flat.h"

static struct upload *from_sink(struct sink *sink)
{
	return (struct upload *)((char *)sink - offsetof(struct upload, sink));
}

static int sink_failed(struct upload *upload)
{
	struct failure failure = { .status = STATUS_DONE };

	if (!upload_failed(upload, &failure)) {
		fail(&failure, STATUS_UPLOAD, "%s",
			interrupt_signal() ? "interrupted"
			: parts_lack_memory(upload->parts)
				? "no memory"
				: "the core does not fit the parts that it was cut into");
		upload_note_failure(upload, &failure);
	}
	return -1;
}

static int sink_write(struct sink *sink, const void *bytes, size_t size)
{
	struct upload *upload = from_sink(sink);

	upload->size += size;
	return parts_append(upload->parts, bytes, size) ? sink_failed(upload) : 0;
}

static int sink_zero(struct sink *sink, uint64_t size)
{
	struct upload *upload = from_sink(sink);

	upload->size += size;
	return parts_append(upload->parts, NULL, size) ? sink_failed(upload) : 0;
}

static int sink_write_at(struct sink *sink, uint64_t offset, const void *bytes, size_t size)
{
	struct upload *upload = from_sink(sink);

	return parts_replace(upload->parts, offset, bytes, size) ? sink_failed(upload) : 0;
}

static const char *sink_error(struct sink *sink)
{
	return from_sink(sink)->failure.text;
}

bool upload_takes_rewrites(const struct upload *upload, const struct options *options)
{
	return upload->store->any_order || options->flat || options->format->wants_write_at;
}

struct sink *upload_sink(struct upload *upload)
{
	const struct options *options = upload->options;
	bool flat = options->flat || (options->format->wants_write_at && !upload->store->any_order);

	if (!upload->sink.write)
		upload->sink = (struct sink){
			.write = sink_write,
			.zero = sink_zero,
			.write_at = upload->store->any_order && !flat ? sink_write_at : NULL,
			.error = sink_error,
		};
	if (flat && !upload->flat)
		upload->flat = flat_create(&upload->sink);
	if (flat)
		return upload->flat ? flat_sink(upload->flat) : NULL;
	return &upload->sink;
}

bool upload_is_flattened(const struct upload *upload)
{
	return upload->flat != NULL;
}
