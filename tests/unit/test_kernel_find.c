// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "layout/kernel.h"
#include "tests/unit/failing.h"

/*
 * A guest of 32 bits, whose kernel image lies in the direct map: 1 GiB of RAM, of which only the
 *page tables are described, by i386's PAE. With 2 MiB pages it maps 16 MiB from 0xc0000000 on:
 *
 *	0xc0000000  memory
 *	0xc0800000  4 MiB of code, the image's
 *	0xc0c00000  2 MiB of read-only data, 2 MiB of data
 *	0xf8000000  what has been mapped by vmalloc(), in 4 KiB pages
 */
#define MIB(n) ((uint64_t)(n) << 20)

enum {
	ROOT = 0x1000,
	KERNEL_TABLE = 0x2000,  /* 0xc0000000 on */
	VMALLOC_TABLE = 0x3000, /* 0xf8000000 on */
	LOW_TABLE = 0x4000,     /* 0xc0000000 on, in 4 KiB pages */
	USER_TABLE = 0x5000,    /* 0x40000000 on */
	FIRST_TABLE = 0x6000,   /* 0 on */
	TABLES_SIZE = 0x8000,

	P = 1,
	W = 2,
	U = 4,
	LARGE = 0x80,
};
#define NX         (UINT64_C(1) << 63)
#define DIRECT_MAP UINT64_C(0xc0000000)
#define IMAGE      UINT64_C(0xc0800000)
#define VMALLOC    UINT64_C(0xf8000000)
#define USER_CODE  UINT64_C(0x40000000)

static uint8_t tables[TABLES_SIZE];
static struct ranges ram;
static struct registers cpu;
static struct kernel kernel;

static int read_guest(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx;
	memset(buf, 0, len);
	if (!ranges_contain(&ram, paddr, len))
		return -1;
	for (size_t i = 0; i < len && paddr + i < TABLES_SIZE; i++)
		((uint8_t *)buf)[i] = tables[paddr + i];
	return 0;
}

static void put(uint64_t table, unsigned index, uint64_t entry)
{
	put_le64(tables + table + (size_t)8 * index, entry);
}

static void map_large(uint64_t table, unsigned index, uint64_t paddr, uint64_t flags)
{
	put(table, index, paddr | flags | P | LARGE);
}

static void map_kernel(void)
{
	put(ROOT, 3, KERNEL_TABLE | P);
	for (unsigned i = 0; i < 8; i++)
		map_large(KERNEL_TABLE, i, MIB(2) * i, NX | W);
	map_large(KERNEL_TABLE, 4, MIB(8), 0);
	map_large(KERNEL_TABLE, 5, MIB(10), 0);
	map_large(KERNEL_TABLE, 6, MIB(12), NX);
	put(KERNEL_TABLE, (VMALLOC - DIRECT_MAP) >> 21, VMALLOC_TABLE | P | W);
}

static int setup(void **state)
{
	(void)state;
	memset(tables, 0, sizeof(tables));
	ranges_init(&ram);
	kernel_init(&kernel);
	registers_init(&cpu, 0, LITTLE);
	registers_set_u64(&cpu, "cr0", 0x80050033);
	registers_set_u64(&cpu, "cr3", ROOT);
	registers_set_u64(&cpu, "cr4", 0x20);
	registers_set_u64(&cpu, "cs", 0x60);
	return ranges_add(&ram, 0, MIB(1024));
}

static int teardown(void **state)
{
	(void)state;
	kernel_deinit(&kernel);
	registers_deinit(&cpu);
	ranges_deinit(&ram);
	return 0;
}

static void find(void)
{
	const struct guest_memory memory = { .read = read_guest };

	kernel_find_mappings(&kernel, arch_find("i386"), &cpu, 1, &ram, &memory);
}

static void assert_found(uint64_t image, uint64_t paddr)
{
	assert_true(kernel.mapped);
	assert_int_equal(kernel.table.root, ROOT);
	assert_int_equal(kernel.text.vaddr, image);
	assert_int_equal(kernel.text.paddr, paddr);
	assert_int_equal(kernel.text.size, DIRECT_MAP + MIB(16) - image);
	assert_int_equal(kernel.direct_map, DIRECT_MAP);
	assert_int_equal(kernel.direct_map_end, MIB(16));
	assert_int_equal(kernel.phys_base, 0);
}

static void test_image_begins_with_its_code(void **state)
{
	(void)state;
	map_kernel();
	find();
	assert_found(IMAGE, MIB(8));
}

