// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/bytes.h"
#include "arch/paging.h"
#include "tests/unit/failing.h"

/* The guest: this much RAM from address 0 on, nothing behind it. */
enum { PAGES = 32, PAGE = 0x1000, RAM_SIZE = PAGES * PAGE };

static uint8_t ram[RAM_SIZE];
static size_t reads, bytes_read;

static int read_ram(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx;
	reads++;
	bytes_read += len;
	if (paddr > RAM_SIZE || len > RAM_SIZE - paddr)
		return -1;
	memcpy(buf, ram + paddr, len);
	return 0;
}

static size_t batches;

static void read_ram_many(void *ctx, struct guest_read_request *requests, size_t count)
{
	batches++;
	for (size_t i = 0; i < count; i++)
		requests[i].failed = read_ram(
			ctx, requests[i].paddr, requests[i].buf, requests[i].len);
}

static const struct guest_memory memory = { .read = read_ram };

enum { P = 1, W = 2, U = 4, PS = 0x80 };
#define NX UINT64_C(0x8000000000000000)

static void set(uint64_t table, unsigned index, uint64_t entry)
{
	put_le64(ram + table + 8 * index, entry);
}

static struct page_table x86_table(unsigned levels)
{
	memset(ram, 0, sizeof(ram));
	reads = bytes_read = 0;
	struct page_table table = {
		.arch = arch_find("x86_64"),
		.root = 0x1000,
		.levels = levels,
		.page_shift = 12,
		.level_bits = { 9, 9, 9, 9, 9 },
		.entry_size = 8,
		.order = LITTLE,
		.address_mask = 0x000ffffffffff000,
	};

	page_table_set_halves(&table, 12 + 9 * levels);
	return table;
}

/*
 * A table of every level for the kernel text: 0xffffffff80000000 is entry 511 of 0x1000, entry
 * 510 of 0x2000; 0x3000 has entries of 2 MiB, and its entry 9 is the table 0x4000 for
 * 0xffffffff81200000.
 */
static struct page_table text_table(void)
{
	struct page_table table = x86_table(4);

	set(0x1000, 511, 0x2000 | P | W | U);
	set(0x2000, 510, 0x3000 | P | W | U);
	set(0x3000, 9, 0x4000 | P | W | U);
	return table;
}

static const uint64_t text_first = 0xffffffff80000000, text_last = 0xffffffffffffffff;

struct visits {
	struct mapping seen[16];
	size_t count;
	size_t stop_after; /* 0: never */
};

static int visit(void *ctx, const struct mapping *mapping)
{
	struct visits *visits = ctx;

	assert_true(mapping->size > 0);
	if (visits->count < 16)
		visits->seen[visits->count] = *mapping;
	visits->count++;
	return visits->count == visits->stop_after ? 7 : 0;
}

static struct visits walk(const struct page_table *table, uint64_t first, uint64_t last)
{
	struct visits visits = { 0 };

	assert_int_equal(paging_walk(table, &memory, first, last, visit, &visits), 0);
	return visits;
}

static void expect(
	const struct visits *visits, size_t nth, uint64_t vaddr, uint64_t paddr, uint64_t size)
{
	assert_true(nth < visits->count);
	assert_int_equal(visits->seen[nth].vaddr, vaddr);
	assert_int_equal(visits->seen[nth].paddr, paddr);
	assert_int_equal(visits->seen[nth].size, size);
}

static uint64_t translated(const struct page_table *table, uint64_t vaddr)
{
	uint64_t paddr = 0;

	assert_true(paging_translate(table, &memory, vaddr, &paddr));
	return paddr;
}

static bool is_mapped(const struct page_table *table, uint64_t vaddr)
{
	uint64_t paddr;

	return paging_translate(table, &memory, vaddr, &paddr);
}

static void test_a_smallest_page(void **state)
{
	struct page_table table = text_table();
	struct visits visits;

	(void)state;
	set(0x4000, 0x34, 0x5000 | P | W | NX);

	assert_int_equal(translated(&table, 0xffffffff81234567), 0x5567);
	assert_int_equal(reads, 4);
	assert_int_equal(bytes_read, 32); /* an entry of each level, no more */
	assert_false(is_mapped(&table, 0xffffffff81233fff));
	assert_false(is_mapped(&table, 0xffffffff81235000));

	reads = 0;
	visits = walk(&table, text_first, text_last);
	assert_int_equal(visits.count, 1);
	expect(&visits, 0, 0xffffffff81234000, 0x5000, 0x1000);
	assert_int_equal(reads, 4); /* each table once */
}

