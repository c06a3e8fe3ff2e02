/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stub's end of a connection: packets in, packets out, with the faults that belong to bytes
 * rather than to answers, and a log of both directions. It is a second implementation of the
 * framing, on purpose: it shares nothing with the library that it is there to test.
 *
 * The log has a line for each packet and sign: "> BODY" from the client, "< BODY" from the stub,
 * and
 * "= WORDS" for what the stub noticed. Bytes that cannot be printed are \xNN.
 */
#ifndef STUB_WIRE_H
#define STUB_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/stub/machine.h"

enum { WIRE_PACKET_MAX = 4 << 20 };

/* What a connection ended with; also the program's exit status. */
enum wire_end {
	WIRE_GOES_ON = -1,
	WIRE_CLOSED = 0,     /* by either side */
	WIRE_DEVIATES = 1,   /* a replayed client said something else */
	WIRE_CARELESS = 98,  /* towards a stub that takes one request at a time */
	WIRE_FORBIDDEN = 99, /* a packet that changes the guest, or one behind the last D */
};

struct wire {
	int in, out;
	FILE *log;
	const struct faults *faults;
	bool no_ack;

	uint8_t *input; /* [start, end) is not taken yet */
	size_t start, end;
	uint8_t *last; /* the last packet's frame, for '-' */
	size_t last_size;
	long replies; /* transmissions so far */
	long requests;
	long unacknowledged; /* packets without a + yet; below 0 if there were too many */
	size_t window_max;   /* requests seen waiting at one time */
};

/* The descriptors stay the caller's. */
void wire_init(struct wire *wire, int in, int out, FILE *log, const struct faults *faults);
void wire_deinit(struct wire *wire);

/* Takes the next packet; its body, with a NUL behind it, lives until the next call. */
enum wire_end wire_get(struct wire *wire, char **body, size_t *size);

/* Takes in what is there, or waits for it. False at the end, or with no room for more. */
bool wire_fill(struct wire *wire);

/* The size of the packet at the start of the input, framing and all; 0 if it is not whole. */
size_t wire_whole_packet(const struct wire *wire);

/* Whether the checksum of such a packet is right. */
bool wire_checksum_is_right(const uint8_t *bytes, size_t size);

/* Answers with a packet, and what the faults add to it. */
enum wire_end wire_answer(struct wire *wire, const void *body, size_t size);

/* Sends a packet by itself: part of an answer, or unasked. */
enum wire_end wire_put(struct wire *wire, const void *body, size_t size);

/* Sends bytes that are no packet. */
enum wire_end wire_put_raw(struct wire *wire, const void *bytes, size_t size);

void wire_log(struct wire *wire, char side, const void *body, size_t size);

#endif
