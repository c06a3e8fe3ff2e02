// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/x86_64.h"
#include "layout/direct_map.h"
#include "tests/unit/failing.h"

/*
 * 8 MiB of RAM with a kernel of x86-64: its image of 2 MiB, with the tables that map it, and tables
 * of the direct map elsewhere. Addresses are physical where it does not say otherwise.
 */
enum {
	RAM_SIZE = 8 << 20,
	IMAGE = 2 << 20,
	ROOT = 0x3fe000,
	P4D = 0x3ff000, /* with 5 levels, between the root and what follows */
	TEXT_PUD = 0x3fd000,
	TEXT_PMD = 0x3fc000,
	MAP_P4D = 0x602000,
	MAP_PUD = 0x600000,
	MAP_PMD = 0x601000,
	TABLE = 0x3,
	LARGE = 0x83,
};

#define TEXT    UINT64_C(0xffffffff84000000) /* virtual, of the image */
#define BASE    UINT64_C(0xffff888140000000)
#define BASE_57 UINT64_C(0xff11004000000000)

static uint8_t ram[RAM_SIZE];
static struct page_table table; /* the true one */
static struct registers cpu;
static struct direct_map map;
static struct error error;
static unsigned reads;

static int read_physical(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx;
	if (paddr >= RAM_SIZE || len > RAM_SIZE - paddr)
		return -1;
	memcpy(buf, ram + paddr, len);
	return 0;
}

/* As a stub reads, by the page tables of its vCPU. */
static int read_virtual(void *ctx, uint64_t vaddr, void *buf, size_t len)
{
	static const struct guest_memory physical = { .read = read_physical };

	(void)ctx;
	reads++;
	return paging_read(&table, &physical, vaddr, buf, len);
}

static const struct guest_memory memory = { .read = read_virtual };

static void set_entry(uint64_t of, unsigned index, uint64_t value)
{
	put_u64(ram + of + 8 * (size_t)index, value, LITTLE);
}

static void describe(unsigned levels, uint64_t base)
{
	unsigned top = levels == 5 ? 48 : 39;

	memset(ram, 0, sizeof(ram));
	memset(ram + IMAGE, 0x90, 0x100000);
	set_entry(ROOT, 511, (levels == 5 ? P4D : TEXT_PUD) | TABLE);
	set_entry(P4D, 511, TEXT_PUD | TABLE);
	set_entry(TEXT_PUD, 510, TEXT_PMD | TABLE);
	set_entry(TEXT_PMD, (TEXT >> 21) % 512, IMAGE | LARGE);
	set_entry(ROOT, (base >> top) % 512, (levels == 5 ? MAP_P4D : MAP_PUD) | TABLE);
	set_entry(MAP_P4D, (base >> 39) % 512, MAP_PUD | TABLE);
	set_entry(MAP_PUD, (base >> 30) % 512, MAP_PMD | TABLE);
	for (unsigned i = 0; i < RAM_SIZE >> 21; i++)
		set_entry(MAP_PMD, i, (uint64_t)i << 21 | LARGE);
	registers_deinit(&cpu);
	registers_init(&cpu, 0, LITTLE);
	assert_int_equal(registers_set_u64(&cpu, "rip", TEXT + 0x1234), 0);
	assert_true(arch_x86_64.guess_table(&cpu, levels - 4, &table));
	table.root = ROOT;
	reads = 0;
}

static int find(void)
{
	return direct_map_find(&map, &arch_x86_64, &cpu, &memory, &error);
}

static void assert_found(unsigned levels, uint64_t base)
{
	if (find())
		fail_msg("%s", error.text);
	assert_int_equal(map.base, base);
	assert_int_equal(map.table.root, ROOT);
	assert_int_equal(map.table.levels, levels);
}

static void test_four_levels(void **state)
{
	(void)state;
	describe(4, BASE);
	assert_found(4, BASE);
	/* Nothing is written there that moves. */
	describe(4, BASE);
	memset(ram + 0x3000, 0xff, 0x1000);
	assert_found(4, BASE);
}

