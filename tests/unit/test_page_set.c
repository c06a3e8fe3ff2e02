// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "layout/page_set.h"
#include "tests/unit/failing.h"

/* A set over the ranges of the text, in pages of 4 KiB. */
static void make_set(struct page_set *set, const char *text)
{
	struct ranges ranges;
	struct error error;

	ranges_init(&ranges);
	assert_int_equal(ranges_parse(text, &ranges, &error), 0);
	assert_int_equal(page_set_init(set, &ranges, 12), 0);
	ranges_deinit(&ranges);
}

/* The runs of the set are these: pairs of first frame and count, ended by a count of 0. */
static void assert_runs(const struct page_set *set, const uint64_t (*runs)[2])
{
	uint64_t pfn = 0, count, total = 0;

	for (; (*runs)[1]; runs++) {
		assert_true(page_set_next(set, &pfn, &count));
		assert_int_equal(pfn, (*runs)[0]);
		assert_int_equal(count, (*runs)[1]);
		assert_true(page_set_contains(set, pfn));
		assert_true(page_set_contains(set, pfn + count - 1));
		assert_false(page_set_contains(set, pfn + count));
		pfn += count;
		total += count;
	}
	assert_false(page_set_next(set, &pfn, &count));
	assert_int_equal(page_set_count(set), total);
}

static void all_pages_are_in(void **state)
{
	struct page_set set;

	(void)state;
	make_set(&set, "0-0x9ffff,0x100000-0x7ffffff,0x100000000-0x10000ffff");
	assert_runs(
		&set, (const uint64_t[][2]){ { 0, 160 }, { 256, 32512 }, { 0x100000, 16 }, { 0 } });
	assert_false(page_set_contains(&set, 255));
	assert_false(page_set_contains(&set, UINT64_MAX));
	page_set_deinit(&set);
}

static void pages_in_part_are_in(void **state)
{
	struct page_set set;

	(void)state;
	/* Twice within one page; over an edge; one byte. */
	make_set(&set, "0x1000-0x10ff,0x1800-0x18ff,0x3fff-0x4000,0x800000+1");
	assert_runs(&set, (const uint64_t[][2]){ { 1, 1 }, { 3, 2 }, { 0x800, 1 }, { 0 } });
	page_set_deinit(&set);
}

static void far_memory_costs_nothing(void **state)
{
	struct page_set set;

	(void)state;
	make_set(&set, "0x3f000-0x40fff,0xfffffffffff0000-0xfffffffffffffff");
	assert_int_equal(set.span_count, 2);
	/* Two words for frames 63 and 64, one for the last 16 frames. */
	assert_int_equal(set.spans[1].word, 2);
	assert_int_equal(set.spans[1].frames, 64);
	assert_runs(&set, (const uint64_t[][2]){ { 63, 2 }, { 0xfffffffffff0, 16 }, { 0 } });
	page_set_deinit(&set);
}

static void removes(void **state)
{
	struct page_set set;

	(void)state;
	make_set(&set, "0x0-0xfffff,0x200000-0x2fffff");
	page_set_remove(&set, 0, 1);
	page_set_remove(&set, 63, 2);
	page_set_remove(&set, 100, 0);
	page_set_remove(&set, 128, 64);
	page_set_remove(&set, 255, 1);
	assert_runs(&set,
		(const uint64_t[][2]){ { 1, 62 }, { 65, 63 }, { 192, 63 }, { 512, 256 }, { 0 } });
	/* Over what is already out, the gap, and into the next; then back. */
	page_set_remove(&set, 200, 313);
	assert_runs(&set,
		(const uint64_t[][2]){ { 1, 62 }, { 65, 63 }, { 192, 8 }, { 513, 255 }, { 0 } });
	page_set_remove(&set, 2, 1);
	assert_runs(&set, (const uint64_t[][2]){ { 1, 1 }, { 3, 60 }, { 65, 63 }, { 192, 8 },
				  { 513, 255 }, { 0 } });
	page_set_remove(&set, 0, UINT64_MAX);
	assert_runs(&set, (const uint64_t[][2]){ { 0 } });
	page_set_deinit(&set);
}

