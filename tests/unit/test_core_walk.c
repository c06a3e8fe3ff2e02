// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "layout/core.h"
#include "tests/unit/failing.h"

struct fixture {
	struct ranges memory, stretches;
	struct page_set kept;
	struct core_plan plan;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	ranges_init(&f->memory);
	ranges_init(&f->stretches);
	f->plan = (struct core_plan){ .memory = &f->memory, .kept = &f->kept };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ranges_deinit(&f->memory);
	ranges_deinit(&f->stretches);
	page_set_deinit(&f->kept);
	free(f);
	return 0;
}

/* Memory, all of which is kept at first. */
static void use(struct fixture *f, const char *text)
{
	struct error error;

	assert_int_equal(ranges_parse(text, &f->memory, &error), 0);
	assert_int_equal(page_set_init(&f->kept, &f->memory, 12), 0);
}

/* The walk gives these pieces; the list ends with one of size 0. */
static void assert_walk(const struct fixture *f, uint64_t size, const struct range *expected)
{
	struct core_cursor cursor = { .run = 0 };
	struct range piece;

	for (; expected->size; expected++) {
		assert_true(core_next(&f->plan, &cursor, size, &piece));
		assert_int_equal(piece.start, expected->start);
		assert_int_equal(piece.size, expected->size);
	}
	assert_false(core_next(&f->plan, &cursor, size, &piece));
	assert_false(core_next(&f->plan, &cursor, size, &piece));
}

#define ASSERT_WALK(f, size, ...) \
	assert_walk(f, size, (const struct range[]){ __VA_ARGS__, { 0, 0 } })

static void test_all(void **state)
{
	struct fixture *f = *state;

	use(f, "0x800-0x13fff,0x20000-0x2ffff");
	ASSERT_WALK(f, 0x10000, { 0x800, 0xf800 }, { 0x10000, 0x4000 }, { 0x20000, 0x10000 });
	ASSERT_WALK(f, CORE_WHOLE, { 0x800, 0x13800 }, { 0x20000, 0x10000 });
	assert_int_equal(core_memory_bytes(&f->plan), 0x23800);
	f->plan.kept = NULL;
	ASSERT_WALK(f, 0x10000, { 0x800, 0xf800 }, { 0x10000, 0x4000 }, { 0x20000, 0x10000 });
	assert_int_equal(core_memory_bytes(&f->plan), 0x23800);
}

static void test_runs(void **state)
{
	struct fixture *f = *state;

	use(f, "0-0x3ffff,0x50000-0x50fff,0x60000-0x6ffff");
	page_set_remove(&f->kept, 0, 1);
	page_set_remove(&f->kept, 2, 1);
	page_set_remove(&f->kept, 0x12, 0x1e); /* up to 0x30000 */
	page_set_remove(&f->kept, 0x50, 1);
	page_set_remove(&f->kept, 0x6f, 1);
	ASSERT_WALK(f, 0x10000, { 0x1000, 0x1000 }, { 0x3000, 0xd000 }, { 0x10000, 0x2000 },
		{ 0x30000, 0x10000 }, { 0x60000, 0xf000 });
	ASSERT_WALK(f, CORE_WHOLE, { 0x1000, 0x1000 }, { 0x3000, 0xf000 }, { 0x30000, 0x10000 },
		{ 0x60000, 0xf000 });
	assert_int_equal(core_memory_bytes(&f->plan), 0x2f000);
}

/* Ranges that are in the same page, and in pages that they do not fill. */
static void test_pages_in_part(void **state)
{
	struct fixture *f = *state;

	use(f, "0x800-0x17ff,0x1900-0x1aff,0x1c00-0x3400");
	page_set_remove(&f->kept, 0, 1);
	page_set_remove(&f->kept, 2, 1);
	ASSERT_WALK(f, 0x10000, { 0x1000, 0x800 }, { 0x1900, 0x200 }, { 0x1c00, 0x400 },
		{ 0x3000, 0x401 });
}

