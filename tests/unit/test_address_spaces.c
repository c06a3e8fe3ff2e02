// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "layout/address_spaces.h"
#include "tests/unit/failing.h"

/*
 * The guest: 256 KiB of RAM from address 0 on, and a page at 4 MiB. Two vCPUs share the kernel's
 * half; what is mapped where is in build().
 */
enum { RAM_SIZE = 0x40000, FAR = 0x400000, PAGE = 0x1000 };

enum { P = 1, W = 2, U = 4, LARGE = 0x80 };

#define KERNEL UINT64_C(0xffffffff80000000)
#define ESPFIX UINT64_C(0xffffff0000000000)

static uint8_t ram[RAM_SIZE];
static struct ranges memory;
static struct registers cpus[2];
static struct kernel kernel;
static struct address_spaces spaces;
static struct error error;

static int read_ram(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx;
	if (paddr > RAM_SIZE || len > RAM_SIZE - paddr)
		return -1;
	memcpy(buf, ram + paddr, len);
	return 0;
}

static const struct guest_memory reader = { .read = read_ram };

static void set(uint64_t table, unsigned index, uint64_t entry)
{
	put_le64(ram + table + 8 * index, entry);
}

static void set_cpu(unsigned cpu, uint64_t cr3, uint64_t cs)
{
	registers_set_u64(&cpus[cpu], "cr0", 0x80050033);
	registers_set_u64(&cpus[cpu], "cr3", cr3);
	registers_set_u64(&cpus[cpu], "cr4", 0x6f0);
	registers_set_u64(&cpus[cpu], "efer", 0xd01);
	registers_set_u64(&cpus[cpu], "cs", cs);
}

