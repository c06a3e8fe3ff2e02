// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "client/samples.h"
#include "tests/unit/fake_stub.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { PIECE = 0x2000 };

static struct samples samples;

static void note(uint64_t addr, const void *bytes, size_t size, size_t unreadable)
{
	const struct rsp_read piece = {
		.addr = addr, .buf = (void *)(uintptr_t)bytes, .len = size, .unreadable = unreadable
	};

	samples_note(&samples, &piece);
}

static void test_digest(void **state)
{
	(void)state;
	/* FNV-1a of 64 bits, from its authors' table */
	assert_int_equal(digest_bytes(0, "", 0), 0xcbf29ce484222325);
	assert_int_equal(digest_bytes(0, "a", 1), 0xaf63dc4c8601ec8c);
	assert_int_equal(digest_bytes(0, "foobar", 6), 0x85944171f73967e8);
	assert_int_not_equal(digest_bytes(1, "a", 1), digest_bytes(0, "a", 1));
}

/* However many pieces there are, between half of the samples and all are kept, evenly spread. */
static void test_spread(void **state)
{
	static const uint8_t page[SAMPLE_SIZE];

	(void)state;
	samples_init(&samples);
	for (uint64_t i = 0; i < 100000; i++) {
		note(i, page, sizeof(page), 0);
		assert_in_range(
			samples.count, i < SAMPLES_MAX / 2 ? i + 1 : SAMPLES_MAX / 2, SAMPLES_MAX);
	}
	for (size_t i = 0; i < samples.count; i++)
		assert_int_equal(samples.items[i].addr, i * samples.stride);
	assert_in_range(
		samples.count * samples.stride, 100000 - samples.stride, 100000 + samples.stride);
}

static void test_unreadable(void **state)
{
	static const uint8_t page[SAMPLE_SIZE];

	(void)state;
	samples_init(&samples);
	note(0, page, sizeof(page), 1);
	assert_int_equal(samples.count, 0);
	note(0, page, 17, 0);
	assert_int_equal(samples.count, 1);
	assert_int_equal(samples.items[0].size, 17);
}

static void check(const char *description, int expected)
{
	struct fake_stub stub;
	struct rsp *rsp;

	fake_stub_start(&stub, description);
	rsp = fake_stub_open(&stub);
	assert_int_equal(samples_check(&samples, rsp), expected);
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	fake_stub_deinit(&stub);
}

static void test_check(void **state)
{
	uint8_t bytes[PIECE];
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	samples_init(&samples);
	fake_stub_start(&stub, "thread 1\nmemory 0 8000\n");
	rsp = fake_stub_open(&stub);
	for (uint64_t addr = 0; addr < 0x8000; addr += PIECE) {
		assert_int_equal(rsp_read_memory(rsp, addr, bytes, PIECE), 0);
		note(addr, bytes, PIECE, 0);
	}
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	fake_stub_deinit(&stub);
	assert_int_equal(samples.count, 4);

	check("thread 1\nmemory 0 8000\n", 0);
	/* One byte of the last sample */
	check("thread 1\nmemory 0 8000\nmemory 6fff 1 aa\n", 1);
	/* Behind what is looked at of a piece */
	check("thread 1\nmemory 0 8000\nmemory 7000 1 aa\n", 0);
	check("thread 1\nmemory 0 4000\n", -1);
	check("thread 1\nmemory 0 8000\nclose 5\n", -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
