// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/destination.h"

#include <stdlib.h>
#include <string.h>

#include "client/tell.h"

static void note_growth(void *ctx, uint64_t size, bool zeros)
{
	upload_grown(ctx, size, zeros);
}

static void note_replacement(void *ctx, uint64_t offset, uint64_t size)
{
	upload_replaced(ctx, offset, size);
}

int destination_open(
	struct destination *destination, const struct options *options, struct failure *failure)
{
	*destination = (struct destination){ .options = options };
	if (options->output) {
		destination->output = output_open(options, failure);
		if (!destination->output)
			return -1;
	}
	if (!options->upload)
		return 0;
	destination->upload = upload_open(options, options->upload, failure);
	if (!destination->upload)
		return -1;
	if (!destination->output && !upload_sink(destination->upload))
		return fail(failure, STATUS_FAILED, "no memory");
	return 0;
}

bool destination_takes_late_note(const struct destination *destination)
{
	if (destination->output)
		return output_sink(destination->output)->write_at != NULL;
	return upload_takes_rewrites(destination->upload, destination->options);
}

/* More than any format makes of it: pages that do not compress, with all that is told of them. */
static uint64_t most_bytes(const struct plan *plan)
{
	const struct core_plan *core = &plan->core;
	const struct ranges *memory = core->memory;
	uint64_t bytes = core_memory_bytes(core), end = 0;

	if (memory->count)
		end = memory->items[memory->count - 1].start +
		      memory->items[memory->count - 1].size;
	return bytes + bytes / 32 + (end >> CORE_PAGE_SHIFT_MIN) / 4 + core->notes->size +
	       core->late_note_room + (UINT64_C(64) << 20);
}

int destination_start(
	struct destination *destination, const struct plan *plan, struct failure *failure)
{
	const struct options *options = destination->options;
	struct upload_source source = { .fd = -1, .most = most_bytes(plan) };
	bool flat;

	if (!destination->upload)
		return 0;
	flat = destination->output ? output_is_flattened(destination->output)
	                           : upload_is_flattened(destination->upload);
	source.rewrites = options->format->wants_write_at && !flat;
	source.appended = flat || (!source.rewrites && !plan->core.late_note_room);
	if (!flat)
		source.size = core_expected_size(options->format, &plan->core);
	if (source.size)
		source.most = source.size;
	if (destination->output) {
		source.fd = output_fd(destination->output);
		source.growing = true;
		destination->watcher = (struct output_watcher){
			.grown = note_growth,
			.replaced = note_replacement,
			.ctx = destination->upload,
		};
		output_watch(destination->output, &destination->watcher);
	}
	return upload_start(destination->upload, &source, failure);
}

struct sink *destination_sink(struct destination *destination)
{
	return destination->output ? output_sink(destination->output)
	                           : upload_sink(destination->upload);
}

int destination_publish(struct destination *destination, struct failure *failure)
{
	struct failure upload_failure;

	if (destination->output && output_publish(destination->output, failure))
		return -1;
	if (!destination->upload)
		return 0;
	if (!destination->output)
		return upload_complete(destination->upload, NULL, failure);
	/* The core is there: that its upload failed is told when it is waited for. */
	upload_complete(destination->upload, destination->options->output, &upload_failure);
	return 0;
}

bool destination_can_keep(const struct destination *destination)
{
	return destination->output && output_can_keep(destination->output);
}

int destination_keep(struct destination *destination, struct failure *failure)
{
	return output_keep(destination->output, failure);
}

static void add_advice(const struct destination *destination, struct failure *failure)
{
	const struct options *options = destination->options;
	size_t used = strlen(failure->text);
	bool shown = strchr(options->upload, '?') == NULL;

	snprintf(failure->text + used, sizeof(failure->text) - used,
		"; the core is in %s (\"rspdump upload %s %s\" %s)", options->output,
		options->output, shown ? options->upload : "URL",
		upload_can_continue(destination->upload) ? "continues" : "uploads it");
}

int destination_wait(
	struct destination *destination, struct progress *progress, struct failure *failure)
{
	if (!destination->upload)
		return 0;
	if (upload_finish(destination->upload, progress, failure) == 0) {
		upload_tell(destination->options, destination->upload);
		return 0;
	}
	if (failure->status == STATUS_EXISTS)
		failure->status = destination->output ? STATUS_UPLOAD : STATUS_EXISTS;
	if (destination->output)
		add_advice(destination, failure);
	return -1;
}

void destination_blame(struct destination *destination, struct failure *failure)
{
	struct failure why;

	if (destination->upload && !destination->output && failure->status == STATUS_OUTPUT &&
		upload_failed(destination->upload, &why))
		*failure = why;
}

const char *destination_name(const struct destination *destination)
{
	return destination->output ? destination->options->output
	                           : upload_name(destination->upload);
}

void destination_json(struct json *json, const struct destination *destination)
{
	const struct output *output = destination->output;
	const struct upload *upload = destination->upload;

	json_string(json, "output", destination_name(destination));
	json_string(json, "format", destination->options->format->name);
	json_bool(json, "flattened",
		output ? output_is_flattened(output) : upload && upload_is_flattened(upload));
	json_number(json, "file_bytes",
		output   ? output_size(output)
		: upload ? upload_size(upload)
			 : 0);
	json_number(json, "disk_bytes", output ? output_disk_usage(output) : 0);
	if (upload)
		upload_json(json, upload);
}

void destination_close(struct destination *destination)
{
	upload_destroy(destination->upload);
	output_close(destination->output);
	*destination = (struct destination){ .output = NULL };
}
