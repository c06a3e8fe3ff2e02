/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Architectures that do not exist, one for each form that the headers of kdump cores have, and the
 * definition of the format as numbers: offsets as a compiler for such a CPU lays the structs out.
 */
#ifndef TESTS_UNIT_KDUMP_FORMS_H
#define TESTS_UNIT_KDUMP_FORMS_H

#include <elf.h>

#include "arch/arch.h"

static const struct arch toy64 = {
	.name = "toy64",
	.elf_class = ELFCLASS64,
	.order = LITTLE,
	.page_shift = 12,
	.align64 = 8,
};
static const struct arch toy64_big = {
	.name = "toy64_big",
	.elf_class = ELFCLASS64,
	.order = BIG,
	.page_shift = 12,
	.align64 = 8,
};
/* As i386. */
static const struct arch toy32_packed = {
	.name = "toy32_packed",
	.elf_class = ELFCLASS32,
	.order = LITTLE,
	.page_shift = 12,
	.align64 = 4,
};
/* As arm. */
static const struct arch toy32_padded = {
	.name = "toy32_padded",
	.elf_class = ELFCLASS32,
	.order = LITTLE,
	.page_shift = 12,
	.align64 = 8,
};
static const struct arch toy32_big = {
	.name = "toy32_big",
	.elf_class = ELFCLASS32,
	.order = BIG,
	.page_shift = 12,
	.align64 = 8,
};

/* Offsets of fields in the first block and in the second. */
struct kdump_offsets {
	const struct arch *arch;
	unsigned word; /* bytes of a long */

	unsigned status, block_size, sub_hdr_size, bitmap_blocks, max_mapnr, nr_cpus;
	unsigned offset_vmcoreinfo, size_vmcoreinfo, offset_note, size_note, max_mapnr_64;
	unsigned sub_header_size;
};

#define OFFSETS_64                                                                               \
	.word = 8, .status = 0x1a8, .block_size = 0x1ac, .sub_hdr_size = 0x1b0,                  \
	.bitmap_blocks = 0x1b4, .max_mapnr = 0x1b8, .nr_cpus = 0x1cc, .offset_vmcoreinfo = 0x20, \
	.size_vmcoreinfo = 0x28, .offset_note = 0x30, .size_note = 0x38, .max_mapnr_64 = 0x60,   \
	.sub_header_size = 104
#define OFFSETS_32                                                              \
	.word = 4, .status = 0x19c, .block_size = 0x1a0, .sub_hdr_size = 0x1a4, \
	.bitmap_blocks = 0x1a8, .max_mapnr = 0x1ac, .nr_cpus = 0x1c0
#define OFFSETS_32_PACKED                                                                    \
	OFFSETS_32, .offset_vmcoreinfo = 0x14, .size_vmcoreinfo = 0x1c, .offset_note = 0x20, \
		    .size_note = 0x28, .max_mapnr_64 = 0x48, .sub_header_size = 80
#define OFFSETS_32_PADDED                                                                    \
	OFFSETS_32, .offset_vmcoreinfo = 0x18, .size_vmcoreinfo = 0x20, .offset_note = 0x28, \
		    .size_note = 0x30, .max_mapnr_64 = 0x58, .sub_header_size = 96

static const struct kdump_offsets kdump_forms[] = {
	{ .arch = &toy64, OFFSETS_64 },
	{ .arch = &toy64_big, OFFSETS_64 },
	{ .arch = &toy32_packed, OFFSETS_32_PACKED },
	{ .arch = &toy32_padded, OFFSETS_32_PADDED },
	{ .arch = &toy32_big, OFFSETS_32_PADDED },
};

enum { KDUMP_FORMS = sizeof(kdump_forms) / sizeof(*kdump_forms) };

#endif
