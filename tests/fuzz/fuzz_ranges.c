// SPDX-License-Identifier: GPL-2.0-or-later
/* --ram with ranges, amounts, and what is asked of a set of ranges. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

static void check_written(const struct ranges *ranges)
{
	struct ranges again;
	struct error error;
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	CHECK(file);
	for (size_t i = ranges->count; i-- > 0;)
		fprintf(file, "0x%" PRIx64 "+%" PRIu64 "%s", ranges->items[i].start,
			ranges->items[i].size, i ? "," : "");
	CHECK(fclose(file) == 0);
	ranges_init(&again);
	CHECK(ranges_parse(text, &again, &error) == 0);
	fuzz_check_same(&again, ranges);
	ranges_deinit(&again);
	free(text);
}

static void check_answers(const struct ranges *ranges)
{
	for (size_t i = 0; i < ranges->count; i++) {
		const struct range *range = &ranges->items[i];
		uint64_t end = range->start + range->size;

		CHECK(ranges_find(ranges, range->start) == range);
		CHECK(ranges_find(ranges, end - 1) == range);
		CHECK(ranges_find(ranges, end) == NULL);
		CHECK(ranges_from(ranges, range->start) == i && ranges_from(ranges, end) == i + 1);
		CHECK(ranges_contain(ranges, range->start, range->size));
		CHECK(!ranges_contain(ranges, range->start, range->size + 1));
		CHECK(ranges_overlap(ranges, end - 1, 1) && !ranges_overlap(ranges, end, 1));
	}
}

/* The pieces of a walk are the set again, and none goes over a multiple of the size. */
static void check_walk(const struct ranges *ranges)
{
	uint64_t size = ranges_end(ranges) / 64 + 1;
	struct range_cursor cursor = { 0 };
	struct ranges sum;
	struct range piece;

	ranges_init(&sum);
	while (ranges_next(ranges, &cursor, size, &piece)) {
		CHECK(piece.size && piece.start / size == (piece.start + piece.size - 1) / size);
		CHECK(piece.start >= ranges_end(&sum));
		CHECK(ranges_add(&sum, piece.start, piece.size) == 0);
	}
	fuzz_check_same(&sum, ranges);
	ranges_deinit(&sum);
}

static void check_clip(const struct ranges *ranges)
{
	uint64_t half = ranges_end(ranges) / 2, total = ranges_total(ranges);
	struct ranges low, high;

	ranges_init(&low);
	ranges_init(&high);
	CHECK(ranges_copy(&low, ranges) == 0 && ranges_copy(&high, ranges) == 0);
	ranges_clip(&low, 0, half);
	ranges_clip(&high, half, UINT64_MAX);
	fuzz_check_ranges(&low);
	fuzz_check_ranges(&high);
	fuzz_check_within(&low, ranges);
	fuzz_check_within(&high, ranges);
	CHECK(ranges_total(&low) + ranges_total(&high) == total);
	ranges_deinit(&low);
	ranges_deinit(&high);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct ranges ranges;
	struct error error;
	uint64_t amount;

	parse_amount(text, &amount);
	ranges_init(&ranges);
	if (ranges_parse(text, &ranges, &error)) {
		fuzz_check_line(error.text, sizeof(error.text));
		CHECK(!ranges.count);
	} else {
		CHECK(ranges.count);
		fuzz_check_ranges(&ranges);
		check_written(&ranges);
		check_answers(&ranges);
		check_walk(&ranges);
		check_clip(&ranges);
	}
	ranges_deinit(&ranges);
	free(text);
	return 0;
}
