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

static const struct arch *loongarch64;

static int find_loongarch64(void **state)
{
	(void)state;
	loongarch64 = arch_find("loongarch64");
	return loongarch64 ? 0 : -1;
}

static void test_row(void **state)
{
	struct registers cpu;
	struct error error;

	(void)state;
	assert_int_equal(loongarch64->elf_machine, 258);
	assert_int_equal(loongarch64->elf_class, ELFCLASS64);
	assert_int_equal(loongarch64->order, LITTLE);
	registers_init(&cpu, 0, LITTLE);
	assert_int_equal(loongarch64->check(&cpu, 1, &error), 0);
	assert_int_equal(loongarch64->check(&cpu, 0, &error), -1);
	registers_deinit(&cpu);
}

/* ---- notes ---- */

enum { PRSTATUS = 480, FPREG = 268, CPU_NOTES = 20 + PRSTATUS + 20 + FPREG };

/* The registers that QEMU's stub sends; the value of the nth of them. */
static uint64_t value(unsigned cpu, unsigned n)
{
	return 0x1122334455000000 + 0x10000 * cpu + n;
}

static struct registers cpu_of(unsigned index, bool one_fcc)
{
	static const char *const others[] = { "orig_a0", "pc", "badv" };
	const uint8_t flags[8] = { 1, 0, 1, 1, 0, 0, 0, (uint8_t)index };
	struct registers cpu;
	uint8_t fcsr[4];
	char name[8];

	registers_init(&cpu, index, LITTLE);
	for (unsigned n = 0; n < 32; n++) {
		snprintf(name, sizeof(name), "r%u", n);
		registers_set_u64(&cpu, name, value(index, n));
		snprintf(name, sizeof(name), "f%u", n);
		registers_set_u64(&cpu, name, value(index, 0x100 + n));
	}
	for (unsigned n = 0; n < 3; n++)
		registers_set_u64(&cpu, others[n], value(index, 32 + n));
	for (unsigned n = 0; n < 8 && !one_fcc; n++) {
		snprintf(name, sizeof(name), "fcc%u", n);
		registers_set(&cpu, name, &flags[n], 1);
	}
	if (one_fcc)
		registers_set(&cpu, "fcc", flags, sizeof(flags));
	put_le32(fcsr, 0x1f0000 + index);
	registers_set(&cpu, "fcsr", fcsr, sizeof(fcsr));
	return cpu;
}

static const uint8_t *expect_note(const uint8_t *at, uint32_t type, uint32_t size)
{
	assert_int_equal(get_le32(at), 5);
	assert_int_equal(get_le32(at + 4), size);
	assert_int_equal(get_le32(at + 8), type);
	assert_memory_equal(at + 12, "CORE\0\0\0", 8);
	return at + 20;
}

static void expect_notes(bool one_fcc)
{
	struct registers cpus[] = { cpu_of(0, one_fcc), cpu_of(1, one_fcc) };
	struct notes notes;
	char missing[64] = "x";

	notes_init(&notes, LITTLE);
	assert_ptr_equal(loongarch64->variant(cpus, 2), loongarch64);
	loongarch64->write_notes(cpus, 2, &notes, missing, sizeof(missing));
	assert_string_equal(missing, "");
	assert_int_equal(notes.size, 2 * CPU_NOTES);
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *at = notes.bytes + (size_t)i * CPU_NOTES;
		uint8_t prstatus[PRSTATUS] = { 0 }, fpreg[FPREG] = { 0 };
		const uint8_t flags[8] = { 1, 0, 1, 1, 0, 0, 0, (uint8_t)i };

		prstatus[0x20] = (uint8_t)(i + 1);
		for (unsigned n = 0; n < 35; n++)
			put_le64(prstatus + 0x70 + (size_t)8 * n, value(i, n));
		prstatus[0x1d8] = 1;
		at = expect_note(at, NT_PRSTATUS, PRSTATUS);
		assert_memory_equal(at, prstatus, PRSTATUS);

		for (unsigned n = 0; n < 32; n++)
			put_le64(fpreg + (size_t)8 * n, value(i, 0x100 + n));
		memcpy(fpreg + 256, flags, 8);
		put_le32(fpreg + 264, 0x1f0000 + i);
		at = expect_note(at + PRSTATUS, NT_PRFPREG, FPREG);
		assert_memory_equal(at, fpreg, FPREG);
		registers_deinit(&cpus[i]);
	}
	notes_deinit(&notes);
}

