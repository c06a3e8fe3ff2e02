/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bulk of a dump: guest memory from the stub into the pipeline that leads to the core, in
 * ascending order. */
#ifndef CLIENT_COPY_H
#define CLIENT_COPY_H

#include "client/candidates.h"
#include "client/guest.h"
#include "client/pipeline.h"
#include "client/plan.h"
#include "client/progress.h"
#include "client/recovery.h"

struct copy_result {
	uint64_t bytes;           /* of guest memory that were read */
	struct ranges unreadable; /* zero in the core */
	bool filled; /* the connection was lost for good, and all that was not read is unreadable */
	struct candidates candidates; /* pages that may be VMCOREINFO */
};

void copy_result_init(struct copy_result *result);
void copy_result_deinit(struct copy_result *result);

/*
 * Reads all memory of the plan, over a new connection (see client/recovery.h) if the first one
 * breaks; recovery is NULL for none. If there is no new one and `fill` is set, what is missing is
 * filled in with zeros, so that the core can become whole in spite of the failure. The guest is not
 * needed any more when it returns, but the core is not whole before pipeline_finish(). Returns 0 or
 * -1.
 */
int copy_pages(const struct guest *guest, const struct plan *plan, struct pipeline *pipeline,
	struct progress *progress, struct recovery *recovery, bool fill, struct copy_result *result,
	struct failure *failure);

#endif
