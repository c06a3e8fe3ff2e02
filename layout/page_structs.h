/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of struct pages, read through the kernel's page tables in large pieces, many of them in
 * one batch: kernels map them with pages of 4 KiB to 1 GiB, and no struct needs to end where such
 * a page does. Each is read once. Private to layout/.
 */
#ifndef LAYOUT_PAGE_STRUCTS_H
#define LAYOUT_PAGE_STRUCTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/memory.h"
#include "arch/paging.h"

enum {
	/* Structs that are held at a time: those of 256 MiB of pages of 4 KiB. */
	PAGE_STRUCTS_SIZE = 4 << 20,
	/* One read of the batch. */
	PAGE_STRUCTS_READ_MAX = 512 << 10,
	/* Of virtual addresses, whose page tables are walked at once. */
	PAGE_STRUCTS_SPAN = 256 << 20,
};

struct page_structs {
	uint8_t *bytes; /* structs, one behind the other */
	bool *missing;  /* for each whether some of its bytes could not be read */
	size_t window;  /* how many fit in: a power of two */
	uint64_t bytes_read;
	bool no_memory; /* some are missing for want of it */

	const struct page_table *table;
	const struct guest_memory *memory;
	uint32_t struct_size;
	struct mapping *pieces; /* what is mapped from span on up to span_end */
	size_t piece_count;
	uint64_t span, span_end;
	struct guest_read_request *requests, *retries;
};

/* Returns 0, or -1 without memory; the caller deinitialises in both cases. */
int page_structs_init(struct page_structs *structs, const struct page_table *table,
	const struct guest_memory *memory, uint32_t struct_size);
void page_structs_deinit(struct page_structs *structs);

/*
 * Reads `count` structs, at most `window`, that begin at vaddr. What is mapped from there to `end`,
 * which is behind them, is worth to be looked up already.
 */
void page_structs_read(struct page_structs *structs, uint64_t vaddr, size_t count, uint64_t end);

#endif
