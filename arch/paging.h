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

#include "arch/memory.h"

struct arch;

/* 16384 tables of 512 entries map 32 GiB in 4 KiB pages; nothing that is walked here is larger. */
enum { PAGING_TABLES_MAX = 16384 };

/* A root and how to read what hangs from it. Filled in by struct arch's page_table(). */
struct page_table {
	const struct arch *arch; /* its paging_entry() reads the entries */
	uint64_t root;           /* physical address of the top table */
	unsigned levels;         /* tables from the root to a smallest page */
	unsigned page_shift;     /* of a smallest page */
	unsigned level_bits;     /* a table of any level has 1 << level_bits entries */
	unsigned entry_size;     /* bytes: 4 or 8 */
	uint64_t address_mask;   /* the bits of an entry that are an address: no encryption bit */
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

/* Returns 0 to go on, another number to end the walk, which then returns it. */
typedef int (*mapping_visit)(void *ctx, const struct mapping *mapping);

/*
 * Visits every mapping that touches [first, last] (inclusive, canonical), in ascending order of
 * virtual address, cut to the range. Neighbours that continue each other, virtually and
 * physically, with equal rights come as one mapping. A table that cannot be read counts as
 * empty. Returns 0, what visit returned, or -1 when PAGING_TABLES_MAX was reached (what had been
 * found up to there was visited; KASAN's shadow alone can take that many) or memory is short.
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
