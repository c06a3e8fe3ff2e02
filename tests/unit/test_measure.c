// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "client/measure.h"
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
static struct guest guest;
static struct failure failure;

static void open_guest(const char *description)
{
	fake_stub_start(&stub, description);
	memset(&guest, 0, sizeof(guest));
	guest.rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_use_physical_memory(guest.rsp), 0);
	ranges_init(&guest.memory);
}

static void have_memory(uint64_t start, uint64_t size)
{
	assert_int_equal(ranges_add(&guest.memory, start, size), 0);
}

/* And then the stub's log can be looked at. */
static void close_guest(void)
{
	rsp_destroy(guest.rsp);
	ranges_deinit(&guest.memory);
	fake_stub_stop(&stub);
}

/* A small guest is read once, from one end to the other. */
static void test_small(void **state)
{
	double rate = 0;

	(void)state;
	open_guest(SMALL_GUEST);
	have_memory(0, SMALL_GUEST_LOW);
	have_memory(SMALL_GUEST_HIGH, SMALL_GUEST_HIGH_SIZE);
	assert_int_equal(measure_rate(&guest, &rate, &failure), 0);
	assert_true(rate > 0);
	/* No link has a PiB a second. */
	assert_true(rate < 1e15);
	close_guest();
	/* 2048 bytes each, as half of the packet size allows. */
	assert_int_equal(
		fake_stub_count(&stub, "> m"), (SMALL_GUEST_LOW + SMALL_GUEST_HIGH_SIZE) / 0x800);
	assert_int_equal(fake_stub_count(&stub, "> m0,800"), 1);
	assert_int_equal(fake_stub_count(&stub, "> m1f800,800"), 1);
	assert_int_equal(fake_stub_count(&stub, "> m12f800,800"), 1);
	fake_stub_deinit(&stub);
}

/* Of a large one only the first 16 MiB, 64 KiB each: less if that takes long. */
static void test_large(void **state)
{
	double rate = 0;

	(void)state;
	open_guest("supported PacketSize=20000;QStartNoAckMode+\nphysical 0\n"
		   "memory 0 10000000 zero\n");
	have_memory(0, 0x10000000);
	assert_int_equal(measure_rate(&guest, &rate, &failure), 0);
	assert_true(rate > 0);
	close_guest();
	assert_in_range(fake_stub_count(&stub, "> m"), 1, (16 << 20) / 0x10000);
	fake_stub_deinit(&stub);
}

/* How fast an error comes says something, too. */
static void test_unreadable(void **state)
{
	double rate = 0;

	(void)state;
	open_guest(SMALL_GUEST "memory 0 4000 unreadable\n");
	have_memory(0, 0x4000);
	assert_int_equal(measure_rate(&guest, &rate, &failure), 0);
	assert_true(rate > 0);
	close_guest();
	fake_stub_deinit(&stub);
}

static void test_no_memory_at_all(void **state)
{
	double rate = 1;

	(void)state;
	open_guest(SMALL_GUEST);
	assert_int_equal(measure_rate(&guest, &rate, &failure), 0);
	assert_true(rate == 0);
	close_guest();
	assert_int_equal(fake_stub_count(&stub, "> m"), 0);
	fake_stub_deinit(&stub);
}

static void test_lost(void **state)
{
	double rate = -1;

	(void)state;
	open_guest(SMALL_GUEST "close 50\n");
	have_memory(0, SMALL_GUEST_LOW);
	assert_int_equal(measure_rate(&guest, &rate, &failure), -1);
	assert_int_equal(failure.status, STATUS_UNREACHABLE);
	assert_string_equal(failure.text, "reading memory: the stub closed the connection");
	close_guest();
	fake_stub_deinit(&stub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_no_memory_at_all),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
