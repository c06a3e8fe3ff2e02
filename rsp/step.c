// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether the answers keep step with the requests. They have no numbers: behind one that came twice
 * or was lost all others would be taken for their neighbours', memory of one size for memory of
 * another place. QEMU, which knows no QStartNoAckMode, puts the '+' for a request right in front of
 * its answer, and nothing but packets and signs comes from it: there is no answer without a sign,
 * and what is no packet was one. It is counted as what it must have been, so that the rest can be
 * drained.
 */
#include <string.h>

#include "rsp/connection.h"

static bool keeps_step(const struct rsp *rsp)
{
	/* Something in between may swallow signs, or a console speak on the same line. */
	return rsp->quirks->signs_each && !rsp->stub.no_ack && rsp->step.signs > 0 &&
	       !rsp->step.noisy;
}

/* Requests that the stub has taken, and not answered yet */
static long open_requests(const struct rsp *rsp)
{
	return (long)(rsp->step.signs - rsp->step.answers);
}

static int lose_step(struct rsp *rsp, const char *what)
{
	rsp->step.lost = true;
	return rsp_fail(rsp, RSP_CONFUSED, "%s", what);
}

void rsp_step_end(struct rsp *rsp)
{
	rsp->step.answers++;
	if (rsp->due)
		rsp->due--;
}

void rsp_step_joined(struct rsp *rsp, const struct rsp_frame *frame)
{
	const uint8_t *at = frame->body, *end = frame->body + frame->size;

	if (!keeps_step(rsp) || rsp->expected == RSP_EXPECT_OUTPUT)
		return;
	for (; at < end; at++) {
		rsp->step.signs += *at == '+';
		if (*at == '$')
			rsp_step_end(rsp);
	}
}

int rsp_step_junk(struct rsp *rsp)
{
	/* From the beginning on, when it is not known yet what the stub is */
	rsp->step.noisy |= rsp->quirks == &rsp_quirks_unknown;
	if (!keeps_step(rsp))
		return 0;
	if (open_requests(rsp) == 0)
		rsp->step.signs++;
	else if (rsp->expected != RSP_EXPECT_OUTPUT)
		rsp_step_end(rsp);
	return lose_step(rsp, "bytes came that are no packet");
}

int rsp_step_notification(struct rsp *rsp, const struct rsp_frame *frame)
{
	/* "%Stop:T05...": one without a name is a packet whose '$' was damaged. */
	return memchr(frame->body, ':', frame->size) ? 0 : rsp_step_junk(rsp);
}

void rsp_step_refused(struct rsp *rsp)
{
	/* One that is waited for alone is repeated. */
	if (rsp->streaming && rsp->due)
		rsp->due--;
	rsp->step.lost = true;
}

bool rsp_step_may_answer(const struct rsp *rsp)
{
	return !keeps_step(rsp) || open_requests(rsp) > 0;
}

int rsp_step_answer(struct rsp *rsp)
{
	return rsp_step_may_answer(rsp) ? 0 : lose_step(rsp, "an answer to nothing came");
}
