// SPDX-License-Identifier: GPL-2.0-or-later
/* Bytes as they come from a stub: frames, run lengths, escapes, hexadecimal. */
#include <stdlib.h>
#include <string.h>

#include "rsp/hex.h"
#include "rsp/packet.h"
#include "rsp/rsp.h"
#include "tests/fuzz/fuzz.h"

enum { FRAMES_MAX = 256 };

/* What a stream of bytes was cut into, without the junk, which may come in any number of pieces. */
struct frames {
	struct rsp_frame list[FRAMES_MAX];
	size_t count;
	size_t consumed;
};

static void check_frame(const struct rsp_frame *frame, const uint8_t *bytes, size_t size)
{
	CHECK(frame->consumed <= size);
	if (frame->kind == RSP_FRAME_NONE) {
		CHECK(!frame->consumed);
		return;
	}
	CHECK(frame->consumed);
	if (frame->kind != RSP_FRAME_PACKET && frame->kind != RSP_FRAME_NOTIFICATION)
		return;
	CHECK(frame->body == bytes + 1);
	CHECK(frame->size + RSP_FRAMING == frame->consumed);
	CHECK(bytes[frame->size + 1] == '#');
	CHECK(frame->run_lengths == (memchr(frame->body, '*', frame->size) != NULL));
}

/* Parses what has arrived, `step` bytes more at a time. */
static void cut(uint8_t *bytes, size_t size, size_t step, struct frames *frames)
{
	struct rsp_scan scan = { 0 };
	size_t arrived = 0;

	*frames = (struct frames){ .count = 0 };
	while (arrived < size) {
		struct rsp_frame frame;

		arrived += step < size - arrived ? step : size - arrived;
		do {
			uint8_t *at = bytes + frames->consumed;

			frame = rsp_frame_parse(at, arrived - frames->consumed, &scan);
			check_frame(&frame, at, arrived - frames->consumed);
			frames->consumed += frame.consumed;
			if (frame.kind > RSP_FRAME_JUNK && frames->count < FRAMES_MAX)
				frames->list[frames->count++] = frame;
		} while (frame.kind != RSP_FRAME_NONE);
	}
}

static void check_same_frames(const struct frames *a, const struct frames *b)
{
	CHECK(a->count == b->count && a->consumed == b->consumed);
	for (size_t i = 0; i < a->count; i++) {
		const struct rsp_frame *x = &a->list[i], *y = &b->list[i];

		CHECK(x->kind == y->kind && x->body == y->body && x->size == y->size);
		CHECK(x->checksum_right == y->checksum_right && x->run_lengths == y->run_lengths);
	}
}

static void try_expand(const uint8_t *body, size_t size)
{
	/* The largest run is of 226 bytes. */
	size_t room = size * 128 + 256;
	uint8_t *expanded = malloc(room), *exact;
	ssize_t whole;

	CHECK(expanded);
	whole = rsp_expand(body, size, expanded, room);
	if (whole >= 0) {
		exact = malloc((size_t)whole ? (size_t)whole : 1);
		CHECK(exact && rsp_expand(body, size, exact, (size_t)whole) == whole);
		CHECK(memcmp(exact, expanded, (size_t)whole) == 0);
		CHECK(!whole || rsp_expand(body, size, exact, (size_t)whole - 1) < 0);
		free(exact);
	}
	free(expanded);
}

static void try_unescape(const uint8_t *body, size_t size)
{
	uint8_t *copy = fuzz_copy(body, size);
	size_t escapes = 0, result = rsp_unescape(copy, size);

	for (size_t i = 0; i + 1 < size; i++)
		if (body[i] == '}') {
			escapes++;
			i++;
		}
	CHECK(result == size - escapes);
	free(copy);
}

/* All ways of reading digits have one result. */
static void try_hex(const uint8_t *bytes, size_t size)
{
	uint8_t *decoded = malloc(size + 1), *other = malloc(size + 1);
	char *encoded = malloc(2 * size + 1);
	size_t length = rsp_hex_decode(bytes, size, decoded, size / 2), scanned;
	uint8_t sum = 1;

	CHECK(length <= size / 2);
	scanned = rsp_hex_scan(bytes, size, &sum);
	CHECK(scanned == size || bytes[scanned] == '#' || bytes[scanned] == '*');
	for (size_t i = 0; rsp_hex_engines[i]; i++) {
		const struct rsp_hex_engine *engine = rsp_hex_engines[i];
		uint8_t engine_sum = 1;

		if (engine->usable && !engine->usable())
			continue;
		CHECK(engine->decode(bytes, size / 2, other) == length);
		CHECK(memcmp(other, decoded, length) == 0);
		CHECK(engine->scan(bytes, size, &engine_sum) == scanned && engine_sum == sum);
	}
	if (length)
		rsp_hex_encode(decoded, length, encoded);
	CHECK(rsp_hex_decode((const uint8_t *)encoded, 2 * length, other, length) == length);
	CHECK(memcmp(other, decoded, length) == 0);
	free(decoded);
	free(other);
	free(encoded);
}

/* A frame of ours is read back, if its body has none of the protocol's own marks. */
static void try_write(const uint8_t *body, size_t size)
{
	uint8_t *framed = malloc(size + RSP_FRAMING);
	struct rsp_scan scan = { 0 };
	struct rsp_frame frame;

	CHECK(framed && rsp_frame_write(framed, body, size) == size + RSP_FRAMING);
	if (!memchr(body, '#', size) && !memchr(body, '*', size)) {
		frame = rsp_frame_parse(framed, size + RSP_FRAMING, &scan);
		CHECK(frame.kind == RSP_FRAME_PACKET && frame.checksum_right);
		CHECK(frame.size == size && memcmp(frame.body, body, size) == 0);
	}
	free(framed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct frames whole, pieces;
	uint8_t *bytes = fuzz_copy(data, size);

	cut(bytes, size, size ? size : 1, &whole);
	cut(bytes, size, 1 + size % 7, &pieces);
	check_same_frames(&whole, &pieces);
	for (size_t i = 0; i < whole.count && i < 16; i++) {
		try_expand(whole.list[i].body, whole.list[i].size);
		try_unescape(whole.list[i].body, whole.list[i].size);
		try_hex(whole.list[i].body, whole.list[i].size);
	}
	try_expand(bytes, size);
	try_unescape(bytes, size);
	try_hex(bytes, size);
	try_write(bytes, size);
	free(bytes);
	return 0;
}