static void test_large_pages(void **state)
{
	struct page_table table = text_table();
	struct visits visits;

	(void)state;
	/* Bit 12 of a large page is a memory type, not an address. */
	set(0x3000, 10, 0x7fe00000 | 0x1000 | P | PS);
	set(0x2000, 511, 0xffc0000000 | 0x1000 | P | W | PS);

	assert_int_equal(translated(&table, 0xffffffff81412345), 0x7fe12345);
	assert_int_equal(translated(&table, 0xffffffff815fffff), 0x7fffffff);
	assert_int_equal(translated(&table, 0xffffffffc0000000), 0xffc0000000);
	assert_int_equal(translated(&table, 0xffffffffffffffff), 0xffffffffff);

	visits = walk(&table, text_first, text_last);
	assert_int_equal(visits.count, 2);
	expect(&visits, 0, 0xffffffff81400000, 0x7fe00000, 0x200000);
	expect(&visits, 1, 0xffffffffc0000000, 0xffc0000000, 0x40000000);
	assert_false(visits.seen[0].writable);
	assert_true(visits.seen[1].writable);
}

static void test_five_levels(void **state)
{
	struct page_table table = x86_table(5);
	struct visits visits;

	(void)state;
	set(0x1000, 0x111, 0x2000 | P | W);
	set(0x2000, 0, 0x3000 | P | W);
	set(0x3000, 0, 0x4000 | P | W);
	set(0x4000, 0, 0x5000 | P | W);
	set(0x5000, 1, 0x6000 | P | W);
	set(0x1000, 0x0ff, 0x7000 | P | W); /* the last of the lower half */
	set(0x7000, 511, 0x8000 | P | W);
	set(0x8000, 511, 0x40000000 | P | W | PS);

	assert_int_equal(translated(&table, 0xff11000000001abc), 0x6abc);
	assert_int_equal(translated(&table, 0x00ffffffffffffff), 0x7fffffff);
	assert_false(is_mapped(&table, 0x0111000000001abc)); /* not canonical */
	visits = walk(&table, 0, UINT64_MAX);
	assert_int_equal(visits.count, 2);
	expect(&visits, 0, 0x00ffffffc0000000, 0x40000000, 0x40000000);
	expect(&visits, 1, 0xff11000000001000, 0x6000, 0x1000);
}

static void test_only_address_bits_are_address(void **state)
{
	struct page_table table = text_table();
	struct visits visits;

	(void)state;
	/* Bit 7 is a memory type here; 9 to 11 and 52 to 62 are software's and the keys'. */
	set(0x4000, 0, 0x7ff0000000000000 | 0x5000 | 0xe00 | PS | 0x7f);
	set(0x4000, 1, 0x000ffffffffff000 | P);
	/* In a table of the fourth level, bit 7 means nothing. */
	set(0x1000, 511, 0x7ff0000000002000 | PS | P | W | U);

	assert_int_equal(translated(&table, 0xffffffff81200008), 0x5008);
	visits = walk(&table, text_first, text_last);
	assert_int_equal(visits.count, 2);
	expect(&visits, 0, 0xffffffff81200000, 0x5000, 0x1000);
	assert_true(visits.seen[0].executable);
	expect(&visits, 1, 0xffffffff81201000, 0x000ffffffffff000, 0x1000);
}

static void test_encryption_bit_is_no_address(void **state)
{
	const uint64_t encrypted = UINT64_C(1) << 51;
	struct page_table table = text_table();
	struct visits visits;

	(void)state;
	table.address_mask &= ~encrypted;
	set(0x1000, 511, encrypted | 0x2000 | P | W);
	set(0x2000, 510, encrypted | 0x3000 | P | W);
	set(0x3000, 9, encrypted | 0x4000 | P | W);
	set(0x3000, 10, encrypted | 0x600000 | P | W | PS);
	set(0x4000, 511, encrypted | 0x5ff000 | P | W);

	assert_int_equal(translated(&table, 0xffffffff813ff123), 0x5ff123);
	visits = walk(&table, text_first, text_last);
	assert_int_equal(visits.count, 1);
	expect(&visits, 0, 0xffffffff813ff000, 0x5ff000, 0x201000);
}