static int setup(void **state)
{
	(void)state;
	memset(ram, 0, sizeof(ram));
	ranges_init(&memory);
	kernel_init(&kernel);
	for (unsigned i = 0; i < 2; i++)
		registers_init(&cpus[i], i, LITTLE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	address_spaces_deinit(&spaces);
	for (unsigned i = 0; i < 2; i++)
		registers_deinit(&cpus[i]);
	kernel_deinit(&kernel);
	ranges_deinit(&memory);
	return 0;
}

static void add_memory(uint64_t start, uint64_t size)
{
	assert_int_equal(ranges_add(&memory, start, size), 0);
}

/* Roots at 0x1000 and 0x2000. */
static void build(void)
{
	/* The kernel: 2 MiB from address 0 on. */
	set(0x1000, 511, 0x3000 | P | W);
	set(0x2000, 511, 0x3000 | P | W);
	set(0x3000, 510, 0x4000 | P | W);
	set(0x4000, 0, 0 | LARGE | P | W);

	/* espfix: one page, four times. */
	set(0x1000, 510, 0xb000 | P | W);
	set(0x2000, 510, 0xb000 | P | W);
	set(0xb000, 0, 0xc000 | P | W);
	set(0xc000, 0, 0xd000 | P | W);
	for (unsigned i = 0; i < 64; i += 16)
		set(0xd000, i, 0x12000 | P);

	/* User space of the first: two pages that are one piece, one more, and a device. */
	set(0x1000, 0, 0x5000 | P | W | U);
	set(0x5000, 0, 0x6000 | P | W | U);
	set(0x6000, 0, 0x7000 | P | W | U);
	set(0x7000, 1, 0x10000 | P | U);
	set(0x7000, 2, 0x11000 | P | W | U);
	set(0x7000, 4, 0x20000 | P | W | U);
	set(0x7000, 9, 0xfee00000 | P | W | U);

	/* And of the second, at the same address. */
	set(0x2000, 0, 0x8000 | P | W | U);
	set(0x8000, 0, 0x9000 | P | W | U);
	set(0x9000, 0, 0xa000 | P | W | U);
	set(0xa000, 1, 0xa000 | P | W | U);
}

static void read_spaces(void)
{
	if (address_spaces_read(
		    &spaces, &kernel, arch_find("x86_64"), cpus, 2, &memory, &reader, &error))
		fail_msg("%s", error.text);
}

/* The list ends with a mapping of size 0. */
static void expect(const struct core_mapping *expected)
{
	size_t count = 0;

	for (; expected[count].size; count++) {
		assert_true(count < spaces.count);
		assert_true(spaces.mappings[count].vaddr == expected[count].vaddr);
		assert_int_equal(spaces.mappings[count].paddr, expected[count].paddr);
		assert_int_equal(spaces.mappings[count].size, expected[count].size);
	}
	assert_int_equal(spaces.count, count);
}

/* Of the guest of build(), with these roots of its vCPUs. */
static void read_built(uint64_t first, uint64_t second)
{
	build();
	add_memory(0, RAM_SIZE);
	set_cpu(0, first, 0x10);
	set_cpu(1, second, 0x10);
	read_spaces();
}

static void test_two_vcpus(void **state)
{
	static const struct core_mapping expected[] = {
		{ 0x1000, 0x10000, 0x2000 },
		{ 0x1000, 0xa000, 0x1000 },
		{ 0x4000, 0x20000, 0x1000 },
		{ ESPFIX, 0x12000, 0x1000 },
		{ KERNEL, 0, RAM_SIZE },
		{ FAR, FAR, PAGE },
		{ 0 },
	};

	(void)state;
	add_memory(FAR, PAGE);
	read_built(0x1000, 0x2000);
	expect(expected);
	assert_int_equal(spaces.roots, 2);
	assert_int_equal(spaces.aliases, 6);
	assert_true(spaces.complete);
}

/* Of two vCPUs, the first one's mapping is what readers find first. */
static void test_the_order_of_vcpus(void **state)
{
	(void)state;
	read_built(0x2000, 0x1000);
	assert_int_equal(spaces.count, 5);
	assert_int_equal(spaces.mappings[0].paddr, 0xa000);
	assert_int_equal(spaces.mappings[1].paddr, 0x10000);
}

static void test_one_root_for_both(void **state)
{
	(void)state;
	read_built(0x2000, 0x2000);
	assert_int_equal(spaces.roots, 1);
	assert_int_equal(spaces.count, 3);
}

static void test_cut_to_the_memory(void **state)
{
	static const struct core_mapping expected[] = {
		{ 0x2800, 0x11800, 0x800 },
		{ KERNEL + 0x1000, 0x1000, 0x1000 },
		{ KERNEL + 0x3000, 0x3000, 0x6000 },
		{ KERNEL + 0x11800, 0x11800, 0x800 },
		{ 0 },
	};

	(void)state;
	build();
	add_memory(0x1000, 0x1000);
	add_memory(0x3000, 0x6000);
	add_memory(0x11800, 0x800);
	set_cpu(0, 0x1000, 0x10);
	set_cpu(1, 0x1000, 0x10);
	read_spaces();
	expect(expected);
}

static void test_no_paging(void **state)
{
	static const struct core_mapping expected[] = {
		{ 0, 0, RAM_SIZE },
		{ FAR, FAR, PAGE },
		{ 0 },
	};

	(void)state;
	build();
	add_memory(0, RAM_SIZE);
	add_memory(FAR, PAGE);
	for (unsigned i = 0; i < 2; i++) {
		set_cpu(i, 0x1000, 0x10);
		registers_set_u64(&cpus[i], "cr0", 0x60000010);
	}
	read_spaces();
	expect(expected);
	assert_int_equal(spaces.roots, 0);
}

/* A vCPU at the kernel's entry still has the root for user mode, which lacks the kernel. */
static void test_page_table_isolation(void **state)
{
	(void)state;
	build();
	add_memory(0, RAM_SIZE);
	memmove(ram + 0xe000, ram + 0x1000, PAGE); /* the kernel's root, and next to it: */
	set(0xf000, 0, 0x8000 | P | W | U);
	kernel.mapped = true;
	kernel.text = (struct mapping){ .vaddr = KERNEL, .paddr = 0, .size = 0x200000 };
	assert_true(arch_find("x86_64")->page_table(&cpus[0], 0, 0, &kernel.table) == false);
	set_cpu(0, 0xf000, 0x10);
	set_cpu(1, 0xf000, 0x33);
	assert_true(arch_find("x86_64")->page_table(&cpus[0], RAM_SIZE, 1, &kernel.table));
	assert_int_equal(kernel.table.root, 0xe000);
	read_spaces();
	assert_int_equal(spaces.roots, 1);
	assert_int_equal(spaces.mappings[0].paddr, 0x10000);
}

/* The kernel's table may be one that no register shows; a linear region is cut to the memory. */
static void test_the_kernels_own_table(void **state)
{
	static const struct core_mapping expected[] = {
		{ 0xc000000000000000, 0, RAM_SIZE },
		{ 0xc000000000000000 + FAR, FAR, PAGE },
		{ 0 },
	};

	(void)state;
	add_memory(0, RAM_SIZE);
	add_memory(FAR, PAGE);
	kernel.mapped = true;
	kernel.table = (struct page_table){
		.arch = arch_find("x86_64"),
		.regions = { { .range = { 0xc000000000000000, 0xcfffffffffffffff },
			.linear = true } },
		.region_count = 1,
	};
	read_spaces();
	expect(expected);
}

/* Tables that all point to each other map the same page millions of times. */
static void test_a_maze(void **state)
{
	(void)state;
	add_memory(0, RAM_SIZE);
	for (unsigned i = 0; i < 512; i++) {
		set(0x1000, i, 0x2000 | P | W);
		set(0x2000, i, 0x3000 | P | W);
		set(0x3000, i, 0x4000 | P | W);
		set(0x4000, i, (i % 2 ? 0x5000 : 0x7000) | P | W);
	}
	set_cpu(0, 0x1000, 0x10);
	set_cpu(1, 0x1000, 0x10);
	assert_int_equal(address_spaces_read(&spaces, &kernel, arch_find("x86_64"), cpus, 2,
				 &memory, &reader, &error),
		-1);
	assert_string_equal(error.text, "the page tables map memory in more than 1048575 pieces");
}

static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	build();
	add_memory(0, RAM_SIZE);
	set_cpu(0, 0x1000, 0x10);
	set_cpu(1, 0x2000, 0x10);
	while (failing_next(&failing)) {
		int rc = address_spaces_read(
			&spaces, &kernel, arch_find("x86_64"), cpus, 2, &memory, &reader, &error);

		failing_check(&failing, rc, error.text);
		address_spaces_deinit(&spaces);
	}
	/* Roots, two walks, mappings, their order and list, what is mapped and its ranges. */
	assert_true(failing.nth > 6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_two_vcpus),
		TEST(test_the_order_of_vcpus),
		TEST(test_one_root_for_both),
		TEST(test_cut_to_the_memory),
		TEST(test_no_paging),
		TEST(test_page_table_isolation),
		TEST(test_the_kernels_own_table),
		TEST(test_a_maze),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
