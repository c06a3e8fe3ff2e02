// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/let_go.h"

#include "client/attach.h"
#include "client/tell.h"

/* With a stub that has never answered: another debugger may have it. */
enum { PATIENCE_MS = 5000 };

static bool runs_afterwards(struct attachment *attachment, const struct options *options,
	const struct guardian_orders *orders)
{
	struct failure ignored;

	if (__atomic_load_n(&orders->decided, __ATOMIC_ACQUIRE))
		return orders->runs_afterwards;
	/* Without an answer it counts as one that ran. */
	if (rsp_connected(attachment->rsp))
		find_out_state(attachment, options, &ignored);
	return leaves_running(attachment, options);
}

void let_go(const void *ctx, int fd, const struct guardian_orders *orders)
{
	const struct options *options = ctx;
	struct rsp_options rsp_options = connection_options(options);
	struct attachment attachment = { .rsp = NULL };
	enum rsp_after after;
	int rc;

	/* No signal is for us, and nobody waits for an answer any more. */
	rsp_options.cancel_fd = -1;
	if (rsp_options.connect_timeout_ms > PATIENCE_MS)
		rsp_options.connect_timeout_ms = PATIENCE_MS;
	rsp_options.retry_ms = PATIENCE_MS;
	attachment.rsp = rsp_create(&rsp_options);
	if (!attachment.rsp)
		return;
	rc = rsp_take_over(attachment.rsp, options->target, fd, &orders->will);
	if (rc <= 0) {
		after = runs_afterwards(&attachment, options, orders) ? RSP_RESUME : RSP_STAY;
		rc = rsp_connected(attachment.rsp) ? rsp_release(attachment.rsp, after) : -1;
		if (after == RSP_STAY)
			tell(options, TELL_WARNING, "rspdump was killed; the guest stands still");
		else if (rc == 0)
			tell(options, TELL_WARNING, "rspdump was killed; the guest runs");
		else
			tell(options, TELL_ERROR,
				"rspdump was killed; the guest may stand still now (\"rspdump release %s\" lets it run): %s",
				options->target, rsp_error(attachment.rsp));
	}
	rsp_destroy(attachment.rsp);
}
