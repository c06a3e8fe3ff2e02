/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sink that keeps what it is given, for tests of what writes to sinks. It counts the calls, and
 * fails one of them when it is told to. It has write_at or not, as an output to a file or a pipe.
 */
#ifndef TESTS_UNIT_MEMORY_SINK_H
#define TESTS_UNIT_MEMORY_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout/sink.h"

#define MEMORY_SINK_ERROR "the sink is told to fail"

struct memory_sink {
	struct sink sink;
	uint8_t *bytes;
	size_t size, capacity;
	unsigned writes, zeros, rewrites; /* calls that worked, by kind */
	uint64_t zero_bytes;              /* appended by zero() */
	unsigned calls;                   /* of any kind */
	unsigned fail_at;                 /* the call that fails, from 1; 0 for none */
};

void memory_sink_init(struct memory_sink *sink, bool can_rewrite);
void memory_sink_deinit(struct memory_sink *sink);

#endif
