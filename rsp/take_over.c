// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The connection of somebody who was killed. Where he was is not known to a byte: a request may be
 * cut off in the middle, thousands of answers may be due, and of the first of them he may have read
 * a part.
 */
#include <stdio.h>
#include <string.h>

#include "rsp/clock.h"
#include "rsp/connection.h"

enum {
	PAUSE_MS = 100,  /* between what was due, as far as that can be told */
	QUIET_MS = 1000, /* a stub that has said all there is to say */
};

/*
 * Ends what may be a part of a request, by a checksum that is wrong for it, so that it is dropped.
 * Twice, for a request that was cut within its checksum: there QEMU takes the first '#' for a part
 * of the body. A stub that waits for a request passes over all of this, and one that waits for the
 * acknowledgement of an answer gets it by the '+' in front.
 */
static const char ending[] = "+#00#00";

/*
 * QEMU up to 8.0 says so when it stops the guest for a client, who may have died before he read it.
 * The answer to `?` is another one.
 */
static void note_stop(struct rsp *rsp, const struct rsp_frame *frame)
{
	if (frame->checksum_right && frame->size >= 3 && memcmp(frame->body, "T02", 3) == 0)
		rsp->stub.ever_announced = true;
}

static void drop_input(struct rsp *rsp)
{
	rsp->in_start = rsp->in_end = 0;
	rsp->scan = (struct rsp_scan){ 0 };
}

static void drop_packets(struct rsp *rsp)
{
	struct rsp_frame frame;

	do {
		frame = rsp_frame_parse(
			rsp->input + rsp->in_start, rsp->in_end - rsp->in_start, &rsp->scan);
		rsp->in_start += frame.consumed;
		if (frame.kind == RSP_FRAME_PACKET)
			note_stop(rsp, &frame);
	} while (frame.kind != RSP_FRAME_NONE);
	if (rsp->in_start == rsp->in_end || rsp->in_end - rsp->in_start > RSP_PACKET_MAX)
		drop_input(rsp);
}

/*
 * What was due comes by itself; and some stubs take no request while they have an answer to give.
 * Returns 0, or -1 if the connection is lost.
 */
static int hear_out(struct rsp *rsp)
{
	uint64_t patience = rsp_clock_now() + rsp->options.timeout_ms;

	while (rsp_link_wait(&rsp->link, PAUSE_MS) && rsp_clock_now() < patience) {
		if (rsp_wait(rsp))
			return -1;
		drop_packets(rsp);
	}
	drop_input(rsp);
	return 0;
}

/* What every other answer is not: with features of one's own, and no digits of memory. */
static bool tells_features(const struct rsp_frame *frame)
{
	return frame->checksum_right && memmem(frame->body, frame->size, "PacketSize=", 11);
}

/* Drops all that comes until the stub has said what it is. Returns 0, or -1 if nobody answers. */
static int drop_what_was_due(struct rsp *rsp)
{
	uint64_t patience = rsp_clock_now() + rsp->options.timeout_ms;
	bool heard = false;

	for (;;) {
		struct rsp_frame frame = rsp_frame_parse(
			rsp->input + rsp->in_start, rsp->in_end - rsp->in_start, &rsp->scan);

		rsp->in_start += frame.consumed;
		if (frame.kind == RSP_FRAME_PACKET) {
			heard = true;
			note_stop(rsp, &frame);
			if (tells_features(&frame))
				return 0;
			continue;
		}
		if (frame.kind != RSP_FRAME_NONE)
			continue;
		/* The part of a packet that ends nowhere: what was longer than can be is no loss.
		 */
		if (rsp->in_end - rsp->in_start > RSP_PACKET_MAX)
			rsp->in_start = rsp->in_end;
		if (rsp->in_start == rsp->in_end)
			drop_input(rsp);
		/* A stub without features, or a console that never stops */
		if (heard && (!rsp_link_wait(&rsp->link, QUIET_MS) || rsp_clock_now() > patience))
			return 0;
		if (rsp_wait(rsp))
			return -1;
	}
}

/* The connection as he left it. Returns as rsp_take_over(). */
static int take_up(struct rsp *rsp, int fd)
{
	static const char request[] = "qSupported:multiprocess+";

	if (rsp_link_adopt(&rsp->link, fd))
		return rsp_fail(rsp, RSP_LOST, "the connection cannot be taken over");
	/* He may have been killed when all was said, or just before. */
	if (rsp->will->said_farewell &&
		(rsp->will->heard_farewell || rsp_await_farewell(rsp) != RSP_FAREWELL_NOTHING)) {
		/* Once more does no harm to a stub that waits for signs, and passes over others. */
		rsp_sign_farewell(rsp);
		rsp_link_close(&rsp->link);
		return 1;
	}
	if (hear_out(rsp))
		return -1;
	memcpy(rsp->output, ending, strlen(ending));
	rsp->out_end = strlen(ending);
	if (rsp_send(rsp, request, strlen(request)) || rsp_flush(rsp) || drop_what_was_due(rsp))
		return -1;
	rsp->due = 0;
	/* For the answer to this; a stub that does not pipeline waits for it. */
	rsp->output[rsp->out_end++] = '+';
	return rsp_greet(rsp);
}

int rsp_take_over(struct rsp *rsp, const char *target, int fd, const struct rsp_will *will)
{
	int rc = -1;

	*rsp->will = *will;
	rsp->uninterrupted = true;
	if (fd >= 0)
		rc = take_up(rsp, fd);
	/* Lost before he died, or since */
	if (fd < 0 || (rc < 0 && rsp->failure == RSP_LOST)) {
		rsp_link_close(&rsp->link);
		rsp_forget(rsp);
		rc = rsp_open(rsp, target);
	}
	if (rc)
		return rc;
	rsp->stub.ever_announced |= will->announced_stop;
	return will->switched ? rsp_recognise_by_monitor(rsp) : 0;
}
