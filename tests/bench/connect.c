// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/connect.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 8 };

void die(const char *what, const char *about)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, about, what);
	exit(EXIT_FAILURE);
}

static int connect_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		die("too long for a socket", path);
	strcpy(address.sun_path, path);
	if (fd < 0)
		die(strerror(errno), path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void send_at_once(int fd)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		die(strerror(errno), "TCP_NODELAY");
}

int try_to_connect(const char *target)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	const char *colon = strrchr(target, ':');
	char host[256];
	int fd, rc;

	if (strncmp(target, "unix:", 5) == 0)
		return connect_unix(target + 5);
	if (!colon)
		die("no port", target);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - target), target);
	rc = getaddrinfo(host, colon + 1, &hints, &found);
	if (rc)
		die(gai_strerror(rc), target);
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die(strerror(errno), target);
	rc = connect(fd, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	if (rc) {
		close(fd);
		return -1;
	}
	send_at_once(fd);
	return fd;
}

int connect_to(const char *target)
{
	int fd = try_to_connect(target);

	if (fd < 0)
		die(strerror(errno), target);
	return fd;
}

int listen_here(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || bind(listener, (const struct sockaddr *)&address, sizeof(address)) ||
		listen(listener, BACKLOG) ||
		getsockname(listener, (struct sockaddr *)&address, &size))
		die(strerror(errno), "listening");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return listener;
}

int take_connection(int listener, int timeout_ms)
{
	struct pollfd wait = { .fd = listener, .events = POLLIN };
	int fd;

	if (poll(&wait, 1, timeout_ms) <= 0)
		return -1;
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		die(strerror(errno), "accepting");
	send_at_once(fd);
	return fd;
}

uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 * NS_PER_MS + (uint64_t)time.tv_nsec;
}
