// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <string.h>

#include "layout/page_filter.h"
#include "tests/unit/failing.h"
#include "tests/unit/small_kernel.h"

/*
 * A kernel of 6.1 with 16 MiB of RAM: 4096 frames of 64 bytes of structs each, in 16 sections, and
 * its structs where vmemmap would be. All that it has are pages that no level leaves out, at first.
 */
enum {
	ROOTS = 0x10000,
	ROOT = 0x11000,
	STRUCTS = 0x400000,
	STRUCTS_PADDR = 0x100000,
	STEXT = 0x20000,

	LRU = 1 << 4,
	PRIVATE = 1 << 13,
	HEAD = 1 << 16,
	HWPOISON = 1 << 22,
	BUDDY = -129,
	OFFLINE = -257,
	ANON = 0x9001,
	HUGETLB = 2,
};

#define LINES                                                                        \
	"SYMBOL(_stext)=20000\nSYMBOL(mem_section)=10000\nSIZE(mem_section)=16\n"    \
	"OFFSET(mem_section.section_mem_map)=0\nLENGTH(mem_section)=1\n"             \
	"NUMBER(SECTION_SIZE_BITS)=20\nNUMBER(MAX_PHYSMEM_BITS)=28\n"                \
	"OFFSET(page.flags)=0\nOFFSET(page.mapping)=24\nOFFSET(page._mapcount)=48\n" \
	"OFFSET(page.private)=40\nOFFSET(page.compound_head)=8\n"                    \
	"OFFSET(page.compound_dtor)=16\nOFFSET(page.compound_order)=17\n"            \
	"NUMBER(PG_lru)=4\nNUMBER(PG_private)=13\nNUMBER(PG_swapcache)=10\n"         \
	"NUMBER(PG_swapbacked)=19\nNUMBER(PG_slab)=9\nNUMBER(PG_head_mask)=65536\n"  \
	"NUMBER(PG_hwpoison)=22\nNUMBER(HUGETLB_PAGE_DTOR)=2\n"                      \
	"NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\nLENGTH(zone.free_area)=11\n"
#define SIZE       "SIZE(page)=64\n"
#define BUDDY_LINE "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\n"

static struct small_kernel small;
static struct page_set kept;
static struct page_filter_counts counts;
static struct error error;

static uint64_t page(uint64_t pfn)
{
	return STRUCTS + pfn * 64;
}

static int setup_with(const char *lines)
{
	small_kernel_init(&small, ELFCLASS64, LITTLE, lines);
	small_kernel_map(&small, 0, 0, 64);
	small_kernel_map(&small, STRUCTS, STRUCTS_PADDR, 64);
	small_kernel_put_word(&small, ROOTS, ROOT);
	for (uint64_t n = 0; n < 16; n++)
		small_kernel_put_word(&small, ROOT + n * 16, STRUCTS | 1);
	for (uint64_t pfn = 0; pfn < SMALL_KERNEL_PAGES; pfn++)
		small_kernel_put(&small, page(pfn) + 48, 4, UINT32_MAX);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_with(LINES SIZE BUDDY_LINE);
}

static int teardown(void **state)
{
	(void)state;
	page_set_deinit(&kept);
	small_kernel_deinit(&small);
	return 0;
}

static void set_flags(uint64_t pfn, uint64_t flags)
{
	small_kernel_put(&small, page(pfn), 8, flags);
}

static void set_mapping(uint64_t pfn, uint64_t mapping)
{
	small_kernel_put(&small, page(pfn) + 24, 8, mapping);
}

static void set_type(uint64_t pfn, int type)
{
	small_kernel_put(&small, page(pfn) + 48, 4, (uint32_t)type);
}

static void set_free(uint64_t pfn, unsigned order)
{
	set_type(pfn, BUDDY);
	small_kernel_put(&small, page(pfn) + 40, 8, order);
}

/* A compound page, tails and all. */
static void set_compound(uint64_t pfn, unsigned order, unsigned kind, uint64_t flags)
{
	set_flags(pfn, flags | HEAD);
	small_kernel_put(&small, page(pfn + 1) + 16, 1, kind);
	small_kernel_put(&small, page(pfn + 1) + 17, 1, order);
	for (uint64_t tail = pfn + 1; tail < pfn + (1 << order); tail++)
		small_kernel_put(&small, page(tail) + 8, 8, page(pfn) + 1);
}

static int filter(unsigned level)
{
	page_set_deinit(&kept);
	assert_int_equal(page_set_init(&kept, &small.ram, 12), 0);
	return page_filter(level, &small.kernel, &small.ram, &small.memory, &kept, &counts, &error);
}

