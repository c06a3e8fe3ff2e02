// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/bytes.h"
#include "layout/page_cache.h"
#include "tests/unit/failing.h"

/* A guest in which every 8-byte word is its own address, but for a page that cannot be read. */
struct guest {
	struct guest_memory memory;
	struct page_cache *cache;
	unsigned reads, pages; /* calls; pages of those for many */
	uint64_t unreadable;
};

static int read_addresses(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct guest *guest = ctx;

	guest->reads++;
	assert_int_equal(paddr % 8, 0);
	assert_int_equal(len % 8, 0);
	if (paddr / 4096 == guest->unreadable / 4096)
		return -1;
	for (size_t i = 0; i < len; i += 8)
		put_le64((uint8_t *)buf + i, paddr + i);
	return 0;
}

/* The same, many at once, of which the one that cannot be read is the only one to fail. */
static void read_many(void *ctx, struct guest_read_request *requests, size_t count)
{
	struct guest *guest = ctx;
	unsigned reads = guest->reads;

	for (size_t i = 0; i < count; i++)
		requests[i].failed = read_addresses(ctx, requests[i].paddr, requests[i].buf,
					     requests[i].len) != 0;
	guest->reads = reads + 1;
	guest->pages += (unsigned)count;
}

static int setup(void **state)
{
	static struct guest guest;

	guest = (struct guest){ .memory = { .read = read_addresses, .ctx = &guest },
		.unreadable = UINT64_MAX };
	*state = &guest;
	guest.cache = page_cache_create(&guest.memory);
	return guest.cache ? 0 : -1;
}

static int teardown(void **state)
{
	struct guest *guest = *state;

	page_cache_destroy(guest->cache);
	return 0;
}

static void assert_reads(struct guest *guest, uint64_t paddr, unsigned reads)
{
	uint8_t word[8];

	assert_int_equal(guest_read(&guest->cache->memory, paddr, word, sizeof(word)), 0);
	assert_int_equal(get_le64(word), paddr);
	assert_int_equal(guest->reads, reads);
}

static void test_hits(void **state)
{
	struct guest *guest = *state;
	uint8_t page[4096];

	assert_reads(guest, 0x5008, 1);
	assert_reads(guest, 0x5000, 1);
	assert_reads(guest, 0x5ff8, 1);
	assert_reads(guest, 0x6000, 2);
	assert_reads(guest, 0, 3);
	assert_reads(guest, 0x5008, 3);
	assert_int_equal(guest_read(&guest->cache->memory, 0x5000, page, sizeof(page)), 0);
	assert_int_equal(get_le64(page + 4088), 0x5ff8);
	assert_int_equal(guest->reads, 3);
}

static void test_eviction(void **state)
{
	struct guest *guest = *state;

	for (unsigned i = 0; i < PAGE_CACHE_SLOTS; i++)
		assert_reads(guest, i * UINT64_C(0x100000), i + 1);
	for (unsigned i = 0; i < PAGE_CACHE_SLOTS; i++)
		assert_reads(guest, i * UINT64_C(0x100000), PAGE_CACHE_SLOTS);
	assert_reads(guest, 0x7000, PAGE_CACHE_SLOTS + 1);
	assert_reads(guest, 0x100000, PAGE_CACHE_SLOTS + 1);
	assert_reads(guest, 0, PAGE_CACHE_SLOTS + 2); /* the oldest had to go */
	assert_reads(guest, 0x7000, PAGE_CACHE_SLOTS + 2);
}

/* Reads over the end of a page go past the cache. */
static void test_crossing(void **state)
{
	struct guest *guest = *state;
	uint8_t words[16];

	for (unsigned i = 1; i <= 2; i++) {
		assert_int_equal(
			guest_read(&guest->cache->memory, 0x5ff8, words, sizeof(words)), 0);
		assert_int_equal(get_le64(words + 8), 0x6000);
		assert_int_equal(guest->reads, i);
	}
}

static void test_failure(void **state)
{
	struct guest *guest = *state;
	uint8_t word[8];

	guest->unreadable = 0x5000;
	assert_int_equal(guest_read(&guest->cache->memory, 0x5008, word, sizeof(word)), -1);
	guest->unreadable = UINT64_MAX;
	assert_reads(guest, 0x5008, 2);
}

static void test_bound(void **state)
{
	struct guest *guest = *state;
	uint8_t words[16];

	for (unsigned i = 0; i < PAGE_CACHE_READS_MAX; i++)
		assert_reads(guest, i * UINT64_C(4096), i + 1);
	assert_int_equal(guest_read(&guest->cache->memory, 0x80000000, words, 8), -1);
	assert_int_equal(guest_read(&guest->cache->memory, 0xff8, words, 16), -1);
	assert_reads(guest, (PAGE_CACHE_READS_MAX - 1) * UINT64_C(4096), PAGE_CACHE_READS_MAX);
}

