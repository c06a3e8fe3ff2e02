/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dump that goes on over a new connection when the first one breaks, provided that behind it is
 * the same guest, which has stood still.
 */
#ifndef CLIENT_RECOVERY_H
#define CLIENT_RECOVERY_H

#include "client/attach.h"
#include "client/guest.h"
#include "client/samples.h"

struct recovery {
	struct attachment *attachment;
	const struct guest *guest;
	const struct options *options;
	struct samples samples; /* of the memory that was read so far */
	unsigned tries;         /* since something was read last */
	struct failure failure; /* why there is no new connection; STATUS_DONE at first */
};

/* All of it has to outlive the recovery. */
void recovery_init(struct recovery *recovery, struct attachment *attachment,
	const struct guest *guest, const struct options *options);

/* A piece of memory was read. */
void recovery_note(struct recovery *recovery, const struct rsp_read *piece);

/* For rsp_set_recovery(); ctx is a struct recovery. */
int recovery_run(void *ctx);

#endif
