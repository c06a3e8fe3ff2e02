// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/arch.h"

#define BIT(n) ((uint64_t)1 << (n))

static const struct arch *little, *big;

static int find_both(void **state)
{
	(void)state;
	little = arch_find("arm");
	big = arch_find("armeb");
	return little && big ? 0 : -1;
}

/* ---- roots ---- */

struct named {
	const char *name;
	uint64_t value;
};

enum { SVC = 0x1d3, MMU = 1 };
#define XP  BIT(23)
#define EE  BIT(25)
#define AFE BIT(29)
#define EAE BIT(31)

/* The list ends with a NULL name. */
static struct registers cpu_with(const struct named *list)
{
	struct registers cpu;

	registers_init(&cpu, 0, LITTLE);
	for (; list->name; list++)
		registers_set_u64(&cpu, list->name, list->value);
	return cpu;
}

/* TTBR0 and TTBR1 of a CPU with short descriptors alone, and with long ones as well */
static struct registers short_cpu(uint64_t sctlr, uint64_t ttbcr, uint64_t ttbr0, uint64_t ttbr1)
{
	return cpu_with((struct named[]){
		{ "cpsr", SVC },
		{ "SCTLR", sctlr },
		{ "TTBCR", ttbcr },
		{ "TTBR0_EL1", ttbr0 },
		{ "TTBR1_EL1", ttbr1 },
		{ NULL, 0 },
	});
}

static struct registers long_cpu(uint64_t sctlr, uint64_t ttbcr, uint64_t ttbr0, uint64_t ttbr1)
{
	struct registers cpu = short_cpu(sctlr, ttbcr, ttbr0 & UINT32_MAX, ttbr1 & UINT32_MAX);

	registers_set_u64(&cpu, "TTBR0", ttbr0);
	registers_set_u64(&cpu, "TTBR1", ttbr1);
	return cpu;
}

/* What a root is to be. */
struct root {
	uint64_t root;
	unsigned levels, top_bits;
	uint64_t first, last;
};

static void expect_root(const struct page_table *table, const struct root *root, bool is_long)
{
	assert_int_equal(table->root, root->root);
	assert_int_equal(table->levels, root->levels);
	for (unsigned level = 0; level + 1 < table->levels; level++)
		assert_int_equal(table->level_bits[level], is_long ? 9 : 8);
	assert_int_equal(table->level_bits[table->levels - 1], root->top_bits);
	assert_int_equal(table->page_shift, 12);
	assert_int_equal(table->entry_size, is_long ? 8 : 4);
	assert_int_equal(table->address_mask, is_long ? 0xfffffff000 : 0xfffff000);
	assert_int_equal(table->region_count, 1);
	assert_false(table->regions[0].linear);
	assert_int_equal(table->regions[0].range.first, root->first);
	assert_int_equal(table->regions[0].range.last, root->last);
}

/* The list ends with a root of no levels. Takes the registers. */
static void expect_roots(struct registers cpu, bool is_long, const struct root *roots)
{
	struct page_table table;
	unsigned count = 0;

	for (; roots[count].levels; count++) {
		assert_true(little->page_table(&cpu, BIT(32), count, &table));
		expect_root(&table, &roots[count], is_long);
		assert_int_equal(table.order, LITTLE);
		assert_ptr_equal(table.arch, little);
	}
	assert_false(little->page_table(&cpu, BIT(32), count, &table));
	registers_deinit(&cpu);
}

#define SHORT_ROOTS(...)       \
	false, (struct root[]) \
	{                      \
		__VA_ARGS__,   \
		{              \
			0      \
		}              \
	}
#define LONG_ROOTS(...)       \
	true, (struct root[]) \
	{                     \
		__VA_ARGS__,  \
		{             \
			0     \
		}             \
	}

