// SPDX-License-Identifier: GPL-2.0-or-later
/* Bytes in and out of a connection, and the waiting for them. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "rsp/clock.h"
#include "rsp/connection.h"

enum {
	INPUT_ROOM_MIN = 64 << 10, /* to read in, before what is there is moved to the front */

	/* What is worth a read. A unix socket holds 100 KiB of QEMU 7.2's answers to 0x800 bytes.
	 */
	GATHERED_MIN = 48 << 10,
	GATHERED_MAX = 96 << 10,
	PAUSE_MIN_US = 50, /* the kernel's timers are no finer by default */
	PAUSE_MAX_US = 1000,

	/* To come as far as the mark. What needs longer is so slow that it may wake us more often.
	 */
	MARK_MS = 10,
};

static int fail_silent(struct rsp *rsp)
{
	if (!rsp->answered)
		return rsp_fail_unanswered(rsp,
			"connected, but nobody answers: a stub serves one debugger at a time; "
			"is another one connected?");
	return rsp_fail(rsp, RSP_LOST, "the stub has been silent for %u seconds",
		rsp->options.timeout_ms / 1000);
}

static int fail_closed(struct rsp *rsp, const char *cause)
{
	if (!rsp->answered) {
		rsp_fail_unanswered(rsp, "the connection was closed before anything was said");
		/* QEMU stops the guest when it takes a connection, and says nothing to it. */
		if (!rsp->junk_size)
			rsp->failure = RSP_LOST;
		return -1;
	}
	return rsp_fail(rsp, RSP_LOST, "%s", cause);
}

static int take_in(struct rsp *rsp)
{
	if (RSP_INPUT_SIZE - rsp->in_end < INPUT_ROOM_MIN && rsp->in_start) {
		memmove(rsp->input, rsp->input + rsp->in_start, rsp->in_end - rsp->in_start);
		rsp->in_end -= rsp->in_start;
		rsp->in_start = 0;
	}
	if (rsp->in_end == RSP_INPUT_SIZE)
		return rsp_fail(
			rsp, RSP_CONFUSED, "a packet of more than %d bytes", RSP_PACKET_MAX);

	ssize_t n = rsp_link_read(
		&rsp->link, rsp->input + rsp->in_end, RSP_INPUT_SIZE - rsp->in_end);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return fail_closed(rsp, strerror(errno));
	if (n == 0)
		return fail_closed(rsp, "the stub closed the connection");
	rsp->in_end += (size_t)n;
	/* Until there is an answer, it may be a console that talks, for hours. */
	if (rsp->answered)
		rsp->heard = rsp_clock_now();
	return 0;
}

static int send_out(struct rsp *rsp)
{
	ssize_t n = rsp_link_write(
		&rsp->link, rsp->output + rsp->out_start, rsp->out_end - rsp->out_start);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* The other side has closed. What it said before is still to be read, and then the end. */
	if (n < 0 && errno == EPIPE)
		n = (ssize_t)(rsp->out_end - rsp->out_start);
	if (n < 0)
		return fail_closed(rsp, strerror(errno));
	rsp->out_start += (size_t)n;
	if (rsp->out_start == rsp->out_end)
		rsp->out_start = rsp->out_end = 0;
	return 0;
}

static bool is_sending(const struct rsp *rsp)
{
	return rsp->out_end > rsp->out_start;
}

static struct pollfd poll_cancel(const struct rsp *rsp)
{
	return (struct pollfd){
		.fd = rsp->uninterrupted ? -1 : rsp->options.cancel_fd,
		.events = POLLIN,
	};
}

int rsp_wait(struct rsp *rsp)
{
	unsigned patience = rsp->answered ? rsp->options.timeout_ms
	                                  : rsp->options.connect_timeout_ms;
	struct pollfd polls[] = {
		{ .fd = rsp->link.fd, .events = (short)(POLLIN | (is_sending(rsp) ? POLLOUT : 0)) },
		poll_cancel(rsp),
	};

	if (rsp->link.fd < 0)
		return rsp_fail(rsp, RSP_LOST, "not connected");
	rsp_link_set_mark(&rsp->link, 1);

	int n = poll(polls, 2, rsp_clock_left(rsp->heard + patience));

	if (n < 0)
		return errno == EINTR ? 0 : rsp_fail(rsp, RSP_LOST, "%s", strerror(errno));
	if (n == 0)
		return fail_silent(rsp);
	if (polls[1].revents)
		return rsp_fail(rsp, RSP_CANCELLED, "interrupted");
	if (polls[0].revents & POLLOUT && send_out(rsp))
		return -1;
	if (polls[0].revents & ~POLLOUT)
		return take_in(rsp);
	return 0;
}

/* Finds the pause in which a read's worth comes; none where more than that is always there. */
static void adapt_pause(struct rsp *rsp, size_t gathered)
{
	if (gathered > GATHERED_MAX)
		rsp->pause_us = rsp->pause_us > PAUSE_MIN_US ? rsp->pause_us / 2 : 0;
	else if (gathered < GATHERED_MIN)
		rsp->pause_us = rsp->pause_us ? 2 * rsp->pause_us : PAUSE_MIN_US;
	if (rsp->pause_us > PAUSE_MAX_US)
		rsp->pause_us = PAUSE_MAX_US;
}

static int gather_in_pause(struct rsp *rsp)
{
	struct timespec pause = { .tv_nsec = 1000L * rsp->pause_us };
	struct pollfd cancel = poll_cancel(rsp);
	size_t before = rsp->in_end - rsp->in_start;

	if (rsp->pause_us && ppoll(&cancel, 1, &pause, NULL) > 0)
		return rsp_fail(rsp, RSP_CANCELLED, "interrupted");
	if (rsp->pause_us && take_in(rsp))
		return -1;
	if (rsp->in_end - rsp->in_start == before && rsp_wait(rsp))
		return -1;
	adapt_pause(rsp, rsp->in_end - rsp->in_start - before);
	return 0;
}

/* Errors are short, and so are run lengths: what is due may never be as much. */
static int gather_to_mark(struct rsp *rsp)
{
	struct pollfd polls[] = {
		{ .fd = rsp->link.fd, .events = POLLIN },
		poll_cancel(rsp),
	};

	return poll(polls, 2, MARK_MS) > 0 && !polls[1].revents ? take_in(rsp) : rsp_wait(rsp);
}

int rsp_gather(struct rsp *rsp)
{
	/* A stub that waits for us to take in its answers takes in no requests. */
	if (!rsp->link.socket || is_sending(rsp))
		return rsp_wait(rsp);
	return rsp_link_set_mark(&rsp->link, RSP_GATHER_SIZE) ? gather_to_mark(rsp)
	                                                      : gather_in_pause(rsp);
}

int rsp_push(struct rsp *rsp)
{
	return is_sending(rsp) ? send_out(rsp) : 0;
}

int rsp_flush(struct rsp *rsp)
{
	if (rsp_push(rsp))
		return -1;
	while (is_sending(rsp))
		if (rsp_wait(rsp))
			return -1;
	return 0;
}
