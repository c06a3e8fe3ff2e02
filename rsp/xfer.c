// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/xfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rsp/ahead.h"

enum {
	PIECE_SIZE_UNSTATED = 0x400, /* what gdb asked for before PacketSize was invented */
	PIECE_SIZE_MAX = 0x10000,
	AHEAD = 8, /* pieces asked for at once */
};

static const char any_piece[] = "qXfer:";

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

/* Foresees pieces where they begin if all are as long as this. */
static void foresee_pieces(struct transfer *transfer, size_t step)
{
	char body[RSP_REQUEST_MAX];

	for (size_t i = 0; i < AHEAD; i++)
		if (put_request(transfer, transfer->size + i * step, body) >= 0)
			rsp_ahead_add(transfer->rsp, RSP_EXPECT_ANSWER, "%s", body);
}

/* What QEMU puts into a packet: a letter, and bytes that may all have to be escaped. */
static size_t first_step(const struct rsp *rsp)
{
	size_t packet = rsp->stub.packet_size, piece = piece_size(rsp);
	size_t room = packet > RSP_FRAMING ? (packet - RSP_FRAMING - 1) / 2 : 0;

	return room && room < piece ? room : piece;
}

/*
 * Several are asked for at once. Behind one that is not as long as the others, and behind the end,
 * the answers are of no use.
 */
static int read_piece(struct transfer *transfer)
{
	struct rsp *rsp = transfer->rsp;
	char body[RSP_REQUEST_MAX];
	struct rsp_reply reply;

	if (put_request(transfer, transfer->size, body) < 0)
		return -1;
	if (rsp->quirks->answers_past_end && !rsp_ahead_has(rsp, body)) {
		rsp_ahead_drop(rsp, any_piece);
		foresee_pieces(transfer, transfer->size ? transfer->step : first_step(rsp));
	}
	return rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "%s", body)
	               ? -1
	               : take_piece(transfer, &reply);
}

static int read_whole(struct transfer *transfer, char **text, size_t *size)
{
	int rc = 0;

	while (!transfer->whole && rc == 0)
		rc = read_piece(transfer);
	rsp_ahead_drop(transfer->rsp, any_piece);
	if (rc) {
		free(transfer->text);
		return -1;
	}
	*text = transfer->text;
	*size = transfer->size;
	return 0;
}

void rsp_ahead_add_object(struct rsp *rsp, const char *object, const char *annex)
{
	struct transfer transfer = { .rsp = rsp, .object = object, .annex = annex };

	foresee_pieces(&transfer, first_step(rsp));
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
