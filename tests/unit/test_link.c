// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rsp/link.h"
#include "rsp/peer.h"

enum { PATIENCE_MS = 5000 };

static int open_link(struct rsp_link *link, const char *text, int cancel_fd, bool *again, char *why)
{
	struct rsp_target target;

	assert_int_equal(rsp_target_parse(text, &target, why, 256), 0);
	rsp_link_init(link);
	return rsp_link_open(link, &target, PATIENCE_MS, cancel_fd, again, why, 256);
}

static void wait_for(int fd, short events)
{
	struct pollfd one = { .fd = fd, .events = events };

	assert_int_equal(poll(&one, 1, PATIENCE_MS), 1);
}

/* Sends three bytes each way; peer is the other end. */
static void assert_talks(struct rsp_link *link, int peer)
{
	char bytes[8];

	assert_int_equal(rsp_link_write(link, "abc", 3), 3);
	wait_for(peer, POLLIN);
	assert_int_equal(read(peer, bytes, sizeof(bytes)), 3);
	assert_memory_equal(bytes, "abc", 3);
	assert_int_equal(write(peer, "xyz", 3), 3);
	wait_for(link->fd, POLLIN);
	assert_int_equal(rsp_link_read(link, bytes, sizeof(bytes)), 3);
	assert_memory_equal(bytes, "xyz", 3);
	/* Non-blocking: nothing there is an error, no wait. */
	assert_int_equal(rsp_link_read(link, bytes, sizeof(bytes)), -1);
	assert_int_equal(errno, EAGAIN);
}

/* Returns a listening socket, or -1 if the family is not to be had. */
static int listen_on(int family, unsigned *port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in four = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr *address = family == AF_INET ? (const struct sockaddr *)&four
	                                                   : (const struct sockaddr *)&six;
	socklen_t size = family == AF_INET ? sizeof(four) : sizeof(six);
	struct sockaddr_in6 bound;
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, address, size) || listen(fd, 1)) {
		close(fd);
		return -1;
	}
	size = sizeof(bound);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &size), 0);
	/* The port is at the same place in both. */
	*port = ntohs(bound.sin6_port);
	return fd;
}

static void check_tcp(int family, const char *host)
{
	struct rsp_link link;
	char text[64], why[256] = "";
	unsigned port;
	bool again;
	int listener = listen_on(family, &port);
	int peer;

	if (listener < 0)
		skip();
	snprintf(text, sizeof(text), "%s:%u", host, port);
	if (open_link(&link, text, -1, &again, why))
		fail_msg("%s: %s", text, why);
	peer = accept(listener, NULL, NULL);
	assert_talks(&link, peer);
	rsp_link_close(&link);
	assert_int_equal(link.fd, -1);
	assert_int_equal(read(peer, why, 1), 0);
	close(peer);
	close(listener);
}

static void test_tcp_v4(void **state)
{
	(void)state;
	check_tcp(AF_INET, "127.0.0.1");
}

/* "localhost" may be ::1 first, where nobody listens: all its addresses are tried. */
static void test_tcp_localhost(void **state)
{
	(void)state;
	check_tcp(AF_INET, "");
}

static void test_tcp_v6(void **state)
{
	(void)state;
	check_tcp(AF_INET6, "[::1]");
}

static void test_tcp_nobody(void **state)
{
	struct rsp_link link;
	char text[64], why[256] = "";
	unsigned port;
	bool again = false;
	int listener = listen_on(AF_INET, &port);

	(void)state;
	close(listener);
	snprintf(text, sizeof(text), "127.0.0.1:%u", port);
	assert_int_equal(open_link(&link, text, -1, &again, why), -1);
	assert_string_equal(why, "Connection refused");
	assert_true(again);
	assert_int_equal(link.fd, -1);
}

