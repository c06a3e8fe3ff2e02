// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/elf_headers.h"

#include <stdlib.h>
#include <string.h>

#include "arch/notes.h"

/* PT_NOTE and the PT_LOADs. */
static uint64_t header_count(const struct core_plan *plan)
{
	return 1 + (uint64_t)plan->mapping_count;
}

static bool counts_in_section(const struct core_plan *plan)
{
	return header_count(plan) >= PN_XNUM;
}

static uint64_t section_offset(const struct elf_class *class, const struct core_plan *plan)
{
	return class->ehdr_size + header_count(plan) * class->phdr_size;
}

static uint64_t notes_offset(const struct elf_class *class, const struct core_plan *plan)
{
	return section_offset(class, plan) + (counts_in_section(plan) ? class->shdr_size : 0);
}

/*
 * Puts the offset of each range into offsets, unless it is NULL. Returns the size of the file. No
 * sum can wrap: ranges end below RANGE_ADDRESS_MAX, and all else is capped far below it.
 */
static uint64_t place_ranges(
	const struct elf_class *class, const struct core_plan *plan, uint64_t *offsets)
{
	uint64_t at = notes_offset(class, plan) + plan->notes->size + plan->late_note_room;

	at = (at + ELF_BLOCK - 1) / ELF_BLOCK * ELF_BLOCK;
	for (size_t i = 0; i < plan->memory->count; i++) {
		const struct range *range = &plan->memory->items[i];

		at += (range->start - at) % ELF_BLOCK;
		if (offsets)
			offsets[i] = at;
		at += range->size;
	}
	return at;
}

/*
 * Whether every field can be told in the class. A 32-bit guest with PAE or LPAE has memory above
 * 4 GiB, and one with all of the 4 GiB makes a file that is larger.
 */
static bool fits(const struct elf_class *class, const struct core_plan *plan)
{
	if (ranges_end(plan->memory) - 1 > class->max ||
		place_ranges(class, plan, NULL) > class->max)
		return false;
	for (size_t i = 0; i < plan->mapping_count; i++)
		if (plan->mappings[i].vaddr + (plan->mappings[i].size - 1) > class->max)
			return false;
	return true;
}

static const struct elf_class *choose_class(const struct core_plan *plan)
{
	if (plan->arch->elf_class == ELFCLASS32 && fits(&elf_class_32, plan))
		return &elf_class_32;
	return &elf_class_64;
}

int elf_layout_init(struct elf_layout *layout, const struct core_plan *plan)
{
	layout->class = choose_class(plan);
	layout->order = plan->arch->order;
	layout->notes = notes_offset(layout->class, plan);
	layout->ranges = calloc(plan->memory->count, sizeof(*layout->ranges));
	if (!layout->ranges)
		return -1;
	place_ranges(layout->class, plan, layout->ranges);
	return 0;
}

void elf_layout_deinit(struct elf_layout *layout)
{
	free(layout->ranges);
	layout->ranges = NULL;
}

uint64_t elf_layout_size(const struct core_plan *plan)
{
	return place_ranges(choose_class(plan), plan, NULL);
}

uint64_t elf_layout_offset(
	const struct elf_layout *layout, const struct core_plan *plan, uint64_t paddr)
{
	const struct range *range = ranges_find(plan->memory, paddr);

	return layout->ranges[range - plan->memory->items] + (paddr - range->start);
}

static void put_elf_header(
	const struct elf_layout *layout, uint8_t *ehdr, const struct core_plan *plan)
{
	const struct elf_class *class = layout->class;
	enum byte_order order = layout->order;

	memcpy(ehdr, ELFMAG, SELFMAG);
	ehdr[EI_CLASS] = class->ident;
	ehdr[EI_DATA] = order == BIG ? ELFDATA2MSB : ELFDATA2LSB;
	ehdr[EI_VERSION] = EV_CURRENT;
	field_put(ehdr, class->e_type, ET_CORE, order);
	field_put(ehdr, class->e_machine, plan->arch->elf_machine, order);
	field_put(ehdr, class->e_version, EV_CURRENT, order);
	field_put(ehdr, class->e_phoff, class->ehdr_size, order);
	field_put(ehdr, class->e_ehsize, class->ehdr_size, order);
	field_put(ehdr, class->e_phentsize, class->phdr_size, order);
	field_put(ehdr, class->e_phnum, counts_in_section(plan) ? PN_XNUM : header_count(plan),
		order);
}

static void put_count_section(
	const struct elf_layout *layout, uint8_t *headers, const struct core_plan *plan)
{
	const struct elf_class *class = layout->class;
	uint64_t offset = section_offset(class, plan);
	enum byte_order order = layout->order;

	field_put(headers, class->e_shoff, offset, order);
	field_put(headers, class->e_shentsize, class->shdr_size, order);
	field_put(headers, class->e_shnum, 1, order);
	field_put(headers + offset, class->sh_info, header_count(plan), order);
}

void elf_note_header(const struct elf_layout *layout, uint8_t *phdr, uint64_t size)
{
	const struct elf_class *class = layout->class;

	memset(phdr, 0, class->phdr_size);
	field_put(phdr, class->p_type, PT_NOTE, layout->order);
	field_put(phdr, class->p_offset, layout->notes, layout->order);
	field_put(phdr, class->p_filesz, size, layout->order);
	field_put(phdr, class->p_memsz, size, layout->order);
}

uint64_t elf_note_header_offset(const struct elf_layout *layout)
{
	return layout->class->ehdr_size;
}

/*
 * p_align stays 0: with any other value and an even offset, crash takes the core for one of netdump
 * and reads it by other rules. p_filesz is p_memsz: Volatility takes no other PT_LOAD.
 */
static void put_load_header(const struct elf_layout *layout, uint8_t *phdr,
	const struct core_plan *plan, const struct core_mapping *mapping)
{
	const struct elf_class *class = layout->class;
	uint64_t offset = elf_layout_offset(layout, plan, mapping->paddr);

	field_put(phdr, class->p_type, PT_LOAD, layout->order);
	field_put(phdr, class->p_offset, offset, layout->order);
	field_put(phdr, class->p_vaddr, mapping->vaddr, layout->order);
	field_put(phdr, class->p_paddr, mapping->paddr, layout->order);
	field_put(phdr, class->p_filesz, mapping->size, layout->order);
	field_put(phdr, class->p_memsz, mapping->size, layout->order);
}

uint8_t *elf_headers(const struct elf_layout *layout, const struct core_plan *plan)
{
	uint8_t *headers = calloc(1, (size_t)layout->notes);
	uint8_t *phdr;

	if (!headers)
		return NULL;
	phdr = headers + layout->class->ehdr_size;
	put_elf_header(layout, headers, plan);
	if (counts_in_section(plan))
		put_count_section(layout, headers, plan);
	elf_note_header(layout, phdr, plan->notes->size);
	for (size_t i = 0; i < plan->mapping_count; i++) {
		phdr += layout->class->phdr_size;
		put_load_header(layout, phdr, plan, &plan->mappings[i]);
	}
	return headers;
}
