/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling memory that is all zero from memory that is not. Every page of a guest is looked at once
 * on its way into a core, so this must not be what the copy waits for.
 */
#ifndef LAYOUT_ZERO_H
#define LAYOUT_ZERO_H

#include <stdbool.h>
#include <stddef.h>

/* Whether all size bytes are zero; no bytes are. Needs no alignment. */
bool is_zero(const void *bytes, size_t size);

#endif
