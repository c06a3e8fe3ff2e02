// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/mem_map.h"

#include <elf.h>
#include <stdlib.h>

#include "layout/page_cache.h"

int mem_map_add(
	struct mem_map *map, uint64_t pfn, uint64_t count, uint64_t vaddr, uint32_t struct_size)
{
	if (map->count) {
		struct mem_map_area *last = &map->areas[map->count - 1];

		if (last->pfn + last->count == pfn &&
			last->vaddr + last->count * struct_size == vaddr) {
			last->count += count;
			return 0;
		}
	}
	if (map->count == map->capacity) {
		size_t capacity = map->capacity ? 2 * map->capacity : 16;
		struct mem_map_area *areas;

		if (capacity > MEM_MAP_AREAS_MAX)
			return -1;
		areas = realloc(map->areas, capacity * sizeof(*areas));
		if (!areas) {
			map->no_memory = true;
			return -1;
		}
		map->areas = areas;
		map->capacity = capacity;
	}
	map->areas[map->count++] = (struct mem_map_area){
		.pfn = pfn, .count = count, .vaddr = vaddr
	};
	return 0;
}

int mem_map_add_failed(const struct mem_map_search *search)
{
	return search->map->no_memory
	               ? error_no_memory(search->error)
	               : error_set(search->error, "the memory map has too many parts");
}

int mem_map_read_word(const struct mem_map_search *search, uint64_t vaddr, uint64_t *value)
{
	const struct page_table *table = &search->kernel->table;
	uint8_t bytes[8];

	if (paging_read(table, search->memory, vaddr, bytes, search->word))
		return -1;
	*value = search->word == 8 ? get_u64(bytes, table->arch->order)
	                           : get_u32(bytes, table->arch->order);
	return 0;
}

int mem_map_init(struct mem_map *map, const struct kernel *kernel, uint32_t struct_size,
	const struct ranges *ram, const struct guest_memory *memory, struct error *error)
{
	/* Single reads, so that the cache does not bring along what nobody asks for. */
	const struct guest_memory single = { .read = memory->read, .ctx = memory->ctx };
	struct mem_map_search search = {
		.map = map,
		.kernel = kernel,
		.info = &kernel->vmcoreinfo,
		.ram = ram,
		.struct_size = struct_size,
		.error = error,
	};
	struct page_cache *cache;
	uint64_t ignored;
	int result;

	*map = (struct mem_map){ 0 };
	search.word = kernel->table.arch->elf_class == ELFCLASS64 ? 8 : 4;
	search.page_shift = search.info->page_shift;
	cache = page_cache_create(&single);
	if (!cache)
		return error_no_memory(error);
	search.memory = &cache->memory;
	if (vmcoreinfo_symbol(search.info, "mem_section", &ignored))
		result = mem_map_find_sparse(&search);
	else
		result = mem_map_find_flat(&search);
	page_cache_destroy(cache);
	return result;
}

void mem_map_deinit(struct mem_map *map)
{
	free(map->areas);
	*map = (struct mem_map){ 0 };
}
