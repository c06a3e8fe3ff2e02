// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scripted stub serves in a thread of this very process, so that the memory of the stub's
 * process is ours to make.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rsp/hostmem.h"
#include "rsp/peer.h"
#include "tests/unit/failing.h"
#include "tests/unit/fake_stub.h"

enum { PAGE = 4096, LOW = 0x20000, HIGH = 0x100000, HIGH_SIZE = 0x30000, PIECE = 0x8000 };

static struct fake_stub stub;
static struct rsp *rsp;
static struct rsp_hostmem *hostmem;
static uint8_t *low, *high; /* what the guest has from 0 and from HIGH on */

static void fill(uint8_t *bytes, uint64_t addr, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = memory_pattern(addr + i);
}

/* A QEMU with two regions, which its monitor says to be at these addresses. */
static void start_at(uintptr_t low_at, uintptr_t high_at, const char *more)
{
	static char description[4096];

	snprintf(description, sizeof(description),
		"supported PacketSize=1000;QStartNoAckMode+\nphysical 0\n"
		"monitor info version = 7.2.22\nthread 1\n"
		"memory 0 20000\nmemory 100000 30000\n"
		"monitor gpa2hva 0x0 = Host virtual address for 0x0 (pc is 0x1) is 0x%lx\n"
		"monitor gpa2hva 0x100000 = Host virtual address for 0x100000 (pc.ram) is 0x%lx\n"
		"%s",
		(unsigned long)low_at, (unsigned long)high_at, more);
	fake_stub_start(&stub, description);
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_use_physical_memory(rsp), 0);
	hostmem = rsp_hostmem_open(rsp);
}

static int setup(void **state)
{
	(void)state;
	low = malloc(LOW);
	high = malloc(HIGH_SIZE);
	fill(low, 0, LOW);
	fill(high, HIGH, HIGH_SIZE);
	return 0;
}

static void start(const char *more)
{
	start_at((uintptr_t)low, (uintptr_t)high, more);
	assert_non_null(hostmem);
}

static int teardown(void **state)
{
	(void)state;
	rsp_hostmem_close(hostmem);
	hostmem = NULL;
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	fake_stub_deinit(&stub);
	free(low);
	free(high);
	return 0;
}

static void add_both(void)
{
	if (rsp_hostmem_add(hostmem, 0, LOW) || rsp_hostmem_add(hostmem, HIGH, HIGH_SIZE) ||
		rsp_hostmem_prove(hostmem))
		fail_msg("%s", rsp_error(rsp));
}

static void assert_refused(int rc, const char *why)
{
	assert_int_equal(rc, -1);
	assert_int_equal(rsp_failure(rsp), RSP_REFUSED);
	if (!strstr(rsp_error(rsp), why))
		fail_msg("not \"%s\" but \"%s\"", why, rsp_error(rsp));
}

/* ---- regions --------------------------------------------------------------------------------- */

static void test_read(void **state)
{
	uint8_t bytes[0x3000];

	(void)state;
	start("");
	add_both();
	assert_int_equal(rsp_hostmem_read(hostmem, 0x1234, bytes, sizeof(bytes)), 0);
	assert_memory_equal(bytes, low + 0x1234, sizeof(bytes));
	assert_int_equal(rsp_hostmem_read(hostmem, HIGH + HIGH_SIZE - 1, bytes, 1), 0);
	assert_int_equal(bytes[0], memory_pattern(HIGH + HIGH_SIZE - 1));
	/* Nothing is there, or not to the end. */
	assert_int_equal(rsp_hostmem_read(hostmem, LOW, bytes, 1), -1);
	assert_int_equal(rsp_hostmem_read(hostmem, LOW - 1, bytes, 2), -1);
	assert_int_equal(rsp_hostmem_read(hostmem, HIGH + HIGH_SIZE, bytes, 1), -1);
	assert_int_equal(rsp_hostmem_read(hostmem, UINT64_MAX, bytes, 1), -1);
}

/* Regions that follow each other lie apart in the process. */
static void test_over_an_edge(void **state)
{
	uint8_t bytes[0x2000];

	(void)state;
	start("monitor gpa2hva 0x10000 = is 0xfff\n");
	assert_int_equal(rsp_hostmem_add(hostmem, 0, 0x10000), 0);
	assert_refused(rsp_hostmem_add(hostmem, 0x10000, 0x10000), "monitor says");
	assert_int_equal(rsp_hostmem_read(hostmem, 0xf000, bytes, 0x1000), 0);
	assert_int_equal(rsp_hostmem_read(hostmem, 0xf000, bytes, 0x2000), -1);
}

