/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of guest-physical addresses, as sorted ranges that neither overlap nor touch. A RAM map is
 * one, and so is the part of it that goes into a core. The caller owns the struct.
 */
#ifndef LAYOUT_RANGES_H
#define LAYOUT_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/error.h"

enum { RANGES_MAX = 65536 };

/* No CPU has more than 57 bits of physical address; below this, sums of ranges cannot wrap. */
#define RANGE_ADDRESS_MAX (UINT64_C(1) << 60)

struct range {
	uint64_t start, size; /* bytes; size is not 0 */
};

struct ranges {
	struct range *items;
	size_t count, capacity;
	bool no_memory; /* what could not be added was refused for that, and no fault of its own */
};

void ranges_init(struct ranges *ranges);
void ranges_deinit(struct ranges *ranges);

/*
 * Adds a range, merged with those that it touches or overlaps. Returns 0; -1 for an empty range,
 * one that ends behind RANGE_ADDRESS_MAX, more than RANGES_MAX pieces, or no memory, which
 * ranges->no_memory tells.
 */
int ranges_add(struct ranges *ranges, uint64_t start, uint64_t size);

/* Replaces to by a copy of from. Returns 0, or -1 without memory. */
int ranges_copy(struct ranges *to, const struct ranges *from);

/* Keeps only what lies in [start, start + size). */
void ranges_clip(struct ranges *ranges, uint64_t start, uint64_t size);

uint64_t ranges_total(const struct ranges *ranges); /* bytes in all */
uint64_t ranges_end(const struct ranges *ranges);   /* behind the last byte; 0 if empty */

/* Where a walk over a set stands; zeros before it begins. */
struct range_cursor {
	size_t index;    /* of the range */
	uint64_t offset; /* into it */
};

/*
 * Moves the cursor over the next piece of the set, which ends at a multiple of size or with its
 * range, and puts it into *piece. False at the end.
 */
bool ranges_next(const struct ranges *ranges, struct range_cursor *cursor, uint64_t size,
	struct range *piece);

/* Moves the cursor to the first byte of the set at or behind addr. */
void ranges_seek(const struct ranges *ranges, struct range_cursor *cursor, uint64_t addr);

/* The index of the first range that ends behind addr; count if there is none. */
size_t ranges_from(const struct ranges *ranges, uint64_t addr);

/* The range that holds addr, or NULL. */
const struct range *ranges_find(const struct ranges *ranges, uint64_t addr);

/* Whether all of [start, start + size) is in the set. */
bool ranges_contain(const struct ranges *ranges, uint64_t start, uint64_t size);

/* Whether any of [start, start + size) is in the set. */
bool ranges_overlap(const struct ranges *ranges, uint64_t start, uint64_t size);

/*
 * Reads "0-0x9ffff,0x100000-0x7fffffff": both ends inclusive, decimal or 0x; a size may stand in
 * place of the end as "0x100000+64M" (K, M, G, T). Ranges may come in any order but not overlap.
 * Returns 0 and replaces what the set held, or -1 with the piece that is wrong in error.
 */
int ranges_parse(const char *text, struct ranges *ranges, struct error *error);

/* An amount as users write it: decimal or 0x, with K, M, G or T behind it. Returns 0 or -1. */
int parse_amount(const char *text, uint64_t *amount);

#endif
