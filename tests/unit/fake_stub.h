/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scripted stub inside of a test program: it serves in a thread, on one end of a socket pair,
 * and the test is at the other. A test that hangs is ended by a signal after a minute, or after as
 * long as a test may take at most (TEST_TIMEOUT).
 */
#ifndef UNIT_FAKE_STUB_H
#define UNIT_FAKE_STUB_H

#include <pthread.h>
#include <stdio.h>

#include "rsp/rsp.h"
#include "tests/stub/serve.h"

struct fake_stub {
	struct machine machine;
	const char *script;
	pthread_t thread;
	bool running;
	int client; /* the test's end, which it owns; named by target as well */
	int server;
	char target[16];
	FILE *log_file;
	char *log; /* whole after fake_stub_stop() */
	enum wire_end end;
};

/* Starts to serve a machine, see tests/stub/description.c. */
void fake_stub_start(struct fake_stub *stub, const char *description);

/* Starts to replay a conversation, see tests/stub/serve.h. */
void fake_stub_replay(struct fake_stub *stub, const char *script);

/* Waits for the end of the connection, which the test has closed; then log and end are valid. */
enum wire_end fake_stub_stop(struct fake_stub *stub);

void fake_stub_deinit(struct fake_stub *stub);

/* How many lines of the log begin with prefix. */
size_t fake_stub_count(const struct fake_stub *stub, const char *prefix);

/* The last line from the client, "> " and all, in a static buffer. */
const char *fake_stub_last(const struct fake_stub *stub);

/* Patient for a second before the first answer and for two seconds later; -1 for no cancel_fd. */
struct rsp_options fake_stub_options(int cancel_fd);

/* A client, connected to the stub; fails the test if it cannot. */
struct rsp *fake_stub_open(const struct fake_stub *stub);

/*
 * Asserts that a stub's log has nothing behind the answer to the last D, but for the sign that one
 * without features waits for.
 */
void fake_stub_assert_detached(const struct fake_stub *stub);

#endif
