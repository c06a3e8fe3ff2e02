/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An HTTP server inside of a test program, for uploads to be made to while memory runs out. It
 * takes in what it is sent, forgets it, and answers as the test has it.
 */
#ifndef TESTS_UNIT_FAKE_SERVER_H
#define TESTS_UNIT_FAKE_SERVER_H

#include <pthread.h>
#include <stdbool.h>

struct fake_server {
	/* "201 Created\r\nETag: \"a\"\r\n" and, behind one more "\r\n", a body. */
	const char *(*answer)(const char *method, const char *path);
	unsigned port; /* of the loopback device */
	int listener;
	pthread_t thread;
	pthread_mutex_t lock;
	unsigned connections; /* that are open */
	bool ending;
};

void fake_server_start(
	struct fake_server *server, const char *(*answer)(const char *method, const char *path));

/* Waits until every connection that the client has closed is closed here as well. */
void fake_server_settle(struct fake_server *server);

void fake_server_stop(struct fake_server *server);

#endif
