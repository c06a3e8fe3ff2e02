/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The RAM map out of the text of QEMU's monitor command `info mtree -f` (the same from QEMU 7.2 to
 * 11.1 but for new words for what is not RAM). The flat view of the address space "memory" is
 * meant: what a CPU sees outside system management mode and the secure world.
 */
#ifndef LAYOUT_MTREE_H
#define LAYOUT_MTREE_H

#include "arch/error.h"
#include "layout/ranges.h"

enum mtree_want {
	MTREE_RAM, /* RAM and shadowed or read-only parts of it, NVDIMMs; no ROM, no device's RAM */
	MTREE_ALL, /* what QEMU's dump-guest-memory takes: also ROM and the RAM of devices */
};

/*
 * Adds the ranges that the text names. Returns 0, or -1 with the reason if the text is no such
 * listing or shows no RAM.
 */
int mtree_parse(const char *text, enum mtree_want want, struct ranges *ranges, struct error *error);

/*
 * The same ranges one by one, as the listing has them: each is one piece of one memory block. The
 * caller frees *regions, which is NULL after a failure.
 */
int mtree_regions(const char *text, enum mtree_want want, struct range **regions, size_t *count,
	struct error *error);

#endif
