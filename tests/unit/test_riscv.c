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

static const struct arch *riscv64, *riscv32;

static int find_both(void **state)
{
	(void)state;
	riscv64 = arch_find("riscv:rv64");
	riscv32 = arch_find("riscv:rv32");
	return riscv64 && riscv32 ? 0 : -1;
}

static void test_rows(void **state)
{
	(void)state;
	assert_string_equal(riscv64->name, "riscv64");
	assert_string_equal(riscv32->name, "riscv32");
	assert_int_equal(riscv64->elf_machine, 243);
	assert_int_equal(riscv32->elf_machine, 243);
	assert_int_equal(riscv64->elf_class, ELFCLASS64);
	assert_int_equal(riscv32->elf_class, ELFCLASS32);
	assert_int_equal(riscv64->order, LITTLE);
	assert_int_equal(riscv32->order, LITTLE);
	assert_int_equal(riscv32->align64, 4);
	assert_true(riscv64->phys_base_is_ram_start);
	assert_true(riscv32->phys_base_is_ram_start);
}

static void test_one_stub_name_for_both(void **state)
{
	static const uint8_t pc[8] = { 0 };
	struct registers cpu;

	(void)state;
	assert_ptr_equal(arch_find("riscv"), riscv64);
	registers_init(&cpu, 0, LITTLE);
	assert_ptr_equal(riscv64->variant(&cpu, 1), riscv64);
	registers_set(&cpu, "pc", pc, 4);
	assert_ptr_equal(riscv64->variant(&cpu, 1), riscv32);
	registers_set(&cpu, "pc", pc, 8);
	assert_ptr_equal(riscv64->variant(&cpu, 1), riscv64);
	registers_deinit(&cpu);
}

static void test_a_core_needs_a_vcpu(void **state)
{
	struct registers cpu;
	struct error error;

	(void)state;
	registers_init(&cpu, 0, LITTLE);
	assert_int_equal(riscv64->check(&cpu, 0, &error), -1);
	assert_int_equal(riscv32->check(&cpu, 0, &error), -1);
	/* Fresh from reset: no translation, nothing is wrong. */
	assert_int_equal(riscv64->check(&cpu, 1, &error), 0);
	assert_int_equal(riscv32->check(&cpu, 1, &error), 0);
	registers_deinit(&cpu);
}

/* ---- notes ---- */

/* x0 to x31 and pc, as QEMU's stub calls them. */
static const char *const names[] = { "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "fp", "s1",
	"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8",
	"s9", "s10", "s11", "t3", "t4", "t5", "t6", "pc" };

enum { NAMES = sizeof(names) / sizeof(names[0]), PC = 32 };

/* The value of xN of a vCPU, and with N = 32 that of pc. */
static uint64_t value(unsigned cpu, unsigned n)
{
	return 0x1122334400000000 * (n != 0) + 0x55660000 + 0x100 * cpu + n;
}

static struct registers cpu_of(unsigned index, size_t size)
{
	struct registers cpu;
	uint8_t bytes[8];

	registers_init(&cpu, index, LITTLE);
	for (unsigned n = 0; n < NAMES; n++) {
		put_le64(bytes, value(index, n));
		registers_set(&cpu, names[n], bytes, size);
	}
	return cpu;
}

static void expect_header(const uint8_t *at, uint32_t desc_size)
{
	assert_int_equal(get_le32(at), 5);
	assert_int_equal(get_le32(at + 4), desc_size);
	assert_int_equal(get_le32(at + 8), NT_PRSTATUS);
	assert_memory_equal(at + 12, "CORE\0\0\0", 8);
}

