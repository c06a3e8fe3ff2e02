/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets, whole and as bytes, and what can be done to them: "$BODY#xx" in, something else out.
 * Nothing here is connected to anything.
 */
#ifndef STUB_DAMAGE_H
#define STUB_DAMAGE_H

#include "tests/stub/faults.h"

enum { DAMAGE_GROWTH = 64 }; /* bytes that a packet may grow by, when it does not come twice */

/* The size of the packet at the start of the bytes, framing and all; 0 if it is not whole. */
size_t packet_size(const uint8_t *bytes, size_t size);

/* Whether it is a reply of its own, and no line of output or stop. */
bool is_reply(const uint8_t *packet, size_t size);

/*
 * Does to a packet what a fault of its kind does, in place, and where room for DAMAGE_GROWTH more
 * bytes is. Returns the new size; 0 if it cannot be done to this packet, so that it may be tried on
 * the next.
 */
size_t damage(const struct fault *fault, uint8_t *packet, size_t size);

#endif
