// SPDX-License-Identifier: GPL-2.0-or-later
/* Which memory of a plan goes into the core, piece by piece. */
#include "layout/core.h"

/*
 * Finds the kept frames at or behind pfn. The run stays with the cursor: to find its end again for
 * each piece of it would take time with the square of its length.
 */
static bool find_run(const struct page_set *kept, struct core_cursor *cursor, uint64_t pfn)
{
	uint64_t count;

	if (pfn < cursor->run_end)
		return true;
	cursor->run = pfn;
	if (!page_set_next(kept, &cursor->run, &count))
		return false;
	cursor->run_end = cursor->run + count;
	return true;
}

bool core_next(const struct core_plan *plan, struct core_cursor *cursor, uint64_t size,
	struct range *piece)
{
	const struct page_set *kept = plan->kept;

	for (;;) {
		struct range_cursor next = cursor->memory;

		if (!ranges_next(plan->memory, &next, size, piece))
			return false;
		if (!kept) {
			cursor->memory = next;
			return true;
		}
		if (!find_run(kept, cursor, piece->start >> kept->page_shift))
			return false;

		uint64_t start = cursor->run << kept->page_shift;
		uint64_t end = cursor->run_end << kept->page_shift;

		if (start > piece->start) {
			ranges_seek(plan->memory, &cursor->memory, start);
			continue;
		}
		if (end - piece->start < piece->size) {
			piece->size = end - piece->start;
			ranges_seek(plan->memory, &next, end);
		}
		cursor->memory = next;
		return true;
	}
}

uint64_t core_memory_bytes(const struct core_plan *plan)
{
	struct core_cursor cursor = { .run = 0 };
	struct range piece;
	uint64_t bytes = 0;

	while (core_next(plan, &cursor, CORE_WHOLE, &piece))
		bytes += piece.size;
	return bytes;
}

/* ---- stretches ------------------------------------------------------------------------------- */

/* A shorter gap is not worth a PT_LOAD whatever there is of it. */
enum { GAP_BITS_MIN = 16 };

/* The gaps within ranges, by the bits that their lengths have. */
static void count_gaps(const struct core_plan *plan, size_t counts[64])
{
	struct core_cursor cursor = { .run = 0 };
	struct range piece, last = { 0 };

	while (core_next(plan, &cursor, CORE_WHOLE, &piece)) {
		uint64_t gap = piece.start - (last.start + last.size);

		if (last.size && gap && ranges_contain(plan->memory, last.start, gap + last.size))
			counts[64 - __builtin_clzll(gap)]++;
		last = piece;
	}
}

/* The length from which on gaps are left out: of the powers of two the smallest that is enough. */
static uint64_t choose_gap(const struct core_plan *plan)
{
	size_t counts[64] = { 0 }, longer = 0;
	unsigned bits = 63;

	count_gaps(plan, counts);
	while (bits > GAP_BITS_MIN && longer + counts[bits] <= CORE_STRETCHES_MAX)
		longer += counts[bits--];
	return UINT64_C(1) << bits;
}

int core_stretches(
	const struct ranges *memory, const struct page_set *kept, struct ranges *stretches)
{
	const struct core_plan plan = { .memory = memory, .kept = kept };
	uint64_t gap = choose_gap(&plan);
	struct core_cursor cursor = { .run = 0 };
	struct range piece;

	stretches->count = 0;
	while (core_next(&plan, &cursor, CORE_WHOLE, &piece)) {
		uint64_t end = ranges_end(stretches);

		if (end && piece.start - end < gap &&
			ranges_contain(memory, end - 1, piece.start - end + 1))
			piece = (struct range){ .start = end,
				.size = piece.start + piece.size - end };
		if (ranges_add(stretches, piece.start, piece.size))
			return -1;
	}
	return 0;
}
