// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * By what Amazon has published: the examples of "Authenticating Requests: Using the Authorization
 * Header" for S3, and of the test suite of Signature Version 4 those that S3's rules share.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/upload/digest.h"
#include "client/upload/sigv4.h"
#include "tests/unit/failing.h"

/* Behind the headers above, one of which may have a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define S3_TIME "20130524T000000Z"
#define EMPTY   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct sigv4 s3 = {
	.access_key = "AKIAIOSFODNN7EXAMPLE",
	.secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	.region = "us-east-1",
	.service = "s3",
};

static const struct sigv4 suite = {
	.access_key = "AKIDEXAMPLE",
	.secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	.region = "us-east-1",
	.service = "service",
};

static int need_digests(void **state)
{
	(void)state;
	if (!HAVE_NETTLE)
		skip();
	return 0;
}

static void assert_signature(struct lines *headers, const char *names, const char *signature)
{
	const char *value = lines_value(headers, "Authorization");
	char expected[512];

	assert_false(headers->failed);
	assert_non_null(value);
	snprintf(expected, sizeof(expected), "SignedHeaders=%s, Signature=%s", names, signature);
	if (!strstr(value, expected))
		fail_msg("%s\nis without\n%s", value, expected);
	lines_deinit(headers);
}

static void add_usual(struct lines *headers, const char *hash)
{
	lines_add(headers, "Host: examplebucket.s3.amazonaws.com");
	lines_add(headers, "x-amz-content-sha256: %s", hash);
	lines_add(headers, "x-amz-date: " S3_TIME);
}

static void test_get_object(void **state)
{
	struct lines headers = { .count = 0 };

	(void)state;
	add_usual(&headers, EMPTY);
	lines_add(&headers, "Range: bytes=0-9");
	sigv4_sign(&s3, S3_TIME, "GET", "/test.txt", NULL, &headers, EMPTY);
	assert_non_null(strstr(lines_value(&headers, "Authorization"),
		"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "));
	assert_signature(&headers, "host;range;x-amz-content-sha256;x-amz-date",
		"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void test_put_object(void **state)
{
	static const char hash[] =
		"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
	struct lines headers = { .count = 0 };
	uint8_t digest[SHA256_SIZE];
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	sha256_of("Welcome to Amazon S3.", 21, digest);
	assert_string_equal(hex_text(hex, digest, sizeof(digest)), hash);
	add_usual(&headers, hash);
	lines_add(&headers, "Date: Fri, 24 May 2013 00:00:00 GMT");
	lines_add(&headers, "x-amz-storage-class: REDUCED_REDUNDANCY");
	sigv4_sign(&s3, S3_TIME, "PUT", "/test%24file.text", NULL, &headers, hash);
	assert_signature(&headers, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
		"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

/* A name without "=" is signed with one. */
static void test_get_lifecycle(void **state)
{
	struct lines headers = { .count = 0 };

	(void)state;
	add_usual(&headers, EMPTY);
	sigv4_sign(&s3, S3_TIME, "GET", "/", "lifecycle", &headers, EMPTY);
	assert_signature(&headers, "host;x-amz-content-sha256;x-amz-date",
		"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

static void test_list_objects(void **state)
{
	/* In the order of the example and in the other one. */
	static const char *const queries[] = { "max-keys=2&prefix=J", "prefix=J&max-keys=2" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct lines headers = { .count = 0 };

		add_usual(&headers, EMPTY);
		sigv4_sign(&s3, S3_TIME, "GET", "/", queries[i], &headers, EMPTY);
		assert_signature(&headers, "host;x-amz-content-sha256;x-amz-date",
			"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
	}
}

/* Of the suite: name of the case, what differs, and the signature of its .authz. */
static const struct {
	const char *name, *method, *path, *query, *header;
	const char *names, *signature;
} cases[] = {
	{ "get-vanilla", "GET", "/", NULL, NULL, "host;x-amz-date",
		"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
	{ "post-vanilla", "POST", "/", NULL, NULL, "host;x-amz-date",
		"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
	{ "get-vanilla-query-order-key-case", "GET", "/", "Param2=value2&Param1=value1", NULL,
		"host;x-amz-date",
		"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
	{ "get-unreserved", "GET",
		"/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", NULL, NULL,
		"host;x-amz-date",
		"07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
	{ "get-utf8", "GET", "/%E1%88%B4", NULL, NULL, "host;x-amz-date",
		"8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
	{ "post-vanilla-query", "POST", "/", "Param1=value1", NULL, "host;x-amz-date",
		"28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11" },
	{ "post-header-key-sort", "POST", "/", NULL, "My-Header1: value1",
		"host;my-header1;x-amz-date",
		"c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c" },
};

static void test_suite(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lines headers = { .count = 0 };

		print_message("%s\n", cases[i].name);
		lines_add(&headers, "Host:example.amazonaws.com");
		lines_add(&headers, "X-Amz-Date:20150830T123600Z");
		if (cases[i].header)
			lines_add(&headers, "%s", cases[i].header);
		sigv4_sign(&suite, "20150830T123600Z", cases[i].method, cases[i].path,
			cases[i].query, &headers, EMPTY);
		assert_signature(&headers, cases[i].names, cases[i].signature);
	}
}

static void test_canonical(void **state)
{
	struct lines headers = { .count = 0 };
	char *text;

	(void)state;
	lines_add(&headers, "X-B:  a   b  c ");
	lines_add(&headers, "Host: h");
	lines_add(&headers, "a:");
	text = sigv4_canonical("PUT", "/k%2F", "b=2&a&b=1&ab=&a-=1", &headers, "HASH");
	assert_string_equal(text, "PUT\n/k%2F\na=&a-=1&ab=&b=1&b=2\n"
				  "a:\nhost:h\nx-b:a b c\n\na;host;x-b\nHASH");
	free(text);
	lines_deinit(&headers);
}

static void test_time(void **state)
{
	char text[SIGV4_TIME_SIZE];

	(void)state;
	assert_string_equal(sigv4_time(text, 1369353600), S3_TIME);
}

/* A signature of a part of the request would be refused, and nobody would know why. */
static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	while (failing_next(&failing)) {
		struct lines headers = { .count = 0 };
		bool failed;

		lines_add(&headers, "Host: example.amazonaws.com");
		lines_add(&headers, "no header");
		lines_add(&headers, "x-amz-date: " S3_TIME);
		sigv4_sign(&s3, S3_TIME, "GET", "/", "b=1&a=2", &headers, EMPTY);
		failed = headers.failed || !lines_value(&headers, "Authorization");
		assert_int_equal(headers.failed, failed);
		failing_check(&failing, failed ? -1 : 0, failed ? "no memory" : "");
		lines_deinit(&headers);
	}
	assert_true(failing.nth > 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_get_object, need_digests),
		cmocka_unit_test_setup(test_put_object, need_digests),
		cmocka_unit_test_setup(test_get_lifecycle, need_digests),
		cmocka_unit_test_setup(test_list_objects, need_digests),
		cmocka_unit_test_setup(test_suite, need_digests),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("sigv4", tests, NULL, NULL);
}