static void test_tcp_no_name(void **state)
{
	struct rsp_target target = {
		.kind = RSP_TARGET_TCP, .family = AF_INET6, .host = "127.0.0.1", .service = "1"
	};
	struct rsp_link link;
	char why[256] = "";
	bool again = true;

	(void)state;
	rsp_link_init(&link);
	/* A v4 address that must be v6 needs no name server to be wrong. */
	assert_int_equal(
		rsp_link_open(&link, &target, PATIENCE_MS, -1, &again, why, sizeof(why)), -1);
	assert_string_not_equal(why, "");
	assert_false(again);
}

static void test_unix(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct rsp_link link;
	char text[128], why[256] = "";
	bool again = false;
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	int peer;

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "test_link.%d", (int)getpid());
	snprintf(text, sizeof(text), "unix:%s", address.sun_path);
	unlink(address.sun_path);
	assert_int_equal(open_link(&link, text, -1, &again, why), -1);
	assert_string_equal(why, "No such file or directory");
	assert_true(again);

	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(open_link(&link, text, -1, &again, why), 0);
	peer = accept(listener, NULL, NULL);
	assert_talks(&link, peer);
	rsp_link_close(&link);
	close(peer);
	close(listener);
	unlink(address.sun_path);
}

static void test_unix_too_long(void **state)
{
	struct rsp_link link;
	char text[256] = "unix:", why[256] = "";
	bool again = true;

	(void)state;
	memset(text + 5, 'p', 108);
	assert_int_equal(open_link(&link, text, -1, &again, why), -1);
	assert_string_equal(why, "the path of a socket has at most 107 bytes");
	assert_false(again);
}

