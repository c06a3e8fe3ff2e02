/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A few pages of what was read, by their digests: enough to tell, after a connection was lost,
 * whether it is still the same guest and has not run since.
 */
#ifndef CLIENT_SAMPLES_H
#define CLIENT_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rsp/rsp.h"

enum {
	SAMPLES_MAX = 64,
	SAMPLE_SIZE = 4096, /* bytes of a piece that are looked at, or all of a smaller one */
};

struct samples {
	struct sample {
		uint64_t addr, digest;
		size_t size;
	} items[SAMPLES_MAX];
	size_t count;
	uint64_t seen, stride; /* pieces; every so many of them gives a sample, spread over all */
};

void samples_init(struct samples *samples);

/* Looks at a piece of memory that was read. */
void samples_note(struct samples *samples, const struct rsp_read *piece);

/* Reads the samples again. Returns 0 if they are what they were; 1 if not; -1 as rsp_read_memory().
 */
int samples_check(const struct samples *samples, struct rsp *rsp);

/* A digest that goes on from another, 0 at first: no defence against anybody, but accident. */
uint64_t digest_bytes(uint64_t digest, const void *bytes, size_t size);

#endif