static void test_rights_of_all_levels_count(void **state)
{
	struct page_table table = text_table();
	struct visits visits;

	(void)state;
	set(0x4000, 0, 0x5000 | P | W | U);
	visits = walk(&table, text_first, text_last);
	assert_true(visits.seen[0].writable && visits.seen[0].executable && visits.seen[0].user);

	set(0x3000, 9, 0x4000 | P | U);
	visits = walk(&table, text_first, text_last);
	assert_true(!visits.seen[0].writable && visits.seen[0].executable && visits.seen[0].user);

	set(0x2000, 510, 0x3000 | P | W | U | NX);
	visits = walk(&table, text_first, text_last);
	assert_true(!visits.seen[0].writable && !visits.seen[0].executable && visits.seen[0].user);

	set(0x1000, 511, 0x2000 | P | W);
	visits = walk(&table, text_first, text_last);
	assert_true(!visits.seen[0].writable && !visits.seen[0].executable && !visits.seen[0].user);
}

static void test_neighbours_merge(void **state)
{
	struct page_table table = text_table();
	struct visits visits;

	(void)state;
	set(0x3000, 8, 0x7fe00000 | P | W | PS); /* continued by the first small pages */
	set(0x4000, 0, 0x80000000 | P | W);
	set(0x4000, 1, 0x80001000 | P | W);
	set(0x4000, 2, 0x80002000 | P); /* other rights */
	set(0x4000, 3, 0x80003000 | P);
	set(0x4000, 4, 0x80005000 | P);   /* a physical gap */
	set(0x4000, 6, 0x80006000 | P);   /* a virtual gap */
	set(0x4000, 511, 0x801ff000 | P); /* the last of a table, continued in the next */
	set(0x3000, 10, 0x6000 | P | W);
	set(0x6000, 0, 0x80200000 | P);

	visits = walk(&table, text_first, text_last);
	assert_int_equal(visits.count, 5);
	expect(&visits, 0, 0xffffffff81000000, 0x7fe00000, 0x202000);
	expect(&visits, 1, 0xffffffff81202000, 0x80002000, 0x2000);
	expect(&visits, 2, 0xffffffff81204000, 0x80005000, 0x1000);
	expect(&visits, 3, 0xffffffff81206000, 0x80006000, 0x1000);
	expect(&visits, 4, 0xffffffff813ff000, 0x801ff000, 0x2000);
}

static void test_cut_to_the_range(void **state)
{
	struct page_table table = text_table();
	struct visits visits;

	(void)state;
	set(0x3000, 8, 0x40000000 | P | W | PS);
	set(0x4000, 0, 0x5000 | P | W);

	visits = walk(&table, 0xffffffff811ff800, 0xffffffff812007ff);
	assert_int_equal(visits.count, 2);
	expect(&visits, 0, 0xffffffff811ff800, 0x401ff800, 0x800);
	expect(&visits, 1, 0xffffffff81200000, 0x5000, 0x800);

	visits = walk(&table, 0xffffffff81200010, 0xffffffff81200010);
	assert_int_equal(visits.count, 1);
	expect(&visits, 0, 0xffffffff81200010, 0x5010, 1);

	visits = walk(&table, 0xffffffff81201000, text_last);
	assert_int_equal(visits.count, 0);
	visits = walk(&table, text_last, text_first);
	assert_int_equal(visits.count, 0);
}

static void test_the_top_of_the_address_space(void **state)
{
	struct page_table table = x86_table(4);
	struct visits visits;
	uint8_t bytes[2];

	(void)state;
	set(0x1000, 511, 0x2000 | P | W);
	set(0x2000, 511, 0x3000 | P | W);
	set(0x3000, 511, 0x4000 | P | W);
	set(0x4000, 511, 0x5000 | P | W);
	ram[0x5fff] = 0xab;

	visits = walk(&table, text_first, UINT64_MAX);
	assert_int_equal(visits.count, 1);
	expect(&visits, 0, 0xfffffffffffff000, 0x5000, 0x1000);
	visits = walk(&table, UINT64_MAX, UINT64_MAX);
	assert_int_equal(visits.count, 1);
	expect(&visits, 0, UINT64_MAX, 0x5fff, 1);

	assert_int_equal(translated(&table, UINT64_MAX), 0x5fff);
	assert_int_equal(paging_read(&table, &memory, UINT64_MAX, bytes, 1), 0);
	assert_int_equal(bytes[0], 0xab);
	set(0x1000, 0, 0x2000 | P); /* a read that ran over the top would find this */
	set(0x2000, 0, 0x3000 | P);
	set(0x3000, 0, 0x4000 | P);
	set(0x4000, 0, 0x5000 | P);
	assert_int_equal(paging_read(&table, &memory, UINT64_MAX, bytes, 2), -1);
}