/* Filters, and checks that just these frames are left out: ranges [first, end), ended by zeros. */
static void assert_left_out(unsigned level, const uint64_t (*ranges)[2])
{
	uint64_t frames = 0, out = 0;

	if (filter(level))
		fail_msg("%s", error.text);
	for (size_t i = 0; i < small.ram.count; i++)
		frames += small.ram.items[i].size / 4096;
	for (; (*ranges)[1]; ranges++) {
		for (uint64_t pfn = (*ranges)[0]; pfn < (*ranges)[1]; pfn++) {
			if (page_set_contains(&kept, pfn))
				fail_msg("0x%x stays", (unsigned)pfn);
		}
		out += (*ranges)[1] - (*ranges)[0];
	}
	assert_int_equal(page_set_count(&kept), frames - out);
	assert_int_equal(counts.total, frames);
	assert_int_equal(counts.kept + counts.undecided, frames - out);
	assert_int_equal(counts.cache + counts.private_cache + counts.user + counts.free +
				 counts.unaccepted + counts.hwpoison + counts.offline,
		out);
}

#define LEFT_OUT(...) ((const uint64_t[][2]){ __VA_ARGS__, { 0, 0 } })

static void test_nothing_special(void **state)
{
	(void)state;
	assert_left_out(31, LEFT_OUT({ 0, 0 }));
	assert_int_equal(counts.undecided, 0);
	assert_int_equal(counts.kept, 4096);
	assert_int_equal(counts.struct_bytes, 4096 * 64);
	/* The page table, two pages of sections, and the table again with those of the structs. */
	assert_true(small.bytes_read <= 4096 * 64 + 32768 + 64 * 1024);
}

static void test_levels(void **state)
{
	(void)state;
	set_flags(100, LRU);
	set_flags(101, LRU | PRIVATE);
	set_flags(102, LRU);
	set_mapping(102, ANON);
	set_free(104, 3);
	set_type(113, OFFLINE);
	set_flags(114, HWPOISON);
	assert_left_out(2, LEFT_OUT({ 100, 101 }, { 113, 115 }));
	assert_int_equal(counts.cache, 1);
	assert_int_equal(counts.offline, 1);
	assert_int_equal(counts.hwpoison, 1);
	assert_left_out(4, LEFT_OUT({ 100, 102 }, { 113, 115 }));
	assert_int_equal(counts.cache, 1);
	assert_int_equal(counts.private_cache, 1);
	assert_left_out(8, LEFT_OUT({ 102, 103 }, { 113, 115 }));
	assert_int_equal(counts.user, 1);
	assert_left_out(16, LEFT_OUT({ 104, 112 }, { 113, 115 }));
	assert_int_equal(counts.free, 8);
	assert_left_out(31, LEFT_OUT({ 100, 103 }, { 104, 112 }, { 113, 115 }));
}

/* What the first frame of a block says goes for all, whatever the others look like. */
static void test_blocks(void **state)
{
	(void)state;
	set_compound(512, 9, HUGETLB, 0);
	set_compound(1024, 4, 1, LRU);
	set_mapping(1024, ANON);
	set_compound(1040, 2, 1, 0); /* of nobody's interest */
	set_flags(1041, LRU | HWPOISON);
	set_free(2048, 10);
	set_flags(2049, LRU);
	set_free(2050, 1);
	/* vmemmap of hugetlb pages shows the head over and over. */
	set_flags(512 + 64, HEAD);
	assert_left_out(31, LEFT_OUT({ 512, 1040 }, { 2048, 3072 }));
	assert_int_equal(counts.user, 528);
	assert_int_equal(counts.free, 1024);
	assert_int_equal(counts.undecided, 0);
	assert_left_out(8, LEFT_OUT({ 512, 1040 }));
	assert_left_out(6, LEFT_OUT({ 2049, 2050 }));
}

/* Order and alignment that cannot be are in doubt, and what is in doubt stays. */
static void test_absurd(void **state)
{
	(void)state;
	set_free(1024, 11);
	set_free(1028, 3);
	set_compound(2600, 9, HUGETLB, 0);
	small_kernel_put(&small, page(1201) + 17, 1, 200);
	set_flags(1200, HEAD | LRU);
	assert_left_out(31, LEFT_OUT({ 0, 0 }));
	assert_int_equal(counts.undecided, 4);
}

/* RAM in pieces that begin and end anywhere; a block goes on in the next one. */
static void test_pieces_of_ram(void **state)
{
	struct ranges ram;

	(void)state;
	ranges_init(&ram);
	assert_int_equal(
		ranges_parse("0-0x3fffff,0x401000-0x4fffff,0x7ff000-0xffffff", &ram, &error), 0);
	ranges_deinit(&small.ram);
	small.ram = ram;
	set_free(1024 - 512, 10); /* not aligned: stays */
	set_free(0x7fe, 1);       /* the first of it is no RAM */
	set_compound(0x3f0, 4, HUGETLB, 0);
	set_compound(0x4c0, 6, HUGETLB, 0);
	set_free(0xffc, 2);
	assert_left_out(31, LEFT_OUT({ 0x3f0, 0x400 }, { 0x4c0, 0x500 }, { 0xffc, 0x1000 }));
	assert_int_equal(counts.undecided, 1);
	assert_int_equal(counts.struct_bytes, (0x400 + 0xff + 0x801) * 64);
}

