// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/page_cache.h"

#include <stdlib.h>
#include <string.h>

static int read_behind(struct page_cache *cache, uint64_t paddr, void *buf, size_t len)
{
	if (cache->reads == PAGE_CACHE_READS_MAX)
		return -1;
	cache->reads++;
	return guest_read(cache->behind, paddr, buf, len);
}

/* Where the page at this address is held; cache->held if it is not. */
static size_t find_slot(const struct page_cache *cache, uint64_t address)
{
	size_t slot = 0;

	while (slot < cache->held && cache->addresses[slot] != address)
		slot++;
	return slot;
}

static void keep_page(struct page_cache *cache, uint64_t address, const uint8_t *bytes)
{
	size_t slot = cache->held;

	if (cache->held < PAGE_CACHE_SLOTS) {
		cache->held++;
	} else {
		slot = cache->oldest;
		cache->oldest = (cache->oldest + 1) % PAGE_CACHE_SLOTS;
	}
	memcpy(cache->pages + slot * PAGE_CACHE_PAGE, bytes, PAGE_CACHE_PAGE);
	cache->addresses[slot] = address;
}

/* What cannot be read of the neighbours, behind the end of RAM for one, is left out. */
static void read_with_neighbours(struct page_cache *cache, uint64_t address)
{
	uint64_t first = address / PAGE_CACHE_PAGE / PAGE_CACHE_AHEAD * PAGE_CACHE_AHEAD;
	struct guest_read_request requests[PAGE_CACHE_AHEAD];
	size_t count = 0;

	if (cache->reads == PAGE_CACHE_READS_MAX)
		return;
	cache->reads++;
	for (size_t i = 0; i < PAGE_CACHE_AHEAD; i++) {
		uint64_t neighbour = (first + i) * PAGE_CACHE_PAGE;

		if (find_slot(cache, neighbour) < cache->held)
			continue;
		requests[count] = (struct guest_read_request){
			.paddr = neighbour,
			.buf = cache->ahead + count * PAGE_CACHE_PAGE,
			.len = PAGE_CACHE_PAGE,
		};
		count++;
	}
	guest_read_many(cache->behind, requests, count);
	for (size_t i = 0; i < count; i++) {
		if (!requests[i].failed)
			keep_page(cache, requests[i].paddr, requests[i].buf);
	}
}

/* The page at this address, read if it is not held; NULL if it cannot be. */
static const uint8_t *get_page(struct page_cache *cache, uint64_t address)
{
	size_t slot = find_slot(cache, address);

	if (slot == cache->held) {
		if (cache->behind->read_many)
			read_with_neighbours(cache, address);
		else if (read_behind(cache, address, cache->ahead, PAGE_CACHE_PAGE) == 0)
			keep_page(cache, address, cache->ahead);
		slot = find_slot(cache, address);
	}
	return slot < cache->held ? cache->pages + slot * PAGE_CACHE_PAGE : NULL;
}

static int cached_read(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct page_cache *cache = ctx;
	size_t offset = (size_t)(paddr % PAGE_CACHE_PAGE);
	const uint8_t *page;

	/* No table, and nothing that is read twice. */
	if (len > PAGE_CACHE_PAGE - offset)
		return read_behind(cache, paddr, buf, len);
	page = get_page(cache, paddr - offset);
	if (!page)
		return -1;
	memcpy(buf, page + offset, len);
	return 0;
}

int page_cache_init(struct page_cache *cache, const struct guest_memory *behind)
{
	*cache = (struct page_cache){
		.memory = { .read = cached_read, .ctx = cache },
		.behind = behind,
		.pages = malloc((size_t)(PAGE_CACHE_SLOTS + PAGE_CACHE_AHEAD) * PAGE_CACHE_PAGE),
	};
	if (!cache->pages)
		return -1;
	cache->ahead = cache->pages + (size_t)PAGE_CACHE_SLOTS * PAGE_CACHE_PAGE;
	return 0;
}

void page_cache_deinit(struct page_cache *cache)
{
	free(cache->pages);
	cache->pages = NULL;
}

struct page_cache *page_cache_create(const struct guest_memory *behind)
{
	struct page_cache *cache = malloc(sizeof(*cache));

	if (cache && page_cache_init(cache, behind)) {
		free(cache);
		return NULL;
	}
	return cache;
}

void page_cache_destroy(struct page_cache *cache)
{
	if (!cache)
		return;
	page_cache_deinit(cache);
	free(cache);
}
