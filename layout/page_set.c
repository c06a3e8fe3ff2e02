// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/page_set.h"

#include <stdlib.h>
#include <string.h>

#include "arch/bytes.h"

enum { WORD = 64 };

static uint64_t span_end(const struct page_set_span *span)
{
	return span->first + span->frames;
}

/* Ranges are sorted, so what does not touch the last span begins a new one. */
static void add_span(struct page_set *set, uint64_t first, uint64_t end)
{
	struct page_set_span *last = &set->spans[set->span_count];

	first = first / WORD * WORD;
	end = (end + WORD - 1) / WORD * WORD;
	if (set->span_count && first <= span_end(last - 1)) {
		last--;
		if (end > span_end(last))
			last->frames = end - last->first;
		return;
	}
	last->first = first;
	last->frames = end - first;
	set->span_count++;
}

/* The bits [from, to) of a word. */
static uint64_t mask_of(uint64_t from, uint64_t to)
{
	return UINT64_MAX << from & UINT64_MAX >> (WORD - to);
}

/* The index of the first span that ends behind pfn; span_count if none does. */
static size_t first_behind(const struct page_set *set, uint64_t pfn)
{
	size_t low = 0, high = set->span_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (span_end(&set->spans[middle]) > pfn)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Sets or clears the bits of [first, end) in one span. Counts those that change. */
static uint64_t change(struct page_set *set, const struct page_set_span *span, uint64_t first,
	uint64_t end, bool in)
{
	uint64_t changed = 0;

	if (first < span->first)
		first = span->first;
	if (end > span_end(span))
		end = span_end(span);
	while (first < end) {
		uint64_t *word = &set->bits[span->word + (size_t)((first - span->first) / WORD)];
		uint64_t from = first % WORD;
		uint64_t to = end - first < WORD - from ? from + (end - first) : WORD;
		uint64_t bits = mask_of(from, to) & (in ? ~*word : *word);

		*word ^= bits;
		changed += (uint64_t)__builtin_popcountll(bits);
		first += to - from;
	}
	return changed;
}

int page_set_init(struct page_set *set, const struct ranges *ranges, unsigned page_shift)
{
	uint64_t words = 0;

	*set = (struct page_set){ .page_shift = page_shift };
	if (!ranges->count)
		return 0;
	set->spans = calloc(ranges->count, sizeof(*set->spans));
	if (!set->spans)
		return -1;
	for (size_t i = 0; i < ranges->count; i++) {
		const struct range *range = &ranges->items[i];

		add_span(set, range->start >> page_shift,
			((range->start + range->size - 1) >> page_shift) + 1);
	}
	for (size_t i = 0; i < set->span_count; i++) {
		set->spans[i].word = (size_t)words;
		words += set->spans[i].frames / WORD;
	}
	if (words && words <= PAGE_SET_FRAMES_MAX / WORD)
		set->bits = calloc((size_t)words, sizeof(*set->bits));
	if (!set->bits) {
		page_set_deinit(set);
		return -1;
	}
	for (size_t i = 0; i < ranges->count; i++) {
		const struct range *range = &ranges->items[i];
		uint64_t first = range->start >> page_shift;

		set->count += change(set, &set->spans[first_behind(set, first)], first,
			((range->start + range->size - 1) >> page_shift) + 1, true);
	}
	return 0;
}

void page_set_deinit(struct page_set *set)
{
	free(set->spans);
	free(set->bits);
	*set = (struct page_set){ 0 };
}

static bool is_behind(const struct page_set *set, size_t span, uint64_t pfn)
{
	return span < set->span_count && span_end(&set->spans[span]) > pfn;
}

void page_set_remove(struct page_set *set, uint64_t pfn, uint64_t count)
{
	uint64_t end = count > UINT64_MAX - pfn ? UINT64_MAX : pfn + count;
	size_t i = set->recent;

	if (!is_behind(set, i, pfn) || (i && is_behind(set, i - 1, pfn)))
		i = first_behind(set, pfn);
	for (; i < set->span_count && set->spans[i].first < end; i++) {
		set->recent = i;
		set->count -= change(set, &set->spans[i], pfn, end, false);
	}
}

bool page_set_contains(const struct page_set *set, uint64_t pfn)
{
	size_t i = first_behind(set, pfn);
	const struct page_set_span *span = &set->spans[i];

	if (i == set->span_count || pfn < span->first)
		return false;
	return set->bits[span->word + (size_t)((pfn - span->first) / WORD)] >> pfn % WORD & 1;
}

uint64_t page_set_count(const struct page_set *set)
{
	return set->count;
}

/* The first bit at or behind `at` that is `in`, in one span; its end if there is none. */
static uint64_t find(
	const struct page_set *set, const struct page_set_span *span, uint64_t at, bool in)
{
	const uint64_t *words = &set->bits[span->word];

	while (at < span_end(span)) {
		uint64_t word = words[(at - span->first) / WORD];
		uint64_t bits = (in ? word : ~word) & UINT64_MAX << at % WORD;

		if (bits)
			return at / WORD * WORD + (uint64_t)__builtin_ctzll(bits);
		at = at / WORD * WORD + WORD;
	}
	return at;
}

bool page_set_next(const struct page_set *set, uint64_t *pfn, uint64_t *count)
{
	/* No run reaches over the end of a span: what touches it would be of the same span. */
	for (size_t i = first_behind(set, *pfn); i < set->span_count; i++) {
		const struct page_set_span *span = &set->spans[i];
		uint64_t first = find(set, span, *pfn > span->first ? *pfn : span->first, true);

		if (first < span_end(span)) {
			*pfn = first;
			*count = find(set, span, first, false) - first;
			return true;
		}
	}
	return false;
}

bool page_set_bits(const struct page_set *set, uint64_t first, uint8_t *bits, size_t size)
{
	uint64_t end = first + (uint64_t)size * 8;
	bool any = false;

	memset(bits, 0, size);
	for (size_t i = first_behind(set, first); i < set->span_count; i++) {
		const struct page_set_span *span = &set->spans[i];
		uint64_t from = span->first > first ? span->first : first;

		if (span->first >= end)
			break;
		for (; from < span_end(span) && from < end; from += WORD) {
			uint64_t word =
				set->bits[span->word + (size_t)((from - span->first) / WORD)];

			put_u64(bits + (size_t)((from - first) / 8), word, LITTLE);
			any = any || word;
		}
	}
	return any;
}
