// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/connect.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

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
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		die(strerror(errno), path);
	return fd;
}

int connect_to(const char *target)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	const char *colon = strrchr(target, ':');
	char host[256];
	int fd, rc, on = 1;

	if (strncmp(target, "unix:", 5) == 0)
		return connect_unix(target + 5);
	if (!colon)
		die("no port", target);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - target), target);
	rc = getaddrinfo(host, colon + 1, &hints, &found);
	if (rc)
		die(gai_strerror(rc), target);
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) ||
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		die(strerror(errno), target);
	freeaddrinfo(found);
	return fd;
}

uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 * NS_PER_MS + (uint64_t)time.tv_nsec;
}
