// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/zero.h"

#include <stdint.h>
#include <string.h>

/*
 * Eight words a turn make one test of a cache line: compilers turn it into vector code, and a page
 * with data in it is mostly told by its first line.
 */
bool is_zero(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size >= 64) {
		uint64_t w[8];

		memcpy(w, at, sizeof(w));
		if (w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7])
			return false;
		at += sizeof(w);
		size -= sizeof(w);
	}
	for (; size; size--)
		if (*at++)
			return false;
	return true;
}
