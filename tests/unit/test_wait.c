// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rsp/clock.h"
#include "rsp/connection.h"
#include "tests/unit/fake_stub.h"

/* A client at a descriptor. */
static struct rsp *open_fd(int fd, int cancel_fd)
{
	struct rsp_options options = fake_stub_options(cancel_fd);
	struct rsp *rsp = rsp_create(&options);
	const struct rsp_target target = { .kind = RSP_TARGET_FD, .fd = fd };
	char why[256] = "";
	bool again;

	assert_non_null(rsp);
	if (rsp_link_open(&rsp->link, &target, 0, -1, &again, why, sizeof(why)))
		fail_msg("%s", why);
	rsp->answered = true;
	rsp->heard = rsp_clock_now();
	return rsp;
}

/* ... at one end of a socket pair, and no stub at the other. */
static struct rsp *open_pair(int *other, int cancel_fd)
{
	int pair[2], room = 1 << 20;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	*other = pair[1];
	return open_fd(pair[0], cancel_fd);
}

/* ... of a TCP connection. */
static struct rsp *open_tcp(int *other, int cancel_fd)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, size), 0);
	*other = accept(listener, NULL, NULL);
	assert_true(*other >= 0);
	close(listener);
	return open_fd(fd, cancel_fd);
}

/* Says size bytes, gathers them all, and returns the pause that follows. */
static unsigned pause_after(struct rsp *rsp, int other, size_t size)
{
	static const char bytes[128 << 10];

	assert_int_equal(write(other, bytes, size), size);
	assert_int_equal(rsp_gather(rsp), 0);
	assert_int_equal(rsp->in_end - rsp->in_start, size);
	rsp->in_start = rsp->in_end = 0;
	return rsp->pause_us;
}

/* The less comes in a pause, the longer is the next one, up to a millisecond. */
static void test_gather(void **state)
{
	int other;
	struct rsp *rsp = open_pair(&other, -1);

	(void)state;
	assert_int_equal(rsp->pause_us, 0);
	assert_int_equal(pause_after(rsp, other, 4096), 50);
	assert_int_equal(pause_after(rsp, other, 1), 100);
	assert_int_equal(pause_after(rsp, other, 64 << 10), 100);
	assert_int_equal(pause_after(rsp, other, 4096), 200);
	assert_int_equal(pause_after(rsp, other, 128 << 10), 100);
	assert_int_equal(pause_after(rsp, other, 128 << 10), 50);
	assert_int_equal(pause_after(rsp, other, 128 << 10), 0);
	assert_int_equal(pause_after(rsp, other, 128 << 10), 0);
	for (size_t i = 0; i < 10; i++)
		pause_after(rsp, other, 1);
	assert_int_equal(rsp->pause_us, 1000);
	/* Not on a line, whose room is 4 KiB; nor as long as something waits to be sent. */
	rsp->link.socket = false;
	assert_int_equal(pause_after(rsp, other, 128 << 10), 1000);
	rsp->link.socket = true;
	rsp->output[0] = '+';
	rsp->output[rsp->out_end++] = '+';
	assert_int_equal(write(other, "+", 1), 1);
	while (rsp->in_end == 0)
		assert_int_equal(rsp_gather(rsp), 0);
	assert_int_equal(rsp->pause_us, 1000);
	rsp_destroy(rsp);
	close(other);
}

/*
 * When nothing has come in the pause, the wait goes on as any other: to the end of patience, of the
 * connection, or until it is cancelled.
 */
static void test_gather_nothing(void **state)
{
	struct rsp *rsp;
	int other, cancels[2];

	(void)state;
	assert_int_equal(pipe(cancels), 0);
	rsp = open_pair(&other, cancels[0]);
	rsp->options.timeout_ms = 100;
	rsp->pause_us = 50;
	assert_int_equal(rsp_gather(rsp), -1);
	assert_int_equal(rsp_failure(rsp), RSP_LOST);
	assert_string_equal(rsp_error(rsp), "the stub has been silent for 0 seconds");
	assert_int_equal(write(cancels[1], "", 1), 1);
	rsp->heard = rsp_clock_now();
	assert_int_equal(rsp_gather(rsp), -1);
	assert_int_equal(rsp_failure(rsp), RSP_CANCELLED);
	/* Not when it is leaving. */
	rsp->uninterrupted = true;
	close(other);
	assert_int_equal(rsp_gather(rsp), -1);
	assert_int_equal(rsp_failure(rsp), RSP_LOST);
	assert_string_equal(rsp_error(rsp), "the stub closed the connection");
	rsp_destroy(rsp);
	close(cancels[0]);
	close(cancels[1]);
}

