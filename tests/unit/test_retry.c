// SPDX-License-Identifier: GPL-2.0-or-later
#include <stddef.h>

#include "client/upload/retry.h"

/* Behind the headers above, one of which may have a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static void test_statuses(void **state)
{
	static const long again[] = { 408, 425, 429, 500, 502, 503, 504 };
	static const long final[] = { 0, 200, 308, 400, 401, 403, 404, 409, 411, 412, 413, 501, 505,
		507 };

	(void)state;
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++)
		assert_true(retry_status(again[i]));
	for (size_t i = 0; i < sizeof(final) / sizeof(final[0]); i++)
		assert_false(retry_status(final[i]));
}

static void test_backoff(void **state)
{
	(void)state;
	/* Half of a second, which doubles, and up to as much again. */
	assert_int_equal(retry_delay_ms(1, 0, 0), 500);
	assert_int_equal(retry_delay_ms(1, 0, 500), 1000);
	assert_int_equal(retry_delay_ms(1, 0, 501), 500);
	assert_int_equal(retry_delay_ms(2, 0, 0), 1000);
	assert_int_equal(retry_delay_ms(3, 0, 7), 2007);
	assert_int_equal(retry_delay_ms(5, 0, 0), 8000);
	for (uint32_t random = 0; random < 100000; random += 997) {
		uint64_t delay = retry_delay_ms(4, 0, random);

		assert_in_range(delay, 4000, 8000);
	}
}

static void test_longest(void **state)
{
	(void)state;
	assert_int_equal(retry_delay_ms(7, 0, 0), 30000);
	assert_int_equal(retry_delay_ms(1000, 0, 30000), 60000);
}

static void test_servers_word(void **state)
{
	(void)state;
	assert_int_equal(retry_delay_ms(1, 3, 12345), 3000);
	assert_int_equal(retry_delay_ms(6, 1, 12345), 1000);
	assert_int_equal(retry_delay_ms(1, 1000000, 0), 600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_servers_word),
	};

	return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
