// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "client/guest_memory.h"
#include "tests/unit/fake_stub.h"
#include "tests/unit/small_guest.h"

/* Behind client/status.h: it has a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static struct fake_stub stub;
static struct ranges ram;
static struct guest_memory_state reading;
static struct guest_memory memory;

static void open_guest(const char *more)
{
	char description[4096];

	snprintf(description, sizeof(description), "%s%s", SMALL_GUEST, more);
	fake_stub_start(&stub, description);
	ranges_init(&ram);
	assert_int_equal(ranges_add(&ram, 0, SMALL_GUEST_LOW), 0);
	assert_int_equal(ranges_add(&ram, SMALL_GUEST_HIGH, SMALL_GUEST_HIGH_SIZE), 0);
	reading = (struct guest_memory_state){ .rsp = fake_stub_open(&stub), .ram = &ram };
	assert_int_equal(rsp_use_physical_memory(reading.rsp), 0);
	memory = guest_memory_interface(&reading);
}

/* And then the stub's log can be looked at. */
static void close_guest(void)
{
	rsp_destroy(reading.rsp);
	fake_stub_stop(&stub);
}

static void end(void)
{
	ranges_deinit(&ram);
	fake_stub_deinit(&stub);
}

static void assert_pattern(uint64_t paddr, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		assert_int_equal(bytes[i], memory_pattern(paddr + i));
}

static void test_read(void **state)
{
	uint8_t bytes[8192];

	(void)state;
	open_guest("");
	assert_int_equal(guest_read(&memory, 0x1003, bytes, 5000), 0);
	assert_pattern(0x1003, bytes, 5000);
	assert_int_equal(reading.bytes_read, 5000);
	/* The first and the last bytes of a range. */
	assert_int_equal(guest_read(&memory, SMALL_GUEST_HIGH, bytes, 1), 0);
	assert_pattern(SMALL_GUEST_HIGH, bytes, 1);
	assert_int_equal(guest_read(&memory, SMALL_GUEST_LOW - 8, bytes, 8), 0);
	assert_pattern(SMALL_GUEST_LOW - 8, bytes, 8);
	assert_int_equal(reading.bytes_read, 5009);
	assert_false(reading.lost);
	close_guest();
	end();
}

/* The stub would give it, but behind it may be a device: it is not even asked. */
static void test_outside(void **state)
{
	static const struct {
		uint64_t paddr;
		size_t size;
	} cases[] = {
		{ SMALL_GUEST_ROM, 8 },
		{ SMALL_GUEST_LOW, 1 },
		{ SMALL_GUEST_LOW - 8, 9 },
		{ SMALL_GUEST_HIGH - 1, 2 },
		{ SMALL_GUEST_HIGH + SMALL_GUEST_HIGH_SIZE, 1 },
		{ UINT64_MAX, 2 },
		{ UINT64_MAX - 15, 16 },
	};
	uint8_t bytes[16];

	(void)state;
	open_guest("");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(guest_read(&memory, cases[i].paddr, bytes, cases[i].size), -1);
	assert_int_equal(reading.bytes_read, 0);
	assert_false(reading.lost);
	close_guest();
	assert_int_equal(fake_stub_count(&stub, "> m"), 0);
	end();
}

static void test_read_many(void **state)
{
	uint8_t a[100], b[8], c[6000], d[8], e[1];
	struct guest_read_request requests[] = {
		{ .paddr = 0x100, .buf = a, .len = sizeof(a) },
		{ .paddr = SMALL_GUEST_ROM, .buf = b, .len = sizeof(b) },
		{ .paddr = 0x11f000, .buf = c, .len = sizeof(c) },
		{ .paddr = 0x10000, .buf = d, .len = sizeof(d) },
		{ .paddr = SMALL_GUEST_LOW, .buf = e, .len = sizeof(e) },
	};

	(void)state;
	open_guest("");
	memset(b, 0x55, sizeof(b));
	guest_read_many(&memory, requests, 5);
	assert_false(requests[0].failed);
	assert_true(requests[1].failed);
	assert_false(requests[2].failed);
	assert_false(requests[3].failed);
	assert_true(requests[4].failed);
	assert_pattern(0x100, a, sizeof(a));
	assert_pattern(0x11f000, c, sizeof(c));
	assert_pattern(0x10000, d, sizeof(d));
	assert_int_equal(b[0], 0x55);
	assert_int_equal(reading.bytes_read, 100 + 6000 + 8);
	guest_read_many(&memory, requests, 0);
	/* Those alone that are of no use. */
	guest_read_many(&memory, requests + 4, 1);
	assert_true(requests[4].failed);
	assert_false(reading.lost);
	close_guest();
	end();
}

