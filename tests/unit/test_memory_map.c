// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "layout/memory_map.h"
#include "tests/unit/failing.h"

static struct memory_map map;
static struct error error;

static int parse(const char *text)
{
	memory_map_deinit(&map);
	memory_map_init(&map);
	return memory_map_parse(text, strlen(text), &map, &error);
}

static void assert_ranges(const struct ranges *ranges, const struct range *expected, size_t count)
{
	assert_int_equal(ranges->count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(ranges->items[i].start, expected[i].start);
		assert_int_equal(ranges->items[i].size, expected[i].size);
	}
}

/* As Black Magic has it of an STM32F4: RAM first, then flash by the size of its sectors. */
static void test_microcontroller(void **state)
{
	static const struct range ram[] = { { 0x10000000, 0x10000 }, { 0x20000000, 0x30000 } };
	static const struct range all[] = {
		{ 0x08000000, 0x30000 },
		{ 0x10000000, 0x10000 },
		{ 0x20000000, 0x30000 },
	};

	(void)state;
	assert_int_equal(
		parse("<?xml version=\"1.0\"?>"
		      "<!DOCTYPE memory-map PUBLIC \"+//IDN gnu.org//DTD GDB Memory Map V1.0//EN\" "
		      "\"http://sourceware.org/gdb/gdb-memory-map.dtd\">"
		      "<memory-map>"
		      "<memory type=\"ram\" start=\"0x20000000\" length=\"0x30000\"/>"
		      "<memory type=\"ram\" start=\"0x10000000\" length=\"0x10000\"/>"
		      "<memory type=\"flash\" start=\"0x8000000\" length=\"0x10000\">"
		      "<property name=\"blocksize\">0x4000</property></memory>"
		      "<memory type=\"rom\" start=\"134283264\" length=\"131072\"/>"
		      "</memory-map>"),
		0);
	assert_ranges(&map.ram, ram, 2);
	assert_ranges(&map.all, all, 3);
	assert_false(map.everywhere);
	assert_int_equal(parse("<memory-map></memory-map>"), 0);
	assert_ranges(&map.all, NULL, 0);
	assert_false(map.everywhere);
}

/* OpenOCD 0.12.0 with a bank of 256 KiB, for a CPU of 32 bits and for one of 64. */
static void test_everywhere(void **state)
{
	static const struct range ram[] = {
		{ 0, 0x08000000 },
		{ 0x08040000, 0xf7fc0000 },
	};

	(void)state;
	assert_int_equal(
		parse("<memory-map>\n"
		      "<memory type=\"ram\" start=\"0x00000000\" length=\"0x08000000\"/>\n"
		      "<memory type=\"flash\" start=\"0x08000000\" length=\"0x00040000\">\n"
		      "<property name=\"blocksize\">0x00010000</property>\n</memory>\n"
		      "<memory type=\"ram\" start=\"0x08040000\" length=\"0xf7fc0000\"/>\n"
		      "</memory-map>\n"),
		0);
	assert_ranges(&map.ram, ram, 2);
	assert_true(map.everywhere);
	assert_int_equal(
		parse("<memory-map><memory type=\"flash\" start=\"0\" length=\"0x1000\"/>"
		      "<memory type=\"ram\" start=\"0x1000\" length=\"0xfffffffffffff000\"/>"
		      "</memory-map>"),
		0);
	assert_true(map.everywhere);
	/* But for one page. */
	assert_int_equal(
		parse("<memory-map><memory type=\"ram\" start=\"0x1000\" length=\"0xfffff000\"/>"
		      "</memory-map>"),
		0);
	assert_false(map.everywhere);
}

#define AREA(start, length) "<memory type=\"ram\" start=\"" start "\" length=\"" length "\"/>\n"

static void test_wrong(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "line 1: no element found" },
		{ "<memory-map>\n<memory>", "line 2: <memory> wants a type, a start and a length" },
		{ "<memory-map>\n" AREA("0x1000", ""),
			"line 2: <memory> wants a type, a start and a length" },
		{ "<memory-map>\n" AREA("-1", "0x1000"),
			"line 2: <memory> wants a type, a start and a length" },
		{ "<memory-map>\n" AREA("0", "0x1000 "),
			"line 2: <memory> wants a type, a start and a length" },
		{ "<memory-map>\n" AREA("0x10000000000000000", "0x1000"),
			"line 2: <memory> wants a type, a start and a length" },
		{ "<memory-map>\n<memory type=\"tape\" start=\"0\" length=\"1\"/>",
			"line 2: memory of type \"tape\"" },
		{ "<memory-map>\n\n" AREA("0x1000", "0"), "line 3: an empty area at 0x1000" },
		{ "<memory-map>\n" AREA("0x1000", "0xfffffffffffff001"),
			"line 2: an area of 0xfffffffffffff001 bytes at 0x1000 ends nowhere" },
		{ "<memory-map>\n" AREA("0x1000", "0x1000") AREA("0x3000", "1") AREA("0x1fff", "1"),
			"line 4: the area 0x1fff-0x1fff overlaps one before it" },
		{ "<memory-map>\n" AREA("0x1000000000000000", "1"),
			"line 2: an area at 0x1000000000000000 is too far up, or one too many" },
		{ "<target>\n</target>", "line 1: <target> is no <memory-map>" },
		{ "<memory-map>\n" AREA("0", "1"), "line 3: no element found" },
		{ "<!DOCTYPE m [\n<!ENTITY a \"b\">]>\n<memory-map>&a;</memory-map>",
			"line 2: XML entities are declared" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].text), -1);
		assert_string_equal(error.text, cases[i].why);
	}
	memory_map_deinit(&map);
}

/* What the parser itself allocates fails as well. */
static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	memory_map_deinit(&map);
	while (failing_next(&failing)) {
		int rc = parse("<memory-map>\n"
			       "<memory type=\"ram\" start=\"0\" length=\"0x1000\"/>\n"
			       "<memory type=\"rom\" start=\"0x2000\" length=\"0x1000\"/>\n"
			       "</memory-map>");

		failing_check(&failing, rc, error.text);
		memory_map_deinit(&map);
	}
	assert_true(failing.nth > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_microcontroller),
		cmocka_unit_test(test_everywhere),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
