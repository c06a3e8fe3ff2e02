// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rsp/clock.h"

enum { COMMAND_END_MS = 1000, READ_AWAY_MAX = 64, SERIAL_DRAIN_MS = 200 };

static void reset(struct rsp_link *link)
{
	struct rsp_link_holder holder = link->holder;

	memset(link, 0, sizeof(*link));
	link->fd = -1;
	link->saved_flags = -1;
	link->holder = holder;
}

void rsp_link_init(struct rsp_link *link)
{
	link->holder = (struct rsp_link_holder){ NULL, NULL };
	reset(link);
}

static void tell_holder(const struct rsp_link *link, int fd)
{
	if (link->holder.hold)
		link->holder.hold(link->holder.ctx, fd);
}

static int set_nonblocking(int fd, int *flags_before)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return -1;
	if (flags_before)
		*flags_before = flags;
	return 0;
}

/* Waits for a connect() under way. Returns 0 or an errno value; ECANCELED on cancellation. */
static int finish_connect(int fd, uint64_t deadline, int cancel_fd)
{
	struct pollfd polls[] = {
		{ .fd = fd, .events = POLLOUT },
		{ .fd = cancel_fd, .events = POLLIN },
	};
	int cause = 0;
	socklen_t size = sizeof(cause);

	for (;;) {
		int n = poll(polls, 2, rsp_clock_left(deadline));

		if (n < 0 && errno != EINTR)
			return errno;
		if (n == 0)
			return ETIMEDOUT;
		if (n > 0 && polls[1].revents)
			return ECANCELED;
		if (n > 0 && polls[0].revents)
			break;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &cause, &size))
		return errno;
	return cause;
}

/* Returns a connected non-blocking socket, or -1 with an errno value in *cause. */
static int connect_socket(const struct rsp_link *link, int family, const struct sockaddr *address,
	socklen_t size, uint64_t deadline, int cancel_fd, int *cause)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		*cause = errno;
		return -1;
	}
	*cause = 0;
	tell_holder(link, fd);
	if (connect(fd, address, size))
		*cause = errno == EINPROGRESS ? finish_connect(fd, deadline, cancel_fd) : errno;
	if (*cause) {
		tell_holder(link, -1);
		close(fd);
		return -1;
	}
	return fd;
}

static bool worth_another_try(int cause)
{
	return cause == ECONNREFUSED || cause == ENOENT || cause == ETIMEDOUT ||
	       cause == EHOSTUNREACH || cause == EAGAIN;
}

