// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/error.h"

static void test_set_formats(void **state)
{
	struct error error = { .text = "left over" };

	(void)state;
	assert_int_equal(error_set(&error, "cannot read %d bytes at %#x", 5, 0x1000), -1);
	assert_string_equal(error.text, "cannot read 5 bytes at 0x1000");
	assert_int_equal(error_set(&error, "%s", ""), -1);
	assert_string_equal(error.text, "");
}

static void test_prefixes_pile_up_in_front(void **state)
{
	struct error error = { .text = "left over" };

	(void)state;
	error_set(&error, "refused");
	assert_int_equal(error_prefix(&error, "port %d", 1234), -1);
	assert_int_equal(error_prefix(&error, "%s", "host"), -1);
	assert_string_equal(error.text, "host: port 1234: refused");
}

static void test_text_stays_one_printable_line(void **state)
{
	struct error error = { .text = "left over" };

	(void)state;
	error_set(&error, "a\nb\x1b[31mc\x7f\t\x80");
	assert_string_equal(error.text, "a?b?[31mc??\x80");
	error_prefix(&error, "stub\r\nsays");
	assert_string_equal(error.text, "stub??says: a?b?[31mc??\x80");
}

static void test_long_text_is_cut(void **state)
{
	char text[1000];
	struct error error = { .text = "left over" };

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_set(&error, "%s", text);
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
	assert_int_equal(strspn(error.text, "x"), sizeof(error.text) - 1);
}

static void test_a_prefix_gives_way_to_the_cause(void **state)
{
	char cause[301], prefix[51];
	struct error error = { .text = "left over" };

	(void)state;
	memset(cause, 'c', sizeof(cause) - 1);
	cause[sizeof(cause) - 1] = '\0';
	memset(prefix, 'p', sizeof(prefix) - 1);
	prefix[sizeof(prefix) - 1] = '\0';
	error_set(&error, "%s", cause);
	assert_int_equal(error_prefix(&error, "%s", prefix), -1);
	/* 319 characters: 300 of the cause, two between, 17 of the prefix. */
	assert_int_equal(strlen(error.text), 319);
	assert_int_equal(strspn(error.text, "p"), 17);
	assert_memory_equal(error.text + 17, ": ", 2);
	assert_string_equal(error.text + 19, cause);
}

static void test_a_full_text_bears_prefixes(void **state)
{
	char text[1000];
	struct error error = { .text = "left over" };

	(void)state;
	memset(text, 'c', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_set(&error, "%s", text);
	for (int i = 0; i < 10; i++)
		error_prefix(&error, "prefix %d", i);
	assert_true(strlen(error.text) <= sizeof(error.text) - 1);
	assert_non_null(strstr(error.text, "cccccccc"));
}

/* Which it no longer is when something else has failed. */
static void test_no_memory(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(error_no_memory(&error), -1);
	assert_string_equal(error.text, "no memory");
	assert_true(error.no_memory);
	error_prefix(&error, "core");
	assert_string_equal(error.text, "core: no memory");
	assert_true(error.no_memory);
	error_set(&error, "another");
	assert_false(error.no_memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_formats),
		cmocka_unit_test(test_prefixes_pile_up_in_front),
		cmocka_unit_test(test_text_stays_one_printable_line),
		cmocka_unit_test(test_long_text_is_cut),
		cmocka_unit_test(test_a_prefix_gives_way_to_the_cause),
		cmocka_unit_test(test_a_full_text_bears_prefixes),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
