// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rsp/hostpipe.h"
#include "tests/unit/failing.h"
#include "tests/unit/fake_stub.h"

enum { PAGE = 4096, STRETCHES_MAX = 4 };

/* A reader of some stretches of memory in pieces of one size. */
struct reading {
	struct {
		uint64_t start;
		size_t len;
	} stretches[STRETCHES_MAX];
	size_t piece;
	uint8_t *bytes; /* of all stretches */
	size_t total;
	size_t given, done; /* bytes */
	size_t stop_after;  /* bytes done, 0 for never */
	int stop_with;
	int cancel_fd;  /* written to when stop_after bytes are done, or -1 */
	size_t at_once; /* pieces that are given before one must be done, 0 for all */
	size_t out;     /* pieces given and not done */
	size_t unreadable;
};

static uint64_t address_of(const struct reading *reading, size_t offset, size_t *left)
{
	size_t i = 0;

	while (offset >= reading->stretches[i].len)
		offset -= reading->stretches[i++].len;
	*left = reading->stretches[i].len - offset;
	return reading->stretches[i].start + offset;
}

static bool next(void *ctx, struct rsp_read *piece)
{
	struct reading *reading = ctx;
	size_t left;

	if (reading->given == reading->total ||
		(reading->at_once && reading->out == reading->at_once))
		return false;
	piece->addr = address_of(reading, reading->given, &left);
	piece->len = left < reading->piece ? left : reading->piece;
	piece->buf = reading->bytes + reading->given;
	reading->given += piece->len;
	reading->out++;
	return true;
}

static int done(void *ctx, const struct rsp_read *piece)
{
	struct reading *reading = ctx;
	size_t left;

	/* In order, each whole. */
	assert_int_equal(piece->addr, address_of(reading, reading->done, &left));
	assert_ptr_equal(piece->buf, reading->bytes + reading->done);
	reading->done += piece->len;
	reading->unreadable += piece->unreadable;
	reading->out--;
	if (!reading->stop_after || reading->done < reading->stop_after)
		return 0;
	reading->stop_after = 0;
	if (reading->cancel_fd >= 0)
		assert_int_equal(write(reading->cancel_fd, "", 1), 1);
	return reading->stop_with;
}

static struct reading begin(uint64_t start, size_t len, size_t piece)
{
	struct reading reading = { .piece = piece, .cancel_fd = -1, .total = len };

	reading.stretches[0].start = start;
	reading.stretches[0].len = len;
	return reading;
}

static int stream(struct rsp_hostpipe *hostpipe, struct reading *reading)
{
	const struct rsp_stream all = { .next = next, .done = done, .ctx = reading };

	reading->bytes = malloc(reading->total);
	assert_non_null(reading->bytes);
	memset(reading->bytes, 0x55, reading->total);
	return rsp_hostpipe_stream(hostpipe, &all);
}

static void assert_pattern(const struct reading *reading)
{
	size_t left;

	for (size_t at = 0; at < reading->done; at++) {
		uint64_t addr = address_of(reading, at, &left);

		if (reading->bytes[at] != memory_pattern(addr))
			fail_msg("0x%llx is not what it should be", (unsigned long long)addr);
	}
}

/* ---- a stub and a pipe from it --------------------------------------------------------------- */

#define QEMU "supported PacketSize=1000\nphysical 1\nmemory 0 10000000\n"

static struct fake_stub stub;
static struct rsp *rsp;
static struct rsp_hostpipe *hostpipe;
static int cancel[2];

/* Opens a pipe on page 0; hostpipe is NULL if there is none, and rsp_error() says why. */
static void start(const char *description)
{
	struct rsp_options options;
	struct rlimit limit;

	/* valgrind allows no high numbers of descriptors. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < 4096)
		skip();
	assert_int_equal(pipe(cancel), 0);
	options = fake_stub_options(cancel[0]);
	options.timeout_ms = 500;
	fake_stub_start(&stub, description);
	rsp = rsp_create(&options);
	assert_non_null(rsp);
	if (rsp_open(rsp, stub.target))
		fail_msg("%s", rsp_error(rsp));
	hostpipe = rsp_hostpipe_open(rsp, 0);
}

static void start_right(const char *description)
{
	start(description);
	if (!hostpipe)
		fail_msg("%s", rsp_error(rsp));
}

static void end(void)
{
	rsp_hostpipe_close(hostpipe);
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	close(cancel[0]);
	close(cancel[1]);
}

static size_t count_commands(void)
{
	return fake_stub_count(&stub, "= pmemsave ");
}

/* The connection can be used as before. */
static void assert_usable(void)
{
	uint8_t bytes[16];

	if (rsp_read_memory(rsp, 0x2000, bytes, sizeof(bytes)))
		fail_msg("%s", rsp_error(rsp));
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], memory_pattern(0x2000 + i));
}

