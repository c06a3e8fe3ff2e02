// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "layout/mem_map.h"
#include "tests/unit/failing.h"
#include "tests/unit/small_kernel.h"

/*
 * RAM of 16 MiB in sections of 1 MiB, which are 256 page frames of 64 bytes of structs. The first
 * MiB of virtual addresses is what the tables lie in, and the second what the structs lie in.
 */
enum {
	TABLES = 0x10000, /* virtual and physical */
	ROOTS = TABLES,
	ROOT = TABLES + 0x1000,
	NODES = TABLES + 0x2000,
	STRUCTS = 0x100000,
	STRUCT_SIZE = 64,
	SECTION_FRAMES = 256,
	SECTION_STRUCTS = SECTION_FRAMES * STRUCT_SIZE,
	PRESENT = 1,
	OTHER_FLAGS = 0x1e,
};

/* 256 sections; EXTREME: 256 / (4096 / 16) = 1 root. */
#define SECTIONS                                            \
	"SYMBOL(mem_section)=10000\nSIZE(mem_section)=16\n" \
	"OFFSET(mem_section.section_mem_map)=0\n"
#define BITS "NUMBER(SECTION_SIZE_BITS)=20\nNUMBER(MAX_PHYSMEM_BITS)=28\n"

static struct small_kernel small;
static struct mem_map map;
static struct error error;

static void start(unsigned char elf_class, enum byte_order order, const char *lines)
{
	small_kernel_init(&small, elf_class, order, lines);
	small_kernel_map(&small, 0, 0, 512);
}

static int find(void)
{
	return mem_map_init(&map, &small.kernel, STRUCT_SIZE, &small.ram, &small.memory, &error);
}

static void end(void)
{
	mem_map_deinit(&map);
	small_kernel_deinit(&small);
}

/* As the kernel encodes it: less what the page frames before the section would take. */
static void put_section(uint64_t entry, uint64_t number, uint64_t structs)
{
	small_kernel_put_word(
		&small, entry, (structs - number * SECTION_STRUCTS) | PRESENT | OTHER_FLAGS);
}

static void assert_area(size_t index, uint64_t pfn, uint64_t count, uint64_t vaddr)
{
	assert_true(index < map.count);
	assert_int_equal(map.areas[index].pfn, pfn);
	assert_int_equal(map.areas[index].count, count);
	assert_int_equal(map.areas[index].vaddr, vaddr);
}

static void assert_refused(const char *why)
{
	assert_int_equal(find(), -1);
	if (!strstr(error.text, why))
		fail_msg("%s", error.text);
	end();
}

/* With vmemmap, the structs of all sections continue each other. */
static void test_extreme(void **state)
{
	(void)state;
	start(ELFCLASS64, LITTLE, SECTIONS BITS "LENGTH(mem_section)=1\n");
	small_kernel_put_word(&small, ROOTS, ROOT);
	for (uint64_t n = 0; n < 16; n++) {
		if (n != 5 && n != 6)
			put_section(ROOT + n * 16, n, STRUCTS + n * SECTION_STRUCTS);
	}
	small_kernel_put_word(&small, ROOT + 6 * 16, STRUCTS & ~PRESENT);
	assert_int_equal(find(), 0);
	assert_int_equal(map.count, 2);
	assert_area(0, 0, 5 * SECTION_FRAMES, STRUCTS);
	assert_area(1, 7 * SECTION_FRAMES, 9 * SECTION_FRAMES, STRUCTS + 7 * SECTION_STRUCTS);
	/* The page table, the roots, the root: no page more than once. */
	assert_true(small.reads <= 11);
	end();
}

/* Sections of their own arrays; big-endian; RAM that begins and ends in the middle of sections. */
static void test_extreme_without_vmemmap(void **state)
{
	(void)state;
	start(ELFCLASS64, BIG, SECTIONS BITS "LENGTH(mem_section)=1\n");
	small_kernel_put_word(&small, ROOTS, ROOT);
	put_section(ROOT, 0, STRUCTS + 0x20000);
	put_section(ROOT + 16, 1, STRUCTS + 0x10000);
	put_section(ROOT + 32, 2, STRUCTS + 0x14000);
	ranges_clip(&small.ram, 0, 0x280000);
	assert_int_equal(ranges_add(&small.ram, SMALL_KERNEL_TABLE, 0x8000), 0);
	assert_int_equal(find(), 0);
	assert_int_equal(map.count, 2);
	assert_area(0, 0, SECTION_FRAMES, STRUCTS + 0x20000);
	assert_area(1, SECTION_FRAMES, 2 * SECTION_FRAMES, STRUCTS + 0x10000);
	end();
}