static void test_short_roots(void **state)
{
	const uint64_t low = 0x41ebc06a, high = 0x4020406a; /* with the walks' attributes */

	(void)state;
	expect_roots(
		short_cpu(MMU | XP, 0, low, high), SHORT_ROOTS({ 0x41ebc000, 2, 12, 0, 0xffffffff },
							   { 0x40204000, 2, 12, 0, 0xffffffff }));
	expect_roots(short_cpu(MMU | XP, 1, 0x41ebe06a, high),
		SHORT_ROOTS({ 0x40204000, 2, 12, 0x80000000, 0xffffffff },
			{ 0x41ebe000, 2, 11, 0, 0x7fffffff }));
	expect_roots(short_cpu(MMU | XP, 7, 0x41ebe0ea, high),
		SHORT_ROOTS({ 0x40204000, 2, 12, 0x02000000, 0xffffffff },
			{ 0x41ebe080, 2, 5, 0, 0x01ffffff }));
	/* Walks by one of them may be disabled: by TTBR0, by TTBR1, by a TTBR1 that has no
	 * addresses */
	expect_roots(short_cpu(MMU | XP, 1 | 0x10, low, high),
		SHORT_ROOTS({ 0x40204000, 2, 12, 0x80000000, 0xffffffff }));
	expect_roots(short_cpu(MMU | XP, 1 | 0x20, 0x41ebe000, high),
		SHORT_ROOTS({ 0x41ebe000, 2, 11, 0, 0x7fffffff }));
	expect_roots(short_cpu(MMU | XP, 0x20, low, high),
		SHORT_ROOTS({ 0x41ebc000, 2, 12, 0, 0xffffffff },
			{ 0x40204000, 2, 12, 0, 0xffffffff }));
	/* A CPU without long descriptors has no bit to switch them on. */
	expect_roots(short_cpu(MMU | XP, EAE, low, high),
		SHORT_ROOTS({ 0x41ebc000, 2, 12, 0, 0xffffffff },
			{ 0x40204000, 2, 12, 0, 0xffffffff }));
	expect_roots(
		long_cpu(MMU | XP, 0, low, high), SHORT_ROOTS({ 0x41ebc000, 2, 12, 0, 0xffffffff },
							  { 0x40204000, 2, 12, 0, 0xffffffff }));
}

#define T1SZ(n) ((uint64_t)(n) << 16)

static void test_long_roots(void **state)
{
	/* An ASID in front of an address of 40 bits */
	const uint64_t low = 0x00420083456780e0, high = 0x8340207ff8;

	(void)state;
	expect_roots(
		long_cpu(MMU, EAE, low, high), LONG_ROOTS({ 0x83456780e0, 3, 2, 0, 0xffffffff },
						       { 0x8340207fe0, 3, 2, 0, 0xffffffff }));
	/* As Linux has them by PAGE_OFFSET: 0xc0000000, 0x80000000, 0x40000000 */
	expect_roots(long_cpu(MMU, EAE | T1SZ(2), low, high),
		LONG_ROOTS({ 0x8340207000, 2, 9, 0xc0000000, 0xffffffff },
			{ 0x83456780e0, 3, 2, 0, 0xbfffffff }));
	expect_roots(long_cpu(MMU, EAE | T1SZ(1), low, high),
		LONG_ROOTS({ 0x8340207ff0, 3, 1, 0x80000000, 0xffffffff },
			{ 0x83456780e0, 3, 2, 0, 0x7fffffff }));
	expect_roots(long_cpu(MMU, EAE | 2, low, high),
		LONG_ROOTS({ 0x8340207fe0, 3, 2, 0x40000000, 0xffffffff },
			{ 0x8345678000, 2, 9, 0, 0x3fffffff }));
	/* With a gap between them */
	expect_roots(long_cpu(MMU, EAE | 1 | T1SZ(7), low, high),
		LONG_ROOTS({ 0x8340207f80, 2, 4, 0xfe000000, 0xffffffff },
			{ 0x83456780e0, 3, 1, 0, 0x7fffffff }));
	/* Disabled: TTBR0, as Linux does while it must not touch a process; TTBR1 */
	expect_roots(long_cpu(MMU, EAE | T1SZ(2) | BIT(7), low, high),
		LONG_ROOTS({ 0x8340207000, 2, 9, 0xc0000000, 0xffffffff }));
	expect_roots(long_cpu(MMU, EAE | T1SZ(2) | BIT(23), low, high),
		LONG_ROOTS({ 0x83456780e0, 3, 2, 0, 0xbfffffff }));
}

