// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/xfer.h"

#include <stdlib.h>
#include <string.h>

enum {
	PIECE_SIZE_UNSTATED = 0x400, /* what gdb asked for before PacketSize was invented */
	PIECE_SIZE_MAX = 0x10000,
};

static size_t piece_size(const struct rsp *rsp)
{
	size_t packet = rsp->stub.packet_size;

	if (packet < 64)
		return PIECE_SIZE_UNSTATED;
	return packet - RSP_FRAMING < PIECE_SIZE_MAX ? packet - RSP_FRAMING : PIECE_SIZE_MAX;
}

/* Appends a piece to the object. */
static int append(struct rsp *rsp, char **text, size_t *size, const char *piece, size_t length)
{
	if (length > RSP_XFER_MAX - *size)
		return rsp_fail(rsp, RSP_CONFUSED, "an object of more than %d bytes", RSP_XFER_MAX);

	char *longer = realloc(*text, *size + length + 1);

	if (!longer)
		return rsp_fail(rsp, RSP_NO_MEMORY, "no memory");
	memcpy(longer + *size, piece, length);
	*size += length;
	longer[*size] = '\0';
	*text = longer;
	return 0;
}

int rsp_xfer_read(struct rsp *rsp, const char *object, const char *annex, char **text, size_t *size)
{
	struct rsp_reply reply;
	char *whole = NULL;
	size_t used = 0;

	for (;;) {
		if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "qXfer:%s:read:%s:%zx,%zx", object,
			    annex, used, piece_size(rsp)) ||
			rsp_check(rsp, &reply, "read its description"))
			break;

		char kind = reply.text[0];
		size_t length = rsp_unescape((uint8_t *)reply.text + 1, reply.size - 1);

		if (kind != 'l' && kind != 'm') {
			rsp_fail(rsp, RSP_CONFUSED, "a piece of an object that begins with '%c'",
				kind);
			break;
		}
		/* An empty piece that promises more would never end. */
		if (kind == 'm' && length == 0) {
			rsp_fail(rsp, RSP_CONFUSED, "an empty piece of an object");
			break;
		}
		if (append(rsp, &whole, &used, reply.text + 1, length))
			break;
		if (kind == 'l') {
			*text = whole;
			*size = used;
			return 0;
		}
	}
	free(whole);
	return -1;
}