static void test_notes(void **state)
{
	(void)state;
	expect_notes(false);
}

static void test_notes_of_one_fcc(void **state)
{
	(void)state;
	expect_notes(true);
}

static void test_fcc_of_another_size_is_none(void **state)
{
	const uint8_t byte = 1;
	struct registers cpu;
	size_t size;

	(void)state;
	registers_init(&cpu, 0, LITTLE);
	registers_set(&cpu, "fcc", &byte, 1);
	loongarch64->variant(&cpu, 1);
	assert_null(registers_find(&cpu, "fcc0", &size));
	registers_deinit(&cpu);
}

static void test_missing_registers_are_zero_and_named(void **state)
{
	struct registers cpu;
	struct notes notes;
	char missing[64];

	(void)state;
	registers_init(&cpu, 0, LITTLE);
	for (const struct arch_register *custom = loongarch64->default_registers; custom->name;
		custom++)
		registers_set_u64(&cpu, custom->name, 7);
	notes_init(&notes, LITTLE);
	loongarch64->write_notes(&cpu, 1, &notes, missing, sizeof(missing));
	assert_string_equal(missing, "f0-f31, fcc0-fcc7, fcsr");
	assert_int_equal(get_le64(notes.bytes + 20 + 0x70 + 34 * 8), 7);
	for (size_t i = 0; i < FPREG; i++)
		assert_int_equal(notes.bytes[20 + PRSTATUS + 20 + i], 0);
	notes_deinit(&notes);
	registers_deinit(&cpu);
}

static void test_registers_by_custom(void **state)
{
	const struct arch_register *custom = loongarch64->default_registers;

	(void)state;
	assert_string_equal(custom[0].name, "r0");
	assert_string_equal(custom[31].name, "r31");
	assert_string_equal(custom[32].name, "orig_a0");
	assert_string_equal(custom[33].name, "pc");
	assert_string_equal(custom[34].name, "badv");
	assert_null(custom[35].name);
	for (unsigned n = 0; n < 35; n++)
		assert_int_equal(custom[n].bits, 64);
}

/* ---- the address space ---- */

#define UNCACHED    UINT64_C(0x8000000000000000)
#define CACHED      UINT64_C(0x9000000000000000)
#define TABLE_RANGE UINT64_C(0xffff000000000000)
#define KERNEL_PC   (CACHED + 0x234560)

static bool table_of(uint64_t pc, unsigned nth, struct page_table *table)
{
	struct registers cpu;
	bool found;

	registers_init(&cpu, 0, LITTLE);
	registers_set_u64(&cpu, "pc", pc);
	found = loongarch64->page_table(&cpu, 0xc0000000, nth, table);
	registers_deinit(&cpu);
	return found;
}

static void test_windows_alone(void **state)
{
	struct page_table table;

	(void)state;
	assert_true(table_of(KERNEL_PC, 0, &table));
	assert_ptr_equal(table.arch, loongarch64);
	assert_int_equal(table.levels, 0);
	assert_int_equal(table.region_count, 2);
	assert_true(table.regions[0].linear && table.regions[1].linear);
	assert_int_equal(table.regions[0].range.first, UNCACHED);
	assert_int_equal(table.regions[0].range.last, UNCACHED + 0xffffffffffff);
	assert_int_equal(table.regions[0].paddr, 0);
	assert_int_equal(table.regions[1].range.first, CACHED);
	assert_int_equal(table.regions[1].range.last, CACHED + 0xffffffffffff);
	assert_int_equal(table.regions[1].paddr, 0);
	assert_false(table_of(KERNEL_PC, 1, &table));
}

