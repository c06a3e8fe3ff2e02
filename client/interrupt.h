/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals. The first SIGINT, SIGTERM or SIGHUP asks for an orderly end, a second one ends the
 * program at once. SIGUSR1 asks for a line of progress.
 */
#ifndef CLIENT_INTERRUPT_H
#define CLIENT_INTERRUPT_H

#include <stdbool.h>

/* Returns 0, or -1 with errno set. */
int interrupt_init(void);

/* Readable once an end was asked for. */
int interrupt_fd(void);

/* The signal that asked for an end, 0 if none did. */
int interrupt_signal(void);

/* Whether a line of progress was asked for since the last call. */
bool interrupt_wants_progress(void);

#endif
