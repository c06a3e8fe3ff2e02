// SPDX-License-Identifier: GPL-2.0-or-later
/* A stub's memory map, or a user's: XML. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "layout/memory_map.h"
#include "tests/fuzz/fuzz.h"

/* The map that has all of this as RAM, parsed, is the same. */
static void check_written(const struct ranges *ranges)
{
	struct memory_map map;
	struct error error;
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	CHECK(file);
	fprintf(file, "<memory-map>");
	for (size_t i = 0; i < ranges->count; i++)
		fprintf(file,
			"<memory type=\"ram\" start=\"0x%" PRIx64 "\" length=\"%" PRIu64 "\"/>",
			ranges->items[i].start, ranges->items[i].size);
	fprintf(file, "</memory-map>");
	CHECK(fclose(file) == 0);
	memory_map_init(&map);
	CHECK(memory_map_parse(text, size, &map, &error) == 0);
	fuzz_check_same(&map.ram, ranges);
	fuzz_check_same(&map.all, ranges);
	memory_map_deinit(&map);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *text = fuzz_copy(data, size);
	struct memory_map map;
	struct error error;

	memory_map_init(&map);
	if (memory_map_parse((const char *)text, size, &map, &error)) {
		fuzz_check_line(error.text, sizeof(error.text));
	} else {
		fuzz_check_ranges(&map.ram);
		fuzz_check_ranges(&map.all);
		fuzz_check_within(&map.ram, &map.all);
		CHECK(!map.everywhere || map.all.count == 1);
		check_written(&map.all);
	}
	memory_map_deinit(&map);
	free(text);
	return 0;
}
