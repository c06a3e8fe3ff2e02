// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/connection.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rsp/ahead.h"
#include "rsp/clock.h"
#include "rsp/hex.h"

enum {
	REPEATS_MAX = 3,       /* of one damaged packet */
	CHATTER_MAX = 4 << 20, /* bytes between two answers that are none */
};

int rsp_fail(struct rsp *rsp, enum rsp_failure failure, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(rsp->error, sizeof(rsp->error), format, args);
	va_end(args);
	for (char *c = rsp->error; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	rsp->failure = failure;
	return -1;
}

int rsp_fail_unanswered(struct rsp *rsp, const char *what)
{
	if (rsp->junk_size)
		return rsp_fail(rsp, RSP_UNREACHABLE,
			"what answers there is no gdb stub: it sent \"%.*s\"", (int)rsp->junk_size,
			rsp->junk);
	return rsp_fail(rsp, RSP_UNREACHABLE, "%s", what);
}

static int queue(struct rsp *rsp, const void *bytes, size_t size)
{
	if (RSP_OUTPUT_SIZE - rsp->out_end < size) {
		memmove(rsp->output, rsp->output + rsp->out_start, rsp->out_end - rsp->out_start);
		rsp->out_end -= rsp->out_start;
		rsp->out_start = 0;
	}
	while (RSP_OUTPUT_SIZE - rsp->out_end < size)
		if (rsp_flush(rsp))
			return -1;
	memcpy(rsp->output + rsp->out_end, bytes, size);
	rsp->out_end += size;
	return 0;
}

static void trace(struct rsp *rsp, bool sent, const char *packet, size_t size)
{
	if (rsp->options.trace)
		rsp->options.trace(rsp->options.trace_ctx, sent, packet, size);
}

/* Queues a packet that is no new request: a repetition. */
static int queue_packet(struct rsp *rsp, const char *body, size_t size)
{
	uint8_t frame[RSP_REQUEST_MAX + RSP_FRAMING];

	if (rsp->link.fd < 0)
		return rsp_fail(rsp, RSP_LOST, "not connected");
	if (size > RSP_REQUEST_MAX)
		return rsp_fail(rsp, RSP_CONFUSED, "a request of %zu bytes is too long", size);
	trace(rsp, true, body, size);
	return queue(rsp, frame, rsp_frame_write(frame, body, size));
}

int rsp_send(struct rsp *rsp, const char *body, size_t size)
{
	if (queue_packet(rsp, body, size))
		return -1;
	if (rsp->due++ == 0)
		rsp->heard = rsp_clock_now();
	rsp->expected = RSP_EXPECT_ANSWER;
	return 0;
}

static int acknowledge(struct rsp *rsp, char sign)
{
	if (rsp->stub.no_ack || rsp->streaming)
		return 0;
	/*
	 * At once and by itself: gem5 throws away all that waits before it reads the sign. Not
	 * waiting for room to send: QEMU reads no signs while it prints, and a unix socket has room
	 * for less than 300 of them.
	 */
	return queue(rsp, &sign, 1) || rsp_push(rsp) ? -1 : 0;
}

/* The first line of what came in place of a packet. */
static void keep_junk(struct rsp *rsp, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size && !rsp->answered && !rsp->junk_line_ended; i++) {
		if (bytes[i] < ' ' || rsp->junk_size == sizeof(rsp->junk))
			rsp->junk_line_ended = rsp->junk_size > 0;
		else
			rsp->junk[rsp->junk_size++] = (char)bytes[i];
	}
}

/* An answer came, but cannot be understood: it is due no longer. */
static int lose_answer(struct rsp *rsp, const char *why)
{
	if (rsp->due && rsp->answered && rsp->expected != RSP_EXPECT_OUTPUT)
		rsp_step_end(rsp);
	rsp->step.lost = true;
	return rsp_fail(rsp, RSP_CONFUSED, "%s", why);
}

/*
 * Asks for a damaged packet once more. Not by repeating the request, which may be one that moves
 * on: qsThreadInfo. Not for a part of a monitor's output: QEMU does not wait for signs there, and
 * what it repeats is the last part. Not from a stub of which nothing is known yet: those made with
 * the Rust gdbstub crate end at a '-'.
 */
static int ask_again(struct rsp *rsp)
{
	rsp->repeat = !rsp->answered;
	if (rsp->stub.no_ack || rsp->streaming || rsp->expected == RSP_EXPECT_OUTPUT ||
		rsp->repeat || rsp->damaged == REPEATS_MAX)
		return lose_answer(rsp, "a packet with a wrong checksum came");
	rsp->damaged++;
	return acknowledge(rsp, '-');
}

