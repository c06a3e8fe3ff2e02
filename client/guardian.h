/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small process that outlives us by what is needed to let the guest go. QEMU leaves a guest
 * standing still for ever when its debugger dies; so whoever kills us, by SIGKILL, for want of
 * memory or through a fault of ours, kills one of two. While we live it only waits: it holds a
 * duplicate of the connection's descriptor, from before that is connected, and reads and writes
 * nothing. When we are gone without having closed the connection, it does what we should have done
 * (see rsp_take_over()), and ends. It ends with us in any other case.
 */
#ifndef CLIENT_GUARDIAN_H
#define CLIENT_GUARDIAN_H

#include "rsp/rsp.h"

/* What both processes see. */
struct guardian_orders {
	struct rsp_will will;
	bool decided; /* whether the guest is to run afterwards */
	bool runs_afterwards;
	bool owed; /* the connection was lost, and the guest may stand still for it */
};

struct guardian;

/*
 * What it does when we have died, in its own process: with our connection, or with -1 if that was
 * lost before.
 */
typedef void (*guardian_act)(const void *ctx, int fd, const struct guardian_orders *orders);

/*
 * Starts it; to be called before there are threads. NULL if that is not possible: then we go on
 * without.
 */
struct guardian *guardian_create(guardian_act act, const void *ctx);

/* Where our orders to it are. */
struct guardian_orders *guardian_orders(struct guardian *guardian);

/* For rsp_options.hold; ctx is the guardian. Hands it a duplicate of a descriptor, in place of the
 * one it may have; -1 takes that away. */
void guardian_hold(void *ctx, int fd);

/* Waits for its end; NULL is fine. The connection has to be closed by now. */
void guardian_destroy(struct guardian *guardian);

#endif
