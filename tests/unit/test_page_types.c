// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "layout/page_filter.h"
#include "layout/page_types.h"

/*
 * Every way in which kernels from 4.0 to 7.1 have told the use of a page, each with its own struct
 * page, put through the same questions.
 */

#define HEAD "OSRELEASE=%s\nPAGESIZE=4096\nSYMBOL(_stext)=c1000000\nLENGTH(zone.free_area)=11\n"

/* The struct page of 64-bit kernels: flags, then a union of five words, then counts. */
#define PAGE_64                                                                              \
	"SIZE(page)=64\nOFFSET(page.flags)=0\nOFFSET(page.mapping)=24\nOFFSET(page.lru)=8\n" \
	"OFFSET(page._mapcount)=48\nOFFSET(page.private)=40\n"                               \
	"OFFSET(list_head.next)=0\nOFFSET(list_head.prev)=8\n"
/* Of 64-bit kernels before 4.18. */
#define OLD_64                                                                               \
	"SIZE(page)=64\nOFFSET(page.flags)=0\nOFFSET(page.mapping)=8\nOFFSET(page.lru)=32\n" \
	"OFFSET(page._mapcount)=24\nOFFSET(page.private)=48\n"                               \
	"OFFSET(list_head.next)=0\nOFFSET(list_head.prev)=8\n"
#define PAGE_32                                                                              \
	"SIZE(page)=32\nOFFSET(page.flags)=0\nOFFSET(page.mapping)=12\nOFFSET(page.lru)=4\n" \
	"OFFSET(page._mapcount)=24\nOFFSET(page.private)=20\n"
#define FLAGS                                                                \
	"NUMBER(PG_lru)=5\nNUMBER(PG_private)=11\nNUMBER(PG_swapcache)=10\n" \
	"NUMBER(PG_swapbacked)=19\nNUMBER(PG_hwpoison)=22\nNUMBER(PG_head_mask)=65536\n"
#define SLAB_FLAG "NUMBER(PG_slab)=7\n"
#define DTOR_ID   "NUMBER(HUGETLB_PAGE_DTOR)=2\n"

enum { LRU = 1 << 5, SLAB = 1 << 7, SWAPCACHE = 1 << 10, PRIVATE = 1 << 11, COMPOUND = 1 << 16 };
enum { SWAPBACKED = 1 << 19, HWPOISON = 1 << 22 };

/* A value in the bytes of two structs. */
struct value {
	uint16_t offset;
	uint8_t size;
	uint64_t value;
};

struct encoding {
	const char *release, *lines;
	unsigned char elf_class;
	enum byte_order order;
	struct field flags, mapping, private, mapcount; /* of this struct page */
	struct field tail;                              /* size 0: tails cannot be told */
	uint32_t buddy, offline, unaccepted, slab;      /* 0: not by a number */
	struct field compound_order;
	struct value hugetlb, other; /* marks of a compound page: of hugetlb, and of slab or so */
};

#define MEMBERS_64                                                                              \
	.elf_class = ELFCLASS64, .flags = { 0, 8 }, .mapping = { 24, 8 }, .private = { 40, 8 }, \
	.mapcount = { 48, 4 }, .tail = { 8, 8 }
#define MEMBERS_OLD_64                                                                         \
	.elf_class = ELFCLASS64, .flags = { 0, 8 }, .mapping = { 8, 8 }, .private = { 48, 8 }, \
	.mapcount = { 24, 4 }

