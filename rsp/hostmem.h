/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fastest lane for the bulk of memory: a QEMU that runs on our host has the guest's memory in
 * its own, where process_vm_readv(2) finds it by the addresses that the monitor command gpa2hva
 * tells. Nothing is asked of QEMU while it is read, and nothing can happen to it: the kernel
 * copies, and only from it to us. The kernel lets us if it would let us attach a debugger to QEMU:
 * the same user where Yama does not forbid it, or root.
 *
 * The guest has to stand still, as it does while a debugger is at its stub.
 */
#ifndef RSP_HOSTMEM_H
#define RSP_HOSTMEM_H

#include "rsp/rsp.h"

struct rsp_hostmem;

/*
 * Finds the stub's process. NULL with the reason if there is none that we know how to ask; unless
 * rsp_failure() is then RSP_LOST, RSP_CANCELLED or RSP_NO_MEMORY, all that it cost is time.
 */
struct rsp_hostmem *rsp_hostmem_open(struct rsp *rsp);
void rsp_hostmem_close(struct rsp_hostmem *hostmem); /* NULL accepted */

/*
 * Adds a region of guest-physical memory, which has to be one piece of one memory block, as the
 * lines of `info mtree -f` are. Asks where it is, and compares pages from its start to its end with
 * what ordinary reads, physical by now, give. Returns 0; -1 with the reason if anything is in
 * doubt.
 */
int rsp_hostmem_add(struct rsp_hostmem *hostmem, uint64_t addr, uint64_t size);

/*
 * All regions are added. Returns 0; -1 if all pages that were compared were zeros, which are the
 * same in any process: then nothing is known.
 */
int rsp_hostmem_prove(struct rsp_hostmem *hostmem);

/* Reads within regions. Returns 0 or -1, which says nothing of the memory: read it otherwise. */
int rsp_hostmem_read(struct rsp_hostmem *hostmem, uint64_t addr, void *buf, size_t len);

/* As rsp_stream_memory(), which goes on with what cannot be read in this way. */
int rsp_hostmem_stream(struct rsp_hostmem *hostmem, const struct rsp_stream *stream);

#endif
