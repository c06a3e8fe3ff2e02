// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The last words with a stub. We may be killed in the middle of them: rsp->will tells whoever then
 * holds the connection how far they have got.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rsp/ahead.h"
#include "rsp/clock.h"
#include "rsp/connection.h"
#include "rsp/hex.h"

enum {
	FAREWELL_MAX = 512, /* bytes of an answer to the last D, with what may be in front of it */
	PEEK_PAUSE_MS = 1,
	CANCELLED_PATIENCE_MS = 1000, /* with a stub that has not answered yet */
};

/* Makes rsp->processes known, if they are not. Returns how many: 0 if they cannot be listed. */
static size_t learn_processes(struct rsp *rsp)
{
	struct rsp_thread *threads = NULL;
	size_t count;

	if (!rsp->process_count && rsp_list_threads(rsp, &threads, &count) == 0)
		free(threads);
	return rsp->process_count;
}

/* The first whole packet among bytes; of kind RSP_FRAME_NONE if there is none. */
static struct rsp_frame find_packet(uint8_t *bytes, size_t size)
{
	struct rsp_scan scan = { 0 };
	struct rsp_frame frame;

	do {
		frame = rsp_frame_parse(bytes, size, &scan);
		bytes += frame.consumed;
		size -= frame.consumed;
	} while (frame.kind != RSP_FRAME_NONE && frame.kind != RSP_FRAME_PACKET);
	return frame;
}

enum rsp_farewell rsp_await_farewell(struct rsp *rsp)
{
	uint64_t deadline = rsp_clock_now() + rsp->options.timeout_ms;
	uint8_t bytes[FAREWELL_MAX];

	for (;;) {
		struct pollfd input = { .fd = rsp->link.fd, .events = POLLIN };
		int n = poll(&input, 1, rsp_clock_left(deadline));
		ssize_t size = n > 0 ? rsp_link_peek(&rsp->link, bytes, sizeof(bytes)) : -1;
		struct rsp_frame frame = find_packet(bytes, size > 0 ? (size_t)size : 0);

		if (n == 0)
			return RSP_FAREWELL_NOTHING;
		if (frame.kind == RSP_FRAME_PACKET && frame.checksum_right && frame.size == 2 &&
			memcmp(frame.body, "OK", 2) == 0)
			return RSP_FAREWELL_OK;
		/* Something else, the end, or a link that cannot be looked into */
		if (frame.kind == RSP_FRAME_PACKET || size == 0 || size == sizeof(bytes) ||
			(size < 0 && n > 0 && errno != EINTR && errno != EAGAIN))
			return RSP_FAREWELL_OTHER;
		/* Only a part of it has come: poll() would not wait for more. */
		if (n > 0)
			poll(NULL, 0, PEEK_PAUSE_MS);
		if (rsp_clock_left(deadline) == 0)
			return RSP_FAREWELL_NOTHING;
	}
}

void rsp_sign_farewell(struct rsp *rsp)
{
	if (!rsp->will->signs_farewell)
		return;
	rsp->output[rsp->out_end++] = '+';
	/* Whoever did not wait for it may be gone by now. */
	rsp_flush(rsp);
	rsp_link_drain(&rsp->link);
}

/*
 * The last request of all. Its answer is looked at, but stays in the socket: while it is there, it
 * is plain that the guest runs, should we be killed before we have closed.
 */
static int say_farewell(struct rsp *rsp, const char *body)
{
	struct rsp_reply reply;

	rsp->will->said_farewell = true;
	if (rsp_send(rsp, body, strlen(body)) || rsp_flush(rsp))
		return -1;
	rsp_link_set_mark(&rsp->link, 1);
	if (rsp->in_start == rsp->in_end && rsp_await_farewell(rsp) == RSP_FAREWELL_OK) {
		rsp->due = 0;
		if (rsp->options.trace)
			rsp->options.trace(rsp->options.trace_ctx, false, "OK", 2);
		rsp_sign_farewell(rsp);
		return 0;
	}
	if (rsp_receive(rsp, RSP_EXPECT_ANSWER, &reply))
		return -1;
	if (rsp_check(rsp, &reply, "detach")) {
		rsp->will->said_farewell = false;
		return -1;
	}
	/* What cannot be looked into has it no longer. */
	rsp->will->heard_farewell = true;
	rsp_sign_farewell(rsp);
	return 0;
}