static void test_command(void **state)
{
	struct rsp_link link;
	char why[256] = "", bytes[8];
	bool again;
	pid_t child;

	(void)state;
	assert_int_equal(open_link(&link, "|cat", -1, &again, why), 0);
	child = link.child;
	assert_int_equal(rsp_link_write(&link, "abc", 3), 3);
	wait_for(link.fd, POLLIN);
	assert_int_equal(rsp_link_read(&link, bytes, sizeof(bytes)), 3);
	assert_memory_equal(bytes, "abc", 3);
	rsp_link_close(&link);
	/* It is gone, and waited for. */
	assert_int_equal(waitpid(child, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* A command that does not end with its input is ended, with all that it started. */
static void test_command_that_stays(void **state)
{
	struct rsp_link link;
	char why[256] = "", bytes[8];
	int inherited[2];
	bool again;

	(void)state;
	assert_int_equal(pipe(inherited), 0);
	assert_int_equal(open_link(&link, "|trap '' TERM; echo; sleep 100; :", -1, &again, why), 0);
	close(inherited[1]);
	wait_for(link.fd, POLLIN);
	assert_int_equal(rsp_link_read(&link, bytes, sizeof(bytes)), 1);
	rsp_link_close(&link);
	/* The end of the pipe: nobody has it open any more. */
	wait_for(inherited[0], POLLIN);
	assert_int_equal(read(inherited[0], bytes, 1), 0);
	close(inherited[0]);
}

static void test_command_that_fails(void **state)
{
	struct rsp_link link;
	char why[256] = "", byte;
	bool again;

	(void)state;
	assert_int_equal(open_link(&link, "|exit 3", -1, &again, why), 0);
	wait_for(link.fd, POLLIN);
	assert_int_equal(rsp_link_read(&link, &byte, 1), 0);
	/* No SIGPIPE. */
	assert_int_equal(rsp_link_write(&link, "abc", 3), -1);
	assert_int_equal(errno, EPIPE);
	rsp_link_close(&link);
}

static void test_descriptor(void **state)
{
	struct rsp_link link;
	char text[16], why[256] = "";
	int pair[2];
	bool again;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	/* A second name for it, to look at its flags afterwards. */
	int copy = dup(pair[0]);
	int flags = fcntl(copy, F_GETFL);

	snprintf(text, sizeof(text), "fd:%d", pair[0]);
	assert_int_equal(open_link(&link, text, -1, &again, why), 0);
	assert_int_equal(link.fd, pair[0]);
	assert_true(link.socket);
	assert_talks(&link, pair[1]);
	rsp_link_close(&link);
	assert_int_equal(fcntl(copy, F_GETFL), flags);
	assert_int_equal(fcntl(pair[0], F_GETFD), -1);
	close(copy);
	close(pair[1]);
}

static int mark_of(int fd)
{
	int mark = 0;
	socklen_t size = sizeof(mark);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &mark, &size), 0);
	return mark;
}

/* How much has to come is chosen on TCP, and as it was before when the descriptor is given back. */
static void test_mark(void **state)
{
	struct rsp_link link;
	char text[32], why[256] = "";
	int pair[2], copy;
	unsigned port;
	bool again;
	int listener = listen_on(AF_INET, &port);

	(void)state;
	assert_true(listener >= 0);
	snprintf(text, sizeof(text), ":%u", port);
	assert_int_equal(open_link(&link, text, -1, &again, why), 0);
	copy = dup(link.fd);
	assert_true(rsp_link_set_mark(&link, 4096));
	assert_int_equal(mark_of(copy), 4096);
	assert_true(rsp_link_set_mark(&link, 1));
	assert_int_equal(mark_of(copy), 1);
	assert_true(rsp_link_set_mark(&link, 4096));
	rsp_link_close(&link);
	assert_int_equal(mark_of(copy), 1);
	close(copy);
	close(listener);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	snprintf(text, sizeof(text), "fd:%d", pair[0]);
	assert_int_equal(open_link(&link, text, -1, &again, why), 0);
	assert_false(rsp_link_set_mark(&link, 4096));
	assert_int_equal(mark_of(link.fd), 1);
	rsp_link_close(&link);
	close(pair[1]);
}

static void test_descriptor_that_is_closed(void **state)
{
	struct rsp_link link;
	char why[256] = "";
	bool again;

	(void)state;
	assert_int_equal(open_link(&link, "fd:999999999", -1, &again, why), -1);
	assert_string_equal(why, "descriptor 999999999: Bad file descriptor");
	assert_int_equal(link.fd, -1);
}

static void test_serial(void **state)
{
	struct rsp_link link;
	struct termios before, during, after;
	char why[256] = "";
	bool again;
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	int slave;

	(void)state;
	if (master < 0 || grantpt(master) || unlockpt(master))
		skip();
	/* Stays open, for the settings to live on. */
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(tcgetattr(slave, &before), 0);
	assert_true(before.c_lflag & ECHO);
	assert_int_equal(open_link(&link, ptsname(master), -1, &again, why), 0);
	assert_true(link.serial);
	assert_false(link.socket);
	assert_int_equal(tcgetattr(slave, &during), 0);
	assert_false(during.c_lflag & (ECHO | ICANON | ISIG));
	assert_false(during.c_oflag & OPOST);
	assert_talks(&link, master);
	rsp_link_close(&link);
	assert_int_equal(tcgetattr(slave, &after), 0);
	assert_int_equal(after.c_lflag, before.c_lflag);
	assert_int_equal(after.c_iflag, before.c_iflag);
	assert_int_equal(after.c_oflag, before.c_oflag);
	assert_int_equal(after.c_cflag, before.c_cflag);
	close(slave);
	close(master);
}

static void test_no_serial(void **state)
{
	struct rsp_link link;
	char why[256] = "";
	bool again;

	(void)state;
	assert_int_equal(open_link(&link, "/dev/null", -1, &again, why), -1);
	assert_string_equal(why, "not a serial device: Inappropriate ioctl for device");
	assert_int_equal(link.fd, -1);
}

/* A connection that hangs: the backlog of a listener that accepts nothing is full. */
static int fill_backlog(unsigned *port, int *clients, size_t count)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = listen_on(AF_INET, port);

	address.sin_port = htons((uint16_t)*port);
	assert_int_equal(listen(listener, 0), 0);
	for (size_t i = 0; i < count; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(clients[i], (const struct sockaddr *)&address, sizeof(address));
	}
	return listener;
}

