// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/upload/address.h"
#include "tests/unit/failing.h"

/* Behind the headers above, one of which may have a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static struct error error;
static char path[32];

static int make_file(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "@/tmp/address.XXXXXX");
	fd = mkstemp(path + 1);
	return fd < 0 || close(fd) ? -1 : 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path + 1);
}

static void fill(const char *text, size_t size)
{
	FILE *file = fopen(path + 1, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void test_address(void **state)
{
	char *text = address_read("https://h/p", &error);

	(void)state;
	assert_string_equal(text, "https://h/p");
	free(text);
	fill("https://h/p?sig=x\r\nmore\n", 24);
	text = address_read(path, &error);
	assert_string_equal(text, "https://h/p?sig=x");
	free(text);
	assert_null(address_read("@/tmp/there/is/no/such/file", &error));
	assert_non_null(strstr(error.text, "No such file"));
}

static void test_header(void **state)
{
	struct lines headers = { .count = 0 };

	(void)state;
	assert_int_equal(headers_read("X-A: b", &headers, &error), 0);
	assert_int_equal(headers.count, 1);
	assert_string_equal(lines_value(&headers, "x-a"), "b");
	assert_null(lines_value(&headers, "x"));
	lines_deinit(&headers);
}

static void test_headers_of_a_file(void **state)
{
	static const char text[] = "# for the store\nPRIVATE-TOKEN: abc\r\n\nX-B:c\n";
	struct lines headers = { .count = 0 };

	(void)state;
	fill(text, strlen(text));
	assert_int_equal(headers_read(path, &headers, &error), 0);
	assert_int_equal(headers.count, 2);
	assert_string_equal(headers.items[0], "PRIVATE-TOKEN: abc");
	assert_string_equal(headers.items[1], "X-B:c");
	lines_deinit(&headers);
}

/* And nothing of a value, which may be a secret, is in what is said. */
static void test_no_headers(void **state)
{
	static const char *const texts[] = {
		"secret",
		": secret",
		"X A: secret",
		"X: sec\nret",
		"X: sec\x7fret",
		"Content-Length: secret",
		"transfer-encoding: secret",
		"",
	};
	struct lines headers = { .count = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (headers_read(texts[i], &headers, &error) == 0)
			fail_msg("\"%s\" was taken", texts[i]);
		assert_null(strstr(error.text, "secret"));
	}
	assert_int_equal(headers.count, 0);
	fill("X: a\0b", 6);
	assert_int_equal(headers_read(path, &headers, &error), -1);
	lines_deinit(&headers);
}

static void test_too_many_headers(void **state)
{
	struct lines headers = { .count = 0 };

	(void)state;
	for (int i = 0; i < LINES_MAX; i++)
		assert_int_equal(headers_read("X: y", &headers, &error), 0);
	assert_int_equal(headers_read("X: y", &headers, &error), -1);
	lines_deinit(&headers);
}

static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	fill("X-A: b\nX-C: d\n", 14);
	while (failing_next(&failing)) {
		struct lines headers = { .count = 0 };
		char *text = address_read("https://h/p", &error);
		int rc = text ? headers_read(path, &headers, &error) : -1;

		failing_check(&failing, rc, error.text);
		free(text);
		lines_deinit(&headers);
	}
	assert_int_equal(failing.nth, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_address, make_file, remove_file),
		cmocka_unit_test(test_header),
		cmocka_unit_test_setup_teardown(test_headers_of_a_file, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_no_headers, make_file, remove_file),
		cmocka_unit_test(test_too_many_headers),
		cmocka_unit_test_setup_teardown(test_no_memory, make_file, remove_file),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