static void test_nothing(void **state)
{
	struct fixture *f = *state;

	ASSERT_WALK(f, 0x10000, { 0, 0 });
	use(f, "0-0x3ffff");
	page_set_remove(&f->kept, 0, 0x40);
	ASSERT_WALK(f, 0x10000, { 0, 0 });
	assert_int_equal(core_memory_bytes(&f->plan), 0);
	assert_int_equal(core_stretches(&f->memory, &f->kept, &f->stretches), 0);
	assert_int_equal(f->stretches.count, 0);
}

static void assert_stretches(struct fixture *f, const char *text)
{
	struct ranges expected;
	struct error error;

	ranges_init(&expected);
	assert_int_equal(ranges_parse(text, &expected, &error), 0);
	assert_int_equal(core_stretches(&f->memory, &f->kept, &f->stretches), 0);
	assert_int_equal(f->stretches.count, expected.count);
	assert_memory_equal(
		f->stretches.items, expected.items, expected.count * sizeof(*expected.items));
	ranges_deinit(&expected);
}

static void test_short_gaps_stay(void **state)
{
	struct fixture *f = *state;

	use(f, "0x800-0xfffff,0x100800-0x1fffff");
	assert_stretches(f, "0x800-0xfffff,0x100800-0x1fffff");
	page_set_remove(&f->kept, 0x02, 1);
	page_set_remove(&f->kept, 0x10, 15); /* not 64 KiB */
	page_set_remove(&f->kept, 0x40, 16); /* 64 KiB */
	page_set_remove(&f->kept, 0xf8, 8);  /* short, but at an end */
	page_set_remove(&f->kept, 0x100, 1);
	page_set_remove(&f->kept, 0x180, 0x80);
	assert_stretches(f, "0x800-0x3ffff,0x50000-0xf7fff,0x101000-0x17ffff");
}

/* Every other 64 KiB is kept, up to 1024 gaps; and of the next 256 MiB every other 128 KiB. */
static void test_many_gaps(void **state)
{
	struct fixture *f = *state;

	use(f, "0-0x17ffffff");
	for (uint64_t pfn = 16; pfn < 0x8000; pfn += 32)
		page_set_remove(&f->kept, pfn, 16);
	assert_int_equal(core_stretches(&f->memory, &f->kept, &f->stretches), 0);
	assert_int_equal(f->stretches.count, 1025);
	assert_int_equal(f->stretches.items[1].start, 0x20000);
	assert_int_equal(f->stretches.items[1].size, 0x10000);
	/* One more is too many, so none of that length is left out. */
	page_set_remove(&f->kept, 0x8010, 16);
	assert_stretches(f, "0-0x17ffffff");
	for (uint64_t pfn = 0x8020; pfn < 0x18000; pfn += 64)
		page_set_remove(&f->kept, pfn, 32);
	assert_int_equal(core_stretches(&f->memory, &f->kept, &f->stretches), 0);
	/* The last gap is at the end. */
	assert_int_equal(f->stretches.count, 1024);
	assert_int_equal(f->stretches.items[0].start, 0);
	assert_int_equal(f->stretches.items[0].size, 0x8010000);
	assert_int_equal(f->stretches.items[1023].start, 0x17fc0000);
	assert_int_equal(f->stretches.items[1023].size, 0x20000);
}

static void assert_cut(struct fixture *f, const char *held, const struct core_mapping *expected)
{
	static const struct core_mapping mappings[] = {
		{ 0xffff0000, 0x1000, 0x10000 },
		{ 0x100800, 0x800, 0x1000 },
		{ 0x7000, 0x1f000, 0x1000 },
	};
	struct core_mapping *cut = malloc(sizeof(mappings));
	struct error error;
	size_t count = 3, i;

	memcpy(cut, mappings, sizeof(mappings));
	assert_int_equal(ranges_parse(held, &f->stretches, &error), 0);
	assert_int_equal(core_cut_mappings(&cut, &count, &f->memory, &f->stretches), 0);
	for (i = 0; expected[i].size; i++) {
		assert_in_range(i, 0, count - 1);
		assert_int_equal(cut[i].vaddr, expected[i].vaddr);
		assert_int_equal(cut[i].paddr, expected[i].paddr);
		assert_int_equal(cut[i].size, expected[i].size);
	}
	assert_int_equal(count, i);
	free(cut);
}

