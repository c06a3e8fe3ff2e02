// SPDX-License-Identifier: GPL-2.0-or-later
/* A saved /proc/iomem. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "layout/iomem.h"
#include "tests/fuzz/fuzz.h"

/* As the kernel would print it, it is read back. */
static void check_written(const struct ranges *ram)
{
	struct ranges again;
	struct error error;
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	CHECK(file);
	for (size_t i = 0; i < ram->count; i++)
		fprintf(file, "%08" PRIx64 "-%08" PRIx64 " : System RAM\n", ram->items[i].start,
			ram->items[i].start + ram->items[i].size - 1);
	CHECK(fclose(file) == 0);
	ranges_init(&again);
	CHECK(iomem_parse(text, &again, &error) == 0);
	fuzz_check_same(&again, ram);
	ranges_deinit(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct ranges ram;
	struct error error;

	ranges_init(&ram);
	if (iomem_parse(text, &ram, &error)) {
		fuzz_check_line(error.text, sizeof(error.text));
	} else {
		CHECK(ram.count);
		check_written(&ram);
	}
	fuzz_check_ranges(&ram);
	ranges_deinit(&ram);
	free(text);
	return 0;
}
