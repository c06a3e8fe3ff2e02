// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * QEMU 7.2, and by their sources later ones, runs pmemsave on its main loop and answers when it is
 * through: it opens the file, writes 4096 bytes at a time, closes it, prints a line if something
 * failed, and says OK. So one command is on its way at a time, bytes and answer are waited for
 * together, and what an OK finds in the pipe is all there will be. That the last write failed is
 * not told: bytes are counted.
 */
#include "rsp/hostpipe.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "rsp/clock.h"
#include "rsp/connection.h"
#include "rsp/hex.h"
#include "rsp/peer.h"
#include "rsp/pipe.h"

enum {
	COMMAND_MAX = 64 << 20, /* bytes that one asks for; HMP takes less than 4 GiB */
	PIECES_MAX = 1024,
	VECTOR_MAX = 16,
	PAUSE_NS = 100000, /* QEMU writes 200 KiB meanwhile, and the pipe has room for 1 MiB */
};

struct rsp_hostpipe {
	struct rsp *rsp;
	struct rsp_pipe ends;
	const struct rsp_stream *stream;
	struct rsp_read pieces[PIECES_MAX]; /* a ring, in the order in which they come */
	size_t first, count;
	size_t filled; /* bytes, counted from the start of the first piece */

	/* The command that is on its way. */
	size_t due; /* bytes of it that have not come yet */
	bool answered;
	size_t printed;      /* bytes */
	char complaint[200]; /* the start of what was printed */
};

static struct rsp_read *piece_at(struct rsp_hostpipe *hostpipe, size_t index)
{
	return &hostpipe->pieces[(hostpipe->first + index) % PIECES_MAX];
}

static bool fetch_piece(struct rsp_hostpipe *hostpipe)
{
	struct rsp_read *piece = piece_at(hostpipe, hostpipe->count);

	if (hostpipe->count == PIECES_MAX)
		return false;
	memset(piece, 0, sizeof(*piece));
	if (!hostpipe->stream->next(hostpipe->stream->ctx, piece))
		return false;
	hostpipe->count++;
	return true;
}

/*
 * What the next command asks for: what is left of the pieces at hand, as long as each begins where
 * the one in front of it ends, as what lies between may be a device. Returns 0 if there is nothing.
 */
static size_t choose_range(struct rsp_hostpipe *hostpipe, uint64_t *start)
{
	size_t size = 0;

	for (size_t i = 0; size < COMMAND_MAX; i++) {
		if (i == hostpipe->count && !fetch_piece(hostpipe))
			break;

		const struct rsp_read *piece = piece_at(hostpipe, i);
		size_t filled = i == 0 ? hostpipe->filled : 0;

		if (i == 0)
			*start = piece->addr + filled;
		else if (piece->addr != *start + size)
			break;
		size += piece->len - filled;
	}
	return size < COMMAND_MAX ? size : COMMAND_MAX;
}

static int send_command(struct rsp_hostpipe *hostpipe, uint64_t start, size_t size)
{
	static const char request[] = "qRcmd,";
	char command[128], body[sizeof(request) + 2 * sizeof(command)];
	/* The path has no characters that mean something within the quotes. */
	size_t length = (size_t)snprintf(command, sizeof(command),
		"pmemsave 0x%" PRIx64 " %zu \"%s\"", start, size, hostpipe->ends.path);

	memcpy(body, request, strlen(request));
	rsp_hex_encode(command, length, body + strlen(request));
	hostpipe->due = size;
	hostpipe->answered = false;
	hostpipe->printed = 0;
	hostpipe->complaint[0] = '\0';
	if (rsp_send(hostpipe->rsp, body, strlen(request) + 2 * length))
		return -1;
	hostpipe->rsp->expected = RSP_EXPECT_OUTPUT;
	return rsp_flush(hostpipe->rsp);
}

static int take_output(struct rsp_hostpipe *hostpipe, const char *hex, size_t digits)
{
	size_t used = strlen(hostpipe->complaint);

	used += rsp_hex_decode((const uint8_t *)hex, digits, (uint8_t *)hostpipe->complaint + used,
		sizeof(hostpipe->complaint) - 1 - used);
	hostpipe->complaint[used] = '\0';
	hostpipe->printed += digits / 2;
	/* As good as lost: there is no end to be waited for. */
	if (hostpipe->printed > RSP_MONITOR_MAX)
		return rsp_fail(hostpipe->rsp, RSP_LOST, "a monitor command printed over %d bytes",
			RSP_MONITOR_MAX);
	return 0;
}

/* Takes in what has come of the answer. */
static int take_answer(struct rsp_hostpipe *hostpipe)
{
	struct rsp *rsp = hostpipe->rsp;
	struct rsp_reply reply;
	int rc = 0;

	while (!hostpipe->answered &&
		(rc = rsp_receive_ready(rsp, RSP_EXPECT_OUTPUT, &reply)) > 0) {
		if (reply.size > 1 && reply.text[0] == 'O' && !rsp_is(&reply, "OK")) {
			if (take_output(hostpipe, reply.text + 1, reply.size - 1))
				return -1;
			continue;
		}
		rsp->due--;
		hostpipe->answered = true;
		if (rsp_check(rsp, &reply, "run monitor commands"))
			return -1;
		if (!rsp_is(&reply, "OK"))
			return rsp_fail(rsp, RSP_CONFUSED, "the stub answers %.40s to pmemsave",
				reply.text);
	}
	return rc < 0 ? -1 : 0;
}

