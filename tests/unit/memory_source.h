/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file in memory for the readers of cores. It counts what is read of it, and fails one of the
 * reads when it is told to.
 */
#ifndef TESTS_UNIT_MEMORY_SOURCE_H
#define TESTS_UNIT_MEMORY_SOURCE_H

#include "layout/core_file.h"

struct memory_source {
	struct core_source source;
	uint8_t *bytes;
	unsigned reads;
	unsigned fail_at; /* the read that fails, from 1; 0 for none */
};

void memory_source_init(struct memory_source *file);
void memory_source_deinit(struct memory_source *file);

/* Makes the file a copy of these bytes. */
void memory_source_set(struct memory_source *file, const void *bytes, size_t size);

/* Makes it `size` bytes long; what is new is zero. To cut it off, source.size does as well. */
void memory_source_resize(struct memory_source *file, size_t size);

#endif