/* The kernel can execute the BIOS, which is in the direct map as well. */
static void test_some_code_in_front(void **state)
{
	(void)state;
	map_kernel();
	put(KERNEL_TABLE, 0, LOW_TABLE | P | W);
	for (unsigned page = 0; page < 512; page++)
		put(LOW_TABLE, page, page << 12 | P | (page >= 0xa0 && page < 0x100 ? 0 : NX | W));
	find();
	assert_found(IMAGE, MIB(8));
}

/* Not every CPU can forbid execution; that code is read-only tells it then. */
static void test_all_can_be_executed(void **state)
{
	(void)state;
	map_kernel();
	for (unsigned i = 0; i < 8; i++)
		map_large(KERNEL_TABLE, i, MIB(2) * i, i == 4 || i == 5 ? 0 : W);
	find();
	assert_found(IMAGE, MIB(8));
}

/* While a kernel starts, or for good in an old one, nothing is protected. */
static void test_nothing_is_protected(void **state)
{
	(void)state;
	map_kernel();
	for (unsigned i = 0; i < 8; i++)
		map_large(KERNEL_TABLE, i, MIB(2) * i, W);
	find();
	assert_found(DIRECT_MAP, 0);
}

static void test_code_of_users_is_no_image(void **state)
{
	(void)state;
	put(ROOT, 1, USER_TABLE | P);
	map_large(USER_TABLE, 0, MIB(32), U);
	map_large(USER_TABLE, 1, MIB(34), U);
	put(ROOT, 3, KERNEL_TABLE | P);
	for (unsigned i = 0; i < 8; i++)
		map_large(KERNEL_TABLE, i, MIB(2) * i, NX | W);
	find();
	assert_false(kernel.mapped);
	map_kernel();
	find();
	assert_found(IMAGE, MIB(8));
}

/* Firmware has RAM at the addresses that it has anyway. */
static void test_identity_is_no_kernel(void **state)
{
	(void)state;
	assert_int_equal(ranges_add(&ram, MIB(1024), MIB(64)), 0);
	put(ROOT, 0, FIRST_TABLE | P);
	put(ROOT, 1, USER_TABLE | P);
	for (unsigned i = 0; i < 32; i++) {
		map_large(FIRST_TABLE, i, MIB(2) * i, W);
		map_large(USER_TABLE, i, USER_CODE + MIB(2) * i, W);
	}
	find();
	assert_false(kernel.mapped);
}

/* What is mapped anywhere may happen to be where a longer direct map would have it. */
static void test_end_of_direct_map(void **state)
{
	const uint64_t there = VMALLOC - DIRECT_MAP + 0x3000;

	(void)state;
	map_kernel();
	put(VMALLOC_TABLE, 0, 0x1234000 | P | W | NX);
	put(VMALLOC_TABLE, 3, there | P | W | NX);
	find();
	assert_found(IMAGE, MIB(8));
}

/* Parts of it may be left out: memory that is none, or that nobody shall see. */
static void test_hole_in_direct_map(void **state)
{
	(void)state;
	map_kernel();
	put(KERNEL_TABLE, 1, 0);
	map_large(KERNEL_TABLE, 40, MIB(80), NX | W);
	find();
	assert_true(kernel.mapped);
	assert_int_equal(kernel.direct_map, DIRECT_MAP);
	assert_int_equal(kernel.direct_map_end, MIB(82));
}

static void test_another_split(void **state)
{
	(void)state;
	put(ROOT, 2, KERNEL_TABLE | P);
	for (unsigned i = 0; i < 8; i++)
		map_large(KERNEL_TABLE, i, MIB(2) * i, i == 4 ? 0 : NX | W);
	find();
	assert_true(kernel.mapped);
	assert_int_equal(kernel.text.vaddr, 0x80800000);
	assert_int_equal(kernel.direct_map, 0x80000000);
	assert_int_equal(kernel.direct_map_end, MIB(16));
}

static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	map_kernel();
	while (failing_next(&failing)) {
		find();
		failing_check(
			&failing, kernel.no_memory ? -1 : 0, kernel.no_memory ? "no memory" : "");
		kernel_deinit(&kernel);
	}
	/* The cache, its pages, four walks. */
	assert_true(failing.nth > 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_image_begins_with_its_code),
		TEST(test_some_code_in_front),
		TEST(test_all_can_be_executed),
		TEST(test_nothing_is_protected),
		TEST(test_code_of_users_is_no_image),
		TEST(test_identity_is_no_kernel),
		TEST(test_end_of_direct_map),
		TEST(test_hole_in_direct_map),
		TEST(test_another_split),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
