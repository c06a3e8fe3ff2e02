// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "layout/ranges.h"
#include "tests/unit/failing.h"

#define KIB(n) (UINT64_C(1024) * (n))
#define MIB(n) (KIB(1024) * (n))

static void assert_ranges(const struct ranges *ranges, const struct range *expected, size_t count)
{
	assert_int_equal(ranges->count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(ranges->items[i].start, expected[i].start);
		assert_int_equal(ranges->items[i].size, expected[i].size);
	}
}

#define ASSERT_RANGES(ranges, ...)                                   \
	assert_ranges(ranges, (const struct range[]){ __VA_ARGS__ }, \
		sizeof((const struct range[]){ __VA_ARGS__ }) / sizeof(struct range))

static int setup(void **state)
{
	static struct ranges ranges;

	ranges_init(&ranges);
	*state = &ranges;
	return 0;
}

static int teardown(void **state)
{
	ranges_deinit(*state);
	return 0;
}

static void test_add_sorts(void **state)
{
	struct ranges *ranges = *state;

	assert_int_equal(ranges_end(ranges), 0);
	assert_int_equal(ranges_total(ranges), 0);
	assert_int_equal(ranges_add(ranges, 0x5000, 0x1000), 0);
	assert_int_equal(ranges_add(ranges, 0x1000, 0x1000), 0);
	assert_int_equal(ranges_add(ranges, 0x3000, 0x1000), 0);
	ASSERT_RANGES(ranges, { 0x1000, 0x1000 }, { 0x3000, 0x1000 }, { 0x5000, 0x1000 });
	assert_int_equal(ranges_end(ranges), 0x6000);
	assert_int_equal(ranges_total(ranges), 0x3000);
}

static void test_add_merges(void **state)
{
	struct ranges *ranges = *state;

	ranges_add(ranges, 0, 0x1000);
	ranges_add(ranges, 0x3000, 0x1000);
	ranges_add(ranges, 0x5000, 0x1000);
	ranges_add(ranges, 0x9000, 0x1000);
	assert_int_equal(ranges_add(ranges, 0x4000, 0x1000), 0); /* touches both */
	ASSERT_RANGES(ranges, { 0, 0x1000 }, { 0x3000, 0x3000 }, { 0x9000, 0x1000 });
	assert_int_equal(ranges_add(ranges, 0x4800, 0x10), 0); /* inside */
	ASSERT_RANGES(ranges, { 0, 0x1000 }, { 0x3000, 0x3000 }, { 0x9000, 0x1000 });
	assert_int_equal(ranges_add(ranges, 0x2fff, 0x6000), 0); /* over one and to the next */
	ASSERT_RANGES(ranges, { 0, 0x1000 }, { 0x2fff, 0x6000 }, { 0x9000, 0x1000 });
	assert_int_equal(ranges_add(ranges, 0x8fff, 1), 0);
	ASSERT_RANGES(ranges, { 0, 0x1000 }, { 0x2fff, 0x7001 });
	assert_int_equal(ranges_add(ranges, 0, RANGE_ADDRESS_MAX), 0);
	ASSERT_RANGES(ranges, { 0, RANGE_ADDRESS_MAX });
}

static void test_add_refuses(void **state)
{
	struct ranges *ranges = *state;

	assert_int_equal(ranges_add(ranges, 0x1000, 0), -1);
	assert_int_equal(ranges_add(ranges, RANGE_ADDRESS_MAX, 1), -1);
	assert_int_equal(ranges_add(ranges, RANGE_ADDRESS_MAX - 1, 2), -1);
	assert_int_equal(ranges_add(ranges, 0, UINT64_MAX), -1);
	assert_int_equal(ranges_add(ranges, UINT64_MAX, 2), -1);
	assert_int_equal(ranges->count, 0);
	assert_int_equal(ranges_add(ranges, RANGE_ADDRESS_MAX - 1, 1), 0);
	assert_int_equal(ranges_end(ranges), RANGE_ADDRESS_MAX);
}