static void test_cut_mappings(void **state)
{
	struct fixture *f = *state;

	use(f, "0-0x7fff,0xc000-0xffff");
	/* What is in no memory goes. */
	assert_cut(f, "0-0x7fff,0xc000-0xffff",
		(const struct core_mapping[]){ { 0xffff0000, 0x1000, 0x7000 },
			{ 0xffffb000, 0xc000, 0x4000 }, { 0x100800, 0x800, 0x1000 }, { 0 } });
	/* What is not held stays, but by itself. */
	assert_cut(f, "0x1000-0x17ff,0x4000-0x4fff",
		(const struct core_mapping[]){ { 0xffff0000, 0x1000, 0x800 },
			{ 0xffff0800, 0x1800, 0x2800 }, { 0xffff3000, 0x4000, 0x1000 },
			{ 0xffff4000, 0x5000, 0x3000 }, { 0xffffb000, 0xc000, 0x4000 },
			{ 0x100800, 0x800, 0x800 }, { 0x101000, 0x1000, 0x800 }, { 0 } });
}

/* What is left out is told of in parts that are no longer than what is held, if these are few. */
static void test_long_gaps_are_cut(void **state)
{
	static const struct core_mapping whole = { 0xff000000, 0, 0x10000000 };
	struct fixture *f = *state;
	struct core_mapping *cut = malloc(sizeof(whole));
	struct error error;
	size_t count = 1;

	use(f, "0-0xfffffff");
	*cut = whole;
	assert_int_equal(ranges_parse("0x1000000-0x7000fff", &f->stretches, &error), 0);
	assert_int_equal(core_cut_mappings(&cut, &count, &f->memory, &f->stretches), 0);
	assert_int_equal(count, 4);
	assert_int_equal(cut[1].size, 0x6001000);
	assert_int_equal(cut[2].paddr, 0x7001000);
	assert_int_equal(cut[2].size, 0x6000000);
	assert_int_equal(cut[3].vaddr, UINT64_C(0x10c001000));
	assert_int_equal(cut[3].size, 0x2fff000);

	/* A part of less than 256 KiB would make more than 1024 of 256 MiB. */
	count = 1;
	*cut = whole;
	assert_int_equal(ranges_parse("0-0xffff", &f->stretches, &error), 0);
	assert_int_equal(core_cut_mappings(&cut, &count, &f->memory, &f->stretches), 0);
	assert_int_equal(count, 1 + 819);
	assert_int_equal(cut[1].size, 0x50000);
	assert_int_equal(cut[819].size, 0x50000);
	assert_int_equal(cut[819].paddr + cut[819].size, 0x10000000);
	free(cut);
}

static void test_no_memory(void **state)
{
	struct fixture *f = *state;
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	use(f, "0-0xffff,0x20000-0x2ffff");
	while (failing_next(&failing)) {
		struct core_mapping *mappings = NULL;
		size_t count = 1;
		int rc = core_stretches(&f->memory, &f->kept, &f->stretches);

		failing_spare(true);
		mappings = calloc(1, sizeof(*mappings));
		mappings[0] = (struct core_mapping){ 0, 0, 0x30000 };
		failing_spare(false);
		if (rc == 0)
			rc = core_cut_mappings(&mappings, &count, &f->memory, &f->stretches);
		failing_check(&failing, rc, rc ? "no memory" : "");
		free(mappings);
		ranges_deinit(&f->stretches);
	}
	assert_int_equal(failing.nth, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all),
		TEST(test_runs),
		TEST(test_pages_in_part),
		TEST(test_nothing),
		TEST(test_short_gaps_stay),
		TEST(test_many_gaps),
		TEST(test_cut_mappings),
		TEST(test_long_gaps_are_cut),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
