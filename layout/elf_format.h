/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The headers of ELF files as data: where each field lies in either class. Writer and reader go
 * through these tables, so that neither knows a class or a byte order.
 */
#ifndef LAYOUT_ELF_FORMAT_H
#define LAYOUT_ELF_FORMAT_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/bytes.h"

struct elf_field {
	uint8_t offset, size; /* size is 2, 4 or 8 */
};

struct elf_class {
	unsigned char ident; /* ELFCLASS32 or ELFCLASS64 */
	unsigned bits;
	uint64_t max; /* the largest offset, address or size that its headers can tell */

	size_t ehdr_size;
	struct elf_field e_type, e_machine, e_version, e_phoff, e_shoff;
	struct elf_field e_ehsize, e_phentsize, e_phnum, e_shentsize;

	size_t phdr_size;
	struct elf_field p_type, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz;

	size_t shdr_size;
	struct elf_field sh_info;
};

extern const struct elf_class elf_class_32, elf_class_64;

/* The largest header of a class. */
enum { ELF_HEADER_MAX = sizeof(Elf64_Ehdr) };

/* A field of the header that begins at header. */
uint64_t elf_get(const uint8_t *header, struct elf_field field, enum byte_order order);
void elf_put(uint8_t *header, struct elf_field field, uint64_t value, enum byte_order order);

#endif