/* A register that points into it, or to a pointer into it, spares trying 262144 addresses. */
static void test_five_levels(void **state)
{
	unsigned direct, indirect;

	(void)state;
	describe(5, BASE_57);
	assert_int_equal(registers_set_u64(&cpu, "rbx", BASE_57 + 0x3008), 0);
	assert_found(5, BASE_57);
	direct = reads;
	describe(5, BASE_57);
	/* Not aligned, as a stack pointer need not be when a vCPU stops. */
	assert_int_equal(registers_set_u64(&cpu, "rsp", TEXT + 0x100003), 0);
	put_u64(ram + IMAGE + 0x100010, BASE_57 + 0x5000, LITTLE);
	assert_found(5, BASE_57);
	indirect = reads;
	describe(5, BASE_57);
	assert_found(5, BASE_57);
	assert_true(direct < 10000 && indirect < 10000);
	assert_true(reads < 200000);
}

/* A root that has tables everywhere, and none that lead to a direct map. */
static void test_endless(void **state)
{
	(void)state;
	describe(5, BASE_57);
	set_entry(MAP_PUD, (BASE_57 >> 30) % 512, 0);
	for (unsigned i = 273; i < 400; i++)
		set_entry(ROOT, i, MAP_P4D | TABLE);
	assert_int_equal(find(), -1);
	assert_string_equal(error.text, "the search for the kernel's direct map takes too long");
	assert_true(reads <= 1 << 21);
}

/* What looks like it, but is not where it says. */
static void test_maps_elsewhere(void **state)
{
	(void)state;
	describe(4, BASE);
	for (unsigned i = 0; i < RAM_SIZE >> 21; i++)
		set_entry(MAP_PMD, i, (uint64_t)(i ^ 1) << 21 | LARGE);
	assert_int_equal(find(), -1);
	assert_string_equal(
		error.text, "no page of the kernel's image is a page table that maps all of RAM");
}

static void test_no_kernel(void **state)
{
	(void)state;
	describe(4, BASE);
	set_entry(TEXT_PUD, 510, 0);
	assert_int_equal(find(), -1);
	assert_string_equal(error.text, "the vCPU shows no kernel image with page tables in it");
	/* In user mode it need not. */
	describe(4, BASE);
	assert_int_equal(registers_set_u64(&cpu, "rip", 0x401000), 0);
	assert_int_equal(find(), -1);
	assert_int_equal(reads, 0);
}

static void test_ram(void **state)
{
	static const struct range expected[] = {
		{ 0, 0xa0000 },
		{ 0x100000, 0x300000 },
		{ 0x600000, 0x200000 },
	};
	struct ranges found;

	(void)state;
	describe(4, BASE);
	set_entry(MAP_PMD, 2, 0);
	assert_found(4, BASE);
	ranges_init(&found);
	assert_int_equal(direct_map_ram(&map, &memory, &found, &error), 0);
	assert_int_equal(found.count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(found.items[i].start, expected[i].start);
		assert_int_equal(found.items[i].size, expected[i].size);
	}
	ranges_deinit(&found);
	ranges_init(&found);
	map.base += 1 << 30;
	assert_int_equal(direct_map_ram(&map, &memory, &found, &error), -1);
	assert_string_equal(error.text, "the page tables of the kernel's direct map make no sense");
	ranges_deinit(&found);
}

static int tear_down(void **state)
{
	(void)state;
	registers_deinit(&cpu);
	return 0;
}

static void test_ram_without_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	describe(4, BASE);
	assert_found(4, BASE);
	while (failing_next(&failing)) {
		struct ranges found;
		int rc;

		ranges_init(&found);
		rc = direct_map_ram(&map, &memory, &found, &error);
		failing_check(&failing, rc, error.text);
		ranges_deinit(&found);
	}
	/* The cache and its pages, the walk, the ranges. */
	assert_int_equal(failing.nth, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_four_levels),
		cmocka_unit_test(test_five_levels),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_maps_elsewhere),
		cmocka_unit_test(test_no_kernel),
		cmocka_unit_test(test_ram),
		cmocka_unit_test(test_ram_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
