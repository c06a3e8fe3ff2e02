/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How an ELF core lies in its file, and the headers that say so:
 *
 *	ELF header | PT_NOTE | PT_LOAD ... | notes | room for late notes | memory, range by range
 *
 * A section header is in front of the notes where it is needed, which is when e_phnum has too few
 * bits for the number of program headers (PN_XNUM, ELF gABI). Of readers, crash takes that in the
 * 64-bit class only, and Volatility not at all.
 *
 * The program headers are right behind the ELF header, because makedumpfile (1.7.2 to 1.7.9)
 * looks there without reading e_phoff; the notes are in front of all memory, because crash reads no
 * further for them. Each range of memory is in the file once, whatever number of PT_LOADs show it.
 * It begins where its address and its offset in the file are equal modulo ELF_BLOCK, so that a page
 * of zeros in the guest is whole blocks of the file, which can be a hole.
 */
#ifndef LAYOUT_ELF_HEADERS_H
#define LAYOUT_ELF_HEADERS_H

#include <stdint.h>

#include "layout/core.h"
#include "layout/elf_format.h"

enum { ELF_BLOCK = 4096 };

struct elf_layout {
	const struct elf_class *class;
	enum byte_order order;
	uint64_t notes;   /* offset in the file */
	uint64_t *ranges; /* offset of each range of the plan */
};

/* Returns 0, or -1 without memory. */
int elf_layout_init(struct elf_layout *layout, const struct core_plan *plan);
void elf_layout_deinit(struct elf_layout *layout);

/* Where the memory at paddr, which is in the plan, lies in the file. */
uint64_t elf_layout_offset(
	const struct elf_layout *layout, const struct core_plan *plan, uint64_t paddr);

/* The size of the file that a core of the plan becomes. */
uint64_t elf_layout_size(const struct core_plan *plan);

/*
 * The bytes in front of the notes, layout->notes of them, to be freed by the caller; NULL without
 * memory. Every mapping lies within a range.
 */
uint8_t *elf_headers(const struct elf_layout *layout, const struct core_plan *plan);

/* The program header of the notes, which all together have size bytes, and where it belongs. */
void elf_note_header(const struct elf_layout *layout, uint8_t *phdr, uint64_t size);
uint64_t elf_note_header_offset(const struct elf_layout *layout);

#endif
