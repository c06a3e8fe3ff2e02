/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is tried again, and when. Pure functions. */
#ifndef CLIENT_UPLOAD_RETRY_H
#define CLIENT_UPLOAD_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	RETRY_TRIES = 6, /* in all */
	RETRY_FIRST_MS = 1000,
	RETRY_MAX_MS = 60 * 1000,
	RETRY_AFTER_MAX_S = 600, /* as long as a server's Retry-After is believed */
};

/* Whether an answer of this status may be another one next time: 408, 425, 429 and some 5xx. */
bool retry_status(long status);

/*
 * Milliseconds to wait before try number `tries` (1 for the second). The server's own word wins, if
 * it gave one (retry_after, seconds, 0 for none). Else it is a random time up to twice the one
 * before; random is any number.
 */
uint64_t retry_delay_ms(unsigned tries, unsigned retry_after, uint32_t random);

#endif
