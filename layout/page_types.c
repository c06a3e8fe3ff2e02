// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/page_types.h"

#include <elf.h>
#include <inttypes.h>

#include "layout/digits.h"
#include "layout/page_filter.h"

static bool holds(const struct page_types *types, const struct page_test *test, const uint8_t *page)
{
	return test->mask &&
	       (field_get(page, test->field, types->order) & test->mask) == test->value;
}

static bool is_cache(const struct page_types *types, const uint8_t *page)
{
	if (holds(types, &types->lru, page))
		return true;
	/* Since 4.10 the bit of PG_swapcache means something else without PG_swapbacked. */
	return holds(types, &types->swapcache, page) &&
	       (!types->swapbacked_known || holds(types, &types->swapbacked, page));
}

/* False if the second struct of a compound page has no order, or one that cannot be. */
static bool compound_order(const struct page_types *types, uint64_t pfn, const uint8_t *page,
	bool two, unsigned *order)
{
	uint64_t value;

	if (!two || !types->compound_order.size)
		return false;
	value = field_get(page, types->compound_order, types->order) & types->compound_order_mask;
	if (value > types->compound_order_max || pfn & ((UINT64_C(1) << value) - 1))
		return false;
	*order = (unsigned)value;
	return true;
}

/* The first of 2^private free pages, or of as many as there can be that are not accepted yet. */
static enum page_class free_class(const struct page_types *types, enum page_class class,
	uint64_t pfn, const uint8_t *page, unsigned *order)
{
	uint64_t value = types->buddy_order_max;

	if (class == PAGE_FREE)
		value = field_get(page, types->private, types->order);
	if (value > types->buddy_order_max || pfn & ((UINT64_C(1) << value) - 1)) {
		*order = 0;
		return PAGE_UNDECIDED;
	}
	*order = (unsigned)value;
	return class;
}

/* What makedumpfile decides, in its order; the order of free pages apart. */
static enum page_class decide(
	const struct page_types *types, unsigned level, const uint8_t *page, bool hugetlb)
{
	bool slab = holds(types, &types->slab, page);
	bool anon = !slab && holds(types, &types->anon, page);

	if (level & DUMP_LEVEL_FREE && !slab && holds(types, &types->buddy, page))
		return PAGE_FREE;
	if (level & DUMP_LEVEL_FREE && holds(types, &types->unaccepted, page))
		return PAGE_UNACCEPTED;
	if (level & (DUMP_LEVEL_CACHE | DUMP_LEVEL_PRIVATE_CACHE) && !anon &&
		is_cache(types, page)) {
		if (!holds(types, &types->private_flag, page))
			return PAGE_CACHE;
		if (level & DUMP_LEVEL_PRIVATE_CACHE)
			return PAGE_PRIVATE_CACHE;
	}
	if (level & DUMP_LEVEL_USER && (anon || hugetlb))
		return PAGE_USER;
	if (holds(types, &types->hwpoison, page))
		return PAGE_HWPOISON;
	if (!slab && holds(types, &types->offline, page))
		return PAGE_OFFLINE;
	return PAGE_KEPT;
}

enum page_class page_classify(const struct page_types *types, unsigned level, uint64_t pfn,
	const uint8_t *page, bool two, unsigned *order)
{
	bool is_head, order_known = true, hugetlb = false;
	enum page_class class;

	*order = 0;
	if (holds(types, &types->tail, page))
		return PAGE_KEPT;
	is_head = holds(types, &types->head, page);
	if (is_head) {
		order_known = compound_order(types, pfn, page, two, order);
		hugetlb = two && holds(types, &types->hugetlb, page);
	}
	class = decide(types, level, page, hugetlb);
	if (class == PAGE_FREE || class == PAGE_UNACCEPTED)
		return free_class(types, class, pfn, page, order);
	return order_known || class == PAGE_KEPT ? class : PAGE_UNDECIDED;
}

/* ---- the table ------------------------------------------------------------------------------- */

struct reading {
	struct page_types *types;
	const struct vmcoreinfo *info;
	struct error *error;
	uint8_t word; /* bytes of an unsigned long */
};

/* A member of struct page, or, `of` structs further, of a later one. */
static bool find_field(const struct reading *reading, const char *name, unsigned of, uint8_t size,
	struct field *field)
{
	uint64_t offset, skipped = (uint64_t)of * reading->types->size;

	if (!vmcoreinfo_decimal(reading->info, "OFFSET", name, &offset) ||
		offset > (uint64_t)2 * PAGE_STRUCT_MAX)
		return false;
	offset += skipped;
	if (offset + size > skipped + reading->types->size)
		return false;
	*field = (struct field){ .offset = (uint16_t)offset, .size = size };
	return true;
}

static int need_field(
	const struct reading *reading, const char *name, uint8_t size, struct field *field)
{
	if (!find_field(reading, name, 0, size, field))
		return error_set(
			reading->error, "VMCOREINFO has no OFFSET(%s) within a struct page", name);
	return 0;
}

