// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "arch/registers.h"
#include "tests/unit/failing.h"

static void test_an_empty_set_has_nothing(void **state)
{
	struct registers registers;
	uint64_t value = 7;
	size_t size;

	(void)state;
	registers_init(&registers, 3, BIG);
	assert_int_equal(registers.cpu, 3);
	assert_int_equal(registers.order, BIG);
	assert_null(registers_find(&registers, "rax", &size));
	assert_false(registers_get_u64(&registers, "rax", &value));
	assert_int_equal(registers_u64(&registers, "rax"), 0);
	registers_deinit(&registers);
}

static void test_values_are_copied_and_found(void **state)
{
	struct registers registers;
	uint8_t bytes[] = { 1, 2, 3 };
	const uint8_t *found;
	size_t size = 0;

	(void)state;
	registers_init(&registers, 0, LITTLE);
	assert_int_equal(registers_set(&registers, "st0", bytes, 3), 0);
	assert_int_equal(registers_set_u64(&registers, "rip", 0xffffffff81000000), 0);
	bytes[0] = 9;
	found = registers_find(&registers, "st0", &size);
	assert_non_null(found);
	assert_int_equal(size, 3);
	assert_memory_equal(found, "\1\2\3", 3);
	assert_int_equal(registers_u64(&registers, "rip"), 0xffffffff81000000);
	assert_null(registers_find(&registers, "ri", &size));
	assert_null(registers_find(&registers, "rip0", &size));
	assert_null(registers_find(&registers, "RIP", &size));
	registers_deinit(&registers);
	assert_int_equal(registers.count, 0);
	assert_null(registers_find(&registers, "rip", &size));
	registers_deinit(&registers);
}

static void test_the_low_64_bits_in_either_order(void **state)
{
	static const uint8_t sixteen[] = { 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8,
		0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff };
	struct registers little, big;

	(void)state;
	registers_init(&little, 0, LITTLE);
	registers_init(&big, 0, BIG);
	registers_set(&little, "w", sixteen, 16);
	registers_set(&big, "w", sixteen, 16);
	registers_set(&little, "s", sixteen, 3);
	registers_set(&big, "s", sixteen, 3);
	registers_set(&little, "b", sixteen + 5, 1);
	registers_set(&big, "b", sixteen + 5, 1);
	assert_int_equal(registers_u64(&little, "w"), 0xf7f6f5f4f3f2f1f0);
	assert_int_equal(registers_u64(&big, "w"), 0xf8f9fafbfcfdfeff);
	assert_int_equal(registers_u64(&little, "s"), 0xf2f1f0);
	assert_int_equal(registers_u64(&big, "s"), 0xf0f1f2);
	assert_int_equal(registers_u64(&little, "b"), 0xf5);
	assert_int_equal(registers_u64(&big, "b"), 0xf5);
	registers_deinit(&little);
	registers_deinit(&big);
}

static void test_put_as_an_integer(void **state)
{
	static const uint8_t three[] = { 0x01, 0x02, 0x03 };
	static const enum byte_order orders[] = { LITTLE, BIG };
	uint8_t out[6];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct registers registers;

		registers_init(&registers, 0, orders[i]);
		registers_set(&registers, "r", orders[i] == BIG ? "\1\2\3" : "\3\2\1", 3);
		memset(out, 0xee, sizeof(out));
		registers_put(&registers, "r", out, 3, BIG);
		assert_memory_equal(out, three, 3);
		assert_int_equal(out[3], 0xee);
		registers_put(&registers, "r", out, 5, BIG);
		assert_memory_equal(out, "\0\0\1\2\3\xee", 6);
		registers_put(&registers, "r", out, 5, LITTLE);
		assert_memory_equal(out, "\3\2\1\0\0\xee", 6);
		registers_put(&registers, "r", out, 2, BIG);
		assert_memory_equal(out, "\2\3", 2);
		registers_put(&registers, "r", out, 2, LITTLE);
		assert_memory_equal(out, "\3\2", 2);
		registers_put(&registers, "none", out, 6, BIG);
		assert_memory_equal(out, "\3\2\1\0\0\xee", 6);
		registers_deinit(&registers);
	}
}

static void test_u64_is_stored_in_the_order_of_the_set(void **state)
{
	struct registers registers;
	size_t size;

	(void)state;
	registers_init(&registers, 0, BIG);
	registers_set_u64(&registers, "psw", 0x0102030405060708);
	assert_memory_equal(registers_find(&registers, "psw", &size), "\1\2\3\4\5\6\7\10", 8);
	assert_int_equal(size, 8);
	assert_int_equal(registers_u64(&registers, "psw"), 0x0102030405060708);
	registers_deinit(&registers);
}

