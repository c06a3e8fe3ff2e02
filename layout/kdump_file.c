// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/kdump_file.h"

#include <string.h>

#include "arch/arch.h"
#include "layout/kdump_format.h"
#include "layout/zero.h"

enum {
	BITMAP_AT_ONCE = 64 << 10, /* bytes */
	DESCRIPTORS_AT_ONCE = 1024,
	BLOCK_MIN = 4096,
	BLOCK_MAX = 64 << 10,
	VERSION_WITH_NOTES = 4,
};

#define BITMAP_MAX ((UINT64_C(1) << KDUMP_PFN_BITS_MAX) / 8) /* bytes */

struct kdump_file {
	struct core_file *file;
	const struct core_source *source;
	const struct kdump_form *form;
	uint8_t header[KDUMP_HEADER_MAX];
	uint64_t block, sub_blocks, bitmap_blocks, version;
	uint64_t start; /* address that page frames are counted from */
	struct error *error;
};

static uint64_t get(const struct kdump_file *kdump, const uint8_t *header, struct field field)
{
	return field_get(header, field, kdump->file->order);
}

/*
 * Nothing in the header says of what form it is but that its fields then make sense, which is how
 * libkdumpfile tells, too.
 */
static bool makes_sense(struct kdump_file *kdump, const struct kdump_form *form)
{
	kdump->version = get(kdump, kdump->header, form->header_version);
	kdump->block = get(kdump, kdump->header, form->block_size);
	kdump->sub_blocks = get(kdump, kdump->header, form->sub_hdr_size);
	kdump->bitmap_blocks = get(kdump, kdump->header, form->bitmap_blocks);
	return kdump->version >= 1 && kdump->version <= KDUMP_VERSION &&
	       kdump->block >= BLOCK_MIN && kdump->block <= BLOCK_MAX &&
	       (kdump->block & (kdump->block - 1)) == 0 && kdump->sub_blocks &&
	       kdump->bitmap_blocks && get(kdump, kdump->header, form->nr_cpus);
}

static int find_form(struct kdump_file *kdump)
{
	static const struct kdump_form *const forms[] = { &kdump_form_64, &kdump_form_32_packed };
	static const enum byte_order orders[] = { LITTLE, BIG };

	for (size_t i = 0; i < 4; i++) {
		kdump->file->order = orders[i / 2];
		kdump->form = forms[i % 2];
		if (makes_sense(kdump, kdump->form))
			return 0;
	}
	return error_set(kdump->error, "its header makes no sense");
}

/* The arch that the kernel calls its machine by this name, or one of its size and order. */
static void take_machine(struct kdump_file *kdump)
{
	struct core_file *file = kdump->file;
	char machine[UTSNAME_STRING_SIZE];

	memcpy(machine,
		kdump->header + KDUMP_UTSNAME_OFFSET + KDUMP_UTSNAME_MACHINE * UTSNAME_STRING_SIZE,
		sizeof(machine));
	machine[sizeof(machine) - 1] = '\0';
	file->bits = kdump->form->bits;
	file->arch = arch_find(machine);
	file->machine = file->arch ? file->arch->elf_machine : 0;
}

static void take_format(struct kdump_file *kdump)
{
	uint64_t status = get(kdump, kdump->header, kdump->form->status);

	kdump->file->format = "kdump";
	for (size_t i = 0; core_formats[i]; i++)
		for (size_t j = 0; kdump_compressions[j].codec; j++)
			if (core_formats[i]->codec == kdump_compressions[j].codec &&
				status & kdump_compressions[j].flag)
				kdump->file->format = core_formats[i]->name;
}

/*
 * Both 32-bit forms have the same fields at first. Of the right one the offset of the notes is that
 * behind the sub-header; if it is of none, it is at least within what the header keeps for them.
 */
static const struct kdump_form *find_32_bit_form(
	const struct kdump_file *kdump, const uint8_t *sub_header)
{
	const struct kdump_form *packed = &kdump_form_32_packed, *padded = &kdump_form_32_padded;
	uint64_t notes = get(kdump, sub_header, packed->offset_note);

	if (notes == kdump->block + packed->sub_header_size)
		return packed;
	if (get(kdump, sub_header, padded->offset_note) == kdump->block + padded->sub_header_size)
		return padded;
	return notes > kdump->block + packed->sub_header_size &&
	                       notes <= kdump->block * (1 + kdump->sub_blocks)
	               ? packed
	               : padded;
}

static int read_sub_header(struct kdump_file *kdump, uint8_t header[KDUMP_SUB_HEADER_MAX])
{
	if (core_source_read(kdump->source, "the sub-header", kdump->block, header,
		    KDUMP_SUB_HEADER_MAX, kdump->error))
		return -1;
	if (kdump->form->bits == 32)
		kdump->form = find_32_bit_form(kdump, header);
	return 0;
}

static int read_notes(struct kdump_file *kdump, const uint8_t *sub_header)
{
	if (kdump->version < VERSION_WITH_NOTES)
		return 0;
	return core_file_read_notes(kdump->file, kdump->source,
		get(kdump, sub_header, kdump->form->offset_note),
		get(kdump, sub_header, kdump->form->size_note), kdump->error);
}

/*
 * Of cores of 32-bit Arm, the readers that know the CPU (see kdump_headers.c). QEMU counts from
 * address 0, but has no name of a machine for it.
 */
