/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much may be asked for before it has come, learnt from what comes. All that is asked for has
 * to be taken in when somebody interrupts us, so it is what arrives in half a second, and in the
 * time that an answer takes: with the former alone, a way that is longer would never be filled.
 * Times are in milliseconds and come from the caller.
 */
#ifndef RSP_WINDOW_H
#define RSP_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rsp_window {
	size_t bytes_max;
	uint64_t since; /* when measuring began */
	size_t arrived; /* bytes since then */
	uint64_t latency;
	bool answered; /* latency is known */
};

/* The first requests are sent now. */
void rsp_window_init(struct rsp_window *window, uint64_t now);

/* A new measure begins: for a time, less was asked for than might have been. What is learnt stays.
 */
void rsp_window_pause(struct rsp_window *window, uint64_t now);

/* size bytes have arrived. */
void rsp_window_note(struct rsp_window *window, size_t size, uint64_t now);

/*
 * All that was asked for since `since`, size bytes, has arrived. With the time that nothing came
 * before the first of it, that tells how much arrives at least.
 */
void rsp_window_note_least(struct rsp_window *window, size_t size, uint64_t since, uint64_t now);

#endif
