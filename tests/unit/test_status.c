// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "client/status.h"

/* Behind client/status.h: it has a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static void test_fail(void **state)
{
	struct failure failure;

	(void)state;
	assert_int_equal((fail)(&failure, STATUS_OUTPUT, "%s: %d", "what", 7), -1);
	assert_int_equal(failure.status, STATUS_OUTPUT);
	assert_string_equal(failure.text, "what: 7");
}

/* A second one takes the place of the first. */
static void test_again(void **state)
{
	struct failure failure = { .status = STATUS_USAGE, .text = "a longer text" };

	(void)state;
	(fail)(&failure, STATUS_SIGNAL + 2, "short");
	assert_int_equal(failure.status, 130);
	assert_string_equal(failure.text, "short");
}

static void test_too_long(void **state)
{
	struct failure failure;
	char text[2 * sizeof(failure.text)];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(fail)(&failure, STATUS_FAILED, "%s", text);
	assert_int_equal(strlen(failure.text), sizeof(failure.text) - 1);
}

/* They stand in the manual page, and scripts rely on them. */
static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(STATUS_DONE, 0);
	assert_int_equal(STATUS_FAILED, 1);
	assert_int_equal(STATUS_USAGE, 2);
	assert_int_equal(STATUS_INCOMPLETE, 3);
	assert_int_equal(STATUS_UNREACHABLE, 4);
	assert_int_equal(STATUS_UNSUPPORTED, 5);
	assert_int_equal(STATUS_OUTPUT, 6);
	assert_int_equal(STATUS_UPLOAD, 7);
	assert_int_equal(STATUS_EXISTS, 8);
	assert_int_equal(STATUS_SIGNAL, 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fail),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
