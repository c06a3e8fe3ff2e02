// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reader of cores, over files that are put together here field by field, in either class and
 * byte order, as our writer, QEMU, the kernel and nobody at all would write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "arch/notes.h"
#include "layout/core_file.h"
#include "layout/elf_format.h"
#include "tests/unit/failing.h"
#include "tests/unit/memory_sink.h"
#include "tests/unit/pieces.h"

static const char vmcoreinfo_text[] = "OSRELEASE=6.1.0-toy\n"
				      "PAGESIZE=4096\n"
				      "SYMBOL(swapper_pg_dir)=ffffffff81c10000\n";

/* A file in memory that counts what is read of it. */
struct bytes {
	uint8_t *data;
	size_t size;
	unsigned reads, fail_at;
	size_t largest;
};

struct fixture {
	struct bytes bytes;
	struct core_source source;
	struct core_file file;
	struct error error;
};

static int read_bytes(void *ctx, uint64_t offset, void *buf, size_t size)
{
	struct bytes *bytes = ctx;

	if (++bytes->reads == bytes->fail_at)
		return -1;
	if (size > bytes->largest)
		bytes->largest = size;
	if (offset > bytes->size || size > bytes->size - offset)
		return -1;
	memcpy(buf, bytes->data + offset, size);
	return 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->source = (struct core_source){ .read_at = read_bytes, .ctx = &f->bytes };
	core_file_init(&f->file);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	core_file_deinit(&f->file);
	free(f->bytes.data);
	free(f);
	return 0;
}

static void resize(struct fixture *f, size_t size)
{
	uint8_t *data = calloc(1, size ? size : 1);

	assert_non_null(data);
	if (f->bytes.data)
		memcpy(data, f->bytes.data, size < f->bytes.size ? size : f->bytes.size);
	free(f->bytes.data);
	f->bytes.data = data;
	f->bytes.size = size;
}

static int read_core(struct fixture *f)
{
	core_file_deinit(&f->file);
	f->bytes.reads = 0;
	f->bytes.largest = 0;
	f->source.size = f->bytes.size;
	f->error.text[0] = '\0';
	return core_file_read(&f->file, &f->source, &f->error);
}

static void refused(struct fixture *f, const char *text)
{
	assert_int_equal(read_core(f), -1);
	assert_string_equal(f->error.text, text);
}

/* What to build: count program headers at phoff in a file of size bytes. */
struct build {
	const struct elf_class *class;
	enum byte_order order;
	uint16_t machine;
	size_t phoff;
	size_t count;
	size_t size;
};

static const struct build x86_64 = {
	.class = &elf_class_64,
	.order = LITTLE,
	.machine = EM_X86_64,
	.phoff = 64,
	.count = 3,
	.size = 0x4000,
};

static void start(struct fixture *f, const struct build *b)
{
	const struct elf_class *class = b->class;
	uint8_t *ehdr;

	free(f->bytes.data);
	f->bytes = (struct bytes){ 0 };
	resize(f, b->size);
	ehdr = f->bytes.data;
	memcpy(ehdr, "\177ELF", 4);
	ehdr[EI_CLASS] = class->ident;
	ehdr[EI_DATA] = b->order == BIG ? 2 : 1;
	ehdr[EI_VERSION] = 1;
	field_put(ehdr, class->e_type, ET_CORE, b->order);
	field_put(ehdr, class->e_machine, b->machine, b->order);
	field_put(ehdr, class->e_phoff, b->phoff, b->order);
	field_put(ehdr, class->e_phentsize, class->phdr_size, b->order);
	field_put(ehdr, class->e_phnum, b->count, b->order);
}