static void test_add_too_many(void **state)
{
	struct ranges *ranges = *state;

	for (uint64_t i = 0; i < RANGES_MAX; i++)
		assert_int_equal(ranges_add(ranges, i * 4, 2), 0);
	assert_int_equal(ranges_add(ranges, RANGES_MAX * UINT64_C(4), 2), -1);
	assert_int_equal(ranges->count, RANGES_MAX);
	assert_int_equal(ranges_add(ranges, 2, 2), 0); /* closes a gap: one fewer */
	assert_int_equal(ranges_add(ranges, RANGES_MAX * UINT64_C(4), 2), 0);
	assert_int_equal(ranges->count, RANGES_MAX);
}

static void test_copy(void **state)
{
	struct ranges *ranges = *state, copy;

	ranges_init(&copy);
	ranges_add(&copy, 0x7000, 0x10);
	assert_int_equal(ranges_copy(ranges, ranges), 0);
	ranges_add(ranges, 0x1000, 0x1000);
	ranges_add(ranges, 0x4000, 0x1000);
	assert_int_equal(ranges_copy(&copy, ranges), 0);
	ranges_add(ranges, 0x2000, 0x1000);
	ASSERT_RANGES(&copy, { 0x1000, 0x1000 }, { 0x4000, 0x1000 });
	ranges_deinit(ranges);
	assert_int_equal(ranges_copy(&copy, ranges), 0);
	assert_int_equal(copy.count, 0);
	ranges_deinit(&copy);
}

static void test_clip(void **state)
{
	struct ranges *ranges = *state;

	ranges_add(ranges, 0x1000, 0x1000);
	ranges_add(ranges, 0x3000, 0x1000);
	ranges_add(ranges, 0x5000, 0x1000);
	ranges_clip(ranges, 0x1800, 0x4000);
	ASSERT_RANGES(ranges, { 0x1800, 0x800 }, { 0x3000, 0x1000 }, { 0x5000, 0x800 });
	ranges_clip(ranges, 0x2000, UINT64_MAX); /* the end would wrap */
	ASSERT_RANGES(ranges, { 0x3000, 0x1000 }, { 0x5000, 0x800 });
	ranges_clip(ranges, 0x3fff, 1);
	ASSERT_RANGES(ranges, { 0x3fff, 1 });
	ranges_clip(ranges, 0x4000, 0x1000);
	assert_int_equal(ranges->count, 0);
}

static void test_find_and_contain(void **state)
{
	struct ranges *ranges = *state;

	assert_null(ranges_find(ranges, 0));
	ranges_add(ranges, 0x1000, 0x1000);
	ranges_add(ranges, 0x3000, 0x1000);
	assert_null(ranges_find(ranges, 0xfff));
	assert_ptr_equal(ranges_find(ranges, 0x1000), &ranges->items[0]);
	assert_ptr_equal(ranges_find(ranges, 0x1fff), &ranges->items[0]);
	assert_null(ranges_find(ranges, 0x2000));
	assert_ptr_equal(ranges_find(ranges, 0x3fff), &ranges->items[1]);
	assert_null(ranges_find(ranges, UINT64_MAX));

	assert_true(ranges_contain(ranges, 0x1000, 0x1000));
	assert_true(ranges_contain(ranges, 0x1fff, 1));
	assert_false(ranges_contain(ranges, 0x1fff, 2));
	assert_false(ranges_contain(ranges, 0xfff, 2));
	assert_false(ranges_contain(ranges, 0x1000, 0x3000)); /* over a hole */
	assert_false(ranges_contain(ranges, 0x1800, UINT64_MAX));
	assert_true(ranges_contain(ranges, 0x9000, 0));
}

static void test_parse(void **state)
{
	struct ranges *ranges = *state;
	struct error error;

	ranges_add(ranges, 0x12345000, 0x1000);
	assert_int_equal(ranges_parse("0-0x9ffff,0x100000-0x7fffffff", ranges, &error), 0);
	ASSERT_RANGES(ranges, { 0, 0xa0000 }, { 0x100000, 0x7ff00000 });
	assert_int_equal(ranges_parse("4G+1g,1M+64M,0-4095", ranges, &error), 0);
	ASSERT_RANGES(ranges, { 0, 4096 }, { MIB(1), MIB(64) }, { MIB(4096), MIB(1024) });
	assert_int_equal(ranges_parse("0-4095,4096-8191", ranges, &error), 0);
	ASSERT_RANGES(ranges, { 0, 8192 });
	assert_int_equal(ranges_parse("7-7", ranges, &error), 0);
	ASSERT_RANGES(ranges, { 7, 1 });
}

