// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <string.h>

#include "arch/arch.h"

#define BIT(n) ((uint64_t)1 << (n))

static const struct arch *little, *big;

static int find_both(void **state)
{
	(void)state;
	little = arch_find("aarch64");
	big = arch_find("aarch64_be");
	return little && big ? 0 : -1;
}

static void test_rows(void **state)
{
	(void)state;
	assert_string_equal(little->name, "aarch64");
	assert_string_equal(big->name, "aarch64_be");
	assert_int_equal(little->order, LITTLE);
	assert_int_equal(big->order, BIG);
	for (unsigned i = 0; i < 2; i++) {
		const struct arch *arch = i ? big : little;

		assert_int_equal(arch->elf_machine, 183);
		assert_int_equal(arch->elf_class, ELFCLASS64);
		assert_int_equal(arch->page_shift, 12);
		assert_int_equal(arch->align64, 8);
		assert_true(arch->phys_base_is_ram_start);
		assert_false(arch->frames_from_ram_start);
	}
}

/* ---- which byte order ---- */

struct named {
	const char *name;
	uint64_t value;
};

/* The list ends with a NULL name. */
static struct registers cpu_with(const struct named *list)
{
	struct registers cpu;

	registers_init(&cpu, 0, LITTLE);
	for (; list->name; list++)
		registers_set_u64(&cpu, list->name, list->value);
	return cpu;
}

enum { EL0 = 0, EL1 = 5, EL2 = 9, EL3 = 13 };
#define EE       BIT(25)
#define MMU      BIT(0)
#define HOST     BIT(34) /* HCR_EL2.E2H */
#define HOST_TGE BIT(27)

static const struct arch *variant_of(const struct named *list)
{
	struct registers cpu = cpu_with(list);
	const struct arch *arch;

	cpu.order = BIG;
	arch = little->variant(&cpu, 1);
	/* The stub's own order, whatever the guest's. */
	assert_int_equal(cpu.order, LITTLE);
	registers_deinit(&cpu);
	return arch;
}

static void test_variants(void **state)
{
	(void)state;
	assert_ptr_equal(little->variant(NULL, 0), little);
	assert_ptr_equal(variant_of((struct named[]){ { NULL, 0 } }), little);
	assert_ptr_equal(variant_of((struct named[]){ { "SCTLR", EE }, { NULL, 0 } }), big);
	assert_ptr_equal(variant_of((struct named[]){ { "SCTLR", ~EE }, { NULL, 0 } }), little);
}

