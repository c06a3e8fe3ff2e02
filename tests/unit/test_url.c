// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/upload/url.h"
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

static void assert_parsed(const char *text, const char *scheme, const char *authority,
	const char *path, const char *query)
{
	struct url url;
	char *again;

	if (url_parse(&url, text, &error))
		fail_msg("%s: %s", text, error.text);
	assert_string_equal(url.scheme, scheme);
	assert_string_equal(url.authority, authority);
	assert_string_equal(url.path, path);
	if (query)
		assert_string_equal(url.query, query);
	else
		assert_null(url.query);
	again = url_shown(&url);
	assert_null(strchr(again, '?'));
	free(again);
	url_deinit(&url);
}

static void test_parts(void **state)
{
	(void)state;
	assert_parsed("https://host/a/b", "https", "host", "/a/b", NULL);
	assert_parsed("HTTPS://Host:8443/a?b=c&d", "https", "Host:8443", "/a", "b=c&d");
	assert_parsed("s3://bucket/key", "s3", "bucket", "/key", NULL);
	assert_parsed("tus+http://[::1]:80/files/", "tus+http", "[::1]:80", "/files/", NULL);
	assert_parsed("http://h", "http", "h", "/", NULL);
	assert_parsed("http://h?q", "http", "h", "/", "q");
	assert_parsed("http://h/?", "http", "h", "/", NULL);
	assert_parsed("http://h/a@b", "http", "h", "/a@b", NULL);
}

static void assert_refused(const char *text, const char *why)
{
	struct url url;

	assert_int_equal(url_parse(&url, text, &error), -1);
	if (!strstr(error.text, why))
		fail_msg("%s: %s", text, error.text);
	url_deinit(&url);
}

static void test_refused(void **state)
{
	char *longest = malloc(URL_SIZE_MAX + 16);

	(void)state;
	assert_refused("vmcore", "no URL");
	assert_refused("://host/", "no URL");
	assert_refused("a b://host/", "blank");
	assert_refused("ht_tp://host/", "no URL");
	assert_refused("http:///path", "no host");
	assert_refused("https://", "no host");
	assert_refused("https://user:pass@host/", "netrc");
	assert_refused("https://user@host/", "netrc");
	assert_refused("https://host/a b", "blank");
	assert_refused("https://host/a\nb", "control");
	assert_refused("https://host/a#b", "fragment");
	snprintf(longest, URL_SIZE_MAX + 16, "http://h/%0*d", URL_SIZE_MAX, 1);
	assert_refused(longest, "longer");
	free(longest);
}

static void test_password_is_not_told(void **state)
{
	struct url url;

	(void)state;
	assert_int_equal(url_parse(&url, "https://user:hunter2@host/", &error), -1);
	assert_null(strstr(error.text, "hunter2"));
}

