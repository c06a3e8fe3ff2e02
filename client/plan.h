/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes into the core, decided before a page is read: which memory, under which addresses,
 * which notes. */
#ifndef CLIENT_PLAN_H
#define CLIENT_PLAN_H

#include "client/guest.h"
#include "layout/core.h"

struct plan {
	struct core_plan core;
	struct core_mapping *mappings;
	struct notes notes;
	/* Of page tables that --paging asks for: how many there are; whether all was read. */
	size_t page_tables;
	bool page_tables_whole;
	char missing[256];          /* registers that the notes lack; "" if none */
	size_t late_vmcoreinfo_max; /* bytes of it that may be found while copying; 0 for none */
};

/* can_write_at: whether the output takes a note that is found late. Returns 0 or -1. */
int plan_make(struct plan *plan, const struct guest *guest, const struct options *options,
	bool can_write_at, struct failure *failure);

/* Takes up a VMCOREINFO that was found while copying: its note, and what it tells for headers. */
void plan_add_late(struct plan *plan, const struct guest *guest, struct notes *late);

void plan_deinit(struct plan *plan);

#endif
