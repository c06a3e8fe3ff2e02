// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel image and the direct map, by the shape that they give to the page tables. */
#include "layout/kernel.h"

#include <elf.h>

#include "layout/page_cache.h"

#define MIB(n) ((uint64_t)(n) << 20)

enum { CANDIDATES_MAX = 32, SAMPLED_RANGES_MAX = 16, SAMPLES = 16 };

/* Less than any kernel; more than what the user half of page table isolation shows of one. */
#define IMAGE_MIN MIB(2)
/* The kernel gives back its init sections, some MiB. Modules, further up, are not its image. */
#define HOLE_MAX MIB(64)

struct image_search {
	bool with_writable; /* code, too */
	uint64_t code;      /* bytes that the piece begins with */
	struct mapping piece;
};

static bool is_image(const struct image_search *search)
{
	return search->code >= IMAGE_MIN;
}

/*
 * Puts mappings together while they have one distance to physical memory, and ends at an image. It
 * begins with its code; on some CPUs what is in front of that is the rest of the direct map.
 */
static int visit_text(void *ctx, const struct mapping *mapping)
{
	struct image_search *search = ctx;
	struct mapping *piece = &search->piece;
	bool is_code = mapping->executable && (!mapping->writable || search->with_writable);
	bool continued = piece->size &&
	                 mapping->vaddr - mapping->paddr == piece->vaddr - piece->paddr;
	uint64_t end = piece->vaddr + piece->size;

	if (mapping->user)
		return 0;
	if (continued && is_code && mapping->vaddr == end && search->code == piece->size)
		search->code += mapping->size;
	else if (!is_image(search))
		continued = false;
	if (continued && mapping->vaddr - end <= HOLE_MAX) {
		piece->size = mapping->vaddr + mapping->size - piece->vaddr;
		piece->writable |= mapping->writable;
		return 0;
	}
	if (is_image(search))
		return 1;
	*piece = *mapping;
	search->code = is_code ? mapping->size : 0;
	return 0;
}

/*
 * A kernel protects its code from being written to when it has started, but not every one does.
 * Where all that is not protected can be executed, that alone tells the code from the rest.
 */
static bool find_image(struct kernel *kernel, const struct page_table *table,
	const struct guest_memory *memory, const struct address_range *range, struct mapping *image)
{
	for (unsigned pass = 0; pass < 2; pass++) {
		struct image_search search = { .with_writable = pass == 1 };

		if (paging_walk(table, memory, range->first, range->last, visit_text, &search) ==
			PAGING_NO_MEMORY) {
			kernel->no_memory = true;
			return false;
		}
		if (is_image(&search)) {
			*image = search.piece;
			return true;
		}
	}
	return false;
}

struct direct_map_search {
	const struct page_table *table;
	const struct mapping *text;
	const struct ranges *ram;
	const struct guest_memory *memory;
	uint64_t align;
	bool above_zero;
	uint64_t tried[CANDIDATES_MAX];
	size_t count;
};

enum sample { NOT_MAPPED, MAPPED_HERE, MAPPED_ELSEWHERE };

static enum sample take_sample(
	const struct direct_map_search *search, uint64_t base, uint64_t paddr)
{
	uint64_t found;

	if (!paging_translate(search->table, search->memory, base + paddr, &found))
		return NOT_MAPPED;
	return found == paddr ? MAPPED_HERE : MAPPED_ELSEWHERE;
}

/*
 * The image and the root must be there. Of the rest of RAM, samples that are mapped must mostly
 * be in their place; that some are not mapped says nothing: firmware keeps parts of it, memory
 * may be plugged in but offline, and "mem=" or a kdump kernel leaves out most of it.
 */
static bool is_direct_map(const struct direct_map_search *search, uint64_t base)
{
	size_t ranges = search->ram->count;
	unsigned here = 2, elsewhere = 0;

	if (take_sample(search, base, search->text->paddr) != MAPPED_HERE)
		return false;
	if (search->table->levels && take_sample(search, base, search->table->root) != MAPPED_HERE)
		return false;
	if (ranges > SAMPLED_RANGES_MAX)
		ranges = SAMPLED_RANGES_MAX;
	for (size_t i = 0; i < ranges; i++) {
		const struct range *range = &search->ram->items[i];

		if (range->size < MIB(2))
			continue;
		for (unsigned n = 0; n < SAMPLES; n++) {
			switch (take_sample(
				search, base, range->start + range->size / SAMPLES * n)) {
			case MAPPED_HERE:
				here++;
				break;
			case MAPPED_ELSEWHERE:
				elsewhere++;
				break;
			case NOT_MAPPED:
				break;
			}
		}
	}
	return here > elsewhere;
}

