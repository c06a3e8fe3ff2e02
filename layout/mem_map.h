/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a Linux kernel has the struct pages of its page frames. Kernels keep them in one of three
 * ways: in sections of physical memory, all in one table or in a table of tables (SPARSEMEM,
 * SPARSEMEM_EXTREME), or in one array for each node, of which there may be only one (FLATMEM,
 * DISCONTIGMEM). Private to layout/.
 */
#ifndef LAYOUT_MEM_MAP_H
#define LAYOUT_MEM_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "arch/error.h"
#include "arch/memory.h"
#include "layout/kernel.h"
#include "layout/ranges.h"

/* A run of page frames whose structs lie one behind the other. */
struct mem_map_area {
	uint64_t pfn, count;
	uint64_t vaddr; /* of the first frame's struct */
};

struct mem_map {
	struct mem_map_area *areas; /* ascending, apart from each other, not empty */
	size_t count, capacity;
	bool no_memory; /* what could not be added was refused for that, and not for too many */
};

/* Each section of 128 MiB may be an area; 64 TiB have so many. */
enum { MEM_MAP_AREAS_MAX = 1 << 19 };

/*
 * Finds the structs, of struct_size bytes, of all frames of ram that have one. Costs some reads of
 * a page for tables, and one more for each 16 GiB. Returns 0, or -1 with the reason; the caller
 * deinitialises in both cases.
 */
int mem_map_init(struct mem_map *map, const struct kernel *kernel, uint32_t struct_size,
	const struct ranges *ram, const struct guest_memory *memory, struct error *error);
void mem_map_deinit(struct mem_map *map);

/* For those who fill it in: a run behind all others, merged with the last one if it continues it.
 * Returns 0, or -1 without memory or for too many. */
int mem_map_add(
	struct mem_map *map, uint64_t pfn, uint64_t count, uint64_t vaddr, uint32_t struct_size);

struct mem_map_search;

/* Says why it failed. Returns -1. */
int mem_map_add_failed(const struct mem_map_search *search);

/* What the ways of keeping the structs are found with. */
struct mem_map_search {
	struct mem_map *map;
	const struct kernel *kernel;
	const struct vmcoreinfo *info;
	const struct guest_memory *memory; /* that remembers what it has read */
	const struct ranges *ram;
	uint32_t struct_size;
	uint8_t word; /* bytes of an unsigned long */
	unsigned page_shift;
	struct error *error;
};

/* Reads an unsigned long of the kernel. Returns 0 or -1. */
int mem_map_read_word(const struct mem_map_search *search, uint64_t vaddr, uint64_t *value);

/* Each returns 0, or -1 with the reason: layout/mem_map_sparse.c and layout/mem_map_flat.c. */
int mem_map_find_sparse(const struct mem_map_search *search);
int mem_map_find_flat(const struct mem_map_search *search);

#endif