static const struct encoding encodings[] = {
	{
		.release = "4.1.12-el7",
		.lines = OLD_64 FLAGS SLAB_FLAG "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-128\n"
						"SYMBOL(free_huge_page)=ffffffff811c6f70\n",
		MEMBERS_OLD_64,
		.buddy = (uint32_t)-128,
		.compound_order = { 64 + 40, 8 },
		.hugetlb = { 64 + 32, 8, 0xffffffff811c6f70 },
		.other = { 64 + 32, 8, 0xffffffff81190000 },
	},
	{
		.release = "4.4.0",
		.lines = OLD_64 FLAGS SLAB_FLAG DTOR_ID
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-128\nOFFSET(page.compound_head)=32\n"
		"OFFSET(page.compound_dtor)=40\nOFFSET(page.compound_order)=42\n",
		MEMBERS_OLD_64,
		.tail = { 32, 8 },
		.buddy = (uint32_t)-128,
		.compound_order = { 64 + 42, 2 },
		.hugetlb = { 64 + 40, 2, 2 },
		.other = { 64 + 40, 2, 1 },
	},
	{
		.release = "4.14.0",
		.lines = OLD_64 FLAGS SLAB_FLAG DTOR_ID
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-128\nOFFSET(page.compound_head)=32\n"
		"OFFSET(page.compound_dtor)=40\nOFFSET(page.compound_order)=44\n",
		MEMBERS_OLD_64,
		.order = BIG,
		.tail = { 32, 8 },
		.buddy = (uint32_t)-128,
		.compound_order = { 64 + 44, 4 },
		.hugetlb = { 64 + 40, 4, 2 },
		.other = { 64 + 40, 4, 1 },
	},
	{
		.release = "4.17.3",
		.lines = OLD_64 FLAGS SLAB_FLAG DTOR_ID
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-128\nOFFSET(page.compound_head)=32\n"
		"OFFSET(page.compound_dtor)=40\nOFFSET(page.compound_order)=41\n",
		MEMBERS_OLD_64,
		.tail = { 32, 8 },
		.buddy = (uint32_t)-128,
		.compound_order = { 64 + 41, 1 },
		.hugetlb = { 64 + 40, 1, 2 },
		.other = { 64 + 40, 1, 1 },
	},
	{
		.release = "6.1.0-56-cloud-amd64",
		.lines = PAGE_64 FLAGS SLAB_FLAG DTOR_ID
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\nNUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\n"
		"OFFSET(page.compound_head)=8\n"
		"OFFSET(page.compound_dtor)=16\nOFFSET(page.compound_order)=17\n",
		MEMBERS_64,
		.buddy = (uint32_t)-129,
		.offline = (uint32_t)-257,
		.compound_order = { 64 + 17, 1 },
		.hugetlb = { 64 + 16, 1, 2 },
		.other = { 64 + 16, 1, 1 },
	},
	{
		.release = "5.10.0-i686",
		.lines = PAGE_32 FLAGS SLAB_FLAG DTOR_ID
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\nNUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\n"
		"OFFSET(page.compound_head)=4\n"
		"OFFSET(page.compound_dtor)=8\nOFFSET(page.compound_order)=9\n",
		.elf_class = ELFCLASS32,
		.flags = { 0, 4 },
		.mapping = { 12, 4 },
		.private = { 20, 4 },
		.mapcount = { 24, 4 },
		.tail = { 4, 4 },
		.buddy = (uint32_t)-129,
		.offline = (uint32_t)-257,
		.compound_order = { 32 + 9, 1 },
		.hugetlb = { 32 + 8, 1, 2 },
		.other = { 32 + 8, 1, 1 },
	},
	{
		.release = "6.4.0",
		.lines = PAGE_64 FLAGS SLAB_FLAG DTOR_ID
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\nNUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\n"
		"OFFSET(page.compound_head)=8\n"
		"OFFSET(folio._folio_dtor)=80\nOFFSET(folio._folio_order)=81\n",
		MEMBERS_64,
		.buddy = (uint32_t)-129,
		.offline = (uint32_t)-257,
		.compound_order = { 81, 1 },
		.hugetlb = { 80, 1, 2 },
		.other = { 80, 1, 1 },
	},
	{
		.release = "6.6.0-s390x",
		.lines = PAGE_64 FLAGS SLAB_FLAG
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\nNUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\n"
		"OFFSET(page.compound_head)=8\nNUMBER(PG_hugetlb)=8\n",
		MEMBERS_64,
		.order = BIG,
		.buddy = (uint32_t)-129,
		.offline = (uint32_t)-257,
		.compound_order = { 64, 8 },
		.hugetlb = { 64 + 6, 1, 1 }, /* bit 8, besides the order in the lowest byte */
		.other = { 64 + 5, 1, 1 },
	},
	{
		.release = "6.9.0",
		.lines = PAGE_64 FLAGS SLAB_FLAG
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\nNUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\n"
		"NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-2049\nOFFSET(page.compound_head)=8\n",
		MEMBERS_64,
		.buddy = (uint32_t)-129,
		.offline = (uint32_t)-257,
		.compound_order = { 64, 1 },
		.hugetlb = { 48, 4, (uint32_t)-2049 },
		.other = { 48, 4, UINT32_MAX },
	},
	{
		.release = "6.10.0",
		.lines = PAGE_64 FLAGS
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\nNUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\n"
		"NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-2049\nNUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-4097\n"
		"OFFSET(page.compound_head)=8\n",
		MEMBERS_64,
		.buddy = (uint32_t)-129,
		.offline = (uint32_t)-257,
		.slab = (uint32_t)-4097,
		.compound_order = { 64, 1 },
		.hugetlb = { 48, 4, (uint32_t)-2049 },
		.other = { 48, 4, UINT32_MAX },
	},
	{
		.release = "6.12.0",
		.lines = PAGE_64 FLAGS "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-268435456\n"
				       "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-251658240\n"
				       "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-201326592\n"
				       "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376\n"
				       "OFFSET(page.compound_head)=8\n",
		MEMBERS_64,
		.buddy = 0xf0000000,
		.offline = 0xf1000000,
		.slab = 0xf5000000,
		.compound_order = { 64, 1 },
		.hugetlb = { 48, 4, 0xf4000000 },
		.other = { 48, 4, UINT32_MAX },
	},
	{
		.release = "7.1.0",
		.lines = PAGE_64 FLAGS "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-268435456\n"
				       "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-251658240\n"
				       "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-201326592\n"
				       "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376\n"
				       "NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)=-150994944\n"
				       "OFFSET(page.compound_info)=8\n",
		MEMBERS_64,
		.buddy = 0xf0000000,
		.offline = 0xf1000000,
		.unaccepted = 0xf7000000,
		.slab = 0xf5000000,
		.compound_order = { 64, 1 },
		.hugetlb = { 48, 4, 0xf4000000 },
		.other = { 48, 4, UINT32_MAX },
	},
};