static void take_start(struct kdump_file *kdump, const uint8_t *sub_header)
{
	const struct arch *arch = kdump->file->arch;
	uint64_t phys_base = get(kdump, sub_header, kdump->form->phys_base);

	if (arch && arch->frames_from_ram_start && kdump->form->bits == 32)
		kdump->start = phys_base - phys_base % kdump->block;
}

/* Adds the run of page frames in front of pfn. */
static int add_frames(struct kdump_file *kdump, struct ranges *memory, uint64_t pfn, uint64_t run)
{
	if (run && memory &&
		ranges_add(memory, kdump->start + (pfn - run) * kdump->block, run * kdump->block))
		return memory->no_memory
		               ? error_no_memory(kdump->error)
		               : error_set(kdump->error, "its memory is in too many pieces");
	return 0;
}

/* Visits the bits of a bitmap: page frames of RAM become memory, those that are held are counted.
 */
static int read_bitmap(struct kdump_file *kdump, uint64_t offset, uint64_t size,
	struct ranges *memory, uint64_t *count)
{
	uint8_t bits[BITMAP_AT_ONCE];
	uint64_t run = 0, pfn = 0;

	for (uint64_t at = 0; at < size; at += sizeof(bits)) {
		size_t part = size - at < sizeof(bits) ? (size_t)(size - at) : sizeof(bits);

		if (core_source_read(
			    kdump->source, "a bitmap", offset + at, bits, part, kdump->error))
			return -1;
		if (!run && is_zero(bits, part)) {
			pfn += part * 8;
			continue;
		}
		for (size_t i = 0; i < part * 8; i++, pfn++) {
			bool set = bits[i / 8] >> i % 8 & 1;

			*count += set;
			run += set;
			if (set || !run)
				continue;
			if (add_frames(kdump, memory, pfn, run))
				return -1;
			run = 0;
		}
	}
	return add_frames(kdump, memory, pfn, run);
}

/*
 * What the last descriptors tell of must be in the file, or it was cut off: all up to one of a page
 * that is not zero, since the page of zeros comes first. Those that were never written are zero.
 */
static int check_end(struct kdump_file *kdump, uint64_t descriptors)
{
	const struct core_source *source = kdump->source;
	struct kdump_descriptor batch[DESCRIPTORS_AT_ONCE];
	uint64_t left = kdump->file->pages_held;
	uint64_t zeros = descriptors + left * sizeof(*batch);
	bool complete = zeros <= source->size, data = false;

	while (left && complete && !data) {
		size_t count = left < DESCRIPTORS_AT_ONCE ? (size_t)left : DESCRIPTORS_AT_ONCE;

		left -= count;
		if (core_source_read(source, "a descriptor", descriptors + left * sizeof(*batch),
			    batch, count * sizeof(*batch), kdump->error))
			return -1;
		for (size_t i = 0; i < count; i++) {
			uint64_t offset = get_u64(batch[i].offset, kdump->file->order);
			uint64_t size = get_u32(batch[i].size, kdump->file->order);

			complete = complete && offset && size && offset <= source->size &&
			           size <= source->size - offset;
			data = data || offset != zeros;
		}
	}
	kdump->file->complete = kdump->file->complete && complete;
	return 0;
}

static int read_memory_map(struct kdump_file *kdump, const uint8_t *sub_header)
{
	struct core_file *file = kdump->file;
	uint64_t bitmaps = kdump->block * (1 + kdump->sub_blocks);
	uint64_t size = kdump->block * kdump->bitmap_blocks;
	uint64_t pfn_end = get(kdump, kdump->header, kdump->form->max_mapnr);
	uint64_t bits = kdump->block * 8;
	bool single;

	if (kdump->version >= KDUMP_VERSION)
		pfn_end = get(kdump, sub_header, kdump->form->max_mapnr_64);
	/* Diskdump's had one bitmap: there are fewer blocks than two of them need. */
	single = kdump->bitmap_blocks / 2 < pfn_end / bits + (pfn_end % bits != 0);
	if (!single)
		size /= 2;
	/* A flattened file may tell of any number of zeros in a few bytes. */
	if (size > BITMAP_MAX)
		return error_set(kdump->error, "its bitmaps are larger than those of any memory");
	if (read_bitmap(kdump, bitmaps, size, &file->memory, &file->page_count))
		return -1;
	if (single)
		file->pages_held = file->page_count;
	else if (read_bitmap(kdump, bitmaps + size, size, NULL, &file->pages_held))
		return -1;
	return check_end(kdump, bitmaps + kdump->block * kdump->bitmap_blocks);
}

int kdump_file_read(struct core_file *file, const struct core_source *source, struct error *error)
{
	struct kdump_file kdump = { .file = file, .source = source, .error = error };
	uint8_t sub_header[KDUMP_SUB_HEADER_MAX];

	if (core_source_read(source, "its header", 0, kdump.header, sizeof(kdump.header), error) ||
		find_form(&kdump) || read_sub_header(&kdump, sub_header))
		return -1;
	file->page_size = kdump.block;
	take_machine(&kdump);
	take_start(&kdump, sub_header);
	take_format(&kdump);
	file->dump_level = (unsigned)get(&kdump, sub_header, kdump.form->dump_level);
	return read_notes(&kdump, sub_header) ? -1 : read_memory_map(&kdump, sub_header);
}
