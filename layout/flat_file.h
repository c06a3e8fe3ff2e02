/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a flattened file as the file that it becomes when it is rearranged. Its records are found
 * once, by their headers; of a file that ends early those that are there count.
 */
#ifndef LAYOUT_FLAT_FILE_H
#define LAYOUT_FLAT_FILE_H

#include "layout/core_file.h"

/* Ours have up to 256 KiB each, QEMU's 16 KiB. */
enum { FLAT_RECORDS_MAX = 1 << 22 };

struct flat_file {
	const struct core_source *under;
	struct flat_record *records; /* in ascending order of where they go; none over another */
	size_t count, capacity;
	uint64_t size; /* of the rearranged file */
	bool complete; /* the record of the end is there */
};

/*
 * For a file that begins with FLAT_SIGNATURE, and that must outlive this. Returns 0, or -1 with the
 * reason; flat_file_deinit() in either case.
 */
int flat_file_init(struct flat_file *file, const struct core_source *source, struct error *error);
void flat_file_deinit(struct flat_file *file);

/* The rearranged file, as long as the flat_file is there. */
struct core_source flat_file_source(struct flat_file *file);

#endif
