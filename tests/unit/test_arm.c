// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "layout/kernel.h"

#define BIT(n) ((uint64_t)1 << (n))

static const struct arch *little, *big;

static int find_both(void **state)
{
	(void)state;
	little = arch_find("arm");
	big = arch_find("armeb");
	return little && big ? 0 : -1;
}

static void test_rows(void **state)
{
	(void)state;
	assert_string_equal(little->name, "arm");
	assert_string_equal(big->name, "armeb");
	assert_int_equal(little->order, LITTLE);
	assert_int_equal(big->order, BIG);
	for (unsigned i = 0; i < 2; i++) {
		const struct arch *arch = i ? big : little;

		assert_int_equal(arch->elf_machine, 40);
		assert_int_equal(arch->elf_class, ELFCLASS32);
		assert_int_equal(arch->page_shift, 12);
		assert_int_equal(arch->align64, 8);
		assert_true(arch->phys_base_is_ram_start);
		assert_true(arch->frames_from_ram_start);
	}
}

static void test_names_of_stubs_and_kernels(void **state)
{
	static const char *const names[] = { "arm", "armv7", "armv5te", "armv8-a", "armv7e-m",
		"armv5tejl", "armv6l", "armv7l", "armv8l" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_ptr_equal(arch_find(names[i]), little);
	assert_ptr_equal(arch_find("armv7b"), big);
	assert_ptr_equal(arch_find("armv5tejb"), big);
	assert_null(arch_find("armv"));
	assert_null(arch_find("armv7lb"));
}

static void test_registers_by_custom(void **state)
{
	const struct arch_register *registers = little->default_registers;
	size_t count = 0, bits = 0;

	(void)state;
	for (; registers[count].name; count++)
		bits += registers[count].bits;
	/* r0-r12, sp, lr, pc, f0-f7, fps, cpsr: 168 bytes */
	assert_int_equal(count, 26);
	assert_int_equal(bits, 168 * 8);
	assert_string_equal(registers[12].name, "r12");
	assert_string_equal(registers[13].name, "sp");
	assert_string_equal(registers[15].name, "pc");
	assert_string_equal(registers[25].name, "cpsr");
	assert_ptr_equal(big->default_registers, registers);
}

static void test_a_core_needs_a_vcpu(void **state)
{
	struct registers cpu;
	struct error error;

	(void)state;
	registers_init(&cpu, 0, LITTLE);
	assert_int_equal(little->check(&cpu, 0, &error), -1);
	assert_string_equal(error.text, "no vCPU");
	assert_int_equal(little->check(&cpu, 1, &error), 0);
	registers_deinit(&cpu);
}

/* ---- which byte order ---- */

struct named {
	const char *name;
	uint32_t value;
};

/* The list ends with a NULL name. Values are sent in this order. */
static struct registers cpu_with(const struct named *list, enum byte_order order)
{
	struct registers cpu;

	registers_init(&cpu, 0, LITTLE);
	for (; list->name; list++) {
		uint8_t bytes[4];

		put_u32(bytes, list->value, order);
		registers_set(&cpu, list->name, bytes, sizeof(bytes));
	}
	return cpu;
}

enum { SVC = 0x1d3, USER = 0x60000010, MONITOR = 0x1d6, CPSR_E = 0x200 };
#define EE BIT(25)

static void expect_variant(const struct named *list, enum byte_order sent, const struct arch *arch)
{
	struct registers cpu = cpu_with(list, sent);

	assert_ptr_equal(little->variant(&cpu, 1), arch);
	assert_int_equal(cpu.order, sent);
	registers_deinit(&cpu);
}

static void test_order_is_that_of_the_kernel(void **state)
{
	(void)state;
	assert_ptr_equal(little->variant(NULL, 0), little);
	expect_variant((struct named[]){ { NULL, 0 } }, LITTLE, little);
	expect_variant(
		(struct named[]){ { "cpsr", SVC }, { "SCTLR", EE }, { NULL, 0 } }, LITTLE, big);
	expect_variant((struct named[]){ { "cpsr", SVC }, { "SCTLR", (uint32_t)~EE }, { NULL, 0 } },
		LITTLE, little);
	/* What a program does for itself is not the kernel's, but may be all that there is. */
	expect_variant((struct named[]){ { "cpsr", USER | CPSR_E }, { "SCTLR", 0 }, { NULL, 0 } },
		LITTLE, little);
	expect_variant((struct named[]){ { "cpsr", SVC | CPSR_E }, { NULL, 0 } }, LITTLE, big);
	expect_variant((struct named[]){ { "cpsr", SVC }, { NULL, 0 } }, LITTLE, little);
}

static void test_order_is_that_of_the_security_state(void **state)
{
	static const struct {
		uint32_t cpsr, scr, sctlr, sctlr_s;
		bool big;
	} cases[] = {
		{ SVC, 0, 0, EE, true },
		{ SVC, 0, EE, 0, false },
		{ SVC, 1, 0, EE, false },
		{ SVC, 1, EE, 0, true },
		{ USER, 1, EE, 0, true },
		/* Monitor mode is secure whatever SCR.NS says. */
		{ MONITOR, 1, 0, EE, true },
		{ MONITOR, 1, EE, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_variant(
			(struct named[]){
				{ "cpsr", cases[i].cpsr },
				{ "SCR", cases[i].scr },
				{ "SCTLR", cases[i].sctlr },
				{ "SCTLR_S", cases[i].sctlr_s },
				{ NULL, 0 },
			},
			LITTLE, cases[i].big ? big : little);
}

/* A stub that sends registers as the guest has its data */
static void test_order_of_the_stub(void **state)
{
	(void)state;
	expect_variant((struct named[]){ { "cpsr", SVC | CPSR_E }, { NULL, 0 } }, BIG, big);
	expect_variant((struct named[]){ { "cpsr", USER }, { NULL, 0 } }, BIG, big);
	expect_variant((struct named[]){ { "cpsr", SVC }, { "SCTLR", EE }, { NULL, 0 } }, BIG, big);
	/* 0x100001d1 has a mode either way: it is as QEMU sends it. */
	expect_variant((struct named[]){ { "cpsr", 0x100001d1 }, { NULL, 0 } }, LITTLE, little);
	/* No mode at all */
	expect_variant((struct named[]){ { "cpsr", 0x40000001 }, { NULL, 0 } }, LITTLE, little);
	for (uint32_t mode = 0x10; mode < 0x20; mode++) {
		bool known = mode < 0x14 || mode == 0x16 || mode == 0x17 || mode == 0x1a ||
		             mode == 0x1b || mode == 0x1f;
		struct registers cpu = cpu_with(
			(struct named[]){ { "cpsr", 0x1c0 | mode }, { NULL, 0 } }, BIG);

		little->variant(&cpu, 1);
		assert_int_equal(cpu.order, known ? BIG : LITTLE);
		registers_deinit(&cpu);
	}
}

/* ---- notes ---- */

enum { R_COUNT = 16, CPSR = 0x600001d3, FPSCR = 0x03c0009f };

static uint32_t r(unsigned cpu, unsigned n)
{
	return 0x11223300 + 0x10000 * cpu + n;
}

static uint64_t d(unsigned cpu, unsigned n)
{
	return 0x8877665544330000 + 0x100 * cpu + n;
}

static void set(struct registers *cpu, const char *name, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	put_le64(bytes, value);
	registers_set(cpu, name, bytes, size);
}

static struct registers cpu_of(unsigned index, unsigned vectors, const char *status)
{
	static const char *const last[] = { "sp", "lr", "pc" };
	struct registers cpu;
	char name[8];

	registers_init(&cpu, index, LITTLE);
	for (unsigned n = 0; n < 13; n++) {
		snprintf(name, sizeof(name), "r%u", n);
		set(&cpu, name, r(index, n), 4);
	}
	for (unsigned n = 0; n < 3; n++)
		set(&cpu, last[n], r(index, 13 + n), 4);
	set(&cpu, status, CPSR, 4);
	for (unsigned n = 0; n < vectors; n++) {
		snprintf(name, sizeof(name), "d%u", n);
		set(&cpu, name, d(index, n), 8);
	}
	if (vectors)
		set(&cpu, "fpscr", FPSCR, 4);
	return cpu;
}

static struct note next_note(const struct notes *notes, size_t *offset)
{
	struct note note;

	assert_true(notes_next(notes->bytes, notes->size, notes->order, offset, &note));
	return note;
}

static void expect_prstatus(const struct note *note, unsigned cpu, bool vfp, enum byte_order order)
{
	uint8_t expected[148] = { 0 };

	assert_string_equal(note->name, "CORE");
	assert_int_equal(note->type, 1);
	assert_int_equal(note->desc_size, sizeof(expected));
	put_u32(expected + 0x18, cpu + 1, order);
	for (unsigned n = 0; n < R_COUNT; n++)
		put_u32(expected + 0x48 + (size_t)4 * n, r(cpu, n), order);
	put_u32(expected + 0x88, CPSR, order);
	/* At 0x8c, orig_r0, which is no register */
	put_u32(expected + 0x90, vfp, order);
	assert_memory_equal(note->desc, expected, sizeof(expected));
}

static void expect_vfp(
	const struct note *note, unsigned cpu, unsigned vectors, enum byte_order order)
{
	uint8_t expected[260] = { 0 };

	assert_string_equal(note->name, "LINUX");
	assert_int_equal(note->type, 0x400);
	assert_int_equal(note->desc_size, sizeof(expected));
	for (unsigned n = 0; n < vectors; n++)
		put_u64(expected + (size_t)8 * n, d(cpu, n), order);
	put_u32(expected + 0x100, FPSCR, order);
	assert_memory_equal(note->desc, expected, sizeof(expected));
}

static void check_notes(const struct arch *arch, unsigned vectors, const char *status)
{
	struct registers cpus[] = { cpu_of(0, vectors, status), cpu_of(1, vectors, status) };
	struct notes notes;
	struct note note;
	size_t offset = 0;
	char missing[64] = "x";

	notes_init(&notes, arch->order);
	arch->write_notes(cpus, 2, &notes, missing, sizeof(missing));
	assert_false(notes.failed);
	assert_string_equal(missing, "");
	for (unsigned i = 0; i < 2; i++) {
		note = next_note(&notes, &offset);
		expect_prstatus(&note, i, vectors, arch->order);
		if (vectors) {
			note = next_note(&notes, &offset);
			expect_vfp(&note, i, vectors, arch->order);
		}
		registers_deinit(&cpus[i]);
	}
	assert_int_equal(offset, notes.size);
	notes_deinit(&notes);
}

static void test_notes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		check_notes(i ? big : little, 32, "cpsr");
		check_notes(i ? big : little, 16, "cpsr");
		check_notes(i ? big : little, 0, "cpsr");
	}
}

static void test_notes_of_the_m_profile(void **state)
{
	(void)state;
	check_notes(little, 0, "xpsr");
	check_notes(little, 16, "xpsr");
}

static void expect_missing(struct registers *cpu, const char *expected)
{
	struct notes notes;
	char missing[64] = "x";

	notes_init(&notes, LITTLE);
	little->write_notes(cpu, 1, &notes, missing, sizeof(missing));
	assert_false(notes.failed);
	assert_string_equal(missing, expected);
	notes_deinit(&notes);
	registers_deinit(cpu);
}

static void test_missing(void **state)
{
	struct registers cpu;

	(void)state;
	registers_init(&cpu, 0, LITTLE);
	expect_missing(&cpu, "r0-r12, sp, lr, pc, cpsr");
	registers_init(&cpu, 0, LITTLE);
	set(&cpu, "d0", 1, 8);
	set(&cpu, "pc", 1, 4);
	expect_missing(&cpu, "r0-r12, sp, lr, cpsr, d0-d15, fpscr");
	cpu = cpu_of(0, 17, "cpsr");
	expect_missing(&cpu, "d0-d31");
	/* Whoever asks by the layout that gdb assumes has no VFP, but a CPSR. */
	cpu = cpu_of(0, 0, "cpsr");
	set(&cpu, "f0", 1, 8);
	expect_missing(&cpu, "");
}

static void test_notes_of_no_vcpu(void **state)
{
	struct notes notes;
	char missing[16] = "x";

	(void)state;
	notes_init(&notes, LITTLE);
	little->write_notes(NULL, 0, &notes, missing, sizeof(missing));
	assert_int_equal(notes.size, 0);
	assert_string_equal(missing, "");
	notes_deinit(&notes);
}

/* ---- a kernel ---- */

/* RAM, of which the first MiB has the tables; what is behind that nobody reads. */
enum { RAM = 0x60000000, RAM_SIZE = 0x10000000, TABLES_SIZE = 0x100000, ROOT = 0x4000 };

static uint8_t tables[TABLES_SIZE];

static int read_tables(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx;
	if (paddr < RAM || paddr - RAM > TABLES_SIZE || len > TABLES_SIZE - (paddr - RAM))
		return -1;
	memcpy(buf, tables + (paddr - RAM), len);
	return 0;
}

static const struct guest_memory memory = { .read = read_tables };

enum { KERNEL_DATA = 0x412, KERNEL_CODE = 0x8402, USER_CODE = 0x8c02 };

static void map_sections(uint32_t vaddr, uint32_t paddr, uint32_t mib, uint32_t what)
{
	for (uint32_t i = 0; i < mib; i++)
		put_le32(tables + ROOT + (size_t)4 * ((vaddr >> 20) + i),
			(paddr + (i << 20)) | what);
}

/*
 * PAGE_OFFSET is 0x80000000, as VMSPLIT_2G has it. In front of it is a process with huge pages, of
 * RAM behind the lowmem of 128 MiB, and as far apart from it as the direct map. Memory in front of
 * the RAM is not the kernel's.
 */
static void test_kernel(void **state)
{
	struct registers cpu = cpu_with(
		(struct named[]){
			{ "cpsr", USER },
			{ "SCTLR", 0x10c5387d },
			{ "TTBCR", 0 },
			{ "TTBR0_EL1", (RAM + ROOT) | 0x6a },
			{ NULL, 0 },
		},
		LITTLE);
	struct kernel kernel;
	struct ranges ram;

	(void)state;
	memset(tables, 0, sizeof(tables));
	map_sections(0x40000000, 0x6a000000, 8, USER_CODE);
	map_sections(0x80000000, RAM, 1, KERNEL_DATA);
	map_sections(0x80100000, RAM + 0x100000, 6, KERNEL_CODE);
	map_sections(0x80700000, RAM + 0x700000, 121, KERNEL_DATA);
	/* ioremap() */
	map_sections(0xf0000000, 0x10000000, 4, KERNEL_DATA);
	ranges_init(&ram);
	assert_int_equal(ranges_add(&ram, 0x48000000, 0x2000000), 0);
	assert_int_equal(ranges_add(&ram, RAM, RAM_SIZE), 0);
	kernel_init(&kernel);
	kernel_find_mappings(&kernel, little, &cpu, 1, &ram, &memory);
	assert_true(kernel.mapped);
	assert_int_equal(kernel.table.root, RAM + ROOT);
	assert_int_equal(kernel.text.vaddr, 0x80100000);
	assert_int_equal(kernel.text.paddr, RAM + 0x100000);
	assert_int_equal(kernel.direct_map, 0x80000000 - RAM);
	assert_int_equal(kernel.direct_map_start, RAM);
	assert_int_equal(kernel.direct_map_end, RAM + 0x8000000);
	assert_int_equal(kernel.phys_base, 0);
	kernel_deinit(&kernel);
	ranges_deinit(&ram);
	registers_deinit(&cpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_names_of_stubs_and_kernels),
		cmocka_unit_test(test_registers_by_custom),
		cmocka_unit_test(test_a_core_needs_a_vcpu),
		cmocka_unit_test(test_order_is_that_of_the_kernel),
		cmocka_unit_test(test_order_is_that_of_the_security_state),
		cmocka_unit_test(test_order_of_the_stub),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_notes_of_the_m_profile),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_notes_of_no_vcpu),
		cmocka_unit_test(test_kernel),
	};

	return cmocka_run_group_tests(tests, find_both, NULL);
}
