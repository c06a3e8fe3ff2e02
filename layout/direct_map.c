// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/direct_map.h"

#include <string.h>

#include "layout/page_cache.h"

enum {
	SLOT = 2 << 20,     /* what an image begins at a multiple of, virtually and physically */
	SLOTS_MAX = 64,     /* of an image; those of today have some 30 */
	SAMPLES = 8,        /* of a slot: to see whether any of it is mapped */
	BATCH = 1024,       /* words that are read at once */
	LOW_ENTRIES = 64,   /* of a root, that are looked at */
	ROOTS_MAX = 64,     /* that are tried; a kernel has three or four pages that look like it */
	POINTERS_MAX = 256, /* different ones, at a distance */
	STEPS_BACK = 64,    /* from one of them to where the direct map begins */
	TRIES_MAX = 256,    /* of addresses that look like its beginning */

	/*
	 * What may be read, in words of a batch: with 5 levels each entry of a root has 262144
	 * places for a direct map, and a guest may have any number of entries and of pages like a
	 * root.
	 */
	READS_MAX = 1 << 21,
	SINGLE_COST = 16, /* of a word that is waited for by itself */
};

/* The guest's memory, as long as there is something left of what may be read. */
struct budget {
	const struct guest_memory *memory;
	size_t left;
};

struct search {
	struct page_table *table; /* a guess; its root is found */
	struct kernel_space space;
	const struct registers *cpu;
	const struct guest_memory *memory; /* by virtual address */
	const struct budget *budget;       /* of memory */
	uint64_t text;                     /* where the image begins */
	uint64_t slots[SLOTS_MAX];         /* of the image, that are mapped */
	size_t slot_count;
	uint64_t roots[ROOTS_MAX]; /* virtual addresses of pages of the image */
	size_t root_count;
	uint64_t root; /* the one that is tried */
	uint64_t mark; /* its entry for the image */
	unsigned tries;
};

/* ---- reading --------------------------------------------------------------------------------- */

static bool spend(struct budget *budget, size_t cost)
{
	bool enough = cost <= budget->left;

	budget->left = enough ? budget->left - cost : 0;
	return enough;
}

static int read_limited(void *ctx, uint64_t vaddr, void *buf, size_t len)
{
	struct budget *budget = ctx;

	return spend(budget, SINGLE_COST) ? guest_read(budget->memory, vaddr, buf, len) : -1;
}

