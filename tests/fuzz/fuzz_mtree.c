// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of QEMU's `info mtree -f`. */
#include <stdlib.h>

#include "layout/mtree.h"
#include "tests/fuzz/fuzz.h"

/* Both ways of reading the text agree on what it has. */
static void try_want(const char *text, enum mtree_want want)
{
	struct ranges ranges, sum;
	struct range *regions = NULL;
	struct error error;
	size_t count = 0;
	int parsed;

	ranges_init(&ranges);
	ranges_init(&sum);
	parsed = mtree_parse(text, want, &ranges, &error);
	fuzz_check_ranges(&ranges);
	if (parsed) {
		fuzz_check_line(error.text, sizeof(error.text));
		if (mtree_regions(text, want, &regions, &count, &error))
			CHECK(!regions && !count);
	} else {
		CHECK(ranges.count);
		CHECK(mtree_regions(text, want, &regions, &count, &error) == 0 && count);
		for (size_t i = 0; i < count; i++)
			CHECK(ranges_add(&sum, regions[i].start, regions[i].size) == 0);
		fuzz_check_same(&sum, &ranges);
	}
	free(regions);
	ranges_deinit(&ranges);
	ranges_deinit(&sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	try_want(text, MTREE_RAM);
	try_want(text, MTREE_ALL);
	free(text);
	return 0;
}
