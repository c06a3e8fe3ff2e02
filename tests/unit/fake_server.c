// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "tests/unit/fake_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/failing.h"

enum { HEADERS_MAX = 16 << 10, POLL_MS = 20, HANG_SECONDS = 120 };

struct connection {
	struct fake_server *server;
	int fd;
	char bytes[HEADERS_MAX + 1]; /* what came and was not taken yet */
	size_t size;
};

static bool more(struct connection *connection)
{
	ssize_t n = read(connection->fd, connection->bytes + connection->size,
		HEADERS_MAX - connection->size);

	if (n <= 0)
		return false;
	connection->size += (size_t)n;
	connection->bytes[connection->size] = '\0';
	return true;
}

static void take(struct connection *connection, size_t size)
{
	connection->size -= size;
	memmove(connection->bytes, connection->bytes + size, connection->size + 1);
}

static bool send_text(struct connection *connection, const char *text)
{
	size_t size = strlen(text);

	return send(connection->fd, text, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool take_bytes(struct connection *connection, unsigned long size)
{
	while (size) {
		size_t part = connection->size < size ? connection->size : size;

		take(connection, part);
		size -= part;
		if (size && !more(connection))
			return false;
	}
	return true;
}

static bool take_chunks(struct connection *connection)
{
	for (;;) {
		char *end;
		unsigned long size;

		while (!(end = strstr(connection->bytes, "\r\n")))
			if (!more(connection))
				return false;
		size = strtoul(connection->bytes, NULL, 16);
		take(connection, (size_t)(end + 2 - connection->bytes));
		if (!take_bytes(connection, size + 2))
			return false;
		if (!size)
			return true;
	}
}

/* One request and its answer. False at the end of the connection. */
static bool serve(struct connection *connection)
{
	char method[16] = "", path[1024] = "", answer[4096];
	const char *end, *length, *what, *body;
	bool chunked;
	unsigned long size;

	while (!(end = strstr(connection->bytes, "\r\n\r\n")))
		if (!more(connection))
			return false;
	sscanf(connection->bytes, "%15s %1023s", method, path);
	length = strcasestr(connection->bytes, "\r\nContent-Length:");
	size = length ? strtoul(length + strlen("\r\nContent-Length:"), NULL, 10) : 0;
	chunked = strcasestr(connection->bytes, "\r\nTransfer-Encoding: chunked") != NULL;
	if (strcasestr(connection->bytes, "\r\nExpect: 100-continue") &&
		!send_text(connection, "HTTP/1.1 100 Continue\r\n\r\n"))
		return false;
	take(connection, (size_t)(end + 4 - connection->bytes));
	if (chunked ? !take_chunks(connection) : !take_bytes(connection, size))
		return false;

	what = connection->server->answer(method, path);
	body = strstr(what, "\r\n\r\n");
	snprintf(answer, sizeof(answer), "HTTP/1.1 %.*s\r\nContent-Length: %zu\r\n\r\n%s",
		(int)(body - what), what, strlen(body + 4),
		strcmp(method, "HEAD") == 0 ? "" : body + 4);
	return send_text(connection, answer);
}

static void *run_connection(void *ctx)
{
	struct connection *connection = ctx;
	struct fake_server *server = connection->server;

	failing_spare(true);
	while (serve(connection))
		;
	pthread_mutex_lock(&server->lock);
	close(connection->fd);
	server->connections--;
	pthread_mutex_unlock(&server->lock);
	free(connection);
	return NULL;
}

static bool has_caller(const struct fake_server *server)
{
	struct pollfd caller = { .fd = server->listener, .events = POLLIN };

	return poll(&caller, 1, 0) > 0;
}

static void accept_connection(struct fake_server *server)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	pthread_t thread;

	if (!connection)
		abort();
	connection->server = server;
	pthread_mutex_lock(&server->lock);
	connection->fd = accept(server->listener, NULL, NULL);
	server->connections++;
	pthread_mutex_unlock(&server->lock);
	if (connection->fd < 0 || pthread_create(&thread, NULL, run_connection, connection))
		abort();
	pthread_detach(thread);
}

static void *run(void *ctx)
{
	struct fake_server *server = ctx;

	failing_spare(true);
	while (!__atomic_load_n(&server->ending, __ATOMIC_RELAXED)) {
		struct pollfd caller = { .fd = server->listener, .events = POLLIN };

		if (poll(&caller, 1, POLL_MS) > 0)
			accept_connection(server);
	}
	return NULL;
}

void fake_server_start(
	struct fake_server *server, const char *(*answer)(const char *method, const char *path))
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);

	failing_spare(true);
	alarm(HANG_SECONDS);
	*server = (struct fake_server){ .answer = answer };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	pthread_mutex_init(&server->lock, NULL);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(server->listener >= 0);
	assert_int_equal(
		bind(server->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server->listener, 16), 0);
	assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
	failing_spare(false);
}

void fake_server_settle(struct fake_server *server)
{
	for (bool idle = false; !idle;) {
		pthread_mutex_lock(&server->lock);
		idle = !server->connections && !has_caller(server);
		pthread_mutex_unlock(&server->lock);
		if (!idle)
			usleep(1000);
	}
	/* A round is over: the next one may take as long. */
	alarm(HANG_SECONDS);
}

void fake_server_stop(struct fake_server *server)
{
	__atomic_store_n(&server->ending, true, __ATOMIC_RELAXED);
	pthread_join(server->thread, NULL);
	close(server->listener);
	server->listener = -1;
	fake_server_settle(server);
	pthread_mutex_destroy(&server->lock);
	alarm(0);
}