static void test_notes_64(void **state)
{
	struct registers cpus[] = { cpu_of(0, 8), cpu_of(1, 8) };
	struct notes notes;
	char missing[64] = "x";

	(void)state;
	notes_init(&notes, LITTLE);
	riscv64->write_notes(cpus, 2, &notes, missing, sizeof(missing));
	assert_string_equal(missing, "");
	assert_int_equal(notes.size, 2 * (20 + 376));
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *note = notes.bytes + i * (20 + 376);
		uint8_t expected[376] = { 0 };

		expect_header(note, 376);
		expected[0x20] = (uint8_t)(i + 1);
		put_le64(expected + 0x70, value(i, PC));
		for (unsigned n = 1; n < 32; n++)
			put_le64(expected + 0x70 + (size_t)8 * n, value(i, n));
		assert_memory_equal(note + 20, expected, sizeof(expected));
		registers_deinit(&cpus[i]);
	}
	notes_deinit(&notes);
}

static void test_notes_32(void **state)
{
	struct registers cpus[] = { cpu_of(0, 4), cpu_of(1, 4) };
	struct notes notes;
	char missing[64] = "x";

	(void)state;
	notes_init(&notes, LITTLE);
	riscv32->write_notes(cpus, 2, &notes, missing, sizeof(missing));
	assert_string_equal(missing, "");
	assert_int_equal(notes.size, 2 * (20 + 204));
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *note = notes.bytes + i * (20 + 204);
		uint8_t expected[204] = { 0 };

		expect_header(note, 204);
		expected[0x18] = (uint8_t)(i + 1);
		put_le32(expected + 0x48, (uint32_t)value(i, PC));
		for (unsigned n = 1; n < 32; n++)
			put_le32(expected + 0x48 + (size_t)4 * n, (uint32_t)value(i, n));
		assert_memory_equal(note + 20, expected, sizeof(expected));
		registers_deinit(&cpus[i]);
	}
	notes_deinit(&notes);
}

static void test_missing_registers_are_zero_and_named(void **state)
{
	struct registers bare;
	struct notes notes;
	char missing[64];

	(void)state;
	registers_init(&bare, 0, LITTLE);
	for (unsigned n = 0; n < NAMES; n++)
		if (strcmp(names[n], "sp") != 0 && strcmp(names[n], "t6") != 0)
			registers_set_u64(&bare, names[n], value(0, n));
	notes_init(&notes, LITTLE);
	riscv64->write_notes(&bare, 1, &notes, missing, sizeof(missing));
	assert_string_equal(missing, "sp, t6");
	assert_int_equal(get_le64(notes.bytes + 20 + 0x70 + 8), value(0, 1));
	assert_int_equal(get_le64(notes.bytes + 20 + 0x70 + 16), 0);
	assert_int_equal(get_le64(notes.bytes + 20 + 0x70 + 24), value(0, 3));
	assert_int_equal(get_le64(notes.bytes + 20 + 0x70 + 31 * 8), 0);
	notes_deinit(&notes);
	registers_deinit(&bare);
}

static void expect_registers(const struct arch_register *registers, unsigned bits)
{
	for (unsigned n = 0; n < NAMES; n++) {
		assert_string_equal(registers[n].name, names[n]);
		assert_int_equal(registers[n].bits, bits);
	}
	assert_null(registers[NAMES].name);
}

static void test_registers_by_custom(void **state)
{
	(void)state;
	expect_registers(riscv64->default_registers, 64);
	expect_registers(riscv32->default_registers, 32);
}

/* ---- roots ---- */

static bool table_of(const struct arch *arch, uint64_t satp, unsigned nth, struct page_table *table)
{
	struct registers cpu;
	bool found;

	registers_init(&cpu, 0, LITTLE);
	registers_set_u64(&cpu, "satp", satp);
	found = arch->page_table(&cpu, 0x88000000, nth, table);
	registers_deinit(&cpu);
	return found;
}

