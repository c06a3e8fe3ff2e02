/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that runs out, and disks that do. Every unit test is linked so that what our objects call
 * of the C library comes here first (see "wrapped" in Makefile.in), and is passed on unless a test
 * has asked for failures:
 *
 *	struct failing failing = { .what = FAILING_ALLOCATIONS };
 *
 *	while (failing_next(&failing)) {
 *		rc = operation();
 *		failing_check(&failing, rc, error.text);
 *		... free all ...
 *	}
 *
 * In the first round the first call fails, then the first and all behind it, then the second and so
 * on, until a round comes to its end without a failure. At the end of each, all that was allocated
 * in it must be freed, and as many descriptors must be open as before.
 *
 * What libraries allocate for themselves comes here if they can be told to: expat, zlib, zstd,
 * libcurl. libdeflate fails as a whole. lzo allocates nothing. snappy is left alone: what it lacks
 * memory for it throws in C++, which C cannot catch.
 */
#ifndef TESTS_UNIT_FAILING_H
#define TESTS_UNIT_FAILING_H

#include <stdbool.h>

enum failing_what {
	FAILING_ALLOCATIONS, /* malloc() and all that need it; threads */
	FAILING_OUTPUT,      /* what changes files: write(), pwrite(), fsync(), rename() ... */
	FAILING_WRITES,      /* of those write() and pwrite() only */
};

struct failing {
	enum failing_what what;
	int error;         /* errno of failing output; 0: a part of the bytes is written */
	bool libcurl;      /* what libcurl allocates for itself fails as well */
	bool passes;       /* no round in which all calls behind the first fail too */
	unsigned long nth; /* the call that fails, from 1 */
	bool for_good;     /* and all behind it */
	unsigned long calls, hits;
	unsigned descriptors;
	bool started;
};

/* Begins a round; false after one in which nothing failed. Fails the test if anything leaks. */
bool failing_next(struct failing *failing);

/* Ends the failures of the round: what follows works. Returns whether there was one. */
bool failing_end(struct failing *failing);

/*
 * Ends the round of an operation that returns 0 or -1: if anything failed it has to have failed for
 * that, with "no memory" at the end of its text; else it has to have worked.
 */
void failing_check(struct failing *failing, int rc, const char *text);

/*
 * Spares what this thread does from failing, or no longer; it can be nested. For the helpers of
 * tests, which are part of the world and not of what is tested.
 */
void failing_spare(bool spare);
bool failing_is_spared(void);

#endif
