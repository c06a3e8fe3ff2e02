// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading memory. What limits a stub is the time between a request and its answer, not the bytes:
 * so up to WINDOW_MAX requests are on their way at once, bounded in bytes by window.h.
 *
 * A read that fails is asked again in smaller ones, down to a page, among the others; the order
 * in which pieces are done does not change.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rsp/ahead.h"
#include "rsp/clock.h"
#include "rsp/connection.h"
#include "rsp/hex.h"

enum {
	WINDOW_MAX = 4096, /* requests on their way */
	PIECES_MAX = WINDOW_MAX,
	/* On their way, to let answers gather: one of them may have come but for its end. */
	GATHER_MIN = RSP_GATHER_SIZE + (64 << 10),
	PAGE = 4096, /* what an unreadable read is narrowed down to */
	READ_SIZE_MIN = 0x40,
};

struct piece {
	struct rsp_read read;
	size_t asked; /* bytes from the start that requests were made for */
	size_t done;  /* bytes that are read, or known to be unreadable */
};

struct request {
	size_t piece;       /* index into pieces */
	size_t offset, len; /* into the piece */
};

struct engine {
	struct rsp *rsp;
	const struct rsp_stream *stream;
	bool exhausted; /* next() had no more when it was last asked */

	struct piece *pieces; /* a ring of PIECES_MAX */
	size_t first_piece, piece_count;
	struct request *window; /* a ring of WINDOW_MAX, in the order of the answers */
	size_t first_request, request_count;
	size_t window_max;
	size_t bytes;          /* on their way; rsp->window says how many may be */
	struct request *again; /* a stack of what must be asked again */
	size_t again_count, again_capacity;
	size_t arrived; /* bytes since the window was told */
	size_t total;   /* bytes that have arrived */
};

static int engine_init(struct engine *engine, struct rsp *rsp, const struct rsp_stream *stream)
{
	memset(engine, 0, sizeof(*engine));
	engine->rsp = rsp;
	engine->stream = stream;
	engine->window_max = rsp->stub.pipelines ? WINDOW_MAX : 1;
	engine->pieces = malloc(PIECES_MAX * sizeof(*engine->pieces));
	engine->window = malloc(WINDOW_MAX * sizeof(*engine->window));
	if (!engine->pieces || !engine->window)
		return rsp_fail(rsp, RSP_NO_MEMORY, "no memory");
	return 0;
}

static void engine_deinit(struct engine *engine)
{
	free(engine->pieces);
	free(engine->window);
	free(engine->again);
}

static int ask_again(struct engine *engine, size_t piece, size_t offset, size_t len)
{
	if (engine->again_count == engine->again_capacity) {
		size_t capacity = engine->again_capacity ? 2 * engine->again_capacity : 64;
		struct request *more = realloc(engine->again, capacity * sizeof(*more));

		if (!more)
			return rsp_fail(engine->rsp, RSP_NO_MEMORY, "no memory");
		engine->again = more;
		engine->again_capacity = capacity;
	}
	engine->again[engine->again_count++] = (struct request){
		.piece = piece, .offset = offset, .len = len
	};
	return 0;
}

/* The piece that has bytes left to be asked for, fetching a new one if need be; NULL if none. */
static struct piece *piece_to_ask(struct engine *engine, size_t *index)
{
	if (engine->piece_count) {
		*index = (engine->first_piece + engine->piece_count - 1) % PIECES_MAX;
		if (engine->pieces[*index].asked < engine->pieces[*index].read.len)
			return &engine->pieces[*index];
	}
	if (engine->exhausted || engine->piece_count == PIECES_MAX)
		return NULL;
	*index = (engine->first_piece + engine->piece_count) % PIECES_MAX;

	struct piece *piece = &engine->pieces[*index];

	memset(piece, 0, sizeof(*piece));
	if (!engine->stream->next(engine->stream->ctx, &piece->read)) {
		engine->exhausted = true;
		return NULL;
	}
	engine->piece_count++;
	return piece;
}

