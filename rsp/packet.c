// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/packet.h"

#include <string.h>

static const char hex_digits[16] = "0123456789abcdef";

enum { CHECKSUM_DIGITS = 2, RUN_COUNT_OFFSET = 29, ESCAPE_FLIP = 0x20 };

int rsp_hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static uint8_t checksum(const uint8_t *body, size_t size)
{
	unsigned sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += body[i];
	return (uint8_t)sum;
}

/*
 * The '#' that ends a body, or NULL. One behind a '*' may be the count of a run, which only
 * a look from the start can tell.
 */
static uint8_t *find_end(uint8_t *body, uint8_t *end, uint8_t *from)
{
	uint8_t *hash = memchr(from, '#', (size_t)(end - from));

	if (!hash || hash == body || hash[-1] != '*')
		return hash;
	for (uint8_t *at = body; at < end; at++) {
		if (*at == '#')
			return at;
		if (*at == '*')
			at++;
	}
	return NULL;
}

static struct rsp_frame parse_packet(uint8_t *bytes, size_t size, size_t *scanned)
{
	struct rsp_frame frame = { .kind = RSP_FRAME_NONE };
	uint8_t *body = bytes + 1;
	uint8_t *end = bytes + size;
	uint8_t *hash = find_end(body, end, *scanned > 1 ? bytes + *scanned : body);

	if (!hash) {
		*scanned = size;
		return frame;
	}
	/* Stay in front of the '#', which is found again at once. */
	*scanned = (size_t)(hash - bytes);
	if (end - hash <= CHECKSUM_DIGITS)
		return frame;

	int high = rsp_hex_digit(hash[1]);
	int low = rsp_hex_digit(hash[2]);

	*scanned = 0;
	frame.kind = bytes[0] == '$' ? RSP_FRAME_PACKET : RSP_FRAME_NOTIFICATION;
	frame.consumed = (size_t)(hash - bytes) + 1 + CHECKSUM_DIGITS;
	frame.body = body;
	frame.size = (size_t)(hash - body);
	frame.checksum_right = high >= 0 && low >= 0 &&
	                       checksum(body, frame.size) == (uint8_t)(high << 4 | low);
	frame.run_lengths = memchr(body, '*', frame.size) != NULL;
	return frame;
}

static bool starts_frame(uint8_t c)
{
	return c == '$' || c == '%' || c == '+' || c == '-';
}

struct rsp_frame rsp_frame_parse(uint8_t *bytes, size_t size, size_t *scanned)
{
	struct rsp_frame frame = { .kind = RSP_FRAME_NONE };

	if (size == 0)
		return frame;
	switch (bytes[0]) {
	case '$':
	case '%':
		return parse_packet(bytes, size, scanned);
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
	uint8_t sum = checksum(body, size);

	to[0] = '$';
	memcpy(to + 1, body, size);
	to[size + 1] = '#';
	to[size + 2] = (uint8_t)hex_digits[sum >> 4];
	to[size + 3] = (uint8_t)hex_digits[sum & 15];
	return size + RSP_FRAMING;
}

/* The value of each digit, 0xff for what is none: the inner loop of every memory read. */
/* clang-format off */
static const uint8_t digit_values[256] = {
	[0 ... '0' - 1] = 0xff, ['9' + 1 ... 'A' - 1] = 0xff, ['F' + 1 ... 'a' - 1] = 0xff,
	['f' + 1 ... 255] = 0xff,
	['0'] = 0, ['1'] = 1, ['2'] = 2, ['3'] = 3, ['4'] = 4,
	['5'] = 5, ['6'] = 6, ['7'] = 7, ['8'] = 8, ['9'] = 9,
	['a'] = 10, ['b'] = 11, ['c'] = 12, ['d'] = 13, ['e'] = 14, ['f'] = 15,
	['A'] = 10, ['B'] = 11, ['C'] = 12, ['D'] = 13, ['E'] = 14, ['F'] = 15,
};
/* clang-format on */

size_t rsp_hex_decode(const uint8_t *hex, size_t size, uint8_t *to, size_t room)
{
	size_t pairs = size / 2 < room ? size / 2 : room;

	for (size_t i = 0; i < pairs; i++) {
		unsigned high = digit_values[hex[2 * i]];
		unsigned low = digit_values[hex[2 * i + 1]];

		if ((high | low) & 0xf0)
			return i;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return pairs;
}

void rsp_hex_encode(const void *bytes, size_t size, char *to)
{
	const uint8_t *from = bytes;

	for (size_t i = 0; i < size; i++) {
		to[2 * i] = hex_digits[from[i] >> 4];
		to[2 * i + 1] = hex_digits[from[i] & 15];
	}
}
