// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "rsp/window.h"

enum { KIB = 1 << 10, MIB = 1 << 20, LEAST = 256 * KIB, MOST = 8 * MIB };

static void test_half_a_second(void **state)
{
	struct rsp_window window;

	(void)state;
	rsp_window_init(&window, 1000);
	assert_int_equal(window.bytes_max, LEAST);
	/* The first answer at once; nothing is concluded before 50 ms. */
	rsp_window_note(&window, 1 * MIB, 1000);
	rsp_window_note(&window, 1 * MIB, 1049);
	assert_int_equal(window.bytes_max, LEAST);
	/* 3 MiB in 500 ms. */
	rsp_window_note(&window, 1 * MIB, 1500);
	assert_int_equal(window.bytes_max, 3 * MIB);
	/* Then 1 MiB in 100. */
	rsp_window_note(&window, 1 * MIB, 1600);
	assert_int_equal(window.bytes_max, 5 * MIB);
	/* And it gets slower: 200 KiB in 100, 100 in 100. */
	rsp_window_note(&window, 200 * KIB, 1700);
	assert_int_equal(window.bytes_max, 1000 * KIB);
	rsp_window_note(&window, 100 * KIB, 1800);
	assert_int_equal(window.bytes_max, 500 * KIB);
}

static void test_limits(void **state)
{
	struct rsp_window window;

	(void)state;
	rsp_window_init(&window, 0);
	rsp_window_note(&window, 1, 0);
	rsp_window_note(&window, 1, 100);
	assert_int_equal(window.bytes_max, LEAST);
	rsp_window_note(&window, 64 * MIB, 200);
	assert_int_equal(window.bytes_max, MOST);
	rsp_window_note(&window, SIZE_MAX / 8192, 300);
	assert_int_equal(window.bytes_max, MOST);
}

/* The first answer takes 100 ms: what arrives in 600 ms is asked for. */
static void test_latency(void **state)
{
	struct rsp_window window;

	(void)state;
	rsp_window_init(&window, 0);
	rsp_window_note(&window, 0, 60);
	assert_int_equal(window.bytes_max, LEAST);
	rsp_window_note(&window, 200 * KIB, 100);
	assert_int_equal(window.bytes_max, 1200 * KIB);
	/* Silence tells nothing, until its end. */
	rsp_window_note(&window, 0, 900);
	assert_int_equal(window.bytes_max, 1200 * KIB);
	rsp_window_note(&window, 1600 * KIB, 900);
	assert_int_equal(window.bytes_max, 1200 * KIB);
}

/* A time in which less was asked for counts neither as fast nor as slow. */
static void test_pause(void **state)
{
	struct rsp_window window;

	(void)state;
	rsp_window_init(&window, 0);
	rsp_window_note(&window, 100 * KIB, 10);
	rsp_window_note(&window, 100 * KIB, 100);
	assert_int_equal(window.bytes_max, 1020 * KIB);
	rsp_window_note(&window, 1 * MIB, 140);
	rsp_window_pause(&window, 5000);
	assert_int_equal(window.bytes_max, 1020 * KIB);
	rsp_window_note(&window, 600 * KIB, 5510);
	assert_int_equal(window.bytes_max, 600 * KIB);
}

/* One slow answer is not taken for a long way. */
static void test_slow_stub(void **state)
{
	struct rsp_window window;

	(void)state;
	rsp_window_init(&window, 0);
	rsp_window_note(&window, 1 * MIB, 10000);
	/* 1 MiB * 2500 / 10000, which is what there is at least. */
	assert_int_equal(window.bytes_max, LEAST);
	rsp_window_note(&window, 1 * MIB, 11000);
	assert_int_equal(window.bytes_max, 2560 * KIB);
}

/* A window a round trip, whatever a round trip takes: the window comes to be as large as can be. */
static void test_long_ways(void **state)
{
	static const unsigned ways[] = { 1, 20, 50, 200, 600, 1500 };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct rsp_window window;
		uint64_t now = 0;
		size_t trips = 0;

		rsp_window_init(&window, now);
		for (; window.bytes_max < MOST && trips < 100; trips++) {
			now += ways[i];
			rsp_window_note(&window, window.bytes_max, now);
		}
		assert_int_equal(window.bytes_max, MOST);
		/* Five times 50 ms, or few round trips: at 1500 ms it grows by a third. */
		assert_true(now <= 250 || trips <= 13);
	}
}

/* What came in all makes the window larger, never smaller. */
static void test_least(void **state)
{
	struct rsp_window window;

	(void)state;
	rsp_window_init(&window, 0);
	/* 63 KiB in 20 ms, and one for the clock's grain, are 1500 KiB in 500. */
	rsp_window_note_least(&window, 63 * KIB, 1000, 1020);
	assert_int_equal(window.bytes_max, 1500 * KIB);
	rsp_window_note_least(&window, 40, 2000, 2020);
	rsp_window_note_least(&window, 64 * KIB, 3000, 13000);
	assert_int_equal(window.bytes_max, 1500 * KIB);
	rsp_window_note_least(&window, 64 * KIB, 14000, 14000);
	assert_int_equal(window.bytes_max, MOST);
	/* What is measured in earnest counts more. */
	rsp_window_pause(&window, 14000);
	rsp_window_note(&window, 50 * KIB, 14050);
	assert_int_equal(window.bytes_max, 550 * KIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_half_a_second),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_latency),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_slow_stub),
		cmocka_unit_test(test_long_ways),
		cmocka_unit_test(test_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
