/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a Linux kernel's struct page says that its page frame is used for. Where the members of the
 * struct lie, and by which bits and numbers a use is told, changes with nearly every release; all
 * of it is read out of VMCOREINFO once, into a table that the same code then goes by for every
 * kernel from 4.0 on. Private to layout/.
 */
#ifndef LAYOUT_PAGE_TYPES_H
#define LAYOUT_PAGE_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"
#include "layout/field.h"
#include "layout/vmcoreinfo.h"

/* A struct page has 32 to 80 bytes, and some debugging options add to that. */
enum { PAGE_STRUCT_MIN = 16, PAGE_STRUCT_MAX = 512 };

/* The largest of all huge pages are those of 16 GiB of ppc64 and arm64. */
#define COMPOUND_MAX (UINT64_C(16) << 30)

enum page_class {
	PAGE_KEPT, /* what no dump level leaves out */
	PAGE_CACHE,
	PAGE_PRIVATE_CACHE,
	PAGE_USER,
	PAGE_FREE,
	PAGE_UNACCEPTED,
	PAGE_HWPOISON,
	PAGE_OFFLINE,
	PAGE_UNDECIDED, /* the struct contradicts itself: stays */
	PAGE_CLASSES
};

/* Whether a field has a value, as far as the bits of mask go. A mask of 0: never. */
struct page_test {
	struct field field;
	uint64_t mask, value;
};

/*
 * Offsets are from the start of a struct page, or, of what a compound page tells in its second
 * struct, from the start of the first one.
 */
struct page_types {
	enum byte_order order;
	uint32_t size; /* bytes of a struct page */
	struct field flags, mapping, private;
	struct page_test lru, private_flag, swapcache, swapbacked, anon;
	struct page_test slab, hwpoison, buddy, unaccepted, offline;
	struct page_test tail, head; /* of compound pages */
	struct page_test hugetlb;
	struct field compound_order; /* size 0 if it is not known */
	uint64_t compound_order_mask;
	unsigned compound_order_max, buddy_order_max;
	bool swapbacked_known;
};

/*
 * Fills in what a dump level (bits of layout/page_filter.h) needs to be told apart. Returns 0, or
 * -1 naming the entry that VMCOREINFO lacks.
 */
int page_types_init(struct page_types *types, unsigned level, const struct arch *arch,
	const struct vmcoreinfo *info, struct error *error);

/*
 * The class of the page frame pfn by its struct, and in *order how far it reaches: over
 * 2^*order frames, of which this is the first. Only classes that the level leaves out come out, so
 * that every other page is PAGE_KEPT. `two` says that the struct of the next frame follows.
 */
enum page_class page_classify(const struct page_types *types, unsigned level, uint64_t pfn,
	const uint8_t *page, bool two, unsigned *order);

#endif