static void test_both_halves_and_nothing_between(void **state)
{
	struct page_table table = x86_table(4);
	struct visits visits;

	(void)state;
	set(0x1000, 255, 0x2000 | P);
	set(0x1000, 256, 0x3000 | P);
	set(0x2000, 511, 0x40000000 | P | PS); /* physically, each continues the other */
	set(0x3000, 0, 0x80000000 | P | PS);

	visits = walk(&table, 0, UINT64_MAX);
	assert_int_equal(visits.count, 2);
	expect(&visits, 0, 0x00007fffc0000000, 0x40000000, 0x40000000);
	expect(&visits, 1, 0xffff800000000000, 0x80000000, 0x40000000);

	visits = walk(&table, 0x00007ffffffff000, 0xffff800000000fff);
	assert_int_equal(visits.count, 2);
	expect(&visits, 0, 0x00007ffffffff000, 0x7ffff000, 0x1000);
	expect(&visits, 1, 0xffff800000000000, 0x80000000, 0x1000);

	visits = walk(&table, 0x0000800000000000, 0xffff7fffffffffff);
	assert_int_equal(visits.count, 0);
	assert_true(is_mapped(&table, 0x00007fffffffffff));
	assert_false(is_mapped(&table, 0x0000800000000000));
	assert_false(is_mapped(&table, 0xffff7fffffffffff));
	assert_true(is_mapped(&table, 0xffff800000000000));
}

static void test_a_table_out_of_reach_counts_as_empty(void **state)
{
	struct page_table table = text_table();
	struct visits visits;
	uint8_t byte;

	(void)state;
	set(0x3000, 8, 0x000ffffffffff000 | P);
	set(0x3000, 10, RAM_SIZE | P);
	set(0x3000, 11, 0x40000000 | P | PS);
	set(0x4000, 0, 0x5000 | P);

	visits = walk(&table, text_first, text_last);
	assert_int_equal(visits.count, 2);
	expect(&visits, 0, 0xffffffff81200000, 0x5000, 0x1000);
	expect(&visits, 1, 0xffffffff81600000, 0x40000000, 0x200000);
	assert_false(is_mapped(&table, 0xffffffff81000000));
	/* A page is mapped even if it cannot be read. */
	assert_int_equal(translated(&table, 0xffffffff81600000), 0x40000000);
	assert_int_equal(paging_read(&table, &memory, 0xffffffff81600000, &byte, 1), -1);

	table.root = RAM_SIZE;
	visits = walk(&table, text_first, text_last);
	assert_int_equal(visits.count, 0);
	assert_false(is_mapped(&table, 0xffffffff81200000));
}

static void test_a_root_that_maps_itself(void **state)
{
	struct page_table table = text_table();
	struct visits visits;

	(void)state;
	/* As Windows does it: the entry shows each table as a page. */
	set(0x4000, 0, 0x5000 | P | W);
	set(0x1000, 0x1ed, 0x1000 | P | W);
	visits = walk(&table, 0, UINT64_MAX);
	assert_int_equal(visits.count, 5);
	expect(&visits, 0, 0xfffff6fb7dbed000, 0x1000, 0x1000);
	expect(&visits, 1, 0xfffff6fb7dbff000, 0x2000, 0x1000);
	expect(&visits, 2, 0xfffff6fb7fffe000, 0x3000, 0x1000);
	expect(&visits, 3, 0xfffff6ffffc09000, 0x4000, 0x1000);
	expect(&visits, 4, 0xffffffff81200000, 0x5000, 0x1000);
}

