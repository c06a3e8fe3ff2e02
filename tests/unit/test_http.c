// SPDX-License-Identifier: GPL-2.0-or-later
/* What of it needs no server; the rest is tested with real ones. */
#include <string.h>

#include "client/upload/http.h"

/* Behind the headers above, one of which may have a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static char lines[] = "HTTP/1.1 200 OK\r\n"
		      "ETag: \"ab\"\r\n"
		      "X-Empty:\r\n"
		      "content-length:  12 \r\n"
		      "X-Bad: a\x1b[2Jb\r\n"
		      "X-Last: end";

static const struct response response = { .headers = lines };
static char text[16];

static void test_headers(void **state)
{
	(void)state;
	assert_true(http_header(&response, "ETag", text, sizeof(text)));
	assert_string_equal(text, "\"ab\"");
	assert_true(http_header(&response, "etag", text, sizeof(text)));
	assert_true(http_header(&response, "Content-Length", text, sizeof(text)));
	assert_string_equal(text, "12 ");
	assert_true(http_header(&response, "X-Empty", text, sizeof(text)));
	assert_string_equal(text, "");
	assert_true(http_header(&response, "X-Last", text, sizeof(text)));
	assert_string_equal(text, "end");
}

static void test_no_header(void **state)
{
	(void)state;
	strcpy(text, "x");
	assert_false(http_header(&response, "Tag", text, sizeof(text)));
	assert_string_equal(text, "");
	assert_false(http_header(&response, "X", text, sizeof(text)));
	assert_false(http_header(&response, "HTTP/1.1 200 OK", text, sizeof(text)));
}

static void test_hostile_header(void **state)
{
	char little[4];

	(void)state;
	assert_true(http_header(&response, "X-Bad", text, sizeof(text)));
	assert_string_equal(text, "a?[2Jb");
	assert_true(http_header(&response, "ETag", little, sizeof(little)));
	assert_string_equal(little, "\"ab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_no_header),
		cmocka_unit_test(test_hostile_header),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