/* Counts what is passed over. */
static int endure(struct rsp *rsp, size_t size)
{
	rsp->chatter += size;
	if (rsp->chatter > CHATTER_MAX)
		return rsp_fail(
			rsp, RSP_CONFUSED, "the stub talks without end, but gives no answer");
	return 0;
}

static bool is_stop(const struct rsp_reply *reply)
{
	return reply->size >= 3 && (reply->text[0] == 'T' || reply->text[0] == 'S') &&
	       rsp_hex_digit((uint8_t)reply->text[1]) >= 0 &&
	       rsp_hex_digit((uint8_t)reply->text[2]) >= 0;
}

bool rsp_is_output(const struct rsp_reply *reply)
{
	return reply->size > 1 && reply->text[0] == 'O' && !rsp_is(reply, "OK");
}

/* Answers to `x` and qXfer begin so. */
static bool may_be_binary(const struct rsp_reply *reply)
{
	return reply->text[0] == 'b' || reply->text[0] == 'l' || reply->text[0] == 'm';
}

/* Makes an answer of a packet's body: run lengths undone, a NUL behind it. */
static int unpack(struct rsp *rsp, const struct rsp_frame *frame, struct rsp_reply *reply)
{
	reply->text = (char *)frame->body;
	reply->size = frame->size;
	if (frame->run_lengths) {
		ssize_t size = rsp_expand(frame->body, frame->size, rsp->expanded, RSP_PACKET_MAX);

		if (size < 0)
			return lose_answer(rsp, "a packet with impossible run lengths");
		reply->text = (char *)rsp->expanded;
		reply->size = (size_t)size;
	}
	/* Some stubs count the NUL behind their text as part of it. */
	if (reply->size && !reply->text[reply->size - 1] && !may_be_binary(reply))
		reply->size--;
	/* In the input this is the place of the '#'. */
	reply->text[reply->size] = '\0';
	trace(rsp, false, reply->text, reply->size);
	return 0;
}

/* Takes a packet off the input that is no answer. True if it was one of those. */
static bool pass_over(struct rsp *rsp, enum rsp_expect expect, const struct rsp_reply *reply)
{
	if (is_stop(reply) && (expect != RSP_EXPECT_STOP || !rsp_step_may_answer(rsp))) {
		rsp->stub.announced_stop = rsp->stub.ever_announced = true;
		rsp->will->announced_stop = true;
		return true;
	}
	return rsp_is_output(reply) && expect != RSP_EXPECT_OUTPUT;
}

int rsp_receive_ready(struct rsp *rsp, enum rsp_expect expect, struct rsp_reply *reply)
{
	for (;;) {
		struct rsp_frame frame = rsp_frame_parse(
			rsp->input + rsp->in_start, rsp->in_end - rsp->in_start, &rsp->scan);
		uint8_t *bytes = rsp->input + rsp->in_start;

		if (frame.kind == RSP_FRAME_NONE) {
			if (rsp->in_end - rsp->in_start > RSP_PACKET_MAX)
				return rsp_fail(rsp, RSP_CONFUSED, "a packet of more than %d bytes",
					RSP_PACKET_MAX);
			if (rsp->in_start == rsp->in_end)
				rsp->in_start = rsp->in_end = 0;
			return 0;
		}
		rsp->in_start += frame.consumed;
		if (endure(rsp, frame.consumed))
			return -1;
		switch (frame.kind) {
		case RSP_FRAME_NACK:
			keep_junk(rsp, bytes, frame.consumed);
			rsp_step_refused(rsp);
			rsp->repeat = true;
			return rsp_fail(rsp, RSP_CONFUSED, "the stub got a damaged packet");
		case RSP_FRAME_JUNK:
			keep_junk(rsp, bytes, frame.consumed);
			if (rsp_step_junk(rsp))
				return -1;
			continue;
		case RSP_FRAME_NOTIFICATION:
			if (rsp_step_notification(rsp, &frame))
				return -1;
			continue;
		case RSP_FRAME_ACK:
			rsp->step.signs++;
			continue;
		default:
			break;
		}
		if (!frame.checksum_right) {
			rsp_step_joined(rsp, &frame);
			if (ask_again(rsp))
				return -1;
			continue;
		}
		rsp->damaged = 0;
		if (unpack(rsp, &frame, reply) || acknowledge(rsp, '+'))
			return -1;
		rsp->answered = true;
		if (pass_over(rsp, expect, reply))
			continue;
		if (rsp->due == 0)
			return rsp_fail(rsp, RSP_CONFUSED, "an answer to nothing came");
		if (rsp_step_answer(rsp))
			return -1;
		if (!(expect == RSP_EXPECT_OUTPUT && rsp_is_output(reply)))
			rsp->step.answers++;
		rsp->chatter = 0;
		return 1;
	}
}

