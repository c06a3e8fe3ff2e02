// SPDX-License-Identifier: GPL-2.0-or-later
/* FLATMEM and DISCONTIGMEM: an array of struct pages for each node, told by its pglist_data. */
#include "layout/mem_map.h"

#include <inttypes.h>
#include <stdlib.h>

/* CONFIG_NODES_SHIFT goes up to 10. */
enum { NODES_MAX = 1024 };

struct node_offsets {
	uint64_t mem_map, start_pfn, spanned_pages;
};

/* False for a node that cannot be read, or without memory. */
static bool read_node(const struct mem_map_search *search, const struct node_offsets *offsets,
	uint64_t node, struct mem_map_area *area)
{
	uint64_t ignored;

	return mem_map_read_word(search, node + offsets->mem_map, &area->vaddr) == 0 &&
	       mem_map_read_word(search, node + offsets->start_pfn, &area->pfn) == 0 &&
	       mem_map_read_word(search, node + offsets->spanned_pages, &area->count) == 0 &&
	       area->vaddr && area->count && area->pfn <= RANGE_ADDRESS_MAX >> search->page_shift &&
	       area->count <= (RANGE_ADDRESS_MAX >> search->page_shift) - area->pfn &&
	       area->count <= (UINT64_MAX - area->vaddr) / search->struct_size &&
	       paging_translate(&search->kernel->table, search->memory, area->vaddr, &ignored);
}

static int compare_areas(const void *a, const void *b)
{
	const struct mem_map_area *first = a, *second = b;

	return first->pfn < second->pfn ? -1 : first->pfn > second->pfn;
}

/* All nodes, or the only one. Returns how many areas there are. */
static size_t read_nodes(const struct mem_map_search *search, const struct node_offsets *offsets,
	struct mem_map_area *areas)
{
	uint64_t address, count, node;
	size_t found = 0;

	if (!vmcoreinfo_symbol(search->info, "node_data", &address)) {
		if (vmcoreinfo_symbol(search->info, "contig_page_data", &node) &&
			read_node(search, offsets, node, &areas[0]))
			found++;
		return found;
	}
	if (!vmcoreinfo_decimal(search->info, "LENGTH", "node_data", &count))
		return 0;
	for (uint64_t i = 0; i < count && i < NODES_MAX; i++) {
		if (mem_map_read_word(search, address + i * search->word, &node) == 0 && node &&
			read_node(search, offsets, node, &areas[found]))
			found++;
	}
	qsort(areas, found, sizeof(*areas), compare_areas);
	return found;
}

int mem_map_find_flat(const struct mem_map_search *search)
{
	const struct vmcoreinfo *info = search->info;
	struct node_offsets offsets;
	struct mem_map_area *areas;
	uint64_t next = 0;
	size_t count;
	int result = 0;

	if (!vmcoreinfo_decimal(info, "OFFSET", "pglist_data.node_mem_map", &offsets.mem_map) ||
		!vmcoreinfo_decimal(
			info, "OFFSET", "pglist_data.node_start_pfn", &offsets.start_pfn) ||
		!vmcoreinfo_decimal(
			info, "OFFSET", "pglist_data.node_spanned_pages", &offsets.spanned_pages))
		return error_set(search->error,
			"unknown memory model: VMCOREINFO has neither SYMBOL(mem_section) nor "
			"OFFSET(pglist_data.node_mem_map)");
	areas = calloc(NODES_MAX, sizeof(*areas));
	if (!areas)
		return error_no_memory(search->error);
	count = read_nodes(search, &offsets, areas);
	for (size_t i = 0; i < count && result == 0; i++) {
		/* Nodes that overlap have frames of each other; who owns those is not told here. */
		if (areas[i].pfn < next)
			result = error_set(search->error,
				"the nodes of the kernel overlap at page frame 0x%" PRIx64,
				areas[i].pfn);
		else if (mem_map_add(search->map, areas[i].pfn, areas[i].count, areas[i].vaddr,
				 search->struct_size))
			result = mem_map_add_failed(search);
		next = areas[i].pfn + areas[i].count;
	}
	free(areas);
	if (result == 0 && !count)
		return error_set(search->error,
			"no node of the kernel has struct pages where VMCOREINFO says so");
	return result;
}
