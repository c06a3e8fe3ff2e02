/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection to a stub as a verb uses it: opened as the options say, left as they say, and
 * failures of the protocol turned into ours.
 */
#ifndef CLIENT_ATTACH_H
#define CLIENT_ATTACH_H

#include <stdbool.h>

#include "client/options.h"
#include "rsp/rsp.h"

/* What is known of the guest from before we came. */
enum found { FOUND_UNKNOWN, FOUND_RUNNING, FOUND_STOPPED };

struct attachment {
	struct rsp *rsp;
	FILE *trace;
	enum found found;
	char run_state[64]; /* the stub's word for it: "paused (prelaunch)"; "" if it has none */
	bool left;          /* detach_from() was called */
	double attached_at, left_at; /* monotonic_seconds() */
};

/* Connects; on most stubs the guest stands still from here on. Returns 0 or -1. */
int attach_to(
	struct attachment *attachment, const struct options *options, struct failure *failure);

/* How long the guest stood still; right once it was left. */
double stopped_seconds(const struct attachment *attachment);

/* Whether the guest will run once it is left as the options say. */
bool leaves_running(const struct attachment *attachment, const struct options *options);

/*
 * Leaves the guest as the options say, and closes. Returns 0; -1 if the guest may now stand still
 * against what was asked.
 */
int detach_from(
	struct attachment *attachment, const struct options *options, struct failure *failure);

/*
 * The same after something else has failed. Does nothing if there is no connection to leave; if the
 * guest may now stand still, says so behind the failure.
 */
void leave_after_failure(
	struct attachment *attachment, const struct options *options, struct failure *failure);

/* Frees all; a connection that is still open is simply closed. */
void attachment_deinit(struct attachment *attachment);

/* Turns the connection's failure into ours, with what was being done in front. Returns -1. */
int fail_rsp(struct failure *failure, const struct rsp *rsp, const char *what);

#endif