static void test_a_maze_of_loops_ends(void **state)
{
	struct page_table table = x86_table(4);
	struct visits visits = { 0 };

	(void)state;
	for (unsigned i = 0; i < 512; i++)
		set(0x1000, i, 0x1000 | P | W);
	assert_int_equal(paging_walk(&table, &memory, 0, UINT64_MAX, visit, &visits), -1);
	assert_int_equal(reads, PAGING_TABLES_MAX);
	/* All pages are the root, so none continues its neighbour; what was found was shown. */
	assert_true(visits.count > 512);
	expect(&visits, 0, 0, 0x1000, 0x1000);
	expect(&visits, 1, 0x1000, 0x1000, 0x1000);
	assert_int_equal(translated(&table, 0xffffffff81234567), 0x1567);
}

static void test_tables_out_of_reach_count_as_well(void **state)
{
	struct page_table table = x86_table(5);
	struct visits visits = { 0 };

	(void)state;
	for (unsigned i = 0; i < 512; i++) {
		set(0x1000, i, 0x2000 | P);
		set(0x2000, i, 0x3000 | P);
		set(0x3000, i, 0x000fff0000000000 | P);
	}
	assert_int_equal(paging_walk(&table, &memory, 0, UINT64_MAX, visit, &visits), -1);
	assert_int_equal(reads, PAGING_TABLES_MAX);
	assert_int_equal(visits.count, 0);
}

static void test_tables_are_read_in_batches(void **state)
{
	const struct guest_memory many = { .read = read_ram, .read_many = read_ram_many };
	struct page_table table = text_table();
	struct visits visits = { 0 };

	(void)state;
	/* 80 tables of small pages, every second of them out of reach, with a large page inside. */
	for (unsigned i = 0; i < 80; i++)
		set(0x3000, 2 * i, (i % 2 ? RAM_SIZE : 0x4000) | P);
	set(0x3000, 9, 0x40000000 | P | PS);
	set(0x4000, 3, 0x5000 | P);
	batches = 0;
	assert_int_equal(paging_walk(&table, &many, text_first, text_last, visit, &visits), 0);
	assert_int_equal(reads, 3 + 80);
	assert_int_equal(batches, 1 + 1 + 3); /* of 32 tables at most */
	assert_int_equal(visits.count, 41);
	expect(&visits, 0, 0xffffffff80003000, 0x5000, 0x1000);
	expect(&visits, 1, 0xffffffff80803000, 0x5000, 0x1000);
	expect(&visits, 2, 0xffffffff81003000, 0x5000, 0x1000);
	expect(&visits, 3, 0xffffffff81200000, 0x40000000, 0x200000);
	expect(&visits, 4, 0xffffffff81803000, 0x5000, 0x1000);

	/* Only what the range needs. */
	visits.count = reads = batches = 0;
	assert_int_equal(
		paging_walk(&table, &many, 0xffffffff80000000, 0xffffffff80bfffff, visit, &visits),
		0);
	assert_int_equal(reads, 3 + 3);
	assert_int_equal(visits.count, 2);
}

static void test_the_visitor_ends_the_walk(void **state)
{
	struct page_table table = text_table();
	struct visits visits = { .stop_after = 2 };

	(void)state;
	for (unsigned i = 0; i < 8; i += 2)
		set(0x4000, i, 0x5000 | P);
	assert_int_equal(paging_walk(&table, &memory, text_first, text_last, visit, &visits), 7);
	assert_int_equal(visits.count, 2);

	visits = (struct visits){ .stop_after = 4 }; /* at the very last mapping */
	assert_int_equal(paging_walk(&table, &memory, text_first, text_last, visit, &visits), 7);
	assert_int_equal(visits.count, 4);
}

static void test_read_goes_page_by_page(void **state)
{
	struct page_table table = text_table();
	uint8_t bytes[0x1004];

	(void)state;
	set(0x4000, 0, 0x7000 | P);
	set(0x4000, 1, 0x6000 | P);
	set(0x4000, 2, 0x9000 | P);
	memset(ram + 0x6000, 0x66, 0x1000);
	memset(ram + 0x7000, 0x77, 0x1000);
	memset(ram + 0x9000, 0x99, 0x1000);

	assert_int_equal(paging_read(&table, &memory, 0xffffffff81200ffe, bytes, 0x1004), 0);
	assert_int_equal(bytes[0], 0x77);
	assert_int_equal(bytes[1], 0x77);
	assert_int_equal(bytes[2], 0x66);
	assert_int_equal(bytes[0x1001], 0x66);
	assert_int_equal(bytes[0x1002], 0x99);
	assert_int_equal(bytes[0x1003], 0x99);

	assert_int_equal(paging_read(&table, &memory, 0xffffffff81202ffe, bytes, 2), 0);
	assert_int_equal(paging_read(&table, &memory, 0xffffffff81202ffe, bytes, 3), -1);
	reads = 0;
	assert_int_equal(paging_read(&table, &memory, 0xffffffff81207000, bytes, 0), 0);
	assert_int_equal(paging_read(&table, &memory, UINT64_MAX, bytes, 0), 0);
	assert_int_equal(reads, 0);
}

