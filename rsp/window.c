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

void rsp_window_note(struct rsp_window *window, size_t size, uint64_t now)
{
	uint64_t elapsed = now - window->since;
	uint64_t bytes;

	if (size && !window->answered) {
		window->answered = true;
		window->latency = elapsed < LATENCY_MAX_MS ? elapsed : LATENCY_MAX_MS;
	}
	window->arrived += size;
	/* Where answers come in bursts with silence in between, both belong to the measure. */
	if (elapsed < MEASURE_MS || window->arrived == 0)
		return;
	bytes = (uint64_t)window->arrived * (DRAIN_MS + window->latency) / elapsed;
	if (bytes > BYTES_MAX)
		bytes = BYTES_MAX;
	window->bytes_max = bytes > BYTES_MIN ? (size_t)bytes : BYTES_MIN;
	rsp_window_pause(window, now);
}