/* Finds what to ask for next. False if there is nothing for now. */
static bool next_request(struct engine *engine, struct request *request)
{
	size_t read_size = engine->rsp->stub.read_size;

	if (engine->again_count) {
		struct request *top = &engine->again[engine->again_count - 1];

		*request = *top;
		if (request->len > read_size) {
			request->len = read_size;
			top->offset += read_size;
			top->len -= read_size;
		} else {
			engine->again_count--;
		}
		return true;
	}

	struct piece *piece = piece_to_ask(engine, &request->piece);

	if (!piece)
		return false;
	request->offset = piece->asked;
	request->len = piece->read.len - piece->asked;
	/* Ends at a multiple of read_size, so that the requests behind it are aligned. */
	size_t to_boundary = read_size - ((piece->read.addr + piece->asked) & (read_size - 1));

	if (request->len > to_boundary)
		request->len = to_boundary;
	piece->asked += request->len;
	return true;
}

static int send_request(struct engine *engine, const struct request *request)
{
	struct rsp *rsp = engine->rsp;
	uint64_t addr = engine->pieces[request->piece].read.addr + request->offset;
	char body[2 + 2 * RSP_HEX_NUMBER_MAX];
	size_t size = 0;

	/* Half a million of them for a GiB from QEMU <= 10.1: snprintf() would show. */
	body[size++] = rsp->stub.binary_upload ? 'x' : 'm';
	size += rsp_hex_number(rsp->memory_base + addr, body + size);
	body[size++] = ',';
	size += rsp_hex_number(request->len, body + size);
	return rsp_send(rsp, body, size);
}

/* As far as requests go, which are sent in batches: one write for each would cost more than it. */
static bool is_filled(const struct engine *engine)
{
	return engine->bytes > engine->rsp->window.bytes_max / 8 * 7;
}

static int fill_window(struct engine *engine)
{
	struct request request;

	if (engine->window_max > 1 && is_filled(engine))
		return 0;
	while (engine->request_count < engine->window_max &&
		engine->bytes < engine->rsp->window.bytes_max && next_request(engine, &request)) {
		size_t at = (engine->first_request + engine->request_count++) % WINDOW_MAX;

		engine->window[at] = request;
		engine->bytes += request.len;
		if (send_request(engine, &request))
			return -1;
	}
	/* Not waiting until all is sent: the answers to it need not fit into our input. */
	return rsp_push(engine->rsp);
}

/* On a new connection nothing is on its way: asks for all that is not done from its start. */
static int start_over(struct engine *engine)
{
	engine->request_count = engine->again_count = 0;
	engine->bytes = engine->arrived = 0;
	engine->window_max = engine->rsp->stub.pipelines ? WINDOW_MAX : 1;
	/* A stack: the first one comes last. */
	for (size_t i = engine->piece_count; i-- > 0;) {
		size_t index = (engine->first_piece + i) % PIECES_MAX;
		struct piece *piece = &engine->pieces[index];

		piece->done = piece->read.unreadable = 0;
		piece->asked = piece->read.len;
		if (ask_again(engine, index, 0, piece->read.len))
			return -1;
	}
	return 0;
}

static bool is_size_error(const struct rsp_reply *reply)
{
	/* QEMU, Black Magic, and what many say to everything. */
	return rsp_is(reply, "E22") || rsp_is(reply, "E02") || rsp_is(reply, "E01");
}

/*
 * Nothing of a request could be read. Before any read of this size has worked, the size may be to
 * blame; else smaller reads find the pages that are, and those are zero.
 */
static int take_failure(
	struct engine *engine, const struct request *request, const struct rsp_reply *reply)
{
	struct rsp *rsp = engine->rsp;
	struct piece *piece = &engine->pieces[request->piece];
	uint64_t addr = piece->read.addr + request->offset;

	if (!rsp->read_size_proven && is_size_error(reply) && rsp->stub.read_size > READ_SIZE_MIN &&
		request->len >= rsp->stub.read_size) {
		/* The others of this size that are on their way will fail as well: halve once. */
		if (request->len == rsp->stub.read_size)
			rsp->stub.read_size /= 2;
		return ask_again(engine, request->piece, request->offset, request->len);
	}
	if (addr / PAGE != (addr + request->len - 1) / PAGE) {
		size_t first = PAGE - addr % PAGE;

		/* A stack: the last one pushed is the first one asked. */
		for (size_t end = request->len; end > 0;) {
			size_t start = end > first ? first + (end - first - 1) / PAGE * PAGE : 0;

			if (ask_again(engine, request->piece, request->offset + start, end - start))
				return -1;
			end = start;
		}
		return 0;
	}
	memset((uint8_t *)piece->read.buf + request->offset, 0, request->len);
	piece->done += request->len;
	piece->read.unreadable += request->len;
	if (engine->stream->unreadable)
		engine->stream->unreadable(engine->stream->ctx, addr, request->len);
	return 0;
}