static void test_parse_refuses(void **state)
{
	static const struct {
		const char *text, *piece;
	} wrong[] = {
		{ "", "\"\"" },
		{ ",", "\"\"" },
		{ "0-1,", "\"\"" },
		{ "0-1,,4-5", "\"\"" },
		{ "0-1,x", "\"x\"" },
		{ "5-4,0-1", "\"5-4\"" },
		{ "0-0x64M", "\"0-0x64M\"" },
		{ "0-64M", "\"0-64M\"" },
		{ "0x-1", "\"0x-1\"" },
		{ "12", "\"12\"" },
		{ "1+", "\"1+\"" },
		{ "1+0", "\"1+0\"" },
		{ " 1+1", "\" 1+1\"" },
		{ "1+-1", "\"1+-1\"" },
		{ "-1+1", "\"-1+1\"" },
		{ "0-9,9-12", "\"9-12\" overlaps" },
		{ "8-12,0-9", "\"0-9\" overlaps" },
		{ "0-9,2+2", "\"2+2\" overlaps" },
		{ "0-0xffffffffffffffff", "\"0-0xffffffffffffffff\"" },
		{ "0-0x1ffffffffffffffff", "\"0-0x1ffffffffffffffff\"" },
		{ "0xffffffffffffffff+2", "\"0xffffffffffffffff+2\"" },
		{ "0+18446744073709551616", "\"0+18446744073709551616\"" },
		{ "0+17179869184G", "\"0+17179869184G\"" },
		{ "1Z+4", "\"1Z+4\"" },
	};
	struct ranges *ranges = *state;
	struct error error;

	ranges_add(ranges, 0x1000, 0x1000);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		error.text[0] = '\0';
		assert_int_equal(ranges_parse(wrong[i].text, ranges, &error), -1);
		assert_ptr_equal(strstr(error.text, wrong[i].piece), error.text);
	}
	ASSERT_RANGES(ranges, { 0x1000, 0x1000 });
}

static void test_parse_long_piece(void **state)
{
	char text[4000];
	struct error error;

	memset(text, '1', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(ranges_parse(text, *state, &error), -1);
	assert_non_null(memchr(error.text, '\0', sizeof(error.text)));
}

static void test_amount(void **state)
{
	static const char *const wrong[] = { "", "K", "x", "0x", "0xg", "1KB", "1 K", " 1", "+1",
		"-1", "1.5M", "16777216T", "0x1000000T", "18446744073709551616", "1e3" };
	uint64_t amount;

	(void)state;
	assert_int_equal(parse_amount("0", &amount), 0);
	assert_int_equal(amount, 0);
	assert_int_equal(parse_amount("010", &amount), 0);
	assert_int_equal(amount, 10);
	assert_int_equal(parse_amount("0xfFf", &amount), 0);
	assert_int_equal(amount, 0xfff);
	assert_int_equal(parse_amount("3K", &amount), 0);
	assert_int_equal(amount, 3072);
	assert_int_equal(parse_amount("0x10m", &amount), 0);
	assert_int_equal(amount, 16777216);
	assert_int_equal(parse_amount("2G", &amount), 0);
	assert_int_equal(amount, 2147483648);
	assert_int_equal(parse_amount("16777215T", &amount), 0);
	assert_int_equal(amount, UINT64_MAX - (UINT64_C(1) << 40) + 1);
	assert_int_equal(parse_amount("18446744073709551615", &amount), 0);
	assert_int_equal(amount, UINT64_MAX);

	amount = 77;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(parse_amount(wrong[i], &amount), -1);
	assert_int_equal(amount, 77);
}

static void test_next(void **state)
{
	struct range_cursor cursor = { 0 };
	struct ranges ranges;
	struct range piece;
	static const struct range expected[] = {
		{ 0x0800, 0x800 },
		{ 0x1000, 0x1000 },
		{ 0x2000, 0x10 },
		{ 0x5000, 0x1000 },
	};

	(void)state;
	ranges_init(&ranges);
	assert_false(ranges_next(&ranges, &cursor, 0x1000, &piece));
	assert_int_equal(ranges_add(&ranges, 0x800, 0x1810), 0);
	assert_int_equal(ranges_add(&ranges, 0x5000, 0x1000), 0);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_true(ranges_next(&ranges, &cursor, 0x1000, &piece));
		assert_int_equal(piece.start, expected[i].start);
		assert_int_equal(piece.size, expected[i].size);
	}
	assert_false(ranges_next(&ranges, &cursor, 0x1000, &piece));
	ranges_deinit(&ranges);
}

