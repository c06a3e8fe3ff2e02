// SPDX-License-Identifier: GPL-2.0-or-later
/* What of it needs no server; the rest is tested with real ones. */
#include <string.h>

#include "client/upload/http.h"
#include "tests/unit/failing.h"
#include "tests/unit/fake_server.h"

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

static const char *answer(const char *method, const char *path)
{
	(void)method;
	if (strcmp(path, "/elsewhere") == 0)
		return "307 Temporary Redirect\r\nLocation: /here\r\n\r\n";
	return "201 Created\r\nETag: \"a\"\r\n\r\nas you like it";
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

static ssize_t read_nothing(void *ctx, uint64_t offset, void *to, size_t room)
{
	(void)ctx, (void)offset, (void)to, (void)room;
	return 0;
}

/* Sends what is redirected, while libcurl runs out of memory as well, or does not. */
static void send_without_memory(bool libcurl)
{
	const struct http_options options = {
		.connect_timeout = 5, .timeout = 5, .cancelled = never
	};
	struct failing failing = {
		.what = FAILING_ALLOCATIONS, .libcurl = libcurl, .passes = libcurl
	};
	const struct body body = { .size = 0, .read = read_nothing };
	struct lines headers = { .count = 0 };
	struct fake_server server;
	char url[64];

	fake_server_start(&server, answer);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/elsewhere", server.port);
	lines_add(&headers, "Content-Type: text/plain");
	while (failing_next(&failing)) {
		const struct request request = {
			.method = "PATCH", .url = url, .headers = &headers, .body = &body
		};
		struct http *http = http_create(&options);
		const struct response *answered = http ? http_response(http) : NULL;
		int rc = http ? http_send(http, &request) : -1;

		if (libcurl)
			/* It may have made do without, or tell of what it then could not do. */
			assert_true(failing_end(&failing) || rc == 0);
		else
			failing_check(&failing, rc, http ? answered->error.text : "no memory");
		if (rc == 0)
			assert_int_equal(answered->status, 201);
		else if (http)
			assert_true(answered->status == 0 && answered->error.text[0]);
		http_destroy(http);
		fake_server_settle(&server);
	}
	assert_true(failing.nth > (libcurl ? 50 : 8));
	lines_deinit(&headers);
	fake_server_stop(&server);
}

static void test_no_memory(void **state)
{
	(void)state;
	if (!http_is_built())
		skip();
	assert_int_equal(http_init(), 0);
	send_without_memory(false);
	send_without_memory(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_no_header),
		cmocka_unit_test(test_hostile_header),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