/* Neither digits nor a refusal, of any form: an answer to something else. */
static bool is_no_memory(const struct rsp_reply *reply)
{
	return reply->size && reply->text[0] != 'E' && rsp_hex_digit((uint8_t)reply->text[0]) < 0;
}

/* Puts an answer's bytes in their place. Returns how many there are, 0 if none. */
static size_t decode(const struct rsp_reply *reply, uint8_t *to, size_t len, bool binary)
{
	if (reply->size == 0 || rsp_is_error(reply))
		return 0;
	if (binary) {
		size_t size = rsp_unescape((uint8_t *)reply->text + 1, reply->size - 1);

		if (reply->text[0] != 'b')
			return 0;
		if (size <= len)
			memcpy(to, reply->text + 1, size);
		return size;
	}

	/* The Rust gdbstub crate may put "E79" behind the digits of what it could read. */
	size_t digits = reply->size;

	if (digits % 2 && digits > 3 && reply->text[digits - 3] == 'E')
		digits -= 3;

	size_t size = rsp_hex_decode((const uint8_t *)reply->text, digits, to, len);

	return size == len && digits / 2 > len ? digits / 2 : size;
}

static int take_answer(struct engine *engine, const struct rsp_reply *reply)
{
	struct request request = engine->window[engine->first_request];
	struct piece *piece = &engine->pieces[request.piece];
	uint8_t *to = (uint8_t *)piece->read.buf + request.offset;
	size_t size = decode(reply, to, request.len, engine->rsp->stub.binary_upload);

	engine->first_request = (engine->first_request + 1) % WINDOW_MAX;
	engine->request_count--;
	engine->bytes -= request.len;
	if (size > request.len)
		return rsp_fail(engine->rsp, RSP_CONFUSED, "more memory came than was asked for");
	if (size == 0 && !engine->rsp->stub.binary_upload && is_no_memory(reply))
		return rsp_fail(engine->rsp, RSP_CONFUSED,
			"\"%.20s\" came where memory was asked for", reply->text);
	if (size == 0)
		return take_failure(engine, &request, reply);
	if (size == engine->rsp->stub.read_size)
		engine->rsp->read_size_proven = true;
	piece->done += size;
	engine->arrived += size;
	engine->total += size;
	/* A short answer: binary data grew by its escapes, or the next page cannot be read. */
	if (size < request.len)
		return ask_again(engine, request.piece, request.offset + size, request.len - size);
	return 0;
}

/* Hands back the pieces that are complete. Returns what done() returned if that was not 0. */
static int finish_pieces(struct engine *engine)
{
	while (engine->piece_count) {
		struct piece *piece = &engine->pieces[engine->first_piece];

		if (piece->done < piece->read.len)
			return 0;
		engine->first_piece = (engine->first_piece + 1) % PIECES_MAX;
		engine->piece_count--;
		engine->exhausted = false;

		int rc = engine->stream->done(engine->stream->ctx, &piece->read);

		if (rc)
			return rc;
	}
	return 0;
}

/* At the end, and where only little is asked for, nothing gathers: the next answer counts. */
static int wait(struct engine *engine)
{
	return engine->bytes < GATHER_MIN ? rsp_wait(engine->rsp) : rsp_gather(engine->rsp);
}

static int run(struct engine *engine)
{
	struct rsp *rsp = engine->rsp;
	uint64_t since = rsp_clock_now();
	struct rsp_reply reply;
	int rc;

	rsp_window_pause(&rsp->window, since);
	for (;;) {
		if (fill_window(engine))
			return -1;

		bool filled = is_filled(engine);

		if (engine->request_count == 0) {
			rsp_window_note_least(&rsp->window, engine->total, since, rsp_clock_now());
			return 0;
		}
		if ((rc = rsp_receive_ready(rsp, RSP_EXPECT_ANSWER, &reply)) == 0 && wait(engine))
			return -1;
		for (; rc > 0; rc = rsp_receive_ready(rsp, RSP_EXPECT_ANSWER, &reply)) {
			rsp->due--;
			if (take_answer(engine, &reply))
				return -1;
			if ((rc = finish_pieces(engine)) != 0)
				return rc;
			if (engine->request_count == 0)
				break;
		}
		if (rc < 0)
			return -1;
		if (filled)
			rsp_window_note(&rsp->window, engine->arrived, rsp_clock_now());
		else
			rsp_window_pause(&rsp->window, rsp_clock_now());
		engine->arrived = 0;
	}
}