enum { PATIENCE_MS = 5000 };

static void say(int fd, size_t size)
{
	static const char bytes[RSP_GATHER_SIZE];

	assert_int_equal(write(fd, bytes, size), size);
}

/* How many bytes the kernel waits for. */
static int mark_of(const struct rsp *rsp)
{
	int mark = 0;
	socklen_t size = sizeof(mark);

	assert_int_equal(getsockopt(rsp->link.fd, SOL_SOCKET, SO_RCVLOWAT, &mark, &size), 0);
	return mark;
}

/* What comes up to the mark comes at once, and the next wait is for a single byte again. */
static void test_mark(void **state)
{
	int other;
	struct rsp *rsp = open_tcp(&other, -1);
	struct pollfd readable = { .fd = rsp->link.fd, .events = POLLIN };

	(void)state;
	assert_int_equal(mark_of(rsp), 1);
	assert_true(rsp_link_set_mark(&rsp->link, RSP_GATHER_SIZE));
	say(other, RSP_GATHER_SIZE);
	/* However busy the machine is, it is there when it is asked for. */
	assert_int_equal(poll(&readable, 1, PATIENCE_MS), 1);
	assert_int_equal(rsp_gather(rsp), 0);
	assert_int_equal(rsp->in_end, RSP_GATHER_SIZE);
	assert_int_equal(mark_of(rsp), RSP_GATHER_SIZE);
	assert_int_equal(rsp->pause_us, 0);
	say(other, 1);
	assert_int_equal(rsp_wait(rsp), 0);
	assert_int_equal(rsp->in_end, RSP_GATHER_SIZE + 1);
	assert_int_equal(mark_of(rsp), 1);
	rsp_destroy(rsp);
	close(other);
}

/* Less than the mark does not keep us waiting, although nothing follows. */
static void test_below_the_mark(void **state)
{
	char byte;
	int other;
	struct rsp *rsp = open_tcp(&other, -1);

	(void)state;
	say(other, 5);
	assert_int_equal(rsp_gather(rsp), 0);
	assert_int_equal(rsp->in_end, 5);
	assert_int_equal(mark_of(rsp), 1);
	/* As long as something waits to be sent, the mark is not made. */
	rsp->output[rsp->out_end++] = '+';
	say(other, 5);
	while (rsp->in_end == 5 || rsp->out_end)
		assert_int_equal(rsp_gather(rsp), 0);
	assert_int_equal(mark_of(rsp), 1);
	assert_int_equal(read(other, &byte, 1), 1);
	say(other, 5);
	close(other);
	while (rsp->in_end == 10)
		assert_int_equal(rsp_gather(rsp), 0);
	assert_int_equal(rsp->in_end, 15);
	assert_int_equal(rsp_gather(rsp), -1);
	assert_string_equal(rsp_error(rsp), "the stub closed the connection");
	rsp_destroy(rsp);
}

static void test_mark_and_nothing(void **state)
{
	int other, cancels[2];
	struct rsp *rsp;

	(void)state;
	assert_int_equal(pipe(cancels), 0);
	rsp = open_tcp(&other, cancels[0]);
	rsp->options.timeout_ms = 100;
	assert_int_equal(rsp_gather(rsp), -1);
	assert_string_equal(rsp_error(rsp), "the stub has been silent for 0 seconds");
	assert_int_equal(write(cancels[1], "", 1), 1);
	rsp->heard = rsp_clock_now();
	assert_int_equal(rsp_gather(rsp), -1);
	assert_int_equal(rsp_failure(rsp), RSP_CANCELLED);
	rsp_destroy(rsp);
	close(other);
	close(cancels[0]);
	close(cancels[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gather),
		cmocka_unit_test(test_gather_nothing),
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_below_the_mark),
		cmocka_unit_test(test_mark_and_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
