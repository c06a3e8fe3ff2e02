// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "layout/core.h"

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
	if (!sorted)
		return -1;
	memcpy(sorted, mappings, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_paddr);
	for (size_t i = 0; i < count && !result; i++)
		result = ranges_add(memory, sorted[i].paddr, sorted[i].size);
	free(sorted);
	return result;
}
