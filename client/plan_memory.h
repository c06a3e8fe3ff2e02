/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of a plan: --begin and --length, --dump-level, and what the format makes of them. */
#ifndef CLIENT_PLAN_MEMORY_H
#define CLIENT_PLAN_MEMORY_H

#include "client/plan.h"

/*
 * Fills in what struct plan has of memory, given core.page_shift, and core.memory, kept and
 * dump_level. Returns 0 or -1. plan_memory_deinit() in either case.
 */
int plan_memory(struct plan *plan, const struct guest *guest, const struct options *options,
	struct failure *failure);
void plan_memory_deinit(struct plan *plan);

/* Fits the mappings of the guest's memory, which are there, to that of the plan. Returns 0 or -1.
 */
int plan_cut_mappings(struct plan *plan, struct failure *failure);

#endif
