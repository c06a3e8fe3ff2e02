// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "arch/notes.h"
#include "layout/core_format.h"
#include "layout/elf_headers.h"

struct elf_core {
	struct core core;
	struct elf_layout layout;
};

static struct elf_core *elf_of(struct core *core)
{
	return (struct elf_core *)core;
}

static int check_mapping(struct core *core, const struct core_mapping *mapping)
{
	const struct core_plan *plan = core->plan;

	if (!mapping->size || mapping->size > RANGE_ADDRESS_MAX ||
		mapping->paddr > RANGE_ADDRESS_MAX - mapping->size ||
		(!ranges_contain(plan->memory, mapping->paddr, mapping->size) &&
			ranges_overlap(plan->memory, mapping->paddr, mapping->size)))
		return core_fail(core, "the mapping of 0x%llx bytes at 0x%llx is not in one range",
			(unsigned long long)mapping->size, (unsigned long long)mapping->paddr);
	if (mapping->size - 1 > UINT64_MAX - mapping->vaddr)
		return core_fail(core, "the mapping at 0x%llx reaches over the last address",
			(unsigned long long)mapping->vaddr);
	return 0;
}

static int check_cover(struct core *core)
{
	const struct core_plan *plan = core->plan;
	struct ranges mapped;
	int result = 0;

	ranges_init(&mapped);
	if (core_mapped_memory(plan->mappings, plan->mapping_count, &mapped))
		result = core_no_memory(core);
	for (size_t i = 0; i < plan->memory->count && !result; i++) {
		const struct range *range = &plan->memory->items[i];

		if (!ranges_contain(&mapped, range->start, range->size))
			result = core_fail(core, "memory at 0x%llx is in part in no mapping",
				(unsigned long long)range->start);
	}
	ranges_deinit(&mapped);
	return result;
}

static int check_mappings(struct core *core)
{
	const struct core_plan *plan = core->plan;

	if (plan->mapping_count > CORE_MAPPINGS_MAX)
		return core_fail(core,
			"%zu mappings are more than the %d that an ELF core can have",
			plan->mapping_count, CORE_MAPPINGS_MAX);
	for (size_t i = 0; i < plan->mapping_count; i++)
		if (check_mapping(core, &plan->mappings[i]))
			return -1;
	return check_cover(core);
}

static int write_headers(struct core *core)
{
	const struct elf_layout *layout = &elf_of(core)->layout;
	uint8_t *headers = elf_headers(layout, core->plan);
	int result;

	if (!headers)
		return core_no_memory(core);
	result = core_append(core, headers, (size_t)layout->notes);
	free(headers);
	return result;
}

static int elf_begin(struct core *core)
{
	struct elf_layout *layout = &elf_of(core)->layout;
	const struct notes *notes = core->plan->notes;

	if (check_mappings(core))
		return -1;
	if (elf_layout_init(layout, core->plan))
		return core_no_memory(core);
	return write_headers(core) ? -1 : core_append(core, notes->bytes, notes->size);
}

/*
 * Stretches without zeros are appended; what lies between them, be it pages of zeros or that are
 * not kept, the room for late notes or alignment, is one hole by the time that the next of them
 * comes. That pages of zeros have no PT_LOADs that say so, with p_memsz alone, has its reason: they
 * are known when the headers are written already, and as holes they cost nothing on a disk.
 */
static int elf_put(struct core *core, const struct core_piece *piece)
{
	uint64_t start = elf_layout_offset(&elf_of(core)->layout, core->plan, piece->paddr);
	size_t at = 0, end = 0;

	for (size_t i = 0; i < piece->page_count; i++) {
		size_t length = core_page_length(core, piece, piece->paddr + end);
		bool last = i + 1 == piece->page_count;

		end += length;
		if (piece->pages[i].size && !last && piece->pages[i + 1].size)
			continue;
		if (piece->pages[i].size && (core_fill_to(core, start + at) ||
						    core_append(core, piece->bytes + at, end - at)))
			return -1;
		at = end;
	}
	return 0;
}

static int elf_finish(struct core *core, const struct notes *late)
{
	const struct elf_layout *layout = &elf_of(core)->layout;
	const struct notes *notes = core->plan->notes;
	uint8_t phdr[ELF_HEADER_MAX];

	if (core_fill_to(core, elf_layout_size(core->plan)))
		return -1;
	if (!late)
		return 0;
	elf_note_header(layout, phdr, notes->size + late->size);
	if (core_replace(core, layout->notes + notes->size, late->bytes, late->size))
		return -1;
	return core_replace(core, elf_note_header_offset(layout), phdr, layout->class->phdr_size);
}

static void elf_deinit(struct core *core)
{
	elf_layout_deinit(&elf_of(core)->layout);
}

static const struct core_operations elf_operations = {
	.size = sizeof(struct elf_core),
	.begin = elf_begin,
	.put = elf_put,
	.finish = elf_finish,
	.deinit = elf_deinit,
	.expected_size = elf_layout_size,
};

const struct core_format elf_format = {
	.name = "elf",
	.title = "ELF core",
	.by_ranges = true,
	.operations = &elf_operations,
};