static void expect_table(
	uint64_t satp, unsigned levels, uint64_t root, uint64_t low_last, uint64_t high_first)
{
	struct page_table table;

	assert_true(table_of(riscv64, satp, 0, &table));
	assert_ptr_equal(table.arch, riscv64);
	assert_int_equal(table.root, root);
	assert_int_equal(table.levels, levels);
	assert_int_equal(table.page_shift, 12);
	for (unsigned level = 0; level < levels; level++)
		assert_int_equal(table.level_bits[level], 9);
	assert_int_equal(table.entry_size, 8);
	assert_int_equal(table.order, LITTLE);
	assert_int_equal(table.region_count, 2);
	assert_int_equal(table.regions[0].range.first, 0);
	assert_int_equal(table.regions[0].range.last, low_last);
	assert_int_equal(table.regions[1].range.first, high_first);
	assert_int_equal(table.regions[1].range.last, UINT64_MAX);
	assert_false(table.regions[0].linear);
	assert_false(table.regions[1].linear);
}

static void test_modes_of_64_bits(void **state)
{
	(void)state;
	/* An ASID is no address. */
	expect_table(0x8000000000081234, 3, 0x81234000, 0x3fffffffff, 0xffffffc000000000);
	expect_table(0x9123400000081234, 4, 0x81234000, 0x7fffffffffff, 0xffff800000000000);
	expect_table(0xaffff00000081234, 5, 0x81234000, 0xffffffffffffff, 0xff00000000000000);
	expect_table(0x80000fffffffffff, 3, 0xfffffffffff000, 0x3fffffffff, 0xffffffc000000000);
}

static void test_bare_and_unknown_modes_have_no_table(void **state)
{
	struct page_table table;
	struct registers cpu;

	(void)state;
	for (uint64_t mode = 0; mode < 16; mode++)
		assert_int_equal(table_of(riscv64, mode << 60 | 0x81234, 0, &table),
			mode >= 8 && mode <= 10);
	assert_false(table_of(riscv32, 0x00081234, 0, &table));
	registers_init(&cpu, 0, LITTLE);
	assert_false(riscv64->page_table(&cpu, 0x88000000, 0, &table));
	assert_false(riscv32->page_table(&cpu, 0x88000000, 0, &table));
	registers_deinit(&cpu);
}

/* One root, but two ways in which kernels with Sv39 have shared out the addresses. */
static void test_layouts(void **state)
{
	struct page_table newer, older, none;

	(void)state;
	assert_true(table_of(riscv64, 0x8000000000081234, 0, &newer));
	assert_true(table_of(riscv64, 0x8000000000081234, 1, &older));
	assert_int_equal(newer.root, older.root);
	assert_int_not_equal(newer.flavor, older.flavor);
	assert_false(table_of(riscv64, 0x8000000000081234, 2, &none));
	assert_false(table_of(riscv64, 0x9000000000081234, 1, &none));
	assert_false(table_of(riscv64, 0xa000000000081234, 1, &none));
	assert_false(table_of(riscv32, 0x80081234, 1, &none));
}

static void test_mode_of_32_bits(void **state)
{
	struct page_table table;

	(void)state;
	/* An ASID of all ones; the address has 34 bits. */
	assert_true(table_of(riscv32, 0xffffffff, 0, &table));
	assert_ptr_equal(table.arch, riscv32);
	assert_int_equal(table.root, 0x3fffff000);
	assert_int_equal(table.levels, 2);
	assert_int_equal(table.page_shift, 12);
	assert_int_equal(table.level_bits[0], 10);
	assert_int_equal(table.level_bits[1], 10);
	assert_int_equal(table.entry_size, 4);
	assert_int_equal(table.region_count, 1);
	assert_int_equal(table.regions[0].range.first, 0);
	assert_int_equal(table.regions[0].range.last, UINT32_MAX);
}

/* ---- entries ---- */

enum { V = 1, R = 2, W = 4, X = 8, U = 0x10, G = 0x20, A = 0x40, D = 0x80 };
#define NAPOT (UINT64_C(1) << 63)

static uint64_t pte(uint64_t paddr, unsigned flags)
{
	return paddr >> 12 << 10 | flags;
}

static struct paging_entry entry_at(unsigned level, uint64_t vaddr, uint64_t raw)
{
	struct page_table table;

	assert_true(table_of(riscv64, 0xa000000000081234, 0, &table));
	return riscv64->paging_entry(&table, level, vaddr, raw);
}

