// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/ranges.h"

#include <stdlib.h>
#include <string.h>

#include "layout/digits.h"

void ranges_init(struct ranges *ranges)
{
	*ranges = (struct ranges){ 0 };
}

void ranges_deinit(struct ranges *ranges)
{
	free(ranges->items);
	ranges_init(ranges);
}

static uint64_t range_end(const struct range *range)
{
	return range->start + range->size;
}

/* The index of the first range that ends behind addr; count if none does. */
size_t ranges_from(const struct ranges *ranges, uint64_t addr)
{
	size_t low = 0, high = ranges->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (range_end(&ranges->items[middle]) > addr)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int make_room(struct ranges *ranges, size_t count)
{
	size_t capacity = ranges->capacity ? ranges->capacity : 16;
	struct range *items;

	if (count > RANGES_MAX)
		return -1;
	if (count <= ranges->capacity)
		return 0;
	while (capacity < count)
		capacity *= 2;
	items = realloc(ranges->items, capacity * sizeof(*items));
	if (!items) {
		ranges->no_memory = true;
		return -1;
	}
	ranges->items = items;
	ranges->capacity = capacity;
	return 0;
}

int ranges_add(struct ranges *ranges, uint64_t start, uint64_t size)
{
	uint64_t end = start + size;
	size_t first, behind;

	if (!size || start > RANGE_ADDRESS_MAX || size > RANGE_ADDRESS_MAX - start)
		return -1;

	/* Those in [first, behind) touch or overlap the new one, and become one with it. */
	first = start ? ranges_from(ranges, start - 1) : 0;
	for (behind = first; behind < ranges->count; behind++) {
		const struct range *old = &ranges->items[behind];

		if (old->start > end)
			break;
		if (old->start < start)
			start = old->start;
		if (range_end(old) > end)
			end = range_end(old);
	}

	if (first == behind && make_room(ranges, ranges->count + 1))
		return -1;
	if (behind < ranges->count)
		memmove(&ranges->items[first + 1], &ranges->items[behind],
			(ranges->count - behind) * sizeof(*ranges->items));
	ranges->items[first] = (struct range){ .start = start, .size = end - start };
	ranges->count = ranges->count - (behind - first) + 1;
	return 0;
}

int ranges_copy(struct ranges *to, const struct ranges *from)
{
	if (to == from)
		return 0;
	if (make_room(to, from->count))
		return -1;
	if (from->count)
		memcpy(to->items, from->items, from->count * sizeof(*from->items));
	to->count = from->count;
	return 0;
}

void ranges_clip(struct ranges *ranges, uint64_t start, uint64_t size)
{
	uint64_t end = size > UINT64_MAX - start ? UINT64_MAX : start + size;
	size_t kept = 0;

	for (size_t i = 0; i < ranges->count; i++) {
		const struct range *old = &ranges->items[i];
		uint64_t from = old->start > start ? old->start : start;
		uint64_t to = range_end(old) < end ? range_end(old) : end;

		if (from < to)
			ranges->items[kept++] = (struct range){ .start = from, .size = to - from };
	}
	ranges->count = kept;
}

uint64_t ranges_total(const struct ranges *ranges)
{
	uint64_t total = 0;

	for (size_t i = 0; i < ranges->count; i++)
		total += ranges->items[i].size;
	return total;
}

uint64_t ranges_end(const struct ranges *ranges)
{
	return ranges->count ? range_end(&ranges->items[ranges->count - 1]) : 0;
}

bool ranges_next(const struct ranges *ranges, struct range_cursor *cursor, uint64_t size,
	struct range *piece)
{
	if (cursor->index == ranges->count)
		return false;

	const struct range *range = &ranges->items[cursor->index];
	uint64_t left = range->size - cursor->offset;

	piece->start = range->start + cursor->offset;
	piece->size = size - piece->start % size;
	if (piece->size < left) {
		cursor->offset += piece->size;
		return true;
	}
	piece->size = left;
	cursor->index++;
	cursor->offset = 0;
	return true;
}

void ranges_seek(const struct ranges *ranges, struct range_cursor *cursor, uint64_t addr)
{
	size_t i = ranges_from(ranges, addr);

	cursor->index = i;
	cursor->offset = i < ranges->count && ranges->items[i].start < addr
	                         ? addr - ranges->items[i].start
	                         : 0;
}

const struct range *ranges_find(const struct ranges *ranges, uint64_t addr)
{
	size_t i = ranges_from(ranges, addr);

	return i < ranges->count && ranges->items[i].start <= addr ? &ranges->items[i] : NULL;
}

bool ranges_contain(const struct ranges *ranges, uint64_t start, uint64_t size)
{
	const struct range *range;

	if (!size)
		return true;
	range = ranges_find(ranges, start);
	return range && size <= range_end(range) - start;
}

bool ranges_overlap(const struct ranges *ranges, uint64_t start, uint64_t size)
{
	uint64_t end = size > UINT64_MAX - start ? UINT64_MAX : start + size;
	size_t i = ranges_from(ranges, start);

	return size && i < ranges->count && ranges->items[i].start < end;
}

static bool read_amount(const char **text, uint64_t *amount)
{
	static const char units[] = "kKmMgGtT";
	const char *unit;

	if (!read_number(text, amount))
		return false;
	unit = **text ? strchr(units, **text) : NULL;
	if (unit) {
		unsigned shift = 10 * (unsigned)((unit - units) / 2 + 1);

		if (*amount > UINT64_MAX >> shift)
			return false;
		*amount <<= shift;
		(*text)++;
	}
	return true;
}

int parse_amount(const char *text, uint64_t *amount)
{
	uint64_t value;

	if (!read_amount(&text, &value) || *text)
		return -1;
	*amount = value;
	return 0;
}

/* Reads START-LAST or START+SIZE, up to the end of the text or a comma. */
static bool read_range(const char **text, struct range *range)
{
	uint64_t last;

	if (!read_amount(text, &range->start))
		return false;
	if (**text == '+') {
		++*text;
		if (!read_amount(text, &range->size))
			return false;
	} else if (**text == '-') {
		++*text;
		/* No unit here: a range that ends at 64M would be one byte longer than meant. */
		if (!read_number(text, &last) || last < range->start || last >= RANGE_ADDRESS_MAX)
			return false;
		range->size = last - range->start + 1;
	} else {
		return false;
	}
	return **text == '\0' || **text == ',';
}

int ranges_parse(const char *text, struct ranges *ranges, struct error *error)
{
	struct ranges found;

	ranges_init(&found);
	for (const char *rest = text;; rest++) {
		const char *piece = rest;
		int length = (int)strnlen(piece, 80);
		const char *comma = memchr(piece, ',', (size_t)length);
		struct range range;

		if (comma)
			length = (int)(comma - piece);
		if (!read_range(&rest, &range)) {
			error_set(error, "\"%.*s\" is not START-END or START+SIZE", length, piece);
			goto fail;
		}
		if (ranges_overlap(&found, range.start, range.size)) {
			error_set(error, "\"%.*s\" overlaps another range", length, piece);
			goto fail;
		}
		if (ranges_add(&found, range.start, range.size)) {
			if (found.no_memory)
				error_no_memory(error);
			else
				error_set(error, "\"%.*s\" is empty, too far up, or one too many",
					length, piece);
			goto fail;
		}
		if (!*rest)
			break;
	}
	ranges_deinit(ranges);
	*ranges = found;
	return 0;

fail:
	ranges_deinit(&found);
	return -1;
}
