// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/ram_option.h"
#include "tests/unit/failing.h"

/* Behind client/status.h: it has a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static char path[] = "/tmp/ram-option.XXXXXX";
static struct ram_option told;
static struct failure failure;

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ram_option_deinit(&told);
	return unlink(path);
}

static void write_file(const void *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static int read_option(const char *text)
{
	const struct options options = { .ram = text };

	ram_option_deinit(&told);
	return ram_option_read(&told, &options, &failure);
}

static int read_file(const char *text)
{
	write_file(text, strlen(text));
	return read_option(path);
}

static void assert_one(const struct ranges *ranges, uint64_t start, uint64_t size)
{
	assert_int_equal(ranges->count, 1);
	assert_int_equal(ranges->items[0].start, start);
	assert_int_equal(ranges->items[0].size, size);
}

static void test_words(void **state)
{
	(void)state;
	assert_int_equal(read_option("auto"), 0);
	assert_int_equal(told.ram.count + told.memory.count, 0);
	assert_int_equal(read_option("all"), 0);
	assert_int_equal(told.ram.count + told.memory.count, 0);
	assert_int_equal(read_option("0x1000+8K"), 0);
	assert_one(&told.ram, 0x1000, 0x2000);
	assert_one(&told.memory, 0x1000, 0x2000);
	assert_int_equal(read_option("0x1000"), -1);
	assert_int_equal(failure.status, STATUS_USAGE);
	assert_string_equal(failure.text, "--ram: \"0x1000\" is not START-END or START+SIZE");
}

static void test_iomem(void **state)
{
	(void)state;
	assert_int_equal(
		read_file("00000000-00000fff : Reserved\n00001000-0009fbff : System RAM\n"), 0);
	assert_one(&told.ram, 0x1000, 0x9ec00);
	assert_one(&told.memory, 0x1000, 0x9ec00);
}

static void test_memory_map(void **state)
{
	(void)state;
	assert_int_equal(read_file("\n <memory-map>"
				   "<memory type=\"rom\" start=\"0\" length=\"0x1000\"/>"
				   "<memory type=\"ram\" start=\"0x1000\" length=\"0x1000\"/>"
				   "</memory-map>"),
		0);
	assert_one(&told.ram, 0x1000, 0x1000);
	assert_one(&told.memory, 0, 0x2000);
}

static void assert_wrong(const char *text, const char *why)
{
	char expected[512];

	assert_int_equal(read_file(text), -1);
	assert_int_equal(failure.status, STATUS_USAGE);
	snprintf(expected, sizeof(expected), "--ram: %s: %s", path, why);
	assert_string_equal(failure.text, expected);
}

static void test_wrong(void **state)
{
	(void)state;
	assert_wrong("", "no \"System RAM\" in it");
	assert_wrong("hello\n", "line 1: not START-END : NAME");
	assert_wrong("0-fff : System RAM\n800-1fff : System RAM\n",
		"line 2: RAM at 0x800-0x1fff overlaps what is above, or is out of order");
	assert_wrong("<memory-map>\n<memory/></memory-map>",
		"line 2: <memory> wants a type, a start and a length");
	assert_wrong("<memory-map/>", "no RAM in it");
	assert_wrong(
		"<memory-map><memory type=\"flash\" start=\"0\" length=\"4096\"/></memory-map>",
		"no RAM in it");
	assert_wrong("<memory-map><memory type=\"ram\" start=\"0\" length=\"0x100000000\"/>"
		     "</memory-map>",
		"all addresses are memory in it, which tells nothing");
	write_file("0-fff : System RAM\n\0 behind", 27);
	assert_int_equal(read_option(path), -1);
	assert_non_null(strstr(failure.text, ": no text"));
}

static void test_no_file(void **state)
{
	(void)state;
	assert_int_equal(read_option("/nonexistent/map"), -1);
	assert_int_equal(failure.status, STATUS_USAGE);
	assert_string_equal(failure.text, "--ram: /nonexistent/map: No such file or directory");
	assert_int_equal(read_option("/"), -1);
	assert_int_equal(truncate(path, (4 << 20) + 1), 0);
	assert_int_equal(read_option(path), -1);
	assert_non_null(strstr(failure.text, "is too large"));
}

static void test_no_memory(void **state)
{
	static const char *const files[] = { "<memory-map><memory type=\"ram\" start=\"0\" "
					     "length=\"4096\"/></memory-map>",
		"0-fff : System RAM\n" };

	(void)state;
	for (size_t i = 0; i <= sizeof(files) / sizeof(files[0]); i++) {
		const char *text = i < 2 ? path : "0x1000+8K";
		struct failing failing = { .what = FAILING_ALLOCATIONS };

		if (i < 2)
			write_file(files[i], strlen(files[i]));
		ram_option_deinit(&told);
		while (failing_next(&failing)) {
			int rc = read_option(text);

			failing_check(&failing, rc, failure.text);
			if (rc)
				assert_int_equal(failure.status, STATUS_FAILED);
			ram_option_deinit(&told);
		}
		assert_true(failing.nth > 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_iomem),
		cmocka_unit_test(test_memory_map),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