static void test_firmware_has_no_windows(void **state)
{
	struct page_table table;
	struct registers cpu;

	(void)state;
	/* A reset; firmware in RAM; the first address of programs; a shared library. */
	assert_false(table_of(0x1c000000, 0, &table));
	assert_false(table_of(0xffffffff, 0, &table));
	assert_true(table_of(0x120000000, 0, &table));
	assert_true(table_of(0x7ffff1234567, 0, &table));
	registers_init(&cpu, 0, LITTLE);
	assert_false(loongarch64->page_table(&cpu, 0xc0000000, 0, &table));
	registers_deinit(&cpu);
}

/* As a stub would show the control registers, with this geometry. */
static struct page_table table_by_csr(uint64_t pwcl, uint64_t pwch)
{
	struct page_table table;
	struct registers cpu;

	registers_init(&cpu, 0, LITTLE);
	registers_set_u64(&cpu, "pc", KERNEL_PC);
	registers_set_u64(&cpu, "pgdh", 0x9123000);
	registers_set_u64(&cpu, "pwcl", pwcl);
	registers_set_u64(&cpu, "pwch", pwch);
	assert_true(loongarch64->page_table(&cpu, 0xc0000000, 0, &table));
	registers_deinit(&cpu);
	return table;
}

static void expect_range(
	const struct page_table *table, unsigned nth, uint64_t first, uint64_t last)
{
	assert_true(nth < table->region_count);
	assert_false(table->regions[nth].linear);
	assert_int_equal(table->regions[nth].range.first, first);
	assert_int_equal(table->regions[nth].range.last, last);
}

static void test_control_registers(void **state)
{
	struct page_table table;

	(void)state;
	/* 16 KiB and three levels of 11 bits, the upper one as the third directory. */
	table = table_by_csr(14 | 11 << 5 | 25 << 10 | 11 << 15, 36 | 11 << 6);
	assert_int_equal(table.root, 0x9123000);
	assert_int_equal(table.levels, 3);
	assert_int_equal(table.page_shift, 14);
	for (unsigned level = 0; level < 3; level++)
		assert_int_equal(table.level_bits[level], 11);
	assert_int_equal(table.region_count, 4);
	expect_range(&table, 2, TABLE_RANGE, 0xffff7fffffffffff);
	expect_range(&table, 3, 0xffff800000000000, UINT64_MAX);
	/* 4 KiB and four levels reach all of it. */
	table = table_by_csr(12 | 9 << 5 | 21 << 10 | 9 << 15 | 30 << 20 | 9 << 25, 39 | 9 << 6);
	assert_int_equal(table.levels, 4);
	assert_int_equal(table.page_shift, 12);
	assert_int_equal(table.region_count, 3);
	expect_range(&table, 2, TABLE_RANGE, UINT64_MAX);
	/* 64 KiB and two levels, which reach 42 bits. */
	table = table_by_csr(16 | 13 << 5, 29 | 13 << 6);
	assert_int_equal(table.levels, 2);
	assert_int_equal(table.level_bits[1], 13);
	expect_range(&table, 2, TABLE_RANGE, 0xffff03ffffffffff);
	expect_range(&table, 3, 0xfffffc0000000000, UINT64_MAX);
}