static void test_no_root(void **state)
{
	struct registers cpu = short_cpu(XP, 0, 0x40204000, 0x40204000);
	struct page_table table;

	(void)state;
	/* The MMU is off. */
	assert_false(little->page_table(&cpu, 0, 0, &table));
	registers_deinit(&cpu);
	/* A stub without these registers, and one with a root alone */
	cpu = cpu_with((struct named[]){ { "cpsr", SVC }, { NULL, 0 } });
	assert_false(little->page_table(&cpu, 0, 0, &table));
	assert_false(little->user_table(&cpu, 0, &table));
	registers_set_u64(&cpu, "TTBR0_EL1", 0x40204000);
	assert_true(little->page_table(&cpu, 0, 0, &table));
	assert_int_equal(table.root, 0x40204000);
	assert_false(little->page_table(&cpu, 0, 1, &table));
	registers_deinit(&cpu);
}

static void test_security_states(void **state)
{
	struct registers cpu = cpu_with((struct named[]){
		{ "cpsr", SVC },
		{ "SCR", 1 },
		{ "SCTLR", MMU },
		{ "SCTLR_S", MMU },
		{ "TTBCR", 0 },
		{ "TTBCR_S", EAE | T1SZ(2) },
		{ "TTBR0_EL1", 0x10000 },
		{ "TTBR1_EL1", 0x14000 },
		{ "TTBR0_EL1_S", 0x20000 },
		{ "TTBR1_EL1_S", 0x24000 },
		{ "TTBR0", 0x10000 },
		{ "TTBR1", 0x14000 },
		{ "TTBR0_S", 0x120000 },
		{ "TTBR1_S", 0x124000 },
		{ NULL, 0 },
	});
	static const uint64_t orders[2][4] = {
		{ 0x10000, 0x14000, 0x124000, 0x120000 },
		{ 0x124000, 0x120000, 0x10000, 0x14000 },
	};
	struct page_table table;

	(void)state;
	for (unsigned secure = 0; secure < 2; secure++) {
		registers_set_u64(&cpu, "SCR", !secure);
		for (unsigned n = 0; n < 4; n++) {
			assert_true(little->page_table(&cpu, 0, n, &table));
			assert_int_equal(table.root, orders[secure][n]);
		}
		assert_false(little->page_table(&cpu, 0, 4, &table));
		/* Of the state that it is in; where TTBR1 has no addresses, the kernel's is it. */
		assert_int_equal(little->user_table(&cpu, 0, &table), secure);
		if (secure)
			assert_int_equal(table.root, 0x120000);
	}
	/* What is off is left out. */
	registers_set_u64(&cpu, "SCTLR_S", 0);
	assert_true(little->page_table(&cpu, 0, 0, &table));
	assert_int_equal(table.root, 0x10000);
	assert_false(little->page_table(&cpu, 0, 2, &table));
	registers_deinit(&cpu);
}

static void test_user_table(void **state)
{
	struct registers cpu = long_cpu(MMU, EAE | T1SZ(2), 0x41234560, 0x40207000);
	struct page_table table;

	(void)state;
	assert_true(little->user_table(&cpu, 0, &table));
	expect_root(&table, &(struct root){ 0x41234560, 3, 2, 0, 0xbfffffff }, true);
	registers_set_u64(&cpu, "TTBCR", EAE | T1SZ(2) | BIT(7));
	assert_false(little->user_table(&cpu, 0, &table));
	registers_deinit(&cpu);
	cpu = short_cpu(MMU | XP, 2, 0x41230000, 0x40204000);
	assert_true(little->user_table(&cpu, 0, &table));
	expect_root(&table, &(struct root){ 0x41230000, 2, 10, 0, 0x3fffffff }, false);
	registers_deinit(&cpu);
}

