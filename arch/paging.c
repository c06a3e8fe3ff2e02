// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/paging.h"

#include <stddef.h>
#include <stdlib.h>

#include "arch/arch.h"
#include "arch/bytes.h"

/* The bits of an address that an entry of this level leaves open. */
static uint64_t span_mask(const struct page_table *table, unsigned level)
{
	return ((uint64_t)1 << (table->page_shift + level * table->level_bits)) - 1;
}

static size_t entry_index(const struct page_table *table, unsigned level, uint64_t vaddr)
{
	return (size_t)(vaddr >> (table->page_shift + level * table->level_bits)) &
	       (((size_t)1 << table->level_bits) - 1);
}

/* The highest address of the lower half; the upper half begins at its complement. */
static uint64_t lower_half_last(const struct page_table *table)
{
	return ((uint64_t)1 << (table->page_shift + table->levels * table->level_bits - 1)) - 1;
}

static struct paging_entry get_entry(
	const struct page_table *table, unsigned level, const uint8_t *from)
{
	return table->arch->paging_entry(table, level,
		table->entry_size == 8 ? get_u64(from, table->arch->order)
				       : get_u32(from, table->arch->order));
}

/*
 * Tables that hang from one table, read together: over a distant stub the walk would otherwise
 * spend its time on round trips. Not too many, since the visitor may end the walk any time.
 */
enum { BATCH_MAX = 32 };

struct batch {
	struct guest_read_request requests[BATCH_MAX];
	size_t count, next;
	uint8_t *tables; /* room for BATCH_MAX of them */
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

static size_t table_size(const struct page_table *table)
{
	return (size_t)table->entry_size << table->level_bits;
}

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

/* Reads the tables that hang from the entries first to last of a table. */
static int read_batch(
	struct walk *walk, unsigned level, const uint8_t *entries, size_t first, size_t last)
{
	const struct page_table *table = walk->table;
	struct batch *batch = &walk->batches[level];

	batch->count = batch->next = 0;
	for (size_t i = first; i <= last && batch->count < BATCH_MAX && walk->tables_left; i++) {
		struct paging_entry entry = get_entry(
			table, level, entries + i * table->entry_size);

		if (!entry.present || entry.leaf)
			continue;
		batch->requests[batch->count] = (struct guest_read_request){
			.paddr = entry.address,
			.buf = batch->tables + batch->count * table_size(table),
			.len = table_size(table),
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

/* above: what the tables on the way here allow. The recursion is at most table->levels deep. */
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
			table, level, entries + index * table->entry_size);

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

			if (batch->next == batch->count && read_batch(walk, level, entries, index,
								   entry_index(table, level, last)))
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

static int walk_halves(struct walk *walk, const uint8_t *entries, uint64_t first, uint64_t last)
{
	const struct paging_entry all = { .writable = true, .executable = true, .user = true };
	uint64_t low_last = lower_half_last(walk->table), high_first = ~low_last;
	unsigned level = walk->table->levels - 1;
	int ret = 0;

	/* What lies between the halves is no address, but would be looked up like the halves. */
	if (first <= low_last)
		ret = walk_table(
			walk, level, entries, &all, first, last < low_last ? last : low_last);
	if (!ret && last >= high_first)
		ret = walk_table(
			walk, level, entries, &all, first > high_first ? first : high_first, last);

	/* A walk that gave up still shows what it found up to there. */
	if (!ret || walk->gave_up) {
		int visited = flush(walk);

		if (visited)
			ret = visited;
	}
	return ret;
}

int paging_walk(const struct page_table *table, const struct guest_memory *memory, uint64_t first,
	uint64_t last, mapping_visit visit, void *ctx)
{
	size_t batch_size = BATCH_MAX * table_size(table);
	uint8_t *tables = malloc(table_size(table) + table->levels * batch_size);
	struct walk walk = {
		.table = table,
		.memory = memory,
		.visit = visit,
		.ctx = ctx,
		.batches = calloc(table->levels, sizeof(*walk.batches)),
		.tables_left = PAGING_TABLES_MAX - 1,
	};
	int ret = -1;

	if (!tables || !walk.batches)
		goto out;
	for (unsigned level = 0; level < table->levels; level++)
		walk.batches[level].tables = tables + table_size(table) + level * batch_size;

	ret = 0;
	if (first <= last && !guest_read(memory, table->root, tables, table_size(table)))
		ret = walk_halves(&walk, tables, first, last);
out:
	free(walk.batches);
	free(tables);
	return ret;
}

/* As paging_translate(); left counts the bytes from *paddr to the end of the mapping's page. */
static bool look_up(const struct page_table *table, const struct guest_memory *memory,
	uint64_t vaddr, uint64_t *paddr, uint64_t *left)
{
	uint64_t address = table->root;

	if (vaddr > lower_half_last(table) && vaddr < ~lower_half_last(table))
		return false;
	for (unsigned level = table->levels; level-- > 0;) {
		uint8_t raw[8];
		struct paging_entry entry;

		address += entry_index(table, level, vaddr) * table->entry_size;
		if (guest_read(memory, address, raw, table->entry_size))
			return false;
		entry = get_entry(table, level, raw);
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