static void assert_text(char *text, const char *expected)
{
	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static void test_put_together(void **state)
{
	struct url url;

	(void)state;
	assert_int_equal(url_parse(&url, "tus+https://h/p?q=1", &error), 0);
	assert_text(url_text(&url, NULL), "tus+https://h/p?q=1");
	assert_text(url_text(&url, "https"), "https://h/p?q=1");
	assert_text(url_shown(&url), "tus+https://h/p");
	assert_text(url_with_query(&url, "https", "comp=block"), "https://h/p?q=1&comp=block");
	url_deinit(&url);
	assert_int_equal(url_parse(&url, "https://h/p", &error), 0);
	assert_text(url_with_query(&url, NULL, "a=b"), "https://h/p?a=b");
	assert_text(url_with_query(&url, NULL, NULL), "https://h/p");
	url_deinit(&url);
}

static void test_query_values(void **state)
{
	struct url url;
	size_t size;

	(void)state;
	assert_int_equal(url_parse(&url, "https://h/p?xsig=1&sig=ab%2F&sv=", &error), 0);
	assert_memory_equal(url_query_value(&url, "sig", &size), "ab%2F", 5);
	assert_int_equal(size, 5);
	assert_null(url_query_value(&url, "ig", &size));
	assert_null(url_query_value(&url, "xsi", &size));
	assert_true(url_is_signed(&url));
	url_deinit(&url);
	assert_int_equal(url_parse(&url, "https://h/p?signature=1&ssig=2", &error), 0);
	assert_false(url_is_signed(&url));
	url_deinit(&url);
	assert_int_equal(url_parse(&url, "https://h/p?a&X-Amz-Signature=0", &error), 0);
	assert_true(url_is_signed(&url));
	url_deinit(&url);
}

static void test_redirects(void **state)
{
	(void)state;
	assert_text(url_follow("https://h:1/a/b?c", "https://o/x"), "https://o/x");
	assert_text(url_follow("https://h:1/a/b?c", "/x?y"), "https://h:1/x?y");
	assert_text(url_follow("https://h:1/a/b?c/d", "x"), "https://h:1/a/x");
	assert_text(url_follow("https://h", "x"), "https://h/x");
	assert_text(url_follow("https://h/a", "//o/x"), "https://o/x");
	assert_null(url_follow("h", "x"));
}

static void test_same_host(void **state)
{
	(void)state;
	assert_true(url_same_host("https://h/a", "https://H:443/b"));
	assert_true(url_same_host("http://h:80?q", "http://h/"));
	assert_true(url_same_host("https://[::1]/a", "https://[::1]:443"));
	assert_false(url_same_host("https://h/", "http://h/"));
	assert_false(url_same_host("https://h/", "https://h:444/"));
	assert_false(url_same_host("https://h.example/", "https://h.example.org/"));
	assert_false(url_same_host("https://h/", "https://hh/"));
	assert_false(url_same_host("https://[::1]/", "https://[::2]/"));
	assert_false(url_same_host("gs://h/", "https://h/"));
}

static void test_encoding(void **state)
{
	(void)state;
	assert_text(url_encode("aZ09-._~/", true), "aZ09-._~/");
	assert_text(url_encode("a/b c=%", false), "a%2Fb%20c%3D%25");
	assert_text(url_encode("\xc3\xa4", true), "%C3%A4");
}

static void test_redaction(void **state)
{
	(void)state;
	assert_text(url_redact("PUT https://h/p?sig=secret: no"), "PUT https://h/p?... no");
	assert_text(
		url_redact("see \"https://h/p?sig=s\" there?"), "see \"https://h/p?...\" there?");
	assert_text(url_redact("<u>https://a/?x</u> http://b?y z"),
		"<u>https://a/?...</u> http://b?... z");
	assert_text(url_redact("is it? yes"), "is it? yes");
	assert_text(url_redact(""), "");
}

static void test_harmless_headers(void **state)
{
	(void)state;
	assert_true(header_is_harmless("Content-Range: bytes 0-1/2"));
	assert_true(header_is_harmless("if-none-match: *"));
	assert_false(header_is_harmless("PRIVATE-TOKEN: x"));
	assert_false(header_is_harmless("Authorization: Bearer x"));
	assert_false(header_is_harmless("Location: https://h/?secret"));
	assert_false(header_is_harmless("Content-Typed: x"));
	assert_false(header_is_harmless("X-Anything: x"));
}

static void test_no_memory(void **state)
{
	static const char from[] = "https://h/a/b?c";
	static const char *const locations[] = { "http://x/y", "//x/y", "/y", "y" };
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	while (failing_next(&failing)) {
		struct url url;
		char *texts[8] = { NULL };
		size_t count = 0;
		int rc = url_parse(&url, from, &error);

		if (rc == 0) {
			texts[count++] = url_text(&url, NULL);
			texts[count++] = url_with_query(&url, NULL, "d=e");
			texts[count++] = url_encode("/a b", true);
			texts[count++] = url_redact(from);
			for (size_t i = 0; i < 4; i++)
				texts[count++] = url_follow(from, locations[i]);
		}
		for (size_t i = 0; i < count && !rc; i++)
			rc = texts[i] ? 0 : error_no_memory(&error);
		failing_check(&failing, rc, error.text);
		for (size_t i = 0; i < count; i++)
			free(texts[i]);
		url_deinit(&url);
	}
	assert_int_equal(failing.nth, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_password_is_not_told),
		cmocka_unit_test(test_put_together),
		cmocka_unit_test(test_query_values),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_same_host),
		cmocka_unit_test(test_encoding),
		cmocka_unit_test(test_redaction),
		cmocka_unit_test(test_harmless_headers),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
