/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * makedumpfile's flattened form: a stream of records, each with the offset of its bytes in the file
 * that the stream becomes again by `makedumpfile -R`. A later record replaces what an earlier one
 * has put in its place, and what is in none is zero, so that what can only append becomes a sink
 * with write_at, for any format.
 *
 *	header of 4096 bytes | { offset, size, bytes } ... | { -1, -1 }
 */
#ifndef LAYOUT_FLAT_H
#define LAYOUT_FLAT_H

#include "layout/sink.h"

enum {
	FLAT_HEADER_SIZE = 4096,
	FLAT_SIGNATURE_SIZE = 16,
	FLAT_RECORD_SIZE = 16, /* of the header of a record */
};

#define FLAT_SIGNATURE "makedumpfile"
#define FLAT_TYPE      1
#define FLAT_VERSION   1
#define FLAT_END       UINT64_MAX

struct flat;

/* Writes to `under`, which stays the caller's and must outlive it. NULL without memory. */
struct flat *flat_create(struct sink *under);
void flat_destroy(struct flat *flat); /* NULL accepted */

/* What takes the file. It has write_at. */
struct sink *flat_sink(struct flat *flat);

/* The file is whole: ends the stream. Returns 0, or -1 and the sink's error() tells why. */
int flat_finish(struct flat *flat);

#endif