static void test_a_new_value_replaces_the_old(void **state)
{
	struct registers registers;
	size_t size;

	(void)state;
	registers_init(&registers, 0, LITTLE);
	registers_set(&registers, "a", "AAAA", 4);
	registers_set(&registers, "b", "BBBBBBBB", 8);
	registers_set(&registers, "c", "CC", 2);

	registers_set(&registers, "b", "bbbbbbbb", 8); /* in place */
	assert_memory_equal(registers_find(&registers, "b", &size), "bbbbbbbb", 8);
	registers_set(&registers, "a", "123456", 6); /* grows */
	registers_set(&registers, "b", "x", 1);      /* shrinks */
	assert_memory_equal(registers_find(&registers, "a", &size), "123456", 6);
	assert_int_equal(size, 6);
	assert_memory_equal(registers_find(&registers, "b", &size), "x", 1);
	assert_int_equal(size, 1);
	assert_memory_equal(registers_find(&registers, "c", &size), "CC", 2);
	assert_int_equal(size, 2);
	assert_int_equal(registers.count, 3);
	assert_int_equal(registers.used, 9);
	registers_deinit(&registers);
}

static void test_replacing_for_ever_takes_no_memory(void **state)
{
	static uint8_t bytes[REGISTER_SIZE_MAX];
	struct registers registers;
	size_t size;

	(void)state;
	registers_init(&registers, 0, LITTLE);
	registers_set(&registers, "other", "o", 1);
	for (size_t i = 1; i <= 4000; i++)
		assert_int_equal(registers_set(&registers, "za", bytes, i), 0);
	assert_int_equal(registers.count, 2);
	assert_int_equal(registers.used, 4001);
	assert_memory_equal(registers_find(&registers, "other", &size), "o", 1);
	registers_deinit(&registers);
}

static void test_caps_of_names_and_sizes(void **state)
{
	static uint8_t bytes[REGISTER_SIZE_MAX + 1];
	struct registers registers;
	char name[REGISTER_NAME_MAX + 1];
	size_t size;

	(void)state;
	registers_init(&registers, 0, LITTLE);
	assert_int_equal(registers_set(&registers, "", bytes, 1), -1);
	assert_int_equal(registers_set(&registers, "none", bytes, 0), -1);
	assert_int_equal(registers_set(&registers, "za", bytes, REGISTER_SIZE_MAX + 1), -1);
	assert_int_equal(registers_set(&registers, "za", bytes, REGISTER_SIZE_MAX), 0);

	memset(name, 'n', sizeof(name));
	name[REGISTER_NAME_MAX] = '\0';
	assert_int_equal(registers_set(&registers, name, bytes, 1), -1);
	name[REGISTER_NAME_MAX - 1] = '\0';
	assert_int_equal(registers_set(&registers, name, bytes, 1), 0);
	assert_non_null(registers_find(&registers, name, &size));

	/* A refused value leaves the old one. */
	assert_int_equal(registers_set(&registers, "za", bytes, 0), -1);
	assert_non_null(registers_find(&registers, "za", &size));
	assert_int_equal(size, REGISTER_SIZE_MAX);
	assert_int_equal(registers.count, 2);
	registers_deinit(&registers);
}

static void test_cap_of_the_set(void **state)
{
	struct registers registers;
	char name[REGISTER_NAME_MAX];

	(void)state;
	registers_init(&registers, 0, LITTLE);
	for (unsigned i = 0; i < REGISTERS_MAX; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		assert_int_equal(registers_set_u64(&registers, name, i), 0);
	}
	assert_int_equal(registers_set_u64(&registers, "one too many", 0), -1);
	/* Those that are there may still change. */
	assert_int_equal(registers_set_u64(&registers, "r4095", 1), 0);
	assert_int_equal(registers_set(&registers, "r0", "\2", 1), 0);
	assert_int_equal(registers.count, REGISTERS_MAX);
	assert_int_equal(registers_u64(&registers, "r0"), 2);
	assert_int_equal(registers_u64(&registers, "r1"), 1);
	assert_int_equal(registers_u64(&registers, "r4094"), 4094);
	assert_int_equal(registers_u64(&registers, "r4095"), 1);
	registers_deinit(&registers);
}

static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	while (failing_next(&failing)) {
		struct registers registers;
		char name[8];
		int rc = 0;

		registers_init(&registers, 0, LITTLE);
		for (unsigned i = 0; i < 300 && !rc; i++) {
			snprintf(name, sizeof(name), "r%u", i);
			rc = registers_set_u64(&registers, name, i);
		}
		failing_check(&failing, rc, rc ? "no memory" : "");
		registers_deinit(&registers);
	}
	assert_true(failing.nth > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_set_has_nothing),
		cmocka_unit_test(test_values_are_copied_and_found),
		cmocka_unit_test(test_the_low_64_bits_in_either_order),
		cmocka_unit_test(test_put_as_an_integer),
		cmocka_unit_test(test_u64_is_stored_in_the_order_of_the_set),
		cmocka_unit_test(test_a_new_value_replaces_the_old),
		cmocka_unit_test(test_replacing_for_ever_takes_no_memory),
		cmocka_unit_test(test_caps_of_names_and_sizes),
		cmocka_unit_test(test_cap_of_the_set),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