/* A page that cannot be read fails what touches it, and nothing else. */
static void test_unreadable(void **state)
{
	uint8_t a[16], b[16], c[16];
	struct guest_read_request requests[] = {
		{ .paddr = 0x4000, .buf = a, .len = sizeof(a) },
		{ .paddr = 0x5ff8, .buf = b, .len = sizeof(b) },
		{ .paddr = 0x7000, .buf = c, .len = sizeof(c) },
	};

	(void)state;
	open_guest("memory 6000 1000 unreadable\n");
	guest_read_many(&memory, requests, 3);
	assert_false(requests[0].failed);
	assert_true(requests[1].failed);
	assert_false(requests[2].failed);
	assert_pattern(0x7000, c, sizeof(c));
	assert_int_equal(guest_read(&memory, 0x6000, a, 8), -1);
	assert_int_equal(guest_read(&memory, 0x5ff8, a, 8), 0);
	assert_false(reading.lost);
	close_guest();
	end();
}

/* Once the stub is gone, nothing is asked any more, and the reason stays to be told. */
static void test_lost(void **state)
{
	uint8_t a[8], b[8];
	struct guest_read_request requests[] = {
		{ .paddr = 0x4000, .buf = a, .len = sizeof(a) },
		{ .paddr = 0x5000, .buf = b, .len = sizeof(b) },
	};

	(void)state;
	open_guest("close 20\n");
	while (guest_read(&memory, 0x4000, a, sizeof(a)) == 0)
		assert_in_range(reading.bytes_read, 1, 1000);
	assert_true(reading.lost);
	assert_int_equal(rsp_failure(reading.rsp), RSP_LOST);
	assert_string_equal(rsp_error(reading.rsp), "the stub closed the connection");
	guest_read_many(&memory, requests, 2);
	assert_true(requests[0].failed);
	assert_true(requests[1].failed);
	assert_int_equal(guest_read(&memory, 0x4000, a, sizeof(a)), -1);
	assert_string_equal(rsp_error(reading.rsp), "the stub closed the connection");
	close_guest();
	end();
}

static void test_lost_in_batch(void **state)
{
	static uint8_t bytes[64][4096];
	struct guest_read_request requests[16];

	(void)state;
	open_guest("close 14\n");
	for (size_t i = 0; i < 16; i++)
		requests[i] = (struct guest_read_request){
			.paddr = i * 4096, .buf = bytes[i], .len = 4096
		};
	guest_read_many(&memory, requests, 16);
	assert_true(reading.lost);
	assert_true(requests[15].failed);
	for (size_t i = 0; i < 16; i++)
		if (!requests[i].failed)
			assert_pattern(requests[i].paddr, bytes[i], 4096);
	close_guest();
	end();
}

/* What is large comes through the pipe, all of a batch at once; else a command costs too much. */
static void test_bulk(void **state)
{
	static uint8_t bytes[3][0x10000];
	struct guest_read_request requests[] = {
		{ .paddr = 0x10000, .buf = bytes[0], .len = 0x10000 },
		{ .paddr = 0xf8000, .buf = bytes[1], .len = 0x10000 }, /* begins outside */
		{ .paddr = 0x100000, .buf = bytes[2], .len = 0x10000 },
		{ .paddr = 0x110000, .buf = bytes[1], .len = 0x10000 },
	};

	(void)state;
	open_guest("pmemsave right\n");
	reading.hostpipe = rsp_hostpipe_open(reading.rsp, 0);
	assert_non_null(reading.hostpipe);
	guest_read_many(&memory, requests, 4);
	assert_false(requests[0].failed);
	assert_true(requests[1].failed);
	assert_false(requests[2].failed);
	assert_false(requests[3].failed);
	for (size_t i = 0; i < 4; i++)
		if (i != 1)
			assert_pattern(requests[i].paddr, requests[i].buf, 0x10000);
	requests[0].len = 0xfff0;
	guest_read_many(&memory, requests, 1);
	assert_false(requests[0].failed);
	assert_pattern(0x10000, bytes[0], 0xfff0);
	rsp_hostpipe_close(reading.hostpipe);
	close_guest();
	/* The proof; the first; those that touch each other. */
	assert_int_equal(fake_stub_count(&stub, "= pmemsave "), 3);
	assert_int_equal(fake_stub_count(&stub, "= pmemsave 0x100000 131072 "), 1);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_read_many),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_lost_in_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
