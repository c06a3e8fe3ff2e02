/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory with a memory of its own, for walks of page tables: they come back to the same few
 * tables over and over, and every read of the guest is a round trip. Where many can be read in one,
 * they are, and a page brings its neighbours with it: kernels take their tables one after the other
 * from the same stretch. Right only while the guest stands still, so a cache lives no longer than
 * the searches for a kernel. It also bounds how much a search can cost, whatever the tables hold:
 * after PAGE_CACHE_READS_MAX reads, further ones fail. Private to layout/.
 */
#ifndef LAYOUT_PAGE_CACHE_H
#define LAYOUT_PAGE_CACHE_H

#include <stdint.h>

#include "arch/memory.h"

enum {
	PAGE_CACHE_READS_MAX = 1024,
	PAGE_CACHE_PAGE = 4096,
	PAGE_CACHE_SLOTS = 256,
	PAGE_CACHE_AHEAD = 16, /* pages in a row, the first a multiple of it, that come together */
	PAGE_CACHE_READ_MAX = 64, /* pages that come at once */
};

struct page_cache {
	struct guest_memory memory; /* hand this to the search */
	const struct guest_memory *behind;
	unsigned reads;
	uint64_t addresses[PAGE_CACHE_SLOTS]; /* of the pages that are held */
	size_t held, oldest;
	uint8_t *pages, *incoming; /* what is held; what is being read */
};

/* NULL without memory. What is behind must outlive the cache. */
struct page_cache *page_cache_create(const struct guest_memory *behind);
void page_cache_destroy(struct page_cache *cache); /* NULL accepted */

#endif
