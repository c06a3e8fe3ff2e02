/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second lane for the bulk of memory. A QEMU that shares our host is asked by its monitor
 * command pmemsave to write guest-physical memory into a pipe of ours: raw bytes, no hex, no
 * packets. It takes the place of rsp_stream_memory() for the pieces of the same struct rsp_stream,
 * with two differences: the addresses must be those of RAM, since pmemsave cannot say that there
 * is nothing at one, so that unreadable() is not called; and QEMU's main loop stands still for as
 * long as done() does.
 *
 * QEMU is never left in the lurch: if we die or give up at any moment, what it writes fails, it
 * says so in its monitor, and goes on. See rsp/pipe.h.
 */
#ifndef RSP_HOSTPIPE_H
#define RSP_HOSTPIPE_H

#include "rsp/rsp.h"

/* Bytes of the page that proves the pipe. */
enum { RSP_HOSTPIPE_PROOF = 4096 };

struct rsp_hostpipe;

/*
 * Makes a pipe and proves it: the page at addr, which must be RAM, has to come through it as it
 * comes by an ordinary read; those have to be physical by now. NULL if anything is in doubt; unless
 * rsp_failure() is then RSP_LOST, RSP_CANCELLED or RSP_NO_MEMORY, all that it cost is one command
 * that was refused, and memory can be read by rsp_stream_memory().
 */
struct rsp_hostpipe *rsp_hostpipe_open(struct rsp *rsp, uint64_t addr);

/*
 * As rsp_stream_memory(). If the stub refuses a command in the middle, or has to be connected to
 * anew, the rest is read by ordinary reads. After anything but 0 the pipe is given up, and so is
 * what follows.
 */
int rsp_hostpipe_stream(struct rsp_hostpipe *hostpipe, const struct rsp_stream *stream);

/* While the connection is open or afterwards; NULL is fine. */
void rsp_hostpipe_close(struct rsp_hostpipe *hostpipe);

#endif
