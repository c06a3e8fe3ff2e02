// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/address_spaces.h"

#include <stdlib.h>
#include <string.h>

enum {
	ALIASES_KEPT = 64, /* different pieces that are remembered; Linux has one for 64 vCPUs */
};

struct collector {
	struct address_spaces *spaces;
	const struct ranges *memory;
	struct address_range aliased;
	size_t capacity;
	struct mapping pending; /* may grow; size 0: none */
	struct mapping kept[ALIASES_KEPT];
	size_t kept_count;
	bool too_many, no_memory;
};

static int add(struct collector *collector, uint64_t vaddr, uint64_t paddr, uint64_t size)
{
	struct address_spaces *spaces = collector->spaces;

	if (spaces->count == CORE_MAPPINGS_MAX) {
		collector->too_many = true;
		return 1;
	}
	if (spaces->count == collector->capacity) {
		size_t capacity = collector->capacity ? 2 * collector->capacity : 1024;
		struct core_mapping *grown = realloc(
			spaces->mappings, capacity * sizeof(*spaces->mappings));

		if (!grown) {
			collector->no_memory = true;
			return 1;
		}
		spaces->mappings = grown;
		collector->capacity = capacity;
	}
	spaces->mappings[spaces->count++] = (struct core_mapping){
		.vaddr = vaddr, .paddr = paddr, .size = size
	};
	return 0;
}

/* Adds what of the pending mapping is memory. */
static int flush(struct collector *collector)
{
	struct mapping mapping = collector->pending;
	int result = 0;

	collector->pending.size = 0;
	for (size_t i = ranges_from(collector->memory, mapping.paddr);
		mapping.size && i < collector->memory->count && !result; i++) {
		struct range range = collector->memory->items[i];
		uint64_t end = range.start + range.size, skip;

		if (range.start >= mapping.paddr + mapping.size)
			break;
		skip = range.start > mapping.paddr ? range.start - mapping.paddr : 0;
		mapping.vaddr += skip;
		mapping.paddr += skip;
		mapping.size -= skip;
		if (end > mapping.paddr + mapping.size)
			end = mapping.paddr + mapping.size;
		result = add(collector, mapping.vaddr, mapping.paddr, end - mapping.paddr);
	}
	return result;
}

static bool is_copy(struct collector *collector, const struct mapping *mapping)
{
	if (mapping->vaddr < collector->aliased.first || mapping->vaddr > collector->aliased.last)
		return false;
	for (size_t i = 0; i < collector->kept_count; i++)
		if (collector->kept[i].paddr == mapping->paddr &&
			collector->kept[i].size == mapping->size)
			return true;
	if (collector->kept_count < ALIASES_KEPT)
		collector->kept[collector->kept_count++] = *mapping;
	return false;
}

/* Rights do not matter to a core: pieces that differ in nothing else are one. */
static int visit(void *ctx, const struct mapping *mapping)
{
	struct collector *collector = ctx;
	struct mapping *pending = &collector->pending;
	int result;

	/* Bits above those of any address are not bits of one: nothing is there. */
	if (mapping->paddr > RANGE_ADDRESS_MAX)
		return 0;
	if (is_copy(collector, mapping)) {
		collector->spaces->aliases++;
		return 0;
	}
	if (pending->size && pending->vaddr + pending->size == mapping->vaddr &&
		pending->paddr + pending->size == mapping->paddr) {
		pending->size += mapping->size;
		return 0;
	}
	result = flush(collector);
	*pending = *mapping;
	/* A window that the CPU maps by itself may be larger than all memory. */
	if (pending->size > RANGE_ADDRESS_MAX - pending->paddr)
		pending->size = RANGE_ADDRESS_MAX - pending->paddr;
	return result;
}

static int walk_root(struct collector *collector, const struct page_table *table,
	const struct guest_memory *reader)
{
	struct kernel_space space = table->arch->kernel_space(table);
	int result;

	collector->aliased = space.aliased;
	collector->kept_count = 0;
	collector->spaces->roots++;
	result = paging_walk(table, reader, 0, UINT64_MAX, visit, collector);
	if (result == PAGING_NO_MEMORY) {
		collector->no_memory = true;
		return -1;
	}
	if (result < 0)
		collector->spaces->complete = false;
	return result > 0 || flush(collector) ? -1 : 0;
}

/* Page tables that were walked. */
struct roots {
	struct page_table *tables;
	size_t count;
};

static bool is_known(const struct roots *roots, const struct page_table *table)
{
	for (size_t i = 0; i < roots->count; i++)
		if (roots->tables[i].root == table->root &&
			roots->tables[i].levels == table->levels &&
			roots->tables[i].regions[0].range.first == table->regions[0].range.first)
			return true;
	return false;
}

static int walk_new(struct collector *collector, struct roots *roots,
	const struct page_table *table, const struct guest_memory *reader)
{
	if (is_known(roots, table))
		return 0;
	roots->tables[roots->count++] = *table;
	return walk_root(collector, table, reader);
}

/*
 * Of the roots that a vCPU may have, the one that shows the kernel: with page table isolation, the
 * one for user mode is a part of it.
 */