/* A flag by the NUMBER of its bit. */
static bool find_flag(const struct reading *reading, const char *name, struct page_test *test)
{
	int64_t bit;

	if (!vmcoreinfo_number(reading->info, name, &bit) || bit < 0 || bit >= reading->word * 8)
		return false;
	*test = (struct page_test){ .field = reading->types->flags,
		.mask = UINT64_C(1) << bit,
		.value = UINT64_C(1) << bit };
	return true;
}

/* A type that _mapcount has in place of a count: the number is to be compared as an int. */
static bool find_type(const struct reading *reading, const char *name, struct page_test *test)
{
	struct field field;
	int64_t value;

	if (!find_field(reading, "page._mapcount", 0, 4, &field) ||
		!vmcoreinfo_number(reading->info, name, &value))
		return false;
	*test = (struct page_test){ .field = field, .mask = UINT32_MAX, .value = (uint32_t)value };
	return true;
}

static struct page_test lowest_bit(struct field field)
{
	return (struct page_test){ .field = field, .mask = 1, .value = 1 };
}

/* Bit 0 of the word of a tail that points to its head. Since 7.1 it is called compound_info. */
static void find_tail(const struct reading *reading)
{
	struct field field;

	if (find_field(reading, "page.compound_head", 0, reading->word, &field) ||
		find_field(reading, "page.compound_info", 0, reading->word, &field))
		reading->types->tail = lowest_bit(field);
}

/* From 4.0 to 4.5 VMCOREINFO does not tell of compound pages, and at 4.4 they changed. */
static bool before_4_4(const struct vmcoreinfo *info)
{
	const char *text = info->release;
	uint64_t major, minor;

	if (!read_digits(&text, 10, &major) || *text++ != '.' || !read_digits(&text, 10, &minor))
		return false;
	return major < 4 || (major == 4 && minor < 4);
}

static void set_order(const struct reading *reading, struct field field, uint64_t mask)
{
	reading->types->compound_order = field;
	reading->types->compound_order_mask = mask;
}

static void find_hugetlb_number(const struct reading *reading, struct field field)
{
	int64_t value;

	if (vmcoreinfo_number(reading->info, "HUGETLB_PAGE_DTOR", &value) && value > 0 &&
		value <= UINT8_MAX)
		reading->types->hugetlb = (struct page_test){
			.field = field, .mask = UINT32_MAX, .value = (uint64_t)value
		};
}

/* 6.6: the order is the low byte of the second struct's flags. */
static bool find_in_flags(const struct reading *reading)
{
	struct page_types *types = reading->types;
	struct field second = types->flags;

	if (!find_type(reading, "PAGE_HUGETLB_MAPCOUNT_VALUE", &types->hugetlb)) {
		if (!find_flag(reading, "PG_hugetlb", &types->hugetlb))
			return false;
		types->hugetlb.field.offset = (uint16_t)(types->flags.offset + types->size);
	}
	second.offset = (uint16_t)(second.offset + types->size);
	set_order(reading, second, 0xff);
	return true;
}

/* 6.3: offsets in struct folio, whose second struct page these are in. */
static bool find_in_folio(const struct reading *reading)
{
	struct page_types *types = reading->types;
	uint64_t order, kind;

	if (!vmcoreinfo_decimal(reading->info, "OFFSET", "folio._folio_order", &order) ||
		order < types->size || order >= (uint64_t)2 * types->size)
		return false;
	set_order(reading, (struct field){ (uint16_t)order, 1 }, 0xff);
	if (vmcoreinfo_decimal(reading->info, "OFFSET", "folio._folio_dtor", &kind) &&
		kind >= types->size && kind < (uint64_t)2 * types->size)
		find_hugetlb_number(reading, (struct field){ (uint16_t)kind, 1 });
	return true;
}

/*
 * 4.4: two numbers side by side, so that their distance is their size: 2 bytes, for some time 4 in
 * 64-bit kernels, and 1 since 4.16.
 */
static bool find_numbers(const struct reading *reading)
{
	struct field kind, order;
	uint64_t first, second;

	if (!vmcoreinfo_decimal(reading->info, "OFFSET", "page.compound_dtor", &first) ||
		!vmcoreinfo_decimal(reading->info, "OFFSET", "page.compound_order", &second) ||
		second <= first ||
		(second - first != 1 && second - first != 2 && second - first != 4))
		return false;
	if (!find_field(reading, "page.compound_dtor", 1, (uint8_t)(second - first), &kind) ||
		!find_field(reading, "page.compound_order", 1, (uint8_t)(second - first), &order))
		return false;
	set_order(reading, order, UINT32_MAX);
	find_hugetlb_number(reading, kind);
	return true;
}