/* ---- all is well ----------------------------------------------------------------------------- */

/* Reads all, in so many commands behind the one that proves the pipe. */
static void check(struct reading reading, size_t commands)
{
	start_right(QEMU "pmemsave right\n");
	if (stream(hostpipe, &reading))
		fail_msg("%s", rsp_error(rsp));
	assert_int_equal(reading.done, reading.total);
	assert_int_equal(reading.unreadable, 0);
	assert_pattern(&reading);
	assert_usable();
	end();
	assert_int_equal(stub.end, WIRE_CLOSED);
	assert_int_equal(count_commands(), 1 + commands);
	/* Two for the page that is compared, one for assert_usable(). */
	assert_int_equal(fake_stub_count(&stub, "> m"), 2 + 1);
	fake_stub_deinit(&stub);
	free(reading.bytes);
}

static void test_pieces_of_all_sizes(void **state)
{
	(void)state;
	check(begin(0, 0x100000, 0x10000), 1);
	check(begin(0, 0x10000, PAGE), 1);
	check(begin(0x7fd, 0x1234, 100), 1);
	check(begin(1, 3, 1), 1);
	check(begin(0xfff, 0x2002, 0x2002), 1);
	check(begin(0x12345, 1, 1), 1);
}

/* What lies between stretches is never asked for. */
static void test_stretches(void **state)
{
	struct reading reading = begin(0x1000, 0x3000, 0x1000);

	(void)state;
	reading.stretches[1].start = 0x5000;
	reading.stretches[1].len = 0x800;
	reading.stretches[2].start = 0x5801;
	reading.stretches[2].len = 0x7ff;
	reading.stretches[3].start = 0x10000;
	reading.stretches[3].len = 0x10000;
	reading.total = 0x3000 + 0x800 + 0x7ff + 0x10000;
	check(reading, 4);
}

/* One command asks for 64 MiB at most, of pieces that may be larger than that. */
static void test_large(void **state)
{
	(void)state;
	check(begin(0x1000, (64 << 20) + 5, 64 << 10), 2);
	check(begin(0x1000, (65 << 20), 65 << 20), 2);
}

/* More pieces than there is room for, and fewer at once than it would take. */
static void test_rings(void **state)
{
	struct reading reading = begin(0, 5000 * 16, 16);

	(void)state;
	check(reading, 5);
	reading = begin(0, 0x40000, 0x1000);
	reading.at_once = 3;
	check(reading, 22);
	reading = begin(0, 0x40000, 0x10000);
	reading.at_once = 1;
	check(reading, 4);
}

static void test_again(void **state)
{
	(void)state;
	start_right(QEMU "pmemsave right\n");
	for (uint64_t at = 0; at < 0x30000; at += 0x10000) {
		struct reading reading = begin(at, 0x10000, 0x1000);

		assert_int_equal(stream(hostpipe, &reading), 0);
		assert_int_equal(reading.done, 0x10000);
		assert_pattern(&reading);
		free(reading.bytes);
	}
	end();
	fake_stub_deinit(&stub);
}

/* The last word before the release is the stub's: nothing of ours is under way. */
static void test_release(void **state)
{
	struct reading reading = begin(0, 0x100000, 0x1000);

	(void)state;
	start_right(QEMU "pmemsave right\n");
	assert_int_equal(stream(hostpipe, &reading), 0);
	assert_int_equal(rsp_release(rsp, RSP_RESUME), 0);
	end();
	fake_stub_assert_detached(&stub);
	fake_stub_deinit(&stub);
	free(reading.bytes);
}

/* ---- no pipe --------------------------------------------------------------------------------- */