static void header(struct fixture *f, const struct build *b, size_t nth, uint32_t type,
	uint64_t offset, uint64_t vaddr, uint64_t paddr, uint64_t filesz, uint64_t memsz)
{
	const struct elf_class *class = b->class;
	uint8_t *phdr = f->bytes.data + b->phoff + nth * class->phdr_size;

	assert_in_range(b->phoff + (nth + 1) * class->phdr_size, 0, f->bytes.size);
	field_put(phdr, class->p_type, type, b->order);
	field_put(phdr, class->p_offset, offset, b->order);
	field_put(phdr, class->p_vaddr, vaddr, b->order);
	field_put(phdr, class->p_paddr, paddr, b->order);
	field_put(phdr, class->p_filesz, filesz, b->order);
	field_put(phdr, class->p_memsz, memsz, b->order);
}

/* Puts the notes at offset, and the nth program header for them. */
static void put_notes(struct fixture *f, const struct build *b, size_t nth, uint64_t offset,
	const struct notes *notes)
{
	assert_in_range(offset + notes->size, 0, f->bytes.size);
	memcpy(f->bytes.data + offset, notes->bytes, notes->size);
	header(f, b, nth, PT_NOTE, offset, 0, 0, notes->size, notes->size);
}

static void make_notes(struct notes *notes, enum byte_order order)
{
	notes_init(notes, order);
	notes_append(notes, "CORE", NT_PRSTATUS, "pr", 2);
	notes_append(notes, "CORE", NT_PRFPREG, "fp", 2);
	notes_append(notes, "CORE", NT_PRSTATUS, "pr", 2);
	notes_append(notes, "LINUX", NT_PRSTATUS, "no", 2);
	notes_append(notes, "QEMU", 0, "state", 5);
	notes_append(notes, "VMCOREINFO", 0, vmcoreinfo_text, sizeof(vmcoreinfo_text) - 1);
	assert_false(notes->failed);
}

/* Notes, and two pieces of memory that are mapped at other addresses too. */
static void check_simple(struct fixture *f, const struct build *b)
{
	struct notes notes;

	start(f, b);
	make_notes(&notes, b->order);
	put_notes(f, b, 0, 0x400, &notes);
	notes_deinit(&notes);
	header(f, b, 1, PT_LOAD, 0x1000, 0xc0001000, 0x1000, 0x2000, 0x2000);
	header(f, b, 2, PT_LOAD, 0x3000, 0x8000, 0x8000, 0x1000, 0x1000);

	assert_int_equal(read_core(f), 0);
	assert_string_equal(f->file.format, "elf");
	assert_int_equal(f->file.bits, b->class->bits);
	assert_int_equal(f->file.order, b->order);
	assert_int_equal(f->file.machine, b->machine);
	assert_int_equal(f->file.cpus, 2);
	assert_true(f->file.qemu_notes);
	assert_int_equal(f->file.memory.count, 2);
	assert_int_equal(f->file.memory.items[0].start, 0x1000);
	assert_int_equal(f->file.memory.items[0].size, 0x2000);
	assert_int_equal(f->file.memory.items[1].start, 0x8000);
	assert_int_equal(f->file.memory.items[1].size, 0x1000);
	assert_int_equal(f->file.mapping_count, 2);
	assert_int_equal(f->file.mappings[0].vaddr, 0xc0001000);
	assert_int_equal(f->file.mappings[0].paddr, 0x1000);
	assert_int_equal(f->file.mappings[0].size, 0x2000);
	assert_int_equal(f->file.mappings[1].vaddr, 0x8000);
	assert_true(f->file.virtual_addresses);
	assert_true(f->file.complete);
	assert_string_equal(f->file.vmcoreinfo.text, vmcoreinfo_text);
	assert_int_equal(f->file.vmcoreinfo.size, sizeof(vmcoreinfo_text) - 1);
	assert_string_equal(f->file.vmcoreinfo.release, "6.1.0-toy");
	assert_int_equal(f->file.vmcoreinfo.paddr, VMCOREINFO_NOWHERE);
}

static void test_either_class_and_order(void **state)
{
	static const struct elf_class *const classes[] = { &elf_class_32, &elf_class_64 };
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		struct build b = x86_64;

		b.class = classes[i];
		b.phoff = b.class->ehdr_size;
		b.machine = 0xfeed;
		check_simple(f, &b);
		b.order = BIG;
		check_simple(f, &b);
		assert_null(f->file.arch);
	}
}

