// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/memory_sink.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/failing.h"

static struct memory_sink *memory_sink_of(struct sink *sink)
{
	return (struct memory_sink *)sink;
}

static bool fails(struct memory_sink *sink)
{
	return ++sink->calls == sink->fail_at;
}

/* The place for size bytes more; a test that runs out of memory ends here. */
static uint8_t *grow(struct memory_sink *sink, size_t size)
{
	if (sink->capacity - sink->size < size) {
		sink->capacity = (sink->size + size) * 2;
		failing_spare(true);
		sink->bytes = realloc(sink->bytes, sink->capacity);
		failing_spare(false);
		if (!sink->bytes)
			abort();
	}
	sink->size += size;
	return sink->bytes + sink->size - size;
}

static int append(struct sink *base, const void *bytes, size_t size)
{
	struct memory_sink *sink = memory_sink_of(base);

	if (fails(sink))
		return -1;
	memcpy(grow(sink, size), bytes, size);
	sink->writes++;
	return 0;
}

static int append_zeros(struct sink *base, uint64_t size)
{
	struct memory_sink *sink = memory_sink_of(base);

	if (fails(sink))
		return -1;
	memset(grow(sink, (size_t)size), 0, (size_t)size);
	sink->zeros++;
	sink->zero_bytes += size;
	return 0;
}

static int rewrite(struct sink *base, uint64_t offset, const void *bytes, size_t size)
{
	struct memory_sink *sink = memory_sink_of(base);

	if (fails(sink) || offset > sink->size || size > sink->size - offset)
		return -1;
	memcpy(sink->bytes + offset, bytes, size);
	sink->rewrites++;
	return 0;
}

static const char *get_error(struct sink *base)
{
	(void)base;
	return MEMORY_SINK_ERROR;
}

void memory_sink_init(struct memory_sink *sink, bool can_rewrite)
{
	*sink = (struct memory_sink){
		.sink = {
			.write = append,
			.zero = append_zeros,
			.write_at = can_rewrite ? rewrite : NULL,
			.error = get_error,
		},
	};
}

void memory_sink_deinit(struct memory_sink *sink)
{
	free(sink->bytes);
	*sink = (struct memory_sink){ 0 };
}
