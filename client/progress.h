/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a dump is. A bar on a terminal whose foreground we are, plain lines for logs, or lines of
 * JSON in the words of QMP's query-dump and its event DUMP_COMPLETED; and one line whenever SIGUSR1
 * asks.
 */
#ifndef CLIENT_PROGRESS_H
#define CLIENT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "client/options.h"

struct progress {
	enum progress_mode mode;   /* never PROGRESS_AUTO */
	uint64_t completed, total; /* bytes of guest memory */
	uint64_t started, shown;   /* milliseconds of the monotonic clock */
	unsigned shown_percent;
	bool on_screen; /* a bar is drawn */
	/* Bytes that went to a store meanwhile; NULL if there is none. */
	uint64_t (*uploaded)(void *ctx);
	void *upload;
};

/* Decides how to show it. */
void progress_init(struct progress *progress, const struct options *options);

/* The clock and the counting begin. */
void progress_start(struct progress *progress, uint64_t total);

/* From now on tells of an upload as well. */
void progress_watch_upload(
	struct progress *progress, uint64_t (*uploaded)(void *ctx), void *upload);

/* Tells how much is completed; shows it if it is time to. Cheap. */
void progress_update(struct progress *progress, uint64_t completed);

/* Takes the bar off the screen: something else is to be said. */
void progress_clear(struct progress *progress);

/* The dump is over, however it went; error is NULL if all went well. */
void progress_end(struct progress *progress, const char *error);

#endif
