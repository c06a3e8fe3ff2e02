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

static const struct arch *ppc64, *ppc64le;

static int find_both(void **state)
{
	(void)state;
	ppc64 = arch_find("powerpc:common64");
	ppc64le = arch_find("ppc64le");
	return ppc64 && ppc64le && ppc64 != ppc64le ? 0 : -1;
}

static void test_rows(void **state)
{
	const struct arch *rows[] = { ppc64, ppc64le };
	struct registers cpu;
	struct error error;

	(void)state;
	registers_init(&cpu, 0, BIG);
	assert_string_equal(ppc64->name, "ppc64");
	assert_int_equal(ppc64->order, BIG);
	assert_int_equal(ppc64le->order, LITTLE);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(rows[i]->elf_machine, 21);
		assert_int_equal(rows[i]->elf_class, ELFCLASS64);
		assert_int_equal(rows[i]->page_shift, 12);
		assert_int_equal(rows[i]->check(&cpu, 0, &error), -1);
		assert_int_equal(rows[i]->check(&cpu, 1, &error), 0);
	}
}

static void test_registers_without_a_description(void **state)
{
	size_t count = 0, bits = 0;

	(void)state;
	for (; ppc64->default_registers[count].name; count++)
		bits += ppc64->default_registers[count].bits;
	assert_int_equal(count, 71);
	assert_int_equal(bits / 8, 64 * 8 + 4 * 8 + 3 * 4);
	assert_string_equal(ppc64->default_registers[32].name, "f0");
	assert_string_equal(ppc64->default_registers[64].name, "pc");
	assert_string_equal(ppc64->default_registers[70].name, "fpscr");
}

/* ---- byte orders ---- */

#define BE_MSR UINT64_C(0x8000000000000000)
#define LE_MSR UINT64_C(0x8000000000000001)
#define ILE    UINT64_C(0x2000000)
#define HV     UINT64_C(0x1000000000000000)
#define HILE_8 UINT64_C(0x0000100000000000)
#define HILE_9 UINT64_C(0x0800000000000000)
#define POWER8 UINT64_C(0x004d0200)
#define POWER9 UINT64_C(0x004e1200)

/* As QEMU's stub sends it: in the byte order that MSR.LE says. */
static void send(struct registers *cpu, uint64_t msr, const char *name, uint64_t value)
{
	uint8_t bytes[8];

	put_u64(bytes, value, msr & 1 ? LITTLE : BIG);
	assert_int_equal(registers_set(cpu, name, bytes, sizeof(bytes)), 0);
}

static struct registers cpu_in(uint64_t msr, uint64_t lpcr)
{
	struct registers cpu;

	registers_init(&cpu, 0, BIG);
	send(&cpu, msr, "msr", msr);
	send(&cpu, msr, "lpcr", lpcr);
	return cpu;
}

static void assert_variant(struct registers cpu, const struct arch *arch, enum byte_order order)
{
	assert_ptr_equal(ppc64->variant(&cpu, 1), arch);
	assert_int_equal(cpu.order, order);
	registers_deinit(&cpu);
}

static void test_order_of_interrupts(void **state)
{
	(void)state;
	assert_variant(cpu_in(0, 0x3f008), ppc64, BIG); /* fresh from reset */
	assert_variant(cpu_in(BE_MSR, 0x3f008), ppc64, BIG);
	assert_variant(cpu_in(BE_MSR, ILE), ppc64le, BIG); /* in firmware for a moment */
	assert_variant(cpu_in(LE_MSR, ILE), ppc64le, LITTLE);
	assert_variant(cpu_in(LE_MSR, 0x3f008), ppc64, LITTLE);
}

static void test_order_without_lpcr(void **state)
{
	const uint64_t msrs[] = { BE_MSR, LE_MSR };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct registers cpu;

		registers_init(&cpu, 0, BIG);
		send(&cpu, msrs[i], "msr", msrs[i]);
		assert_variant(cpu, i ? ppc64le : ppc64, i ? LITTLE : BIG);
	}
	assert_ptr_equal(ppc64->variant(NULL, 0), ppc64);
}

static void test_order_of_a_hypervisor(void **state)
{
	static const struct {
		uint64_t pvr, hid0;
		bool little;
	} cases[] = {
		{ POWER8, HILE_8, true },
		{ POWER8, HILE_9, false },
		{ POWER9, HILE_9, true },
		{ POWER9, HILE_8, false },
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct registers cpu = cpu_in(BE_MSR | HV, ILE);

		send(&cpu, 0, "pvr", cases[i].pvr);
		send(&cpu, 0, "hid0", cases[i].hid0);
		assert_variant(cpu, cases[i].little ? ppc64le : ppc64, BIG);
	}
}