static void check_none(const char *description, enum rsp_failure failure, const char *why)
{
	start(description);
	assert_null(hostpipe);
	assert_int_equal(rsp_failure(rsp), failure);
	if (!strstr(rsp_error(rsp), why))
		fail_msg("\"%s\" is not in \"%s\"", why, rsp_error(rsp));
	if (failure != RSP_LOST)
		assert_usable();
	end();
	assert_true(count_commands() <= 1);
	fake_stub_deinit(&stub);
}

static void test_none(void **state)
{
	(void)state;
	/* No QEMU. */
	check_none("memory 0 10000\nmonitor a = b\n", RSP_UNSUPPORTED, "has no pmemsave");
	/* One without a monitor, or with a small one. */
	check_none(QEMU, RSP_UNSUPPORTED, "does not know how to run monitor commands");
	check_none(QEMU "monitor a = b\n", RSP_REFUSED, "monitor says: unknown command");
	check_none(QEMU "monitor-style silent\nmonitor a = b\n", RSP_CONFUSED,
		"4096 bytes of memory did not come");
	check_none(QEMU "monitor-style whole\nmonitor a = b\n", RSP_CONFUSED,
		"answers 756e6b6e6f776e20636f6d6d616e64 to pmemsave");
	check_none(QEMU "pmemsave refuse\n", RSP_REFUSED, "Permission denied");
	check_none(
		QEMU "memory 800 800 unreadable\npmemsave right\n", RSP_REFUSED, "cannot be read");
}

static void test_in_doubt(void **state)
{
	(void)state;
	check_none(QEMU "pmemsave wrong\n", RSP_CONFUSED, "other memory comes through the pipe");
	check_none(QEMU "pmemsave none\n", RSP_CONFUSED, "4096 bytes of memory did not come");
	check_none(QEMU "pmemsave short\n", RSP_CONFUSED, "1 bytes of memory did not come");
	check_none(QEMU "pmemsave long\n", RSP_CONFUSED, "more memory came through the pipe");
	check_none(QEMU "pmemsave complain\n", RSP_REFUSED, "An IO error has occurred");
	check_none(QEMU "pmemsave stall\n", RSP_LOST, "the stub has been silent");
	check_none(QEMU "pmemsave silent\n", RSP_LOST, "the stub has been silent");
	check_none(QEMU "pmemsave talk\n", RSP_LOST, "printed over 16777216 bytes");
}

/* ---- trouble in the middle ------------------------------------------------------------------- */

/* Four commands of 64 KiB, of which the third is the stub's to spoil. */
static struct reading begin_four(void)
{
	struct reading reading = begin(0, 0x40000, 0x1000);

	reading.at_once = 16;
	return reading;
}

static void check_failure(const char *how, enum rsp_failure failure, const char *why)
{
	struct reading reading = begin_four();
	char description[256];

	snprintf(description, sizeof(description), "%spmemsave %s 4\n", QEMU, how);
	start_right(description);
	assert_int_equal(stream(hostpipe, &reading), -1);
	assert_int_equal(rsp_failure(rsp), failure);
	if (!strstr(rsp_error(rsp), why))
		fail_msg("\"%s\" is not in \"%s\"", why, rsp_error(rsp));
	assert_in_range(reading.done, 0x20000, 0x30000);
	if (failure != RSP_LOST)
		assert_usable();
	end();
	assert_int_equal(count_commands(), 1 + 3);
	fake_stub_deinit(&stub);
	free(reading.bytes);
}

static void test_failures(void **state)
{
	(void)state;
	check_failure("none", RSP_CONFUSED, "65536 bytes of memory did not come");
	check_failure("short", RSP_CONFUSED, "1 bytes of memory did not come");
	check_failure("long", RSP_CONFUSED, "more memory came through the pipe");
	check_failure("stall", RSP_LOST, "the stub has been silent");
	check_failure("silent", RSP_LOST, "the stub has been silent");
	check_failure("talk", RSP_LOST, "printed over 16777216 bytes");
}

