// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/copy.h"

#include "client/interrupt.h"
#include "client/lane.h"

struct copy {
	const struct plan *plan;
	struct pipeline *pipeline;
	struct progress *progress;
	struct copy_result *result;
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
	struct range_cursor cursor = copy->cursor;
	struct core_piece *buffer;
	struct range range;

	if (!ranges_next(copy->plan->core.memory, &cursor, CORE_PIECE_MAX, &range))
		return false;
	buffer = pipeline_reserve(copy->pipeline);
	if (!buffer)
		return false;
	copy->cursor = cursor;
	buffer->paddr = piece->addr = range.start;
	buffer->size = piece->len = (size_t)range.size;
	piece->buf = buffer->bytes;
	return true;
}

static int take_piece(void *ctx, const struct rsp_read *piece)
{
	struct copy *copy = ctx;

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

int copy_pages(const struct guest *guest, const struct plan *plan, struct pipeline *pipeline,
	struct progress *progress, struct copy_result *result, struct failure *failure)
{
	struct copy copy = {
		.plan = plan,
		.pipeline = pipeline,
		.progress = progress,
		.result = result,
	};
	const struct rsp_stream stream = {
		.next = give_piece,
		.done = take_piece,
		.unreadable = note_unreadable,
		.ctx = &copy,
	};
	int rc = lane_stream(guest, &stream);

	if (rc && interrupt_signal())
		return fail(failure, STATUS_SIGNAL + interrupt_signal(), "interrupted");
	if (rc < 0)
		return fail_rsp(failure, guest->rsp, "reading memory");
	if (copy.no_memory)
		return fail(failure, STATUS_FAILED, "too many pages that cannot be read");
	/* Also when all was read: what is not written yet cannot be any more. */
	return pipeline_failed(pipeline) ? pipeline_finish(pipeline, failure) : 0;
}