static void test_geometry_that_is_none(void **state)
{
	(void)state;
	/* Nothing; a gap; levels in the wrong place; too small a page; too wide. */
	assert_int_equal(table_by_csr(0, 0).levels, 0);
	assert_int_equal(table_by_csr(14 | 11 << 5 | 26 << 10 | 11 << 15, 0).levels, 0);
	assert_int_equal(table_by_csr(14 | 11 << 5, 14 | 11 << 6).levels, 0);
	assert_int_equal(table_by_csr(10 | 9 << 5, 0).levels, 0);
	assert_int_equal(table_by_csr(14 | 17 << 5, 0).levels, 0);
	assert_int_equal(table_by_csr(16 | 16 << 5, 32 | 16 << 6 | 48 << 12 | 16 << 18).levels, 0);
	assert_int_equal(table_by_csr(0, 0).region_count, 2);
}

/* ---- entries ---- */

enum { V = 1, D = 2, PLV3 = 0xc, CACHE = 0x10, G = 0x40, HUGE = 0x40, P = 0x80, WRITE = 0x100 };
#define NX   (UINT64_C(1) << 62)
#define NR   (UINT64_C(1) << 61)
#define RPLV (UINT64_C(1) << 63)

static struct paging_entry entry(unsigned level, uint64_t raw)
{
	struct page_table table = table_by_csr(14 | 11 << 5 | 25 << 10 | 11 << 15, 36 | 11 << 6);

	return loongarch64->paging_entry(&table, level, 0, raw);
}

static void test_pages(void **state)
{
	struct paging_entry found = entry(0, 0x9128000 | V | D | CACHE | G | P | WRITE);

	(void)state;
	assert_true(found.present && found.leaf && found.writable && found.executable);
	assert_false(found.user);
	assert_int_equal(found.address, 0x9128000);
	/* The page has 16 KiB; bits above 48 are none of the address. */
	assert_int_equal(entry(0, 0xe000fffffffff001).address, 0xffffffffc000);
	/* To software it is there, but not to the CPU. */
	assert_false(entry(0, 0x9128000 | D | P | WRITE).present);
	assert_false(entry(0, 0).present);
	assert_false(entry(0, G).present);
}

static void test_rights(void **state)
{
	(void)state;
	assert_false(entry(0, 0x9128000 | V | WRITE).writable);
	assert_true(entry(0, 0x9128000 | V | D).writable);
	assert_false(entry(0, 0x9128000 | V | NX).executable);
	assert_true(entry(0, 0x9128000 | V | NR).executable);
	assert_true(entry(0, 0x9128000 | V | PLV3).user);
	assert_true(entry(0, 0x9128000 | V | PLV3 | RPLV).user);
	for (uint64_t plv = 0; plv < 3; plv++)
		assert_false(entry(0, 0x9128000 | V | plv << 2).user);
	assert_int_equal(entry(0, 0x9128000 | V | PLV3 | NX | NR | RPLV).address, 0x9128000);
}

static void test_directories(void **state)
{
	(void)state;
	for (unsigned level = 1; level < 3; level++) {
		/* The address is the kernel's own of the table. */
		struct paging_entry found = entry(level, CACHED + 0x9128000);

		assert_true(found.present && !found.leaf);
		assert_true(found.writable && found.executable && found.user);
		assert_int_equal(found.address, 0x9128000);
		assert_true(entry(level, 0x9128000).present);
		assert_false(entry(level, 0).present);
	}
}

static void test_huge_pages(void **state)
{
	struct paging_entry found;

	(void)state;
	/* 32 MiB, and 64 GiB; bit 12 says that it is global. */
	found = entry(1, 0x6000000 | 0x1000 | HUGE | V | D | P);
	assert_true(found.present && found.leaf && found.writable);
	assert_int_equal(found.address, 0x6000000);
	found = entry(2, UINT64_C(0x3000000000) | 0x1000 | HUGE | V | NX);
	assert_true(found.present && found.leaf && !found.writable && !found.executable);
	assert_int_equal(found.address, 0x3000000000);
	assert_int_equal(entry(1, 0xffffffffffff).address, 0xfffffe000000);
	assert_true(entry(1, 0x6000000 | HUGE).leaf);
	assert_false(entry(1, 0x6000000 | HUGE).present);
}