/* A huge page whose middle is not RAM: the last part still belongs to it. */
static void test_block_over_hole(void **state)
{
	(void)state;
	ranges_clip(&small.ram, 0, 0x210000);
	assert_int_equal(ranges_add(&small.ram, 0x380000, SMALL_KERNEL_SIZE - 0x380000), 0);
	set_compound(0x200, 9, HUGETLB, 0);
	set_flags(0x400, LRU);
	assert_left_out(30, LEFT_OUT({ 0x200, 0x210 }, { 0x380, 0x401 }));
}

/* The last frame of a range, whose second struct is not looked at. */
static void test_head_at_end(void **state)
{
	(void)state;
	ranges_clip(&small.ram, 0, 0x601000);
	assert_int_equal(ranges_add(&small.ram, SMALL_KERNEL_TABLE, 0x8000), 0);
	set_compound(0x600, 3, 1, LRU);
	assert_left_out(2, LEFT_OUT({ 0, 0 }));
	assert_int_equal(counts.undecided, 1);
}

static void test_sections_without_map(void **state)
{
	(void)state;
	set_free(256 * 3, 8);
	set_free(256 * 5, 8);
	small_kernel_put_word(&small, ROOT + 3 * 16, 0);
	small_kernel_put_word(&small, ROOT + 15 * 16, STRUCTS); /* not present */
	assert_left_out(16, LEFT_OUT({ 1280, 1536 }));
	assert_int_equal(counts.undecided, 512);
	assert_int_equal(counts.struct_bytes, (4096 - 512) * 64);
}

static void test_unreadable_structs(void **state)
{
	(void)state;
	set_free(0x800, 7);
	set_free(0x880, 6); /* structs 0x880 to 0x8bf are in the page behind that one */
	small.unreadable = STRUCTS_PADDR + 0x800 * 64;
	assert_left_out(16, LEFT_OUT({ 0x880, 0x8c0 }));
	assert_int_equal(counts.undecided, 64);

	small_kernel_unmap(&small, STRUCTS + 0x22000, 1);
	assert_left_out(16, LEFT_OUT({ 0, 0 }));
	assert_int_equal(counts.undecided, 128);
}

static void test_no_filter(void **state)
{
	(void)state;
	set_flags(100, LRU | HWPOISON);
	small.kernel.mapped = false;
	vmcoreinfo_deinit(&small.kernel.vmcoreinfo);
	assert_left_out(0, LEFT_OUT({ 0, 0 }));
	assert_left_out(1, LEFT_OUT({ 0, 0 }));
	assert_int_equal(counts.kept, 4096);
	assert_int_equal(small.bytes_read, 0);
}

static void assert_refused(unsigned level, const char *why)
{
	assert_int_equal(filter(level), -1);
	if (!strstr(error.text, why))
		fail_msg("%s", error.text);
}

static void test_refusals(void **state)
{
	(void)state;
	small.kernel.mapped = false;
	assert_refused(31, "page tables were not found");
	vmcoreinfo_deinit(&small.kernel.vmcoreinfo);
	assert_refused(31, "VMCOREINFO was not found");
	assert_int_equal(small.bytes_read, 0);
	teardown(NULL);

	setup_with(LINES BUDDY_LINE);
	assert_refused(2, "SIZE(page)");
	assert_int_equal(small.bytes_read, 0);
	teardown(NULL);

	setup_with(LINES SIZE);
	assert_refused(16, "PAGE_BUDDY_MAPCOUNT_VALUE");
	assert_left_out(14, LEFT_OUT({ 0, 0 }));
	small_kernel_put_word(&small, ROOTS, 0);
	assert_refused(14, "SYMBOL(mem_section)");
}

/* The kernel's own code is no page of a user, and its page table not free. */
static void test_landmarks(void **state)
{
	(void)state;
	set_free(STEXT / 4096, 0);
	assert_refused(16, "its own code or page table");
	set_type(STEXT / 4096, -1);
	set_mapping(SMALL_KERNEL_TABLE / 4096, ANON);
	assert_refused(8, "its own code or page table");
	assert_left_out(16, LEFT_OUT({ 0, 0 }));
}

/* Pages that nobody could look at for want of memory would only be too many in the core. */
static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	set_free(8, 3);
	page_set_deinit(&kept);
	assert_int_equal(page_set_init(&kept, &small.ram, 12), 0);
	while (failing_next(&failing))
		failing_check(&failing,
			page_filter(31, &small.kernel, &small.ram, &small.memory, &kept, &counts,
				&error),
			error.text);
	/* The cache and its pages, areas, five of the structs, walks. */
	assert_true(failing.nth > 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_special, setup, teardown),
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blocks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absurd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces_of_ram, setup, teardown),
		cmocka_unit_test_setup_teardown(test_block_over_hole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_head_at_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sections_without_map, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable_structs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_filter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_landmarks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
