// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/recovery.h"

/* A link that lets nothing through but the check cannot be told from one that will get better. */
enum { TRIES_MAX = 16 };

void recovery_init(struct recovery *recovery, struct attachment *attachment,
	const struct guest *guest, const struct options *options)
{
	*recovery = (struct recovery){
		.attachment = attachment,
		.guest = guest,
		.options = options,
		.failure = { .status = STATUS_DONE },
	};
	samples_init(&recovery->samples);
}

void recovery_note(struct recovery *recovery, const struct rsp_read *piece)
{
	recovery->tries = 0;
	samples_note(&recovery->samples, piece);
}

static int fail_changed(struct recovery *recovery, const char *what)
{
	return fail(&recovery->failure, STATUS_UNREACHABLE,
		"connected again, but it is another guest, or it has run meanwhile: %s", what);
}

/* Returns 0 if it is the same; 1 if not, with the failure; -1 if the connection failed again. */
static int compare_guest(struct recovery *recovery)
{
	struct rsp *rsp = recovery->attachment->rsp;
	uint64_t digest = 0;
	int rc;

	if (rsp_stub(rsp)->announced_stop)
		return -fail_changed(recovery, "the stub says that it ran");
	if (guest_digest_registers(recovery->guest, &digest))
		return -1;
	if (digest != recovery->guest->register_digest)
		return -fail_changed(recovery, "its registers differ");
	rc = samples_check(&recovery->samples, rsp);
	if (rc > 0)
		return -fail_changed(recovery, "its memory differs");
	return rc;
}

int recovery_run(void *ctx)
{
	struct recovery *recovery = ctx;
	int rc = -1;

	while (rc < 0) {
		if (!may_attach_again(recovery->attachment, recovery->options) ||
			recovery->tries++ == TRIES_MAX ||
			attach_again(recovery->attachment, recovery->options, &recovery->failure))
			return -1;
		rc = compare_guest(recovery);
		if (rc < 0 && rsp_failure(recovery->attachment->rsp) == RSP_REFUSED)
			rc = -fail_changed(recovery, "its memory cannot be read any more");
	}
	return rc == 0 ? 0 : -1;
}
