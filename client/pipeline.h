/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of memory from whoever reads it into the core: a ring of buffers that one reader fills in
 * order, any number of workers prepare side by side, and one writer puts into the core in order. So
 * the core does not depend on the number of workers, and what is on its way is bounded by the ring.
 * Buffers are handed on by the piece, so that locks and wakings cost little for a page.
 *
 * The reader is the thread that calls these functions. As long as the pipeline is not finished, the
 * core belongs to the writer.
 */
#ifndef CLIENT_PIPELINE_H
#define CLIENT_PIPELINE_H

#include "client/status.h"
#include "layout/core.h"

enum { PIPELINE_JOBS_MAX = 256 };

struct pipeline;

/* Starts the writer and `jobs` workers, 0 for one on each of this machine's CPUs. NULL if it fails.
 */
struct pipeline *pipeline_create(struct core *core, unsigned jobs, struct failure *failure);

/*
 * The next buffer, of CORE_PIECE_MAX bytes, for the reader to fill. NULL if there is none for now;
 * but if the reader has none that it did not submit, it waits for one. NULL also when the core has
 * failed.
 */
struct core_piece *pipeline_reserve(struct pipeline *pipeline);

/* The buffer that was reserved first, of those that were not submitted, is filled. */
void pipeline_submit(struct pipeline *pipeline);

/* That buffer; NULL if all that were reserved are submitted. */
struct core_piece *pipeline_reserved(struct pipeline *pipeline);

/* Whether the core has failed, so that more need not be read. */
bool pipeline_failed(struct pipeline *pipeline);

/*
 * Waits until all that was submitted is in the core, and ends the threads; then the core is the
 * caller's again. Returns 0, or -1 if the core has failed.
 */
int pipeline_finish(struct pipeline *pipeline, struct failure *failure);

/* Turns the core's failure into ours. Returns -1. */
int fail_core(struct failure *failure, const struct core *core);

/* Ends the threads, whatever is still on its way. NULL accepted. */
void pipeline_destroy(struct pipeline *pipeline);

#endif
