// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/window.h"

enum {
	BYTES_MIN = 256 << 10,
	BYTES_MAX = 8 << 20,
	MEASURE_MS = 50,
	DRAIN_MS = 500,
	LATENCY_MAX_MS = 2000, /* rather a stub that had something else to do */
};

void rsp_window_init(struct rsp_window *window, uint64_t now)
{
	*window = (struct rsp_window){ .bytes_max = BYTES_MIN, .since = now };
}

void rsp_window_pause(struct rsp_window *window, uint64_t now)
{
	window->since = now;
	window->arrived = 0;
}

/* What is to be on its way where so many bytes arrive in so many milliseconds. */
static size_t window_for(const struct rsp_window *window, size_t arrived, uint64_t elapsed)
{
	uint64_t bytes = (uint64_t)arrived * (DRAIN_MS + window->latency) / elapsed;

	if (bytes > BYTES_MAX)
		bytes = BYTES_MAX;
	return bytes > BYTES_MIN ? (size_t)bytes : BYTES_MIN;
}

void rsp_window_note(struct rsp_window *window, size_t size, uint64_t now)
{
	uint64_t elapsed = now - window->since;

	if (size && !window->answered) {
		window->answered = true;
		window->latency = elapsed < LATENCY_MAX_MS ? elapsed : LATENCY_MAX_MS;
	}
	window->arrived += size;
	/* Where answers come in bursts with silence in between, both belong to the measure. */
	if (elapsed < MEASURE_MS || window->arrived == 0)
		return;
	window->bytes_max = window_for(window, window->arrived, elapsed);
	rsp_window_pause(window, now);
}

void rsp_window_note_least(struct rsp_window *window, size_t size, uint64_t since, uint64_t now)
{
	/* Up to a millisecond more than the two times tell */
	size_t least = window_for(window, size, now - since + 1);

	if (window->bytes_max < least)
		window->bytes_max = least;
}