static void test_where_a_kernel_is(void **state)
{
	struct registers cpu = short_cpu(MMU | XP, 0, 0x40204000, 0);
	struct page_table table;
	struct kernel_space space;

	(void)state;
	assert_true(little->page_table(&cpu, 0, 0, &table));
	space = little->kernel_space(&table);
	assert_int_equal(space.text.first, 0x40000000);
	assert_int_equal(space.text.last, 0xffffffff);
	assert_int_equal(space.direct_map.first, 0x40000000);
	assert_int_equal(space.direct_map.last, 0xffffffff);
	assert_int_equal(space.direct_map_align, 0x200000);
	registers_deinit(&cpu);
	cpu = long_cpu(MMU, EAE | T1SZ(2), 0x41234560, 0x40207000);
	assert_true(little->page_table(&cpu, 0, 0, &table));
	assert_int_equal(little->kernel_space(&table).text.first, 0xc0000000);
	assert_int_equal(little->kernel_space(&table).direct_map.first, 0xc0000000);
	registers_deinit(&cpu);
}

/* ---- entries ---- */

enum kind { ARMV5, SHORT, SHORT_AFE, LONG };

static struct page_table table_of(enum kind kind)
{
	struct registers cpu;
	struct page_table table;

	if (kind == LONG)
		cpu = long_cpu(MMU, EAE, 0x40204000, 0);
	else
		cpu = short_cpu(kind == ARMV5       ? MMU
				: kind == SHORT_AFE ? MMU | XP | AFE
						    : MMU | XP,
			0, 0x40204000, 0);
	assert_true(little->page_table(&cpu, 0, 0, &table));
	registers_deinit(&cpu);
	return table;
}

static struct paging_entry entry(enum kind kind, unsigned level, uint64_t vaddr, uint64_t raw)
{
	struct page_table table = table_of(kind);

	return little->paging_entry(&table, level, vaddr, raw);
}

static void expect_leaf(
	enum kind kind, unsigned level, uint64_t vaddr, uint64_t raw, uint64_t address)
{
	struct paging_entry found = entry(kind, level, vaddr, raw);

	assert_true(found.present);
	assert_true(found.leaf);
	assert_int_equal(found.address, address);
}

static void expect_table(enum kind kind, unsigned level, uint64_t raw, uint64_t address)
{
	struct paging_entry found = entry(kind, level, 0xc1234000, raw);

	assert_true(found.present && !found.leaf);
	assert_true(found.writable && found.executable && found.user);
	assert_int_equal(found.address, address);
}

static void test_short_pages(void **state)
{
	const uint64_t at = 0xc12a5000;

	(void)state;
	expect_table(SHORT, 1, 0x4ffffdfd, 0x4ffffc00);
	expect_leaf(SHORT, 1, at, 0x412bffe2, 0x41200000);
	expect_leaf(SHORT, 1, at, 0x41211403, 0x41200000);
	/* 16 MiB of it, of which this is the third; then with bits 35:32 and 39:36 */
	expect_leaf(SHORT, 1, at, 0x41040402, 0x41200000);
	expect_leaf(SHORT, 1, at, 0x41a40402, 0xa41200000);
	expect_leaf(SHORT, 1, at, 0x41a40522, 0x9a41200000);
	/* 64 KiB, of which this is the sixth page; 4 KiB */
	expect_leaf(SHORT, 0, at, 0x41234fc1, 0x41235000);
	expect_leaf(SHORT, 0, at, 0x412345ff, 0x41234000);
	expect_leaf(SHORT, 0, at, 0x412345fe, 0x41234000);

	expect_table(ARMV5, 1, 0x4ffffdf1, 0x4ffffc00);
	/* Whatever bit 18 is, ARMv5 has no supersections. */
	expect_leaf(ARMV5, 1, at, 0x412ffff2, 0x41200000);
	expect_leaf(ARMV5, 0, at, 0x4123fff1, 0x41230000 | 0x5000);
	expect_leaf(ARMV5, 0, at, 0x41234ff2, 0x41234000);
}

static void test_long_pages(void **state)
{
	(void)state;
	expect_table(LONG, 2, 0x000000fffffff003, 0xfffffff000);
	expect_table(LONG, 1, 0x0000000041234003, 0x41234000);
	/* What software has, contiguous and above 40 bits is no address. */
	expect_leaf(LONG, 2, 0, 0x0790ffffffffff01 & ~UINT64_C(0xffc), 0xffc0000000);
	expect_leaf(LONG, 1, 0, 0x0790ffffffffff01 & ~UINT64_C(0xffc), 0xffffe00000);
	expect_leaf(LONG, 0, 0, 0x0790ffffffffff03, 0xfffffff000);
}