enum { ENCODINGS = sizeof(encodings) / sizeof(*encodings) };

static struct error error;

static int init_from(struct page_types *types, unsigned level, unsigned char elf_class,
	enum byte_order order, const char *release, const char *lines)
{
	const struct arch arch = { .elf_class = elf_class, .order = order };
	struct vmcoreinfo info;
	char text[4096];
	int result;

	snprintf(text, sizeof(text), HEAD "%s", release, lines);
	vmcoreinfo_init(&info);
	assert_int_equal(vmcoreinfo_parse(&info, text, strlen(text), &error), 0);
	result = page_types_init(types, level, &arch, &info, &error);
	vmcoreinfo_deinit(&info);
	return result;
}

/* Two structs of an encoding, and what they are taken for. */
struct subject {
	const struct encoding *encoding;
	struct page_types types;
	uint8_t bytes[128];
};

static void set(struct subject *subject, struct field field, uint64_t value)
{
	field_put(subject->bytes + field.offset, (struct field){ 0, field.size }, value,
		subject->encoding->order);
}

static void mark(struct subject *subject, const struct value *value)
{
	set(subject, (struct field){ value->offset, value->size }, value->value);
}

/* A page that is in use for nothing that a dump level knows. */
static void clear(struct subject *subject)
{
	memset(subject->bytes, 0, sizeof(subject->bytes));
	set(subject, subject->encoding->mapcount, UINT32_MAX);
}

static void setup(struct subject *subject, const struct encoding *encoding)
{
	subject->encoding = encoding;
	if (init_from(&subject->types, 31, encoding->elf_class, encoding->order, encoding->release,
		    encoding->lines))
		fail_msg("%s: %s", encoding->release, error.text);
	clear(subject);
}

static void assert_at(const struct subject *subject, uint64_t pfn, unsigned level,
	enum page_class expected, unsigned expected_order)
{
	unsigned order;
	enum page_class class = page_classify(
		&subject->types, level, pfn, subject->bytes, true, &order);

	if (class != expected || order != expected_order)
		fail_msg("%s: level %u: class %d, order %u, not %d, %u", subject->encoding->release,
			level, class, order, expected, expected_order);
}

static void assert_class(const struct subject *subject, unsigned level, enum page_class expected)
{
	assert_at(subject, 0x200, level, expected, 0);
}

