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

struct rsp_link {
	int fd;          /* both ways; -1 while closed */
	pid_t child;     /* of a command, else 0 */
	int saved_flags; /* of an inherited descriptor, -1 otherwise */
	struct termios saved_terminal;
	bool serial;
	bool socket; /* where answers can wait; a line holds 4 KiB, a pipe may hold as little */
	int mark;    /* so many bytes make poll() wake us; 0 where it wakes for any: all but TCP */
};

void rsp_link_init(struct rsp_link *link);

/*
 * Opens it within timeout_ms. cancel_fd (or -1) becoming readable ends the wait. Returns 0, or -1
 * with one line in why, and whether it is worth trying again (nobody listens yet) in *again.
 */
int rsp_link_open(struct rsp_link *link, const struct rsp_target *target, unsigned timeout_ms,
	int cancel_fd, bool *again, char *why, size_t why_size);

/* As read(2) and write(2), without SIGPIPE where the link is a socket. */
ssize_t rsp_link_read(struct rsp_link *link, void *buf, size_t size);
ssize_t rsp_link_write(struct rsp_link *link, const void *buf, size_t size);

/*
 * Lets poll() tell of input only once there are so many bytes, or the end. False where that cannot
 * be had. Linux has it for TCP; for unix sockets it is read(2) that would wait, not poll(2).
 */
bool rsp_link_set_mark(struct rsp_link *link, int bytes);

/*
 * Whether the other end may be a process of this host, as far as addresses tell: it may still be
 * one that passes all on to another host.
 */
bool rsp_link_is_local(const struct rsp_link *link);

/* Closes it and, for a command, waits a moment for its end and then ends it. */
void rsp_link_close(struct rsp_link *link);

#endif
