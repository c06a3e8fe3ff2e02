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

static uint64_t get_entry(const struct page_table *table, const uint8_t *from)
{
	return table->entry_size == 8 ? get_u64(from, table->arch->order)
	                              : get_u32(from, table->arch->order);
}

struct walk {
	const struct page_table *table;
	const struct guest_memory *memory;
	mapping_visit visit;
	void *ctx;
	uint8_t *buffers; /* a table of each level, level 0 first */
	size_t tables_read;
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

/* above: what the tables on the way here allow. The recursion is at most table->levels deep. */
static int walk_table(struct walk *walk, unsigned level, const struct paging_entry *above,
	uint64_t first, uint64_t last)
{
	const struct page_table *table = walk->table;
	size_t size = (size_t)table->entry_size << table->level_bits;
	uint8_t *entries = walk->buffers + level * size;
	uint64_t end;
	int ret = 0;

	if (walk->tables_read++ == PAGING_TABLES_MAX)
		return -1;
	if (guest_read(walk->memory, above->address, entries, size))
		return 0;

	/* Counts by the last address of each entry: behind the last one of all there is no next. */
	for (uint64_t vaddr = first; !ret; vaddr = end + 1) {
		size_t index = entry_index(table, level, vaddr);
		struct paging_entry entry = table->arch->paging_entry(
			table, level, get_entry(table, entries + index * table->entry_size));

		end = vaddr | span_mask(table, level);
		if (end > last)
			end = last;
		entry.writable &= above->writable;
		entry.executable &= above->executable;
		entry.user &= above->user;
		if (entry.present && entry.leaf)
			ret = found(walk,
				&(struct mapping){
					.vaddr = vaddr,
					.paddr = entry.address + (vaddr & span_mask(table, level)),
					.size = end - vaddr + 1,
					.writable = entry.writable,
					.executable = entry.executable,
					.user = entry.user,
				});
		else if (entry.present && level > 0)
			ret = walk_table(walk, level - 1, &entry, vaddr, end);
		if (end == last)
			break;
	}
	return ret;
}

int paging_walk(const struct page_table *table, const struct guest_memory *memory, uint64_t first,
	uint64_t last, mapping_visit visit, void *ctx)
{
	const struct paging_entry root = {
		.writable = true, .executable = true, .user = true, .address = table->root
	};
	uint64_t low_last = lower_half_last(table), high_first = ~low_last;
	struct walk walk = { .table = table, .memory = memory, .visit = visit, .ctx = ctx };
	int ret = 0, visited;

	if (first > last)
		return 0;
	walk.buffers = malloc(((size_t)table->entry_size << table->level_bits) * table->levels);
	if (!walk.buffers)
		return -1;

	/* What lies between the halves is no address, but would be looked up like the halves. */
	if (first <= low_last)
		ret = walk_table(
			&walk, table->levels - 1, &root, first, last < low_last ? last : low_last);
	if (!ret && last >= high_first)
		ret = walk_table(&walk, table->levels - 1, &root,
			first > high_first ? first : high_first, last);

	/* A walk that ran into the limit still shows what it found up to there. */
	if (!ret || walk.tables_read > PAGING_TABLES_MAX) {
		visited = flush(&walk);
		if (visited)
			ret = visited;
	}
	free(walk.buffers);
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
		entry = table->arch->paging_entry(table, level, get_entry(table, raw));
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
