// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SPARSEMEM: physical memory in sections of equal size, and for each a struct mem_section. They
 * are in one array, or, with SPARSEMEM_EXTREME, in arrays of a page, the roots, that an array of
 * pointers leads to (include/linux/mmzone.h).
 */
#include "layout/mem_map.h"

#include <inttypes.h>
#include <string.h>

/* A section's mem_map carries flags in its low bits, of which bit 0 says that there is one. */
#define SECTION_PRESENT   1
#define SECTION_FLAG_BITS 5

/* At least one page of structs for a section, and no more than all of physical memory. */
enum { SECTION_BITS_MIN = 20, SECTION_BITS_MAX = 40, PHYSMEM_BITS_MAX = 60 };

struct sections {
	unsigned section_bits;
	uint64_t sections_per_root; /* 1: no roots */
	uint64_t root_count;
	uint64_t entry_size, map_offset; /* of struct mem_section and its section_mem_map */
	uint64_t base;                   /* virtual address of the array */
};

/*
 * What kernels before 5.9 and 5.13 leave out of VMCOREINFO. LENGTH(mem_section) tells which of the
 * rows of an architecture it is (its asm/sparsemem.h).
 */
static const struct section_row {
	const char *arch;
	uint8_t section_bits, physmem_bits;
} section_rows[] = {
	{ "x86_64", 27, 46 },
	{ "x86_64", 27, 52 },
	{ "i386", 26, 32 },
	{ "i386", 29, 36 },
	{ "aarch64", 30, 48 },
	{ "aarch64", 30, 52 },
	{ "aarch64", 27, 48 },
	{ "aarch64", 27, 52 },
	{ "aarch64", 29, 48 },
	{ "aarch64", 29, 52 },
	{ "s390x", 28, 46 },
	{ "s390x", 28, 47 },
	{ "riscv64", 27, 56 },
};

/* Takes these sizes if LENGTH(mem_section) is what they make of it. */
static bool fits(const struct mem_map_search *search, struct sections *sections,
	unsigned section_bits, unsigned physmem_bits, uint64_t length)
{
	uint64_t count, per_root = search->info->page_size / sections->entry_size;

	if (section_bits < SECTION_BITS_MIN || section_bits > SECTION_BITS_MAX ||
		section_bits <= search->page_shift || physmem_bits < section_bits ||
		physmem_bits > PHYSMEM_BITS_MAX)
		return false;
	count = UINT64_C(1) << (physmem_bits - section_bits);
	sections->section_bits = section_bits;
	sections->root_count = length;
	if (per_root && length == (count + per_root - 1) / per_root && per_root > 1)
		sections->sections_per_root = per_root;
	else if (length == count)
		sections->sections_per_root = 1;
	else
		return false;
	return true;
}

static int find_sizes(const struct mem_map_search *search, struct sections *sections)
{
	const struct vmcoreinfo *info = search->info;
	const char *arch = search->kernel->table.arch->name;
	int64_t section_bits = 0, physmem_bits = 0;
	uint64_t length;

	if (!vmcoreinfo_decimal(info, "SIZE", "mem_section", &sections->entry_size) ||
		!vmcoreinfo_decimal(
			info, "OFFSET", "mem_section.section_mem_map", &sections->map_offset) ||
		!vmcoreinfo_decimal(info, "LENGTH", "mem_section", &length) ||
		sections->entry_size > info->page_size ||
		sections->map_offset > sections->entry_size ||
		sections->entry_size - sections->map_offset < search->word || !length)
		return error_set(search->error, "VMCOREINFO does not describe struct mem_section");

	vmcoreinfo_number(info, "SECTION_SIZE_BITS", &section_bits);
	vmcoreinfo_number(info, "MAX_PHYSMEM_BITS", &physmem_bits);
	if (section_bits < 0 || section_bits > SECTION_BITS_MAX || physmem_bits < 0 ||
		physmem_bits > PHYSMEM_BITS_MAX)
		return error_set(search->error,
			"VMCOREINFO has sections of 2^%" PRId64 " bytes, and 2^%" PRId64
			" bytes of memory",
			section_bits, physmem_bits);
	if (section_bits && physmem_bits &&
		fits(search, sections, (unsigned)section_bits, (unsigned)physmem_bits, length))
		return 0;
	for (size_t i = 0; i < sizeof(section_rows) / sizeof(*section_rows); i++) {
		const struct section_row *row = &section_rows[i];

		if (strcmp(row->arch, arch) == 0 &&
			(!section_bits || section_bits == row->section_bits) &&
			(!physmem_bits || physmem_bits == row->physmem_bits) &&
			fits(search, sections, row->section_bits, row->physmem_bits, length))
			return 0;
	}
	return error_set(search->error,
		"unknown memory model: VMCOREINFO has %" PRIu64
		" roots of sections, which neither SECTION_SIZE_BITS and MAX_PHYSMEM_BITS nor what "
		"is known of %s explains",
		length, arch);
}

