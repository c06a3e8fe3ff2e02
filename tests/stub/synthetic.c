// SPDX-License-Identifier: GPL-2.0-or-later
/* synthetic.py has the same in Python: what one of them says, the other one checks. */
#include "tests/stub/synthetic.h"

#include <string.h>

enum {
	STRETCH = 64,    /* pages that are zero together */
	NOISE_KINDS = 8, /* the last ones; the first one is zero */
};

/* The upper bits of neighbours differ, and not in a way that repeats itself soon. */
static uint64_t scatter(uint64_t n)
{
	return (n ^ n >> 7) * UINT64_C(0x9e3779b97f4a7c15);
}

unsigned synthetic_kind(uint64_t addr)
{
	uint64_t page = addr / SYNTHETIC_PAGE;

	return scatter(page / STRETCH) >> 63 ? 0 : 1 + (unsigned)(scatter(page) >> 59);
}

/* SplitMix64, Steele, Lea and Flood 2014 */
static uint64_t noise(uint64_t n)
{
	n = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
	n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
	return n ^ n >> 31;
}

static uint64_t word(unsigned kind, unsigned index)
{
	if (kind == 0)
		return 0;
	if (kind < SYNTHETIC_KINDS - NOISE_KINDS)
		return UINT64_C(0xffff888000000000) + kind * SYNTHETIC_PAGE + index / 16;
	return noise(kind * 512 + index);
}

void synthetic_fill(unsigned kind, uint8_t bytes[SYNTHETIC_PAGE])
{
	for (unsigned i = 0; i < SYNTHETIC_PAGE; i++)
		bytes[i] = (uint8_t)(word(kind, i / 8) >> i % 8 * 8);
}

void synthetic_read(uint64_t addr, uint8_t *to, size_t len)
{
	while (len) {
		size_t offset = addr % SYNTHETIC_PAGE;
		size_t part = SYNTHETIC_PAGE - offset < len ? SYNTHETIC_PAGE - offset : len;
		uint8_t page[SYNTHETIC_PAGE];

		synthetic_fill(synthetic_kind(addr), page);
		memcpy(to, page + offset, part);
		addr += part;
		to += part;
		len -= part;
	}
}
