// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "layout/iomem.h"
#include "tests/unit/failing.h"

static struct ranges ram;
static struct error error;

static int parse(const char *text)
{
	ranges_deinit(&ram);
	return iomem_parse(text, &ram, &error);
}

static void assert_ram(const struct range *expected, size_t count)
{
	assert_int_equal(ram.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(ram.items[i].start, expected[i].start);
		assert_int_equal(ram.items[i].size, expected[i].size);
	}
}

/* Of a PC with Linux 6.1, and memory of virtio-mem. */
static void test_pc(void **state)
{
	static const struct range expected[] = {
		{ 0x1000, 0x9ec00 },
		{ 0x100000, 0x7fedc000 },
		{ 0x140000000, 0x8000000 },
	};

	(void)state;
	assert_int_equal(parse("00000000-00000fff : Reserved\n"
			       "00001000-0009fbff : System RAM\n"
			       "0009fc00-0009ffff : Reserved\n"
			       "000a0000-000bffff : PCI Bus 0000:00\n"
			       "00100000-7ffdbfff : System RAM\r\n"
			       "  01000000-01e01b37 : Kernel code\n"
			       "  02000000-02c5bfff : Kernel rodata\n"
			       "80000000-febfffff : PCI Bus 0000:00\n"
			       "  fd000000-fdffffff : 0000:00:02.0\n"
			       "\n"
			       "140000000-17fffffff : virtio0\n"
			       "  140000000-147ffffff : System RAM (virtio_mem)\n"
			       "1480000000-1fffffffff : System RAMPART"),
		0);
	assert_ram(expected, 3);
}

/* A range of one byte, at 0. */
static void test_least(void **state)
{
	static const struct range expected[] = { { 1, 1 } };

	(void)state;
	assert_int_equal(parse("1-1 : System RAM"), 0);
	assert_ram(expected, 1);
}

static void test_wrong(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "no \"System RAM\" in it" },
		{ "0-fff : Reserved\n", "no \"System RAM\" in it" },
		{ "\n0-fff  System RAM\n", "line 2: not START-END : NAME" },
		{ "0-0xfff : System RAM\n", "line 1: not START-END : NAME" },
		{ "0 fff : System RAM\n", "line 1: not START-END : NAME" },
		{ "10000000000000000-1ffffffffffffffff : System RAM",
			"line 1: not START-END : NAME" },
		{ "1000-fff : System RAM\n", "line 1: ends before it begins" },
		{ "1000-1fff : System RAM\n1fff-2fff : System RAM\n",
			"line 2: RAM at 0x1fff-0x2fff overlaps what is above, or is out of order" },
		{ "2000-2fff : System RAM\n\n0-fff : System RAM\n",
			"line 3: RAM at 0x0-0xfff overlaps what is above, or is out of order" },
		{ "0-ffffffffffffffff : System RAM\n",
			"line 1: RAM at 0x0 is too far up, or one too many" },
		{ "00000000-00000000 : Reserved\n00000000-00000000 : System RAM\n",
			"the addresses are hidden: /proc/iomem shows them to root only" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].text), -1);
		assert_string_equal(error.text, cases[i].why);
	}
	ranges_deinit(&ram);
}

static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	ranges_deinit(&ram);
	while (failing_next(&failing)) {
		failing_check(&failing, parse("0-fff : System RAM\n"), error.text);
		ranges_deinit(&ram);
	}
	assert_int_equal(failing.nth, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pc),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