static void for_each_encoding(void (*ask)(struct subject *subject))
{
	for (size_t i = 0; i < ENCODINGS; i++) {
		struct subject subject;

		setup(&subject, &encodings[i]);
		ask(&subject);
	}
}

static void ask_unused(struct subject *subject)
{
	assert_class(subject, 30, PAGE_KEPT);
	set(subject, subject->encoding->mapcount, 0);
	assert_class(subject, 30, PAGE_KEPT);
}

static void ask_free_pages(struct subject *subject)
{
	const struct encoding *encoding = subject->encoding;

	set(subject, encoding->mapcount, encoding->buddy);
	set(subject, encoding->private, 3);
	assert_at(subject, 0x208, 16, PAGE_FREE, 3);
	assert_class(subject, 15, PAGE_KEPT);
	assert_at(subject, 0x204, 16, PAGE_UNDECIDED, 0);
	set(subject, encoding->private, 10);
	assert_at(subject, 0x400, 16, PAGE_FREE, 10);
	set(subject, encoding->private, 11);
	assert_at(subject, 0x800, 16, PAGE_UNDECIDED, 0);
	set(subject, encoding->private, 0);
	assert_at(subject, 0x207, 31, PAGE_FREE, 0);
	/* Free and broken: free comes first. */
	set(subject, encoding->flags, HWPOISON);
	assert_class(subject, 16, PAGE_FREE);
	assert_class(subject, 2, PAGE_HWPOISON);
	/* A number that differs in one bit is a count. */
	clear(subject);
	set(subject, encoding->mapcount, encoding->buddy ^ 1);
	assert_class(subject, 16, PAGE_KEPT);
}

static void ask_unaccepted(struct subject *subject)
{
	if (!subject->encoding->unaccepted)
		return;
	set(subject, subject->encoding->mapcount, subject->encoding->unaccepted);
	assert_at(subject, 0x400, 16, PAGE_UNACCEPTED, 10);
	assert_at(subject, 0x200, 16, PAGE_UNDECIDED, 0);
	assert_at(subject, 0x400, 15, PAGE_KEPT, 0);
}

static void ask_cache(struct subject *subject)
{
	const struct encoding *encoding = subject->encoding;

	set(subject, encoding->mapping, 0x1000);
	set(subject, encoding->flags, LRU);
	assert_class(subject, 2, PAGE_CACHE);
	assert_class(subject, 4, PAGE_CACHE);
	assert_class(subject, 24, PAGE_KEPT);
	set(subject, encoding->flags, LRU | PRIVATE | HWPOISON);
	assert_class(subject, 2, PAGE_HWPOISON);
	assert_class(subject, 4, PAGE_PRIVATE_CACHE);
	assert_class(subject, 6, PAGE_PRIVATE_CACHE);
	set(subject, encoding->flags, SWAPCACHE | SWAPBACKED);
	assert_class(subject, 2, PAGE_CACHE);
	set(subject, encoding->flags, SWAPCACHE);
	assert_class(subject, 6, PAGE_KEPT);
	set(subject, encoding->flags, SWAPBACKED);
	assert_class(subject, 6, PAGE_KEPT);
}

static void ask_user(struct subject *subject)
{
	const struct encoding *encoding = subject->encoding;

	set(subject, encoding->mapping, 0x1001);
	assert_class(subject, 8, PAGE_USER);
	assert_class(subject, 22, PAGE_KEPT);
	set(subject, encoding->flags, LRU | PRIVATE);
	assert_class(subject, 30, PAGE_USER);
	assert_class(subject, 22, PAGE_KEPT);
	set(subject, encoding->mapping, 0x1002); /* movable, without a file */
	set(subject, encoding->flags, 0);
	assert_class(subject, 30, PAGE_KEPT);
}

static void make_slab(struct subject *subject)
{
	if (subject->encoding->slab)
		set(subject, subject->encoding->mapcount, subject->encoding->slab);
	else
		set(subject, subject->encoding->flags, SLAB);
}

/* Since 6.2 it has a counter where other pages have their mapping. */
static void ask_slab(struct subject *subject)
{
	make_slab(subject);
	set(subject, subject->encoding->mapping, 0x1001);
	assert_class(subject, 30, PAGE_KEPT);
	if (subject->encoding->slab)
		return;
	set(subject, subject->encoding->mapcount, subject->encoding->buddy);
	assert_class(subject, 30, PAGE_KEPT);
	set(subject, subject->encoding->mapcount, subject->encoding->offline);
	assert_class(subject, 30, PAGE_KEPT);
}

