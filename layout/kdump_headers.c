// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/kdump_headers.h"

#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "arch/notes.h"

static uint64_t whole(uint64_t size, uint64_t block)
{
	return (size + block - 1) / block * block;
}

static uint64_t first_pfn(const struct kdump_layout *layout, const struct range *range)
{
	return (range->start >> layout->page_shift) - layout->pfn_start;
}

static uint64_t end_pfn(const struct kdump_layout *layout, const struct range *range)
{
	return ((range->start + range->size - 1) >> layout->page_shift) + 1 - layout->pfn_start;
}

/* Ranges that meet within a page have it once. */
static uint64_t count_pages(const struct kdump_layout *layout, const struct ranges *memory)
{
	uint64_t count = 0, end = 0;

	for (size_t i = 0; i < memory->count; i++) {
		uint64_t first = first_pfn(layout, &memory->items[i]);

		if (first < end)
			first = end;
		end = end_pfn(layout, &memory->items[i]);
		count += end - first;
	}
	return count;
}

static const struct kdump_form *choose_form(const struct arch *arch)
{
	if (arch->elf_class == ELFCLASS64)
		return &kdump_form_64;
	return arch->align64 == 4 ? &kdump_form_32_packed : &kdump_form_32_padded;
}

/*
 * crash (paddr_to_pfn() of its diskdump.c) and makedumpfile (ARCH_PFN_OFFSET) of 32-bit Arm take
 * phys_base off an address, and so have no page frame for what is below it.
 */
static int set_frames(
	struct kdump_layout *layout, const struct core_plan *plan, struct error *error)
{
	const struct ranges *memory = plan->memory;

	if (plan->arch->frames_from_ram_start)
		layout->pfn_start = (uint64_t)plan->phys_base >> plan->page_shift;
	if (memory->count && memory->items[0].start >> plan->page_shift < layout->pfn_start)
		return error_set(error,
			"memory at 0x%" PRIx64
			" is in front of the kernel's, where kdump's readers "
			"count page frames from: 0x%" PRIx64,
			memory->items[0].start, layout->pfn_start << plan->page_shift);
	layout->pfn_end = (ranges_end(memory) + (UINT64_C(1) << plan->page_shift) - 1) >>
	                  plan->page_shift;
	layout->pfn_end -= layout->pfn_start;
	if (layout->pfn_end > UINT64_C(1) << KDUMP_PFN_BITS_MAX)
		return error_set(error,
			"memory up to 0x%" PRIx64 " is more than kdump's readers can take",
			ranges_end(memory));
	return 0;
}

int kdump_layout_init(
	struct kdump_layout *layout, const struct core_plan *plan, struct error *error)
{
	uint64_t block = UINT64_C(1) << plan->page_shift;
	uint64_t sub_header, descriptors;

	*layout = (struct kdump_layout){
		.form = choose_form(plan->arch),
		.order = plan->arch->order,
		.page_shift = plan->page_shift,
	};
	if (set_frames(layout, plan, error))
		return -1;
	layout->page_count = plan->kept ? page_set_count(plan->kept)
	                                : count_pages(layout, plan->memory);
	layout->bitmap_size = whole(whole(layout->pfn_end, 8) / 8, block);
	sub_header = layout->form->sub_header_size + plan->notes->size +
	             (uint64_t)plan->late_note_room;
	descriptors = layout->page_count * sizeof(struct kdump_descriptor);

	layout->notes = block + layout->form->sub_header_size;
	layout->bitmaps = block + whole(sub_header, block);
	layout->descriptors = layout->bitmaps + 2 * layout->bitmap_size;
	layout->pages = layout->descriptors + descriptors;
	return 0;
}

/* Without a kernel's name of the machine, its readers still want to know whose CPU's core it is. */
static void put_utsname(uint8_t *to, const struct core_plan *plan)
{
	memcpy(to, plan->utsname, UTSNAME_STRINGS * UTSNAME_STRING_SIZE);
	to += (size_t)KDUMP_UTSNAME_MACHINE * UTSNAME_STRING_SIZE;
	if (!to[0])
		memcpy(to, plan->arch->name, strnlen(plan->arch->name, UTSNAME_STRING_SIZE - 1));
}

