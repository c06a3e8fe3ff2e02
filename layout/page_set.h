/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of page frames: one bit a frame of the memory that it is made for, and none for what lies
 * between, so that memory far up costs nothing. 64 GiB in pages of 4 KiB take 2 MiB. The caller
 * owns the struct.
 */
#ifndef LAYOUT_PAGE_SET_H
#define LAYOUT_PAGE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout/ranges.h"

/* 64 TiB in pages of 4 KiB, which is a bitmap of 2 GiB. */
#define PAGE_SET_FRAMES_MAX (UINT64_C(1) << 34)

/* Whole words of the bitmap, one after the other; between two of them is at least one word. */
struct page_set_span {
	uint64_t first;  /* page frame of the first bit, a multiple of 64 */
	uint64_t frames; /* a multiple of 64 */
	size_t word;     /* index of the first in bits */
};

struct page_set {
	struct page_set_span *spans;
	size_t span_count;
	uint64_t *bits;
	uint64_t count;
	size_t recent;       /* the span of the last removal */
	unsigned page_shift; /* as it was made with */
};

/*
 * Makes a set of all frames of 2^page_shift bytes that the ranges touch. Returns 0, or -1 without
 * memory or for more than PAGE_SET_FRAMES_MAX frames; the set is then empty.
 */
int page_set_init(struct page_set *set, const struct ranges *ranges, unsigned page_shift);
void page_set_deinit(struct page_set *set);

/*
 * Takes out [pfn, pfn + count); what is not in is ignored. Costs a step for each 64 frames, and
 * the search for pfn nothing if calls come in ascending order.
 */
void page_set_remove(struct page_set *set, uint64_t pfn, uint64_t count);

bool page_set_contains(const struct page_set *set, uint64_t pfn);
uint64_t page_set_count(const struct page_set *set); /* of the frames that are in */

/* The first run of frames at or behind *pfn, as long as it is. False if there is none. */
bool page_set_next(const struct page_set *set, uint64_t *pfn, uint64_t *count);

enum { PAGE_SET_ALIGN = 64 };

/*
 * Puts the bits of the frames from first on, a multiple of PAGE_SET_ALIGN, into size bytes, a
 * multiple of 8: the lowest bit of a byte first. False if none of them is in.
 */
bool page_set_bits(const struct page_set *set, uint64_t first, uint8_t *bits, size_t size);

#endif