static void test_other_memory(void **state)
{
	(void)state;
	start("");
	low[0x1f800]++; /* on the last page */
	assert_refused(
		rsp_hostmem_add(hostmem, 0, LOW), "has other memory than the stub at 0x1f000");
	low[0x1f800]--;
	low[0]++;
	assert_refused(rsp_hostmem_add(hostmem, 0, LOW), "has other memory than the stub at 0x0");
	low[0]--;
	assert_int_equal(rsp_hostmem_add(hostmem, 0, LOW), 0);
}

static void test_no_memory_there(void **state)
{
	(void)state;
	start_at(PAGE, (uintptr_t)high, "");
	assert_refused(rsp_hostmem_add(hostmem, 0, LOW), "reading the memory of process");
}

/* Zeros prove nothing. */
static void test_zeros(void **state)
{
	(void)state;
	memset(low, 0, LOW);
	start("memory 0 20000 zero\n");
	assert_int_equal(rsp_hostmem_add(hostmem, 0, LOW), 0);
	assert_refused(rsp_hostmem_prove(hostmem), "are zeros");
	assert_int_equal(rsp_hostmem_add(hostmem, HIGH, HIGH_SIZE), 0);
	assert_int_equal(rsp_hostmem_prove(hostmem), 0);
}

static void test_answers_of_monitors(void **state)
{
	static const char *const answers[] = {
		"Memory at address 0x5000 is not RAM",
		"unknown command: 'gpa2hva'",
		"Host virtual address for 0x5000 (pc.ram) is 0x",
		"Host virtual address for 0x5000 (pc.ram) is 0x0",
		"Host virtual address for 0x5000 (pc.ram) is 0x7f00zz",
		"Host virtual address for 0x5000 (pc.ram) is 0x10000000000000000",
		"Host virtual address for 0x5000 (pc.ram) is (nil)",
	};
	char more[2048] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		size_t used = strlen(more);

		snprintf(more + used, sizeof(more) - used, "monitor gpa2hva 0x%zx = %s\n",
			0x5000 + i * PAGE, answers[i]);
	}
	start(more);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_refused(rsp_hostmem_add(hostmem, 0x5000 + i * PAGE, PAGE), "monitor says");
}

/* Not QEMU: nothing is asked. */
static void test_other_stub(void **state)
{
	(void)state;
	fake_stub_start(&stub, "supported PacketSize=1000\nthread 1\nmemory 0 20000\n");
	rsp = fake_stub_open(&stub);
	assert_null(rsp_hostmem_open(rsp));
	assert_int_equal(rsp_failure(rsp), RSP_UNSUPPORTED);
	assert_int_equal(fake_stub_count(&stub, "> qRcmd"), 0);
}

/* ---- streams --------------------------------------------------------------------------------- */

struct reading {
	uint8_t bytes[LOW + HIGH_SIZE];
	size_t given, done, unreadable;
	size_t stop_after; /* bytes done, 0 for never */
};

static bool next(void *ctx, struct rsp_read *piece)
{
	struct reading *reading = ctx;

	if (reading->given == sizeof(reading->bytes))
		return false;
	piece->addr = reading->given < LOW ? reading->given : HIGH + reading->given - LOW;
	piece->len = PIECE;
	piece->buf = reading->bytes + reading->given;
	reading->given += PIECE;
	return true;
}

static int done(void *ctx, const struct rsp_read *piece)
{
	struct reading *reading = ctx;

	assert_ptr_equal(piece->buf, reading->bytes + reading->done);
	reading->done += piece->len;
	return reading->done == reading->stop_after ? 7 : 0;
}

static void unreadable(void *ctx, uint64_t addr, size_t len)
{
	struct reading *reading = ctx;

	(void)addr;
	reading->unreadable += len;
}

static int stream(struct reading *reading)
{
	const struct rsp_stream stream = {
		.next = next, .done = done, .unreadable = unreadable, .ctx = reading
	};

	return rsp_hostmem_stream(hostmem, &stream);
}

static void test_stream(void **state)
{
	static struct reading reading;

	(void)state;
	start("");
	add_both();
	reading = (struct reading){ 0 };
	assert_int_equal(stream(&reading), 0);
	assert_int_equal(reading.done, sizeof(reading.bytes));
	assert_memory_equal(reading.bytes, low, LOW);
	assert_memory_equal(reading.bytes + LOW, high, HIGH_SIZE);
	reading = (struct reading){ .stop_after = 3 * PIECE };
	assert_int_equal(stream(&reading), 7);
	assert_int_equal(reading.done, 3 * PIECE);
}

