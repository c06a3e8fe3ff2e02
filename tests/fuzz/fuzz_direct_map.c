// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The search for the direct map of a stub that reads virtual addresses only. The first vCPU shows
 * the page table that the stub reads by, the last one is what the stub shows.
 */
#include <stdlib.h>

#include "layout/direct_map.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/guest.h"

/* Some 30000 reads of a word, and for each those of the tables. */
enum { READS_MAX = 200000 };

struct stub {
	struct page_table table;
	const struct guest_memory *memory;
};

static int read_virtual(void *ctx, uint64_t vaddr, void *buf, size_t len)
{
	const struct stub *stub = ctx;

	return paging_read(&stub->table, stub->memory, vaddr, buf, len);
}

static void check_map(const struct direct_map *map, const struct guest_memory *memory)
{
	struct ranges ram;
	struct error error;

	fuzz_check_table(&map->table);
	CHECK(map->table.levels);
	ranges_init(&ram);
	if (direct_map_ram(map, memory, &ram, &error))
		fuzz_check_line(error.text, sizeof(error.text));
	else
		CHECK(ram.count);
	fuzz_check_ranges(&ram);
	ranges_deinit(&ram);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_guest guest;
	struct direct_map map;
	struct error error;
	struct stub stub = { .memory = &guest.memory };
	struct guest_memory memory = { .read = read_virtual, .ctx = &stub };

	fuzz_guest_init(&guest, data, size);
	guest.reads_left = READS_MAX;
	if (fuzz_guest_table(&guest, 0, 0, &stub.table)) {
		if (direct_map_find(
			    &map, guest.arch, &guest.cpus[guest.cpu_count - 1], &memory, &error))
			fuzz_check_line(error.text, sizeof(error.text));
		else
			check_map(&map, &memory);
	}
	fuzz_guest_deinit(&guest);
	return 0;
}