static void ignores_what_is_not_in(void **state)
{
	struct page_set set;

	(void)state;
	make_set(&set, "0x1000-0x1fff,0x300000-0x300fff,0x10000000-0x10000fff");
	page_set_remove(&set, 0, 1);
	page_set_remove(&set, 2, 0x2fe);
	page_set_remove(&set, 0x301, 0xfcff);
	page_set_remove(&set, 0x10001, UINT64_MAX);
	page_set_remove(&set, UINT64_MAX, UINT64_MAX);
	assert_runs(&set, (const uint64_t[][2]){ { 1, 1 }, { 0x300, 1 }, { 0x10000, 1 }, { 0 } });
	page_set_remove(&set, 0x10000, 1);
	page_set_remove(&set, 1, 1);
	assert_runs(&set, (const uint64_t[][2]){ { 0x300, 1 }, { 0 } });
	page_set_deinit(&set);
}

static void next_begins_within_a_run(void **state)
{
	uint64_t pfn = 100, count;
	struct page_set set;

	(void)state;
	make_set(&set, "0x0-0xfffff,0x200000-0x2fffff");
	assert_true(page_set_next(&set, &pfn, &count));
	assert_int_equal(pfn, 100);
	assert_int_equal(count, 156);
	pfn = 257;
	assert_true(page_set_next(&set, &pfn, &count));
	assert_int_equal(pfn, 512);
	assert_int_equal(count, 256);
	pfn = 768;
	assert_false(page_set_next(&set, &pfn, &count));
	page_set_deinit(&set);
}

static void larger_pages(void **state)
{
	const struct range range = { .start = 0x18000, .size = 0x10000 };
	struct ranges ranges;
	struct page_set set;

	(void)state;
	ranges_init(&ranges);
	assert_int_equal(ranges_add(&ranges, range.start, range.size), 0);
	assert_int_equal(page_set_init(&set, &ranges, 16), 0);
	assert_runs(&set, (const uint64_t[][2]){ { 1, 2 }, { 0 } });
	page_set_deinit(&set);
	ranges_deinit(&ranges);
}

static void gives_bits(void **state)
{
	uint8_t bits[24];
	struct page_set set;

	(void)state;
	/* Frames 0 to 9 and 63 to 64; nothing up to frame 0x400. */
	make_set(&set, "0-0x9fff,0x3f000-0x40fff,0x400000-0x401fff");
	page_set_remove(&set, 1, 1);
	assert_true(page_set_bits(&set, 0, bits, sizeof(bits)));
	assert_memory_equal(
		bits, "\xfd\x03\0\0\0\0\0\x80\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", sizeof(bits));
	assert_true(page_set_bits(&set, 64, bits, 8));
	assert_memory_equal(bits, "\x01\0\0\0\0\0\0", 8);
	assert_false(page_set_bits(&set, 128, bits, 8));
	assert_memory_equal(bits, "\0\0\0\0\0\0\0", 8);
	assert_true(page_set_bits(&set, 0x380, bits, sizeof(bits)));
	assert_int_equal(bits[16], 3);
	assert_false(page_set_bits(&set, 0x440, bits, sizeof(bits)));
	page_set_deinit(&set);
}

static void nothing_and_too_much(void **state)
{
	struct ranges ranges;
	struct page_set set;

	(void)state;
	ranges_init(&ranges);
	assert_int_equal(page_set_init(&set, &ranges, 12), 0);
	assert_runs(&set, (const uint64_t[][2]){ { 0 } });
	page_set_remove(&set, 0, 1);
	assert_false(page_set_contains(&set, 0));
	page_set_deinit(&set);

	assert_int_equal(ranges_add(&ranges, 0, (PAGE_SET_FRAMES_MAX + 1) << 12), 0);
	assert_int_equal(page_set_init(&set, &ranges, 12), -1);
	assert_int_equal(page_set_count(&set), 0);
	page_set_deinit(&set);
	ranges_deinit(&ranges);
}

static void no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };
	struct ranges ranges;
	struct page_set set;
	struct error error;

	(void)state;
	ranges_init(&ranges);
	assert_int_equal(ranges_parse("0-0xfffff,0x200000-0x2fffff", &ranges, &error), 0);
	while (failing_next(&failing)) {
		int rc = page_set_init(&set, &ranges, 12);

		failing_check(&failing, rc, rc ? "no memory" : "");
		assert_int_equal(page_set_count(&set), rc ? 0 : 512);
		page_set_deinit(&set);
	}
	assert_int_equal(failing.nth, 3);
	ranges_deinit(&ranges);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_pages_are_in),
		cmocka_unit_test(pages_in_part_are_in),
		cmocka_unit_test(far_memory_costs_nothing),
		cmocka_unit_test(removes),
		cmocka_unit_test(ignores_what_is_not_in),
		cmocka_unit_test(next_begins_within_a_run),
		cmocka_unit_test(larger_pages),
		cmocka_unit_test(gives_bits),
		cmocka_unit_test(nothing_and_too_much),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