static struct paging_entry entry(unsigned level, uint64_t raw)
{
	return entry_at(level, 0, raw);
}

static void test_tables(void **state)
{
	(void)state;
	for (unsigned level = 0; level < 5; level++) {
		struct paging_entry found = entry(level, pte(0x81235000, V));

		/* Under the last level there is none. */
		assert_int_equal(found.present, level > 0);
		assert_false(found.leaf);
		assert_int_equal(found.address, 0x81235000);
		/* It takes no rights away. */
		assert_true(found.writable && found.executable && found.user);
		assert_false(entry(level, pte(0x81235000, 0)).present);
		assert_false(entry(level, pte(0x81235000, V) | NAPOT).present);
		/* What software may use, what is reserved and memory types are no address. */
		found = entry(level, pte(0x81235000, V | 0x300) | UINT64_C(0x7fc0000000000000));
		assert_int_equal(found.address, 0x81235000);
	}
}

static void test_leaves_of_every_size(void **state)
{
	static const uint64_t sizes[] = { 0x1000, 0x200000, 0x40000000, 0x8000000000,
		0x1000000000000 };

	(void)state;
	for (unsigned level = 0; level < 5; level++) {
		struct paging_entry found = entry(level, pte(3 * sizes[level], V | R));

		assert_true(found.present && found.leaf);
		assert_int_equal(found.address, 3 * sizes[level]);
		if (level)
			assert_false(entry(level, pte(sizes[level] + 0x1000, V | R)).present);
		if (level)
			assert_false(entry(level, pte(sizes[level] * 3 / 2, V | R)).present);
	}
	assert_int_equal(entry(0, pte(0xfffffffffff000, V | R)).address, 0xfffffffffff000);
}