static void check_hanging(unsigned timeout_ms, bool cancel, const char *wanted)
{
	struct rsp_target target = {
		.kind = RSP_TARGET_TCP, .family = AF_INET, .host = "127.0.0.1"
	};
	struct rsp_link link;
	int clients[4], cancels[2];
	char why[256] = "";
	unsigned port;
	bool again = false;
	int listener = fill_backlog(&port, clients, 4);

	assert_int_equal(pipe(cancels), 0);
	if (cancel)
		assert_int_equal(write(cancels[1], "", 1), 1);
	snprintf(target.service, sizeof(target.service), "%u", port);
	rsp_link_init(&link);
	assert_int_equal(
		rsp_link_open(&link, &target, timeout_ms, cancels[0], &again, why, sizeof(why)),
		-1);
	assert_string_equal(why, wanted);
	assert_int_equal(again, !cancel);
	for (size_t i = 0; i < 4; i++)
		close(clients[i]);
	close(listener);
	close(cancels[0]);
	close(cancels[1]);
}

static void assert_local(int fd, bool local)
{
	const struct rsp_link link = { .fd = fd };

	assert_int_equal(rsp_peer_is_local(&link), local);
	close(fd);
}

/* From one address of this host to another one, or the same. */
static void assert_local_between(in_addr_t from, in_addr_t to, bool local)
{
	struct sockaddr_in near = { .sin_family = AF_INET, .sin_addr.s_addr = from };
	struct sockaddr_in far = { .sin_family = AF_INET, .sin_addr.s_addr = to };
	socklen_t size = sizeof(far);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&far, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&far, &size), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&near, sizeof(near)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&far, size), 0);
	assert_local(fd, local);
	close(listener);
}

static void test_is_local(void **state)
{
	const in_addr_t one = htonl(INADDR_LOOPBACK), other = htonl(INADDR_LOOPBACK + 1);
	int pair[2], ends[2];
	unsigned port;
	int listener, fd;

	(void)state;
	assert_local_between(one, one, true);
	assert_local_between(other, other, true);
	assert_local_between(one, other, false);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_local(pair[0], true);
	close(pair[1]);
	/* No socket; none that is connected; none at all. */
	assert_int_equal(pipe(ends), 0);
	assert_local(ends[0], false);
	close(ends[1]);
	assert_local(socket(AF_INET, SOCK_STREAM, 0), false);
	assert_local(-1, false);
	listener = listen_on(AF_INET6, &port);
	if (listener >= 0) {
		const struct sockaddr_in6 there = { .sin6_family = AF_INET6,
			.sin6_addr = IN6ADDR_LOOPBACK_INIT,
			.sin6_port = htons((uint16_t)port) };

		fd = socket(AF_INET6, SOCK_STREAM, 0);
		assert_int_equal(connect(fd, (const struct sockaddr *)&there, sizeof(there)), 0);
		assert_local(fd, true);
		close(listener);
	}
}

static void test_deadline(void **state)
{
	(void)state;
	check_hanging(100, false, "Connection timed out");
}

static void test_cancellation(void **state)
{
	(void)state;
	check_hanging(60000, true, "Operation canceled");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_v4),
		cmocka_unit_test(test_tcp_localhost),
		cmocka_unit_test(test_tcp_v6),
		cmocka_unit_test(test_tcp_nobody),
		cmocka_unit_test(test_tcp_no_name),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_unix_too_long),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_command_that_stays),
		cmocka_unit_test(test_command_that_fails),
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_descriptor_that_is_closed),
		cmocka_unit_test(test_serial),
		cmocka_unit_test(test_no_serial),
		cmocka_unit_test(test_is_local),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_cancellation),
	};

	/* A hang fails the test. */
	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