int rsp_stream_memory(struct rsp *rsp, const struct rsp_stream *stream)
{
	struct engine engine;
	int rc = -1;

	/* What was foreseen and is not asked for by now may be wrong later. */
	rsp_ahead_drop(rsp, NULL);
	if (engine_init(&engine, rsp, stream) == 0) {
		do {
			rsp->streaming = engine.window_max > 1;
			rc = run(&engine);
			rsp->streaming = false;
		} while (rc < 0 && rsp_recover(rsp) == 0 && start_over(&engine) == 0);
		rsp->streaming = engine.window_max > 1;
		/* What was asked for must be taken in before anything else is said. */
		if (rc)
			rsp_settle(rsp);
		rsp->streaming = false;
	}
	engine_deinit(&engine);
	return rc;
}

struct single {
	struct rsp_read read;
	bool given;
};

static bool give_single(void *ctx, struct rsp_read *piece)
{
	struct single *single = ctx;

	if (single->given)
		return false;
	single->given = true;
	*piece = single->read;
	return true;
}

static int take_single(void *ctx, const struct rsp_read *piece)
{
	struct single *single = ctx;

	single->read.unreadable = piece->unreadable;
	return 0;
}

int rsp_read_memory(struct rsp *rsp, uint64_t addr, void *buf, size_t len)
{
	struct single single = { .read = { .addr = addr, .buf = buf, .len = len } };
	const struct rsp_stream stream = {
		.next = give_single,
		.done = take_single,
		.ctx = &single,
	};

	if (len == 0)
		return 0;
	if (rsp_stream_memory(rsp, &stream))
		return -1;
	if (single.read.unreadable)
		return rsp_fail(rsp, RSP_REFUSED, "%zu bytes at 0x%" PRIx64 " cannot be read",
			single.read.unreadable, addr);
	return 0;
}

static int set_memory_mode(struct rsp *rsp, int mode)
{
	struct rsp_reply reply;

	if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "Qqemu.PhyMemMode:%d", mode) ||
		rsp_check(rsp, &reply, "switch its memory mode"))
		return -1;
	rsp->physical = mode == 1;
	return 0;
}

static bool reads_physical_always(const struct rsp *rsp)
{
	const char *on = rsp->quirks->physical_on;

	return on && (!*on || strcmp(on, rsp->architecture) == 0);
}

static int switch_by_command(struct rsp *rsp)
{
	rsp->will->switched = true;
	if (rsp_run_command(rsp, rsp->quirks->physical_command))
		return -1;
	rsp->stub.physical_memory = true;
	return 0;
}

/* Before it is changed: whoever interrupts us then finds what there is to put back. */
static void note_mode(struct rsp *rsp)
{
	if (rsp->will->memory_mode < 0)
		rsp->will->memory_mode = rsp->physical;
}

static int switch_by_mode(struct rsp *rsp)
{
	note_mode(rsp);
	return set_memory_mode(rsp, 1);
}

void rsp_foresee_physical_memory(struct rsp *rsp)
{
	if (!rsp->memory_mode || !rsp->stub.pipelines)
		return;
	note_mode(rsp);
	rsp_ahead_add(rsp, RSP_EXPECT_ANSWER, "Qqemu.PhyMemMode:1");
}

int rsp_use_physical_memory(struct rsp *rsp)
{
	if (rsp_recognise_by_monitor(rsp))
		return -1;
	if (rsp->memory_mode)
		return switch_by_mode(rsp);
	if (rsp->quirks->physical_command)
		return switch_by_command(rsp);
	rsp->stub.physical_memory = reads_physical_always(rsp);
	if (!rsp->stub.physical_memory)
		return rsp_fail(rsp, RSP_UNSUPPORTED, "the stub reads virtual addresses only");
	return 0;
}

int rsp_use_virtual_memory(struct rsp *rsp)
{
	if (rsp_recognise_by_monitor(rsp))
		return -1;
	rsp->will->memory_mode = -1;
	rsp->will->switched = false;
	if (rsp->quirks->virtual_command)
		return rsp_run_command(rsp, rsp->quirks->virtual_command);
	return rsp->memory_mode ? set_memory_mode(rsp, 0) : 0;
}

void rsp_set_memory_base(struct rsp *rsp, uint64_t base)
{
	rsp->memory_base = base;
}