static void test_rights(void **state)
{
	static const struct {
		unsigned flags;
		bool present, writable, executable, user;
	} cases[] = {
		{ V | R, true, false, false, false },
		{ V | R | W, true, true, false, false },
		{ V | R | X, true, false, true, false },
		{ V | R | W | X, true, true, true, false },
		{ V | X, true, false, true, false },
		{ V | R | U, true, false, false, true },
		{ V | R | W | G | A | D | 0x300, true, true, false, false },
		/* Reserved. */
		{ V | W, false, true, false, false },
		{ V | W | X, false, true, true, false },
		{ R | W | X | U | G | A | D, false, true, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct paging_entry found = entry(0, pte(0x81235000, cases[i].flags));

		assert_true(found.leaf);
		assert_int_equal(found.present, cases[i].present);
		assert_int_equal(found.writable, cases[i].writable);
		assert_int_equal(found.executable, cases[i].executable);
		assert_int_equal(found.user, cases[i].user);
	}
}

static void test_memory_types_are_no_address(void **state)
{
	(void)state;
	for (uint64_t type = 0; type < 4; type++)
		assert_int_equal(entry(1, pte(0x81200000, V | R) | type << 61).address, 0x81200000);
}

static void test_pages_of_64_kib(void **state)
{
	struct paging_entry found;

	(void)state;
	found = entry_at(0, 0xffffffff80015678, pte(0x81238000, V | R | W) | NAPOT);
	assert_true(found.present && found.leaf && found.writable);
	assert_int_equal(found.address, 0x81235000);
	found = entry_at(0, 0xffffffff8001f000, pte(0x81238000, V | R | W) | NAPOT);
	assert_int_equal(found.address, 0x8123f000);
	found = entry_at(0, 0xffffffff80010000, pte(0x81238000, V | R | W) | NAPOT);
	assert_int_equal(found.address, 0x81230000);
	/* Without the bit it is one page. */
	found = entry_at(0, 0xffffffff80015678, pte(0x81238000, V | R | W));
	assert_int_equal(found.address, 0x81238000);
	/* Other sizes are reserved; so are large pages of this kind. */
	for (uint64_t low = 0; low < 16; low++)
		assert_int_equal(
			entry(0, pte(0x81230000 + (low << 12), V | R) | NAPOT).present, low == 8);
	assert_false(entry(1, pte(0x81200000, V | R) | NAPOT).present);
	assert_false(entry(1, pte(0x81208000, V | R) | NAPOT).present);
}

static void test_entries_of_32_bits(void **state)
{
	struct page_table table;
	struct paging_entry found;

	(void)state;
	assert_true(table_of(riscv32, 0x80081234, 0, &table));
	/* Addresses of 34 bits in an entry of 32. */
	found = riscv32->paging_entry(&table, 0, 0, 0xfffffc00 | V | R);
	assert_true(found.present && found.leaf);
	assert_int_equal(found.address, 0x3fffff000);
	found = riscv32->paging_entry(&table, 1, 0, 0xfff00000 | V | R | X);
	assert_true(found.present && found.leaf && found.executable && !found.writable);
	assert_int_equal(found.address, 0x3ffc00000);
	assert_false(riscv32->paging_entry(&table, 1, 0, 0xfff00400 | V | R).present);
	found = riscv32->paging_entry(&table, 1, 0, 0x20480400 | V);
	assert_true(found.present && !found.leaf);
	assert_int_equal(found.address, 0x81201000);
	assert_false(riscv32->paging_entry(&table, 0, 0, 0x20480400 | V).present);
}

/* ---- Linux kernels ---- */

/*
 * 128 MiB of RAM as of QEMU's virt machine: firmware in the first 2 MiB, which no kernel maps, then
 * the kernel image, and page tables at 0x80e00000.
 */
enum { TABLES = 0x80e00000, TABLES_SIZE = 16 * 0x1000 };
#define RAM_START UINT64_C(0x80000000)
#define RAM_SIZE  UINT64_C(0x8000000)
#define RAM_END   (RAM_START + RAM_SIZE)
#define IMAGE     (RAM_START + 0x200000)
#define IMAGE_32  (RAM_START + 0x400000)

static struct guest {
	uint8_t tables[TABLES_SIZE];
	uint64_t next;
	unsigned entry_size;
} guest;

static int read_tables(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx;
	if (paddr < TABLES || paddr - TABLES > TABLES_SIZE || len > TABLES + TABLES_SIZE - paddr)
		return -1;
	memcpy(buf, guest.tables + (paddr - TABLES), len);
	return 0;
}

static const struct guest_memory memory = { .read = read_tables };

static void reset_tables(unsigned entry_size)
{
	guest = (struct guest){ .next = TABLES + 0x1000, .entry_size = entry_size };
}

/* Maps one page of the level's size; the root is at TABLES. */
static void map(unsigned levels, unsigned level, uint64_t vaddr, uint64_t paddr, unsigned flags)
{
	unsigned bits = guest.entry_size == 8 ? 9 : 10;
	uint64_t table = TABLES;

	for (unsigned at = levels - 1;; at--) {
		uint64_t index = vaddr >> (12 + at * bits) & ((UINT64_C(1) << bits) - 1);
		uint8_t *slot = guest.tables + (table - TABLES) + index * guest.entry_size;
		uint64_t raw = guest.entry_size == 8 ? get_le64(slot) : get_le32(slot);

		if (at == level)
			raw = pte(paddr, flags);
		else if (!raw)
			raw = pte(guest.next, V), guest.next += 0x1000;
		assert_true(guest.next <= TABLES + TABLES_SIZE);
		if (guest.entry_size == 8)
			put_le64(slot, raw);
		else
			put_le32(slot, (uint32_t)raw);
		if (at == level)
			return;
		table = raw >> 10 << 12;
	}
}

static void map_large(unsigned levels, uint64_t vaddr, uint64_t paddr, uint64_t end, unsigned flags)
{
	uint64_t size = guest.entry_size == 8 ? 0x200000 : 0x400000;

	for (; paddr < end; paddr += size, vaddr += size)
		map(levels, 1, vaddr, paddr, flags | V | A | D | G);
}

static struct kernel find_kernel(const struct arch *arch, uint64_t satp)
{
	struct kernel kernel;
	struct registers cpu;
	struct ranges ram;

	ranges_init(&ram);
	assert_int_equal(ranges_add(&ram, RAM_START, RAM_SIZE), 0);
	registers_init(&cpu, 0, LITTLE);
	registers_set_u64(&cpu, "satp", satp);
	kernel_init(&kernel);
	kernel_find_mappings(&kernel, arch, &cpu, 1, &ram, &memory);
	registers_deinit(&cpu);
	ranges_deinit(&ram);
	return kernel;
}

/* Of Linux 5.13 and later: the direct map shows the image as well, but nothing to execute. */
static void map_newer_kernel(unsigned levels, uint64_t image, uint64_t page_offset)
{
	reset_tables(8);
	map_large(levels, page_offset + 0x200000, IMAGE, IMAGE + 0x600000, R);
	map_large(levels, page_offset + 0x800000, IMAGE + 0x600000, RAM_END, R | W);
	map_large(levels, image, IMAGE, IMAGE + 0x400000, R | X);
	map_large(levels, image + 0x400000, IMAGE + 0x400000, IMAGE + 0x600000, R);
	map_large(levels, image + 0x600000, IMAGE + 0x600000, IMAGE + 0xa00000, R | W);
}

static void expect_newer_kernel(
	unsigned levels, uint64_t mode, uint64_t image, uint64_t page_offset)
{
	struct kernel kernel;
	uint64_t paddr;

	map_newer_kernel(levels, image, page_offset);
	kernel = find_kernel(riscv64, mode << 60 | TABLES >> 12);
	assert_true(kernel.mapped);
	assert_int_equal(kernel.table.root, TABLES);
	assert_int_equal(kernel.text.vaddr, image);
	assert_int_equal(kernel.text.paddr, IMAGE);
	assert_int_equal(kernel.text.size, 0xa00000);
	assert_int_equal(kernel.direct_map, page_offset - RAM_START);
	assert_int_equal(kernel.direct_map_start, 0);
	assert_int_equal(kernel.direct_map_end, UINT64_MAX);
	assert_true(paging_translate(&kernel.table, &memory, image + 0x654321, &paddr));
	assert_int_equal(paddr, IMAGE + 0x654321);
	kernel_deinit(&kernel);
}

static void test_kernels_of_every_mode(void **state)
{
	(void)state;
	expect_newer_kernel(3, 8, 0xffffffff80000000, 0xffffffd600000000);
	expect_newer_kernel(3, 8, 0xffffffff80000000, 0xffffffd800000000);
	expect_newer_kernel(3, 8, 0xffffffff80000000, 0xffffffe000000000);
	expect_newer_kernel(4, 9, 0xffffffff80000000, 0xffffaf8000000000);
	expect_newer_kernel(5, 10, 0xffffffff80000000, 0xff60000000000000);
	/* With KASLR. */
	expect_newer_kernel(4, 9, 0xffffffff9c200000, 0xffffaf8000000000);
}

static void test_no_kernel_without_its_parts(void **state)
{
	struct kernel kernel;

	(void)state;
	map_newer_kernel(3, 0xffffffff80000000, 0xffffffd600000000);
	kernel = find_kernel(riscv64, TABLES >> 12);
	assert_false(kernel.mapped);
	kernel_deinit(&kernel);
	/* The direct map of another kernel's RAM: the image is not where it would be. */
	reset_tables(8);
	map_large(3, 0xffffffd600000000, IMAGE + 0x200000, RAM_END, R | W);
	map_large(3, 0xffffffff80000000, IMAGE, IMAGE + 0x200000, R | X);
	kernel = find_kernel(riscv64, UINT64_C(8) << 60 | TABLES >> 12);
	assert_false(kernel.mapped);
	kernel_deinit(&kernel);
}

/* Before 5.13 the direct map begins with the image, all of it to be executed. */
static void test_kernel_in_its_direct_map(void **state)
{
	struct kernel kernel;

	(void)state;
	reset_tables(8);
	map_large(3, 0xffffffe000000000, IMAGE, RAM_END, R | W | X);
	kernel = find_kernel(riscv64, UINT64_C(8) << 60 | TABLES >> 12);
	assert_true(kernel.mapped);
	assert_int_equal(kernel.text.vaddr, 0xffffffe000000000);
	assert_int_equal(kernel.text.paddr, IMAGE);
	assert_int_equal(kernel.direct_map, 0xffffffe000000000 - IMAGE);
	kernel_deinit(&kernel);
}

static void test_kernel_of_32_bits(void **state)
{
	struct kernel kernel;
	uint64_t paddr;

	(void)state;
	reset_tables(4);
	map_large(2, 0xc0400000, IMAGE_32, IMAGE_32 + 0x400000, R | X);
	map_large(2, 0xc0800000, IMAGE_32 + 0x400000, RAM_END, R | W);
	kernel = find_kernel(riscv32, 0x80000000 | TABLES >> 12);
	assert_true(kernel.mapped);
	assert_int_equal(kernel.text.vaddr, 0xc0400000);
	assert_int_equal(kernel.text.paddr, IMAGE_32);
	assert_int_equal(kernel.direct_map, 0xc0000000 - RAM_START);
	assert_int_equal(kernel.direct_map_start, IMAGE_32);
	assert_int_equal(kernel.direct_map_end, RAM_END);
	assert_true(paging_translate(&kernel.table, &memory, 0xc1234567, &paddr));
	assert_int_equal(paddr, 0x81234567);
	assert_false(paging_translate(&kernel.table, &memory, 0xc0000000, &paddr));
	kernel_deinit(&kernel);
}

static int count_visit(void *ctx, const struct mapping *mapping)
{
	struct mapping *seen = ctx;

	assert_int_equal(seen->size, 0);
	*seen = *mapping;
	return 0;
}

static void test_walk_over_pages_of_64_kib(void **state)
{
	struct mapping seen = { 0 };
	struct page_table table;

	(void)state;
	reset_tables(8);
	for (uint64_t i = 0; i < 32; i++)
		map(3, 0, 0xffffffff80000000 + (i << 12), 0x81008000 + (i >> 4 << 16), V | R);
	/* Sixteen equal entries each, which differ by what the address says. */
	for (size_t i = 0; i < 32; i++) {
		uint8_t *slot = guest.tables + (guest.next - 0x1000 - TABLES) + 8 * i;

		put_le64(slot, get_le64(slot) | NAPOT);
	}
	assert_true(table_of(riscv64, UINT64_C(8) << 60 | TABLES >> 12, 0, &table));
	assert_int_equal(
		paging_walk(&table, &memory, 0xffffffff80000000, UINT64_MAX, count_visit, &seen),
		0);
	assert_int_equal(seen.vaddr, 0xffffffff80000000);
	assert_int_equal(seen.paddr, 0x81000000);
	assert_int_equal(seen.size, 0x20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_one_stub_name_for_both),
		cmocka_unit_test(test_a_core_needs_a_vcpu),
		cmocka_unit_test(test_notes_64),
		cmocka_unit_test(test_notes_32),
		cmocka_unit_test(test_missing_registers_are_zero_and_named),
		cmocka_unit_test(test_registers_by_custom),
		cmocka_unit_test(test_modes_of_64_bits),
		cmocka_unit_test(test_bare_and_unknown_modes_have_no_table),
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_mode_of_32_bits),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_leaves_of_every_size),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_memory_types_are_no_address),
		cmocka_unit_test(test_pages_of_64_kib),
		cmocka_unit_test(test_entries_of_32_bits),
		cmocka_unit_test(test_kernels_of_every_mode),
		cmocka_unit_test(test_no_kernel_without_its_parts),
		cmocka_unit_test(test_kernel_in_its_direct_map),
		cmocka_unit_test(test_kernel_of_32_bits),
		cmocka_unit_test(test_walk_over_pages_of_64_kib),
	};

	return cmocka_run_group_tests(tests, find_both, NULL);
}
