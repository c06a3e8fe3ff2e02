// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, what);
	abort();
}

char *fuzz_text(const uint8_t *data, size_t size)
{
	size_t length = size ? strnlen((const char *)data, size) : 0;
	char *text = malloc(length + 1);

	CHECK(text);
	if (length)
		memcpy(text, data, length);
	text[length] = '\0';
	return text;
}

uint8_t *fuzz_copy(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	CHECK(copy);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

void fuzz_check_ranges(const struct ranges *ranges)
{
	CHECK(ranges->count <= RANGES_MAX);
	CHECK(ranges->count <= ranges->capacity);
	for (size_t i = 0; i < ranges->count; i++) {
		const struct range *range = &ranges->items[i];

		CHECK(range->size);
		CHECK(range->start <= RANGE_ADDRESS_MAX);
		CHECK(range->size <= RANGE_ADDRESS_MAX - range->start);
		CHECK(i == 0 || range[-1].start + range[-1].size < range->start);
	}
}

void fuzz_check_same(const struct ranges *a, const struct ranges *b)
{
	CHECK(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		CHECK(a->items[i].start == b->items[i].start);
		CHECK(a->items[i].size == b->items[i].size);
	}
}

void fuzz_check_within(const struct ranges *inner, const struct ranges *outer)
{
	for (size_t i = 0; i < inner->count; i++)
		CHECK(ranges_contain(outer, inner->items[i].start, inner->items[i].size));
}

void fuzz_check_line(const char *text, size_t room)
{
	size_t length = strnlen(text, room);

	CHECK(length > 0 && length < room);
	for (size_t i = 0; i < length; i++)
		CHECK((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
}
