/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deadlines: milliseconds of the monotonic clock. */
#ifndef RSP_CLOCK_H
#define RSP_CLOCK_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t rsp_clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What is left until deadline, as poll(2) takes it: 0 when it has passed. */
static inline int rsp_clock_left(uint64_t deadline)
{
	uint64_t now = rsp_clock_now();

	if (now >= deadline)
		return 0;
	return deadline - now > INT_MAX ? INT_MAX : (int)(deadline - now);
}

#endif