static void test_each_vcpu_has_its_order(void **state)
{
	struct registers cpus[2] = { cpu_in(LE_MSR, ILE), cpu_in(0, 0) };

	(void)state;
	send(&cpus[0], LE_MSR, "pc", 0xc000000000001234);
	send(&cpus[1], 0, "pc", 0x100);
	assert_ptr_equal(ppc64->variant(cpus, 2), ppc64le);
	assert_int_equal(registers_u64(&cpus[0], "pc"), 0xc000000000001234);
	assert_int_equal(registers_u64(&cpus[1], "pc"), 0x100);
	registers_deinit(&cpus[0]);
	registers_deinit(&cpus[1]);
}

/* ---- notes ---- */

/* An integer of this size: the byte `kind`, its number, zeros, and 1. */
static void put_value(
	uint8_t *to, size_t size, uint8_t kind, unsigned number, enum byte_order order)
{
	uint8_t big[16] = { kind, (uint8_t)number };

	big[size - 1] = 1;
	for (size_t i = 0; i < size; i++)
		to[i] = big[order == BIG ? i : size - 1 - i];
}

static void set_numbered(
	struct registers *cpu, const char *prefix, const char *suffix, uint8_t kind, size_t size)
{
	char name[REGISTER_NAME_MAX];
	uint8_t bytes[16];

	for (unsigned n = 0; n < 32; n++) {
		snprintf(name, sizeof(name), "%s%u%s", prefix, n, suffix);
		put_value(bytes, size, kind, n, cpu->order);
		assert_int_equal(registers_set(cpu, name, bytes, size), 0);
	}
}

static void set_one(struct registers *cpu, const char *name, uint8_t kind, size_t size)
{
	uint8_t bytes[8];

	put_value(bytes, size, kind, 0, cpu->order);
	assert_int_equal(registers_set(cpu, name, bytes, size), 0);
}

enum { GPR = 0x11, FPR, VR, VSX, PC, MSR, CR, LR, CTR, XER, FPSCR, VSCR };

static struct registers stub_cpu(unsigned index, enum byte_order order)
{
	struct registers cpu;

	registers_init(&cpu, index, order);
	set_numbered(&cpu, "r", "", GPR, 8);
	set_numbered(&cpu, "f", "", FPR, 8);
	set_numbered(&cpu, "vr", "", VR, 16);
	set_numbered(&cpu, "vs", "h", VSX, 8);
	set_one(&cpu, "pc", PC, 8);
	set_one(&cpu, "msr", MSR, 8);
	set_one(&cpu, "cr", CR, 4);
	set_one(&cpu, "lr", LR, 8);
	set_one(&cpu, "ctr", CTR, 8);
	set_one(&cpu, "xer", XER, 4);
	set_one(&cpu, "fpscr", FPSCR, 4);
	set_one(&cpu, "vscr", VSCR, 4);
	return cpu;
}

static void put_numbered(
	uint8_t *desc, size_t offset, size_t size, uint8_t kind, enum byte_order order)
{
	for (unsigned n = 0; n < 32; n++)
		put_value(desc + offset + n * size, size, kind, n, order);
}

/* Four bytes at the low end of eight. */
static void put_short(uint8_t *to, uint8_t kind, enum byte_order order)
{
	put_value(to + (order == BIG ? 4 : 0), 4, kind, 0, order);
}

static void assert_next(
	const struct notes *notes, size_t *offset, uint32_t type, const uint8_t *desc, size_t size)
{
	struct note note;

	assert_true(notes_next(notes->bytes, notes->size, notes->order, offset, &note));
	assert_string_equal(note.name, "CORE");
	assert_int_equal(note.type, type);
	assert_int_equal(note.desc_size, size);
	assert_memory_equal(note.desc, desc, size);
}

