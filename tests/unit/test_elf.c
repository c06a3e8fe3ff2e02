// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ELF writer: its bytes against values worked out by hand from the ELF gABI, for architectures
 * that do not exist.
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
#include "layout/core.h"
#include "layout/elf_format.h"
#include "tests/unit/failing.h"
#include "tests/unit/memory_sink.h"
#include "tests/unit/pieces.h"

static const struct arch toy64 = {
	.name = "toy64",
	.elf_machine = 0x1234,
	.elf_class = ELFCLASS64,
	.order = LITTLE,
	.page_shift = 12,
};
static const struct arch toy64_big = {
	.name = "toy64_big",
	.elf_machine = 0x1234,
	.elf_class = ELFCLASS64,
	.order = BIG,
	.page_shift = 12,
};
static const struct arch toy32 = {
	.name = "toy32",
	.elf_machine = 0x4321,
	.elf_class = ELFCLASS32,
	.order = LITTLE,
	.page_shift = 12,
};
static const struct arch toy32_big = {
	.name = "toy32_big",
	.elf_machine = 0x4321,
	.elf_class = ELFCLASS32,
	.order = BIG,
	.page_shift = 12,
};

enum { MAPPINGS = 8, GUEST = 0x4000 };

struct fixture {
	struct ranges memory;
	struct core_mapping mappings[MAPPINGS];
	struct notes notes, late;
	struct core_plan plan;
	struct memory_sink sink;
	struct core *core;
	uint8_t guest[GUEST]; /* the memory from 0 on that tests write: no byte of it is 0 */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	ranges_init(&f->memory);
	memory_sink_init(&f->sink, true);
	for (size_t i = 0; i < GUEST; i++)
		f->guest[i] = (uint8_t)(1 + i % 251);
	f->plan = (struct core_plan){
		.memory = &f->memory,
		.mappings = f->mappings,
		.notes = &f->notes,
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	core_destroy(f->core);
	ranges_deinit(&f->memory);
	notes_deinit(&f->notes);
	notes_deinit(&f->late);
	memory_sink_deinit(&f->sink);
	free(f);
	return 0;
}

static void map(struct fixture *f, uint64_t vaddr, uint64_t paddr, uint64_t size)
{
	assert_in_range(f->plan.mapping_count, 0, MAPPINGS - 1);
	f->mappings[f->plan.mapping_count++] = (struct core_mapping){
		.vaddr = vaddr, .paddr = paddr, .size = size
	};
}

/* A range that is mapped at its own address. */
static void add(struct fixture *f, uint64_t start, uint64_t size)
{
	assert_int_equal(ranges_add(&f->memory, start, size), 0);
	map(f, start, start, size);
}

/* An architecture, and a note of 24 bytes. */
static void use(struct fixture *f, const struct arch *arch)
{
	f->plan.arch = arch;
	notes_deinit(&f->notes);
	notes_deinit(&f->late);
	notes_init(&f->notes, arch->order);
	notes_init(&f->late, arch->order);
	notes_append(&f->notes, "CORE", 1, "\x11\x22\x33\x44", 4);
}

static void create(struct fixture *f)
{
	core_destroy(f->core);
	f->core = core_create(core_format_find("elf"), &f->plan, &f->sink.sink);
	assert_non_null(f->core);
}

static void fails_with(struct fixture *f, const char *text)
{
	assert_non_null(core_error(f->core));
	assert_string_equal(core_error(f->core), text);
}

/* Writes all ranges out of f->guest, which has to hold them. Returns as core_finish(). */
static int write_all(struct fixture *f, const struct notes *late)
{
	for (size_t i = 0; i < f->memory.count; i++) {
		const struct range *range = &f->memory.items[i];

		assert_in_range(range->start + range->size, 0, GUEST);
		if (put_memory(f->core, range->start, f->guest + range->start, (size_t)range->size))
			return -1;
	}
	return core_finish(f->core, late);
}

/* Field of the nth program header of an output in the order and class given. */
static uint64_t phdr(
	struct fixture *f, const struct elf_class *class, size_t nth, struct field field)
{
	size_t at = class->ehdr_size + nth * class->phdr_size;

