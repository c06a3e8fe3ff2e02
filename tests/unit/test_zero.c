// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "layout/zero.h"

static void test_no_bytes(void **state)
{
	(void)state;
	assert_true(is_zero("x", 0));
}

/* A byte anywhere is seen, at every alignment and size around the 64 bytes of a turn. */
static void test_one_byte(void **state)
{
	uint8_t buf[8 + 200];

	(void)state;
	memset(buf, 0, sizeof(buf));
	for (size_t start = 0; start < 8; start++) {
		for (size_t size = 1; size <= 200; size++) {
			assert_true(is_zero(buf + start, size));
			for (size_t at = 0; at < size; at++) {
				buf[start + at] = 1;
				assert_false(is_zero(buf + start, size));
				buf[start + at] = 0;
			}
		}
	}
}

static void test_bytes_outside_do_not_count(void **state)
{
	uint8_t buf[4096 + 2];

	(void)state;
	memset(buf, 0, sizeof(buf));
	buf[0] = buf[4097] = 0x80;
	assert_true(is_zero(buf + 1, 4096));
	assert_false(is_zero(buf, 4097));
	assert_false(is_zero(buf + 1, 4097));
}

static void test_every_bit(void **state)
{
	uint8_t page[4096];

	(void)state;
	memset(page, 0, sizeof(page));
	for (unsigned bit = 0; bit < 8; bit++) {
		page[4095] = (uint8_t)(1 << bit);
		assert_false(is_zero(page, sizeof(page)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_bytes),
		cmocka_unit_test(test_one_byte),
		cmocka_unit_test(test_bytes_outside_do_not_count),
		cmocka_unit_test(test_every_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
