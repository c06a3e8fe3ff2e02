/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a run ended: the exit statuses, which are stable and stand in the manual page, and the one
 * line that goes with them. A function of the client that can fail fills in a struct failure and
 * returns -1.
 */
#ifndef CLIENT_STATUS_H
#define CLIENT_STATUS_H

#include "arch/error.h"

enum status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_INCOMPLETE = 3, /* written, but some pages could not be read */
	STATUS_UNREACHABLE = 4,
	STATUS_UNSUPPORTED = 5, /* the stub or guest lacks what was asked for */
	STATUS_OUTPUT = 6,
	STATUS_UPLOAD = 7,
	STATUS_EXISTS = 8,
	STATUS_SIGNAL = 128, /* plus the signal's number */
};

struct failure {
	enum status status;
	char text[768];
};

/* Fills it in; returns -1. */
int fail(struct failure *failure, enum status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Says "no memory" if error does; else nothing: then it has another cause, and another status.
 * Returns whether it did.
 */
bool fail_no_memory(struct failure *failure, const struct error *error);

#endif