static void test_arch(void **state)
{
	struct fixture *f = *state;
	struct build b = x86_64;

	check_simple(f, &b);
	assert_non_null(f->file.arch);
	assert_string_equal(f->file.arch->name, "x86_64");
	b.order = BIG;
	check_simple(f, &b);
	assert_null(f->file.arch);
	b = x86_64;
	b.class = &elf_class_32;
	b.phoff = 52;
	check_simple(f, &b);
	assert_null(f->file.arch);
}

/* QEMU since 7.2: e_ehsize is 8, and section headers lie in front of the program headers. */
static void test_qemu(void **state)
{
	struct fixture *f = *state;
	struct build b = x86_64;

	b.phoff = 0xc0;
	b.count = 3;
	check_simple(f, &b);
	memset(f->bytes.data + 64, 0xff, 0xc0 - 64);
	field_put(f->bytes.data, elf_class_64.e_ehsize, 8, LITTLE);
	field_put(f->bytes.data, elf_class_64.e_shoff, 64, LITTLE);
	field_put(f->bytes.data, elf_class_64.e_shentsize, 64, LITTLE);
	assert_int_equal(read_core(f), 0);
	assert_int_equal(f->file.cpus, 2);
	assert_int_equal(f->file.memory.count, 2);
	assert_true(f->file.complete);
	assert_string_equal(f->file.vmcoreinfo.release, "6.1.0-toy");
}

/* Mappings of what is no RAM, and of memory without a physical address, are no memory. */
static void test_mappings_without_memory(void **state)
{
	struct fixture *f = *state;
	struct build b = x86_64;

	b.count = 4;
	start(f, &b);
	header(f, &b, 0, PT_LOAD, UINT64_MAX, 0xffff0000, 0xfee00000, 0, 0x1000);
	header(f, &b, 1, PT_LOAD, 0x1000, 0xffffc000, UINT64_MAX, 0x1000, 0x1000);
	header(f, &b, 2, PT_LOAD, 0x2000, 0x5000, 0x5000, 0x1000, 0x3000);
	header(f, &b, 3, PT_LOAD, 0x2000, 0x9000, 0x9000, 0x1000, 0);
	assert_int_equal(read_core(f), 0);
	assert_int_equal(f->file.mapping_count, 4);
	assert_int_equal(f->file.mappings[1].paddr, UINT64_MAX);
	assert_int_equal(f->file.memory.count, 1);
	assert_int_equal(f->file.memory.items[0].start, 0x5000);
	assert_int_equal(f->file.memory.items[0].size, 0x3000);
	assert_true(f->file.complete);
	assert_int_equal(f->file.cpus, 0);
	assert_false(f->file.qemu_notes);
	assert_null(f->file.vmcoreinfo.text);
}

