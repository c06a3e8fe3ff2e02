// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/paging.h"

#include <stddef.h>
#include <stdlib.h>

#include "arch/arch.h"
#include "arch/bytes.h"

void page_table_set_halves(struct page_table *table, unsigned address_bits)
{
	uint64_t low_last = ((uint64_t)1 << (address_bits - 1)) - 1;

	table->regions[0] = (struct paging_region){ .range = { 0, low_last } };
	table->regions[1] = (struct paging_region){ .range = { ~low_last, UINT64_MAX } };
	table->region_count = 2;
}

size_t page_table_size(const struct page_table *table, unsigned level)
{
	return (size_t)table->entry_size << table->level_bits[level];
}

static unsigned level_shift(const struct page_table *table, unsigned level)
{
	unsigned shift = table->page_shift;

	while (level-- > 0)
		shift += table->level_bits[level];
	return shift;
}

/* The bits of an address that an entry of this level leaves open. */
static uint64_t span_mask(const struct page_table *table, unsigned level)
{
	return ((uint64_t)1 << level_shift(table, level)) - 1;
}

static size_t entry_index(const struct page_table *table, unsigned level, uint64_t vaddr)
{
	return (size_t)(vaddr >> level_shift(table, level)) &
	       (((size_t)1 << table->level_bits[level]) - 1);
}

static const struct paging_region *find_region(const struct page_table *table, uint64_t vaddr)
{
	for (unsigned i = 0; i < table->region_count; i++) {
		const struct paging_region *region = &table->regions[i];

		if (vaddr >= region->range.first && vaddr <= region->range.last)
			return region;
	}
	return NULL;
}

static struct paging_entry get_entry(
	const struct page_table *table, unsigned level, uint64_t vaddr, const uint8_t *from)
{
	return table->arch->paging_entry(table, level, vaddr,
		table->entry_size == 8 ? get_u64(from, table->order) : get_u32(from, table->order));
}

/*
 * Tables that hang from one table, read together: over a distant stub the walk would otherwise
 * spend its time on round trips. Not too many, since the visitor may end the walk any time.
 */
enum { BATCH_MAX = 32 };

struct batch {
	struct guest_read_request requests[BATCH_MAX];
	size_t count, next;
	uint8_t *tables; /* room for BATCH_MAX of them, each of table_size bytes */
	size_t table_size;
};

struct walk {
	const struct page_table *table;
	const struct guest_memory *memory;
	mapping_visit visit;
	void *ctx;
	struct batch *batches; /* by the level of the table that they hang from */
	size_t tables_left;
	bool gave_up;
	struct mapping pending; /* seen, but may grow; size 0: none */
};

static int flush(struct walk *walk)
{
	struct mapping mapping = walk->pending;

	walk->pending.size = 0;
	return mapping.size ? walk->visit(walk->ctx, &mapping) : 0;
}

static int found(struct walk *walk, const struct mapping *mapping)
{
	struct mapping *pending = &walk->pending;
	int ret;

	if (pending->size && pending->vaddr + pending->size == mapping->vaddr &&
		pending->paddr + pending->size == mapping->paddr &&
		pending->writable == mapping->writable &&
		pending->executable == mapping->executable && pending->user == mapping->user) {
		pending->size += mapping->size;
		return 0;
	}
	ret = flush(walk);
	*pending = *mapping;
	return ret;
}

/* Reads the tables that hang from a table's entries for the addresses first to last. */
static int read_batch(
	struct walk *walk, unsigned level, const uint8_t *entries, uint64_t first, uint64_t last)
{
	const struct page_table *table = walk->table;
	struct batch *batch = &walk->batches[level];
	size_t last_index = entry_index(table, level, last);
	uint64_t vaddr = first;

	batch->count = batch->next = 0;
	for (size_t i = entry_index(table, level, first);
		i <= last_index && batch->count < BATCH_MAX && walk->tables_left; i++) {
		struct paging_entry entry = get_entry(
			table, level, vaddr, entries + i * table->entry_size);

		vaddr += span_mask(table, level) + 1;

		if (!entry.present || entry.leaf)
			continue;
		batch->requests[batch->count] = (struct guest_read_request){
			.paddr = entry.address,
			.buf = batch->tables + batch->count * batch->table_size,
			.len = batch->table_size,
		};
		batch->count++;
		walk->tables_left--;
	}
	if (!batch->count) {
		walk->gave_up = true;
		return -1;
	}
	guest_read_many(walk->memory, batch->requests, batch->count);
	return 0;
}

/* above: what the tables on the way here allow. The recursion is at most PAGING_LEVELS_MAX deep. */
static int walk_table(struct walk *walk, unsigned level, const uint8_t *entries,
	const struct paging_entry *above, uint64_t first, uint64_t last)
{
	const struct page_table *table = walk->table;
	struct batch *batch = &walk->batches[level];
	uint64_t end;
	int ret = 0;

	batch->count = batch->next = 0;
	/* Counts by the last address of each entry: behind the last one of all there is no next. */
	for (uint64_t vaddr = first; !ret; vaddr = end + 1) {
		size_t index = entry_index(table, level, vaddr);
		struct paging_entry entry = get_entry(
			table, level, vaddr, entries + index * table->entry_size);

		end = vaddr | span_mask(table, level);
		if (end > last)
			end = last;
		entry.writable &= above->writable;
		entry.executable &= above->executable;
		entry.user &= above->user;
		if (entry.present && entry.leaf) {
			ret = found(walk,
				&(struct mapping){
					.vaddr = vaddr,
					.paddr = entry.address + (vaddr & span_mask(table, level)),
					.size = end - vaddr + 1,
					.writable = entry.writable,
					.executable = entry.executable,
					.user = entry.user,
				});
		} else if (entry.present && level > 0) {
			const struct guest_read_request *request;

			if (batch->next == batch->count &&
				read_batch(walk, level, entries, vaddr, last))
				return -1;
			request = &batch->requests[batch->next++];
			if (!request->failed)
				ret = walk_table(walk, level - 1, request->buf, &entry, vaddr, end);
		}
		if (end == last)
			break;
	}
	return ret;
}

