// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The search for the direct map of a stub that reads virtual addresses only. The first vCPU shows
 * the page table that the stub reads by, the last one is what the stub shows.
 */
#include <stdlib.h>

#include "layout/direct_map.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/guest.h"

/* Of words, and for each those of the tables. */
enum { READS_MAX = 200000 };

struct stub {
	struct page_table table;
	const struct fuzz_guest *guest;
};

static int read_virtual(void *ctx, uint64_t vaddr, void *buf, size_t len)
{
	const struct stub *stub = ctx;

	/* Of a guest that is gone, no table needs to be looked at. */
	return stub->guest->reads_left
	               ? paging_read(&stub->table, &stub->guest->memory, vaddr, buf, len)
	               : -1;
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
	struct stub stub = { .guest = &guest };
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
