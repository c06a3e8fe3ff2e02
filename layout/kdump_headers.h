/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a kdump core lies in its file, which the plan alone decides, and the headers that say so.
 */
#ifndef LAYOUT_KDUMP_HEADERS_H
#define LAYOUT_KDUMP_HEADERS_H

#include "layout/core.h"
#include "layout/kdump_format.h"

struct kdump_layout {
	const struct kdump_form *form;
	enum byte_order order;
	unsigned page_shift;
	uint64_t pfn_start;   /* the page frame that all others here are counted from */
	uint64_t pfn_end;     /* behind the last page frame: max_mapnr */
	uint64_t page_count;  /* that the core has */
	uint64_t bitmap_size; /* of each of the two, in bytes, whole blocks */
	/* Offsets in the file. */
	uint64_t notes, bitmaps, descriptors, pages;
};

/*
 * Returns 0, or -1 with the reason: memory at addresses that the format's readers cannot cope with.
 */
int kdump_layout_init(
	struct kdump_layout *layout, const struct core_plan *plan, struct error *error);

/*
 * The first block's header and the sub-header in the second, of the form's sizes. late is NULL or
 * has the notes that lie behind those of the plan. status is the compression of the pages.
 */
void kdump_header(const struct kdump_layout *layout, const struct core_plan *plan, uint32_t status,
	uint8_t header[KDUMP_HEADER_MAX]);
void kdump_sub_header(const struct kdump_layout *layout, const struct core_plan *plan,
	const struct notes *late, uint8_t header[KDUMP_SUB_HEADER_MAX]);

/*
 * Sets in bits, of size bytes, the bits of the page frames from first on that have memory; false if
 * none has.
 */
bool kdump_bitmap(const struct kdump_layout *layout, const struct ranges *memory, uint64_t first,
	uint8_t *bits, size_t size);

#endif
