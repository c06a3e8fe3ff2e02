// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <string.h>

#include "layout/page_structs.h"
#include "tests/unit/failing.h"
#include "tests/unit/small_kernel.h"

/* Structs anywhere from here on, in memory whose every 32-bit word is its own address. */
enum { STRUCTS = 0x100000, TABLE_BYTES = 4096 * 8 };

static struct small_kernel small;
static struct page_structs structs;

static void start(uint32_t struct_size)
{
	small_kernel_init(&small, ELFCLASS64, LITTLE, "SYMBOL(x)=1\n");
	for (uint32_t paddr = 0; paddr < SMALL_KERNEL_TABLE; paddr += 4)
		put_le32(small.bytes + paddr, paddr);
	assert_int_equal(
		page_structs_init(&structs, &small.kernel.table, &small.memory, struct_size), 0);
}

static void end(void)
{
	page_structs_deinit(&structs);
	small_kernel_deinit(&small);
}

/* The word at the offset of what was read is the one at paddr. */
static void assert_word(size_t offset, uint32_t paddr)
{
	assert_int_equal(get_le32(structs.bytes + offset), paddr);
}

static void assert_missing(size_t count, size_t first, size_t end_of_missing)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(structs.missing[i], i >= first && i < end_of_missing);
}

static void test_windows(void **state)
{
	static const struct {
		uint32_t size;
		size_t window;
	} cases[] = { { 64, 65536 }, { 56, 65536 }, { 72, 32768 }, { 32, 131072 }, { 512, 8192 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		start(cases[i].size);
		assert_int_equal(structs.window, cases[i].window);
		end();
	}
}

/* Structs of 56 bytes go over the ends of pages, here to pages that lie elsewhere. */
static void test_scattered(void **state)
{
	(void)state;
	start(56);
	small_kernel_map(&small, STRUCTS, 0x300000, 1);
	small_kernel_map(&small, STRUCTS + 0x1000, 0x200000, 2);
	small_kernel_map(&small, STRUCTS + 0x3000, 0x500000, 1);
	page_structs_read(&structs, STRUCTS + 56, 290, STRUCTS + 0x4000);
	assert_missing(290, 0, 0);
	assert_word(0, 0x300000 + 56);
	assert_word(0x1000 - 56 - 4, 0x300ffc);
	assert_word(0x1000 - 56, 0x200000);
	assert_word(0x3000 - 56 - 4, 0x201ffc);
	/* 290 structs are 16240 bytes. */
	assert_word(16236, 0x500000 + 16236 + 56 - 0x3000);
	assert_int_equal(structs.bytes_read, 16240);
	/* One batch of three runs. The page table was read once, and is not again for the next. */
	assert_int_equal(small.batches, 1);
	assert_int_equal(small.largest_batch, 3);
	assert_int_equal(small.reads, 1);
	assert_int_equal(small.bytes_read, 16240 + TABLE_BYTES);
	page_structs_read(&structs, STRUCTS + 56 + 16240, 1, STRUCTS + 0x4000);
	assert_missing(1, 0, 0);
	assert_int_equal(small.bytes_read, 16296 + TABLE_BYTES);
	/* What was not walked yet is. */
	page_structs_read(&structs, STRUCTS, 1, STRUCTS + 56);
	assert_missing(1, 0, 0);
	assert_word(0, 0x300000);
	assert_int_equal(small.reads, 2);
	end();
}

/* One long run comes in pieces of half a MiB, a batch for all of them. */
static void test_large(void **state)
{
	(void)state;
	start(64);
	small_kernel_map(&small, STRUCTS, 0x200000, 1024);
	page_structs_read(&structs, STRUCTS, 65536, STRUCTS + 0x400000);
	assert_missing(65536, 0, 0);
	assert_word(0, 0x200000);
	assert_word(0x3ffffc, 0x5ffffc);
	assert_int_equal(small.batches, 1);
	assert_int_equal(small.largest_batch, 8);
	assert_int_equal(small.longest, 512 << 10);
	assert_int_equal(structs.bytes_read, 4 << 20);
	end();
}

/* Every page for itself is still one batch. */
static void test_fragmented(void **state)
{
	(void)state;
	start(64);
	for (uint32_t page = 0; page < 1024; page++)
		small_kernel_map(&small, STRUCTS + page * 4096, 0x200000 + (1023 - page) * 4096, 1);
	page_structs_read(&structs, STRUCTS, 65536, STRUCTS + 0x400000);
	assert_missing(65536, 0, 0);
	assert_word(0, 0x200000 + 1023 * 4096);
	assert_word(1023 * 4096, 0x200000);
	assert_int_equal(small.batches, 1);
	assert_int_equal(small.largest_batch, 1024);
	end();
}

static void test_unmapped(void **state)
{
	(void)state;
	start(56);
	small_kernel_map(&small, STRUCTS, 0x300000, 16);
	small_kernel_unmap(&small, STRUCTS + 0x1000, 1);
	/* Bytes 4096 to 8191 are missing: of structs 73 (up to 4144) to 146 (from 8176). */
	page_structs_read(&structs, STRUCTS, 300, STRUCTS + 0x10000);
	assert_missing(300, 73, 147);
	assert_word(0x2000, 0x302000);
	assert_int_equal(structs.bytes_read, 300 * 56 - 4096);

	/* The end; the start. */
	page_structs_read(&structs, STRUCTS + 0xff00, 10, STRUCTS + 0x20000);
	assert_missing(10, 4, 10);
	page_structs_read(&structs, STRUCTS - 100, 10, STRUCTS + 0x20000);
	assert_missing(10, 0, 2);
	assert_word(100, 0x300000);
	/* All. */
	page_structs_read(&structs, 0x800000, 10, 0x900000);
	assert_missing(10, 0, 10);
	page_structs_read(&structs, UINT64_MAX - 100, 10, UINT64_MAX);
	assert_missing(10, 0, 10);
	page_structs_read(&structs, UINT64_MAX - 100, 10, 400);
	assert_missing(10, 0, 10);
	page_structs_read(&structs, UINT64_MAX - 1000, 10, UINT64_MAX);
	assert_missing(10, 0, 10);
	end();
}

/* A page that cannot be read takes no other with it, and nothing is read once more but its piece.
 */
static void test_unreadable(void **state)
{
	(void)state;
	start(64);
	small_kernel_map(&small, STRUCTS, 0x200000, 256);
	small.unreadable = 0x212345;
	page_structs_read(&structs, STRUCTS, 16384, STRUCTS + 0x100000);
	assert_missing(16384, 0x12000 / 64, 0x13000 / 64);
	assert_word(0x11ffc, 0x211ffc);
	assert_word(0x13000, 0x213000);
	assert_int_equal(small.batches, 2);
	assert_int_equal(small.failed, 2);
	assert_int_equal(structs.bytes_read, 0x100000 - 0x1000);
	/* Also where structs begin in the middle of a page. */
	page_structs_read(&structs, STRUCTS + 0x12fc0, 3, STRUCTS + 0x100000);
	assert_missing(3, 0, 1);
	assert_word(64, 0x213000);
	/* What lies outside RAM. */
	small_kernel_map(&small, STRUCTS + 0x2000, SMALL_KERNEL_SIZE, 1);
	page_structs_read(&structs, STRUCTS - 64, 1, STRUCTS);
	page_structs_read(&structs, STRUCTS, 256, STRUCTS + 0x100000);
	assert_missing(256, 128, 192);
	end();
}

/* No page table, no structs. */
static void test_no_table(void **state)
{
	(void)state;
	start(64);
	small_kernel_map(&small, STRUCTS, 0x200000, 256);
	small.unreadable = SMALL_KERNEL_TABLE;
	page_structs_read(&structs, STRUCTS, 64, STRUCTS + 0x1000);
	assert_missing(64, 0, 64);
	assert_int_equal(structs.bytes_read, 0);
	end();
}

static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };
	struct page_structs some;

	(void)state;
	start(64);
	small_kernel_map(&small, STRUCTS, 0x300000, 1);
	while (failing_next(&failing)) {
		int rc = page_structs_init(&some, &small.kernel.table, &small.memory, 64);

		if (rc == 0)
			page_structs_read(&some, STRUCTS, 16, STRUCTS + 16 * 64);
		rc = some.no_memory ? -1 : rc;
		failing_check(&failing, rc, rc ? "no memory" : "");
		page_structs_deinit(&some);
	}
	/* Its five, and the walk. */
	assert_int_equal(failing.nth, 7);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_scattered),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_fragmented),
		cmocka_unit_test(test_unmapped),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_no_table),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