/* Roots that are not there have no sections. */
static void test_missing_root(void **state)
{
	(void)state;
	/* Of 512 bytes a section, eight in a root: 32 roots. */
	start(ELFCLASS64, LITTLE,
		"SYMBOL(mem_section)=10000\nSIZE(mem_section)=512\n"
		"OFFSET(mem_section.section_mem_map)=8\nLENGTH(mem_section)=32\n" BITS);
	small_kernel_put_word(&small, ROOTS + 8, ROOT);
	put_section(ROOT + 8 + 2 * 512, 10, STRUCTS);
	assert_int_equal(find(), 0);
	assert_int_equal(map.count, 1);
	assert_area(0, 10 * SECTION_FRAMES, SECTION_FRAMES, STRUCTS);
	end();
}

/* 4.15: the address of the pointer to the array, in place of what it points to. */
static void test_dereferenced(void **state)
{
	(void)state;
	start(ELFCLASS64, LITTLE,
		"SYMBOL(mem_section)=13000\nSIZE(mem_section)=16\n"
		"OFFSET(mem_section.section_mem_map)=0\nLENGTH(mem_section)=1\n" BITS);
	small_kernel_put_word(&small, 0x13000, ROOTS);
	small_kernel_put_word(&small, ROOTS, ROOT);
	put_section(ROOT, 0, STRUCTS);
	assert_int_equal(find(), 0);
	assert_int_equal(map.count, 1);
	assert_area(0, 0, SECTION_FRAMES, STRUCTS);
	end();
}

/* All sections in one array; words of 32 bits, where a map may have wrapped around. */
static void test_plain(void **state)
{
	(void)state;
	start(ELFCLASS32, LITTLE,
		"SYMBOL(mem_section)=10000\nSIZE(mem_section)=8\n"
		"OFFSET(mem_section.section_mem_map)=4\nLENGTH(mem_section)=256\n" BITS);
	put_section(ROOTS + 4, 0, STRUCTS);
	put_section(ROOTS + 15 * 8 + 4, 15, 0x8000);
	assert_int_equal(find(), 0);
	assert_int_equal(map.count, 2);
	assert_area(0, 0, SECTION_FRAMES, STRUCTS);
	assert_area(1, 15 * SECTION_FRAMES, SECTION_FRAMES, 0x8000);
	end();
}

