/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bulk of a dump: guest memory from the stub into the core, in ascending order, through a ring
 * of buffers. */
#ifndef CLIENT_COPY_H
#define CLIENT_COPY_H

#include "client/candidates.h"
#include "client/guest.h"
#include "client/plan.h"
#include "client/progress.h"

struct copy_result {
	uint64_t bytes;               /* of guest memory that were copied */
	struct ranges unreadable;     /* zero in the core */
	struct candidates candidates; /* pages that may be VMCOREINFO */
};

void copy_result_init(struct copy_result *result);
void copy_result_deinit(struct copy_result *result);

/* Copies all memory of the plan. Returns 0 or -1. */
int copy_pages(const struct guest *guest, const struct plan *plan, struct core *core,
	struct progress *progress, struct copy_result *result, struct failure *failure);

#endif
