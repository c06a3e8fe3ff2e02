// SPDX-License-Identifier: GPL-2.0-or-later
/* Values of FIPS 180-2, RFC 1321, RFC 4231 and RFC 4648. */
#include <string.h>

#include "client/upload/digest.h"

/* Behind the headers above, one of which may have a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static int need_digests(void **state)
{
	(void)state;
	if (!HAVE_NETTLE)
		skip();
	return 0;
}

static void test_sha256(void **state)
{
	uint8_t digest[SHA256_SIZE];
	char hex[DIGEST_HEX_SIZE];
	struct sha256 sha256;

	(void)state;
	sha256_of("abc", 3, digest);
	assert_string_equal(hex_text(hex, digest, sizeof(digest)),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_begin(&sha256);
	sha256_add(&sha256, "a", 1);
	sha256_add(&sha256, "", 0);
	sha256_add(&sha256, "bc", 2);
	sha256_end(&sha256, digest);
	assert_string_equal(hex_text(hex, digest, sizeof(digest)),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_md5(void **state)
{
	uint8_t digest[MD5_SIZE];
	char hex[DIGEST_HEX_SIZE];
	struct md5 md5;

	(void)state;
	md5_begin(&md5);
	md5_add(&md5, "message ", 8);
	md5_add(&md5, "digest", 6);
	md5_end(&md5, digest);
	assert_string_equal(
		hex_text(hex, digest, sizeof(digest)), "f96b697d7cb7938d525a2f31aaf161d0");
}

static void test_hmac(void **state)
{
	uint8_t digest[SHA256_SIZE];
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, digest);
	assert_string_equal(hex_text(hex, digest, sizeof(digest)),
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void test_base64(void **state)
{
	static const char *const texts[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xef\xbe", "/+++" },
	};
	char text[BASE64_SIZE(6)];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_string_equal(
			base64_text(text, texts[i][0], strlen(texts[i][0])), texts[i][1]);
}

static void test_hex(void **state)
{
	uint8_t bytes[2];

	(void)state;
	assert_int_equal(hex_bytes("0aFf", bytes, 2), 0);
	assert_int_equal(bytes[0], 0x0a);
	assert_int_equal(bytes[1], 0xff);
	assert_int_equal(hex_bytes("0aF", bytes, 2), -1);
	assert_int_equal(hex_bytes("0aFf0", bytes, 2), -1);
	assert_int_equal(hex_bytes("0aFg", bytes, 2), -1);
	assert_int_equal(hex_bytes("", bytes, 2), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sha256, need_digests),
		cmocka_unit_test_setup(test_md5, need_digests),
		cmocka_unit_test_setup(test_hmac, need_digests),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_hex),
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