static int visit_direct_map(void *ctx, const struct mapping *mapping)
{
	struct direct_map_search *search = ctx;
	uint64_t base = mapping->vaddr - mapping->paddr;

	/* Below the direct map, page table isolation keeps the pages of LDTs. */
	if (base % search->align || mapping->user)
		return 0;
	/* What firmware maps to the addresses that it has is none, if a direct map is elsewhere. */
	if (!base && search->above_zero)
		return 0;
	for (size_t i = 0; i < search->count; i++) {
		if (search->tried[i] == base)
			return 0;
	}
	if (search->count == CANDIDATES_MAX)
		return -1;
	search->tried[search->count++] = base;
	return is_direct_map(search, base);
}

struct direct_map_extent {
	uint64_t base, start, end;
};

/* Behind it, single pages of what is mapped anywhere may happen to lie in their place. */
static int visit_extent(void *ctx, const struct mapping *mapping)
{
	struct direct_map_extent *extent = ctx;

	if (mapping->vaddr - mapping->paddr != extent->base)
		return extent->end != 0;
	if (!extent->end)
		extent->start = mapping->paddr;
	extent->end = mapping->paddr + mapping->size;
	return 0;
}

/* 32 bits have no room for all of RAM; what is left over is mapped elsewhere, or nowhere. */
static void find_extent(
	struct kernel *kernel, const struct kernel_space *space, const struct guest_memory *memory)
{
	struct direct_map_extent extent = { .base = kernel->direct_map, .end = 0 };

	if (kernel->table.arch->elf_class != ELFCLASS32)
		extent.end = UINT64_MAX;
	else if (paging_walk(&kernel->table, memory, space->direct_map.first,
			 space->direct_map.last, visit_extent, &extent) == PAGING_NO_MEMORY)
		kernel->no_memory = true;
	kernel->direct_map_start = extent.start;
	kernel->direct_map_end = extent.end;
}

static bool find_in(struct kernel *kernel, const struct page_table *table, const struct ranges *ram,
	const struct guest_memory *memory)
{
	const struct kernel_space space = table->arch->kernel_space(table);
	struct mapping text = { 0 };
	struct direct_map_search search = {
		.table = table,
		.text = &text,
		.ram = ram,
		.memory = memory,
		.align = space.direct_map_align,
		.above_zero = space.direct_map.first > 0,
	};
	int found;

	if (!find_image(kernel, table, memory, &space.text, &text))
		return false;
	found = paging_walk(table, memory, space.direct_map.first, space.direct_map.last,
		visit_direct_map, &search);
	if (found == PAGING_NO_MEMORY)
		kernel->no_memory = true;
	if (found != 1)
		return false;
	kernel->mapped = true;
	kernel->table = *table;
	kernel->text = text;
	kernel->direct_map = search.tried[search.count - 1];
	find_extent(kernel, &space, memory);
	if (space.text_base)
		kernel->phys_base = (int64_t)(text.paddr - (text.vaddr - space.text_base));
	return true;
}

static bool make_cache(struct kernel *kernel, const struct guest_memory *memory)
{
	page_cache_destroy(kernel->cache);
	kernel->cache = page_cache_create(memory);
	kernel->no_memory = !kernel->cache;
	return kernel->cache;
}

void kernel_find_mappings(struct kernel *kernel, const struct arch *arch,
	const struct registers *cpus, size_t cpu_count, const struct ranges *ram,
	const struct guest_memory *memory)
{
	kernel->arch = arch;
	if (!arch->page_table || !make_cache(kernel, memory))
		return;
	for (size_t i = 0; i < cpu_count && !kernel->mapped; i++) {
		struct page_table table;

		for (unsigned nth = 0; arch->page_table(&cpus[i], ranges_end(ram), nth, &table);
			nth++) {
			if (find_in(kernel, &table, ram, &kernel->cache->memory))
				break;
		}
	}
}

void kernel_find_mappings_by(struct kernel *kernel, const struct page_table *table,
	const struct ranges *ram, const struct guest_memory *memory)
{
	kernel->arch = table->arch;
	if (make_cache(kernel, memory))
		find_in(kernel, table, ram, &kernel->cache->memory);
}
