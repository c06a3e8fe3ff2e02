/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The headers of ELF files as data: where each field lies in either class.
 */
#ifndef LAYOUT_ELF_FORMAT_H
#define LAYOUT_ELF_FORMAT_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "layout/field.h"

struct elf_class {
	unsigned char ident; /* ELFCLASS32 or ELFCLASS64 */
	unsigned bits;
	uint64_t max; /* the largest offset, address or size that its headers can tell */

	size_t ehdr_size;
	struct field e_type, e_machine, e_version, e_phoff, e_shoff;
	struct field e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum;

	size_t phdr_size;
	struct field p_type, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz;

	size_t shdr_size;
	struct field sh_info;
};

extern const struct elf_class elf_class_32, elf_class_64;

/* The largest header of a class. */
enum { ELF_HEADER_MAX = sizeof(Elf64_Ehdr) };

#endif