static int open_tcp(struct rsp_link *link, const struct rsp_target *target, uint64_t deadline,
	int cancel_fd, bool *again, char *why, size_t why_size)
{
	struct addrinfo hints = { .ai_family = target->family, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int cause = 0;
	int on = 1;
	int rc = getaddrinfo(target->host, target->service, &hints, &found);

	if (rc) {
		*again = rc == EAI_AGAIN;
		snprintf(
			why, why_size, "%s", rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
		return -1;
	}
	for (struct addrinfo *at = found; at && link->fd < 0 && cause != ECANCELED;
		at = at->ai_next)
		link->fd = connect_socket(link, at->ai_family, at->ai_addr, at->ai_addrlen,
			deadline, cancel_fd, &cause);
	freeaddrinfo(found);
	if (link->fd < 0) {
		*again = worth_another_try(cause);
		snprintf(why, why_size, "%s", strerror(cause));
		return -1;
	}
	/* Requests are small and each one is waited for; Nagle's algorithm would hold them back. */
	setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(link->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	return 0;
}

static int open_unix(struct rsp_link *link, const struct rsp_target *target, uint64_t deadline,
	int cancel_fd, bool *again, char *why, size_t why_size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int cause = 0;

	if (strlen(target->path) >= sizeof(address.sun_path)) {
		snprintf(why, why_size, "the path of a socket has at most %zu bytes",
			sizeof(address.sun_path) - 1);
		return -1;
	}
	memcpy(address.sun_path, target->path, strlen(target->path) + 1);
	link->fd = connect_socket(link, AF_UNIX, (const struct sockaddr *)&address, sizeof(address),
		deadline, cancel_fd, &cause);
	if (link->fd < 0) {
		*again = worth_another_try(cause);
		snprintf(why, why_size, "%s", strerror(cause));
		return -1;
	}
	return 0;
}

static int open_serial(struct rsp_link *link, const char *path, char *why, size_t why_size)
{
	struct termios raw;

	link->fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (link->fd < 0) {
		snprintf(why, why_size, "%s", strerror(errno));
		return -1;
	}
	if (tcgetattr(link->fd, &link->saved_terminal)) {
		snprintf(why, why_size, "not a serial device: %s", strerror(errno));
		return -1;
	}
	/* The line's speed stays as stty set it. */
	link->serial = true;
	raw = link->saved_terminal;
	cfmakeraw(&raw);
	raw.c_cflag |= CLOCAL | CREAD;
	if (tcsetattr(link->fd, TCSANOW, &raw)) {
		snprintf(why, why_size, "cannot set up the line: %s", strerror(errno));
		return -1;
	}
	tcflush(link->fd, TCIFLUSH);
	return 0;
}

static int open_command(struct rsp_link *link, const char *command, char *why, size_t why_size)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		snprintf(why, why_size, "%s", strerror(errno));
		return -1;
	}
	link->child = fork();
	if (link->child == 0) {
		/* A group of its own: ^C at the terminal is for us, who must end things in order.
		 */
		setpgid(0, 0);
		dup2(pair[1], STDIN_FILENO);
		dup2(pair[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	if (link->child < 0) {
		link->child = 0;
		snprintf(why, why_size, "cannot start a process: %s", strerror(errno));
		close(pair[0]);
		return -1;
	}
	link->fd = pair[0];
	return set_nonblocking(link->fd, NULL);
}

static int open_fd(struct rsp_link *link, int fd, char *why, size_t why_size)
{
	if (set_nonblocking(fd, &link->saved_flags)) {
		snprintf(why, why_size, "descriptor %d: %s", fd, strerror(errno));
		return -1;
	}
	link->fd = fd;
	return 0;
}

/* Finds out what the link is by its descriptor, which somebody else may have opened. */
static void learn_kind(struct rsp_link *link)
{
	struct sockaddr_storage name = { 0 };
	socklen_t size = sizeof(name);

	link->socket = getsockname(link->fd, (struct sockaddr *)&name, &size) == 0;
	link->mark = name.ss_family == AF_INET || name.ss_family == AF_INET6;
}

int rsp_link_open(struct rsp_link *link, const struct rsp_target *target, unsigned timeout_ms,
	int cancel_fd, bool *again, char *why, size_t why_size)
{
	uint64_t deadline = rsp_clock_now() + timeout_ms;
	int rc = -1;

	reset(link);
	*again = false;
	switch (target->kind) {
	case RSP_TARGET_TCP:
		rc = open_tcp(link, target, deadline, cancel_fd, again, why, why_size);
		break;
	case RSP_TARGET_UNIX:
		rc = open_unix(link, target, deadline, cancel_fd, again, why, why_size);
		break;
	case RSP_TARGET_SERIAL:
		rc = open_serial(link, target->path, why, why_size);
		break;
	case RSP_TARGET_COMMAND:
		rc = open_command(link, target->path, why, why_size);
		break;
	case RSP_TARGET_FD:
		rc = open_fd(link, target->fd, why, why_size);
		break;
	}
	/* These could not be told of before: whoever opens them is connected. */
	if (rc == 0 && target->kind != RSP_TARGET_TCP && target->kind != RSP_TARGET_UNIX)
		tell_holder(link, link->fd);
	if (rc)
		rsp_link_close(link);
	else
		learn_kind(link);
	return rc;
}

int rsp_link_adopt(struct rsp_link *link, int fd)
{
	reset(link);
	if (set_nonblocking(fd, NULL))
		return -1;
	link->fd = fd;
	learn_kind(link);
	/* Where the one who had it before us left it */
	if (link->mark)
		link->mark = INT_MAX;
	rsp_link_set_mark(link, 1);
	return 0;
}

bool rsp_link_wait(struct rsp_link *link, int timeout_ms)
{
	struct pollfd input = { .fd = link->fd, .events = POLLIN };

	return poll(&input, 1, timeout_ms) != 0;
}

ssize_t rsp_link_peek(struct rsp_link *link, void *buf, size_t size)
{
	return recv(link->fd, buf, size, MSG_PEEK);
}

ssize_t rsp_link_read(struct rsp_link *link, void *buf, size_t size)
{
	return read(link->fd, buf, size);
}

ssize_t rsp_link_write(struct rsp_link *link, const void *buf, size_t size)
{
	ssize_t n = send(link->fd, buf, size, MSG_NOSIGNAL);

	if (n < 0 && errno == ENOTSOCK)
		n = write(link->fd, buf, size);
	return n;
}

bool rsp_link_set_mark(struct rsp_link *link, int bytes)
{
	if (link->mark == 0)
		return false;
	if (link->mark != bytes &&
		setsockopt(link->fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes)) == 0)
		link->mark = bytes;
	return link->mark == bytes;
}

/* A command that relays (ssh, socat) ends by itself once its input has. */
static void end_command(pid_t child)
{
	static const int signals[] = { 0, SIGTERM, SIGKILL };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		uint64_t deadline = rsp_clock_now() + COMMAND_END_MS;

		if (signals[i])
			kill(-child, signals[i]);
		do {
			if (waitpid(child, NULL, WNOHANG) != 0)
				return;
			poll(NULL, 0, 5);
		} while (rsp_clock_now() < deadline);
	}
}

void rsp_link_drain(struct rsp_link *link)
{
	if (!link->serial)
		return;
	tcdrain(link->fd);
	/* QEMU 7.2 takes nothing out of a pseudo-terminal once its other side is closed. */
	poll(NULL, 0, SERIAL_DRAIN_MS);
}

/*
 * What was never read makes the end of a TCP connection a reset, which may overtake what was sent
 * last.
 */
static void read_away(struct rsp_link *link)
{
	char nowhere[4096];

	for (int i = 0;
		i < READ_AWAY_MAX && recv(link->fd, nowhere, sizeof(nowhere), MSG_DONTWAIT) > 0;)
		i++;
}

void rsp_link_close(struct rsp_link *link)
{
	if (link->fd >= 0) {
		tell_holder(link, -1);
		read_away(link);
		if (link->serial)
			tcsetattr(link->fd, TCSANOW, &link->saved_terminal);
		rsp_link_set_mark(link, 1);
		if (link->saved_flags >= 0)
			fcntl(link->fd, F_SETFL, link->saved_flags);
		close(link->fd);
	}
	if (link->child)
		end_command(link->child);
	reset(link);
}