static void test_no_physical_address_in_32_bits(void **state)
{
	struct fixture *f = *state;
	struct build b = x86_64;

	b.class = &elf_class_32;
	b.phoff = 52;
	b.count = 2;
	start(f, &b);
	header(f, &b, 0, PT_LOAD, 0x1000, 0xc0000000, UINT32_MAX, 0x1000, 0x1000);
	header(f, &b, 1, PT_LOAD, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
	assert_int_equal(read_core(f), 0);
	assert_int_equal(f->file.memory.count, 1);
	assert_int_equal(f->file.memory.items[0].start, 0x1000);
}

static void test_core_of_a_process(void **state)
{
	struct fixture *f = *state;
	struct build b = x86_64;

	b.count = 2;
	start(f, &b);
	header(f, &b, 0, PT_LOAD, 0x1000, 0x400000, 0, 0x1000, 0x1000);
	header(f, &b, 1, PT_LOAD, 0x2000, 0x600000, 0, 0x1000, 0x1000);
	assert_int_equal(read_core(f), 0);
	assert_int_equal(f->file.memory.count, 0);
	assert_int_equal(f->file.mapping_count, 2);
	/* One piece at 0 is a small machine. */
	header(f, &b, 1, PT_NULL, 0, 0, 0, 0, 0);
	assert_int_equal(read_core(f), 0);
	assert_int_equal(f->file.memory.count, 1);
	assert_int_equal(f->file.memory.items[0].size, 0x1000);
}

static void test_identity(void **state)
{
	struct fixture *f = *state;
	struct build b = x86_64;

	b.count = 1;
	start(f, &b);
	header(f, &b, 0, PT_LOAD, 0x1000, 0x1000, 0x1000, 0x3000, 0x3000);
	assert_int_equal(read_core(f), 0);
	assert_false(f->file.virtual_addresses);
}

static void test_truncated(void **state)
{
	struct fixture *f = *state;

	check_simple(f, &x86_64);
	resize(f, 0x3fff);
	assert_int_equal(read_core(f), 0);
	assert_false(f->file.complete);
	assert_int_equal(f->file.memory.count, 2);
	assert_int_equal(f->file.cpus, 2);
	resize(f, 0x800);
	assert_int_equal(read_core(f), 0);
	assert_false(f->file.complete);
	assert_int_equal(f->file.cpus, 2);
	/* Within the second note. */
	resize(f, 0x400 + 24 + 13);
	assert_int_equal(read_core(f), 0);
	assert_int_equal(f->file.cpus, 1);
	assert_false(f->file.qemu_notes);
	resize(f, 64 + 3 * 56);
	assert_int_equal(read_core(f), 0);
	assert_int_equal(f->file.cpus, 0);
	resize(f, 64 + 3 * 56 - 1);
	refused(f, "its program headers are behind the end of the file");
	resize(f, 63);
	refused(f, "the ELF header is behind the end of the file");
	resize(f, 15);
	refused(f, "it is too short for a core");
	resize(f, 0);
	refused(f, "it is too short for a core");
}

static void test_offsets_that_wrap(void **state)
{
	struct fixture *f = *state;
	struct build b = x86_64;

	b.count = 2;
	start(f, &b);
	header(f, &b, 0, PT_LOAD, UINT64_MAX - 0xfff, 0x1000, 0x1000, 0x2000, 0x2000);
	header(f, &b, 1, PT_NOTE, UINT64_MAX - 1, 0, 0, 0x100, 0x100);
	assert_int_equal(read_core(f), 0);
	assert_false(f->file.complete);
	assert_int_equal(f->file.memory.count, 1);
	field_put(f->bytes.data, elf_class_64.e_phoff, UINT64_MAX - 1, LITTLE);
	refused(f, "its program headers are behind the end of the file");
}

static void test_memory_beyond_all_addresses(void **state)
{
	struct fixture *f = *state;
	struct build b = x86_64;

	b.count = 1;
	start(f, &b);
	header(f, &b, 0, PT_LOAD, 0x1000, 0, UINT64_C(1) << 60, 1, 1);
	refused(f, "it has 0x1 bytes of memory at 0x1000000000000000");
	header(f, &b, 0, PT_LOAD, 0x1000, 0, 0x1000, 1, UINT64_MAX);
	refused(f, "it has 0xffffffffffffffff bytes of memory at 0x1000");
	header(f, &b, 0, PT_LOAD, 0x1000, 0, (UINT64_C(1) << 60) - 1, 1, 1);
	assert_int_equal(read_core(f), 0);
}

static void test_notes_of_several_headers(void **state)
{
	struct fixture *f = *state;
	struct notes notes;

	start(f, &x86_64);
	for (size_t i = 0; i < 3; i++) {
		make_notes(&notes, LITTLE);
		put_notes(f, &x86_64, i, 0x400 * (i + 1), &notes);
		notes_deinit(&notes);
	}
	assert_int_equal(read_core(f), 0);
	assert_int_equal(f->file.cpus, 6);
}

/* A note whose VMCOREINFO is not whole counts as none; the first that is whole stays. */
static void test_vmcoreinfo_notes(void **state)
{
	static const char later[] = "OSRELEASE=7.0\nPAGESIZE=4096\nSYMBOL(_stext)=1\n";
	struct build b = x86_64;
	struct fixture *f = *state;
	struct notes notes;

	b.count = 1;
	start(f, &b);
	notes_init(&notes, LITTLE);
	notes_append(&notes, "VMCOREINFO", 0, NULL, 0);
	notes_append(&notes, "VMCOREINFO", 0, "OSRELEASE=6.1\n", 14);
	notes_append(&notes, "VMCOREINFO_XEN", 0, later, sizeof(later) - 1);
	put_notes(f, &b, 0, 0x400, &notes);
	assert_int_equal(read_core(f), 0);
	assert_null(f->file.vmcoreinfo.text);
	notes_append(&notes, "VMCOREINFO", 0, vmcoreinfo_text, sizeof(vmcoreinfo_text) - 1);
	notes_append(&notes, "VMCOREINFO", 0, later, sizeof(later) - 1);
	put_notes(f, &b, 0, 0x400, &notes);
	assert_int_equal(read_core(f), 0);
	assert_string_equal(f->file.vmcoreinfo.release, "6.1.0-toy");
	notes_deinit(&notes);
}

static void test_too_many_notes(void **state)
{
	struct fixture *f = *state;
	struct build b = x86_64;

	b.count = 2;
	start(f, &b);
	header(f, &b, 0, PT_NOTE, 0x400, 0, 0, 64 << 20, 64 << 20);
	header(f, &b, 1, PT_NOTE, 0x400, 0, 0, 0, 0);
	assert_int_equal(read_core(f), 0);
	assert_false(f->file.complete);
	header(f, &b, 1, PT_NOTE, 0x400, 0, 0, 1, 1);
	refused(f, "its notes are larger than 67108864 bytes");
	header(f, &b, 0, PT_NOTE, 0x400, 0, 0, UINT64_MAX, 0);
	refused(f, "its notes are larger than 67108864 bytes");
}

/* 70000 program headers, more than e_phnum can tell. */
static void check_extended(struct fixture *f, struct build b, size_t shoff)
{
	const struct elf_class *class = b.class;
	const size_t count = 70000;

	b.count = PN_XNUM;
	b.phoff = shoff == class->ehdr_size ? shoff + class->shdr_size : class->ehdr_size;
	b.size = b.phoff + count * class->phdr_size + class->shdr_size;
	start(f, &b);
	if (!shoff)
		shoff = b.size - class->shdr_size;
	field_put(f->bytes.data, class->e_shoff, shoff, b.order);
	field_put(f->bytes.data, class->e_shentsize, class->shdr_size, b.order);
	field_put(f->bytes.data + shoff, class->sh_info, count, b.order);
	/* In descending order, every second page of the first 560 MB, and 2000 of them twice. */
	for (size_t i = 0; i < count; i++)
		header(f, &b, i, PT_LOAD, 0x1000, i << 12, (69999 - i) % 65536 * 0x2000, 1, 0x1000);
	assert_int_equal(read_core(f), 0);
	assert_int_equal(f->file.mapping_count, 70000);
	assert_int_equal(f->file.mappings[69999].vaddr, 69999 << 12);
	assert_int_equal(f->file.memory.count, 65536);
	assert_int_equal(f->file.memory.items[65535].start, 65535 * 0x2000);
	assert_in_range(f->bytes.largest, 1, 65536);
}

static void test_extended_numbering(void **state)
{
	struct fixture *f = *state;
	struct build b = x86_64;

	check_extended(f, b, 0);
	check_extended(f, b, 64);
	b.order = BIG;
	check_extended(f, b, 0);
	b.class = &elf_class_32;
	check_extended(f, b, 0);
	check_extended(f, b, 52);
}

static void test_bad_extended_numbering(void **state)
{
	struct fixture *f = *state;
	struct build b = x86_64;
	uint8_t *ehdr;

	b.count = PN_XNUM;
	start(f, &b);
	ehdr = f->bytes.data;
	field_put(ehdr, elf_class_64.e_shentsize, 64, LITTLE);
	refused(f, "the number of program headers is nowhere");
	field_put(ehdr, elf_class_64.e_shoff, 64, LITTLE);
	refused(f, "it has no program headers");
	field_put(ehdr, elf_class_64.e_shentsize, 40, LITTLE);
	refused(f, "the number of program headers is nowhere");
	field_put(ehdr, elf_class_64.e_shentsize, 64, LITTLE);
	field_put(ehdr + 64, elf_class_64.sh_info, (1 << 20) + 1, LITTLE);
	refused(f, "1048577 program headers are more than 1048576");
	field_put(ehdr + 64, elf_class_64.sh_info, 1 << 20, LITTLE);
	refused(f, "its program headers are behind the end of the file");
	field_put(ehdr, elf_class_64.e_shoff, 0x4000 - 63, LITTLE);
	refused(f, "the section header is behind the end of the file");
	field_put(ehdr, elf_class_64.e_shoff, UINT64_MAX, LITTLE);
	refused(f, "the section header is behind the end of the file");
}

static void test_more_ranges_than_there_may_be(void **state)
{
	struct fixture *f = *state;
	struct build b = x86_64;

	b.count = PN_XNUM;
	b.phoff = 128;
	b.size = 128 + 65537 * 56;
	start(f, &b);
	field_put(f->bytes.data, elf_class_64.e_shoff, 64, LITTLE);
	field_put(f->bytes.data, elf_class_64.e_shentsize, 64, LITTLE);
	field_put(f->bytes.data + 64, elf_class_64.sh_info, 65537, LITTLE);
	for (size_t i = 0; i < 65537; i++)
		header(f, &b, i, PT_LOAD, 0x1000, 0, i * 0x2000, 1, 0x1000);
	refused(f, "its memory is in more than 65536 pieces");
}

static void test_no_cores(void **state)
{
	struct fixture *f = *state;
	uint8_t *ehdr;

	start(f, &x86_64);
	ehdr = f->bytes.data;
	field_put(ehdr, elf_class_64.e_type, ET_EXEC, LITTLE);
	refused(f, "it is an ELF file but no core");
	start(f, &x86_64);
	ehdr = f->bytes.data;
	field_put(ehdr, elf_class_64.e_phentsize, 32, LITTLE);
	refused(f, "its program headers have an odd size");
	field_put(ehdr, elf_class_64.e_phentsize, 56, LITTLE);
	field_put(ehdr, elf_class_64.e_phnum, 0, LITTLE);
	refused(f, "it has no program headers");
	ehdr[EI_CLASS] = 3;
	refused(f, "its ELF class is 3");
	ehdr[EI_CLASS] = 0;
	refused(f, "its ELF class is 0");
	ehdr[EI_CLASS] = 2;
	ehdr[EI_DATA] = 0;
	refused(f, "its ELF byte order is 0");
	ehdr[EI_DATA] = 3;
	refused(f, "its ELF byte order is 3");
	ehdr[0] = 'K';
	refused(f, "it is no core of a format that is known");
}

/* Every read fails in turn. */
static void test_failing_reads(void **state)
{
	static const char *const texts[] = {
		"it cannot be read",
		"the ELF header cannot be read",
		"the ELF header cannot be read",
		"a program header cannot be read",
		"a note cannot be read",
	};
	struct fixture *f = *state;

	check_simple(f, &x86_64);
	assert_int_equal(f->bytes.reads, 5);
	for (unsigned n = 1; n <= 5; n++) {
		f->bytes.fail_at = n;
		refused(f, texts[n - 1]);
	}
}

/* Bytes of the headers and notes that are changed in a fixed, wild order do no harm. */
static void test_changed_bytes(void **state)
{
	struct fixture *f = *state;
	uint32_t random = 1;

	for (unsigned turn = 0; turn < 3000; turn++) {
		check_simple(f, &x86_64);
		for (unsigned i = 0; i < 1 + turn % 8; i++) {
			random = random * 1664525 + 1013904223;
			f->bytes.data[4 + (random >> 16) % 0x500] = (uint8_t)(random >>
									      (random & 8));
		}
		if (read_core(f))
			assert_string_not_equal(f->error.text, "");
	}
}

/* What our own writer makes is read back as it was planned. */
static void test_round_trip(void **state)
{
	static const struct arch toy32 = {
		.name = "toy32",
		.elf_machine = 0x4321,
		.elf_class = ELFCLASS32,
		.order = BIG,
		.page_shift = 12,
	};
	static const struct core_mapping mappings[] = {
		{ .vaddr = 0, .paddr = 0, .size = 0x9fc00 },
		{ .vaddr = 0xc0100000, .paddr = 0x100000, .size = 0x2000 },
	};
	struct fixture *f = *state;
	struct ranges memory;
	struct notes notes, late;
	struct core_plan plan = {
		.arch = &toy32,
		.memory = &memory,
		.mappings = mappings,
		.mapping_count = 2,
		.notes = &notes,
		.late_note_room = 4096,
	};
	struct memory_sink sink;
	struct core *core;
	uint8_t *zeros = calloc(1, 0x9fc00);

	ranges_init(&memory);
	assert_int_equal(ranges_add(&memory, 0, 0x9fc00), 0);
	assert_int_equal(ranges_add(&memory, 0x100000, 0x2000), 0);
	notes_init(&notes, BIG);
	notes_append(&notes, "CORE", NT_PRSTATUS, "pr", 2);
	notes_init(&late, BIG);
	notes_append(&late, "VMCOREINFO", 0, vmcoreinfo_text, sizeof(vmcoreinfo_text) - 1);
	memory_sink_init(&sink, true);
	core = core_create(core_format_find("elf"), &plan, &sink.sink);
	assert_int_equal(put_memory(core, 0, zeros, 0x9fc00), 0);
	assert_int_equal(put_memory(core, 0x100000, zeros, 0x2000), 0);
	assert_int_equal(core_finish(core, &late), 0);
	core_destroy(core);

	resize(f, sink.size);
	memcpy(f->bytes.data, sink.bytes, sink.size);
	assert_int_equal(read_core(f), 0);
	assert_int_equal(f->file.bits, 32);
	assert_int_equal(f->file.order, BIG);
	assert_int_equal(f->file.machine, 0x4321);
	assert_int_equal(f->file.cpus, 1);
	assert_true(f->file.complete);
	assert_true(f->file.virtual_addresses);
	assert_int_equal(f->file.memory.count, 2);
	assert_memory_equal(f->file.memory.items, memory.items, 2 * sizeof(struct range));
	assert_int_equal(f->file.mapping_count, 2);
	assert_memory_equal(f->file.mappings, mappings, sizeof(mappings));
	assert_string_equal(f->file.vmcoreinfo.text, vmcoreinfo_text);

	memory_sink_deinit(&sink);
	notes_deinit(&notes);
	notes_deinit(&late);
	ranges_deinit(&memory);
	free(zeros);
}

static void test_no_memory(void **state)
{
	struct fixture *f = *state;
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	check_simple(f, &x86_64);
	core_file_deinit(&f->file);
	while (failing_next(&failing)) {
		failing_check(&failing, read_core(f), f->error.text);
		core_file_deinit(&f->file);
	}
	/* Two lists of mappings, the notes, VMCOREINFO, what is mapped and its ranges. */
	assert_int_equal(failing.nth, 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_either_class_and_order),
		TEST(test_arch),
		TEST(test_qemu),
		TEST(test_mappings_without_memory),
		TEST(test_no_physical_address_in_32_bits),
		TEST(test_core_of_a_process),
		TEST(test_identity),
		TEST(test_truncated),
		TEST(test_offsets_that_wrap),
		TEST(test_memory_beyond_all_addresses),
		TEST(test_notes_of_several_headers),
		TEST(test_vmcoreinfo_notes),
		TEST(test_too_many_notes),
		TEST(test_extended_numbering),
		TEST(test_bad_extended_numbering),
		TEST(test_more_ranges_than_there_may_be),
		TEST(test_no_cores),
		TEST(test_failing_reads),
		TEST(test_changed_bytes),
		TEST(test_round_trip),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
