// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "layout/core.h"

struct cut {
	struct core_mapping *mappings;
	size_t count, capacity;
};

static int add_part(
	struct cut *cut, const struct core_mapping *mapping, uint64_t paddr, uint64_t end)
{
	size_t capacity = cut->capacity ? 2 * cut->capacity : 64;
	struct core_mapping *more;

	if (cut->count == CORE_MAPPINGS_MAX)
		return -1;
	if (cut->count == cut->capacity) {
		more = realloc(cut->mappings, capacity * sizeof(*more));
		if (!more)
			return -1;
		cut->mappings = more;
		cut->capacity = capacity;
	}
	cut->mappings[cut->count++] = (struct core_mapping){
		.vaddr = mapping->vaddr + (paddr - mapping->paddr),
		.paddr = paddr,
		.size = end - paddr,
	};
	return 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Where what paddr is of, one of the ranges or a gap between two of them, ends. */
static uint64_t part_end(const struct ranges *ranges, uint64_t paddr)
{
	size_t i = ranges_from(ranges, paddr);

	if (i == ranges->count)
		return UINT64_MAX;
	if (ranges->items[i].start > paddr)
		return ranges->items[i].start;
	return ranges->items[i].start + ranges->items[i].size;
}

/*
 * The most that one mapping tells of what is not held: no more than the bytes that are, as far as
 * that makes few mappings. makedumpfile (1.7.2) maps the file up to the last byte that any PT_LOAD
 * would have with all of its memory, and is killed by SIGBUS for what it touches behind the end.
 */
static uint64_t empty_max(const struct ranges *told, const struct ranges *held)
{
	uint64_t least = ranges_total(told) / CORE_STRETCHES_MAX;
	uint64_t max = ranges_total(held) / CORE_PIECE_MAX * CORE_PIECE_MAX;

	return max > least ? max : (least / CORE_PIECE_MAX + 1) * CORE_PIECE_MAX;
}

static int cut_mapping(struct cut *cut, const struct core_mapping *mapping,
	const struct ranges *told, const struct ranges *held)
{
	uint64_t end = mapping->paddr + mapping->size, most = empty_max(told, held), part;

	for (uint64_t at = mapping->paddr; at < end; at = part) {
		part = least(part_end(told, at), end);
		if (!ranges_find(told, at))
			continue;
		part = least(part_end(held, at), part);
		if (!ranges_find(held, at) && part - at > most)
			part = at + most;
		if (add_part(cut, mapping, at, part))
			return -1;
	}
	return 0;
}

int core_cut_mappings(struct core_mapping **mappings, size_t *count, const struct ranges *told,
	const struct ranges *held)
{
	struct cut cut = { .count = 0 };

	for (size_t i = 0; i < *count; i++) {
		if (cut_mapping(&cut, &(*mappings)[i], told, held)) {
			free(cut.mappings);
			return -1;
		}
	}
	free(*mappings);
	*mappings = cut.mappings;
	*count = cut.count;
	return 0;
}

static int by_paddr(const void *a, const void *b)
{
	const struct core_mapping *x = a, *y = b;

	return (x->paddr > y->paddr) - (x->paddr < y->paddr);
}

/*
 * Sorted first: added in any other order, each of up to a million mappings of a hostile core would
 * move thousands of ranges.
 */
int core_mapped_memory(const struct core_mapping *mappings, size_t count, struct ranges *memory)
{
	struct core_mapping *sorted;
	int result = 0;

	if (!count)
		return 0;
	sorted = calloc(count, sizeof(*sorted));
	if (!sorted) {
		memory->no_memory = true;
		return -1;
	}
	memcpy(sorted, mappings, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_paddr);
	for (size_t i = 0; i < count && !result; i++)
		result = ranges_add(memory, sorted[i].paddr, sorted[i].size);
	free(sorted);
	return result;
}
