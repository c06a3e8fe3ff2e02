// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dump levels: where VMCOREINFO says that the struct pages are, and what is in them. Virtual
 * addresses are read by the page table that the first vCPU shows, or else are physical ones.
 */
#include <stdlib.h>

#include "layout/page_filter.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/guest.h"

/* More memory would only take more time. */
enum { RAM_MAX = 64 << 20 };

static void set_table(const struct fuzz_guest *guest, struct page_table *table)
{
	if (fuzz_guest_table(guest, 0, 0, table))
		return;
	*table = (struct page_table){
		.arch = guest->arch,
		.page_shift = guest->arch->page_shift,
		.regions = { { .range = { 0, UINT64_MAX }, .linear = true } },
		.region_count = 1,
	};
}

static uint64_t left_out(const struct page_filter_counts *counts)
{
	return counts->cache + counts->private_cache + counts->user + counts->free +
	       counts->unaccepted + counts->hwpoison + counts->offline;
}

static void try_filter(struct fuzz_guest *guest, const struct kernel *kernel)
{
	struct page_filter_counts counts;
	struct page_set all, kept;
	struct error error;
	uint64_t pfn = 0, count;

	if (page_set_init(&kept, &guest->ram, kernel->vmcoreinfo.page_shift))
		return;
	CHECK(page_set_init(&all, &guest->ram, kernel->vmcoreinfo.page_shift) == 0);
	if (page_filter(
		    guest->level, kernel, &guest->ram, &guest->memory, &kept, &counts, &error)) {
		fuzz_check_line(error.text, sizeof(error.text));
	} else {
		CHECK(counts.total == page_set_count(&all));
		CHECK(counts.kept + counts.undecided == page_set_count(&kept));
		CHECK(counts.kept + counts.undecided + left_out(&counts) == counts.total);
		CHECK(guest->level & ~DUMP_LEVEL_ZERO || counts.kept == counts.total);
	}
	/* Nothing was put in. */
	for (uint64_t frames = 0; page_set_next(&kept, &pfn, &count) && frames < 64; frames++) {
		CHECK(page_set_contains(&all, pfn) && page_set_contains(&all, pfn + count - 1));
		pfn += count;
	}
	page_set_deinit(&all);
	page_set_deinit(&kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_guest guest;
	struct kernel kernel;
	struct error error;

	fuzz_guest_init(&guest, data, size);
	kernel_init(&kernel);
	set_table(&guest, &kernel.table);
	kernel.mapped = true;
	kernel.arch = guest.arch;
	if (ranges_total(&guest.ram) <= RAM_MAX &&
		vmcoreinfo_parse(&kernel.vmcoreinfo, guest.info, guest.info_size, &error) == 0) {
		try_filter(&guest, &kernel);
		guest.level = guest.level ? guest.level : DUMP_LEVEL_MAX;
		try_filter(&guest, &kernel);
	}
	kernel_deinit(&kernel);
	fuzz_guest_deinit(&guest);
	return 0;
}
