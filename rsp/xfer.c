// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/xfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PIECE_SIZE_UNSTATED = 0x400, /* what gdb asked for before PacketSize was invented */
	PIECE_SIZE_MAX = 0x10000,
	AHEAD = 8, /* pieces asked for at once */
};

/* An object on its way. */
struct transfer {
	struct rsp *rsp;
	const char *object, *annex;
	const char *end; /* what the object ends with, if a stub's word is not to be trusted */
	char *text;      /* what came, with a NUL behind it */
	size_t size;
	size_t step; /* bytes that the last piece had */
	bool whole;
};

static size_t piece_size(const struct rsp *rsp)
{
	size_t packet = rsp->stub.packet_size;

	if (packet < 64)
		return PIECE_SIZE_UNSTATED;
	return packet - RSP_FRAMING < PIECE_SIZE_MAX ? packet - RSP_FRAMING : PIECE_SIZE_MAX;
}

static int append(struct transfer *transfer, const char *piece, size_t length)
{
	struct rsp *rsp = transfer->rsp;

	if (length > RSP_XFER_MAX - transfer->size)
		return rsp_fail(rsp, RSP_CONFUSED, "an object of more than %d bytes", RSP_XFER_MAX);

	char *longer = realloc(transfer->text, transfer->size + length + 1);

	if (!longer)
		return rsp_fail(rsp, RSP_NO_MEMORY, "no memory");
	memcpy(longer + transfer->size, piece, length);
	transfer->size += length;
	longer[transfer->size] = '\0';
	transfer->text = longer;
	return 0;
}

/* OpenOCD says of every piece that it is the last one, however little of the object it had room
 * for. */
static bool is_whole(const struct transfer *transfer, char kind, size_t length)
{
	if (kind != 'l')
		return false;
	return !transfer->end || length == 0 || !transfer->text ||
	       strstr(transfer->text, transfer->end);
}

static int take_piece(struct transfer *transfer, struct rsp_reply *reply)
{
	struct rsp *rsp = transfer->rsp;

	if (rsp_check(rsp, reply, "read its description"))
		return -1;

	char kind = reply->text[0];
	size_t length = rsp_unescape((uint8_t *)reply->text + 1, reply->size - 1);

	if (kind != 'l' && kind != 'm')
		return rsp_fail(
			rsp, RSP_CONFUSED, "a piece of an object that begins with '%c'", kind);
	/* An empty piece that promises more would never end. */
	if (kind == 'm' && length == 0)
		return rsp_fail(rsp, RSP_CONFUSED, "an empty piece of an object");
	transfer->step = length;
	if (append(transfer, reply->text + 1, length))
		return -1;
	transfer->whole = is_whole(transfer, kind, length);
	return 0;
}

/* The request for what begins at an offset. Returns its size, or -1. */
static int put_request(const struct transfer *transfer, size_t offset, char body[RSP_REQUEST_MAX])
{
	int size = snprintf(body, RSP_REQUEST_MAX, "qXfer:%s:read:%s:%zx,%zx", transfer->object,
		transfer->annex, offset, piece_size(transfer->rsp));

	if (size < 0 || size >= RSP_REQUEST_MAX)
		return rsp_fail(transfer->rsp, RSP_CONFUSED, "a request is too long");
	return size;
}

static int read_piece(struct transfer *transfer)
{
	char body[RSP_REQUEST_MAX];
	struct rsp_reply reply;

	if (put_request(transfer, transfer->size, body) < 0 ||
		rsp_request(transfer->rsp, RSP_EXPECT_ANSWER, &reply, "%s", body))
		return -1;
	return take_piece(transfer, &reply);
}

static int ask_for_piece(struct transfer *transfer, size_t offset)
{
	char body[RSP_REQUEST_MAX];
	int size = put_request(transfer, offset, body);

	return size < 0 ? -1 : rsp_send(transfer->rsp, body, (size_t)size);
}

/*
 * Asks for several pieces where they begin if all are as long as the last one was. Behind one that
 * is not, and behind the end, the answers are of no use; they are taken in all the same.
 */
static int read_pieces(struct transfer *transfer)
{
	struct rsp *rsp = transfer->rsp;
	size_t step = transfer->step;
	struct rsp_reply reply;

	for (size_t i = 0; i < AHEAD; i++)
		if (ask_for_piece(transfer, transfer->size + i * step))
			return -1;
	if (rsp_flush(rsp))
		return -1;
	while (rsp->due) {
		if (rsp_receive(rsp, RSP_EXPECT_ANSWER, &reply))
			return -1;
		if (transfer->whole && reply.text[0] == 'm')
			return rsp_fail(rsp, RSP_CONFUSED, "more of an object behind its end");
		if (!transfer->whole && transfer->step == step && take_piece(transfer, &reply))
			return -1;
	}
	return 0;
}

static int read_ahead(struct transfer *transfer)
{
	struct rsp *rsp = transfer->rsp;
	int rc;

	rsp->streaming = true;
	rc = read_pieces(transfer);
	if (rc)
		rsp_settle(rsp);
	rsp->streaming = false;
	return rc;
}

static int read_whole(struct transfer *transfer, char **text, size_t *size)
{
	while (!transfer->whole) {
		bool ahead = transfer->size && transfer->rsp->quirks->answers_past_end;

		if (ahead ? read_ahead(transfer) : read_piece(transfer)) {
			free(transfer->text);
			return -1;
		}
	}
	*text = transfer->text;
	*size = transfer->size;
	return 0;
}

int rsp_xfer_read(struct rsp *rsp, const char *object, const char *annex, char **text, size_t *size)
{
	struct transfer transfer = { .rsp = rsp, .object = object, .annex = annex };

	return read_whole(&transfer, text, size);
}

int rsp_read_memory_map(struct rsp *rsp, char **text, size_t *size)
{
	struct transfer transfer = {
		.rsp = rsp, .object = "memory-map", .annex = "", .end = "</memory-map>"
	};

	if (!rsp->stub.memory_map)
		return rsp_fail(rsp, RSP_UNSUPPORTED, "the stub has no memory map");
	return read_whole(&transfer, text, size);
}