/* Where the struct page of page frame 0 would be if this section went on to there; 0: no map. */
static uint64_t read_section(
	const struct mem_map_search *search, const struct sections *sections, uint64_t number)
{
	uint64_t entries = sections->base, index = number, map;

	if (number / sections->sections_per_root >= sections->root_count)
		return 0;
	if (sections->sections_per_root > 1) {
		uint64_t root = number / sections->sections_per_root;

		if (mem_map_read_word(search, sections->base + root * search->word, &entries) ||
			!entries)
			return 0;
		index = number % sections->sections_per_root;
	}
	if (mem_map_read_word(
		    search, entries + index * sections->entry_size + sections->map_offset, &map) ||
		!(map & SECTION_PRESENT))
		return 0;
	return map >> SECTION_FLAG_BITS << SECTION_FLAG_BITS;
}

/* The structs of the section, which a kernel of this word size counts modulo that. */
static uint64_t structs_of(const struct mem_map_search *search, uint64_t map, uint64_t pfn)
{
	uint64_t vaddr = map + pfn * search->struct_size;

	return search->word == 8 ? vaddr : (uint32_t)vaddr;
}

/*
 * Adds the sections of all of RAM. A section with a map whose structs are not mapped does not
 * count for `sound`, but may be so: memory was removed, say.
 */
static int add_sections(
	const struct mem_map_search *search, const struct sections *sections, bool *sound)
{
	uint64_t per_section = UINT64_C(1) << (sections->section_bits - search->page_shift);
	uint64_t next = 0; /* of sections: two ranges of RAM may be in one */

	*sound = false;
	for (size_t i = 0; i < search->ram->count; i++) {
		const struct range *range = &search->ram->items[i];
		uint64_t number = range->start >> sections->section_bits;
		uint64_t last = (range->start + range->size - 1) >> sections->section_bits;

		for (number = number > next ? number : next; number <= last; number++) {
			uint64_t map = read_section(search, sections, number);
			uint64_t pfn = number * per_section, ignored;
			uint64_t vaddr = structs_of(search, map, pfn);

			if (!map)
				continue;
			if (!*sound)
				*sound = paging_translate(
					&search->kernel->table, search->memory, vaddr, &ignored);
			if (mem_map_add(search->map, pfn, per_section, vaddr, search->struct_size))
				return mem_map_add_failed(search);
		}
		next = last + 1;
	}
	return 0;
}

int mem_map_find_sparse(const struct mem_map_search *search)
{
	struct sections sections = { 0 };
	bool sound;

	if (find_sizes(search, &sections))
		return -1;
	if (!vmcoreinfo_symbol(search->info, "mem_section", &sections.base))
		return error_set(search->error, "VMCOREINFO has no SYMBOL(mem_section)");
	if (add_sections(search, &sections, &sound))
		return -1;
	if (sound)
		return 0;
	/* The first kernels with a pointer to the array gave the address of the pointer (4.15). */
	search->map->count = 0;
	if (mem_map_read_word(search, sections.base, &sections.base) == 0) {
		if (add_sections(search, &sections, &sound))
			return -1;
		if (sound)
			return 0;
	}
	return error_set(search->error,
		"no struct pages are where SYMBOL(mem_section) in VMCOREINFO leads to");
}
