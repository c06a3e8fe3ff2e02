/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables: from a guest-virtual address to the guest-physical one, and over all mappings of a
 * range of addresses. The tables are the guest's, so they may be anything at all, loops included:
 * a walk reads at most PAGING_TABLES_MAX tables and then gives up.
 */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/bytes.h"
#include "arch/memory.h"

struct arch;

/* 16384 tables of 512 entries map 32 GiB in 4 KiB pages; nothing that is walked here is larger. */
enum { PAGING_TABLES_MAX = 16384 };

enum { PAGING_LEVELS_MAX = 5, PAGING_REGIONS_MAX = 4 };

/* A range of virtual addresses, both ends inclusive. */
struct address_range {
	uint64_t first, last;
};

/*
 * A part of the address space: looked up from the root, or, if linear, mapped to where it is by
 * the CPU itself or by the kernel's convention, all of it, without any table.
 */
struct paging_region {
	struct address_range range;
	bool linear;
	uint64_t paddr; /* of the first address of a linear one */
};

/*
 * A root and how to read what hangs from it. Filled in by struct arch's page_table(). Levels count
 * from 0, whose tables map smallest pages, to levels - 1, which is the root's.
 */
struct page_table {
	const struct arch *arch; /* its paging_entry() reads the entries */
	uint64_t root;           /* physical address of the top table */
	unsigned levels;         /* tables from the root to a smallest page; 0 without a root */
	unsigned page_shift;     /* of a smallest page */
	uint8_t level_bits[PAGING_LEVELS_MAX]; /* a table of level n has 1 << level_bits[n] entries
	                                        */
	unsigned entry_size;                   /* bytes: 4 or 8 */
	enum byte_order order;                 /* of the entries */
	uint64_t address_mask; /* the bits of an entry that are an address: no encryption bit */
	unsigned flavor;       /* for the arch's own use: which of several kinds of entries */
	/* In ascending order, apart from each other. Nothing else is an address. */
	struct paging_region regions[PAGING_REGIONS_MAX];
	unsigned region_count;
};

/* What one entry of a table says. */
struct paging_entry {
	bool present, leaf;
	bool writable, executable, user;
	uint64_t address; /* physical: of the page, or of the next table */
};

struct mapping {
	uint64_t vaddr, paddr, size; /* bytes */
	bool writable, executable, user;
};

/*
 * The two halves that a sign-extended address of so many bits has, both looked up from the root:
 * regions and their count.
 */
void page_table_set_halves(struct page_table *table, unsigned address_bits);

/* Bytes of a table of this level. */
size_t page_table_size(const struct page_table *table, unsigned level);

/* What paging_walk() returns when memory is short; nothing was visited then. */
enum { PAGING_NO_MEMORY = -2 };

/* Returns 0 to go on, another number to end the walk, which then returns it. */
typedef int (*mapping_visit)(void *ctx, const struct mapping *mapping);

/*
 * Visits every mapping that touches [first, last] (inclusive), in ascending order of
 * virtual address, cut to the range. Neighbours that continue each other, virtually and
 * physically, with equal rights come as one mapping. A table that cannot be read counts as
 * empty. Returns 0, what visit returned, PAGING_NO_MEMORY, or -1 when PAGING_TABLES_MAX was reached
 * (what had been found up to there was visited; KASAN's shadow alone can take that many).
 */
int paging_walk(const struct page_table *table, const struct guest_memory *memory, uint64_t first,
	uint64_t last, mapping_visit visit, void *ctx);

/* Where vaddr lies; false if it is not mapped or the tables cannot be read. */
bool paging_translate(const struct page_table *table, const struct guest_memory *memory,
	uint64_t vaddr, uint64_t *paddr);

/* Reads through the page tables, page by page. Returns 0 or -1. */
int paging_read(const struct page_table *table, const struct guest_memory *memory, uint64_t vaddr,
	void *buf, size_t len);

#endif