/* Another geometry: two levels of ten bits, big-endian entries of four bytes, bit 0 valid. */
static struct paging_entry other_entry(
	const struct page_table *table, unsigned level, uint64_t vaddr, uint64_t raw)
{
	(void)vaddr;
	return (struct paging_entry){
		.present = raw & 1,
		.leaf = level == 0,
		.writable = true,
		.executable = true,
		.address = raw & table->address_mask,
	};
}

static void test_other_geometries(void **state)
{
	const struct arch other = { .order = LITTLE, .paging_entry = other_entry };
	struct page_table table = x86_table(2);
	struct visits visits;

	(void)state;
	table.arch = &other;
	table.level_bits[0] = table.level_bits[1] = 10;
	table.entry_size = 4;
	table.order = BIG;
	table.regions[0].range.last = UINT32_MAX;
	table.region_count = 1;
	table.address_mask = 0xfffff000;
	put_be32(ram + 0x1000 + 4 * 0x3, 0x2001);
	put_be32(ram + 0x2000 + 4 * 0x3ff, 0xabcde001);

	assert_int_equal(translated(&table, 0x00ffffff), 0xabcdefff);
	visits = walk(&table, 0, 0x7fffffff);
	assert_int_equal(visits.count, 1);
	expect(&visits, 0, 0x00fff000, 0xabcde000, 0x1000);
}

/* As 32-bit ARM has it: a root of 4096 entries for 1 MiB each, tables of 256 for 4 KiB each. */
static void test_levels_of_different_sizes(void **state)
{
	const struct arch other = { .paging_entry = other_entry };
	struct page_table table = x86_table(2);
	struct visits visits;

	(void)state;
	table.arch = &other;
	table.root = 0x4000;
	table.level_bits[0] = 8;
	table.level_bits[1] = 12;
	table.entry_size = 4;
	table.address_mask = 0xfffffc00;
	table.regions[0].range.last = UINT32_MAX;
	table.region_count = 1;
	put_le32(ram + 0x4000 + 4 * 0xc01, 0x2401);
	put_le32(ram + 0x4000 + 4 * 0xfff, 0x2801);
	put_le32(ram + 0x2400 + 4 * 0x23, 0x11000 | 1);
	put_le32(ram + 0x2800 + 4 * 0xff, 0x12000 | 1);

	assert_int_equal(page_table_size(&table, 0), 0x400);
	assert_int_equal(page_table_size(&table, 1), 0x4000);
	assert_int_equal(translated(&table, 0xc0123456), 0x11456);
	assert_int_equal(translated(&table, 0xffffffff), 0x12fff);
	assert_false(is_mapped(&table, 0x1c0123456));
	bytes_read = 0;
	visits = walk(&table, 0, UINT64_MAX);
	assert_int_equal(visits.count, 2);
	expect(&visits, 0, 0xc0123000, 0x11000, 0x1000);
	expect(&visits, 1, 0xfffff000, 0x12000, 0x1000);
	assert_int_equal(bytes_read, 0x4000 + 2 * 0x400);
}

/* An entry of large pages may be repeated, and tell which part it is by its place. */
static struct paging_entry entry_by_place(
	const struct page_table *table, unsigned level, uint64_t vaddr, uint64_t raw)
{
	struct paging_entry entry = other_entry(table, level, vaddr, raw);

	if (level == 0)
		entry.address |= vaddr & 0xf000;
	return entry;
}

