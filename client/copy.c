// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/copy.h"

#include <stdlib.h>
#include <string.h>

#include "client/interrupt.h"
#include "client/lane.h"

struct copy {
	const struct plan *plan;
	struct pipeline *pipeline;
	struct progress *progress;
	struct recovery *recovery; /* NULL for none */
	struct copy_result *result;
	struct core_cursor cursor; /* behind what was chosen */
	struct core_piece *chosen; /* the next that is given; NULL if none is yet */
	uint64_t reached;          /* the end of what was given */
	size_t gap_max;            /* bytes that it pays to read in between */
	uint8_t *nowhere;          /* where they go, CORE_PIECE_MAX bytes; NULL if it never does */
	bool no_memory;
};

void copy_result_init(struct copy_result *result)
{
	*result = (struct copy_result){ 0 };
	ranges_init(&result->unreadable);
}

void copy_result_deinit(struct copy_result *result)
{
	ranges_deinit(&result->unreadable);
}

static bool choose_piece(struct copy *copy)
{
	struct core_cursor cursor = copy->cursor;
	struct range range;

	if (copy->chosen)
		return true;
	if (!core_next(&copy->plan->core, &cursor, CORE_PIECE_MAX, &range))
		return false;
	copy->chosen = pipeline_reserve(copy->pipeline);
	if (!copy->chosen)
		return false;
	copy->cursor = cursor;
	copy->chosen->paddr = range.start;
	copy->chosen->size = (size_t)range.size;
	return true;
}

/*
 * Whether the chosen piece is to be reached over memory that is not wanted. All of that must be
 * known to be memory.
 */
static bool is_behind_gap(const struct copy *copy)
{
	uint64_t gap = copy->chosen->paddr - copy->reached;

	return copy->reached && gap && gap <= copy->gap_max &&
	       ranges_contain(&copy->plan->memory, copy->reached, gap);
}

static bool give_piece(void *ctx, struct rsp_read *piece)
{
	struct copy *copy = ctx;

	if (!choose_piece(copy))
		return false;
	if (is_behind_gap(copy)) {
		uint64_t gap = copy->chosen->paddr - copy->reached;

		piece->addr = copy->reached;
		piece->len = gap < CORE_PIECE_MAX ? (size_t)gap : CORE_PIECE_MAX;
		piece->buf = copy->nowhere;
	} else {
		piece->addr = copy->chosen->paddr;
		piece->len = copy->chosen->size;
		piece->buf = copy->chosen->bytes;
		copy->chosen = NULL;
	}
	copy->reached = piece->addr + piece->len;
	return true;
}

static int take_piece(void *ctx, const struct rsp_read *piece)
{
	struct copy *copy = ctx;

	if (piece->buf == copy->nowhere)
		return 0;
	if (copy->recovery)
		recovery_note(copy->recovery, piece);
	candidates_look(&copy->result->candidates, copy->plan->core.arch, piece->addr, piece->buf,
		piece->len);
	pipeline_submit(copy->pipeline);
	if (copy->no_memory || pipeline_failed(copy->pipeline))
		return 1;
	copy->result->bytes += piece->len;
	progress_update(copy->progress, copy->result->bytes);
	return 0;
}

static void note_unreadable(void *ctx, uint64_t addr, size_t len)
{
	struct copy *copy = ctx;

	if (ranges_add(&copy->result->unreadable, addr, len))
		copy->no_memory = true;
}

/* Zeros in place of all that was asked for in vain, and of all that was not asked for any more. */
static void fill_rest(struct copy *copy)
{
	struct core_piece *piece;

	copy->chosen = NULL;
	while ((piece = pipeline_reserved(copy->pipeline)) || choose_piece(copy)) {
		if (!piece) {
			piece = copy->chosen;
			copy->chosen = NULL;
		}
		memset(piece->bytes, 0, piece->size);
		note_unreadable(copy, piece->paddr, piece->size);
		pipeline_submit(copy->pipeline);
	}
	copy->result->filled = !copy->no_memory && !pipeline_failed(copy->pipeline);
}

/* Reads it, and makes sure that every answer was the one to its request. */
static int stream(struct copy *copy, const struct guest *guest, const struct rsp_stream *stream)
{
	int rc;

	if (copy->recovery)
		rsp_set_recovery(guest->rsp, recovery_run, copy->recovery);
	rc = lane_stream(guest, stream);
	rsp_set_recovery(guest->rsp, NULL, NULL);
	return rc ? rc : rsp_check_in_step(guest->rsp);
}

/* The recovery knows why there is no other connection. */
static void fail_reading(
	struct failure *failure, const struct guest *guest, const struct recovery *recovery)
{
	if (recovery && recovery->failure.status != STATUS_DONE)
		fail(failure, recovery->failure.status, "reading memory: %s",
			recovery->failure.text);
	else
		fail_rsp(failure, guest->rsp, "reading memory");
}

int copy_pages(const struct guest *guest, const struct plan *plan, struct pipeline *pipeline,
	struct progress *progress, struct recovery *recovery, bool fill, struct copy_result *result,
	struct failure *failure)
{
	struct copy copy = {
		.plan = plan,
		.pipeline = pipeline,
		.progress = progress,
		.recovery = recovery,
		.result = result,
	};
	const struct rsp_stream pieces = {
		.next = give_piece,
		.done = take_piece,
		.unreadable = note_unreadable,
		.ctx = &copy,
	};
	int rc;

	copy.gap_max = plan->core.kept ? lane_gap(guest) : 0;
	copy.nowhere = copy.gap_max ? malloc(CORE_PIECE_MAX) : NULL;
	if (copy.gap_max && !copy.nowhere)
		return fail(failure, STATUS_FAILED, "no memory");
	rc = stream(&copy, guest, &pieces);
	free(copy.nowhere);
	if (rc && interrupt_signal())
		return fail(failure, STATUS_SIGNAL + interrupt_signal(), "interrupted");
	if (rc < 0) {
		fail_reading(failure, guest, recovery);
		if (fill && failure->status == STATUS_UNREACHABLE && result->bytes)
			fill_rest(&copy);
		return -1;
	}
	if (copy.no_memory)
		return fail(failure, STATUS_FAILED, "%s",
			result->unreadable.no_memory ? "no memory"
						     : "too many pages that cannot be read");
	/* Also when all was read: what is not written yet cannot be any more. */
	return pipeline_failed(pipeline) ? pipeline_finish(pipeline, failure) : 0;
}
