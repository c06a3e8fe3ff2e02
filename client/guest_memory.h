/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's RAM as the lower floors read it: through the stub. Addresses outside the RAM map are
 * refused: behind them may be devices, which a read disturbs.
 */
#ifndef CLIENT_GUEST_MEMORY_H
#define CLIENT_GUEST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/memory.h"
#include "layout/ranges.h"
#include "rsp/hostmem.h"
#include "rsp/hostpipe.h"
#include "rsp/rsp.h"

/* The caller fills in rsp, switched to physical addresses, the lanes and ram; all stay his. */
struct guest_memory_state {
	struct rsp *rsp;
	struct rsp_hostmem *hostmem;   /* read from where it can be; NULL if there is none */
	struct rsp_hostpipe *hostpipe; /* for large reads, many at a time; NULL if there is none */
	const struct ranges *ram;      /* NULL: all addresses may be read, which are virtual ones */
	uint64_t bytes_read;           /* that were asked for */
	bool lost; /* a read failed for another reason than the address: rsp_error() tells it */
};

/* The interface to it; lives as long as the state. */
struct guest_memory guest_memory_interface(struct guest_memory_state *state);

#endif
