// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/memory_source.h"

#include <stdlib.h>
#include <string.h>

static int read_at(void *ctx, uint64_t offset, void *buf, size_t size)
{
	struct memory_source *file = ctx;

	if (++file->reads == file->fail_at)
		return -1;
	/* The readers are to know what is in the file. */
	if (offset > file->source.size || size > file->source.size - offset)
		abort();
	memcpy(buf, file->bytes + offset, size);
	return 0;
}

void memory_source_init(struct memory_source *file)
{
	*file = (struct memory_source){ .source = { .read_at = read_at, .ctx = file } };
}

void memory_source_deinit(struct memory_source *file)
{
	free(file->bytes);
	memory_source_init(file);
}

void memory_source_resize(struct memory_source *file, size_t size)
{
	size_t before = (size_t)file->source.size;
	/* Of just this size, so that what goes beyond it is noticed. */
	uint8_t *bytes = calloc(1, size ? size : 1);

	if (!bytes)
		abort();
	if (before)
		memcpy(bytes, file->bytes, before < size ? before : size);
	free(file->bytes);
	file->bytes = bytes;
	file->source.size = size;
}

void memory_source_set(struct memory_source *file, const void *bytes, size_t size)
{
	memory_source_resize(file, size);
	if (size)
		memcpy(file->bytes, bytes, size);
}