static void test_not_present(void **state)
{
	static const struct {
		enum kind kind;
		unsigned level;
		uint64_t raw;
	} cases[] = {
		{ SHORT, 1, 0x41200c00 },
		{ SHORT, 0, 0x41200ffc },
		{ ARMV5, 1, 0x41200c00 },
		{ ARMV5, 1, 0x41200c03 }, /* a fine table */
		{ ARMV5, 0, 0x41200ffc },
		{ ARMV5, 0, 0x41200fff }, /* a tiny page */
		{ LONG, 2, 0x41200000 },
		{ LONG, 2, 0x41200002 },
		{ LONG, 1, 0x41200002 },
		{ LONG, 0, 0x41200000 },
		{ LONG, 0, 0x41200001 },
		{ LONG, 0, 0x41200002 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_false(entry(cases[i].kind, cases[i].level, 0, cases[i].raw).present);
}

enum { W = 4, X = 2, U = 1 };

static void expect_rights(enum kind kind, unsigned level, uint64_t raw, unsigned rights)
{
	struct paging_entry found = entry(kind, level, 0, raw);

	assert_true(found.present && found.leaf);
	assert_int_equal(found.writable, !!(rights & W));
	assert_int_equal(found.executable, !!(rights & X));
	assert_int_equal(found.user, !!(rights & U));
}

/* By AP[2:0]: 0 is no access, 4 is reserved, 6 and 7 are the same. */
static void test_rights_of_short_pages(void **state)
{
	static const unsigned plain[] = { X, W | X, W | X | U, W | X | U, X, X, X | U, X | U };
	static const unsigned flagged[] = { W | X, W | X, W | X | U, W | X | U, X, X, X | U,
		X | U };
	static const unsigned armv5[] = { X, W | X, W | X | U, W | X | U };

	(void)state;
	for (uint64_t ap = 0; ap < 8; ap++) {
		uint64_t section = (ap & 3) << 10 | (ap & 4) << 13,
			 page = (ap & 3) << 4 | (ap & 4) << 7;

		for (unsigned i = 0; i < 2; i++) {
			enum kind kind = i ? SHORT_AFE : SHORT;
			unsigned rights = (i ? flagged : plain)[ap];

			expect_rights(kind, 1, section | 2, rights);
			expect_rights(kind, 1, section | BIT(18) | 2, rights);
			expect_rights(kind, 0, page | 1, rights);
			expect_rights(kind, 0, page | 2, rights);
			/* XN: in 4, 15 and 0 */
			expect_rights(kind, 1, section | BIT(4) | 2, rights & ~X);
			expect_rights(kind, 0, page | BIT(15) | 1, rights & ~X);
			expect_rights(kind, 0, page | 3, rights & ~X);
			/* PXN does not concern user mode. */
			expect_rights(kind, 1, section | 3, rights & U ? rights : rights & ~X);
		}
	}
	for (uint64_t ap = 0; ap < 4; ap++) {
		/* With other rights for other quarters of the page */
		expect_rights(ARMV5, 1, 0xf000 | ap << 10 | 0x12, armv5[ap]);
		expect_rights(ARMV5, 0, 0xfc0 | ap << 4 | 1, armv5[ap]);
		expect_rights(ARMV5, 0, 0xfc0 | ap << 4 | 2, armv5[ap]);
	}
}

static void test_armv5_is_told_by_its_control_register(void **state)
{
	struct registers cpu = long_cpu(MMU, 0, 0x40204000, 0);
	struct page_table table;

	(void)state;
	/* In a CPU of later versions the bit is another one's: there are supersections. */
	assert_true(little->page_table(&cpu, 0, 0, &table));
	assert_int_equal(
		little->paging_entry(&table, 1, 0x00300000, 0x41a40402).address, 0xa41300000);
	registers_deinit(&cpu);
	/* Without the register, too */
	cpu = cpu_with((struct named[]){ { "TTBR0_EL1", 0x40204000 }, { NULL, 0 } });
	assert_true(little->page_table(&cpu, 0, 0, &table));
	assert_int_equal(
		little->paging_entry(&table, 1, 0x00300000, 0x41a40402).address, 0xa41300000);
	registers_deinit(&cpu);
}

#define AP_USER      BIT(6)
#define AP_READ_ONLY BIT(7)
#define PXN          BIT(53)
#define XN           BIT(54)

static void test_rights_of_long_pages(void **state)
{
	static const struct {
		uint64_t raw;
		unsigned rights;
	} cases[] = {
		{ 0, W | X },
		{ AP_READ_ONLY, X },
		{ AP_USER, W | X | U },
		{ AP_USER | AP_READ_ONLY, X | U },
		{ XN, W },
		{ PXN, W },
		{ AP_USER | XN, W | U },
		{ AP_USER | PXN, W | X | U },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_rights(LONG, 0, cases[i].raw | 3, cases[i].rights);
		expect_rights(LONG, 1, cases[i].raw | 1, cases[i].rights);
		expect_rights(LONG, 2, cases[i].raw | 1, cases[i].rights);
	}
	assert_false(entry(LONG, 2, 0, BIT(62) | 3).writable);
	assert_false(entry(LONG, 2, 0, BIT(61) | 3).user);
	assert_false(entry(LONG, 1, 0, BIT(60) | 3).executable);
	assert_true(entry(LONG, 1, 0, BIT(59) | 3).executable);
}

/* ---- walks ---- */

/* RAM, of 64 KiB from there on. */
enum { RAM = 0x40200000, RAM_SIZE = 0x10000 };

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

struct expected {
	uint64_t vaddr, paddr;
};

/* Both lists end with zeros. Takes the registers. */
static void expect_translations(struct registers cpu, enum byte_order order, size_t size,
	const struct written *entries, const struct expected *expected)
{
	struct page_table table;
	uint64_t paddr;

	memset(ram, 0, sizeof(ram));
	for (; entries->at; entries++) {
		if (size == 8)
			put_u64(ram + (entries->at - RAM), entries->raw, order);
		else
			put_u32(ram + (entries->at - RAM), (uint32_t)entries->raw, order);
	}
	assert_true(little->page_table(&cpu, 0, 0, &table));
	assert_int_equal(table.order, order);
	assert_ptr_equal(table.arch, order == BIG ? big : little);
	for (; expected->vaddr; expected++) {
		assert_true(paging_translate(&table, &memory, expected->vaddr, &paddr));
		assert_int_equal(paddr, expected->paddr);
	}
	registers_deinit(&cpu);
}

static void test_walk_of_short_descriptors(void **state)
{
	/* A table of 256 entries for 0xc01, sections, a supersection's second part */
	const struct written entries[] = {
		{ RAM + 0x4000 + 0xc00 * 4, 0x40000402 },
		{ RAM + 0x4000 + 0xc01 * 4, (RAM + 0x8400) | 1 },
		{ RAM + 0x4000 + 0xc11 * 4, 0x48240402 },
		{ RAM + 0x8400 + 0x23 * 4, 0x4abcd012 },
		{ RAM + 0x8400 + 0x35 * 4, 0x4bcd0011 },
		{ 0, 0 },
	};
	const struct expected expected[] = {
		{ 0xc0012345, 0x40012345 },
		{ 0xc0123456, 0x4abcd456 },
		{ 0xc0135678, 0x4bcd5678 },
		{ 0xc1123456, 0x248123456 },
		{ 0, 0 },
	};
	struct registers cpu = short_cpu(MMU | XP, 0, RAM + 0x4000, 0);
	struct page_table table;
	uint64_t paddr;

	(void)state;
	expect_translations(short_cpu(MMU | XP, 0, RAM + 0x406a, 0), LITTLE, 4, entries, expected);
	expect_translations(
		short_cpu(MMU | XP | EE, 0, RAM + 0x406a, 0), BIG, 4, entries, expected);
	/* From TTBR1, whose table has entries for all addresses */
	expect_translations(short_cpu(MMU | XP, 1, 0, RAM + 0x406a), LITTLE, 4, entries, expected);
	assert_true(little->page_table(&cpu, 0, 0, &table));
	assert_false(paging_translate(&table, &memory, 0xc0124000, &paddr));
	assert_false(paging_translate(&table, &memory, 0xc0200000, &paddr));
	assert_false(paging_translate(&table, &memory, 0x1c0012345, &paddr));
	registers_deinit(&cpu);
}

/* Kernels from 0xc0000000 on: the fourth of four entries, or a table of the second level. */
static void test_walk_of_long_descriptors(void **state)
{
	const struct written entries[] = {
		{ RAM + 3 * 8, (RAM + 0x4000) | 3 },
		{ RAM + 0x4000, 0x840000401 },
		{ RAM + 0x4000 + 8, (RAM + 0x5000) | 3 },
		{ RAM + 0x5000 + 0x123 * 8, 0xff4abcd403 },
		{ RAM + 2 * 8, 0x880000401 },
		{ 0, 0 },
	};
	const struct expected expected[] = {
		{ 0xc0012345, 0x840012345 },
		{ 0xc0323456, 0xff4abcd456 },
		{ 0xa0012345, 0x8a0012345 },
		{ 0, 0 },
	};
	const struct expected upper[] = {
		{ 0xc0012345, 0x840012345 },
		{ 0xc0323456, 0xff4abcd456 },
		{ 0, 0 },
	};

	(void)state;
	expect_translations(long_cpu(MMU, EAE, RAM, 0), LITTLE, 8, entries, expected);
	expect_translations(long_cpu(MMU | EE, EAE, RAM, 0), BIG, 8, entries, expected);
	expect_translations(
		long_cpu(MMU, EAE | T1SZ(2), 0, RAM + 0x4000), LITTLE, 8, entries, upper);
	/* T1SZ 1: two entries, those of the upper half */
	expect_translations(
		long_cpu(MMU, EAE | T1SZ(1), 0, RAM + 0x10), LITTLE, 8, entries, expected);
}

static int add_mapping(void *ctx, const struct mapping *mapping)
{
	struct mapping **next = ctx;

	*(*next)++ = *mapping;
	return 0;
}

/* Sixteen entries each for a supersection and a large page are one mapping, as are their likes. */
static void test_pieces(void **state)
{
	struct registers cpu = short_cpu(MMU | XP, 0, RAM + 0x4000, 0);
	struct page_table table;
	struct mapping found[4], *next = found;

	(void)state;
	memset(ram, 0, sizeof(ram));
	for (uint32_t i = 0; i < 16; i++) {
		put_le32(ram + 0x4000 + (size_t)4 * (0xc00 + i), 0x40040402);
		put_le32(ram + 0x8000 + (size_t)4 * i, 0x41008211);
	}
	put_le32(ram + 0x4000 + (size_t)4 * 0xc10, (RAM + 0x8000) | 1);
	assert_true(little->page_table(&cpu, 0, 0, &table));
	assert_int_equal(paging_walk(&table, &memory, 0, UINT64_MAX, add_mapping, &next), 0);
	assert_int_equal(next - found, 2);
	assert_int_equal(found[0].vaddr, 0xc0000000);
	assert_int_equal(found[0].paddr, 0x40000000);
	assert_int_equal(found[0].size, 0x1000000);
	assert_true(found[0].writable && found[0].executable && !found[0].user);
	assert_int_equal(found[1].vaddr, 0xc1000000);
	assert_int_equal(found[1].paddr, 0x41000000);
	assert_int_equal(found[1].size, 0x10000);
	assert_true(!found[1].writable && !found[1].executable && !found[1].user);
	registers_deinit(&cpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_roots),
		cmocka_unit_test(test_long_roots),
		cmocka_unit_test(test_no_root),
		cmocka_unit_test(test_security_states),
		cmocka_unit_test(test_user_table),
		cmocka_unit_test(test_where_a_kernel_is),
		cmocka_unit_test(test_short_pages),
		cmocka_unit_test(test_long_pages),
		cmocka_unit_test(test_not_present),
		cmocka_unit_test(test_rights_of_short_pages),
		cmocka_unit_test(test_armv5_is_told_by_its_control_register),
		cmocka_unit_test(test_rights_of_long_pages),
		cmocka_unit_test(test_walk_of_short_descriptors),
		cmocka_unit_test(test_walk_of_long_descriptors),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, find_both, NULL);
}
