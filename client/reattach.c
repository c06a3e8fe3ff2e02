// SPDX-License-Identifier: GPL-2.0-or-later
/* A connection that breaks, and the next one. */
#include <poll.h>
#include <stdio.h>

#include "client/attach.h"
#include "client/clock.h"
#include "client/interrupt.h"
#include "client/tell.h"

enum {
	PATIENCE_SECONDS = 30, /* without --retry */
	PAUSE_MIN_MS = 100,
	PAUSE_MAX_MS = 2000,
};

static unsigned patience(const struct options *options)
{
	return options->has_retry ? options->retry : PATIENCE_SECONDS;
}

bool may_attach_again(const struct attachment *attachment, const struct options *options)
{
	/* Who has not said a word may be no stub. */
	if (!rsp_answered(attachment->rsp) && !options->has_retry)
		return false;
	return !attachment->broken && rsp_can_reopen(attachment->rsp) && patience(options) > 0 &&
	       !interrupt_signal();
}

/* Meanwhile nobody holds a connection, but the guest stands still. */
static void set_owed(const struct attachment *attachment, bool owed)
{
	if (attachment->guardian)
		guardian_orders(attachment->guardian)->owed = owed;
}

static int reopen_patiently(
	struct attachment *attachment, const struct options *options, struct failure *failure)
{
	double limit = monotonic_seconds() + patience(options);
	int pause_ms = PAUSE_MIN_MS;

	while (rsp_reopen(attachment->rsp)) {
		struct pollfd interrupt = { .fd = interrupt_fd(), .events = POLLIN };

		if (interrupt_signal())
			return fail(failure, STATUS_SIGNAL + interrupt_signal(), "interrupted");
		if (monotonic_seconds() + pause_ms / 1000.0 > limit)
			return fail(failure, STATUS_UNREACHABLE, "within %u s: %s",
				patience(options), rsp_error(attachment->rsp));
		poll(&interrupt, 1, pause_ms);
		pause_ms = 2 * pause_ms < PAUSE_MAX_MS ? 2 * pause_ms : PAUSE_MAX_MS;
	}
	return 0;
}

int attach_again(
	struct attachment *attachment, const struct options *options, struct failure *failure)
{
	char why[256];
	int rc;

	snprintf(why, sizeof(why), "%s", rsp_error(attachment->rsp));
	tell(options, TELL_WARNING, "%s; connecting again", why);
	set_owed(attachment, true);
	rc = reopen_patiently(attachment, options, failure);
	set_owed(attachment, false);
	if (rc == 0) {
		tell(options, TELL_WARNING, "connected again");
		return 0;
	}
	attachment->broken = true;
	if (failure->status == STATUS_UNREACHABLE) {
		struct failure second = *failure;

		fail(failure, STATUS_UNREACHABLE, "%s; no new connection %s", why, second.text);
	}
	return -1;
}