static void test_an_entry_knows_its_place(void **state)
{
	const struct arch other = { .paging_entry = entry_by_place };
	struct page_table table = text_table();
	struct visits visits;

	(void)state;
	table.arch = &other;
	set(0x2000, 511, 0x3000 | 1);
	set(0x3000, 0, 0x4000 | 1);
	table.root = 0x2000;
	table.levels = 3;
	page_table_set_halves(&table, 39);
	for (unsigned i = 16; i < 32; i++)
		set(0x4000, i, 0x770000 | 1);
	assert_int_equal(translated(&table, 0xffffffffc001a123), 0x77a123);
	visits = walk(&table, 0xffffffffc0000000, 0xffffffffc001bfff);
	assert_int_equal(visits.count, 1);
	expect(&visits, 0, 0xffffffffc0010000, 0x770000, 0xc000);
}

static void test_linear_regions(void **state)
{
	struct page_table table = text_table();
	struct visits visits;
	uint8_t bytes[4];

	(void)state;
	table.regions[2] = table.regions[1];
	table.regions[1] = (struct paging_region){
		.range = { 0x8000000000000000, 0x8000ffffffffffff }, .linear = true, .paddr = 0x2000
	};
	table.region_count = 3;
	set(0x4000, 0, 0x7000 | P | W | U);

	assert_int_equal(translated(&table, 0x8000000000000000), 0x2000);
	assert_int_equal(translated(&table, 0x8000000000001ff0), 0x3ff0);
	assert_int_equal(translated(&table, 0xffffffff81200000), 0x7000);
	assert_false(is_mapped(&table, 0x8001000000000000));
	visits = walk(&table, 0x8000000000001000, UINT64_MAX);
	assert_int_equal(visits.count, 2);
	expect(&visits, 0, 0x8000000000001000, 0x3000, 0xfffffffff000);
	assert_true(visits.seen[0].writable && visits.seen[0].executable);
	assert_false(visits.seen[0].user);
	expect(&visits, 1, 0xffffffff81200000, 0x7000, 0x1000);

	/* Without any table: all is linear. */
	memcpy(ram + 0x5000, "text", 4);
	table.levels = 0;
	reads = 0;
	visits = walk(&table, 0, UINT64_MAX);
	assert_int_equal(visits.count, 1);
	assert_int_equal(reads, 0);
	assert_false(is_mapped(&table, 0xffffffff81200000));
	assert_int_equal(paging_read(&table, &memory, 0x8000000000003000, bytes, 4), 0);
	assert_memory_equal(bytes, "text", 4);
}

static int count_mapping(void *ctx, const struct mapping *mapping)
{
	(void)mapping;
	++*(unsigned *)ctx;
	return 0;
}

/* That memory is short is not taken for a table with nothing in it. */
static void test_walk_without_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };
	struct page_table table = text_table();

	(void)state;
	set(0x4000, 1, 0x10000 | P);
	while (failing_next(&failing)) {
		unsigned count = 0;
		int rc = paging_walk(&table, &memory, 0, UINT64_MAX, count_mapping, &count);

		assert_int_equal(rc, failing_end(&failing) ? PAGING_NO_MEMORY : 0);
		assert_int_equal(count != 0, rc == 0);
	}
	assert_int_equal(failing.nth, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_smallest_page),
		cmocka_unit_test(test_large_pages),
		cmocka_unit_test(test_five_levels),
		cmocka_unit_test(test_only_address_bits_are_address),
		cmocka_unit_test(test_encryption_bit_is_no_address),
		cmocka_unit_test(test_rights_of_all_levels_count),
		cmocka_unit_test(test_neighbours_merge),
		cmocka_unit_test(test_cut_to_the_range),
		cmocka_unit_test(test_the_top_of_the_address_space),
		cmocka_unit_test(test_both_halves_and_nothing_between),
		cmocka_unit_test(test_a_table_out_of_reach_counts_as_empty),
		cmocka_unit_test(test_a_root_that_maps_itself),
		cmocka_unit_test(test_a_maze_of_loops_ends),
		cmocka_unit_test(test_tables_out_of_reach_count_as_well),
		cmocka_unit_test(test_tables_are_read_in_batches),
		cmocka_unit_test(test_the_visitor_ends_the_walk),
		cmocka_unit_test(test_read_goes_page_by_page),
		cmocka_unit_test(test_other_geometries),
		cmocka_unit_test(test_levels_of_different_sizes),
		cmocka_unit_test(test_an_entry_knows_its_place),
		cmocka_unit_test(test_linear_regions),
		cmocka_unit_test(test_walk_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
