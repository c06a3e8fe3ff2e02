/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes' way to a stub: a socket, a command's standard input and output, a serial line or an
 * inherited descriptor, opened from a struct rsp_target. A link hands over non-blocking descriptors
 * and puts everything that it changed back when it is closed.
 */
#ifndef RSP_LINK_H
#define RSP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

#include "rsp/target.h"

/*
 * Whoever wants to outlive us with the connection in his hands: called with each descriptor before
 * it is connected, when he may take a duplicate of it, and with -1 before we close it, when he has
 * to close his, since only the last one to close ends a connection.
 */
struct rsp_link_holder {
	void (*hold)(void *ctx, int fd); /* NULL if there is nobody */
	void *ctx;
};

struct rsp_link {
	int fd;          /* both ways; -1 while closed */
	pid_t child;     /* of a command, else 0 */
	int saved_flags; /* of an inherited descriptor, -1 otherwise */
	struct termios saved_terminal;
	bool serial;
	bool socket; /* where answers can wait; a line holds 4 KiB, a pipe may hold as little */
	int mark;    /* so many bytes make poll() wake us; 0 where it wakes for any: all but TCP */
	struct rsp_link_holder holder; /* survives rsp_link_close() */
};

void rsp_link_init(struct rsp_link *link);

/*
 * Opens it within timeout_ms. cancel_fd (or -1) becoming readable ends the wait. Returns 0, or -1
 * with one line in why, and whether it is worth trying again (nobody listens yet) in *again.
 */
int rsp_link_open(struct rsp_link *link, const struct rsp_target *target, unsigned timeout_ms,
	int cancel_fd, bool *again, char *why, size_t why_size);

/* Takes over a descriptor that rsp_link_open() of another process made, perhaps not connected. */
int rsp_link_adopt(struct rsp_link *link, int fd);

/* As read(2) and write(2), without SIGPIPE where the link is a socket. */
ssize_t rsp_link_read(struct rsp_link *link, void *buf, size_t size);
ssize_t rsp_link_write(struct rsp_link *link, const void *buf, size_t size);

/* Waits for input, at most so long. */
bool rsp_link_wait(struct rsp_link *link, int timeout_ms);

/* As read(2), of what a later read will give again: -1 with ENOTSOCK where there is no such thing.
 */
ssize_t rsp_link_peek(struct rsp_link *link, void *buf, size_t size);

/*
 * Lets poll() tell of input only once there are so many bytes, or the end. False where that cannot
 * be had. Linux has it for TCP; for unix sockets it is read(2) that would wait, not poll(2).
 */
bool rsp_link_set_mark(struct rsp_link *link, int bytes);

/* Waits until what was written last is on its way, where closing would not: on serial lines. */
void rsp_link_drain(struct rsp_link *link);

/* Closes it and, for a command, waits a moment for its end and then ends it. */
void rsp_link_close(struct rsp_link *link);

#endif
