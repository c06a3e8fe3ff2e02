// SPDX-License-Identifier: GPL-2.0-or-later
/* Page tables of every CPU: the walk over all of them, and single addresses. */
#include <stdlib.h>
#include <string.h>

#include "layout/vmcoreinfo.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/guest.h"

enum { MAPPINGS_MAX = 64, ROOTS_MAX = 6 };

struct visitor {
	struct mapping list[MAPPINGS_MAX]; /* the first ones */
	size_t count;
	struct mapping last;
};

static bool same_rights(const struct mapping *a, const struct mapping *b)
{
	return a->writable == b->writable && a->executable == b->executable && a->user == b->user;
}

static int visit(void *ctx, const struct mapping *mapping)
{
	struct visitor *visitor = ctx;
	const struct mapping *last = &visitor->last;

	CHECK(mapping->size && mapping->size - 1 <= UINT64_MAX - mapping->vaddr);
	if (last->size) {
		CHECK(last->vaddr + (last->size - 1) < mapping->vaddr);
		/* They would have come as one. */
		CHECK(last->vaddr + last->size != mapping->vaddr ||
			last->paddr + last->size != mapping->paddr || !same_rights(last, mapping));
	}
	visitor->last = *mapping;
	if (visitor->count < MAPPINGS_MAX)
		visitor->list[visitor->count++] = *mapping;
	return 0;
}

/* What the walk has found, a look at a single address finds as well. */
static void check_mapping(
	struct fuzz_guest *guest, const struct page_table *table, const struct mapping *mapping)
{
	uint64_t last = mapping->vaddr + (mapping->size - 1), paddr;
	uint8_t virtual[16], physical[16];

	guest->reads_left = 64;
	CHECK(paging_translate(table, &guest->memory, mapping->vaddr, &paddr));
	CHECK(paddr == mapping->paddr);
	CHECK(paging_translate(table, &guest->memory, last, &paddr));
	CHECK(paddr == mapping->paddr + (mapping->size - 1));
	if (mapping->size < sizeof(virtual) ||
		guest_read(&guest->memory, mapping->paddr, physical, sizeof(physical)))
		return;
	CHECK(paging_read(table, &guest->memory, mapping->vaddr, virtual, sizeof(virtual)) == 0);
	CHECK(memcmp(virtual, physical, sizeof(virtual)) == 0);
}

/* Cut to a part of a mapping, there is that part. */
static void check_cut(
	struct fuzz_guest *guest, const struct page_table *table, const struct mapping *mapping)
{
	struct visitor visitor = { .count = 0 };
	uint64_t first = mapping->vaddr + mapping->size / 4;
	uint64_t last = mapping->vaddr + mapping->size / 2;

	if (mapping->size < 4)
		return;
	guest->reads_left = GUEST_READS_MAX;
	paging_walk(table, &guest->memory, first, last, visit, &visitor);
	CHECK(visitor.count >= 1 && visitor.list[0].vaddr == first);
	CHECK(visitor.list[0].paddr == mapping->paddr + mapping->size / 4);
	CHECK(visitor.list[0].size == last - first + 1);
}

static void try_table(struct fuzz_guest *guest, const struct page_table *table)
{
	struct visitor visitor = { .count = 0 };
	struct kernel_space space;
	uint8_t bytes[64];

	fuzz_check_table(table);
	space = table->arch->kernel_space(table);
	/* An empty range is one for which none is known. */
	CHECK(space.text.first <= space.text.last || space.text.last == 0);
	CHECK(space.direct_map.first <= space.direct_map.last || space.direct_map.last == 0);
	guest->reads_left = GUEST_READS_MAX;
	paging_walk(table, &guest->memory, 0, UINT64_MAX, visit, &visitor);
	for (size_t i = 0; i < visitor.count; i++)
		check_mapping(guest, table, &visitor.list[i]);
	if (visitor.count)
		check_cut(guest, table, &visitor.list[visitor.count / 2]);
	guest->reads_left = 64;
	paging_read(table, &guest->memory, visitor.last.vaddr + visitor.last.size - 32, bytes,
		sizeof(bytes));
	paging_read(table, &guest->memory, UINT64_MAX - 15, bytes, sizeof(bytes));
}

static void try_guesses(const struct fuzz_guest *guest, size_t cpu)
{
	const struct arch *arch = guest->arch;
	struct page_table table;
	unsigned nth;

	for (nth = 0; arch->guess_table && arch->guess_table(&guest->cpus[cpu], nth, &table); nth++)
		fuzz_check_table(&table);
	CHECK(nth <= ROOTS_MAX);
}

static bool tell_symbol(const void *ctx, const char *name, uint64_t *value)
{
	return vmcoreinfo_symbol(ctx, name, value);
}

static bool tell_number(const void *ctx, const char *name, int64_t *value)
{
	return vmcoreinfo_number(ctx, name, value);
}

/* What the guest's VMCOREINFO makes of a table that the registers do not show all of. */
static void try_kernel_table(struct fuzz_guest *guest, struct page_table *table)
{
	struct vmcoreinfo info;
	struct error error;

	vmcoreinfo_init(&info);
	if (vmcoreinfo_parse(&info, guest->info, guest->info_size, &error) == 0) {
		const struct kernel_facts facts = {
			.symbol = tell_symbol,
			.number = tell_number,
			.ctx = &info,
			.page_size = info.page_size,
		};

		if (table->arch->kernel_table && table->arch->kernel_table(&facts, table))
			try_table(guest, table);
	}
	vmcoreinfo_deinit(&info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_guest guest;
	struct page_table table;

	fuzz_guest_init(&guest, data, size);
	if (guest.arch->variant)
		guest.arch = guest.arch->variant(guest.cpus, guest.cpu_count);
	for (size_t cpu = 0; cpu < guest.cpu_count; cpu++) {
		unsigned nth;

		for (nth = 0; fuzz_guest_table(&guest, cpu, nth, &table); nth++) {
			try_table(&guest, &table);
			try_kernel_table(&guest, &table);
		}
		CHECK(nth <= ROOTS_MAX);
		if (guest.arch->user_table &&
			guest.arch->user_table(&guest.cpus[cpu], ranges_end(&guest.ram), &table))
			try_table(&guest, &table);
		try_guesses(&guest, cpu);
	}
	fuzz_guest_deinit(&guest);
	return 0;
}