static void test_seek(void **state)
{
	struct ranges *ranges = *state;
	struct range_cursor cursor = { 0 };
	struct range piece;

	assert_int_equal(ranges_add(ranges, 0x1000, 0x2000), 0);
	assert_int_equal(ranges_add(ranges, 0x8000, 0x1000), 0);
	ranges_seek(ranges, &cursor, 0x1800);
	assert_true(ranges_next(ranges, &cursor, 0x1000, &piece));
	assert_int_equal(piece.start, 0x1800);
	assert_int_equal(piece.size, 0x800);
	ranges_seek(ranges, &cursor, 0x3000);
	assert_true(ranges_next(ranges, &cursor, 0x10000, &piece));
	assert_int_equal(piece.start, 0x8000);
	assert_int_equal(piece.size, 0x1000);
	ranges_seek(ranges, &cursor, 0);
	assert_true(ranges_next(ranges, &cursor, 0x10000, &piece));
	assert_int_equal(piece.start, 0x1000);
	ranges_seek(ranges, &cursor, 0x9000);
	assert_false(ranges_next(ranges, &cursor, 0x1000, &piece));
}

static void test_overlap(void **state)
{
	struct ranges *ranges = *state;

	assert_int_equal(ranges_add(ranges, 0x1000, 0x2000), 0);
	assert_int_equal(ranges_add(ranges, 0x8000, 0x1000), 0);
	assert_false(ranges_overlap(ranges, 0, 0x1000));
	assert_true(ranges_overlap(ranges, 0, 0x1001));
	assert_true(ranges_overlap(ranges, 0x2fff, 1));
	assert_false(ranges_overlap(ranges, 0x3000, 0x5000));
	assert_true(ranges_overlap(ranges, 0x3000, UINT64_MAX));
	assert_false(ranges_overlap(ranges, 0x2000, 0));
	assert_false(ranges_overlap(ranges, 0x9000, UINT64_MAX));
}

static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };
	struct ranges ranges, copy;
	struct error error;
	char text[1024] = "0+1";

	(void)state;
	for (unsigned i = 1; i < 40; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ",0x%x000+1", i);
	while (failing_next(&failing)) {
		int rc;

		ranges_init(&ranges);
		ranges_init(&copy);
		rc = ranges_parse(text, &ranges, &error);
		if (rc == 0 && ranges_copy(&copy, &ranges))
			rc = copy.no_memory ? error_no_memory(&error) : -1;
		failing_check(&failing, rc, error.text);
		ranges_deinit(&ranges);
		ranges_deinit(&copy);
	}
	/* The room for 16, 32 and 64, and the copy's. */
	assert_int_equal(failing.nth, 5);
	/* What is refused by itself is not refused for that. */
	ranges_init(&ranges);
	assert_int_equal(ranges_add(&ranges, RANGE_ADDRESS_MAX, 1), -1);
	assert_false(ranges.no_memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next),
		cmocka_unit_test_setup_teardown(test_add_sorts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_add_merges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_add_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_add_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find_and_contain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parse, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parse_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parse_long_piece, setup, teardown),
		cmocka_unit_test_setup_teardown(test_seek, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overlap, setup, teardown),
		cmocka_unit_test(test_amount),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
