// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/report.h"
#include "layout/core_format.h"
#include "tests/unit/capture.h"

/* Behind client/status.h: it has a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static struct plan plan;
static struct options options;

/* 4 MiB, of which pages 16 to 815 are left out. */
static int make_plan(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	options = (struct options){ .format = &kdump_zlib_format, .target = "vm" };
	plan.core = (struct core_plan){
		.arch = arch_find("x86_64"),
		.memory = &plan.memory,
		.page_shift = 12,
		.dump_level = 31,
		.kept = &plan.kept,
	};
	plan.pages = (struct page_filter_counts){
		.total = 1024,
		.cache = 100,
		.user = 200,
		.free = 499,
		.offline = 1,
		.undecided = 3,
		.struct_bytes = 65536,
	};
	if (ranges_add(&plan.memory, 0, 4 << 20) || page_set_init(&plan.kept, &plan.memory, 12))
		return -1;
	page_set_remove(&plan.kept, 16, 800);
	plan.bytes = core_memory_bytes(&plan.core);
	return 0;
}

static int end_plan(void **state)
{
	(void)state;
	ranges_deinit(&plan.memory);
	page_set_deinit(&plan.kept);
	return 0;
}

static void assert_printed(struct capture *capture, const char *expected)
{
	char *text = capture_end(capture);

	assert_string_equal(text, expected);
	free(text);
}

static void assert_left_out(const char *expected)
{
	struct capture capture;

	capture_start(&capture, STDERR_FILENO);
	report_pages_left_out(&options, &plan);
	assert_printed(&capture, expected);
}

static void test_left_out(void **state)
{
	(void)state;
	assert_left_out("rspdump: vm: left out by dump level 31: cache 400.0 KiB, user 800.0 KiB, "
			"free 1.9 MiB, offline 4.0 KiB\n"
			"rspdump: vm: 12.0 KiB of memory is in no class that is known, and kept\n");
	plan.pages = (struct page_filter_counts){ .total = 1024 };
	assert_left_out("rspdump: vm: left out by dump level 31: nothing\n");
	/* Nobody looked. */
	plan.core.kept = NULL;
	assert_left_out("");
}

static void assert_forecast(double rate, const char *expected)
{
	const struct forecast forecast = { .plan = &plan, .options = &options, .rate = rate };
	struct capture capture;

	capture_start(&capture, STDOUT_FILENO);
	report_forecast_text(&forecast);
	fflush(stdout);
	assert_printed(&capture, expected);
}

/* 224 pages and the structs, at half of that a second. */
static void test_forecast(void **state)
{
	(void)state;
	assert_forecast((224 * 4096 + 65536) / 2,
		"pages       224 of 1024 kept by dump level 31\n"
		"            left out: cache 400.0 KiB, user 800.0 KiB, free 1.9 MiB, offline 4.0 KiB\n"
		"            undecided, and kept: 12.0 KiB\n"
		"a core      kdump core, zlib, 896.0 KiB at most, 960.0 KiB to read, in about 2 s at "
		"480.0 KiB/s\n");
	plan.core.kept = NULL;
	plan.pages = (struct page_filter_counts){ 0 };
	plan.bytes = core_memory_bytes(&plan.core);
	assert_forecast(0,
		"a core      kdump core, zlib, 4.0 MiB at most, 4.0 MiB to read, in about 0 "
		"s at 0 bytes/s\n");
}

static void assert_json(const char *expected)
{
	const struct forecast forecast = { .plan = &plan, .options = &options, .rate = 2048 };
	char *text = NULL;
	size_t size;
	struct json json;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	json_init(&json, to);
	json_open(&json, NULL, '{');
	report_forecast_json(&json, &forecast);
	json_close(&json, '}');
	fclose(to);
	assert_string_equal(text, expected);
	free(text);
}

static void test_json(void **state)
{
	(void)state;
	assert_json(
		"{\"dump_level\": 31, \"pages\": {\"page_bytes\": 4096, \"total\": 1024, "
		"\"kept\": 224, \"cache\": 100, \"private_cache\": 0, \"user\": 200, \"free\": 499, "
		"\"unaccepted\": 0, \"hwpoison\": 0, \"offline\": 1, \"undecided\": 3, "
		"\"struct_bytes\": 65536}, \"memory_bytes\": 917504, \"bytes_to_read\": 983040, "
		"\"file_bytes_expected\": 917504, \"bytes_per_second\": 2048.000, "
		"\"seconds_expected\": 480.000}");
	plan.core.kept = NULL;
	plan.core.dump_level = 1;
	plan.bytes = 4 << 20;
	plan.pages.struct_bytes = 0;
	assert_json("{\"dump_level\": 1, \"memory_bytes\": 4194304, \"bytes_to_read\": 4194304, "
		    "\"file_bytes_expected\": 4194304, \"bytes_per_second\": 2048.000, "
		    "\"seconds_expected\": 2048.000}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_plan, end_plan)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_left_out),
		TEST(test_forecast),
		TEST(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
