/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --ram, as far as it needs no guest: ranges, or a file that tells them. */
#ifndef CLIENT_RAM_OPTION_H
#define CLIENT_RAM_OPTION_H

#include "client/options.h"
#include "layout/ranges.h"

/* What was told; empty sets for `auto` and `all`, which are learnt from the stub. */
struct ram_option {
	struct ranges ram;
	struct ranges memory; /* ram, and what else a core is to have: a file's ROM and flash */
};

/*
 * Reads it. What begins with a digit is ranges, all else a file: a memory map in gdb's XML, or a
 * saved /proc/iomem. Returns 0 or -1; ram_option_deinit() in either case.
 */
int ram_option_read(
	struct ram_option *option, const struct options *options, struct failure *failure);
void ram_option_deinit(struct ram_option *option);

#endif
