/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a process of this host is at the other end of a connection, and which. */
#ifndef RSP_PEER_H
#define RSP_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#include "rsp/link.h"

/*
 * Whether the other end may be a process of this host, as far as addresses tell: it may still be
 * one that passes all on to another host.
 */
bool rsp_peer_is_local(const struct rsp_link *link);

/*
 * The process that listened at a Unix socket, or that holds the other end of a TCP connection
 * within this host, as far as we may look. Of processes that share it one is named; whether it is
 * the one that is meant, the caller has to prove. Returns 0 if none is found.
 */
pid_t rsp_peer_process(const struct rsp_link *link);

#endif
