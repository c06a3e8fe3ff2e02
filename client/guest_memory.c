// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/guest_memory.h"

#include <stdbool.h>

enum { BULK_MIN = 64 << 10 }; /* bytes of a request, below which the pipe gains nothing */

static void note_failure(struct guest_memory_state *state)
{
	if (rsp_failure(state->rsp) != RSP_REFUSED)
		state->lost = true;
}

static bool may_read(const struct guest_memory_state *state, uint64_t addr, size_t len)
{
	return !state->ram || ranges_contain(state->ram, addr, len);
}

static int read_memory(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct guest_memory_state *state = ctx;

	if (state->lost || !may_read(state, paddr, len))
		return -1;
	state->bytes_read += len;
	if (state->hostmem && rsp_hostmem_read(state->hostmem, paddr, buf, len) == 0)
		return 0;
	if (rsp_read_memory(state->rsp, paddr, buf, len)) {
		note_failure(state);
		return -1;
	}
	return 0;
}

struct batch {
	struct guest_memory_state *state;
	struct guest_read_request *requests;
	size_t count;
	size_t next, done; /* indices of requests */
};

/* The request at or behind index that lies in RAM, or count. */
static size_t skip_outside(const struct batch *batch, size_t index)
{
	while (index < batch->count &&
		!may_read(batch->state, batch->requests[index].paddr, batch->requests[index].len))
		index++;
	return index;
}

static bool give_request(void *ctx, struct rsp_read *piece)
{
	struct batch *batch = ctx;

	batch->next = skip_outside(batch, batch->next);
	if (batch->next == batch->count)
		return false;

	const struct guest_read_request *request = &batch->requests[batch->next++];

	piece->addr = request->paddr;
	piece->buf = request->buf;
	piece->len = request->len;
	batch->state->bytes_read += request->len;
	return true;
}

static int take_request(void *ctx, const struct rsp_read *piece)
{
	struct batch *batch = ctx;

	batch->done = skip_outside(batch, batch->done);
	batch->requests[batch->done++].failed = piece->unreadable != 0;
	return 0;
}

static bool is_bulk(const struct guest_read_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (requests[i].len < BULK_MIN)
			return false;
	return true;
}

static int stream_batch(
	const struct guest_memory_state *state, const struct rsp_stream *stream, bool bulk)
{
	return bulk && state->hostpipe ? rsp_hostpipe_stream(state->hostpipe, stream)
	                               : rsp_stream_memory(state->rsp, stream);
}

static void read_many(void *ctx, struct guest_read_request *requests, size_t count)
{
	struct guest_memory_state *state = ctx;
	struct batch batch = { .state = state, .requests = requests, .count = count };
	const struct rsp_stream batch_stream = {
		.next = give_request,
		.done = take_request,
		.ctx = &batch,
	};

	for (size_t i = 0; i < count && state->hostmem; i++)
		requests[i].failed = read_memory(ctx, requests[i].paddr, requests[i].buf,
					     requests[i].len) != 0;
	if (state->hostmem)
		return;
	for (size_t i = 0; i < count; i++)
		requests[i].failed = true;
	if (!state->lost && stream_batch(state, &batch_stream, is_bulk(requests, count)))
		note_failure(state);
}

struct guest_memory guest_memory_interface(struct guest_memory_state *state)
{
	bool pipelines = rsp_stub(state->rsp)->pipelines;

	return (struct guest_memory){
		.read = read_memory,
		.read_many = pipelines ? read_many : NULL,
		.ctx = state,
	};
}
