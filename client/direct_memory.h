/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Physical memory through a stub that reads virtual addresses only: by the kernel's direct map. */
#ifndef CLIENT_DIRECT_MEMORY_H
#define CLIENT_DIRECT_MEMORY_H

#include "client/guest.h"

/*
 * Finds a vCPU that shows its kernel and the direct map in it, sets guest->direct, and makes the
 * stub's reads take physical addresses from there. Without a RAM map yet, that comes from the
 * direct map as well. Returns 0 or -1.
 */
int use_direct_map(struct guest *guest, struct failure *failure);

#endif
