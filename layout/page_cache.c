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

/* The page at this address, read if it is not held; NULL if it cannot be. */
static const uint8_t *get_page(struct page_cache *cache, uint64_t address)
{
	uint8_t buf[PAGE_CACHE_PAGE], *page;
	size_t slot;

	for (slot = 0; slot < cache->held; slot++) {
		if (cache->addresses[slot] == address)
			return cache->pages + slot * PAGE_CACHE_PAGE;
	}
	if (read_behind(cache, address, buf, sizeof(buf)))
		return NULL;
	if (cache->held < PAGE_CACHE_SLOTS) {
		slot = cache->held++;
	} else {
		slot = cache->oldest;
		cache->oldest = (cache->oldest + 1) % PAGE_CACHE_SLOTS;
	}
	page = cache->pages + slot * PAGE_CACHE_PAGE;
	memcpy(page, buf, sizeof(buf));
	cache->addresses[slot] = address;
	return page;
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
		.pages = malloc((size_t)PAGE_CACHE_SLOTS * PAGE_CACHE_PAGE),
	};
	return cache->pages ? 0 : -1;
}

void page_cache_deinit(struct page_cache *cache)
{
	free(cache->pages);
	cache->pages = NULL;
}