int rsp_receive(struct rsp *rsp, enum rsp_expect expect, struct rsp_reply *reply)
{
	int rc;

	*reply = (struct rsp_reply){ NULL, 0 };
	while ((rc = rsp_receive_ready(rsp, expect, reply)) == 0)
		if (rsp_wait(rsp))
			return -1;
	if (rc < 0)
		return -1;
	/* Each piece of output extends the answer, whose end is still due. */
	if (!(expect == RSP_EXPECT_OUTPUT && rsp_is_output(reply)))
		rsp->due--;
	return 0;
}

int rsp_request(
	struct rsp *rsp, enum rsp_expect expect, struct rsp_reply *reply, const char *format, ...)
{
	char body[RSP_REQUEST_MAX];
	va_list args;
	int foreseen;

	va_start(args, format);
	int size = vsnprintf(body, sizeof(body), format, args);
	va_end(args);
	if (size < 0 || (size_t)size >= sizeof(body))
		return rsp_fail(rsp, RSP_CONFUSED, "a request is too long");
	if ((foreseen = rsp_ahead_answer(rsp, expect, body, reply)) < 0)
		return -1;
	if (foreseen) {
		rsp->failure = RSP_NOTHING_FAILED;
		return 0;
	}
	if (rsp_send(rsp, body, (size_t)size))
		return -1;
	rsp->expected = expect;
	for (int repeats = 0;; repeats++) {
		rsp->repeat = false;
		if (rsp_flush(rsp) == 0 && rsp_receive(rsp, expect, reply) == 0)
			break;
		if (!rsp->repeat || rsp->stub.no_ack)
			return -1;
		if (repeats == REPEATS_MAX)
			return rsp->answered
			               ? -1
			               : rsp_fail_unanswered(rsp, "only damaged packets come");
		/*
		 * The stub got a damaged packet. It may be left over from a client that died in
		 * the middle of one: QEMU then joins it with the start of ours.
		 */
		if (queue_packet(rsp, body, (size_t)size))
			return -1;
	}
	rsp->failure = RSP_NOTHING_FAILED;
	return 0;
}

int rsp_drain(struct rsp *rsp)
{
	bool uninterrupted = rsp->uninterrupted;
	struct rsp_reply reply;
	size_t printed = 0;
	int rc = 0;

	rsp->uninterrupted = true;
	while (rsp->due && rc == 0) {
		rsp->step.lost = false;
		rc = rsp_receive(rsp, rsp->expected, &reply);
		if (rsp->step.lost)
			rc = 0;
		printed += reply.size;
		/* Each piece of output counts as an answer, but none of them is due. */
		if (rc == 0 && rsp->expected == RSP_EXPECT_OUTPUT && printed > 2 * RSP_MONITOR_MAX)
			rc = rsp_fail(rsp, RSP_CONFUSED, "a monitor command prints without end");
	}
	rsp->uninterrupted = uninterrupted;
	return rc;
}

int rsp_settle(struct rsp *rsp)
{
	char why[sizeof(rsp->error)];
	enum rsp_failure failure = rsp->failure;

	memcpy(why, rsp->error, sizeof(why));
	if (failure != RSP_LOST && rsp_drain(rsp) == 0) {
		rsp->failure = failure;
		memcpy(rsp->error, why, sizeof(why));
	}
	return -1;
}

bool rsp_is(const struct rsp_reply *reply, const char *text)
{
	return reply->size == strlen(text) && memcmp(reply->text, text, reply->size) == 0;
}

bool rsp_is_error(const struct rsp_reply *reply)
{
	if (reply->size < 2 || reply->text[0] != 'E')
		return false;
	return reply->text[1] == '.' ||
	       (reply->size == 3 && rsp_hex_digit((uint8_t)reply->text[1]) >= 0 &&
		       rsp_hex_digit((uint8_t)reply->text[2]) >= 0);
}

int rsp_check(struct rsp *rsp, const struct rsp_reply *reply, const char *what)
{
	if (reply->size == 0)
		return rsp_fail(rsp, RSP_UNSUPPORTED, "the stub does not know how to %s", what);
	if (rsp_is_error(reply))
		return rsp_fail(
			rsp, RSP_REFUSED, "the stub answers %.40s to %s", reply->text, what);
	return 0;
}
