// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/fuzz/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rsp/packet.h"
#include "tests/fuzz/fuzz.h"

enum { PATIENCE_MS = 2000, ERROR_ROOM = 512 };

/* Takes in what the client has sent, so that it never has to wait for room. */
static void hear(struct fuzz_talk *talk)
{
	char bytes[4096];
	ssize_t n;

	while ((n = recv(talk->server, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		size_t size = (size_t)n, kept = talk->tail_size;

		if (size > TALK_TAIL) {
			memcpy(talk->tail, bytes + size - TALK_TAIL, TALK_TAIL);
			talk->tail_size = TALK_TAIL;
			continue;
		}
		if (kept > TALK_TAIL - size) {
			memmove(talk->tail, talk->tail + kept - (TALK_TAIL - size),
				TALK_TAIL - size);
			kept = TALK_TAIL - size;
		}
		memcpy(talk->tail + kept, bytes, size);
		talk->tail_size = kept + size;
	}
}

static bool begins(const char *packet, size_t size, const char *with)
{
	return size >= strlen(with) && memcmp(packet, with, strlen(with)) == 0;
}

/* Reading, choosing what to read, and leaving: there is no other packet that we know. */
static bool is_harmless(const char *packet, size_t size)
{
	return size > 0 && (strchr("?gpmxq", packet[0]) || begins(packet, size, "Hg") ||
				   begins(packet, size, "QStartNoAckMode") ||
				   begins(packet, size, "vAttach;") ||
				   begins(packet, size, "Qqemu.PhyMemMode:") ||
				   (packet[0] == 'D' && (size == 1 || packet[1] == ';')));
}

static void trace(void *ctx, bool sent, const char *packet, size_t size)
{
	if (sent)
		CHECK(is_harmless(packet, size));
	hear(ctx);
}

static uint8_t *frame_lines(const uint8_t *lines, size_t size, size_t *framed_size)
{
	/* A line of no bytes becomes one of 4, and has a newline. */
	uint8_t *framed = malloc(size * RSP_FRAMING + RSP_FRAMING + 1);
	size_t used = 0;

	CHECK(framed);
	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(lines + at, '\n', size - at);
		size_t length = end ? (size_t)(end - (lines + at)) : size - at;

		if (lines[at] == '!') {
			memcpy(framed + used, lines + at + 1, length - 1);
			used += length - 1;
		} else {
			used += rsp_frame_write(framed + used, lines + at, length);
		}
		at += length + 1;
	}
	*framed_size = used;
	return framed;
}

void fuzz_talk_start(struct fuzz_talk *talk, const uint8_t *lines, size_t size)
{
	struct rsp_options options = {
		.connect_timeout_ms = PATIENCE_MS,
		.timeout_ms = PATIENCE_MS,
		.cancel_fd = -1,
		.trace = trace,
		.trace_ctx = talk,
		.first_command = "info status",
		.asks_for_cpus = true,
	};
	int pair[2], room = 1 << 20;
	size_t framed_size, sent = 0;
	uint8_t *framed = frame_lines(lines, size, &framed_size);

	*talk = (struct fuzz_talk){ .tail_size = 0 };
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	talk->server = pair[1];
	setsockopt(talk->server, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	/* What there is no room for is not said. */
	while (sent < framed_size) {
		ssize_t n = send(talk->server, framed + sent, framed_size - sent, MSG_DONTWAIT);

		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	free(framed);
	CHECK(shutdown(talk->server, SHUT_WR) == 0);
	snprintf(talk->target, sizeof(talk->target), "fd:%d", pair[0]);
	talk->rsp = rsp_create(&options);
	CHECK(talk->rsp);
}

/*
 * Nothing was sent behind the last D but the end of its frame, and to a stub without features,
 * which may be kgdb, the sign of its answer.
 */
static void check_end(const struct fuzz_talk *talk)
{
	const char *at = talk->tail, *end = talk->tail + talk->tail_size, *last = NULL;

	while ((at = memmem(at, (size_t)(end - at), "$D", 2)))
		last = at++;
	if (!last)
		return;
	at = memchr(last, '#', (size_t)(end - last));
	CHECK(at && end - at >= 3);
	CHECK(end - at == 3 ||
		(end - at == 4 && at[3] == '+' && !rsp_stub(talk->rsp)->features[0]));
}

void fuzz_talk_end(struct fuzz_talk *talk, enum rsp_after after)
{
	if (rsp_connected(talk->rsp)) {
		if (rsp_release(talk->rsp, after))
			fuzz_check_line(rsp_error(talk->rsp), ERROR_ROOM);
		CHECK(!rsp_connected(talk->rsp));
	}
	hear(talk);
	check_end(talk);
	rsp_destroy(talk->rsp);
	close(talk->server);
}

size_t fuzz_talk_put(
	uint8_t *lines, size_t used, size_t room, char letter, const uint8_t *data, size_t size)
{
	uint8_t *to = lines + used;

	if (room - used < 2 + 2 * size)
		return used;
	*to++ = (uint8_t)letter;
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n' || memchr("#$*}", data[i], 4)) {
			*to++ = '}';
			*to++ = data[i] ^ 0x20;
		} else {
			*to++ = data[i];
		}
	}
	*to++ = '\n';
	return (size_t)(to - lines);
}

bool fuzz_check_failure(const struct rsp *rsp)
{
	fuzz_check_line(rsp_error(rsp), ERROR_ROOM);
	CHECK(rsp_failure(rsp) != RSP_NOTHING_FAILED && rsp_failure(rsp) != RSP_NO_MEMORY);
	return rsp_failure(rsp) == RSP_REFUSED || rsp_failure(rsp) == RSP_UNSUPPORTED;
}
