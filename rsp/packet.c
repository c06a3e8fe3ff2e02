// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/packet.h"

#include <string.h>

#include "rsp/hex.h"

enum { CHECKSUM_DIGITS = 2, RUN_COUNT_OFFSET = 29, ESCAPE_FLIP = 0x20 };

/* Goes on to the '#' that ends the packet; false if it is not there yet. */
static bool find_end(const uint8_t *bytes, size_t size, struct rsp_scan *scan)
{
	for (;;) {
		scan->size += rsp_hex_scan(bytes + scan->size, size - scan->size, &scan->sum);
		if (scan->size == size)
			return false;
		if (bytes[scan->size] == '#')
			return true;
		/* The byte behind a '*' is a count, also if it is a '#' or another '*'. */
		if (size - scan->size < 2)
			return false;
		scan->sum += (uint8_t)(bytes[scan->size] + bytes[scan->size + 1]);
		scan->size += 2;
		scan->run_lengths = true;
	}
}

static struct rsp_frame parse_packet(uint8_t *bytes, size_t size, struct rsp_scan *scan)
{
	struct rsp_frame frame = { .kind = RSP_FRAME_NONE };

	if (!find_end(bytes + 1, size - 1, scan) || size - 1 - scan->size <= CHECKSUM_DIGITS)
		return frame;

	const uint8_t *hash = bytes + 1 + scan->size;
	int high = rsp_hex_digit(hash[1]);
	int low = rsp_hex_digit(hash[2]);

	frame.kind = bytes[0] == '$' ? RSP_FRAME_PACKET : RSP_FRAME_NOTIFICATION;
	frame.consumed = 1 + scan->size + 1 + CHECKSUM_DIGITS;
	frame.body = bytes + 1;
	frame.size = scan->size;
	frame.checksum_right = high >= 0 && low >= 0 && scan->sum == (high << 4 | low);
	frame.run_lengths = scan->run_lengths;
	*scan = (struct rsp_scan){ 0 };
	return frame;
}

static bool starts_frame(uint8_t c)
{
	return c == '$' || c == '%' || c == '+' || c == '-';
}

struct rsp_frame rsp_frame_parse(uint8_t *bytes, size_t size, struct rsp_scan *scan)
{
	struct rsp_frame frame = { .kind = RSP_FRAME_NONE };

	if (size == 0)
		return frame;
	switch (bytes[0]) {
	case '$':
	case '%':
		return parse_packet(bytes, size, scan);
	case '+':
		frame.kind = RSP_FRAME_ACK;
		frame.consumed = 1;
		return frame;
	case '-':
		frame.kind = RSP_FRAME_NACK;
		frame.consumed = 1;
		return frame;
	default:
		frame.kind = RSP_FRAME_JUNK;
		while (frame.consumed < size && !starts_frame(bytes[frame.consumed]))
			frame.consumed++;
		return frame;
	}
}

ssize_t rsp_expand(const uint8_t *body, size_t size, uint8_t *to, size_t room)
{
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		size_t count = 1;
		uint8_t c = body[i];

		if (c == '*') {
			if (used == 0 || i + 1 == size || body[i + 1] <= RUN_COUNT_OFFSET)
				return -1;
			i++;
			c = to[used - 1];
			count = (size_t)body[i] - RUN_COUNT_OFFSET;
		}
		if (count > room - used)
			return -1;
		memset(to + used, c, count);
		used += count;
	}
	return (ssize_t)used;
}

size_t rsp_unescape(uint8_t *bytes, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == '}' && i + 1 < size)
			bytes[used++] = bytes[++i] ^ ESCAPE_FLIP;
		else
			bytes[used++] = bytes[i];
	}
	return used;
}

size_t rsp_frame_write(uint8_t *to, const void *body, size_t size)
{
	uint8_t sum = 0;

	to[0] = '$';
	memcpy(to + 1, body, size);
	for (size_t i = 1; i <= size; i++)
		sum += to[i];
	to[size + 1] = '#';
	rsp_hex_encode(&sum, 1, (char *)to + size + 2);
	return size + RSP_FRAMING;
}
