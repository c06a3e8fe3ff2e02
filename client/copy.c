// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/copy.h"

#include <stdlib.h>

#include "client/interrupt.h"
#include "client/lane.h"

enum {
	PIECE_SIZE = 64 << 10,
	/* More than the protocol ever has on its way, so that buffers never hold it up. */
	PIECES = 192,
};

struct copy {
	const struct plan *plan;
	struct core *core;
	struct progress *progress;
	struct copy_result *result;
	uint8_t *buffers;           /* PIECES of PIECE_SIZE */
	size_t given, done;         /* pieces so far: they come back in order */
	struct range_cursor cursor; /* behind what was given */
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

static bool give_piece(void *ctx, struct rsp_read *piece)
{
	struct copy *copy = ctx;
	struct range range;

	if (copy->given - copy->done == PIECES ||
		!ranges_next(copy->plan->core.memory, &copy->cursor, PIECE_SIZE, &range))
		return false;
	piece->addr = range.start;
	piece->len = (size_t)range.size;
	piece->buf = copy->buffers + copy->given++ % PIECES * PIECE_SIZE;
	return true;
}

static int take_piece(void *ctx, const struct rsp_read *piece)
{
	struct copy *copy = ctx;

	candidates_look(&copy->result->candidates, copy->plan->core.arch, piece->addr, piece->buf,
		piece->len);
	if (core_write(copy->core, piece->addr, piece->buf, piece->len) || copy->no_memory)
		return 1;
	copy->done++;
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

int copy_pages(const struct guest *guest, const struct plan *plan, struct core *core,
	struct progress *progress, struct copy_result *result, struct failure *failure)
{
	struct copy copy = {
		.plan = plan,
		.core = core,
		.progress = progress,
		.result = result,
		.buffers = malloc((size_t)PIECES * PIECE_SIZE),
	};
	const struct rsp_stream stream = {
		.next = give_piece,
		.done = take_piece,
		.unreadable = note_unreadable,
		.ctx = &copy,
	};
	int rc;

	if (!copy.buffers)
		return fail(failure, STATUS_FAILED, "no memory");
	rc = lane_stream(guest, &stream);
	if (rc && interrupt_signal())
		fail(failure, STATUS_SIGNAL + interrupt_signal(), "interrupted");
	else if (rc > 0 && core_error(core))
		fail(failure, STATUS_OUTPUT, "%s", core_error(core));
	else if (rc > 0)
		fail(failure, STATUS_FAILED, "too many pages that cannot be read");
	else if (rc < 0)
		fail_rsp(failure, guest->rsp, "reading memory");
	free(copy.buffers);
	return rc ? -1 : 0;
}
