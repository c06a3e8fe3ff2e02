// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/bytes.h"
#include <cmocka.h>

/* Read at an odd address: buffers need no alignment. */
static const uint8_t sample[] = { 0xff, 0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8, 0xff };

static void test_get(void **state)
{
	(void)state;
	assert_int_equal(get_le16(sample + 1), 0x9281);
	assert_int_equal(get_be16(sample + 1), 0x8192);
	assert_int_equal(get_le32(sample + 1), 0xb4a39281);
	assert_int_equal(get_be32(sample + 1), 0x8192a3b4);
	assert_int_equal(get_le64(sample + 1), 0xf8e7d6c5b4a39281);
	assert_int_equal(get_be64(sample + 1), 0x8192a3b4c5d6e7f8);
}

static void test_get_by_order(void **state)
{
	(void)state;
	assert_int_equal(get_u16(sample + 1, LITTLE), 0x9281);
	assert_int_equal(get_u16(sample + 1, BIG), 0x8192);
	assert_int_equal(get_u32(sample + 1, LITTLE), 0xb4a39281);
	assert_int_equal(get_u32(sample + 1, BIG), 0x8192a3b4);
	assert_int_equal(get_u64(sample + 1, LITTLE), 0xf8e7d6c5b4a39281);
	assert_int_equal(get_u64(sample + 1, BIG), 0x8192a3b4c5d6e7f8);
}

/* The bytes in front of and behind the field stay as they are. */
static void expect(const uint8_t *got, const char *expected)
{
	assert_memory_equal(got, expected, 10);
}

static void test_put(void **state)
{
	uint8_t to[10];

	(void)state;
	memset(to, 0xee, sizeof(to));
	put_le16(to + 1, 0x8192);
	expect(to, "\xee\x92\x81\xee\xee\xee\xee\xee\xee\xee");
	put_be16(to + 1, 0x8192);
	expect(to, "\xee\x81\x92\xee\xee\xee\xee\xee\xee\xee");
	put_le32(to + 1, 0x8192a3b4);
	expect(to, "\xee\xb4\xa3\x92\x81\xee\xee\xee\xee\xee");
	put_be32(to + 1, 0x8192a3b4);
	expect(to, "\xee\x81\x92\xa3\xb4\xee\xee\xee\xee\xee");
	put_le64(to + 1, 0x8192a3b4c5d6e7f8);
	expect(to, "\xee\xf8\xe7\xd6\xc5\xb4\xa3\x92\x81\xee");
	put_be64(to + 1, 0x8192a3b4c5d6e7f8);
	expect(to, "\xee\x81\x92\xa3\xb4\xc5\xd6\xe7\xf8\xee");
}

static void test_put_by_order(void **state)
{
	uint8_t to[10];

	(void)state;
	memset(to, 0xee, sizeof(to));
	put_u16(to + 1, 0x8192, LITTLE);
	expect(to, "\xee\x92\x81\xee\xee\xee\xee\xee\xee\xee");
	put_u16(to + 1, 0x8192, BIG);
	expect(to, "\xee\x81\x92\xee\xee\xee\xee\xee\xee\xee");
	put_u32(to + 1, 0x8192a3b4, LITTLE);
	expect(to, "\xee\xb4\xa3\x92\x81\xee\xee\xee\xee\xee");
	put_u32(to + 1, 0x8192a3b4, BIG);
	expect(to, "\xee\x81\x92\xa3\xb4\xee\xee\xee\xee\xee");
	put_u64(to + 1, 0x8192a3b4c5d6e7f8, LITTLE);
	expect(to, "\xee\xf8\xe7\xd6\xc5\xb4\xa3\x92\x81\xee");
	put_u64(to + 1, 0x8192a3b4c5d6e7f8, BIG);
	expect(to, "\xee\x81\x92\xa3\xb4\xc5\xd6\xe7\xf8\xee");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_get_by_order),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_put_by_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