/* Before 4.4: where other pages have the pointers of a list, a function and the order. */
static bool find_in_list(const struct reading *reading)
{
	struct page_types *types = reading->types;
	struct field kind;
	uint64_t next = 0, prev = reading->word, function;

	if (!before_4_4(reading->info) ||
		!find_field(reading, "page.lru", 1, (uint8_t)(2 * reading->word), &kind))
		return false;
	kind.size = reading->word;
	vmcoreinfo_decimal(reading->info, "OFFSET", "list_head.next", &next);
	vmcoreinfo_decimal(reading->info, "OFFSET", "list_head.prev", &prev);
	if (next > reading->word || prev > reading->word)
		return false;
	set_order(reading, (struct field){ (uint16_t)(kind.offset + prev), reading->word },
		UINT64_MAX);
	kind.offset = (uint16_t)(kind.offset + next);
	if (vmcoreinfo_symbol(reading->info, "free_huge_page", &function))
		types->hugetlb = (struct page_test){
			.field = kind, .mask = UINT64_MAX, .value = function
		};
	return true;
}

/*
 * How the second struct of a compound page tells the order, and that it is of hugetlb: the first
 * way that the kernel knows. None: a compound page that would be left out then stays.
 */
static bool (*const compound_ways[])(const struct reading *reading) = {
	find_in_flags,
	find_in_folio,
	find_numbers,
	find_in_list,
};

static void find_compound(const struct reading *reading, unsigned page_shift)
{
	struct page_types *types = reading->types;
	int64_t mask;

	find_tail(reading);
	if (vmcoreinfo_number(reading->info, "PG_head_mask", &mask) && mask != 0)
		types->head = (struct page_test){
			.field = types->flags, .mask = (uint64_t)mask, .value = (uint64_t)mask
		};
	for (size_t i = 0; i < sizeof(compound_ways) / sizeof(*compound_ways); i++) {
		if (compound_ways[i](reading))
			break;
	}
	while (types->compound_order_max < 63 &&
		COMPOUND_MAX >> page_shift >> types->compound_order_max > 1)
		types->compound_order_max++;
}

static int find_free(const struct reading *reading)
{
	struct page_types *types = reading->types;
	uint64_t orders;

	if (!find_type(reading, "PAGE_BUDDY_MAPCOUNT_VALUE", &types->buddy))
		return error_set(reading->error,
			"VMCOREINFO does not tell free pages: no NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE), "
			"or no OFFSET(page._mapcount)");
	if (need_field(reading, "page.private", reading->word, &types->private))
		return -1;
	if (!vmcoreinfo_decimal(reading->info, "LENGTH", "zone.free_area", &orders) || !orders ||
		orders > 32)
		return error_set(reading->error,
			"VMCOREINFO does not tell how long free areas are: no "
			"LENGTH(zone.free_area)");
	types->buddy_order_max = (unsigned)orders - 1;
	find_type(reading, "PAGE_UNACCEPTED_MAPCOUNT_VALUE", &types->unaccepted);
	return 0;
}

int page_types_init(struct page_types *types, unsigned level, const struct arch *arch,
	const struct vmcoreinfo *info, struct error *error)
{
	const struct reading reading = {
		.types = types,
		.info = info,
		.error = error,
		.word = arch->elf_class == ELFCLASS64 ? 8 : 4,
	};
	uint64_t size;

	*types = (struct page_types){ .order = arch->order };
	if (!vmcoreinfo_decimal(info, "SIZE", "page", &size))
		return error_set(error, "VMCOREINFO has no SIZE(page)");
	if (size < PAGE_STRUCT_MIN || size > PAGE_STRUCT_MAX)
		return error_set(error, "VMCOREINFO has a struct page of %" PRIu64 " bytes", size);
	types->size = (uint32_t)size;

	if (need_field(&reading, "page.flags", reading.word, &types->flags) ||
		need_field(&reading, "page.mapping", reading.word, &types->mapping))
		return -1;
	types->anon = lowest_bit(types->mapping);
	if (!find_type(&reading, "PAGE_SLAB_MAPCOUNT_VALUE", &types->slab) &&
		!find_flag(&reading, "PG_slab", &types->slab))
		return error_set(error,
			"VMCOREINFO does not tell slab pages: neither NUMBER(PG_slab) nor "
			"NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)");
	if (!find_flag(&reading, "PG_lru", &types->lru) ||
		!find_flag(&reading, "PG_private", &types->private_flag))
		return error_set(error, "VMCOREINFO has no NUMBER(PG_lru) or NUMBER(PG_private)");
	find_flag(&reading, "PG_swapcache", &types->swapcache);
	types->swapbacked_known = find_flag(&reading, "PG_swapbacked", &types->swapbacked);
	find_flag(&reading, "PG_hwpoison", &types->hwpoison);
	find_type(&reading, "PAGE_OFFLINE_MAPCOUNT_VALUE", &types->offline);
	find_compound(&reading, info->page_shift);
	return level & DUMP_LEVEL_FREE ? find_free(&reading) : 0;
}