static void read_many_limited(void *ctx, struct guest_read_request *requests, size_t count)
{
	struct budget *budget = ctx;

	if (spend(budget, count)) {
		guest_read_many(budget->memory, requests, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		requests[i].failed = true;
}

/* Physical memory, of what is mapped so far above where it is. */
struct mapped {
	const struct guest_memory *memory;
	uint64_t base;
};

static int read_mapped(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	const struct mapped *mapped = ctx;

	return guest_read(mapped->memory, mapped->base + paddr, buf, len);
}

/* Where vaddr lies, by tables that are read `base` above where they are. */
static bool translate(const struct search *search, uint64_t base, uint64_t vaddr, uint64_t *paddr)
{
	struct mapped mapped = { .memory = search->memory, .base = base };
	const struct guest_memory memory = { .read = read_mapped, .ctx = &mapped };

	return paging_translate(search->table, &memory, vaddr, paddr);
}

/*
 * Reads a word at each of count addresses, BATCH at most and `step` apart. One that cannot be read
 * is 0, and none of those that are looked for.
 */
static void read_words(
	const struct search *search, uint64_t first, uint64_t step, size_t count, uint64_t *words)
{
	struct guest_read_request requests[BATCH];
	uint8_t bytes[BATCH][8];

	for (size_t i = 0; i < count; i++)
		requests[i] = (struct guest_read_request){
			.paddr = first + i * step, .buf = bytes[i], .len = sizeof(bytes[i])
		};
	guest_read_many(search->memory, requests, count);
	for (size_t i = 0; i < count; i++)
		words[i] = requests[i].failed ? 0 : get_u64(bytes[i], search->table->order);
}

/* ---- the image and its root ------------------------------------------------------------------ */

static unsigned top_shift(const struct page_table *table)
{
	unsigned shift = table->page_shift;

	for (unsigned level = 0; level + 1 < table->levels; level++)
		shift += table->level_bits[level];
	return shift;
}

/* Where in the root the entry for vaddr is, in bytes. */
static uint64_t top_offset(const struct page_table *table, uint64_t vaddr)
{
	uint64_t mask = (UINT64_C(1) << table->level_bits[table->levels - 1]) - 1;

	return (vaddr >> top_shift(table) & mask) * table->entry_size;
}

/* Where the root's entry for vaddr leads to, if that is another table. */
static bool leads_on(const struct search *search, uint64_t vaddr, uint64_t raw, uint64_t *next)
{
	const struct page_table *table = search->table;
	struct paging_entry entry = table->arch->paging_entry(table, table->levels - 1, vaddr, raw);

	*next = entry.address;
	return entry.present && !entry.leaf && entry.address;
}

/* Words of 0 may be there as well; but not in all places of a slot that has anything. */
static bool is_slot_mapped(const struct search *search, uint64_t slot)
{
	uint64_t words[SAMPLES];
	bool any = false;

	read_words(search, slot, SLOT / SAMPLES, SAMPLES, words);
	for (size_t i = 0; i < SAMPLES; i++)
		any |= words[i] != 0;
	return any;
}

/* The first slot with something in it: code. False if there is none. */
static bool find_image(struct search *search)
{
	const struct address_range *text = &search->space.text;
	uint64_t words[BATCH];

	for (uint64_t slots = (text->last - text->first) / SLOT + 1, done = 0; done < slots;
		done += BATCH) {
		size_t count = slots - done < BATCH ? (size_t)(slots - done) : BATCH;

		read_words(search, text->first + done * SLOT, SLOT, count, words);
		for (size_t i = 0; i < count; i++) {
			search->text = text->first + (done + i) * SLOT;
			if (words[i])
				return true;
		}
	}
	return false;
}

/* The kernel's own root has none of what belongs to processes, which have the lowest addresses. */
static bool is_without_processes(const struct search *search, uint64_t root)
{
	uint8_t entries[LOW_ENTRIES * 8];

	if (guest_read(search->memory, root, entries, sizeof(entries)))
		return false;
	for (size_t i = 0; i < sizeof(entries); i++)
		if (entries[i])
			return false;
	return true;
}

/* Pages of a slot that have an entry for the image where a root would have it. */
static void collect_roots(struct search *search, uint64_t slot)
{
	size_t pages = SLOT / PAGE_CACHE_PAGE;
	uint64_t words[BATCH], next;

	read_words(search, slot + top_offset(search->table, search->text), PAGE_CACHE_PAGE, pages,
		words);
	for (size_t i = 0; i < pages && search->root_count < ROOTS_MAX; i++)
		if (leads_on(search, search->text, words[i], &next) &&
			is_without_processes(search, slot + i * PAGE_CACHE_PAGE))
			search->roots[search->root_count++] = slot + i * PAGE_CACHE_PAGE;
}

static bool find_roots(struct search *search)
{
	if (!find_image(search))
		return false;
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		uint64_t slot = search->text + i * SLOT;

		if (slot < search->text || slot > search->space.text.last)
			break;
		if (!is_slot_mapped(search, slot))
			continue;
		search->slots[search->slot_count++] = slot;
		collect_roots(search, slot);
	}
	return search->root_count > 0;
}

/*
 * The tables of the image are in the image, but for what was cut into pages later. So far above
 * where they are, some of it must be mapped by them.
 */
static bool is_image_map(const struct search *search, uint64_t base)
{
	search->table->root = search->root - base;
	for (size_t i = 0; i < search->slot_count; i++) {
		uint64_t paddr;

		if (translate(search, base, search->slots[i], &paddr) &&
			paddr == search->slots[i] - base)
			return true;
	}
	return false;
}

/* Finds where the root is, physically: the next table is somewhere in the image. */
static bool place_root(struct search *search, uint64_t root)
{
	uint64_t next;

	search->root = root;
	read_words(search, root + top_offset(search->table, search->text), 0, 1, &search->mark);
	if (!leads_on(search, search->text, search->mark, &next))
		return false;
	for (size_t i = 0; i < search->slot_count; i++)
		if (is_image_map(search, search->slots[i] + next % SLOT - next))
			return true;
	return false;
}

/* ---- the direct map -------------------------------------------------------------------------- */

/*
 * The direct map has the root where the root itself says that it is, and so the image. Tables are
 * read through it: what they say of its own addresses must be so.
 */
static bool is_direct_map(struct search *search, uint64_t base)
{
	uint64_t root = search->table->root;
	uint64_t text, paddr;

	return search->tries++ < TRIES_MAX && translate(search, base, base + root, &paddr) &&
	       paddr == root && translate(search, base, search->root, &paddr) && paddr == root &&
	       translate(search, base, search->text, &text) &&
	       translate(search, base, base + text, &paddr) && paddr == text;
}

/* Tries `count` addresses, BATCH at most, upwards from the first. */
static bool try_bases(struct search *search, uint64_t first, size_t count, uint64_t *base)
{
	uint64_t step = search->space.direct_map_align;
	uint64_t mark = search->table->root + top_offset(search->table, search->text);
	uint64_t words[BATCH];

	read_words(search, first + mark, step, count, words);
	for (size_t i = 0; i < count; i++) {
		*base = first + i * step;
		if (words[i] == search->mark && is_direct_map(search, *base))
			return true;
	}
	return false;
}

struct pointers {
	uint64_t bases[POINTERS_MAX]; /* each once */
	size_t count;
};

/* Notes a pointer into what may be the direct map, by where that could begin at the latest. */
static void note_pointer(const struct search *search, struct pointers *pointers, uint64_t value)
{
	const struct address_range *range = &search->space.direct_map;
	uint64_t base = value & ~(search->space.direct_map_align - 1);

	if (value < range->first || value > range->last)
		return;
	for (size_t i = 0; i < pointers->count; i++)
		if (pointers->bases[i] == base)
			return;
	if (pointers->count < POINTERS_MAX)
		pointers->bases[pointers->count++] = base;
}

/* What a register points to is the stack, or an object of the kernel's, with more pointers. */
static void collect_pointers(const struct search *search, struct pointers *pointers)
{
	const struct registers *cpu = search->cpu;
	uint64_t words[PAGE_CACHE_PAGE / 8];
	size_t count = sizeof(words) / sizeof(words[0]);

	for (size_t i = 0; i < cpu->count; i++) {
		uint64_t value;

		if (cpu->values[i].size != 8 ||
			!registers_get_u64(cpu, cpu->values[i].name, &value))
			continue;
		note_pointer(search, pointers, value);
		if (!(value >> 63))
			continue;
		read_words(search, value & ~UINT64_C(7), 8, count, words);
		for (size_t j = 0; j < count; j++)
			note_pointer(search, pointers, words[j]);
	}
}

/* Most guests are small, and what is pointed to is then not far from the beginning. */
static bool try_pointers(struct search *search, uint64_t *base)
{
	const struct address_range *range = &search->space.direct_map;
	uint64_t back = (STEPS_BACK - 1) * search->space.direct_map_align;
	struct pointers pointers = { .count = 0 };

	collect_pointers(search, &pointers);
	for (size_t i = 0; i < pointers.count; i++) {
		uint64_t last = pointers.bases[i];
		uint64_t first = last - range->first > back ? last - back : range->first;

		if (try_bases(search, first, STEPS_BACK, base))
			return true;
	}
	return false;
}

/* Tries all addresses behind each entry of the root that there is. */
static bool try_all(struct search *search, uint64_t *base)
{
	const struct address_range *range = &search->space.direct_map;
	uint64_t span = UINT64_C(1) << top_shift(search->table);
	uint64_t steps = span / search->space.direct_map_align;

	for (uint64_t window = range->first & ~(span - 1);
		window <= range->last && search->budget->left; window += span) {
		uint64_t raw, next;

		read_words(search, search->root + top_offset(search->table, window), 0, 1, &raw);
		if (!leads_on(search, window, raw, &next))
			continue;
		for (uint64_t done = 0; done < steps && search->budget->left; done += BATCH) {
			size_t count = steps - done < BATCH ? (size_t)(steps - done) : BATCH;

			if (try_bases(search, window + done * search->space.direct_map_align, count,
				    base))
				return true;
		}
		/* Linux has nothing in front of it but the tables of processes. */
		if (search->tries >= TRIES_MAX)
			break;
	}
	return false;
}

int direct_map_find(struct direct_map *map, const struct arch *arch, const struct registers *cpu,
	const struct guest_memory *memory, struct error *error)
{
	struct budget budget = { .memory = memory, .left = READS_MAX };
	const struct guest_memory limited = {
		.read = read_limited, .read_many = read_many_limited, .ctx = &budget
	};
	bool image = false;

	for (unsigned nth = 0; arch->guess_table && arch->guess_table(cpu, nth, &map->table);
		nth++) {
		struct search search = {
			.table = &map->table, .cpu = cpu, .memory = &limited, .budget = &budget
		};

		search.space = arch->kernel_space(&map->table);
		image |= find_roots(&search);
		for (size_t i = 0; i < search.root_count; i++)
			if (place_root(&search, search.roots[i]) &&
				(try_pointers(&search, &map->base) || try_all(&search, &map->base)))
				return 0;
	}
	if (!budget.left)
		return error_set(error, "the search for the kernel's direct map takes too long");
	return error_set(error, "%s",
		image ? "no page of the kernel's image is a page table that maps all of RAM"
		      : "the vCPU shows no kernel image with page tables in it");
}

/* ---- RAM ------------------------------------------------------------------------------------- */

struct collection {
	uint64_t base;
	struct ranges *ram;
	const struct address_range *none; /* physical */
	bool failed;
};

static void add_range(struct collection *collection, uint64_t start, uint64_t end)
{
	if (start < end && ranges_add(collection->ram, start, end - start))
		collection->failed = true;
}

static int visit_ram(void *ctx, const struct mapping *mapping)
{
	struct collection *collection = ctx;
	uint64_t start = mapping->paddr, end = start + mapping->size;
	uint64_t none = collection->none->first, behind = collection->none->last + 1;

	if (mapping->vaddr - mapping->paddr != collection->base || mapping->user)
		return 0;
	if (none >= behind || none >= end || behind <= start) {
		add_range(collection, start, end);
	} else {
		add_range(collection, start, none);
		add_range(collection, behind, end);
	}
	return collection->failed;
}

int direct_map_ram(const struct direct_map *map, const struct guest_memory *memory,
	struct ranges *ram, struct error *error)
{
	const struct kernel_space space = map->table.arch->kernel_space(&map->table);
	struct mapped mapped = { .memory = memory, .base = map->base };
	const struct guest_memory physical = { .read = read_mapped, .ctx = &mapped };
	struct collection collection = { .base = map->base, .ram = ram, .none = &space.no_ram };
	struct page_cache *cache = page_cache_create(&physical);
	int rc;

	if (!cache)
		return error_no_memory(error);
	rc = paging_walk(&map->table, &cache->memory, map->base, space.direct_map.last, visit_ram,
		&collection);
	page_cache_destroy(cache);
	if (rc == PAGING_NO_MEMORY || ram->no_memory)
		return error_no_memory(error);
	if (rc || !ram->count)
		return error_set(error, "the page tables of the kernel's direct map make no sense");
	return 0;
}
