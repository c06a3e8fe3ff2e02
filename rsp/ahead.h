/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that are sure to be made, asked ahead of that. At a distance it is round trips that take
 * the time while a stub is asked what it and its guest are: what is foreseen goes along with the
 * next request that has to wait for its answer in any case, and is there when rsp_request() is
 * called for it. Whoever foresees what then nobody asks loses nothing but what it costs the stub.
 * Private to rsp/; only for stubs that take many requests at once (rsp_stub.pipelines).
 */
#ifndef RSP_AHEAD_H
#define RSP_AHEAD_H

#include "rsp/connection.h"

/*
 * Foresees a request, behind all that were foreseen before; one may be foreseen several times.
 * What there is no room for is not foreseen: RSP_AHEAD_MAX of them, of RSP_AHEAD_BODY_MAX bytes.
 */
void rsp_ahead_add(struct rsp *rsp, enum rsp_expect expect, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * For rsp_request(): 1 with the answer to a request that was foreseen, if there is one, which it
 * asks for, with all others, if it was not asked for yet; 0 if it has to be made as any other; -1
 * on failure. Of what a monitor printed, all is one packet of digits.
 */
int rsp_ahead_answer(
	struct rsp *rsp, enum rsp_expect expect, const char *body, struct rsp_reply *reply);

/* Foresee a command of the monitor, the list of threads, the target description. */
void rsp_ahead_add_command(struct rsp *rsp, const char *command);
void rsp_ahead_add_threads(struct rsp *rsp);
void rsp_ahead_add_description(struct rsp *rsp);

/* Whether a request is foreseen that begins so. */
bool rsp_ahead_has(const struct rsp *rsp, const char *prefix);

/* Forgets the requests that begin so, or all, with their answers: those are not right any more. */
void rsp_ahead_drop(struct rsp *rsp, const char *prefix);

#endif