/* ---- Linux kernels ---- */

/* What VMCOREINFO says; 0 for no symbol. */
static bool symbol(const void *ctx, const char *name, uint64_t *value_of)
{
	const uint64_t *swapper = ctx;

	*value_of = *swapper;
	return !strcmp(name, "swapper_pg_dir") && *swapper;
}

static bool number(const void *ctx, const char *name, int64_t *value_of)
{
	(void)ctx, (void)name, (void)value_of;
	return false;
}

static bool kernel_table(uint64_t swapper, uint64_t page_size, struct page_table *table)
{
	const struct kernel_facts facts = {
		.symbol = symbol, .number = number, .ctx = &swapper, .page_size = page_size
	};

	return loongarch64->kernel_table(&facts, table);
}

static void test_table_that_the_kernel_tells_of(void **state)
{
	static const struct {
		uint64_t page_size;
		unsigned page_shift, levels, bits;
	} sizes[] = { { 4096, 12, 3, 9 }, { 16384, 14, 3, 11 }, { 65536, 16, 2, 13 } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct page_table table;

		assert_true(table_of(KERNEL_PC, 0, &table));
		assert_true(kernel_table(CACHED + 0x1a54000, sizes[i].page_size, &table));
		assert_int_equal(table.root, 0x1a54000);
		assert_int_equal(table.page_shift, sizes[i].page_shift);
		assert_int_equal(table.levels, sizes[i].levels);
		for (unsigned level = 0; level < table.levels; level++)
			assert_int_equal(table.level_bits[level], sizes[i].bits);
		assert_int_equal(table.region_count, 4);
		assert_true(table.regions[1].linear);
		assert_int_equal(table.regions[2].range.first, TABLE_RANGE);
	}
}

static void test_facts_that_tell_no_table(void **state)
{
	struct page_table table;

	(void)state;
	assert_true(table_of(KERNEL_PC, 0, &table));
	assert_false(kernel_table(0, 16384, &table));
	assert_false(kernel_table(CACHED + 0x1a54000, 0, &table));
	assert_false(kernel_table(CACHED + 0x1a54000, 8192, &table));
	/* Not in the window. */
	assert_false(kernel_table(0xffffffff81a54000, 16384, &table));
	assert_int_equal(table.levels, 0);
	assert_int_equal(table.region_count, 2);
	/* Control registers know better. */
	table = table_by_csr(14 | 11 << 5 | 25 << 10 | 11 << 15, 36 | 11 << 6);
	assert_false(kernel_table(CACHED + 0x1a54000, 4096, &table));
	assert_int_equal(table.root, 0x9123000);
}

/* From 2 MiB on: the image, with page tables of 16 KiB pages behind it. */
enum {
	SWAPPER = 0x1a54000,
	INVALID = SWAPPER + 0x4000,
	PMD = SWAPPER + 0x8000,
	PTE = SWAPPER + 0xc000,
	MEMORY_SIZE = 4 * 0x4000,
};

static uint8_t bytes[MEMORY_SIZE];

static int read_bytes(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx;
	if (paddr < SWAPPER || paddr - SWAPPER > MEMORY_SIZE || len > SWAPPER + MEMORY_SIZE - paddr)
		return -1;
	memcpy(buf, bytes + (paddr - SWAPPER), len);
	return 0;
}

static const struct guest_memory memory = { .read = read_bytes };

