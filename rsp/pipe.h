/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pipe that another process of this host can open by a path, to write into it. It is a pipe
 * without a name of its own, reached through our /proc/PID/fd, and not a FIFO in some directory:
 *
 * - Whoever opens a FIFO waits for somebody to read it, for ever if we die just then; QEMU would
 *   hold its big lock meanwhile. Opening such a pipe never waits: when we are gone there is no
 * path, and who has opened it before gets EPIPE.
 * - Nothing is left behind on any disk, however we end.
 * - Only processes of the same user (and root) can follow the path.
 *
 * A path may be opened where another process has our number: behind a tunnel, or in another PID
 * namespace. So that nothing of that one is overwritten, the descriptor's number is a random one
 * far above those that are in use anywhere.
 */
#ifndef RSP_PIPE_H
#define RSP_PIPE_H

#include <stddef.h>

struct rsp_pipe {
	int read_end;  /* does not block; -1 after rsp_pipe_hang_up() */
	int write_end; /* what the path leads to; open, so that there is no end of file */
	char path[64]; /* of letters, digits and '/' */
};

/* Returns 0, or -1 with one line in why; rsp_pipe_close() only after 0. */
int rsp_pipe_open(struct rsp_pipe *ends, char *why, size_t why_size);

/* Nobody reads any more: whoever writes gets EPIPE. */
void rsp_pipe_hang_up(struct rsp_pipe *ends);

void rsp_pipe_close(struct rsp_pipe *ends);

#endif