/* Reads what is in the pipe into the pieces. Returns how many bytes that was, -1 on failure. */
static ssize_t take_bytes(struct rsp_hostpipe *hostpipe)
{
	struct iovec vector[VECTOR_MAX];
	size_t room = 0, skip = hostpipe->filled;
	uint8_t more;
	int used = 0;
	ssize_t n;

	for (size_t i = 0; room < hostpipe->due && used < VECTOR_MAX; i++) {
		const struct rsp_read *piece = piece_at(hostpipe, i);
		size_t len = piece->len - skip;

		if (len > hostpipe->due - room)
			len = hostpipe->due - room;
		vector[used++] = (struct iovec){ (uint8_t *)piece->buf + skip, len };
		room += len;
		skip = 0;
	}
	if (room == 0)
		vector[used++] = (struct iovec){ &more, sizeof(more) };
	do
		n = readv(hostpipe->ends.read_end, vector, used);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		return rsp_fail(hostpipe->rsp, RSP_CONFUSED, "the pipe: %s", strerror(errno));
	if (n > 0 && room == 0)
		return rsp_fail(hostpipe->rsp, RSP_CONFUSED,
			"more memory came through the pipe than was asked for");
	hostpipe->rsp->heard = rsp_clock_now();
	hostpipe->filled += (size_t)n;
	hostpipe->due -= (size_t)n;
	return n;
}

/* Hands back the pieces that are complete. Returns what done() returned if that was not 0. */
static int finish_pieces(struct rsp_hostpipe *hostpipe)
{
	const struct rsp_read *piece = piece_at(hostpipe, 0);
	int rc = 0;

	for (; rc == 0 && hostpipe->count && hostpipe->filled >= piece->len;
		piece = piece_at(hostpipe, 0)) {
		hostpipe->filled -= piece->len;
		hostpipe->first = (hostpipe->first + 1) % PIECES_MAX;
		hostpipe->count--;
		rc = hostpipe->stream->done(hostpipe->stream->ctx, piece);
	}
	return rc;
}

/*
 * Waits for bytes or for a part of the answer, no longer than a stub may be silent. Where bytes
 * came just now, more are coming: they are left to themselves for a moment, in which there is room
 * for them. Else QEMU would wake us for each 4096 of them, which costs more than they do.
 */
static int wait_for_more(struct rsp_hostpipe *hostpipe, bool coming)
{
	struct rsp *rsp = hostpipe->rsp;
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct pollfd polls[] = {
		{ .fd = rsp->link.fd, .events = POLLIN },
		{ .fd = rsp->options.cancel_fd, .events = POLLIN },
		{ .fd = hostpipe->ends.read_end, .events = POLLIN },
	};
	int n = coming ? ppoll(polls, 2, &pause, NULL)
	               : poll(polls, 3, rsp_clock_left(rsp->heard + rsp->options.timeout_ms));

	if (n < 0 && errno == EINTR)
		return 0;
	/* What the connection has to say to a packet, to silence and to an interruption. */
	if (n < 0 || (n == 0 && !coming) || polls[0].revents || polls[1].revents)
		return rsp_wait(rsp);
	return 0;
}

static int judge_command(struct rsp_hostpipe *hostpipe)
{
	char *complaint = hostpipe->complaint;

	complaint[strcspn(complaint, "\r\n")] = '\0';
	if (hostpipe->printed)
		return rsp_fail(
			hostpipe->rsp, RSP_REFUSED, "the stub's monitor says: %s", complaint);
	if (hostpipe->due)
		return rsp_fail(hostpipe->rsp, RSP_CONFUSED,
			"%zu bytes of memory did not come through the pipe", hostpipe->due);
	return 0;
}

static int run_command(struct rsp_hostpipe *hostpipe, uint64_t start, size_t size)
{
	if (send_command(hostpipe, start, size))
		return -1;
	for (;;) {
		/* Before reading: what the stub wrote before its answer is there to be read then.
		 */
		bool over = hostpipe->answered;
		ssize_t n = take_bytes(hostpipe);
		int rc = n > 0 ? finish_pieces(hostpipe) : 0;

		if (n < 0 || rc)
			return n < 0 ? -1 : rc;
		if (over && n == 0)
			return judge_command(hostpipe);
		if (!over && (wait_for_more(hostpipe, n > 0) || take_answer(hostpipe)))
			return -1;
	}
}

/* Ends the command that may be on its way by reading no more, and takes in the answer to it. */
static void give_up(struct rsp_hostpipe *hostpipe)
{
	rsp_pipe_hang_up(&hostpipe->ends);
	rsp_settle(hostpipe->rsp);
}