/* What is in no region comes by ordinary reads, and so does all behind it. */
static void test_stream_goes_on(void **state)
{
	static struct reading reading;

	(void)state;
	start("memory 108000 1000 unreadable\n");
	assert_int_equal(rsp_hostmem_add(hostmem, 0, LOW), 0);
	low[0x8000] ^= 1; /* so that it shows who was read */
	reading = (struct reading){ 0 };
	assert_int_equal(stream(&reading), 0);
	assert_int_equal(reading.done, sizeof(reading.bytes));
	assert_memory_equal(reading.bytes, low, LOW);
	assert_memory_equal(reading.bytes + LOW, high, 0x8000);
	assert_int_equal(reading.unreadable, PAGE);
	assert_int_equal(reading.bytes[LOW + 0x8000], 0);
	assert_memory_equal(reading.bytes + LOW + 0x9000, high + 0x9000, HIGH_SIZE - 0x9000);
}

/* ---- who is at the other end ----------------------------------------------------------------- */

/* A listener and a connection to it, both here. */
static pid_t peer_of_tcp(int family, const char *target)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = in6addr_any };
	struct sockaddr_in four = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&four
	                                             : (struct sockaddr *)&six;
	socklen_t size = family == AF_INET ? sizeof(four) : sizeof(six);
	int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), other;
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct rsp_link link;
	pid_t found;

	rsp_link_init(&link);
	assert_int_equal(bind(listener, address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, address, &size), 0);
	to.sin_port = family == AF_INET ? four.sin_port : six.sin6_port;
	assert_int_equal(inet_pton(AF_INET, target, &to.sin_addr), 1);
	link.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	link.socket = true;
	assert_int_equal(connect(link.fd, (struct sockaddr *)&to, sizeof(to)), 0);
	other = accept(listener, NULL, NULL);
	assert_true(other >= 0);
	found = rsp_peer_process(&link);
	close(other);
	close(listener);
	close(link.fd);
	return found;
}

static void test_peer_of_tcp(void **state)
{
	(void)state;
	assert_int_equal(peer_of_tcp(AF_INET, "127.0.0.1"), getpid());
	/* A server for both families, as QEMU's "tcp::1234" makes. */
	if (access("/proc/net/if_inet6", F_OK) == 0)
		assert_int_equal(peer_of_tcp(AF_INET6, "127.0.0.1"), getpid());
}

static void test_peer_of_others(void **state)
{
	struct rsp_link link;
	int ends[2];

	(void)state;
	rsp_link_init(&link);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	link.fd = ends[0];
	assert_int_equal(rsp_peer_process(&link), getpid());
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(pipe(ends), 0);
	link.fd = ends[0];
	assert_int_equal(rsp_peer_process(&link), 0);
	close(ends[0]);
	close(ends[1]);
}

static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	start("");
	rsp_hostmem_close(hostmem);
	while (failing_next(&failing)) {
		int rc;

		hostmem = rsp_hostmem_open(rsp);
		rc = hostmem ? 0 : -1;
		if (rc == 0 && (rsp_hostmem_add(hostmem, 0, LOW) ||
				       rsp_hostmem_add(hostmem, HIGH, HIGH_SIZE) ||
				       rsp_hostmem_prove(hostmem)))
			rc = -1;
		if (rc)
			assert_true(rsp_failure(rsp) == RSP_NO_MEMORY ||
				    rsp_failure(rsp) == RSP_UNSUPPORTED);
		/* Where the process cannot be looked for, another lane will do. */
		if (rc && rsp_failure(rsp) == RSP_UNSUPPORTED)
			failing_end(&failing);
		else
			failing_check(&failing, rc, rsp_error(rsp));
		rsp_hostmem_close(hostmem);
		hostmem = NULL;
	}
	assert_true(failing.nth > 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read),
		TEST(test_over_an_edge),
		TEST(test_other_memory),
		TEST(test_no_memory_there),
		TEST(test_zeros),
		TEST(test_answers_of_monitors),
		TEST(test_other_stub),
		TEST(test_stream),
		TEST(test_stream_goes_on),
		cmocka_unit_test(test_peer_of_tcp),
		cmocka_unit_test(test_peer_of_others),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
