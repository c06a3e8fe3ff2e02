/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the bulk of memory travels: by requests of the protocol, or, from a QEMU of this host,
 * faster. */
#ifndef CLIENT_LANE_H
#define CLIENT_LANE_H

#include "client/guest.h"

/*
 * Sets guest->hostmem or guest->hostpipe if --lane allows it and it works. Returns 0; -1 if that
 * failed which was insisted on, or the connection.
 */
int lane_choose(struct guest *guest, const struct options *options, struct failure *failure);

/* Its name, as --lane takes it. */
const char *lane_name(const struct guest *guest);

/*
 * Bytes between two pieces that it costs no more to read, and to throw away, than to ask anew
 * behind them. 0 where each piece is asked for by itself anyway.
 */
size_t lane_gap(const struct guest *guest);

/* rsp_stream_memory() on the lane that was chosen. */
int lane_stream(const struct guest *guest, const struct rsp_stream *stream);

#endif