/* first and last lie within the region. */
static int walk_region(struct walk *walk, const struct paging_region *region,
	const uint8_t *entries, uint64_t first, uint64_t last)
{
	const struct paging_entry all = { .writable = true, .executable = true, .user = true };

	if (region->linear)
		return found(walk, &(struct mapping){
					   .vaddr = first,
					   .paddr = region->paddr + (first - region->range.first),
					   .size = last - first + 1,
					   .writable = true,
					   .executable = true,
				   });
	if (!entries)
		return 0;
	return walk_table(walk, walk->table->levels - 1, entries, &all, first, last);
}

/* entries: of the root's table, NULL if there is none or it cannot be read. */
static int walk_regions(struct walk *walk, const uint8_t *entries, uint64_t first, uint64_t last)
{
	const struct page_table *table = walk->table;
	int ret = 0;

	for (unsigned i = 0; i < table->region_count && !ret; i++) {
		const struct paging_region *region = &table->regions[i];
		uint64_t from = region->range.first > first ? region->range.first : first;
		uint64_t to = region->range.last < last ? region->range.last : last;

		if (from <= to)
			ret = walk_region(walk, region, entries, from, to);
	}
	/* A walk that gave up still shows what it found up to there. */
	if (!ret || walk->gave_up) {
		int visited = flush(walk);

		if (visited)
			ret = visited;
	}
	return ret;
}

/* Room for the batches of all levels and, behind them, for the root's table; NULL without memory.
 */
static uint8_t *share_out_tables(const struct page_table *table, struct batch *batches)
{
	size_t size = page_table_size(table, table->levels - 1);
	uint8_t *tables, *at;

	for (unsigned level = 1; level < table->levels; level++) {
		batches[level].table_size = page_table_size(table, level - 1);
		size += BATCH_MAX * batches[level].table_size;
	}
	at = tables = malloc(size);
	for (unsigned level = 1; tables && level < table->levels; level++) {
		batches[level].tables = at;
		at += BATCH_MAX * batches[level].table_size;
	}
	batches[0].tables = at;
	return tables;
}

int paging_walk(const struct page_table *table, const struct guest_memory *memory, uint64_t first,
	uint64_t last, mapping_visit visit, void *ctx)
{
	struct batch batches[PAGING_LEVELS_MAX] = { 0 };
	struct walk walk = {
		.table = table,
		.memory = memory,
		.visit = visit,
		.ctx = ctx,
		.batches = batches,
		.tables_left = PAGING_TABLES_MAX - 1,
	};
	uint8_t *tables = NULL, *root = NULL;
	int ret;

	if (first > last)
		return 0;
	if (table->levels) {
		tables = share_out_tables(table, batches);
		if (!tables)
			return PAGING_NO_MEMORY;
		root = batches[0].tables;
		if (guest_read(
			    memory, table->root, root, page_table_size(table, table->levels - 1)))
			root = NULL;
	}
	ret = walk_regions(&walk, root, first, last);
	free(tables);
	return ret;
}

/* As paging_translate(); left counts the bytes from *paddr to the end of the mapping's page. */
static bool look_up(const struct page_table *table, const struct guest_memory *memory,
	uint64_t vaddr, uint64_t *paddr, uint64_t *left)
{
	const struct paging_region *region = find_region(table, vaddr);
	uint64_t address = table->root;

	if (!region)
		return false;
	if (region->linear) {
		*paddr = region->paddr + (vaddr - region->range.first);
		/* All of the address space is one byte more than this can count. */
		*left = region->range.last - vaddr;
		*left += *left < UINT64_MAX;
		return true;
	}
	for (unsigned level = table->levels; level-- > 0;) {
		uint8_t raw[8];
		struct paging_entry entry;

		address += entry_index(table, level, vaddr) * table->entry_size;
		if (guest_read(memory, address, raw, table->entry_size))
			return false;
		entry = get_entry(table, level, vaddr, raw);
		if (!entry.present)
			return false;
		if (entry.leaf) {
			uint64_t offset = vaddr & span_mask(table, level);

			*paddr = entry.address + offset;
			*left = span_mask(table, level) - offset + 1;
			return true;
		}
		address = entry.address;
	}
	return false;
}

bool paging_translate(const struct page_table *table, const struct guest_memory *memory,
	uint64_t vaddr, uint64_t *paddr)
{
	uint64_t left;

	return look_up(table, memory, vaddr, paddr, &left);
}

int paging_read(const struct page_table *table, const struct guest_memory *memory, uint64_t vaddr,
	void *buf, size_t len)
{
	uint8_t *to = buf;

	if (len && vaddr > UINT64_MAX - (len - 1))
		return -1;
	while (len) {
		uint64_t paddr, left;
		size_t part = len;

		if (!look_up(table, memory, vaddr, &paddr, &left))
			return -1;
		if (part > left)
			part = (size_t)left;
		if (guest_read(memory, paddr, to, part))
			return -1;
		vaddr += part;
		to += part;
		len -= part;
	}
	return 0;
}