static void assert_notes_of(const struct notes *notes, size_t *offset, unsigned cpu)
{
	uint8_t prstatus[504] = { 0 }, fpregs[264] = { 0 }, vmx[544] = { 0 }, vsx[256] = { 0 };
	uint8_t spe[140] = { 0 };
	enum byte_order order = notes->order;

	prstatus[order == BIG ? 0x23 : 0x20] = (uint8_t)(cpu + 1);
	put_numbered(prstatus, 0x70, 8, GPR, order);
	put_value(prstatus + 0x170, 8, PC, 0, order);
	put_value(prstatus + 0x178, 8, MSR, 0, order);
	put_value(prstatus + 0x188, 8, CTR, 0, order);
	put_value(prstatus + 0x190, 8, LR, 0, order);
	put_short(prstatus + 0x198, XER, order);
	put_short(prstatus + 0x1a0, CR, order);
	put_numbered(fpregs, 0, 8, FPR, order);
	put_short(fpregs + 0x100, FPSCR, order);
	put_numbered(vmx, 0, 16, VR, order);
	put_value(vmx + 0x20c, 4, VSCR, 0, order);
	put_numbered(vsx, 0, 8, VSX, order);
	assert_next(notes, offset, 1, prstatus, 504);
	assert_next(notes, offset, 2, fpregs, 264);
	assert_next(notes, offset, 0x100, vmx, 544);
	assert_next(notes, offset, 0x102, vsx, 256);
	assert_next(notes, offset, 0x101, spe, 140);
}

/* Whatever orders the two vCPUs are in, the notes are in the core's. */
static void test_notes(void **state)
{
	static const enum byte_order orders[] = { BIG, LITTLE };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct registers cpus[2] = { stub_cpu(0, orders[i]), stub_cpu(1, BIG) };
		const struct arch *arch = i ? ppc64le : ppc64;
		struct notes notes;
		char missing[200] = "x";
		size_t offset = 0;

		notes_init(&notes, arch->order);
		arch->write_notes(cpus, 2, &notes, missing, sizeof(missing));
		assert_false(notes.failed);
		assert_notes_of(&notes, &offset, 0);
		assert_notes_of(&notes, &offset, 1);
		assert_int_equal(offset, notes.size);
		assert_string_equal(missing, "");
		notes_deinit(&notes);
		registers_deinit(&cpus[0]);
		registers_deinit(&cpus[1]);
	}
}

static void test_what_is_missing(void **state)
{
	struct registers cpu;
	struct notes notes;
	char missing[200];

	(void)state;
	registers_init(&cpu, 0, BIG);
	registers_set_u64(&cpu, "pc", 0x100);
	notes_init(&notes, BIG);
	ppc64->write_notes(&cpu, 1, &notes, missing, sizeof(missing));
	assert_string_equal(missing,
		"r0-r31, msr, ctr, lr, xer, cr, f0-f31, fpscr, vr0-vr31, vscr, vs0h-vs31h");
	notes_deinit(&notes);
	registers_deinit(&cpu);
}

/* ---- the linear map ---- */

static void assert_linear(const char *name, uint64_t value, bool expected)
{
	const struct arch *rows[] = { ppc64, ppc64le };

	for (size_t i = 0; i < 2; i++) {
		struct registers cpu;
		struct page_table table;
		uint64_t paddr;

		registers_init(&cpu, 0, rows[i]->order);
		registers_set_u64(&cpu, name, value);
		assert_int_equal(rows[i]->page_table(&cpu, 0, 0, &table), expected);
		if (expected) {
			assert_ptr_equal(table.arch, rows[i]);
			assert_int_equal(table.levels, 0);
			assert_true(paging_translate(&table, NULL, 0xc000000012345678, &paddr));
			assert_int_equal(paddr, 0x12345678);
			assert_true(paging_translate(&table, NULL, 0xc007ffffffffffff, &paddr));
			assert_int_equal(paddr, 0x0007ffffffffffff);
			assert_false(paging_translate(&table, NULL, 0xc008000000000000, &paddr));
			assert_false(paging_translate(&table, NULL, 0x12345678, &paddr));
			assert_false(rows[i]->page_table(&cpu, 0, 1, &table));
		}
		registers_deinit(&cpu);
	}
}

static void test_linear_map(void **state)
{
	(void)state;
	assert_linear("pc", 0xc0000000000d1234, true);
	assert_linear("r13", 0xc000000002f00000, true);
	assert_linear("sprg1", 0xc000000002f00000, true);
	assert_linear("hsprg0", 0xc000000002f00000, true);
	/* Firmware, a user process, a module, a register of no meaning. */
	assert_linear("pc", 0x100, false);
	assert_linear("pc", 0x7fff12345678, false);
	assert_linear("pc", 0xc008000000001000, false);
	assert_linear("r12", 0xc0000000000d1234, false);
}

static void test_kernel_space(void **state)
{
	struct page_table table = { .levels = 0 };
	struct kernel_space space = ppc64le->kernel_space(&table);

	(void)state;
	assert_int_equal(space.text.first, 0xc000000000000000);
	assert_int_equal(space.text.last, 0xc000000007ffffff);
	assert_int_equal(space.direct_map.first, 0xc000000000000000);
	assert_int_equal(space.direct_map.last, 0xc007ffffffffffff);
	assert_int_equal(0xc000000000000000 % space.direct_map_align, 0);
	assert_int_equal(space.text_base, 0);
}

