/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection to a stub as a verb uses it: opened as the options say, left as they say, and
 * failures of the protocol turned into ours.
 */
#ifndef CLIENT_ATTACH_H
#define CLIENT_ATTACH_H

#include <stdbool.h>

#include "client/guardian.h"
#include "client/options.h"
#include "rsp/rsp.h"

/* What is known of the guest from before we came. */
enum found { FOUND_UNKNOWN, FOUND_RUNNING, FOUND_STOPPED };

struct attachment {
	struct rsp *rsp;
	struct guardian *guardian; /* NULL if there is none */
	FILE *trace;
	enum found found;
	char run_state[64]; /* the stub's word for it: "paused (prelaunch)"; "" if it has none */
	bool late;          /* a connection broke before the stub could say that it stopped it */
	bool left;          /* detach_from() was called */
	bool broken;        /* the connection was lost for good */
	double attached_at, left_at; /* monotonic_seconds() */
};

/*
 * Sets a guardian over the guest that will be attached to; to be called before there are threads.
 * It may be left out, and then there is none. options have to outlive the attachment.
 */
void attachment_init(struct attachment *attachment, const struct options *options);

/* Connects; on most stubs the guest stands still from here on. Returns 0 or -1. */
int attach_to(
	struct attachment *attachment, const struct options *options, struct failure *failure);

/* Whether attach_again() is worth a try where the connection was lost. */
bool may_attach_again(const struct attachment *attachment, const struct options *options);

/*
 * Connects once more, after failures with longer and longer pauses, for as long as the options say.
 * Whether it is the same guest, standing still, is for the caller to find out. Returns 0 or -1.
 */
int attach_again(
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

/* How to connect, as the options say. */
struct rsp_options connection_options(const struct options *options);

/* Finds out whether the guest ran before we came, and so what is to become of it. Returns 0 or -1.
 */
int find_out_state(
	struct attachment *attachment, const struct options *options, struct failure *failure);

/* Frees all; a connection that is still open is simply closed. */
void attachment_deinit(struct attachment *attachment);

/* Turns the connection's failure into ours, with what was being done in front. Returns -1. */
int fail_rsp(struct failure *failure, const struct rsp *rsp, const char *what);

#endif