/*
 * kgdb (Linux 6.1, put_packet() in kernel/debug/gdbstub.c) lets the kernel run only when the answer
 * to `D`, too, has its sign. It says nothing of itself by which it could be told from Xen's gdbsx
 * and Bochs; but they wait for signs as well.
 */
static int learn_custom(struct rsp *rsp)
{
	struct rsp_reply reply;

	/* Whoever was interrupted right at the beginning does not know what the stub said. */
	if (!rsp->features_known) {
		if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "qSupported"))
			return -1;
		snprintf(rsp->stub.features, sizeof(rsp->stub.features), "%s", reply.text);
		rsp->features_known = true;
	}
	rsp->will->signs_farewell = !rsp->stub.features[0];
	return 0;
}

/*
 * Nothing may be sent behind the last `D`, not even the acknowledgement of its answer: QEMU 7.2 to
 * 11.1 dies of a request then, and any byte stops the guest again. But see learn_custom().
 */
static int detach(struct rsp *rsp)
{
	size_t count = rsp->stub.multiprocess ? learn_processes(rsp) : 0;
	struct rsp_reply reply;
	char last[2 + RSP_HEX_NUMBER_MAX + 1] = "D";

	if (learn_custom(rsp))
		return -1;
	rsp->streaming = true;
	rsp->will->said_farewell = rsp->quirks->deaf_to_detach;
	if (rsp->quirks->deaf_to_detach)
		return rsp_send(rsp, "D", 1) || rsp_flush(rsp) ? -1 : 0;
	for (size_t i = 0; i + 1 < count; i++)
		if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "D;%llx",
			    (unsigned long long)rsp->processes[i]) ||
			rsp_check(rsp, &reply, "detach"))
			return -1;
	if (count)
		snprintf(last, sizeof(last), "D;%llx",
			(unsigned long long)rsp->processes[count - 1]);
	if (say_farewell(rsp, last) == 0)
		return 0;
	/* QEMU wants a process, of which it has one, if we could not learn which there are. */
	return count || rsp->failure != RSP_REFUSED ? -1 : say_farewell(rsp, "D;1");
}

static int restore_memory_mode(struct rsp *rsp)
{
	struct rsp_reply reply;

	if (rsp->will->switched) {
		rsp->will->switched = false;
		return rsp_run_command(rsp, rsp->quirks->virtual_command);
	}
	if (rsp->will->memory_mode < 0)
		return 0;
	if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "Qqemu.PhyMemMode:%d",
		    rsp->will->memory_mode) ||
		rsp_check(rsp, &reply, "put its memory mode back"))
		return -1;
	rsp->will->memory_mode = -1;
	return 0;
}

/*
 * Nobody has answered, but somebody may when we are gone: QEMU leaves a second client waiting, and
 * when the first one has gone takes up the connection, though it is closed by then, and stops the
 * guest for it. What lies in the connection to be read then lets the guest run.
 */
static void leave_word(struct rsp *rsp)
{
	static const char word[] = "D;1";

	if (rsp_send(rsp, word, strlen(word)) == 0)
		rsp_push(rsp);
}

int rsp_release(struct rsp *rsp, enum rsp_after after)
{
	/* Whoever gave no answer is not waited for again. */
	bool given_up = !rsp->answered && rsp->failure == RSP_UNREACHABLE;
	int rc = -1;

	rsp->uninterrupted = true;
	rsp_ahead_drop(rsp, NULL);
	/* Nor for long, where somebody wants us to end. */
	if (!rsp->answered && rsp->failure == RSP_CANCELLED &&
		rsp->options.connect_timeout_ms > CANCELLED_PATIENCE_MS)
		rsp->options.connect_timeout_ms = CANCELLED_PATIENCE_MS;
	if (rsp->link.fd < 0) {
		rsp_fail(rsp, RSP_LOST, "not connected");
	} else if (!given_up && rsp_drain(rsp) == 0) {
		rc = restore_memory_mode(rsp);
		/* A stub that keeps its mode can let the guest run all the same. */
		if (after == RSP_RESUME && (rc == 0 || rsp->failure == RSP_REFUSED) && detach(rsp))
			rc = -1;
	} else if (!rsp->answered && rsp->failure != RSP_LOST) {
		if (after == RSP_RESUME && !rsp->junk_size)
			leave_word(rsp);
		rc = 0;
	}
	rsp_link_close(&rsp->link);
	rsp->uninterrupted = false;
	return rc;
}
