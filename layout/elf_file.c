// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/elf_file.h"

#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "layout/core_format.h"
#include "layout/elf_format.h"

enum { HEADERS_AT_ONCE = 512 };

struct elf_file {
	struct core_file *file;
	const struct core_source *source;
	const struct elf_class *class;
	uint64_t headers, header_count; /* program headers: offset and number */
	uint64_t notes_size;            /* bytes of notes that were read */
	struct error *error;
};

/* Sets the error and is -1, which static analysis does not know of error_set(). */
#define fail(elf, ...) (error_set((elf)->error, __VA_ARGS__), -1)

static int read_at(struct elf_file *elf, const char *what, uint64_t offset, void *buf, size_t size)
{
	return core_source_read(elf->source, what, offset, buf, size, elf->error);
}

/*
 * Two architectures may share a number and differ in the class. A core of a 32-bit one that has
 * memory above 4 GiB is of the 64-bit class.
 */
static const struct arch *find_arch(uint16_t machine, enum byte_order order, unsigned char class)
{
	const struct arch *found = NULL;

	for (const struct arch *const *arch = arch_all; *arch; arch++) {
		if ((*arch)->elf_machine != machine || (*arch)->order != order)
			continue;
		if ((*arch)->elf_class == class)
			return *arch;
		if ((*arch)->elf_class == ELFCLASS32)
			found = *arch;
	}
	return found;
}

static int read_ident(struct elf_file *elf)
{
	struct core_file *file = elf->file;
	uint8_t ident[EI_NIDENT];

	if (read_at(elf, "the ELF header", 0, ident, sizeof(ident)))
		return -1;
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return fail(elf, "its ELF class is %d", ident[EI_CLASS]);
	if (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB)
		return fail(elf, "its ELF byte order is %d", ident[EI_DATA]);
	elf->class = ident[EI_CLASS] == ELFCLASS32 ? &elf_class_32 : &elf_class_64;
	file->bits = elf->class->bits;
	file->order = ident[EI_DATA] == ELFDATA2MSB ? BIG : LITTLE;
	return 0;
}

/* With PN_XNUM in e_phnum, the number is in the first section header. */
static int read_header_count(struct elf_file *elf, const uint8_t *ehdr)
{
	const struct elf_class *class = elf->class;
	enum byte_order order = elf->file->order;
	uint8_t shdr[ELF_HEADER_MAX];

	elf->header_count = field_get(ehdr, class->e_phnum, order);
	if (elf->header_count == PN_XNUM) {
		uint64_t shoff = field_get(ehdr, class->e_shoff, order);

		if (!shoff || field_get(ehdr, class->e_shentsize, order) != class->shdr_size)
			return fail(elf, "the number of program headers is nowhere");
		if (read_at(elf, "the section header", shoff, shdr, class->shdr_size))
			return -1;
		elf->header_count = field_get(shdr, class->sh_info, order);
	}
	if (!elf->header_count)
		return fail(elf, "it has no program headers");
	if (elf->header_count > CORE_FILE_HEADERS_MAX)
		return fail(elf, "%llu program headers are more than %d",
			(unsigned long long)elf->header_count, CORE_FILE_HEADERS_MAX);
	return 0;
}

/* e_ehsize and e_version are not looked at: QEMU since 7.2 writes 8, VirtualBox a version of 0. */
static int read_elf_header(struct elf_file *elf)
{
	const struct elf_class *class = elf->class;
	struct core_file *file = elf->file;
	uint8_t ehdr[ELF_HEADER_MAX];
	uint64_t table_size;

	if (read_at(elf, "the ELF header", 0, ehdr, class->ehdr_size))
		return -1;
	if (field_get(ehdr, class->e_type, file->order) != ET_CORE)
		return fail(elf, "it is an ELF file but no core");
	if (field_get(ehdr, class->e_phentsize, file->order) != class->phdr_size)
		return fail(elf, "its program headers have an odd size");
	if (read_header_count(elf, ehdr))
		return -1;

	elf->headers = field_get(ehdr, class->e_phoff, file->order);
	table_size = elf->header_count * class->phdr_size;
	if (elf->headers > elf->source->size || table_size > elf->source->size - elf->headers)
		return fail(elf, "its program headers are behind the end of the file");

	file->machine = (uint16_t)field_get(ehdr, class->e_machine, file->order);
	file->arch = find_arch(file->machine, file->order, class->ident);
	return 0;
}

