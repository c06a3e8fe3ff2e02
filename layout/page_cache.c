// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/page_cache.h"

#include <stdlib.h>
#include <string.h>

enum {
	GROUP_MAX = PAGE_CACHE_READ_MAX / 2,                          /* requests done at once */
	WITH_NEIGHBOURS_MAX = PAGE_CACHE_READ_MAX / PAGE_CACHE_AHEAD, /* ... with what is around */
};

/* What is to be read for a group: pages for the cache, and what goes past it. */
struct misses {
	struct guest_read_request reads[PAGE_CACHE_READ_MAX + GROUP_MAX];
	struct guest_read_request *owners[PAGE_CACHE_READ_MAX + GROUP_MAX]; /* NULL: the cache */
	size_t count, pages;
};

/* Where the page at this address is held; cache->held if it is not. */
static size_t find_slot(const struct page_cache *cache, uint64_t address)
{
	size_t slot = 0;

	while (slot < cache->held && cache->addresses[slot] != address)
		slot++;
	return slot;
}

static bool is_held(const struct page_cache *cache, uint64_t address)
{
	return find_slot(cache, address) < cache->held;
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

/* No table, and nothing that is read twice. */
static bool goes_past(const struct guest_read_request *request)
{
	return request->len > PAGE_CACHE_PAGE - request->paddr % PAGE_CACHE_PAGE;
}

static uint64_t page_of(const struct guest_read_request *request)
{
	return request->paddr - request->paddr % PAGE_CACHE_PAGE;
}

static void add_page(struct misses *misses, const struct page_cache *cache, uint64_t address)
{
	if (is_held(cache, address))
		return;
	for (size_t i = 0; i < misses->count; i++)
		if (!misses->owners[i] && misses->reads[i].paddr == address)
			return;
	misses->owners[misses->count] = NULL;
	misses->reads[misses->count++] = (struct guest_read_request){
		.paddr = address,
		.buf = cache->incoming + misses->pages++ * PAGE_CACHE_PAGE,
		.len = PAGE_CACHE_PAGE,
	};
}

/* From the cache, if it is there. */
static void copy_held(const struct page_cache *cache, struct guest_read_request *request)
{
	size_t slot = find_slot(cache, page_of(request));

	if (goes_past(request) || slot == cache->held)
		return;
	memcpy(request->buf,
		cache->pages + slot * PAGE_CACHE_PAGE + request->paddr % PAGE_CACHE_PAGE,
		request->len);
	request->failed = false;
}

static void add_request(struct misses *misses, struct page_cache *cache,
	struct guest_read_request *request, bool with_neighbours)
{
	const uint64_t row = (uint64_t)PAGE_CACHE_AHEAD * PAGE_CACHE_PAGE;

	if (cache->reads == PAGE_CACHE_READS_MAX)
		return;
	cache->reads++;
	if (goes_past(request)) {
		misses->owners[misses->count] = request;
		misses->reads[misses->count++] = *request;
	} else if (with_neighbours) {
		for (uint64_t offset = 0; offset < row; offset += PAGE_CACHE_PAGE)
			add_page(misses, cache, request->paddr / row * row + offset);
	} else {
		add_page(misses, cache, page_of(request));
	}
}

/* What cannot be read of the neighbours, behind the end of RAM for one, is left out. */
static void read_misses(struct page_cache *cache, struct misses *misses)
{
	if (misses->count)
		guest_read_many(cache->behind, misses->reads, misses->count);
	for (size_t i = 0; i < misses->count; i++) {
		const struct guest_read_request *read = &misses->reads[i];

		if (misses->owners[i])
			misses->owners[i]->failed = read->failed;
		else if (!read->failed)
			keep_page(cache, read->paddr, read->buf);
	}
}

static void read_group(struct page_cache *cache, struct guest_read_request *requests, size_t count)
{
	bool with_neighbours = cache->behind->read_many && count <= WITH_NEIGHBOURS_MAX;
	struct misses misses;

	misses.count = misses.pages = 0;
	/* What is held may have to go for what comes. */
	for (size_t i = 0; i < count; i++) {
		requests[i].failed = true;
		copy_held(cache, &requests[i]);
		if (requests[i].failed)
			add_request(&misses, cache, &requests[i], with_neighbours);
	}
	read_misses(cache, &misses);
	for (size_t i = 0; i < count; i++)
		if (requests[i].failed)
			copy_held(cache, &requests[i]);
}

static void cached_read_many(void *ctx, struct guest_read_request *requests, size_t count)
{
	for (size_t done = 0; done < count; done += GROUP_MAX)
		read_group(
			ctx, requests + done, count - done < GROUP_MAX ? count - done : GROUP_MAX);
}

static int cached_read(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct guest_read_request request = { .paddr = paddr, .buf = buf, .len = len };

	read_group(ctx, &request, 1);
	return request.failed ? -1 : 0;
}

struct page_cache *page_cache_create(const struct guest_memory *behind)
{
	struct page_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->memory = (struct guest_memory){
		.read = cached_read,
		.read_many = cached_read_many,
		.ctx = cache,
	};
	cache->behind = behind;
	cache->pages = malloc((size_t)(PAGE_CACHE_SLOTS + PAGE_CACHE_READ_MAX) * PAGE_CACHE_PAGE);
	if (!cache->pages) {
		free(cache);
		return NULL;
	}
	cache->incoming = cache->pages + (size_t)PAGE_CACHE_SLOTS * PAGE_CACHE_PAGE;
	return cache;
}

void page_cache_destroy(struct page_cache *cache)
{
	if (!cache)
		return;
	free(cache->pages);
	free(cache);
}