/* Where many can be read at once, a page brings its neighbours. */
static void test_neighbours(void **state)
{
	struct guest *guest = *state;
	uint8_t word[8];

	guest->memory.read_many = read_many;
	assert_reads(guest, 0x1f008, 1);
	for (uint64_t paddr = 0x10000; paddr < 0x20000; paddr += 0x1000)
		assert_reads(guest, paddr, 1);
	assert_int_equal(guest->pages, 16);
	assert_reads(guest, 0xf000, 2);
	assert_reads(guest, 0x20000, 3);
	assert_int_equal(guest->pages, 48);

	/* One that cannot be read does not take the others with it, and is asked for again. */
	guest->unreadable = 0x35000;
	assert_reads(guest, 0x34000, 4);
	assert_reads(guest, 0x36000, 4);
	assert_int_equal(guest_read(&guest->cache->memory, 0x35000, word, sizeof(word)), -1);
	assert_int_equal(guest->reads, 5);
	assert_int_equal(guest->pages, 65);
	guest->unreadable = UINT64_MAX;
	assert_reads(guest, 0x35000, 6);
	assert_int_equal(guest->pages, 66);
}

static void test_neighbours_bound(void **state)
{
	struct guest *guest = *state;
	uint8_t word[8];

	guest->memory.read_many = read_many;
	for (unsigned i = 0; i < PAGE_CACHE_READS_MAX; i++)
		assert_reads(guest, i * UINT64_C(0x10000), i + 1);
	assert_int_equal(guest_read(&guest->cache->memory, 0x80000000, word, 8), -1);
	assert_int_equal(guest->reads, PAGE_CACHE_READS_MAX);
}

enum { MANY = 40 };

/* Reads a word of each of many pages at once, which are so far apart, from the first one on. */
static void read_words(struct guest *guest, uint64_t first, uint64_t step, bool *failed)
{
	struct guest_read_request requests[MANY];
	uint8_t words[MANY][16];

	for (size_t i = 0; i < MANY; i++)
		requests[i] = (struct guest_read_request){
			.paddr = first + i * step, .buf = words[i], .len = sizeof(words[i])
		};
	guest_read_many(&guest->cache->memory, requests, MANY);
	for (size_t i = 0; i < MANY; i++) {
		failed[i] = requests[i].failed;
		if (failed[i])
			continue;
		assert_int_equal(get_le64(words[i]), first + i * step);
		assert_int_equal(get_le64(words[i] + 8), first + i * step + 8);
	}
}

/* Many at once cost a read for every 32 of them, and bring no neighbours. */
static void test_many(void **state)
{
	struct guest *guest = *state;
	bool failed[MANY];

	guest->memory.read_many = read_many;
	read_words(guest, 0x100008, 0x10000, failed);
	assert_int_equal(guest->reads, 2);
	assert_int_equal(guest->pages, MANY);
	/* They are held. */
	read_words(guest, 0x100008, 0x10000, failed);
	assert_int_equal(guest->reads, 2);
	/* Two to a page */
	read_words(guest, 0x900000, 0x800, failed);
	assert_int_equal(guest->reads, 4);
	assert_int_equal(guest->pages, MANY + MANY / 2);
	for (size_t i = 0; i < MANY; i++)
		assert_false(failed[i]);
}

/* One cannot be read; others end on the next page, and go past the cache. */
static void test_some_of_many(void **state)
{
	struct guest *guest = *state;
	bool failed[MANY];

	guest->memory.read_many = read_many;
	guest->unreadable = 0x130000;
	read_words(guest, 0x100008, 0x10000, failed);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(failed[i], i == 3);
	guest->unreadable = 0x830ff8;
	read_words(guest, 0x800ff8, 0x10000, failed);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(failed[i], i == 3);
	assert_int_equal(guest->reads, 4);
	assert_int_equal(guest->pages, 2 * MANY);
	/* Nothing of those is held. */
	assert_reads(guest, 0x800ff8, 5);
}

/* What is held goes to whoever asks for it before what comes takes its place. */
static void test_many_in_a_full_cache(void **state)
{
	struct guest *guest = *state;
	bool failed[MANY];

	for (unsigned i = 0; i < PAGE_CACHE_SLOTS; i++)
		assert_reads(guest, 0x100000 + i * UINT64_C(0x1000), i + 1);
	guest->memory.read_many = read_many;
	/* The first ones are the oldest; the last are not there. */
	read_words(guest, 0x100000 - 20 * UINT64_C(0x1000), 0x1000, failed);
	for (size_t i = 0; i < MANY; i++)
		assert_false(failed[i]);
}

static void test_many_bound(void **state)
{
	struct guest *guest = *state;
	bool failed[MANY];

	for (unsigned i = 0; i < PAGE_CACHE_READS_MAX - 10; i++)
		assert_reads(guest, 0x1000000 + i * UINT64_C(4096), i + 1);
	guest->memory.read_many = read_many;
	read_words(guest, 0, 0x1000, failed);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(failed[i], i >= 10);
}

static void test_no_memory(void **state)
{
	struct guest *guest = *state;
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	while (failing_next(&failing)) {
		struct page_cache *cache = page_cache_create(&guest->memory);

		failing_check(&failing, cache ? 0 : -1, cache ? "" : "no memory");
		page_cache_destroy(cache);
	}
	assert_int_equal(failing.nth, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_eviction, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crossing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failure, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(test_neighbours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_neighbours_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_some_of_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_in_a_full_cache, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