static int read_notes(struct elf_file *elf, uint64_t offset, uint64_t size)
{
	if (size > CORE_NOTES_MAX - elf->notes_size)
		return fail(elf, "its notes are larger than %d bytes", CORE_NOTES_MAX);
	elf->notes_size += size;
	return core_file_read_notes(elf->file, elf->source, offset, size, elf->error);
}

/*
 * Only what is in the file counts as held: QEMU's paging dumps have mappings of memory that is not
 * RAM, with p_offset ~0 and p_filesz 0; p_paddr ~0 is how Linux marks memory that has none.
 */
static bool is_held(const struct elf_file *elf, uint64_t paddr, uint64_t filesz, uint64_t memsz)
{
	return filesz && memsz && paddr != elf->class->max;
}

static int take_load(
	struct elf_file *elf, const uint8_t *phdr, struct core_mapping *held, size_t *held_count)
{
	const struct elf_class *class = elf->class;
	struct core_file *file = elf->file;
	uint64_t offset = field_get(phdr, class->p_offset, file->order);
	uint64_t filesz = field_get(phdr, class->p_filesz, file->order);
	struct core_mapping mapping = {
		.vaddr = field_get(phdr, class->p_vaddr, file->order),
		.paddr = field_get(phdr, class->p_paddr, file->order),
		.size = field_get(phdr, class->p_memsz, file->order),
	};

	file->mappings[file->mapping_count++] = mapping;
	if (mapping.vaddr != mapping.paddr)
		file->virtual_addresses = true;
	if (filesz && (offset > elf->source->size || filesz > elf->source->size - offset))
		file->complete = false;
	if (!is_held(elf, mapping.paddr, filesz, mapping.size))
		return 0;
	if (mapping.paddr > RANGE_ADDRESS_MAX || mapping.size > RANGE_ADDRESS_MAX - mapping.paddr)
		return fail(elf, "it has 0x%llx bytes of memory at 0x%llx",
			(unsigned long long)mapping.size, (unsigned long long)mapping.paddr);
	held[(*held_count)++] = mapping;
	return 0;
}

static int take_header(
	struct elf_file *elf, const uint8_t *phdr, struct core_mapping *held, size_t *held_count)
{
	const struct elf_class *class = elf->class;
	enum byte_order order = elf->file->order;

	switch (field_get(phdr, class->p_type, order)) {
	case PT_NOTE:
		return read_notes(elf, field_get(phdr, class->p_offset, order),
			field_get(phdr, class->p_filesz, order));
	case PT_LOAD:
		return take_load(elf, phdr, held, held_count);
	default:
		return 0;
	}
}

static int read_program_headers(struct elf_file *elf, struct core_mapping *held, size_t *held_count)
{
	uint8_t piece[HEADERS_AT_ONCE * sizeof(Elf64_Phdr)]; /* the larger of the two */
	uint64_t at = elf->headers, left = elf->header_count;

	while (left) {
		size_t count = left < HEADERS_AT_ONCE ? (size_t)left : HEADERS_AT_ONCE;
		size_t size = count * elf->class->phdr_size;

		if (read_at(elf, "a program header", at, piece, size))
			return -1;
		for (size_t i = 0; i < size; i += elf->class->phdr_size)
			if (take_header(elf, piece + i, held, held_count))
				return -1;
		at += size;
		left -= count;
	}
	return 0;
}

/* The core of a process has all its memory at the physical address 0. */
static bool tell_addresses(const struct core_mapping *held, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (held[i].paddr)
			return true;
	return count == 1;
}

static int read_memory_map(struct elf_file *elf)
{
	struct core_mapping *held = calloc(elf->header_count, sizeof(*held));
	size_t held_count = 0;
	int result;

	elf->file->mappings = calloc(elf->header_count, sizeof(*elf->file->mappings));
	if (!held || !elf->file->mappings) {
		free(held);
		return error_no_memory(elf->error);
	}
	result = read_program_headers(elf, held, &held_count);
	if (!result && tell_addresses(held, held_count) &&
		core_mapped_memory(held, held_count, &elf->file->memory))
		result = elf->file->memory.no_memory
		                 ? error_no_memory(elf->error)
		                 : fail(elf, "its memory is in more than %d pieces", RANGES_MAX);
	free(held);
	return result;
}

int elf_file_read(struct core_file *file, const struct core_source *source, struct error *error)
{
	struct elf_file elf = { .file = file, .source = source, .error = error };

	file->format = elf_format.name;
	if (read_ident(&elf) || read_elf_header(&elf))
		return -1;
	return read_memory_map(&elf);
}