void kdump_header(const struct kdump_layout *layout, const struct core_plan *plan, uint32_t status,
	uint8_t header[KDUMP_HEADER_MAX])
{
	const struct kdump_form *form = layout->form;
	uint64_t block = UINT64_C(1) << layout->page_shift;
	enum byte_order order = layout->order;

	memset(header, 0, KDUMP_HEADER_MAX);
	memcpy(header, KDUMP_SIGNATURE, KDUMP_SIGNATURE_SIZE);
	field_put(header, form->header_version, KDUMP_VERSION, order);
	put_utsname(header + KDUMP_UTSNAME_OFFSET, plan);
	field_put(header, form->status, status, order);
	field_put(header, form->block_size, block, order);
	field_put(header, form->sub_hdr_size, (layout->bitmaps - block) / block, order);
	field_put(header, form->bitmap_blocks, 2 * layout->bitmap_size / block, order);
	/* Of 32 bits; max_mapnr_64 in the sub-header has it whole. */
	field_put(header, form->max_mapnr,
		layout->pfn_end < UINT32_MAX ? layout->pfn_end : UINT32_MAX, order);
	field_put(header, form->nr_cpus, plan->cpu_count, order);
}

/* The VMCOREINFO among the notes: its text's offset from their start; size 0 if there is none. */
static size_t find_vmcoreinfo(const struct notes *notes, uint64_t *offset)
{
	struct note note;
	size_t at = 0;

	while (notes && notes_next(notes->bytes, notes->size, notes->order, &at, &note)) {
		if (strcmp(note.name, "VMCOREINFO") != 0)
			continue;
		*offset = (uint64_t)(note.desc - notes->bytes);
		return note.desc_size;
	}
	return 0;
}

/*
 * crash and makedumpfile go to VMCOREINFO by its own offset, libkdumpfile, and so drgn, looks
 * through the notes.
 */
void kdump_sub_header(const struct kdump_layout *layout, const struct core_plan *plan,
	const struct notes *late, uint8_t header[KDUMP_SUB_HEADER_MAX])
{
	const struct kdump_form *form = layout->form;
	enum byte_order order = layout->order;
	size_t notes_size = plan->notes->size;
	uint64_t vmcoreinfo = 0;
	size_t size = find_vmcoreinfo(plan->notes, &vmcoreinfo);

	if (!size) {
		size = find_vmcoreinfo(late, &vmcoreinfo);
		vmcoreinfo += notes_size;
	}
	memset(header, 0, KDUMP_SUB_HEADER_MAX);
	field_put(header, form->phys_base, (uint64_t)plan->phys_base, order);
	field_put(header, form->dump_level, plan->dump_level, order);
	if (size) {
		field_put(header, form->offset_vmcoreinfo, layout->notes + vmcoreinfo, order);
		field_put(header, form->size_vmcoreinfo, size, order);
	}
	field_put(header, form->offset_note, layout->notes, order);
	field_put(header, form->size_note, notes_size + (late ? late->size : 0), order);
	field_put(header, form->max_mapnr_64, layout->pfn_end, order);
}

bool kdump_bitmap(const struct kdump_layout *layout, const struct ranges *memory, uint64_t first,
	uint8_t *bits, size_t size)
{
	uint64_t end = first + (uint64_t)size * 8;
	bool any = false;

	memset(bits, 0, size);
	for (size_t i = 0; i < memory->count; i++) {
		uint64_t pfn = first_pfn(layout, &memory->items[i]);
		uint64_t range_end = end_pfn(layout, &memory->items[i]);

		if (pfn >= end)
			break;
		for (pfn = pfn > first ? pfn : first; pfn < range_end && pfn < end; pfn++) {
			bits[(pfn - first) / 8] |= (uint8_t)(1 << (pfn - first) % 8);
			any = true;
		}
	}
	return any;
}