/* ---- radix tables ---- */

struct facts {
	uint64_t root; /* 0: not told */
	int64_t radix; /* negative: not told */
};

static bool tell_symbol(const void *ctx, const char *name, uint64_t *value)
{
	const struct facts *facts = ctx;

	*value = facts->root;
	return facts->root && strcmp(name, "swapper_pg_dir") == 0;
}

static bool tell_number(const void *ctx, const char *name, int64_t *value)
{
	const struct facts *facts = ctx;

	*value = facts->radix;
	return facts->radix >= 0 && strcmp(name, "RADIX_MMU") == 0;
}

static bool kernel_table(struct facts facts, uint64_t page_size, struct page_table *table)
{
	const struct kernel_facts told = {
		.symbol = tell_symbol,
		.number = tell_number,
		.ctx = &facts,
		.page_size = page_size,
	};

	*table = (struct page_table){ .arch = ppc64le };
	return ppc64le->kernel_table(&told, table);
}

#define ROOT UINT64_C(0xc000000000010000)

static void test_kernel_table(void **state)
{
	struct page_table table;

	(void)state;
	assert_true(kernel_table((struct facts){ ROOT, -1 }, 4096, &table));
	assert_ptr_equal(table.arch, ppc64le);
	assert_int_equal(table.root, 0x10000);
	assert_int_equal(table.levels, 4);
	assert_int_equal(table.page_shift, 12);
	assert_int_equal(table.level_bits[0], 9);
	assert_int_equal(table.level_bits[1], 9);
	assert_int_equal(table.level_bits[2], 9);
	assert_int_equal(table.level_bits[3], 13);
	assert_int_equal(table.order, BIG); /* of a little-endian kernel as well */
	assert_int_equal(table.region_count, 1);
	assert_int_equal(table.regions[0].range.first, 0xc000000000000000);
	assert_int_equal(table.regions[0].range.last, 0xc00fffffffffffff);
	assert_false(table.regions[0].linear);
	assert_true(kernel_table((struct facts){ ROOT, 1 }, 65536, &table));
	assert_int_equal(table.page_shift, 16);
	assert_int_equal(table.level_bits[0], 5);
	assert_int_equal(table.level_bits[1], 9);
	assert_int_equal(table.level_bits[3], 13);

	assert_false(kernel_table((struct facts){ ROOT, 0 }, 65536, &table)); /* a hash table */
	assert_false(kernel_table((struct facts){ 0, 1 }, 65536, &table));
	assert_false(kernel_table((struct facts){ 0x10000, 1 }, 65536, &table));
	assert_false(kernel_table((struct facts){ 0xc008000000000000, 1 }, 65536, &table));
	assert_false(kernel_table((struct facts){ ROOT, 1 }, 16384, &table));
	assert_false(kernel_table((struct facts){ ROOT, 1 }, 0, &table));
}

enum { RAM_SIZE = 0x40000, UPPER = 0x20000, MIDDLE = 0x21000, LOWEST = 0x22100 };

static uint8_t ram[RAM_SIZE];

static int read_ram(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx;
	if (paddr > RAM_SIZE || len > RAM_SIZE - paddr)
		return -1;
	memcpy(buf, ram + paddr, len);
	return 0;
}

static const struct guest_memory memory = { .read = read_ram };

#define VALID      UINT64_C(0x8000000000000000)
#define LEAF       UINT64_C(0xc000000000000000)
#define SOFTWARE   UINT64_C(0x2e00000000000e00)
#define PRIVILEGED 8
#define READ       4
#define WRITE      2
#define EXECUTE    1

static void set(uint64_t table, unsigned index, uint64_t raw)
{
	put_be64(ram + table + 8 * index, raw);
}

static uint64_t translated(const struct page_table *table, uint64_t vaddr)
{
	uint64_t paddr;

	return paging_translate(table, &memory, vaddr, &paddr) ? paddr : UINT64_MAX;
}