static void ask_given_up(struct subject *subject)
{
	const struct encoding *encoding = subject->encoding;

	set(subject, encoding->flags, HWPOISON);
	assert_class(subject, 2, PAGE_HWPOISON);
	assert_class(subject, 16, PAGE_HWPOISON);
	clear(subject);
	if (!encoding->offline)
		return;
	set(subject, encoding->mapcount, encoding->offline);
	assert_class(subject, 2, PAGE_OFFLINE);
	assert_class(subject, 30, PAGE_OFFLINE);
}

static void make_compound(struct subject *subject, const struct value *kind, unsigned order)
{
	clear(subject);
	set(subject, subject->encoding->flags, COMPOUND);
	set(subject, subject->encoding->compound_order, order);
	mark(subject, kind);
}

static void ask_hugetlb(struct subject *subject)
{
	const struct encoding *encoding = subject->encoding;
	unsigned order;

	make_compound(subject, &encoding->hugetlb, 9);
	assert_at(subject, 0x200, 8, PAGE_USER, 9);
	assert_at(subject, 0x200, 22, PAGE_KEPT, 9);
	/* Not where such a page can begin: vmemmap may show the same struct more than once. */
	assert_at(subject, 0x240, 8, PAGE_UNDECIDED, 0);
	assert_at(subject, 0x240, 22, PAGE_KEPT, 0);
	make_compound(subject, &encoding->hugetlb, 18);
	assert_at(subject, 0x40000, 8, PAGE_USER, 18);
	make_compound(subject, &encoding->hugetlb, 23);
	assert_at(subject, 0x800000, 8, PAGE_UNDECIDED, 0);

	make_compound(subject, &encoding->other, 9);
	assert_at(subject, 0x200, 30, PAGE_KEPT, 9);

	/* Without its second struct, the first one does not tell. */
	make_compound(subject, &encoding->hugetlb, 9);
	assert_int_equal(
		page_classify(&subject->types, 8, 0x200, subject->bytes, false, &order), PAGE_KEPT);
	assert_int_equal(order, 0);
	set(subject, encoding->mapping, 0x1001);
	assert_int_equal(page_classify(&subject->types, 8, 0x200, subject->bytes, false, &order),
		PAGE_UNDECIDED);
}

static void ask_huge(struct subject *subject)
{
	const struct encoding *encoding = subject->encoding;

	make_compound(subject, &encoding->other, 9);
	set(subject, encoding->flags, COMPOUND | LRU);
	set(subject, encoding->mapping, 0x1001);
	assert_at(subject, 0x400, 8, PAGE_USER, 9);
	assert_at(subject, 0x400, 6, PAGE_KEPT, 9);
	set(subject, encoding->mapping, 0x1000);
	assert_at(subject, 0x400, 2, PAGE_CACHE, 9);
	set(subject, encoding->flags, COMPOUND | LRU | PRIVATE);
	assert_at(subject, 0x400, 4, PAGE_PRIVATE_CACHE, 9);
	assert_at(subject, 0x400, 2, PAGE_KEPT, 9);
	assert_at(subject, 0x401, 4, PAGE_UNDECIDED, 0);
	set(subject, encoding->flags, COMPOUND | HWPOISON);
	assert_at(subject, 0x400, 2, PAGE_HWPOISON, 9);
}

static void ask_tail(struct subject *subject)
{
	const struct encoding *encoding = subject->encoding;

	if (!encoding->tail.size)
		return;
	set(subject, encoding->flags, LRU | HWPOISON);
	set(subject, encoding->tail, 0x2001);
	assert_class(subject, 31, PAGE_KEPT);
	set(subject, encoding->tail, 0x2000);
	assert_class(subject, 2, PAGE_CACHE);
}