/* Before 5.9 VMCOREINFO has no sizes: LENGTH tells which an architecture has. */
static void test_known_sizes(void **state)
{
	static const struct {
		const char *arch;
		unsigned length;
		uint64_t frames; /* of a section; 0: not known */
	} cases[] = {
		{ "x86_64", 2048, 32768 },
		{ "x86_64", 131072, 32768 },
		{ "x86_64", 1024, 0 },
		{ "aarch64", 1024, 262144 },
		{ "aarch64", 8192, 32768 },
		{ "small", 2048, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char lines[256];

		snprintf(
			lines, sizeof(lines), SECTIONS "LENGTH(mem_section)=%u\n", cases[i].length);
		start(ELFCLASS64, LITTLE, lines);
		small.arch.name = cases[i].arch;
		small_kernel_put_word(&small, ROOTS, ROOT);
		small_kernel_put_word(&small, ROOT, STRUCTS | PRESENT);
		if (!cases[i].frames) {
			assert_refused("unknown memory model");
			continue;
		}
		assert_int_equal(find(), 0);
		assert_int_equal(map.count, 1);
		assert_area(0, 0, cases[i].frames, STRUCTS);
		end();
	}
}

static void test_sparse_refusals(void **state)
{
	static const struct {
		const char *lines, *why;
	} cases[] = {
		{ "SYMBOL(mem_section)=10000\n", "does not describe struct mem_section" },
		{ SECTIONS BITS, "does not describe struct mem_section" },
		{ SECTIONS BITS "LENGTH(mem_section)=0\n", "does not describe struct mem_section" },
		{ SECTIONS BITS "LENGTH(mem_section)=2\n", "unknown memory model" },
		{ SECTIONS "LENGTH(mem_section)=1\nNUMBER(SECTION_SIZE_BITS)=-1\n", "2^-1 bytes" },
		{ SECTIONS "LENGTH(mem_section)=1\nNUMBER(SECTION_SIZE_BITS)=64\n"
			   "NUMBER(MAX_PHYSMEM_BITS)=64\n",
			"2^64 bytes" },
		{ "SYMBOL(mem_section)=10000\nSIZE(mem_section)=4\nLENGTH(mem_section)=1\n"
		  "OFFSET(mem_section.section_mem_map)=0\n",
			"does not describe struct mem_section" },
		{ "SYMBOL(mem_section)=10000\nSIZE(mem_section)=16\nLENGTH(mem_section)=1\n"
		  "OFFSET(mem_section.section_mem_map)=12\n",
			"does not describe struct mem_section" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		start(ELFCLASS64, LITTLE, cases[i].lines);
		assert_refused(cases[i].why);
	}
}

/* A map that leads to nothing mapped, in neither reading of the symbol. */
static void test_nothing_there(void **state)
{
	(void)state;
	start(ELFCLASS64, LITTLE, SECTIONS BITS "LENGTH(mem_section)=1\n");
	small_kernel_put_word(&small, ROOTS, ROOT);
	put_section(ROOT, 0, 0x400000);
	assert_refused("no struct pages are where SYMBOL(mem_section)");

	start(ELFCLASS64, LITTLE, SECTIONS BITS "LENGTH(mem_section)=1\n");
	assert_refused("no struct pages are where SYMBOL(mem_section)");
}

#define NODE_OFFSETS                                                                   \
	"OFFSET(pglist_data.node_mem_map)=16\nOFFSET(pglist_data.node_start_pfn)=32\n" \
	"OFFSET(pglist_data.node_spanned_pages)=40\n"

static void put_node(uint64_t node, uint64_t structs, uint64_t pfn, uint64_t count)
{
	small_kernel_put_word(&small, node + 16, structs);
	small_kernel_put_word(&small, node + 32, pfn);
	small_kernel_put_word(&small, node + 40, count);
}

static void test_one_node(void **state)
{
	(void)state;
	start(ELFCLASS32, BIG, NODE_OFFSETS "SYMBOL(contig_page_data)=12000\nSYMBOL(mem_map)=1\n");
	put_node(NODES, STRUCTS, 0x10, 0xff0);
	assert_int_equal(find(), 0);
	assert_int_equal(map.count, 1);
	assert_area(0, 0x10, 0xff0, STRUCTS);
	end();
}

/* In any order; without memory; not there at all. */
static void test_nodes(void **state)
{
	(void)state;
	start(ELFCLASS64, LITTLE, NODE_OFFSETS "SYMBOL(node_data)=10000\nLENGTH(node_data)=5\n");
	small_kernel_put_word(&small, ROOTS, NODES + 0x100);
	small_kernel_put_word(&small, ROOTS + 8, NODES);
	small_kernel_put_word(&small, ROOTS + 16, 0x800000);
	small_kernel_put_word(&small, ROOTS + 32, NODES + 0x200);
	put_node(NODES, STRUCTS, 0, 0x400);
	put_node(NODES + 0x100, STRUCTS + 0x20000, 0x800, 0x800);
	put_node(NODES + 0x200, STRUCTS, 0x400, 0);
	assert_int_equal(find(), 0);
	assert_int_equal(map.count, 2);
	assert_area(0, 0, 0x400, STRUCTS);
	assert_area(1, 0x800, 0x800, STRUCTS + 0x20000);
	end();
}

static void test_flat_refusals(void **state)
{
	(void)state;
	start(ELFCLASS64, LITTLE, "SYMBOL(mem_map)=1\n");
	assert_refused("neither SYMBOL(mem_section) nor OFFSET(pglist_data.node_mem_map)");

	start(ELFCLASS64, LITTLE, NODE_OFFSETS "SYMBOL(x)=1\n");
	assert_refused("no node");

	start(ELFCLASS64, LITTLE, NODE_OFFSETS "SYMBOL(contig_page_data)=12000\n");
	put_node(NODES, 0x400000, 0, 0x400);
	assert_refused("no node");

	start(ELFCLASS64, LITTLE, NODE_OFFSETS "SYMBOL(contig_page_data)=12000\n");
	put_node(NODES, STRUCTS, UINT64_MAX - 1, 4);
	assert_refused("no node");

	start(ELFCLASS64, LITTLE, NODE_OFFSETS "SYMBOL(node_data)=10000\nLENGTH(node_data)=2\n");
	small_kernel_put_word(&small, ROOTS, NODES);
	small_kernel_put_word(&small, ROOTS + 8, NODES + 0x100);
	put_node(NODES, STRUCTS, 0, 0x400);
	put_node(NODES + 0x100, STRUCTS, 0x300, 0x400);
	assert_refused("overlap at page frame 0x300");
}

static void find_without_memory(void)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	while (failing_next(&failing)) {
		failing_check(&failing, find(), error.text);
		mem_map_deinit(&map);
	}
	assert_true(failing.nth > 3);
	end();
}

static void test_no_memory(void **state)
{
	(void)state;
	start(ELFCLASS64, LITTLE, SECTIONS BITS "LENGTH(mem_section)=1\n");
	small_kernel_put_word(&small, ROOTS, ROOT);
	put_section(ROOT, 0, STRUCTS);
	find_without_memory();

	start(ELFCLASS64, LITTLE, NODE_OFFSETS "SYMBOL(contig_page_data)=12000\n");
	put_node(NODES, STRUCTS, 0, 0x400);
	find_without_memory();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_extreme),
		cmocka_unit_test(test_extreme_without_vmemmap),
		cmocka_unit_test(test_missing_root),
		cmocka_unit_test(test_dereferenced),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_known_sizes),
		cmocka_unit_test(test_sparse_refusals),
		cmocka_unit_test(test_nothing_there),
		cmocka_unit_test(test_one_node),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_flat_refusals),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