static int run(struct rsp_hostpipe *hostpipe, const struct rsp_stream *stream)
{
	uint64_t start = 0;
	size_t size;
	int rc = 0;

	hostpipe->stream = stream;
	while (rc == 0 && (size = choose_range(hostpipe, &start)) > 0)
		rc = run_command(hostpipe, start, size);
	if (rc)
		give_up(hostpipe);
	return rc;
}

/* ---- the rest by ordinary reads -------------------------------------------------------------- */

static bool give_rest(void *ctx, struct rsp_read *piece)
{
	struct rsp_hostpipe *hostpipe = ctx;

	if (hostpipe->count == 0)
		return hostpipe->stream->next(hostpipe->stream->ctx, piece);
	*piece = *piece_at(hostpipe, 0);
	hostpipe->first = (hostpipe->first + 1) % PIECES_MAX;
	hostpipe->count--;
	return true;
}

static int take_rest(void *ctx, const struct rsp_read *piece)
{
	struct rsp_hostpipe *hostpipe = ctx;

	return hostpipe->stream->done(hostpipe->stream->ctx, piece);
}

static void note_unreadable(void *ctx, uint64_t addr, size_t len)
{
	struct rsp_hostpipe *hostpipe = ctx;

	if (hostpipe->stream->unreadable)
		hostpipe->stream->unreadable(hostpipe->stream->ctx, addr, len);
}

static int read_rest(struct rsp_hostpipe *hostpipe, const struct rsp_stream *stream)
{
	const struct rsp_stream rest = {
		.next = give_rest,
		.done = take_rest,
		.unreadable = note_unreadable,
		.ctx = hostpipe,
	};

	hostpipe->stream = stream;
	return rsp_stream_memory(hostpipe->rsp, &rest);
}

/* A pipe that is short of bytes says nothing of the connection. */
static bool may_read_rest(struct rsp *rsp)
{
	return rsp->failure == RSP_REFUSED || (rsp->failure == RSP_LOST && rsp_recover(rsp) == 0);
}

int rsp_hostpipe_stream(struct rsp_hostpipe *hostpipe, const struct rsp_stream *stream)
{
	int rc;

	if (hostpipe->ends.read_end < 0)
		return rsp_stream_memory(hostpipe->rsp, stream);
	rc = run(hostpipe, stream);
	if (rc < 0 && may_read_rest(hostpipe->rsp))
		rc = read_rest(hostpipe, stream);
	hostpipe->count = hostpipe->filled = 0;
	return rc;
}

/* ---- coming and going ------------------------------------------------------------------------ */

struct proof {
	struct rsp_read page;
	bool given;
};

static bool give_proof(void *ctx, struct rsp_read *piece)
{
	struct proof *proof = ctx;

	if (proof->given)
		return false;
	proof->given = true;
	*piece = proof->page;
	return true;
}

static int take_proof(void *ctx, const struct rsp_read *piece)
{
	(void)ctx;
	(void)piece;
	return 0;
}

static int prove(struct rsp_hostpipe *hostpipe, uint64_t addr)
{
	uint8_t expected[RSP_HOSTPIPE_PROOF], page[RSP_HOSTPIPE_PROOF] = { 0 };
	struct proof proof = { .page = { .addr = addr, .len = sizeof(page), .buf = page } };
	const struct rsp_stream stream = {
		.next = give_proof,
		.done = take_proof,
		.ctx = &proof,
	};

	if (rsp_read_memory(hostpipe->rsp, addr, expected, sizeof(expected)) ||
		run(hostpipe, &stream))
		return -1;
	if (memcmp(page, expected, sizeof(page)) != 0)
		return rsp_fail(hostpipe->rsp, RSP_CONFUSED,
			"other memory comes through the pipe than by the protocol");
	return 0;
}

struct rsp_hostpipe *rsp_hostpipe_open(struct rsp *rsp, uint64_t addr)
{
	struct rsp_hostpipe *hostpipe;
	char why[160];

	if (!rsp->quirks || !rsp->quirks->has_host_commands) {
		rsp_fail(rsp, RSP_UNSUPPORTED, "the stub's monitor has no pmemsave");
		return NULL;
	}
	if (!rsp_peer_is_local(&rsp->link)) {
		rsp_fail(rsp, RSP_UNSUPPORTED, "the stub is on another host");
		return NULL;
	}
	hostpipe = calloc(1, sizeof(*hostpipe));
	if (!hostpipe) {
		rsp_fail(rsp, RSP_NO_MEMORY, "no memory");
		return NULL;
	}
	hostpipe->rsp = rsp;
	if (rsp_pipe_open(&hostpipe->ends, why, sizeof(why))) {
		rsp_fail(rsp, RSP_UNSUPPORTED, "no pipe: %s", why);
		free(hostpipe);
		return NULL;
	}
	if (prove(hostpipe, addr)) {
		rsp_hostpipe_close(hostpipe);
		return NULL;
	}
	return hostpipe;
}

void rsp_hostpipe_close(struct rsp_hostpipe *hostpipe)
{
	if (!hostpipe)
		return;
	rsp_pipe_close(&hostpipe->ends);
	free(hostpipe);
}