	assert_in_range(at + class->phdr_size, 0, f->sink.size);
	return field_get(f->sink.bytes + at, field, f->plan.arch->order);
}

/* Arrays with a field, or a few, a line. */
/* clang-format off */

/* A range of two pages, the second of which is also mapped elsewhere. */
static void test_elf64(void **state)
{
	static const uint8_t expected[] = {
		/* e_ident, e_type, e_machine, e_version */
		0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		4, 0, 0x34, 0x12, 1, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, /* e_entry */
		0x40, 0, 0, 0, 0, 0, 0, 0, /* e_phoff */
		0, 0, 0, 0, 0, 0, 0, 0, /* e_shoff */
		0, 0, 0, 0, 64, 0, 56, 0, 3, 0, /* e_flags, e_ehsize, e_phentsize, e_phnum */
		0, 0, 0, 0, 0, 0, /* e_shentsize, e_shnum, e_shstrndx */

		4, 0, 0, 0, 0, 0, 0, 0, /* PT_NOTE, p_flags */
		0xe8, 0, 0, 0, 0, 0, 0, 0, /* p_offset: 64 + 3 * 56 */
		0, 0, 0, 0, 0, 0, 0, 0, /* p_vaddr */
		0, 0, 0, 0, 0, 0, 0, 0, /* p_paddr */
		24, 0, 0, 0, 0, 0, 0, 0, /* p_filesz */
		24, 0, 0, 0, 0, 0, 0, 0, /* p_memsz */
		0, 0, 0, 0, 0, 0, 0, 0, /* p_align */

		1, 0, 0, 0, 0, 0, 0, 0, /* PT_LOAD */
		0, 0x10, 0, 0, 0, 0, 0, 0,
		0, 0x10, 0, 0, 0, 0, 0, 0,
		0, 0x10, 0, 0, 0, 0, 0, 0,
		0, 0x20, 0, 0, 0, 0, 0, 0,
		0, 0x20, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0,

		1, 0, 0, 0, 0, 0, 0, 0,
		0, 0x20, 0, 0, 0, 0, 0, 0,
		0, 0x20, 0, 0x81, 0xff, 0xff, 0xff, 0xff,
		0, 0x20, 0, 0, 0, 0, 0, 0,
		0, 0x10, 0, 0, 0, 0, 0, 0,
		0, 0x10, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0,

		5, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0,
		'C', 'O', 'R', 'E', 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44,
	};
	struct fixture *f = *state;

	use(f, &toy64);
	add(f, 0x1000, 0x2000);
	map(f, 0xffffffff81002000, 0x2000, 0x1000);
	create(f);
	assert_int_equal(f->sink.size, sizeof(expected));
	assert_memory_equal(f->sink.bytes, expected, sizeof(expected));

	assert_int_equal(write_all(f, NULL), 0);
	assert_memory_equal(f->sink.bytes, expected, sizeof(expected));
	for (size_t i = sizeof(expected); i < 0x1000; i++)
		assert_int_equal(f->sink.bytes[i], 0);
	assert_int_equal(f->sink.size, 0x3000);
	assert_memory_equal(f->sink.bytes + 0x1000, f->guest + 0x1000, 0x2000);
	assert_int_equal(core_expected_size(core_format_find("elf"), &f->plan), 0x3000);
	assert_int_equal(f->sink.rewrites, 0);
}

static void test_elf64_big(void **state)
{
	static const uint8_t expected[] = {
		0x7f, 'E', 'L', 'F', 2, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 4, 0x12, 0x34, 0, 0, 0, 1,
		0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0x40,
		0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 64, 0, 56, 0, 3,
		0, 0, 0, 0, 0, 0,

		0, 0, 0, 4, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0xe8,
		0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 24,
		0, 0, 0, 0, 0, 0, 0, 24,
		0, 0, 0, 0, 0, 0, 0, 0,

		0, 0, 0, 1, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0x10, 0,
		0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0x10, 0,
		0, 0, 0, 0, 0, 0, 0x10, 0,
		0, 0, 0, 0, 0, 0, 0, 0,

		0, 0, 0, 1, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0x20, 0,
		0xc0, 0, 0, 0, 0, 0, 0x30, 0,
		0, 0, 0, 0, 0, 0, 0x30, 0,
		0, 0, 0, 0, 0, 0, 0x10, 0,
		0, 0, 0, 0, 0, 0, 0x10, 0,
		0, 0, 0, 0, 0, 0, 0, 0,

		0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 1,
		'C', 'O', 'R', 'E', 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44,
	};
	struct fixture *f = *state;

	use(f, &toy64_big);
	add(f, 0, 0x1000);
	assert_int_equal(ranges_add(&f->memory, 0x3000, 0x1000), 0);
	map(f, 0xc000000000003000, 0x3000, 0x1000);
	create(f);
	assert_int_equal(write_all(f, NULL), 0);
	assert_int_equal(f->sink.size, 0x3000);
	assert_memory_equal(f->sink.bytes, expected, sizeof(expected));
	assert_memory_equal(f->sink.bytes + 0x1000, f->guest, 0x1000);
	assert_memory_equal(f->sink.bytes + 0x2000, f->guest + 0x3000, 0x1000);
}

static void test_elf32(void **state)
{
	static const uint8_t expected[] = {
		0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		4, 0, 0x21, 0x43, 1, 0, 0, 0,
		0, 0, 0, 0, 52, 0, 0, 0, 0, 0, 0, 0, /* e_entry, e_phoff, e_shoff */
		0, 0, 0, 0, 52, 0, 32, 0, 3, 0, /* e_flags, e_ehsize, e_phentsize, e_phnum */
		0, 0, 0, 0, 0, 0, /* e_shentsize, e_shnum, e_shstrndx */

		4, 0, 0, 0, 0x94, 0, 0, 0, /* PT_NOTE, p_offset: 52 + 3 * 32 */
		0, 0, 0, 0, 0, 0, 0, 0, /* p_vaddr, p_paddr */
		24, 0, 0, 0, 24, 0, 0, 0, /* p_filesz, p_memsz */
		0, 0, 0, 0, 0, 0, 0, 0, /* p_flags, p_align */

		1, 0, 0, 0, 0, 0x10, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0,
		0, 0x30, 0, 0, 0, 0x30, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0,

		1, 0, 0, 0, 0, 0x20, 0, 0,
		0, 0x10, 0, 0xc0, 0, 0x10, 0, 0,
		0, 0x20, 0, 0, 0, 0x20, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0,

		5, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0,
		'C', 'O', 'R', 'E', 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44,
	};
	struct fixture *f = *state;

	use(f, &toy32);
	add(f, 0, 0x3000);
	map(f, 0xc0001000, 0x1000, 0x2000);
	create(f);
	assert_int_equal(write_all(f, NULL), 0);
	assert_int_equal(f->sink.size, 0x4000);
	assert_memory_equal(f->sink.bytes, expected, sizeof(expected));
	assert_memory_equal(f->sink.bytes + 0x1000, f->guest, 0x3000);
}

static void test_elf32_big(void **state)
{
	static const uint8_t expected[] = {
		0x7f, 'E', 'L', 'F', 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 4, 0x43, 0x21, 0, 0, 0, 1,
		0, 0, 0, 0, 0, 0, 0, 52, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 52, 0, 32, 0, 2,
		0, 0, 0, 0, 0, 0,

		0, 0, 0, 4, 0, 0, 0, 0x74,
		0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 24, 0, 0, 0, 24,
		0, 0, 0, 0, 0, 0, 0, 0,

		0, 0, 0, 1, 0, 0, 0x10, 0,
		0, 0, 0x10, 0, 0, 0, 0x10, 0,
		0, 0, 0x30, 0, 0, 0, 0x30, 0,
		0, 0, 0, 0, 0, 0, 0, 0,
	};
	struct fixture *f = *state;

	use(f, &toy32_big);
	add(f, 0x1000, 0x3000);
	create(f);
	assert_int_equal(write_all(f, NULL), 0);
	assert_int_equal(f->sink.size, 0x4000);
	assert_memory_equal(f->sink.bytes, expected, sizeof(expected));
}

/* clang-format on */

/* The class of a 32-bit architecture's core with this memory. */
static unsigned char class_of(struct fixture *f, uint64_t start, uint64_t size)
{
	unsigned char class;

	use(f, &toy32);
	add(f, start, size);
	create(f);
	assert_null(core_error(f->core));
	assert_int_equal(f->sink.size, f->sink.bytes[EI_CLASS] == 1 ? 52 + 64 + 24 : 64 + 112 + 24);
	class = f->sink.bytes[EI_CLASS];
	ranges_deinit(&f->memory);
	f->plan.mapping_count = 0;
	f->sink.size = 0;
	return class;
}

static void test_class_of_32_bit_guests(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(class_of(f, 0, 0x80000000), ELFCLASS32);
	assert_int_equal(class_of(f, 0xfffff000, 0x1000), ELFCLASS32); /* up to 4 GiB */
	assert_int_equal(class_of(f, 0xfffff000, 0x1001), ELFCLASS64);
	assert_int_equal(class_of(f, 0x100000000, 0x1000), ELFCLASS64);
	/* Memory below 4 GiB, but the file would end above; with 0x1000 bytes of headers. */
	assert_int_equal(class_of(f, 0, 0xffffe000), ELFCLASS32);
	assert_int_equal(class_of(f, 0, 0xfffff000), ELFCLASS64);
	assert_int_equal(class_of(f, 0, 0x100000000), ELFCLASS64);
}

static void test_class_for_virtual_addresses(void **state)
{
	struct fixture *f = *state;

	use(f, &toy32);
	add(f, 0, 0x2000);
	map(f, 0xfffff000, 0, 0x1000);
	create(f);
	assert_int_equal(f->sink.bytes[EI_CLASS], ELFCLASS32);
	f->mappings[1].size = 0x1001;
	f->sink.size = 0;
	create(f);
	assert_int_equal(f->sink.bytes[EI_CLASS], ELFCLASS64);
	f->mappings[1] = (struct core_mapping){ .vaddr = 0xfffffffffffff000, .size = 0x1000 };
	f->sink.size = 0;
	create(f);
	assert_int_equal(f->sink.bytes[EI_CLASS], ELFCLASS64);
}

static void test_size_of_a_large_core(void **state)
{
	struct fixture *f = *state;

	use(f, &toy64);
	add(f, 0, 0x80000000);
	add(f, 0x100000000, UINT64_C(1) << 45);
	assert_int_equal(core_expected_size(core_format_find("elf"), &f->plan),
		0x1000 + 0x80000000 + (UINT64_C(1) << 45));
	f->plan.late_note_room = 0x1000;
	assert_int_equal(core_expected_size(core_format_find("elf"), &f->plan),
		0x2000 + 0x80000000 + (UINT64_C(1) << 45));
}

/* A page in the guest is a block in the file, wherever ranges begin and end. */
static void test_odd_boundaries(void **state)
{
	struct fixture *f = *state;

	use(f, &toy64);
	add(f, 0, 0xc00);      /* 0x1000 to 0x1bff in the file */
	add(f, 0x2000, 0x10);  /* 0x2000 */
	add(f, 0x2808, 0x7fa); /* 0x2808: equal modulo 4096, and close enough */
	add(f, 0x3004, 0x8);   /* 0x3004 */
	create(f);
	assert_int_equal(write_all(f, NULL), 0);
	assert_int_equal(phdr(f, &elf_class_64, 1, elf_class_64.p_offset), 0x1000);
	assert_int_equal(phdr(f, &elf_class_64, 2, elf_class_64.p_offset), 0x2000);
	assert_int_equal(phdr(f, &elf_class_64, 3, elf_class_64.p_offset), 0x2808);
	assert_int_equal(phdr(f, &elf_class_64, 4, elf_class_64.p_offset), 0x3004);
	assert_int_equal(phdr(f, &elf_class_64, 4, elf_class_64.p_filesz), 8);
	assert_int_equal(phdr(f, &elf_class_64, 4, elf_class_64.p_memsz), 8);
	assert_int_equal(f->sink.size, 0x300c);
	assert_int_equal(core_expected_size(core_format_find("elf"), &f->plan), 0x300c);
	assert_memory_equal(f->sink.bytes + 0x1000, f->guest, 0xc00);
	for (size_t i = 0x1c00; i < 0x2000; i++)
		assert_int_equal(f->sink.bytes[i], 0);
	assert_memory_equal(f->sink.bytes + 0x2000, f->guest + 0x2000, 0x10);
	assert_memory_equal(f->sink.bytes + 0x2808, f->guest + 0x2808, 0x7fa);
	assert_memory_equal(f->sink.bytes + 0x3004, f->guest + 0x3004, 8);
}

static void test_first_range_within_a_page(void **state)
{
	struct fixture *f = *state;

	use(f, &toy64);
	add(f, 0x1800, 0x2400);
	create(f);
	assert_int_equal(write_all(f, NULL), 0);
	assert_int_equal(phdr(f, &elf_class_64, 1, elf_class_64.p_offset), 0x1800);
	assert_int_equal(f->sink.size, 0x3c00);
	assert_memory_equal(f->sink.bytes + 0x1800, f->guest + 0x1800, 0x2400);
}

static void test_zero_pages_are_holes(void **state)
{
	struct fixture *f = *state;

	use(f, &toy64);
	memset(f->guest, 0, GUEST);
	f->guest[0x2123] = 7;
	add(f, 0, 0x4000);
	create(f);
	assert_int_equal(write_all(f, NULL), 0);
	assert_int_equal(f->sink.size, 0x5000);
	assert_memory_equal(f->sink.bytes + 0x1000, f->guest, 0x4000);
	/* Headers, notes and a page; behind the notes with the first pages, and the last. */
	assert_int_equal(f->sink.writes, 3);
	assert_int_equal(f->sink.zeros, 2);
	assert_int_equal(f->sink.zero_bytes, 0x1000 - (64 + 112 + 24) + 0x3000);
	assert_int_equal(core_zero_bytes(f->core), 0x3000);
}

/* The memory is in the file once, and the order of the PT_LOADs is the plan's. */
static void test_mappings_share_bytes(void **state)
{
	struct fixture *f = *state;

	use(f, &toy64);
	assert_int_equal(ranges_add(&f->memory, 0, 0x4000), 0);
	map(f, 0xffffffff80001000, 0x1000, 0x1000);
	map(f, 0xffff888000002000, 0x2000, 0x2000);
	map(f, 0xffff888000000000, 0, 0x2800);
	create(f);
	assert_int_equal(write_all(f, NULL), 0);
	assert_int_equal(f->sink.size, 0x5000);
	assert_int_equal(phdr(f, &elf_class_64, 1, elf_class_64.p_offset), 0x2000);
	assert_int_equal(phdr(f, &elf_class_64, 1, elf_class_64.p_vaddr), 0xffffffff80001000);
	assert_int_equal(phdr(f, &elf_class_64, 2, elf_class_64.p_offset), 0x3000);
	assert_int_equal(phdr(f, &elf_class_64, 2, elf_class_64.p_vaddr), 0xffff888000002000);
	assert_int_equal(phdr(f, &elf_class_64, 3, elf_class_64.p_offset), 0x1000);
	assert_int_equal(phdr(f, &elf_class_64, 3, elf_class_64.p_memsz), 0x2800);
}

static void test_notes_of_several_pages(void **state)
{
	struct fixture *f = *state;
	uint8_t *desc = calloc(1, 0x3000);

	use(f, &toy64);
	notes_append(&f->notes, "CORE", 1, desc, 0x3000); /* 24 + 20 + 0x3000 bytes in all */
	free(desc);
	add(f, 0, 0x1000);
	create(f);
	assert_int_equal(write_all(f, NULL), 0);
	assert_int_equal(phdr(f, &elf_class_64, 0, elf_class_64.p_offset), 64 + 112);
	assert_int_equal(phdr(f, &elf_class_64, 0, elf_class_64.p_filesz), 0x302c);
	assert_int_equal(phdr(f, &elf_class_64, 1, elf_class_64.p_offset), 0x4000);
	assert_memory_equal(f->sink.bytes + 64 + 112, f->notes.bytes, 0x302c);
}

static void test_late_notes(void **state)
{
	static const uint8_t note[] = { 11, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 'V', 'M', 'C', 'O',
		'R', 'E', 'I', 'N', 'F', 'O', 0, 0, 'a', 'b', 'c', 0 };
	struct fixture *f = *state;

	use(f, &toy64);
	f->plan.late_note_room = 0x1000;
	add(f, 0, 0x1000);
	create(f);
	notes_append(&f->late, "VMCOREINFO", 0, "abc", 3);
	assert_int_equal(f->late.size, sizeof(note));
	assert_int_equal(write_all(f, &f->late), 0);
	assert_int_equal(f->sink.rewrites, 2);
	/* Nothing but the sizes of PT_NOTE has changed. */
	assert_int_equal(phdr(f, &elf_class_64, 0, elf_class_64.p_type), PT_NOTE);
	assert_int_equal(phdr(f, &elf_class_64, 0, elf_class_64.p_offset), 64 + 112);
	assert_int_equal(phdr(f, &elf_class_64, 0, elf_class_64.p_filesz), 24 + 28);
	assert_int_equal(phdr(f, &elf_class_64, 0, elf_class_64.p_memsz), 24 + 28);
	assert_int_equal(phdr(f, &elf_class_64, 1, elf_class_64.p_type), PT_LOAD);
	assert_int_equal(phdr(f, &elf_class_64, 1, elf_class_64.p_offset), 0x2000);
	assert_memory_equal(f->sink.bytes + 64 + 112, f->notes.bytes, 24);
	assert_memory_equal(f->sink.bytes + 64 + 112 + 24, note, sizeof(note));
	for (size_t i = 64 + 112 + 24 + sizeof(note); i < 0x2000; i++)
		assert_int_equal(f->sink.bytes[i], 0);
	assert_memory_equal(f->sink.bytes + 0x2000, f->guest, 0x1000);
	assert_int_equal(f->sink.size, 0x3000);
}

static void test_late_notes_elf32_big(void **state)
{
	static const uint8_t header[] = { 0, 0, 0, 4, 0, 0, 0, 0x74, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 24 + 28, 0, 0, 0, 24 + 28, 0, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t note[] = { 0, 0, 0, 11, 0, 0, 0, 4, 0, 0, 0, 0, 'V', 'M', 'C', 'O',
		'R', 'E', 'I', 'N', 'F', 'O', 0, 0, 'a', 'b', 'c', 'd' };
	struct fixture *f = *state;

	use(f, &toy32_big);
	f->plan.late_note_room = 28;
	add(f, 0, 0x1000);
	create(f);
	notes_append(&f->late, "VMCOREINFO", 0, "abcd", 4);
	assert_int_equal(write_all(f, &f->late), 0);
	assert_memory_equal(f->sink.bytes + 52, header, sizeof(header));
	assert_memory_equal(f->sink.bytes + 52 + 64 + 24, note, sizeof(note));
	assert_int_equal(f->sink.size, 0x2000);
}

static void test_room_that_stays_empty(void **state)
{
	struct fixture *f = *state;

	use(f, &toy64);
	f->plan.late_note_room = 5000;
	add(f, 0, 0x1000);
	create(f);
	assert_int_equal(write_all(f, NULL), 0);
	assert_int_equal(f->sink.rewrites, 0);
	assert_int_equal(phdr(f, &elf_class_64, 0, elf_class_64.p_filesz), 24);
	assert_int_equal(phdr(f, &elf_class_64, 1, elf_class_64.p_offset), 0x2000);
	for (size_t i = 64 + 112 + 24; i < 0x2000; i++)
		assert_int_equal(f->sink.bytes[i], 0);
}

/* Every call of the sink fails in turn, and always what the sink says is what the core says. */
static void test_failing_sink(void **state)
{
	struct fixture *f = *state;
	unsigned calls, failures = 0;

	use(f, &toy64);
	f->plan.late_note_room = 100;
	memset(f->guest + 0x1000, 0, 0x1000);
	add(f, 0, 0x2800);
	add(f, 0x3000, 0x1000);
	notes_append(&f->late, "VMCOREINFO", 0, "abcd", 4);

	create(f);
	assert_int_equal(write_all(f, &f->late), 0);
	calls = f->sink.calls;
	/* headers, notes, room, page, zeros, half a page, alignment, page, late notes, header */
	assert_int_equal(calls, 10);

	for (unsigned n = 1; n <= calls; n++) {
		memory_sink_deinit(&f->sink);
		memory_sink_init(&f->sink, true);
		f->sink.fail_at = n;
		create(f);
		failures += n <= 2 ? core_error(f->core) != NULL : core_error(f->core) == NULL;
		assert_int_equal(write_all(f, &f->late), -1);
		fails_with(f, MEMORY_SINK_ERROR);
		assert_int_equal(f->sink.calls, n);
		assert_int_equal(put_memory(f->core, 0, f->guest, 1), -1);
		assert_int_equal(core_finish(f->core, NULL), -1);
		fails_with(f, MEMORY_SINK_ERROR);
		assert_int_equal(f->sink.calls, n);
	}
	assert_int_equal(failures, calls);
}

static void test_pipe(void **state)
{
	struct fixture *f = *state;

	f->sink.sink.write_at = NULL;
	use(f, &toy64);
	add(f, 0, 0x4000);
	create(f);
	assert_int_equal(write_all(f, NULL), 0);
	assert_int_equal(f->sink.size, 0x5000);
}

static void check_refused(struct fixture *f, const char *text)
{
	create(f);
	fails_with(f, text);
	assert_int_equal(f->sink.calls, 0);
}

static void test_mappings_outside_memory(void **state)
{
	struct fixture *f = *state;

	use(f, &toy64);
	add(f, 0, 0x1000);
	add(f, 0x2000, 0x1000);
	map(f, 0x100000, 0x2800, 0x801);
	check_refused(f, "the mapping of 0x801 bytes at 0x2800 is not in one range");
	f->mappings[2] = (struct core_mapping){ .paddr = 0x800, .size = 0x2000 };
	check_refused(f, "the mapping of 0x2000 bytes at 0x800 is not in one range");
	f->mappings[2] = (struct core_mapping){ .paddr = 0x1fff, .size = 2 };
	check_refused(f, "the mapping of 0x2 bytes at 0x1fff is not in one range");
	f->mappings[2] = (struct core_mapping){ .paddr = 0x2000, .size = UINT64_MAX };
	check_refused(f, "the mapping of 0xffffffffffffffff bytes at 0x2000 is not in one range");
	f->mappings[2] = (struct core_mapping){ .paddr = 0x2000, .size = 0 };
	check_refused(f, "the mapping of 0x0 bytes at 0x2000 is not in one range");
	f->mappings[2] = (struct core_mapping){ .paddr = UINT64_MAX, .size = 1 };
	check_refused(f, "the mapping of 0x1 bytes at 0xffffffffffffffff is not in one range");
}

/* Memory that is left out: PT_LOADs of the addresses alone. */
static void test_mappings_of_what_is_left_out(void **state)
{
	const struct elf_class *class = &elf_class_64;
	struct fixture *f = *state;

	use(f, &toy64);
	add(f, 0, 0x1000);
	map(f, 0xc0001000, 0x1000, 0x1000);
	add(f, 0x2000, 0x1000);
	map(f, 0xc0003000, 0x3000, 0x800);
	create(f);
	assert_int_equal(write_all(f, NULL), 0);
	assert_int_equal(phdr(f, class, 2, class->p_type), PT_LOAD);
	assert_int_equal(phdr(f, class, 2, class->p_offset), 0);
	assert_int_equal(phdr(f, class, 2, class->p_vaddr), 0xc0001000);
	assert_int_equal(phdr(f, class, 2, class->p_paddr), 0x1000);
	assert_int_equal(phdr(f, class, 2, class->p_filesz), 0);
	assert_int_equal(phdr(f, class, 2, class->p_memsz), 0x1000);
	assert_int_equal(phdr(f, class, 3, class->p_offset), 0x2000);
	assert_int_equal(phdr(f, class, 3, class->p_filesz), 0x1000);
	assert_int_equal(phdr(f, class, 4, class->p_paddr), 0x3000);
	assert_int_equal(phdr(f, class, 4, class->p_filesz), 0);
	assert_int_equal(phdr(f, class, 4, class->p_memsz), 0x800);
	assert_int_equal(f->sink.size, 0x3000);
	assert_memory_equal(f->sink.bytes + 0x1000, f->guest, 0x1000);
	assert_memory_equal(f->sink.bytes + 0x2000, f->guest + 0x2000, 0x1000);
}

/* A 32-bit core cannot tell of memory above 4 GiB, be it there or left out. */
static void test_left_out_above_4_gib(void **state)
{
	struct fixture *f = *state;

	use(f, &toy32);
	add(f, 0, 0x1000);
	map(f, 0, 0xfffff000, 0x1000);
	create(f);
	assert_int_equal(f->sink.bytes[EI_CLASS], ELFCLASS32);
	f->mappings[1].size = 0x1001;
	core_destroy(f->core);
	memory_sink_deinit(&f->sink);
	memory_sink_init(&f->sink, true);
	f->core = NULL;
	create(f);
	assert_int_equal(f->sink.bytes[EI_CLASS], ELFCLASS64);
}

/* Of 0x800 to 0x37ff, pages 1 and 2 are left out: a hole, on a pipe as well. */
static void check_pages_left_out(struct fixture *f, bool can_rewrite)
{
	struct page_set kept;

	memory_sink_deinit(&f->sink);
	memory_sink_init(&f->sink, can_rewrite);
	assert_int_equal(page_set_init(&kept, &f->memory, 12), 0);
	page_set_remove(&kept, 1, 2);
	f->plan.kept = &kept;
	create(f);
	assert_int_equal(put_memory(f->core, 0x800, f->guest + 0x800, 0x800), 0);
	assert_int_equal(put_memory(f->core, 0x3000, f->guest + 0x3000, 0x800), 0);
	assert_int_equal(core_finish(f->core, NULL), 0);
	assert_int_equal(core_zero_bytes(f->core), 0);
	/* The first block that is 0x800 into a page. */
	assert_int_equal(phdr(f, &elf_class_64, 1, elf_class_64.p_offset), 0x1800);
	assert_int_equal(phdr(f, &elf_class_64, 1, elf_class_64.p_filesz), 0x3000);
	assert_int_equal(f->sink.size, 0x4800);
	assert_memory_equal(f->sink.bytes + 0x1800, f->guest + 0x800, 0x800);
	for (size_t i = 0x2000; i < 0x4000; i++)
		assert_int_equal(f->sink.bytes[i], 0);
	assert_memory_equal(f->sink.bytes + 0x4000, f->guest + 0x3000, 0x800);
	/* In front of the memory, and this one. */
	assert_int_equal(f->sink.zeros, 2);
	page_set_deinit(&kept);
}

static void test_pages_left_out(void **state)
{
	struct fixture *f = *state;

	use(f, &toy64);
	add(f, 0x800, 0x3000);
	check_pages_left_out(f, true);
	core_destroy(f->core);
	f->core = NULL;
	check_pages_left_out(f, false);
}

static void test_mapping_over_the_last_address(void **state)
{
	struct fixture *f = *state;

	use(f, &toy64);
	add(f, 0, 0x2000);
	map(f, 0xfffffffffffff000, 0, 0x1001);
	check_refused(f, "the mapping at 0xfffffffffffff000 reaches over the last address");
	f->mappings[1].size = 0x1000;
	create(f);
	assert_null(core_error(f->core));
}

static void test_memory_without_mapping(void **state)
{
	struct fixture *f = *state;

	use(f, &toy64);
	assert_int_equal(ranges_add(&f->memory, 0, 0x1000), 0);
	check_refused(f, "memory at 0x0 is in part in no mapping");
	map(f, 0, 0, 0x1000);
	assert_int_equal(ranges_add(&f->memory, 0x2000, 0x2000), 0);
	check_refused(f, "memory at 0x2000 is in part in no mapping");
	map(f, 0, 0x3000, 0x1000);
	check_refused(f, "memory at 0x2000 is in part in no mapping");
	map(f, 0, 0x2000, 0xfff);
	check_refused(f, "memory at 0x2000 is in part in no mapping");
	map(f, 0, 0x2800, 0x900);
	create(f);
	assert_null(core_error(f->core));
}

static void use_many_mappings(struct fixture *f, struct core_mapping *mappings, size_t count)
{
	assert_int_equal(ranges_add(&f->memory, 0, 0x4000), 0);
	for (size_t i = 0; i < count; i++)
		mappings[i] = (struct core_mapping){ .vaddr = i << 14, .size = 0x4000 };
	f->plan.mappings = mappings;
	f->plan.mapping_count = count;
}

/* One PT_LOAD more, and e_phnum would be PN_XNUM. */
static void test_many_mappings(void **state)
{
	struct fixture *f = *state;
	struct core_mapping *mappings = calloc(0xfffd, sizeof(*mappings));

	use(f, &toy64);
	use_many_mappings(f, mappings, 0xfffd);
	create(f);
	assert_int_equal(write_all(f, NULL), 0);
	/* e_phnum, and no section header */
	assert_memory_equal(f->sink.bytes + 56, "\xfe\xff\0\0\0\0\0\0", 8);
	assert_int_equal(field_get(f->sink.bytes, elf_class_64.e_shoff, LITTLE), 0);
	/* 64 + 65534 * 56 = 0x37ffd0, and 24 bytes of notes */
	assert_int_equal(phdr(f, &elf_class_64, 0, elf_class_64.p_offset), 0x37ffd0);
	assert_int_equal(phdr(f, &elf_class_64, 0xfffd, elf_class_64.p_vaddr), 0xfffc << 14);
	assert_int_equal(phdr(f, &elf_class_64, 0xfffd, elf_class_64.p_offset), 0x380000);
	assert_int_equal(f->sink.size, 0x384000);
	core_destroy(f->core);
	f->core = NULL;
	free(mappings);
}

/* ELF header, 65535 program headers, a section header with their number, notes. */
static void check_count_in_section(
	struct fixture *f, const struct arch *arch, const struct elf_class *class, uint64_t shoff)
{
	struct core_mapping *mappings = calloc(0xfffe, sizeof(*mappings));
	enum byte_order order = arch->order;
	const uint8_t *ehdr, *shdr;

	use(f, arch);
	use_many_mappings(f, mappings, 0xfffe);
	create(f);
	assert_int_equal(write_all(f, NULL), 0);
	ehdr = f->sink.bytes;
	shdr = ehdr + shoff;
	assert_int_equal(field_get(ehdr, class->e_phnum, order), 0xffff);
	assert_int_equal(field_get(ehdr, class->e_shoff, order), shoff);
	assert_int_equal(field_get(ehdr, class->e_shentsize, order), class->shdr_size);
	assert_int_equal(field_get(ehdr, class->e_shnum, order), 1);
	for (size_t i = 0; i < class->shdr_size; i++)
		if (i < class->sh_info.offset || i >= class->sh_info.offset + 4u)
			assert_int_equal(shdr[i], 0);
	assert_int_equal(get_u32(shdr + class->sh_info.offset, order), 0xffff);
	assert_int_equal(phdr(f, class, 0, class->p_offset), shoff + class->shdr_size);
	assert_int_equal(phdr(f, class, 0xfffe, class->p_vaddr), 0xfffd << 14);
	core_destroy(f->core);
	f->core = NULL;
	free(mappings);
}

static void test_count_in_section(void **state)
{
	check_count_in_section(*state, &toy64, &elf_class_64, 64 + 65535 * 56);
}

static void test_count_in_section_elf32_big(void **state)
{
	check_count_in_section(*state, &toy32_big, &elf_class_32, 52 + 65535 * 32);
}

static void test_too_many_mappings(void **state)
{
	struct fixture *f = *state;
	struct core_mapping *mappings = calloc(1 << 20, sizeof(*mappings));

	use(f, &toy64);
	use_many_mappings(f, mappings, 1 << 20);
	check_refused(f, "1048576 mappings are more than the 1048575 that an ELF core can have");
	free(mappings);
}

/* Headers are made, and what they map is checked. */
static void test_no_memory(void **state)
{
	struct fixture *f = *state;
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	use(f, &toy64);
	add(f, 0, 0x1800);
	add(f, 0x3000, 0x1000);
	while (failing_next(&failing)) {
		struct core *core = core_create(core_format_find("elf"), &f->plan, &f->sink.sink);
		const char *why = core ? core_error(core) : "no memory";
		int rc = why ? -1 : 0;

		for (size_t i = 0; !rc && i < f->memory.count; i++)
			rc = put_memory(core, f->memory.items[i].start, f->guest,
				(size_t)f->memory.items[i].size);
		if (!why)
			why = rc ? "no memory" : "";
		failing_check(&failing, rc, why);
		if (core && core_error(core))
			assert_true(core_lacks_memory(core));
		core_destroy(core);
	}
	/* The core, its ranges, what is mapped, the headers; a worker for each put. */
	assert_true(failing.nth > 6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_elf64),
		TEST(test_elf64_big),
		TEST(test_elf32),
		TEST(test_elf32_big),
		TEST(test_class_of_32_bit_guests),
		TEST(test_class_for_virtual_addresses),
		TEST(test_size_of_a_large_core),
		TEST(test_odd_boundaries),
		TEST(test_first_range_within_a_page),
		TEST(test_zero_pages_are_holes),
		TEST(test_mappings_share_bytes),
		TEST(test_notes_of_several_pages),
		TEST(test_late_notes),
		TEST(test_late_notes_elf32_big),
		TEST(test_room_that_stays_empty),
		TEST(test_failing_sink),
		TEST(test_pipe),
		TEST(test_mappings_outside_memory),
		TEST(test_mappings_of_what_is_left_out),
		TEST(test_left_out_above_4_gib),
		TEST(test_pages_left_out),
		TEST(test_mapping_over_the_last_address),
		TEST(test_memory_without_mapping),
		TEST(test_many_mappings),
		TEST(test_count_in_section),
		TEST(test_count_in_section_elf32_big),
		TEST(test_too_many_mappings),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