static void test_order_is_that_of_the_regime(void **state)
{
	static const struct {
		uint64_t pstate, hcr, sctlr_el1, sctlr_el2;
		bool big;
	} cases[] = {
		{ EL1, 0, EE | MMU, 0, true },
		{ EL1, 0, MMU, EE, false },
		{ EL0, 0, EE, 0, true },
		/* A hypervisor that is not the kernel's own */
		{ EL2, 0, EE, 0, true },
		{ EL2, HOST, 0, EE, true },
		{ EL2, HOST, EE, 0, false },
		{ EL0, HOST | HOST_TGE, 0, EE, true },
		/* A guest of the guest */
		{ EL1, HOST, EE, 0, true },
		{ EL0, HOST, 0, EE, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct arch *arch = variant_of((struct named[]){
			{ "cpsr", cases[i].pstate },
			{ "HCR_EL2", cases[i].hcr },
			{ "SCTLR_EL1", cases[i].sctlr_el1 },
			{ "SCTLR_EL2", cases[i].sctlr_el2 },
			{ NULL, 0 },
		});

		assert_ptr_equal(arch, cases[i].big ? big : little);
	}
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

/* ---- roots ---- */

enum { G4K = 2, G16K = 1, G64K = 3 };
#define T1(size, granule) ((uint64_t)(granule) << 30 | (uint64_t)(size) << 16)
#define IPS_52            (UINT64_C(6) << 32)
#define DS                BIT(59)

static bool kernel_table(uint64_t tcr, uint64_t ttbr, struct page_table *table)
{
	struct registers cpu = cpu_with((struct named[]){
		{ "cpsr", EL1 },
		{ "SCTLR", MMU },
		{ "TCR_EL1", tcr },
		{ "TTBR1_EL1", ttbr },
		{ NULL, 0 },
	});
	bool found = little->page_table(&cpu, BIT(32), 0, table);

	registers_deinit(&cpu);
	return found;
}

static void test_sizes_and_granules(void **state)
{
	static const struct {
		uint64_t tcr;
		unsigned page_shift, levels, top_bits, address_bits;
	} cases[] = {
		{ T1(16, G4K), 12, 4, 9, 48 },
		{ T1(25, G4K), 12, 3, 9, 39 },
		{ T1(28, G4K), 12, 3, 6, 36 },
		{ T1(34, G4K), 12, 2, 9, 30 },
		{ T1(48, G4K), 12, 1, 4, 16 },
		{ T1(16, G16K), 14, 4, 1, 48 },
		{ T1(17, G16K), 14, 3, 11, 47 },
		{ T1(28, G16K), 14, 2, 11, 36 },
		{ T1(16, G64K), 16, 3, 6, 48 },
		{ T1(22, G64K), 16, 2, 13, 42 },
		{ T1(12, G64K) | IPS_52, 16, 3, 10, 52 },
		{ T1(12, G4K) | DS, 12, 5, 4, 52 },
		{ T1(12, G16K) | DS | IPS_52, 14, 4, 5, 52 },
		/* More than there can be */
		{ T1(12, G4K), 12, 4, 9, 48 },
		{ T1(0, G64K), 16, 3, 10, 52 },
		{ T1(0, G4K) | DS, 12, 5, 4, 52 },
		/* Reserved */
		{ T1(16, 0), 12, 4, 9, 48 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct page_table table;
		unsigned step = cases[i].page_shift - 3;

		assert_true(kernel_table(cases[i].tcr, 0x41230000, &table));
		assert_ptr_equal(table.arch, little);
		assert_int_equal(table.page_shift, cases[i].page_shift);
		assert_int_equal(table.levels, cases[i].levels);
		for (unsigned level = 0; level + 1 < table.levels; level++)
			assert_int_equal(table.level_bits[level], step);
		assert_int_equal(table.level_bits[table.levels - 1], cases[i].top_bits);
		assert_int_equal(table.entry_size, 8);
		assert_int_equal(table.order, LITTLE);
		assert_int_equal(table.root, 0x41230000);
		assert_int_equal(table.region_count, 1);
		assert_false(table.regions[0].linear);
		assert_int_equal(table.regions[0].range.first,
			UINT64_MAX - (BIT(cases[i].address_bits) - 1));
		assert_int_equal(table.regions[0].range.last, UINT64_MAX);
	}
}

static void test_roots(void **state)
{
	struct page_table table;

	(void)state;
	/* CnP and the ASID are no address. */
	assert_true(kernel_table(T1(16, G4K), 0x1234000041231001, &table));
	assert_int_equal(table.root, 0x41231000);
	/* A table of 64 entries begins at any 512 bytes; none at less than 64. */
	assert_true(kernel_table(T1(28, G4K), 0x41231201, &table));
	assert_int_equal(table.root, 0x41231200);
	assert_true(kernel_table(T1(16, G16K), 0x4123407d, &table));
	assert_int_equal(table.root, 0x41234040);
	/* Bits 51:48 in 5:2, if addresses have them */
	assert_true(kernel_table(T1(12, G64K) | IPS_52, 0x4123002d, &table));
	assert_int_equal(table.root, 0xb000041230000 & ~UINT64_C(0x1fff));
	assert_true(kernel_table(T1(12, G64K), 0x4123002d, &table));
	assert_int_equal(table.root, 0x41230000);
	assert_true(kernel_table(T1(12, G4K) | DS | IPS_52, 0x41231084, &table));
	assert_int_equal(table.root, 0x1000041231080);
	assert_true(kernel_table(T1(12, G4K) | DS, 0x41231084, &table));
	assert_int_equal(table.root, 0x41231080);
}

static void test_no_root(void **state)
{
	struct page_table table;
	struct registers cpu;

	(void)state;
	/* Walks by TTBR1 are disabled; no more than a page; no address at all */
	assert_false(kernel_table(T1(16, G4K) | BIT(23), 0x41230000, &table));
	assert_false(kernel_table(T1(48, G64K), 0x41230000, &table));
	assert_false(kernel_table(T1(63, G4K), 0x41230000, &table));

	/* A stub without these registers */
	cpu = cpu_with((struct named[]){ { "TCR_EL1", T1(16, G4K) }, { NULL, 0 } });
	assert_false(little->page_table(&cpu, 0, 0, &table));
	assert_false(little->user_table(&cpu, 0, &table));
	/* And one with all but SCTLR */
	registers_set_u64(&cpu, "TTBR1_EL1", 0x1000);
	assert_true(little->page_table(&cpu, 0, 0, &table));
	/* The MMU is off. */
	registers_set_u64(&cpu, "SCTLR", EE);
	assert_false(little->page_table(&cpu, 0, 0, &table));
	registers_deinit(&cpu);
}

static void test_big_endian_tables(void **state)
{
	struct page_table table;
	struct registers cpu = cpu_with((struct named[]){
		{ "cpsr", EL1 },
		{ "SCTLR", MMU | EE },
		{ "TCR_EL1", T1(16, G4K) },
		{ "TTBR1_EL1", 0x1000 },
		{ NULL, 0 },
	});

	(void)state;
	assert_true(big->page_table(&cpu, 0, 0, &table));
	assert_int_equal(table.order, BIG);
	assert_ptr_equal(table.arch, big);
	registers_deinit(&cpu);
}

/* The list of roots, with pairs for the two layouts of a kernel's addresses. */
static void expect_roots(const struct named *registers, const uint64_t *roots, unsigned count)
{
	struct registers cpu = cpu_with(registers);
	struct page_table table, early;

	for (unsigned i = 0; i < count; i++) {
		assert_true(little->page_table(&cpu, 0, 2 * i, &table));
		assert_true(little->page_table(&cpu, 0, 2 * i + 1, &early));
		assert_int_equal(table.root, roots[i]);
		assert_int_equal(early.root, roots[i]);
		assert_int_not_equal(table.flavor, early.flavor);
	}
	assert_false(little->page_table(&cpu, 0, 2 * count, &table));
	registers_deinit(&cpu);
}

static void test_page_table_isolation(void **state)
{
	struct named registers[] = {
		{ "cpsr", EL0 },
		{ "TCR_EL1", T1(16, G4K) },
		{ "TTBR1_EL1", 0x41230000 },
		{ NULL, 0 },
	};

	(void)state;
	expect_roots(registers, (uint64_t[]){ 0x41230000, 0x41232000, 0x4122e000 }, 3);
	registers[1].value = T1(17, G16K);
	expect_roots(registers, (uint64_t[]){ 0x41230000, 0x41238000, 0x41228000 }, 3);
	registers[0].value = EL1;
	expect_roots(registers, (uint64_t[]){ 0x41230000 }, 1);
}

static void test_regimes(void **state)
{
	struct named registers[] = {
		{ "cpsr", EL2 },
		{ "HCR_EL2", HOST },
		{ "TCR_EL1", T1(16, G4K) },
		{ "TTBR1_EL1", 0x11000 },
		{ "TCR_EL2", T1(16, G4K) },
		{ "TTBR1_EL2", 0x22000 },
		{ NULL, 0 },
	};

	(void)state;
	expect_roots(registers, (uint64_t[]){ 0x22000, 0x11000 }, 2);
	/* At EL1 it runs a guest of its own. */
	registers[0].value = EL1;
	expect_roots(registers, (uint64_t[]){ 0x11000, 0x22000 }, 2);
	/* Its own user mode, with the roots of isolation */
	registers[0].value = EL0;
	registers[1].value = HOST | HOST_TGE;
	expect_roots(
		registers, (uint64_t[]){ 0x22000, 0x24000, 0x20000, 0x11000, 0x13000, 0xf000 }, 6);
	/* Not a host at all: what is at EL2 is no kernel. */
	registers[0].value = EL2;
	registers[1].value = 0;
	expect_roots(registers, (uint64_t[]){ 0x11000 }, 1);
	/* One that is off is left out. */
	registers[1].value = HOST;
	registers[4].value |= BIT(23);
	expect_roots(registers, (uint64_t[]){ 0x11000 }, 1);
}

static void test_user_half(void **state)
{
	/* T0SZ 16, TG0: 0 is 4 KiB, 1 is 64, 2 is 16; TTBR1's half is otherwise. */
	static const struct {
		uint64_t tcr;
		unsigned page_shift, levels;
		uint64_t last;
	} cases[] = {
		{ 16 | T1(25, G64K), 12, 4, 0xffffffffffff },
		{ 16 | 1 << 14, 16, 3, 0xffffffffffff },
		{ 17 | 2 << 14, 14, 3, 0x7fffffffffff },
	};
	struct page_table table;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct registers cpu = cpu_with((struct named[]){
			{ "cpsr", EL1 },
			{ "TCR_EL1", cases[i].tcr },
			{ "TTBR0_EL1", 0x41230000 },
			{ NULL, 0 },
		});

		assert_true(little->user_table(&cpu, 0, &table));
		assert_int_equal(table.root, 0x41230000);
		assert_int_equal(table.page_shift, cases[i].page_shift);
		assert_int_equal(table.levels, cases[i].levels);
		assert_int_equal(table.regions[0].range.first, 0);
		assert_int_equal(table.regions[0].range.last, cases[i].last);
		registers_set_u64(&cpu, "TCR_EL1", cases[i].tcr | BIT(7));
		assert_false(little->user_table(&cpu, 0, &table));
		registers_deinit(&cpu);
	}
}

/* ---- entries ---- */

enum { VALID = 1, TABLE = 3, PAGE = 3, BLOCK = 1, USER = 0x40, READ_ONLY = 0x80, AF = 0x400 };
#define PXN BIT(53)
#define UXN BIT(54)

static struct paging_entry entry(uint64_t tcr, unsigned level, uint64_t raw)
{
	struct page_table table;

	assert_true(kernel_table(tcr, 0x41230000, &table));
	return little->paging_entry(&table, level, 0, raw);
}

static void expect_leaf(uint64_t tcr, unsigned level, uint64_t raw, uint64_t address)
{
	struct paging_entry found = entry(tcr, level, raw);

	assert_true(found.present);
	assert_true(found.leaf);
	assert_int_equal(found.address, address);
}

static void test_pages_and_blocks(void **state)
{
	const uint64_t all = 0x0000fffffffff000;

	(void)state;
	expect_leaf(T1(16, G4K), 0, all | AF | PAGE, all);
	expect_leaf(T1(16, G4K), 1, all | AF | BLOCK, 0xffffffe00000);
	expect_leaf(T1(16, G4K), 2, all | AF | BLOCK, 0xffffc0000000);
	expect_leaf(T1(17, G16K), 0, all | AF | PAGE, 0xffffffffc000);
	expect_leaf(T1(17, G16K), 1, all | AF | BLOCK, 0xfffffe000000);
	expect_leaf(T1(16, G64K), 0, all | AF | PAGE, 0xffffffff0000);
	expect_leaf(T1(16, G64K), 1, all | AF | BLOCK, 0xffffe0000000);
	/* The contiguous hint, DBM, and what is software's are no address. */
	expect_leaf(T1(16, G4K), 0, 0x07f8000041231000 | PAGE, 0x41231000);
}

static void test_addresses_of_52_bits(void **state)
{
	const uint64_t lpa = T1(12, G64K) | IPS_52, lpa2_4k = T1(12, G4K) | DS | IPS_52,
		       lpa2_16k = T1(12, G16K) | DS | IPS_52;

	(void)state;
	expect_leaf(lpa, 0, 0x0000fffffffff000 | PAGE, 0xfffffffff0000);
	expect_leaf(lpa, 0, 0x41239000 | PAGE, 0x9000041230000);
	expect_leaf(lpa, 1, 0x40005000 | BLOCK, 0x5000040000000);
	expect_leaf(lpa, 2, 0x1c0040003000 | BLOCK, 0x3000000000000 | 0x1c0000000000);
	assert_int_equal(entry(lpa, 1, 0x41239000 | TABLE).address, 0x9000041230000);
	/* Without such addresses, the bits are none. */
	expect_leaf(T1(12, G64K), 0, 0x41239000 | PAGE, 0x41230000);

	expect_leaf(lpa2_4k, 0, 0x0003fffffffff000 | 0x300 | PAGE, 0xffffffffff000);
	expect_leaf(lpa2_4k, 1, 0x40200200 | BLOCK, 0x8000040200000);
	expect_leaf(lpa2_4k, 3, 0x18000000100 | BLOCK, 0x4018000000000);
	assert_int_equal(entry(lpa2_4k, 4, 0x41231300 | TABLE).address, 0xc000041231000);
	expect_leaf(lpa2_16k, 0, 0x41234100 | PAGE, 0x4000041234000);
	expect_leaf(lpa2_16k, 2, 0x3000000200 | BLOCK, 0x8003000000000);
	/* Otherwise, 9:8 are the shareability. */
	expect_leaf(T1(16, G4K), 0, 0x41231300 | PAGE, 0x41231000);
}

static void test_not_present(void **state)
{
	static const struct {
		uint64_t tcr;
		unsigned level;
		uint64_t raw;
	} cases[] = {
		{ T1(16, G4K), 0, 0x41231000 },
		{ T1(16, G4K), 0, 0x41231002 },
		{ T1(16, G4K), 0, 0x41231000 | BLOCK },
		{ T1(16, G4K), 1, 0x41231000 },
		{ T1(16, G4K), 2, 0x41231002 },
		{ T1(16, G4K), 3, 0x41231000 | BLOCK },
		{ T1(17, G16K), 2, 0x41231000 | BLOCK },
		{ T1(16, G64K), 2, 0x41231000 | BLOCK },
		{ T1(12, G4K) | DS, 4, 0x41231000 | BLOCK },
		{ T1(12, G16K) | DS, 3, 0x41231000 | BLOCK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_false(entry(cases[i].tcr, cases[i].level, cases[i].raw).present);
}

static void test_rights_of_pages(void **state)
{
	static const struct {
		uint64_t raw;
		bool writable, executable, user;
	} cases[] = {
		{ 0, true, true, false },
		{ READ_ONLY, false, true, false },
		{ PXN, true, false, false },
		{ UXN, true, true, false },
		{ PXN | UXN, true, false, false },
		{ USER | PXN, true, true, true },
		{ USER | UXN, true, false, true },
		{ USER | READ_ONLY, false, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned level = 0; level < 2; level++) {
			struct paging_entry found = entry(
				T1(16, G4K), level, cases[i].raw | (level ? BLOCK : PAGE));

			assert_int_equal(found.writable, cases[i].writable);
			assert_int_equal(found.executable, cases[i].executable);
			assert_int_equal(found.user, cases[i].user);
		}
	}
}

static void test_rights_of_tables(void **state)
{
	struct registers cpu = cpu_with((struct named[]){
		{ "TCR_EL1", 16 },
		{ "TTBR0_EL1", 0x41230000 },
		{ NULL, 0 },
	});
	struct page_table user;
	struct paging_entry found = entry(T1(16, G4K), 1, 0x41231000 | TABLE);

	(void)state;
	assert_true(found.present && found.writable && found.executable && found.user);
	assert_false(found.leaf);
	assert_int_equal(found.address, 0x41231000);
	found = entry(T1(16, G4K), 3, 0x41231000 | BIT(62) | TABLE);
	assert_true(!found.writable && found.executable && found.user);
	found = entry(T1(16, G4K), 3, 0x41231000 | BIT(61) | TABLE);
	assert_true(found.writable && found.executable && !found.user);
	found = entry(T1(16, G4K), 3, 0x41231000 | BIT(60) | TABLE);
	assert_true(found.writable && found.executable && found.user);
	found = entry(T1(16, G4K), 3, 0x41231000 | BIT(59) | TABLE);
	assert_true(found.writable && !found.executable && found.user);

	assert_true(little->user_table(&cpu, 0, &user));
	assert_false(little->paging_entry(&user, 1, 0, BIT(60) | TABLE).executable);
	assert_true(little->paging_entry(&user, 1, 0, BIT(59) | TABLE).executable);
	registers_deinit(&cpu);
}

/* ---- walks ---- */

/* RAM, of 512 KiB from there on. */
enum { RAM = 0x41000000, RAM_SIZE = 0x80000 };

static uint8_t ram[RAM_SIZE];

static int read_ram(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx;
	if (paddr < RAM || paddr - RAM > RAM_SIZE || len > RAM_SIZE - (paddr - RAM))
		return -1;
	memcpy(buf, ram + (paddr - RAM), len);
	return 0;
}

static const struct guest_memory memory = { .read = read_ram };

struct written {
	uint64_t at, raw;
};

static void expect_translation(uint64_t tcr, uint64_t ttbr, enum byte_order order,
	const struct written *entries, uint64_t vaddr, uint64_t expected)
{
	struct registers cpu = cpu_with((struct named[]){
		{ "cpsr", EL1 },
		{ "SCTLR", order == BIG ? MMU | EE : MMU },
		{ "TCR_EL1", tcr },
		{ "TTBR1_EL1", ttbr },
		{ NULL, 0 },
	});
	struct page_table table;
	uint64_t paddr;

	memset(ram, 0, sizeof(ram));
	for (; entries->at; entries++)
		put_u64(ram + (entries->at - RAM), entries->raw, order);
	assert_true(little->page_table(&cpu, 0, 0, &table));
	assert_true(paging_translate(&table, &memory, vaddr, &paddr));
	assert_int_equal(paddr, expected);
	registers_deinit(&cpu);
}

/* 0xffff800012345678: entries 256, 0, 145, 325. */
static void test_walk_of_4k(void **state)
{
	const struct written pages[] = {
		{ RAM + 256 * 8, (RAM + 0x1000) | TABLE },
		{ RAM + 0x1000, (RAM + 0x2000) | TABLE },
		{ RAM + 0x2000 + 145 * 8, (RAM + 0x3000) | TABLE },
		{ RAM + 0x3000 + 325 * 8, 0x87654000 | PAGE },
		{ 0, 0 },
	};
	const struct written block[] = {
		{ RAM + 256 * 8, (RAM + 0x1000) | TABLE },
		{ RAM + 0x1000, 0x100000000 | BLOCK },
		{ 0, 0 },
	};

	(void)state;
	expect_translation(T1(16, G4K), RAM, LITTLE, pages, 0xffff800012345678, 0x87654678);
	expect_translation(T1(16, G4K), RAM, BIG, pages, 0xffff800012345678, 0x87654678);
	expect_translation(T1(16, G4K), RAM, LITTLE, block, 0xffff800012345678, 0x112345678);
}

/* Addresses of 39 bits: the same, but for the first, is in the first half of the addresses. */
static void test_walk_of_three_levels(void **state)
{
	const struct written pages[] = {
		{ RAM + 256 * 8, (RAM + 0x2000) | TABLE },
		{ RAM + 0x2000 + 145 * 8, 0x87600000 | BLOCK },
		{ 0, 0 },
	};

	(void)state;
	expect_translation(T1(25, G4K), RAM, LITTLE, pages, 0xffffffc012345678, 0x87745678);
}

/* 0xffff800012345678 of 47 bits in steps of 11: entries 0, 9, 209; offset 0x1678. */
static void test_walk_of_16k(void **state)
{
	const struct written pages[] = {
		{ RAM, (RAM + 0x4000) | TABLE },
		{ RAM + 0x4000 + 9 * 8, (RAM + 0x8000) | TABLE },
		{ RAM + 0x8000 + 209 * 8, 0x87654000 | PAGE },
		{ 0, 0 },
	};

	(void)state;
	expect_translation(T1(17, G16K), RAM, LITTLE, pages, 0xffff800012345678, 0x87655678);
}

/*
 * 0xfff0000012345678 of 52 bits: entry 0 of 1024, 0, and 0x1234 of 8192. The page is behind what 48
 * bits reach, as QEMU's RAM cannot be.
 */
static void test_walk_of_64k(void **state)
{
	const struct written pages[] = {
		{ RAM, (RAM + 0x10000) | TABLE },
		{ RAM + 0x10000, (RAM + 0x20000) | TABLE },
		{ RAM + 0x20000 + 0x1234 * 8, 0x87650000 | 0x5000 | PAGE },
		{ 0, 0 },
	};

	(void)state;
	expect_translation(
		T1(12, G64K) | IPS_52, RAM, LITTLE, pages, 0xfff0000012345678, 0x5000087655678);
	expect_translation(
		T1(12, G64K) | IPS_52, RAM, BIG, pages, 0xfff0000012345678, 0x5000087655678);
}

/* 0xfff8800012345678 of 52 bits: entry 8 of 16, then as with 48. */
static void test_walk_of_five_levels(void **state)
{
	const struct written pages[] = {
		{ RAM + 8 * 8, (RAM + 0x4000) | TABLE },
		{ RAM + 0x4000 + 256 * 8, (RAM + 0x1000) | TABLE },
		{ RAM + 0x1000, (RAM + 0x2000) | TABLE },
		{ RAM + 0x2000 + 145 * 8, (RAM + 0x3000) | TABLE },
		{ RAM + 0x3000 + 325 * 8, 0x87654100 | PAGE },
		{ 0, 0 },
	};

	(void)state;
	expect_translation(
		T1(12, G4K) | DS, RAM, LITTLE, pages, 0xfff8800012345678, 0x4000087654678);
}

/* ---- where kernels are ---- */

static void expect_space(uint64_t tcr, uint64_t base, uint64_t end, uint64_t align)
{
	struct registers cpu = cpu_with((struct named[]){
		{ "cpsr", EL1 },
		{ "TCR_EL1", tcr },
		{ "TTBR1_EL1", 0x41230000 },
		{ NULL, 0 },
	});
	struct page_table table;
	struct kernel_space space;

	assert_true(little->page_table(&cpu, 0, 0, &table));
	space = little->kernel_space(&table);
	assert_int_equal(space.direct_map.first, base);
	assert_int_equal(space.direct_map.last, end - 1);
	assert_int_equal(space.text.first, end);
	assert_int_equal(space.text.last, UINT64_MAX);
	assert_int_equal(space.direct_map_align, align);
	assert_int_equal(space.text_base, 0);
	registers_deinit(&cpu);
}

static void test_kernel_space(void **state)
{
	(void)state;
	expect_space(T1(16, G4K), 0xffff000000000000, 0xffff800000000000, BIT(30));
	expect_space(T1(25, G4K), 0xffffff8000000000, 0xffffffc000000000, BIT(30));
	expect_space(T1(17, G16K), 0xffff800000000000, 0xffffc00000000000, BIT(30));
	expect_space(T1(22, G64K), 0xfffffc0000000000, 0xfffffe0000000000, BIT(29));
	expect_space(T1(16, G16K), 0xffff000000000000, 0xffff800000000000, BIT(30));
	/* 52 bits: the ends of 48, and of the 47 that kernels of 16 KiB pages have otherwise */
	expect_space(T1(12, G4K) | DS, 0xfff0000000000000, 0xffff800000000000, BIT(30));
	expect_space(T1(12, G16K) | DS, 0xfff0000000000000, 0xffffc00000000000, BIT(30));
	expect_space(T1(12, G64K), 0xfff0000000000000, 0xffff800000000000, BIT(29));
}

/* Before Linux 5.4 */
static void test_early_kernel_space(void **state)
{
	struct registers cpu = cpu_with((struct named[]){
		{ "cpsr", EL1 },
		{ "TCR_EL1", T1(16, G4K) },
		{ "TTBR1_EL1", 0x41230000 },
		{ NULL, 0 },
	});
	struct page_table table;
	struct kernel_space space;

	(void)state;
	assert_true(little->page_table(&cpu, 0, 1, &table));
	space = little->kernel_space(&table);
	assert_int_equal(space.text.first, 0xffff000000000000);
	assert_int_equal(space.text.last, UINT64_MAX);
	assert_int_equal(space.direct_map.first, 0xffff800000000000);
	assert_int_equal(space.direct_map.last, UINT64_MAX);
	assert_int_equal(space.direct_map_align, 0x200000);
	registers_deinit(&cpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_order_is_that_of_the_regime),
		cmocka_unit_test(test_a_core_needs_a_vcpu),
		cmocka_unit_test(test_sizes_and_granules),
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_no_root),
		cmocka_unit_test(test_big_endian_tables),
		cmocka_unit_test(test_page_table_isolation),
		cmocka_unit_test(test_regimes),
		cmocka_unit_test(test_user_half),
		cmocka_unit_test(test_pages_and_blocks),
		cmocka_unit_test(test_addresses_of_52_bits),
		cmocka_unit_test(test_not_present),
		cmocka_unit_test(test_rights_of_pages),
		cmocka_unit_test(test_rights_of_tables),
		cmocka_unit_test(test_walk_of_4k),
		cmocka_unit_test(test_walk_of_three_levels),
		cmocka_unit_test(test_walk_of_16k),
		cmocka_unit_test(test_walk_of_64k),
		cmocka_unit_test(test_walk_of_five_levels),
		cmocka_unit_test(test_kernel_space),
		cmocka_unit_test(test_early_kernel_space),
	};

	return cmocka_run_group_tests(tests, find_both, NULL);
}
