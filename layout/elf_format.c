// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/elf_format.h"

#include <assert.h>

static_assert(sizeof(Elf32_Ehdr) == 52 && sizeof(Elf64_Ehdr) == 64, "ELF gABI");
static_assert(sizeof(Elf32_Phdr) == 32 && sizeof(Elf64_Phdr) == 56, "ELF gABI");
static_assert(sizeof(Elf32_Shdr) == 40 && sizeof(Elf64_Shdr) == 64, "ELF gABI");

/* clang-format off */
#define CLASS(n) { \
	.ident = ELFCLASS##n, \
	.bits = n, \
	.max = UINT##n##_MAX, \
	.ehdr_size = sizeof(Elf##n##_Ehdr), \
	FIELD(Elf##n##_Ehdr, e_type), \
	FIELD(Elf##n##_Ehdr, e_machine), \
	FIELD(Elf##n##_Ehdr, e_version), \
	FIELD(Elf##n##_Ehdr, e_phoff), \
	FIELD(Elf##n##_Ehdr, e_shoff), \
	FIELD(Elf##n##_Ehdr, e_ehsize), \
	FIELD(Elf##n##_Ehdr, e_phentsize), \
	FIELD(Elf##n##_Ehdr, e_phnum), \
	FIELD(Elf##n##_Ehdr, e_shentsize), \
	FIELD(Elf##n##_Ehdr, e_shnum), \
	.phdr_size = sizeof(Elf##n##_Phdr), \
	FIELD(Elf##n##_Phdr, p_type), \
	FIELD(Elf##n##_Phdr, p_offset), \
	FIELD(Elf##n##_Phdr, p_vaddr), \
	FIELD(Elf##n##_Phdr, p_paddr), \
	FIELD(Elf##n##_Phdr, p_filesz), \
	FIELD(Elf##n##_Phdr, p_memsz), \
	.shdr_size = sizeof(Elf##n##_Shdr), \
	FIELD(Elf##n##_Shdr, sh_info), \
}
/* clang-format on */

const struct elf_class elf_class_32 = CLASS(32);
const struct elf_class elf_class_64 = CLASS(64);
