/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of the guest before its memory is copied: CPUs and their registers, the RAM map,
 * the kernel. Learned once, in guest_learn(), and not changed afterwards but for a VMCOREINFO that
 * the copy passes by.
 */
#ifndef CLIENT_GUEST_H
#define CLIENT_GUEST_H

#include "arch/arch.h"
#include "client/attach.h"
#include "client/guest_memory.h"
#include "client/ram_option.h"
#include "layout/direct_map.h"
#include "layout/kernel.h"
#include "layout/ranges.h"
#include "rsp/hostmem.h"
#include "rsp/hostpipe.h"

struct guest {
	struct rsp *rsp;
	struct ram_option told; /* before the guest was asked */
	const struct arch *arch;
	struct rsp_thread *threads;
	struct registers *cpus;
	size_t cpu_count;
	size_t foreign_count;     /* vCPUs of another architecture, which are left out */
	uint64_t register_digest; /* of what the stub itself says of them */

	struct ranges ram;      /* what holds the guest's own data */
	struct ranges memory;   /* what goes into a core: ram, or more with --ram all */
	const char *ram_source; /* for people */
	struct range
		*regions; /* of memory, one by one, as QEMU's memory blocks are; NULL if unknown */
	size_t region_count;

	/* Where physical memory is read from, if the stub reads virtual addresses only. */
	bool has_direct;
	struct direct_map direct;

	struct guest_memory_state memory_state;
	struct guest_memory reader; /* of ram, by physical address */
	/* Lanes for the bulk of memory that are faster than the protocol; at most one, see lane.h.
	 */
	struct rsp_hostmem *hostmem;
	struct rsp_hostpipe *hostpipe;

	struct kernel kernel;
	const char *vmcoreinfo_source; /* for people; NULL if there is none */
	char vmcoreinfo_missing[320];  /* why there is none */
};

/* What needs no stub, before a guest is stopped for it: files. Returns 0 or -1. */
int guest_prepare(struct guest *guest, const struct options *options, struct failure *failure);

/* The rest of it. Returns 0 or -1; guest_deinit() in either case. */
int guest_learn(struct guest *guest, struct rsp *rsp, const struct options *options,
	struct failure *failure);
void guest_deinit(struct guest *guest);

/*
 * Reads the registers of all vCPUs again, and computes their digest. Returns 0, or -1 with the
 * reason in rsp_error().
 */
int guest_digest_registers(const struct guest *guest, uint64_t *digest);

/*
 * Looks at the VMCOREINFO at paddr, which the copy passed by, and takes it if it fits the guest and
 * is no longer than size_max bytes. True if it was taken.
 */
bool guest_try_vmcoreinfo(struct guest *guest, uint64_t paddr, size_t size_max);

#endif