static void test_vmalloc_by_the_kernels_table(void **state)
{
	struct page_table table;
	uint64_t paddr;

	(void)state;
	/* Empty entries lead to a table of nothing. */
	for (size_t i = 0; i < MEMORY_SIZE; i += 8)
		put_le64(bytes + i, i / 0x4000 == 1 || i / 0x4000 == 3 ? 0 : CACHED + INVALID);
	put_le64(bytes, CACHED + PMD);
	put_le64(bytes + (PMD - SWAPPER) + 8 * 9, CACHED + PTE);
	put_le64(bytes + (PMD - SWAPPER) + 8 * 10, 0x6000000 | HUGE | V | D | P);
	put_le64(bytes + (PTE - SWAPPER) + 8 * 5, 0x9128000 | V | D | CACHE | G | P | WRITE | NX);

	assert_true(table_of(KERNEL_PC, 0, &table));
	assert_true(kernel_table(CACHED + SWAPPER, 16384, &table));
	assert_true(paging_translate(
		&table, &memory, TABLE_RANGE + (9 << 25) + (5 << 14) + 0x1234, &paddr));
	assert_int_equal(paddr, 0x9129234);
	assert_true(paging_translate(&table, &memory, TABLE_RANGE + (10 << 25) + 0x123456, &paddr));
	assert_int_equal(paddr, 0x6123456);
	assert_false(paging_translate(&table, &memory, TABLE_RANGE + (9 << 25), &paddr));
	assert_false(paging_translate(&table, &memory, TABLE_RANGE + (11 << 25), &paddr));
	/* What the windows show needs no table. */
	assert_true(paging_translate(&table, &memory, CACHED + 0x90001234, &paddr));
	assert_int_equal(paddr, 0x90001234);
	assert_true(paging_translate(&table, &memory, UNCACHED + 0x1fe00000, &paddr));
	assert_int_equal(paddr, 0x1fe00000);
	assert_false(paging_translate(&table, &memory, 0xa000000000000000, &paddr));
	assert_false(paging_translate(&table, &memory, CACHED + 0x1000000000000, &paddr));
}

/* QEMU's machine: RAM of 256 MiB at 0, more at 0x90000000. */
static struct kernel find_kernel(uint64_t pc)
{
	struct kernel kernel;
	struct registers cpu;
	struct ranges ram;

	ranges_init(&ram);
	assert_int_equal(ranges_add(&ram, 0, 0x10000000), 0);
	assert_int_equal(ranges_add(&ram, 0x90000000, 0x30000000), 0);
	registers_init(&cpu, 0, LITTLE);
	registers_set_u64(&cpu, "pc", pc);
	kernel_init(&kernel);
	kernel_find_mappings(&kernel, loongarch64, &cpu, 1, &ram, &memory);
	registers_deinit(&cpu);
	ranges_deinit(&ram);
	return kernel;
}

static void test_kernel_in_its_window(void **state)
{
	struct kernel kernel = find_kernel(KERNEL_PC);

	(void)state;
	assert_true(kernel.mapped);
	assert_int_equal(kernel.direct_map, CACHED);
	assert_int_equal(kernel.direct_map_end, UINT64_MAX);
	assert_int_equal(kernel.text.vaddr, CACHED);
	assert_int_equal(kernel.text.paddr, 0);
	assert_int_equal(kernel.text.size, 0x10000000);
	assert_int_equal(kernel.phys_base, 0);
	kernel_deinit(&kernel);

	kernel = find_kernel(0x1c000000);
	assert_false(kernel.mapped);
	kernel_deinit(&kernel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_row),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_notes_of_one_fcc),
		cmocka_unit_test(test_fcc_of_another_size_is_none),
		cmocka_unit_test(test_missing_registers_are_zero_and_named),
		cmocka_unit_test(test_registers_by_custom),
		cmocka_unit_test(test_windows_alone),
		cmocka_unit_test(test_firmware_has_no_windows),
		cmocka_unit_test(test_control_registers),
		cmocka_unit_test(test_geometry_that_is_none),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_huge_pages),
		cmocka_unit_test(test_table_that_the_kernel_tells_of),
		cmocka_unit_test(test_facts_that_tell_no_table),
		cmocka_unit_test(test_vmalloc_by_the_kernels_table),
		cmocka_unit_test(test_kernel_in_its_window),
	};

	return cmocka_run_group_tests(tests, find_loongarch64, NULL);
}