static void test_walk_with_large_pages(void **state)
{
	struct page_table table;

	(void)state;
	memset(ram, 0, sizeof(ram));
	assert_true(kernel_table((struct facts){ ROOT, 1 }, 65536, &table));
	set(0x10000, 0, VALID | UPPER | 9);
	set(0x10000, 4096, VALID | MIDDLE | 9); /* 0xc008000000000000; 9 bits as well */
	set(UPPER, 0, VALID | MIDDLE | 9);
	set(UPPER, 1, LEAF | SOFTWARE | 0x140000000); /* 0xc000000040000000, 1 GiB */
	set(MIDDLE, 1, LEAF | 0x6000000);             /* 0xc000000000200000, 2 MiB */
	set(MIDDLE, 2, VALID | LOWEST | 5);           /* 0xc000000000400000 */
	set(MIDDLE, 3, VALID | LOWEST | 9);           /* of another size than this table's */
	set(LOWEST, 31, LEAF | SOFTWARE | 0x7770000); /* 0xc0000000005f0000, 64 KiB */
	assert_int_equal(translated(&table, 0xc000000040000000), 0x140000000);
	assert_int_equal(translated(&table, 0xc00000007fffffff), 0x17fffffff);
	assert_int_equal(translated(&table, 0xc000000000312345), 0x6112345);
	assert_int_equal(translated(&table, 0xc0000000005f1234), 0x7771234);
	assert_int_equal(translated(&table, 0xc0000000005e0000), UINT64_MAX);
	assert_int_equal(translated(&table, 0xc000000000600000), UINT64_MAX);
	assert_int_equal(translated(&table, 0xc000000000000000), UINT64_MAX);
	assert_int_equal(translated(&table, 0xc010000000000000), UINT64_MAX);
	assert_int_equal(translated(&table, 0x200000), UINT64_MAX);
}

static void test_walk_with_small_pages(void **state)
{
	struct page_table table;

	(void)state;
	memset(ram, 0, sizeof(ram));
	assert_true(kernel_table((struct facts){ ROOT, 1 }, 4096, &table));
	set(0x10000, 8191, VALID | UPPER | 9); /* 0xc00fff8000000000 */
	set(UPPER, 511, VALID | MIDDLE | 9);
	set(MIDDLE, 511, VALID | 0x23000 | 9);
	set(0x23000, 511, LEAF | 0x7771000);
	set(0x23000, 510, LEAF & ~VALID);
	set(MIDDLE, 510, LEAF | 0x6000000);
	assert_int_equal(translated(&table, 0xc00fffffffffffff), 0x7771fff);
	assert_int_equal(translated(&table, 0xc00fffffffffe000), UINT64_MAX);
	assert_int_equal(translated(&table, 0xc00fffffffc00001), 0x6000001);
}

static struct paging_entry entry(unsigned level, uint64_t raw)
{
	struct page_table table;

	assert_true(kernel_table((struct facts){ ROOT, 1 }, 4096, &table));
	return ppc64le->paging_entry(&table, level, 0, raw);
}

static void test_rights(void **state)
{
	struct paging_entry page = entry(0, LEAF | 0x5000 | PRIVILEGED | READ | WRITE);

	(void)state;
	assert_true(page.present && page.leaf && page.writable && !page.executable && !page.user);
	page = entry(1, LEAF | READ | EXECUTE);
	assert_true(page.present && page.leaf && !page.writable && page.executable && page.user);
	/* Those of tables are those of their pages. */
	page = entry(3, VALID | 0x5000 | 9);
	assert_true(page.present && !page.leaf && page.writable && page.executable && page.user);
}

static void test_odd_entries(void **state)
{
	(void)state;
	assert_false(entry(0, VALID | 0x5000).present); /* no table hangs from a page's entry */
	assert_false(entry(0, LEAF & ~VALID).present);
	assert_true(entry(2, LEAF).present);
	assert_false(entry(3, LEAF).present); /* no page is that large */
	assert_false(entry(1, 0x5000 | 9).present);
	assert_false(entry(1, VALID | 0x5000 | 5).present);
	assert_int_equal(entry(1, VALID | 0x3fffffffffffff00 | 9).address, 0x0fffffffffffff00);
	assert_int_equal(entry(0, UINT64_MAX).address, 0x01fffffffffff000);
	assert_int_equal(entry(1, UINT64_MAX).address, 0x01ffffffffe00000);
	assert_int_equal(entry(2, UINT64_MAX).address, 0x01ffffffc0000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_registers_without_a_description),
		cmocka_unit_test(test_order_of_interrupts),
		cmocka_unit_test(test_order_without_lpcr),
		cmocka_unit_test(test_order_of_a_hypervisor),
		cmocka_unit_test(test_each_vcpu_has_its_order),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_what_is_missing),
		cmocka_unit_test(test_linear_map),
		cmocka_unit_test(test_kernel_space),
		cmocka_unit_test(test_kernel_table),
		cmocka_unit_test(test_walk_with_large_pages),
		cmocka_unit_test(test_walk_with_small_pages),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_odd_entries),
	};

	return cmocka_run_group_tests(tests, find_both, NULL);
}