static bool choose_root(const struct kernel *kernel, const struct arch *arch,
	const struct registers *cpu, uint64_t end, const struct guest_memory *reader,
	struct page_table *chosen)
{
	struct page_table table;
	uint64_t paddr;

	if (!arch->page_table || !arch->page_table(cpu, end, 0, chosen))
		return false;
	for (unsigned nth = 0; kernel->mapped && arch->page_table(cpu, end, nth, &table); nth++) {
		if (paging_translate(&table, reader, kernel->text.vaddr, &paddr) &&
			paddr == kernel->text.paddr) {
			*chosen = table;
			break;
		}
	}
	return true;
}

static int walk_cpus(struct collector *collector, const struct kernel *kernel,
	const struct arch *arch, const struct registers *cpus, size_t cpu_count,
	const struct guest_memory *reader)
{
	uint64_t end = ranges_end(collector->memory);
	struct roots roots = { .tables = calloc(1 + 2 * cpu_count, sizeof(*roots.tables)) };
	struct page_table table;
	int result = 0;

	if (!roots.tables) {
		collector->no_memory = true;
		return -1;
	}
	for (size_t i = 0; i < cpu_count && !result; i++) {
		if (choose_root(kernel, arch, &cpus[i], end, reader, &table))
			result = walk_new(collector, &roots, &table, reader);
		if (!result && arch->user_table && arch->user_table(&cpus[i], end, &table))
			result = walk_new(collector, &roots, &table, reader);
	}
	/* It may be one that no register shows. */
	if (!result && kernel->mapped)
		result = walk_new(collector, &roots, &kernel->table, reader);
	free(roots.tables);
	return result;
}

/* By virtual address; then as they were found, which is their order in the array. */
static int by_vaddr(const void *a, const void *b)
{
	const struct core_mapping *const *x = a, *const *y = b;

	if ((*x)->vaddr != (*y)->vaddr)
		return (*x)->vaddr < (*y)->vaddr ? -1 : 1;
	return (*x > *y) - (*x < *y);
}

static bool is_listed(const struct core_mapping *listed, size_t count, const struct core_mapping *m)
{
	while (count-- > 0 && listed[count].vaddr == m->vaddr)
		if (listed[count].paddr == m->paddr && listed[count].size == m->size)
			return true;
	return false;
}

/* Sorts, and lists what comes from several vCPUs, as all of the kernel's half does, but once. */
static int put_in_order(struct collector *collector)
{
	struct address_spaces *spaces = collector->spaces;
	const struct core_mapping **order = calloc(
		spaces->count + 1, sizeof(const struct core_mapping *));
	struct core_mapping *listed = calloc(spaces->count + 1, sizeof(*listed));
	size_t count = 0;

	collector->no_memory = !order || !listed;
	if (collector->no_memory) {
		free(order);
		free(listed);
		return -1;
	}
	for (size_t i = 0; i < spaces->count; i++)
		order[i] = &spaces->mappings[i];
	qsort(order, spaces->count, sizeof(const struct core_mapping *), by_vaddr);
	for (size_t i = 0; i < spaces->count; i++)
		if (!is_listed(listed, count, order[i]))
			listed[count++] = *order[i];
	free(order);
	free(spaces->mappings);
	collector->capacity = spaces->count + 1;
	spaces->mappings = listed;
	spaces->count = count;
	return 0;
}

/* What is mapped nowhere is found by its physical address. */
static int cover_rest(struct collector *collector)
{
	struct address_spaces *spaces = collector->spaces;
	struct ranges mapped;
	size_t next = 0;
	int result;

	ranges_init(&mapped);
	result = core_mapped_memory(spaces->mappings, spaces->count, &mapped);
	collector->no_memory |= result != 0;
	for (size_t i = 0; i < collector->memory->count && !result; i++) {
		const struct range *range = &collector->memory->items[i];
		uint64_t at = range->start, end = range->start + range->size;

		for (; next < mapped.count && mapped.items[next].start < end && !result; next++) {
			const struct range *piece = &mapped.items[next];

			if (piece->start > at)
				result = add(collector, at, at, piece->start - at);
			at = piece->start + piece->size;
		}
		if (at < end && !result)
			result = add(collector, at, at, end - at);
	}
	ranges_deinit(&mapped);
	return result;
}

int address_spaces_read(struct address_spaces *spaces, const struct kernel *kernel,
	const struct arch *arch, const struct registers *cpus, size_t cpu_count,
	const struct ranges *memory, const struct guest_memory *reader, struct error *error)
{
	struct collector collector = { .spaces = spaces, .memory = memory };

	*spaces = (struct address_spaces){ .complete = true };
	if (walk_cpus(&collector, kernel, arch, cpus, cpu_count, reader) == 0 &&
		put_in_order(&collector) == 0 && cover_rest(&collector) == 0)
		return 0;
	if (collector.too_many)
		return error_set(error, "the page tables map memory in more than %d pieces",
			CORE_MAPPINGS_MAX);
	return error_no_memory(error);
}

void address_spaces_deinit(struct address_spaces *spaces)
{
	free(spaces->mappings);
	*spaces = (struct address_spaces){ 0 };
}