/* The rest comes by ordinary reads, and then all that is asked for. */
static void check_refused(const char *how)
{
	struct reading reading = begin_four();
	struct reading more = begin(0x50000, 0x4000, 0x1000);
	char description[256];

	snprintf(description, sizeof(description),
		"%spmemsave %s 4\nmemory 3f000 1000 unreadable\n", QEMU, how);
	start_right(description);
	if (stream(hostpipe, &reading))
		fail_msg("%s", rsp_error(rsp));
	assert_int_equal(reading.done, 0x40000);
	assert_int_equal(reading.unreadable, 0x1000);
	reading.done = 0x3f000;
	assert_pattern(&reading);
	assert_int_equal(stream(hostpipe, &more), 0);
	assert_int_equal(more.done, 0x4000);
	assert_pattern(&more);
	end();
	assert_int_equal(count_commands(), 1 + 3);
	fake_stub_deinit(&stub);
	free(reading.bytes);
	free(more.bytes);
}

static void test_refused(void **state)
{
	(void)state;
	check_refused("refuse");
	check_refused("complain");
}

static void test_lost(void **state)
{
	struct reading reading = begin_four();

	(void)state;
	/* The 9th answer is to the command that proves the pipe. */
	start_right(QEMU "pmemsave right\nclose 10\n");
	assert_int_equal(stream(hostpipe, &reading), -1);
	assert_int_equal(rsp_failure(rsp), RSP_LOST);
	assert_string_equal(rsp_error(rsp), "the stub closed the connection");
	end();
	fake_stub_deinit(&stub);
	free(reading.bytes);
}

/* ---- stopped by us --------------------------------------------------------------------------- */

static void test_stopped(void **state)
{
	struct reading reading = begin(0, 64 << 20, 0x10000);

	(void)state;
	start_right(QEMU "pmemsave right\n");
	reading.stop_after = 0x100000;
	reading.stop_with = 7;
	assert_int_equal(stream(hostpipe, &reading), 7);
	assert_int_equal(reading.done, 0x100000);
	assert_pattern(&reading);
	assert_usable();
	end();
	assert_int_equal(stub.end, WIRE_CLOSED);
	fake_stub_deinit(&stub);
	free(reading.bytes);
}

static void test_cancelled(void **state)
{
	struct reading reading = begin(0, 64 << 20, 0x10000);

	(void)state;
	start_right(QEMU "pmemsave right\n");
	reading.stop_after = 0x100000;
	reading.cancel_fd = cancel[1];
	assert_int_equal(stream(hostpipe, &reading), -1);
	assert_int_equal(rsp_failure(rsp), RSP_CANCELLED);
	assert_in_range(reading.done, 0x100000, (64 << 20) - 1);
	assert_pattern(&reading);
	assert_int_equal(rsp_release(rsp, RSP_RESUME), 0);
	end();
	fake_stub_assert_detached(&stub);
	fake_stub_deinit(&stub);
	free(reading.bytes);
}

/* While the stub does nothing. */
static void test_cancelled_in_silence(void **state)
{
	struct reading reading = begin(0, 0x10000, 0x1000);

	(void)state;
	start_right(QEMU "pmemsave stall 2\n");
	reading.stop_after = 0x8000;
	reading.cancel_fd = cancel[1];
	assert_int_equal(stream(hostpipe, &reading), -1);
	/* The answer that was waited for in vain is what counts. */
	assert_int_equal(rsp_failure(rsp), RSP_LOST);
	end();
	fake_stub_deinit(&stub);
	free(reading.bytes);
}

static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	start_right(QEMU "pmemsave right\n");
	rsp_hostpipe_close(hostpipe);
	while (failing_next(&failing)) {
		hostpipe = rsp_hostpipe_open(rsp, 0);
		failing_check(&failing, hostpipe ? 0 : -1, rsp_error(rsp));
		if (!hostpipe)
			assert_int_equal(rsp_failure(rsp), RSP_NO_MEMORY);
		rsp_hostpipe_close(hostpipe);
	}
	hostpipe = NULL;
	assert_usable();
	end();
	fake_stub_deinit(&stub);
	/* Itself, two for a page by the protocol, the output of a command. */
	assert_true(failing.nth > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_of_all_sizes),
		cmocka_unit_test(test_stretches),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_rings),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_in_doubt),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_cancelled_in_silence),
		cmocka_unit_test(test_no_memory),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
