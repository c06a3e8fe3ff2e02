/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which process of this host is at the other end of a connection. */
#ifndef RSP_PEER_H
#define RSP_PEER_H

#include <sys/types.h>

#include "rsp/link.h"

/*
 * The process that listened at a Unix socket, or that holds the other end of a TCP connection
 * within this host, as far as we may look. Of processes that share it one is named; whether it is
 * the one that is meant, the caller has to prove. Returns 0 if none is found.
 */
pid_t rsp_peer_process(const struct rsp_link *link);

#endif
