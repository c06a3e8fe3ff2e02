// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/tell.h"
#include "tests/unit/capture.h"

/* Behind client/status.h: it has a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static const struct options plain = { .target = "unix:/run/vm" };

static void assert_told(
	const struct options *options, enum tell level, const char *text, const char *expected)
{
	struct capture capture;
	char *told;

	capture_start(&capture, STDERR_FILENO);
	tell(options, level, "%s", text);
	told = capture_end(&capture);
	assert_string_equal(told, expected);
	free(told);
}

static void test_levels(void **state)
{
	(void)state;
	assert_told(&plain, TELL_ERROR, "no", "rspdump: unix:/run/vm: no\n");
	assert_told(&plain, TELL_WARNING, "hm", "rspdump: unix:/run/vm: warning: hm\n");
	assert_told(&plain, TELL_RESULT, "done", "rspdump: unix:/run/vm: done\n");
	assert_told(&plain, TELL_DETAIL, "more", "");
}

static void test_quiet(void **state)
{
	const struct options quiet = { .target = "1", .quiet = true, .verbose = 2 };

	(void)state;
	assert_told(&quiet, TELL_ERROR, "no", "rspdump: 1: no\n");
	assert_told(&quiet, TELL_WARNING, "hm", "");
	assert_told(&quiet, TELL_RESULT, "done", "");
	assert_told(&quiet, TELL_DETAIL, "more", "");
}

static void test_verbose(void **state)
{
	const struct options verbose = { .target = "1", .verbose = 1 };

	(void)state;
	assert_told(&verbose, TELL_DETAIL, "more", "rspdump: 1: more\n");
	assert_told(&verbose, TELL_RESULT, "done", "rspdump: 1: done\n");
}

static void test_without_target(void **state)
{
	const struct options none = { .target = NULL };

	(void)state;
	assert_told(&none, TELL_ERROR, "no", "rspdump: no\n");
}

/* One line, and nothing of it is for the terminal. Letters beyond ASCII stay. */
static void test_hostile_words(void **state)
{
	(void)state;
	assert_told(&plain, TELL_ERROR, "a\nb\r\x1b[2J\x7f\t\xc3\xa9",
		"rspdump: unix:/run/vm: a?b??[2J??\xc3\xa9\n");
}

static void test_long(void **state)
{
	static const char front[] = "rspdump: unix:/run/vm: ";
	struct capture capture;
	char text[4096];
	char *told;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	capture_start(&capture, STDERR_FILENO);
	tell(&plain, TELL_ERROR, "%s", text);
	told = capture_end(&capture);
	assert_int_equal(strlen(told), strlen(front) + 1023 + 1);
	assert_int_equal(strcspn(told, "\n"), strlen(told) - 1);
	free(told);
}

static void test_amounts(void **state)
{
	static const struct {
		double bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 bytes" },
		{ 17, "17 bytes" },
		{ 1023, "1023 bytes" },
		{ 1024, "1.0 KiB" },
		{ 3482, "3.4 KiB" },
		{ 536739840, "511.9 MiB" },
		{ 1048576, "1.0 MiB" },
		{ 5368709120, "5.0 GiB" },
		{ 1099511627776, "1.0 TiB" },
		{ 1099511627776.0 * 1024, "1024.0 TiB" },
		{ 18446744073709551615.0, "16777216.0 TiB" },
	};
	char text[AMOUNT_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_ptr_equal(amount_text(text, cases[i].bytes), text);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_verbose),
		cmocka_unit_test(test_without_target),
		cmocka_unit_test(test_hostile_words),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_amounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