#define QUESTION(name)                         \
	static void test_##name(void **state)  \
	{                                      \
		(void)state;                   \
		for_each_encoding(ask_##name); \
	}

QUESTION(unused)
QUESTION(free_pages)
QUESTION(unaccepted)
QUESTION(cache)
QUESTION(user)
QUESTION(slab)
QUESTION(given_up)
QUESTION(hugetlb)
QUESTION(huge)
QUESTION(tail)

/* Before 4.10, PG_swapcache was a bit of its own. */
static void test_no_swapbacked(void **state)
{
	static const struct encoding old = {
		.release = "4.9.0",
		.lines = OLD_64 SLAB_FLAG "NUMBER(PG_lru)=5\nNUMBER(PG_private)=11\n"
					  "NUMBER(PG_swapcache)=10\nNUMBER(PG_head_mask)=65536\n"
					  "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-128\n",
		MEMBERS_OLD_64,
	};
	struct subject subject;

	(void)state;
	setup(&subject, &old);
	set(&subject, old.flags, SWAPCACHE);
	assert_class(&subject, 2, PAGE_CACHE);
	/* Nor does this one tell of broken and offline pages. */
	set(&subject, old.flags, HWPOISON);
	assert_class(&subject, 2, PAGE_KEPT);
}

/* 4.4 and 4.5 without the entries that came with 4.6: nobody knows how long a compound page is. */
static void test_unknown_order(void **state)
{
	static const struct encoding unknown = {
		.release = "4.5.0",
		.lines = OLD_64 FLAGS SLAB_FLAG "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-128\n"
						"SYMBOL(free_huge_page)=ffffffff811c6f70\n",
		MEMBERS_OLD_64,
	};
	struct subject subject;

	(void)state;
	setup(&subject, &unknown);
	set(&subject, unknown.flags, COMPOUND | LRU);
	set(&subject, unknown.mapping, 0x1001);
	assert_class(&subject, 8, PAGE_UNDECIDED);
	assert_class(&subject, 6, PAGE_KEPT);
	set(&subject, unknown.flags, LRU);
	assert_class(&subject, 8, PAGE_USER);
}

/* A description that contradicts itself in one line. */
static void test_refusals(void **state)
{
	static const struct {
		unsigned level;
		const char *lines, *why;
	} cases[] = {
		{ 2, "", "no SIZE(page)" },
		{ 2, "SIZE(page)=8\n", "a struct page of 8 bytes" },
		{ 2, "SIZE(page)=99999999999\n", "a struct page of 99999999999 bytes" },
		{ 2, "SIZE(page)=64\n", "OFFSET(page.flags)" },
		{ 2, "SIZE(page)=64\nOFFSET(page.flags)=60\n", "OFFSET(page.flags)" },
		{ 2, "SIZE(page)=64\nOFFSET(page.flags)=18446744073709551615\n",
			"OFFSET(page.flags)" },
		{ 2, "SIZE(page)=64\nOFFSET(page.flags)=0\n", "OFFSET(page.mapping)" },
		{ 2, PAGE_64 FLAGS, "neither NUMBER(PG_slab) nor" },
		{ 2, PAGE_64 SLAB_FLAG "NUMBER(PG_private)=11\n", "NUMBER(PG_lru)" },
		{ 2, PAGE_64 SLAB_FLAG "NUMBER(PG_lru)=64\nNUMBER(PG_private)=11\n",
			"NUMBER(PG_lru)" },
		{ 2, PAGE_64 SLAB_FLAG "NUMBER(PG_lru)=5\n", "NUMBER(PG_private)" },
		{ 16, PAGE_64 SLAB_FLAG FLAGS, "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)" },
		{ 16,
			"SIZE(page)=64\nOFFSET(page.flags)=0\nOFFSET(page.mapping)=24\n"
			"OFFSET(page._mapcount)=48\n" SLAB_FLAG FLAGS
			"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\n",
			"OFFSET(page.private)" },
	};
	struct page_types types;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(init_from(&types, cases[i].level, ELFCLASS64, LITTLE, "6.1.0",
					 cases[i].lines),
			-1);
		if (!strstr(error.text, cases[i].why))
			fail_msg("%zu: %s", i, error.text);
	}
	/* Only free pages need what only they have. */
	assert_int_equal(
		init_from(&types, 14, ELFCLASS64, LITTLE, "6.1.0", PAGE_64 SLAB_FLAG FLAGS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unused),
		cmocka_unit_test(test_free_pages),
		cmocka_unit_test(test_unaccepted),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_slab),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_hugetlb),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_tail),
		cmocka_unit_test(test_no_swapbacked),
		cmocka_unit_test(test_unknown_order),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
