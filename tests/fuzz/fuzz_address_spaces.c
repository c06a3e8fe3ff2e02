// SPDX-License-Identifier: GPL-2.0-or-later
/* --paging: all that the page tables of all vCPUs map, and what a core then makes of it. */
#include <stdlib.h>
#include <string.h>

#include "layout/address_spaces.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/guest.h"

enum { TABLES_MAX = 256 };

/* That each of them lies within one range of memory, in order, and all memory behind some. */
static void check_mappings(
	const struct core_mapping *mappings, size_t count, const struct ranges *memory, bool all)
{
	struct ranges mapped;

	CHECK(count <= CORE_MAPPINGS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct range *range = ranges_find(memory, mappings[i].paddr);

		CHECK(mappings[i].size && range);
		CHECK(mappings[i].size <= range->start + range->size - mappings[i].paddr);
	}
	ranges_init(&mapped);
	CHECK(core_mapped_memory(mappings, count, &mapped) == 0);
	if (all)
		fuzz_check_same(&mapped, memory);
	else
		fuzz_check_within(&mapped, memory);
	ranges_deinit(&mapped);
}

/* A core that has only every other 64 KiB of memory, and one that tells of those alone. */
static void try_cut(const struct address_spaces *spaces, const struct ranges *memory)
{
	struct ranges held;

	ranges_init(&held);
	for (size_t i = 0; i < memory->count && i < 16; i++) {
		const struct range *range = &memory->items[i];

		for (uint64_t at = 0; at < range->size && at < 32 << 16; at += 2 << 16) {
			uint64_t left = range->size - at;

			CHECK(ranges_add(&held, range->start + at,
				      left < 1 << 16 ? left : 1 << 16) == 0);
		}
	}
	for (unsigned i = 0; i < 2; i++) {
		size_t bytes = spaces->count * sizeof(struct core_mapping);
		struct core_mapping *cut = malloc(bytes ? bytes : 1);
		size_t count = spaces->count;
		const struct ranges *told = i ? memory : &held;

		CHECK(cut);
		memcpy(cut, spaces->mappings, bytes);
		if (core_cut_mappings(&cut, &count, told, &held) == 0)
			check_mappings(cut, count, told, true);
		/* None goes over an end of what is held. */
		for (size_t j = 0; j < count && i == 0; j++)
			CHECK(ranges_contain(&held, cut[j].paddr, cut[j].size));
		free(cut);
	}
	ranges_deinit(&held);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct address_spaces spaces;
	struct fuzz_guest guest;
	struct kernel kernel;
	struct error error;

	fuzz_guest_init(&guest, data, size);
	kernel_init(&kernel);
	/* Tables that hang from each other in a loop show more mappings with each of them. */
	guest.reads_left = TABLES_MAX;
	if (address_spaces_read(&spaces, &kernel, guest.arch, guest.cpus, guest.cpu_count,
		    &guest.ram, &guest.memory, &error)) {
		fuzz_check_line(error.text, sizeof(error.text));
	} else {
		CHECK(spaces.roots <= 2 * guest.cpu_count);
		check_mappings(spaces.mappings, spaces.count, &guest.ram, true);
		try_cut(&spaces, &guest.ram);
	}
	address_spaces_deinit(&spaces);
	kernel_deinit(&kernel);
	fuzz_guest_deinit(&guest);
	return 0;
}
