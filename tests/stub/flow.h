/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One direction of a relay: bytes from one descriptor to another, and the faults that happen to
 * them. Counts of bytes are over all connections.
 */
#ifndef STUB_FLOW_H
#define STUB_FLOW_H

#include <stdio.h>

#include "tests/stub/faults.h"

enum {
	FLOW_IN_SIZE = 4 << 20, /* the longest packet that a fault can happen to */
	FLOW_OUT_SIZE = FLOW_IN_SIZE + (1 << 20),
};

/* Where in a packet the next byte is. */
enum place { BETWEEN, IN_BODY, IN_SUM_1, IN_SUM_2 };

struct flow {
	enum direction direction;
	int from, to;
	uint8_t *in, *out; /* what came and has not passed yet; what has, and is not sent */
	size_t in_size, out_start, out_end;
	uint64_t passed; /* as it came */
	enum place place;
	uint64_t held_until; /* ms; nothing passes before */
	uint64_t
		alone_since; /* ms; a packet waits for another one to change places with; 0: none */
	bool owes_nack;      /* a '-' goes out between two packets */
	bool endless;        /* digits go out for ever, and nothing else */
	bool ended;          /* nothing comes any more */
	bool finished;       /* nor goes */
};

void flow_init(struct flow *flow, enum direction direction);
void flow_deinit(struct flow *flow);

/* A new connection. */
void flow_start(struct flow *flow, int from, int to);

bool flow_wants_in(const struct flow *flow);
bool flow_wants_out(const struct flow *flow);

/* Takes in what is there, without waiting; sends what can be sent. */
void flow_take_in(struct flow *flow);
void flow_let_out(struct flow *flow);

/*
 * Lets pass what may pass now, and commits the faults that are due, with a line in the log for
 * each. Returns the one that the connection has to suffer, or NULL.
 */
const struct fault *flow_pass(
	struct flow *flow, struct flow *other, struct fault_plan *plan, uint64_t now_ms, FILE *log);

#endif
