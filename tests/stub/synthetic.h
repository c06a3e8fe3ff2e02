/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that costs nothing to serve, for guests of any size: every page is one of a few, chosen by
 * its address, so that a core of it can be checked and yet all answers are ready before they are
 * asked for. Half of the memory is zero, in stretches as a guest has them, most other pages repeat
 * words, and one in eight is noise.
 */
#ifndef STUB_SYNTHETIC_H
#define STUB_SYNTHETIC_H

#include "tests/stub/machine.h"

enum {
	SYNTHETIC_PAGE = 4096,
	SYNTHETIC_KINDS = 33,
};

/* Which of the pages lies at an address. */
unsigned synthetic_kind(uint64_t addr);

/* The bytes of one of them. */
void synthetic_fill(unsigned kind, uint8_t bytes[SYNTHETIC_PAGE]);

/* Reads as if it were memory: slow, and of any alignment. */
void synthetic_read(uint64_t addr, uint8_t *to, size_t len);

#endif
