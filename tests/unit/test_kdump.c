// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kdump writer: its bytes against values worked out by hand from the definition of the format,
 * for architectures that do not exist, and its pages by the libraries' own decompressors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "arch/notes.h"
#include "layout/core.h"
#include "layout/flat.h"
#include "tests/unit/decompress.h"
#include "tests/unit/failing.h"
#include "tests/unit/kdump_forms.h"
#include "tests/unit/memory_sink.h"
#include "tests/unit/pieces.h"

enum { PAGE = 4096, BLOCK = 4096, GUEST = 64 * PAGE, DESCRIPTOR = 24, UTSNAME = 390 };

/* The flag of a codec in the status and in descriptors. */
static const struct {
	const char *name;
	uint32_t flag;
} formats[] = {
	{ "kdump-zlib", 0x1 },
	{ "kdump-lzo", 0x2 },
	{ "kdump-snappy", 0x4 },
	{ "kdump-zstd", 0x20 },
};

enum { FORMATS = sizeof(formats) / sizeof(*formats) };

struct fixture {
	struct ranges memory;
	struct notes notes, late;
	char utsname[UTSNAME_STRINGS][UTSNAME_STRING_SIZE];
	struct core_plan plan;
	struct memory_sink sink;
	const struct core_format *format;
	uint32_t flag;
	struct core *core;
	uint8_t *guest; /* the memory from 0 on that tests write, zeros at first */
};

static void use(struct fixture *f, const struct arch *arch)
{
	f->plan.arch = arch;
	notes_deinit(&f->notes);
	notes_deinit(&f->late);
	notes_init(&f->notes, arch->order);
	notes_init(&f->late, arch->order);
	/* 12 + 8 + 4 bytes */
	notes_append(&f->notes, "CORE", 1, "\x11\x22\x33\x44", 4);
}

static void use_format(struct fixture *f, size_t nth)
{
	f->format = core_format_find(formats[nth].name);
	f->flag = formats[nth].flag;
	assert_non_null(f->format);
	f->plan.compress_level = f->format->codec->level;
}

static int setup(void **state)
{
	static const char utsname[UTSNAME_STRINGS][UTSNAME_STRING_SIZE] = { "Linux", "node",
		"6.1.0-toy", "#1 SMP", "toy64", "(none)" };
	struct fixture *f = calloc(1, sizeof(*f));

	ranges_init(&f->memory);
	memory_sink_init(&f->sink, true);
	memcpy(f->utsname, utsname, sizeof(utsname));
	f->guest = calloc(1, GUEST);
	f->plan = (struct core_plan){
		.memory = &f->memory,
		.notes = &f->notes,
		.page_shift = 12,
		.cpu_count = 3,
		.phys_base = 0x1234000,
		.utsname = f->utsname,
	};
	use(f, &toy64);
	*state = f;
	/* Whichever there is in this build, for what is the same in all of them. */
	for (size_t i = 0; i < FORMATS; i++) {
		use_format(f, i);
		if (core_format_is_built(f->format))
			break;
	}
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	core_destroy(f->core);
	ranges_deinit(&f->memory);
	notes_deinit(&f->notes);
	notes_deinit(&f->late);
	memory_sink_deinit(&f->sink);
	free(f->guest);
	free(f);
	return 0;
}

/* A build without any codec has no kdump cores to look at. */
#define NEEDS_A_CODEC(f)                                \
	do {                                            \
		if (!core_format_is_built((f)->format)) \
			return;                         \
	} while (0)

static void add(struct fixture *f, uint64_t start, uint64_t size)
{
	assert_int_equal(ranges_add(&f->memory, start, size), 0);
}

static void clear_memory(struct fixture *f)
{
	ranges_deinit(&f->memory);
	ranges_init(&f->memory);
}

/* Does not become smaller. */
static void make_noise(uint8_t *page, size_t size)
{
	uint32_t seed = 12345;

	for (size_t i = 0; i < size; i++) {
		seed = seed * 1664525 + 1013904223;
		page[i] = (uint8_t)(seed >> 24);
	}
}

/* Becomes smaller, and no two of them are the same. */
static void make_text(uint8_t *page, size_t size, uint8_t nth)
{
	for (size_t i = 0; i < size; i++)
		page[i] = (uint8_t)("page frame"[i % 10] + (i / 100 == 7 ? nth : 0));
}

static void create(struct fixture *f)
{
	core_destroy(f->core);
	memory_sink_deinit(&f->sink);
	memory_sink_init(&f->sink, true);
	f->core = core_create(f->format, &f->plan, &f->sink.sink);
	assert_non_null(f->core);
}

static void fails_with(struct fixture *f, const char *text)
{
	assert_non_null(core_error(f->core));
	assert_string_equal(core_error(f->core), text);
}

/* Creates a core with all memory out of f->guest, which has to hold it, but does not finish it. */
static void write_memory(struct fixture *f)
{
	create(f);
	assert_null(core_error(f->core));
	for (size_t i = 0; i < f->memory.count; i++) {
		const struct range *range = &f->memory.items[i];

		assert_in_range(range->start + range->size, 0, GUEST);
		assert_int_equal(put_memory(f->core, range->start, f->guest + range->start,
					 (size_t)range->size),
			0);
	}
}

static void write_core(struct fixture *f)
{
	write_memory(f);
	assert_int_equal(core_finish(f->core, NULL), 0);
}

/* ---- reading what was written ---------------------------------------------------------------- */

static const uint8_t *at(const struct fixture *f, uint64_t offset, size_t size)
{
	assert_in_range(offset + size, 0, f->sink.size);
	return f->sink.bytes + offset;
}

static uint32_t at_32(const struct fixture *f, uint64_t offset)
{
	return get_u32(at(f, offset, 4), f->plan.arch->order);
}

static uint64_t at_64(const struct fixture *f, uint64_t offset)
{
	return get_u64(at(f, offset, 8), f->plan.arch->order);
}

/* A long of the CPU. */
static uint64_t at_word(const struct fixture *f, const struct kdump_offsets *form, uint64_t offset)
{
	return form->word == 8 ? at_64(f, offset) : at_32(f, offset);
}

static void is_zero_between(const struct fixture *f, uint64_t from, uint64_t to)
{
	const uint8_t *bytes = at(f, from, (size_t)(to - from));

	for (size_t i = 0; i < to - from; i++)
		assert_int_equal(bytes[i], 0);
}

/* The nth of the descriptors that begin at `descriptors`. */
struct descriptor {
	uint64_t offset;
	uint32_t size, flags;
};

static struct descriptor descriptor_at(const struct fixture *f, uint64_t descriptors, size_t nth)
{
	uint64_t offset = descriptors + nth * DESCRIPTOR;

	assert_int_equal(at_64(f, offset + 16), 0); /* page_flags */
	return (struct descriptor){
		.offset = at_64(f, offset),
		.size = at_32(f, offset + 8),
		.flags = at_32(f, offset + 12),
	};
}

static void is_plain(const struct fixture *f, struct descriptor descriptor, uint64_t offset,
	const uint8_t *page, size_t size)
{
	assert_int_equal(descriptor.offset, offset);
	assert_int_equal(descriptor.size, size);
	assert_int_equal(descriptor.flags, 0);
	assert_memory_equal(at(f, offset, size), page, size);
}

static void is_compressed(const struct fixture *f, struct descriptor descriptor, uint64_t offset,
	const uint8_t *page, size_t size)
{
	assert_int_equal(descriptor.offset, offset);
	assert_in_range(descriptor.size, 1, size - 1);
	assert_int_equal(descriptor.flags, f->flag);
	assert_true(decompresses_to(
		f->format->codec, at(f, offset, descriptor.size), descriptor.size, page, size));
}

/* ---- small cores ----------------------------------------------------------------------------- */

/*
 * Page frame 1 becomes smaller, 2 is zero, 9 does not become smaller:
 *
 *	0x0000 header
 *	0x1000 sub-header, notes
 *	0x2000 bitmap, 10 bits of it
 *	0x3000 bitmap
 *	0x4000 3 descriptors
 *	0x4048 page of zeros
 *	0x5048 page frames 1 and 9
 */
static void prepare_small(struct fixture *f)
{
	clear_memory(f);
	add(f, 1 * PAGE, 2 * PAGE);
	add(f, 9 * PAGE, PAGE);
	memset(f->guest, 0, GUEST);
	make_text(f->guest + 1 * PAGE, PAGE, 1);
	make_noise(f->guest + 9 * PAGE, PAGE);
}

static void check_small_pages(struct fixture *f)
{
	static const uint8_t bits[] = { 0x06, 0x02 };
	struct descriptor text, zeros, noise;

	assert_memory_equal(at(f, 0x2000, 2), bits, 2);
	is_zero_between(f, 0x2002, 0x3000);
	assert_memory_equal(at(f, 0x3000, 2), bits, 2);
	is_zero_between(f, 0x3002, 0x4000);
	text = descriptor_at(f, 0x4000, 0);
	zeros = descriptor_at(f, 0x4000, 1);
	noise = descriptor_at(f, 0x4000, 2);
	is_compressed(f, text, 0x5048, f->guest + 1 * PAGE, PAGE);
	is_plain(f, zeros, 0x4048, f->guest + 2 * PAGE, PAGE);
	is_plain(f, noise, 0x5048 + text.size, f->guest + 9 * PAGE, PAGE);
	assert_int_equal(f->sink.size, 0x5048 + text.size + PAGE);
}

/* All of the first block, so that what has no value is known to be zero. */
static void check_header(struct fixture *f, const struct kdump_offsets *form)
{
	enum byte_order order = form->arch->order;
	uint8_t expected[BLOCK] = "KDUMP   ";

	put_u32(expected + 8, 6, order);
	strcpy((char *)expected + 0xc + 0 * 65, "Linux");
	strcpy((char *)expected + 0xc + 1 * 65, "node");
	strcpy((char *)expected + 0xc + 2 * 65, "6.1.0-toy");
	strcpy((char *)expected + 0xc + 3 * 65, "#1 SMP");
	strcpy((char *)expected + 0xc + 4 * 65, "toy64");
	strcpy((char *)expected + 0xc + 5 * 65, "(none)");
	put_u32(expected + form->status, f->flag, order);
	put_u32(expected + form->block_size, 4096, order);
	put_u32(expected + form->sub_hdr_size, 1, order);
	put_u32(expected + form->bitmap_blocks, 2, order);
	put_u32(expected + form->max_mapnr, 10, order);
	put_u32(expected + form->nr_cpus, 3, order);
	assert_memory_equal(at(f, 0, BLOCK), expected, BLOCK);
}

/* All of the second block: a note of 24 bytes, and one whose text is 24 bytes into it. */
static void check_sub_header(struct fixture *f, const struct kdump_offsets *form)
{
	enum byte_order order = form->arch->order;
	uint64_t notes = 0x1000 + form->sub_header_size;
	uint8_t expected[BLOCK] = { 0 };

	if (form->word == 8) {
		put_u64(expected, 0x1234000, order);
		put_u64(expected + form->size_vmcoreinfo, 14, order);
		put_u64(expected + form->size_note, 64, order);
	} else {
		put_u32(expected, 0x1234000, order);
		put_u32(expected + form->size_vmcoreinfo, 14, order);
		put_u32(expected + form->size_note, 64, order);
	}
	put_u64(expected + form->offset_vmcoreinfo, notes + 24 + 24, order);
	put_u64(expected + form->offset_note, notes, order);
	put_u64(expected + form->max_mapnr_64, 10, order);

	put_u32(expected + form->sub_header_size, 5, order);
	put_u32(expected + form->sub_header_size + 4, 4, order);
	put_u32(expected + form->sub_header_size + 8, 1, order);
	memcpy(expected + form->sub_header_size + 12, "CORE\0\0\0\0\x11\x22\x33\x44", 12);
	put_u32(expected + form->sub_header_size + 24, 11, order);
	put_u32(expected + form->sub_header_size + 28, 14, order);
	memcpy(expected + form->sub_header_size + 36, "VMCOREINFO\0\0OSRELEASE=6.1\n\0\0", 28);
	assert_memory_equal(at(f, 0x1000, BLOCK), expected, BLOCK);
}

static void test_every_form(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < KDUMP_FORMS; i++) {
		for (size_t j = 0; j < FORMATS; j++) {
			use_format(f, j);
			if (!core_format_is_built(f->format))
				continue;
			use(f, kdump_forms[i].arch);
			notes_append(&f->notes, "VMCOREINFO", 0, "OSRELEASE=6.1\n", 14);
			prepare_small(f);
			write_core(f);
			check_header(f, &kdump_forms[i]);
			check_sub_header(f, &kdump_forms[i]);
			check_small_pages(f);
			assert_int_equal(core_zero_bytes(f->core), PAGE);
		}
	}
}

/*
 * Page frames 1 to 5 and 9, of which 2, 4 and 9 are left out; 3 is zero. Frames that are kept have
 * descriptors, and both bitmaps reach as far as memory does.
 */
static void test_pages_left_out(void **state)
{
	static const uint8_t ram[] = { 0x3e, 0x02 }, held[] = { 0x2a, 0x00 };
	struct fixture *f = *state;
	struct descriptor descriptor;
	struct page_set kept;

	NEEDS_A_CODEC(f);
	add(f, 1 * PAGE, 5 * PAGE);
	add(f, 9 * PAGE, PAGE);
	make_text(f->guest + 1 * PAGE, PAGE, 1);
	make_noise(f->guest + 5 * PAGE, PAGE);
	assert_int_equal(page_set_init(&kept, &f->memory, 12), 0);
	page_set_remove(&kept, 2, 1);
	page_set_remove(&kept, 4, 1);
	page_set_remove(&kept, 9, 1);
	f->plan.kept = &kept;
	f->plan.dump_level = 31;
	create(f);
	assert_int_equal(put_memory(f->core, 1 * PAGE, f->guest + 1 * PAGE, PAGE), 0);
	assert_int_equal(put_memory(f->core, 3 * PAGE, f->guest + 3 * PAGE, PAGE), 0);
	assert_int_equal(put_memory(f->core, 5 * PAGE, f->guest + 5 * PAGE, PAGE), 0);
	assert_int_equal(core_finish(f->core, NULL), 0);

	assert_int_equal(at_32(f, 0x1008), 31); /* dump_level */
	assert_int_equal(at_32(f, 0x1b8), 10);  /* max_mapnr */
	assert_int_equal(at_64(f, 0x1060), 10); /* max_mapnr_64 */
	assert_memory_equal(at(f, 0x2000, 2), ram, 2);
	is_zero_between(f, 0x2002, 0x3000);
	assert_memory_equal(at(f, 0x3000, 2), held, 2);
	is_zero_between(f, 0x3002, 0x4000);
	descriptor = descriptor_at(f, 0x4000, 0);
	is_compressed(f, descriptor, 0x5048, f->guest + 1 * PAGE, PAGE);
	is_plain(f, descriptor_at(f, 0x4000, 1), 0x4048, f->guest + 3 * PAGE, PAGE);
	is_plain(f, descriptor_at(f, 0x4000, 2), 0x5048 + descriptor.size, f->guest + 5 * PAGE,
		PAGE);
	page_set_deinit(&kept);
}

/* The set is the caller's, and may be made wrongly. */
static void test_sets_that_do_not_fit(void **state)
{
	struct fixture *f = *state;
	struct ranges more;
	struct page_set kept;

	NEEDS_A_CODEC(f);
	ranges_init(&more);
	add(f, 0, PAGE);
	assert_int_equal(page_set_init(&kept, &f->memory, 16), 0);
	f->plan.kept = &kept;
	create(f);
	fails_with(f, "other pages were kept than the core has");
	page_set_deinit(&kept);
	assert_int_equal(ranges_add(&more, 0, 2 * PAGE), 0);
	assert_int_equal(page_set_init(&kept, &more, 12), 0);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->guest, PAGE), 0);
	assert_int_equal(core_finish(f->core, NULL), -1);
	fails_with(f, "pages were kept that have no memory");
	page_set_deinit(&kept);
	ranges_deinit(&more);
}

/* Ranges that begin and end within a page that is kept, or that is not. */
static void test_kept_pages_in_parts(void **state)
{
	struct fixture *f = *state;
	struct page_set kept;
	uint8_t page[PAGE] = { 0 };

	NEEDS_A_CODEC(f);
	add(f, 0x0800, 0x1000);
	add(f, 0x1c00, 0x1000);
	make_noise(f->guest, 3 * PAGE);
	assert_int_equal(page_set_init(&kept, &f->memory, 12), 0);
	page_set_remove(&kept, 0, 1);
	page_set_remove(&kept, 2, 1);
	f->plan.kept = &kept;
	create(f);
	assert_int_equal(put_memory(f->core, 0x1000, f->guest + 0x1000, 0x800), 0);
	assert_int_equal(put_memory(f->core, 0x1c00, f->guest + 0x1c00, 0x400), 0);
	assert_int_equal(core_finish(f->core, NULL), 0);
	assert_int_equal(*at(f, 0x2000, 1), 0x07);
	assert_int_equal(*at(f, 0x3000, 1), 0x02);
	memcpy(page, f->guest + 0x1000, 0x800);
	memcpy(page + 0xc00, f->guest + 0x1c00, 0x400);
	assert_true(at_32(f, 0x4008) <= PAGE);
	if (at_32(f, 0x400c))
		is_compressed(f, descriptor_at(f, 0x4000, 0), 0x5018, page, PAGE);
	else
		is_plain(f, descriptor_at(f, 0x4000, 0), 0x5018, page, PAGE);
	page_set_deinit(&kept);
}

/* The places where VMCOREINFO's text is, once more as numbers. */
static void test_places_of_vmcoreinfo(void **state)
{
	static const struct {
		unsigned form, field;
		uint64_t offset;
	} rows[] = {
		{ 0, 0x1020, 0x1098 },
		{ 2, 0x1014, 0x1080 },
		{ 3, 0x1018, 0x1090 },
	};
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	for (size_t i = 0; i < 3; i++) {
		use(f, kdump_forms[rows[i].form].arch);
		notes_append(&f->notes, "VMCOREINFO", 0, "OSRELEASE=6.1\n", 14);
		prepare_small(f);
		write_core(f);
		assert_int_equal(at_64(f, rows[i].field), rows[i].offset);
		assert_memory_equal(at(f, rows[i].offset, 14), "OSRELEASE=6.1\n", 14);
	}
}

static void test_no_vmcoreinfo(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	for (size_t i = 0; i < KDUMP_FORMS; i++) {
		const struct kdump_offsets *form = &kdump_forms[i];

		use(f, form->arch);
		prepare_small(f);
		write_core(f);
		assert_int_equal(at_64(f, 0x1000 + form->offset_vmcoreinfo), 0);
		assert_int_equal(at_word(f, form, 0x1000 + form->size_vmcoreinfo), 0);
		assert_int_equal(at_word(f, form, 0x1000 + form->size_note), 24);
		/* One that has another name is none. */
		notes_append(&f->notes, "VMCOREINFO_XEN", 0, "OSRELEASE=6.1\n", 14);
		write_core(f);
		assert_int_equal(at_64(f, 0x1000 + form->offset_vmcoreinfo), 0);
		assert_int_equal(at_word(f, form, 0x1000 + form->size_note), 24 + 44);
	}
}

static void test_no_notes(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	notes_deinit(&f->notes);
	prepare_small(f);
	write_core(f);
	assert_int_equal(at_64(f, 0x1030), 0x1068);
	assert_int_equal(at_64(f, 0x1038), 0);
	is_zero_between(f, 0x1068, 0x2000);
	check_small_pages(f);
}

/* As the kernel has it, from below the start of memory to above 4 GiB. */
static void test_phys_base(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	prepare_small(f);
	f->plan.phys_base = -0x2c200000;
	write_core(f);
	assert_int_equal(at_64(f, 0x1000), UINT64_C(0xffffffffd3e00000));
	f->plan.phys_base = INT64_C(0x123456000);
	write_core(f);
	assert_int_equal(at_64(f, 0x1000), UINT64_C(0x123456000));
	f->plan.phys_base = -0x2c200000;
	use(f, &toy32_padded);
	write_core(f);
	assert_int_equal(at_32(f, 0x1000), 0xd3e00000);
	assert_int_equal(at_32(f, 0x1004), 0);
	use(f, &toy32_big);
	write_core(f);
	assert_memory_equal(at(f, 0x1000, 8), "\xd3\xe0\0\0\0\0\0\0", 8);
}

/* Every string as long as it can be. */
static void test_long_utsname(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	for (size_t i = 0; i < UTSNAME_STRINGS; i++) {
		memset(f->utsname[i], (int)('a' + i), UTSNAME_STRING_SIZE - 1);
		f->utsname[i][UTSNAME_STRING_SIZE - 1] = '\0';
	}
	prepare_small(f);
	write_core(f);
	for (size_t i = 0; i < UTSNAME; i++)
		assert_int_equal(
			*at(f, 0xc + i, 1), i % 65 == 64 ? '\0' : (char)('a' + (int)i / 65));
	assert_int_equal(at_32(f, 0x1a8), f->flag);
}

/* ---- sizes ----------------------------------------------------------------------------------- */

/* 104 bytes and the notes, and room behind them, in whole blocks. */
static void check_sub_blocks(
	struct fixture *f, size_t note, size_t room, uint32_t blocks, uint64_t bitmaps)
{
	uint8_t *desc = calloc(1, note);

	use(f, &toy64);
	memset(desc, 0x77, note);
	notes_append(&f->notes, "QEMU", 0, desc, note); /* 20 bytes more */
	free(desc);
	f->plan.late_note_room = room;
	prepare_small(f);
	write_core(f);
	assert_int_equal(at_32(f, 0x1b0), blocks);
	assert_int_equal(at_64(f, 0x1038), 24 + 20 + note);
	assert_memory_equal(at(f, bitmaps, 2), "\6\2", 2);
	assert_memory_equal(at(f, bitmaps + 0x1000, 2), "\6\2", 2);
	assert_int_equal(at_64(f, bitmaps + 0x2000), bitmaps + 0x2000 + 72 + 0x1000);
	is_zero_between(f, 0x1068 + 44 + note, bitmaps);
}

static void test_sub_header_grows(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	check_sub_blocks(f, 4096 - 104 - 44, 0, 1, 0x2000);
	check_sub_blocks(f, 4096 - 104 - 44 + 4, 0, 2, 0x3000);
	check_sub_blocks(f, 4, 4096 - 104 - 48, 1, 0x2000);
	check_sub_blocks(f, 4, 4096 - 104 - 48 + 1, 2, 0x3000);
	check_sub_blocks(f, 8192, 8192, 5, 0x6000);
}

/* A bitmap has a bit for each page frame below the end of memory, and whole blocks. */
static void test_bitmaps_grow(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	/* The last page frame of the first block's bits. */
	add(f, 0, PAGE);
	add(f, UINT64_C(32767) * PAGE, PAGE);
	create(f);
	assert_null(core_error(f->core));
	assert_int_equal(put_memory(f->core, 0, f->guest, PAGE), 0);
	assert_int_equal(put_memory(f->core, UINT64_C(32767) * PAGE, f->guest, PAGE), 0);
	assert_int_equal(core_finish(f->core, NULL), 0);
	assert_int_equal(at_32(f, 0x1b4), 2);
	assert_int_equal(at_32(f, 0x1b8), 32768);
	assert_int_equal(*at(f, 0x2000, 1), 0x01);
	is_zero_between(f, 0x2001, 0x2fff);
	assert_int_equal(*at(f, 0x2fff, 1), 0x80);
	assert_int_equal(*at(f, 0x3fff, 1), 0x80);
	assert_int_equal(at_64(f, 0x4000), 0x4000 + 48);

	/* And one more. */
	clear_memory(f);
	add(f, UINT64_C(32766) * PAGE, 3 * PAGE);
	create(f);
	assert_int_equal(put_memory(f->core, UINT64_C(32766) * PAGE, f->guest, 3 * PAGE), 0);
	assert_int_equal(core_finish(f->core, NULL), 0);
	assert_int_equal(at_32(f, 0x1b4), 4);
	assert_int_equal(at_32(f, 0x1b8), 32769);
	is_zero_between(f, 0x2000, 0x2fff);
	assert_memory_equal(at(f, 0x2fff, 2), "\xc0\x01", 2);
	is_zero_between(f, 0x3001, 0x4fff);
	assert_memory_equal(at(f, 0x4fff, 2), "\xc0\x01", 2);
	is_zero_between(f, 0x5001, 0x6000);
	assert_int_equal(at_64(f, 0x6000), 0x6000 + 72);
}

/* A bitmap of more than is written at once, 64 KiB: over 2 GiB of memory. */
static void test_large_bitmaps(void **state)
{
	const uint64_t high = UINT64_C(8) * 65536 + 10; /* page frame */
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	add(f, 0, PAGE);
	add(f, high * PAGE, 2 * PAGE);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->guest, PAGE), 0);
	assert_int_equal(put_memory(f->core, high * PAGE, f->guest, 2 * PAGE), 0);
	assert_int_equal(core_finish(f->core, NULL), 0);
	assert_int_equal(at_32(f, 0x1b4), 34); /* 16 blocks and one more, twice */
	assert_int_equal(at_64(f, 0x1060), high + 2);
	for (uint64_t bitmap = 0x2000; bitmap <= 0x13000; bitmap += 0x11000) {
		assert_int_equal(*at(f, bitmap, 1), 1);
		is_zero_between(f, bitmap + 1, bitmap + 0x10001);
		assert_int_equal(*at(f, bitmap + 0x10001, 1), 0x0c); /* bits 10 and 11 */
		is_zero_between(f, bitmap + 0x10002, bitmap + 0x11000);
	}
	assert_int_equal(at_64(f, 0x24000), 0x24000 + 72);
}

/* Pages of 64 KiB, which are the blocks then: the CPU's smallest do not matter. */
static void test_large_pages(void **state)
{
	enum { LARGE = 65536 };
	struct fixture *f = *state;
	struct descriptor text, zeros, noise;

	NEEDS_A_CODEC(f);
	f->plan.page_shift = 16;
	add(f, 0, 3 * LARGE);
	make_text(f->guest, LARGE, 1);
	make_noise(f->guest + 2 * LARGE, LARGE);
	write_core(f);
	assert_int_equal(at_32(f, 0x1ac), 65536);
	assert_int_equal(at_32(f, 0x1b0), 1);
	assert_int_equal(at_32(f, 0x1b4), 2);
	assert_int_equal(at_32(f, 0x1b8), 3);
	is_zero_between(f, 464, 0x10000);
	assert_int_equal(at_64(f, 0x10000), 0x1234000);
	assert_int_equal(at_64(f, 0x10030), 0x10068);
	assert_int_equal(*at(f, 0x20000, 1), 7);
	assert_int_equal(*at(f, 0x30000, 1), 7);
	text = descriptor_at(f, 0x40000, 0);
	zeros = descriptor_at(f, 0x40000, 1);
	noise = descriptor_at(f, 0x40000, 2);
	is_compressed(f, text, 0x50048, f->guest, LARGE);
	is_plain(f, zeros, 0x40048, f->guest + LARGE, LARGE);
	is_plain(f, noise, 0x50048 + text.size, f->guest + 2 * LARGE, LARGE);
	assert_int_equal(f->sink.size, 0x50048 + text.size + LARGE);
	assert_int_equal(core_zero_bytes(f->core), LARGE);
}

static void test_bad_page_sizes(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	prepare_small(f);
	f->plan.page_shift = 11;
	create(f);
	fails_with(f, "no core has pages of 2^11 bytes");
	f->plan.page_shift = 17;
	create(f);
	fails_with(f, "no core has pages of 2^17 bytes");
	f->plan.page_shift = 0;
	create(f);
	fails_with(f, "no core has pages of 2^0 bytes");
	f->plan.page_shift = 64;
	create(f);
	fails_with(f, "no core has pages of 2^64 bytes");
	assert_int_equal(f->sink.calls, 0);
	assert_int_equal(core_finish(f->core, NULL), -1);
}

/* ---- sparse memory at high addresses --------------------------------------------------------- */

/* A sink that keeps what it is given and the places, but no zeros. */
struct sparse_sink {
	struct sink sink;
	uint64_t size;
	struct {
		uint64_t offset;
		size_t size;
		uint8_t *bytes;
	} extents[64];
	size_t count;
};

static void sparse_keep(struct sparse_sink *sparse, uint64_t offset, const void *bytes, size_t size)
{
	assert_in_range(sparse->count, 0, 63);
	sparse->extents[sparse->count].offset = offset;
	sparse->extents[sparse->count].size = size;
	sparse->extents[sparse->count].bytes = malloc(size);
	memcpy(sparse->extents[sparse->count++].bytes, bytes, size);
}

static int sparse_write(struct sink *sink, const void *bytes, size_t size)
{
	struct sparse_sink *sparse = (struct sparse_sink *)sink;

	sparse_keep(sparse, sparse->size, bytes, size);
	sparse->size += size;
	return 0;
}

static int sparse_zero(struct sink *sink, uint64_t size)
{
	((struct sparse_sink *)sink)->size += size;
	return 0;
}

static int sparse_write_at(struct sink *sink, uint64_t offset, const void *bytes, size_t size)
{
	struct sparse_sink *sparse = (struct sparse_sink *)sink;

	assert_in_range(offset + size, 0, sparse->size);
	sparse_keep(sparse, offset, bytes, size);
	return 0;
}

static const char *sparse_error(struct sink *sink)
{
	(void)sink;
	return "it never fails";
}

static uint8_t sparse_byte(const struct sparse_sink *sparse, uint64_t offset)
{
	for (size_t i = sparse->count; i-- > 0;)
		if (offset >= sparse->extents[i].offset &&
			offset - sparse->extents[i].offset < sparse->extents[i].size)
			return sparse->extents[i].bytes[offset - sparse->extents[i].offset];
	return 0;
}

static uint64_t sparse_number(const struct sparse_sink *sparse, uint64_t offset, unsigned size)
{
	uint64_t number = 0;

	while (size--)
		number = number << 8 | sparse_byte(sparse, offset + size);
	return number;
}

/* More page frames than 32 bits count: bitmaps of 512 MiB and 2 blocks, mostly holes. */
static void test_more_than_32_bits_of_page_frames(void **state)
{
	const uint64_t high = UINT64_C(0x100008003), bitmap_size = 0x20002000;
	const uint64_t second = 0x2000 + bitmap_size, descriptors = second + bitmap_size;
	struct sparse_sink sparse = {
		.sink = { sparse_write, sparse_zero, sparse_write_at, sparse_error },
	};
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	add(f, PAGE, PAGE);
	add(f, high * PAGE, PAGE);
	make_noise(f->guest, PAGE);
	f->core = core_create(f->format, &f->plan, &sparse.sink);
	assert_int_equal(put_memory(f->core, PAGE, f->guest + PAGE, PAGE), 0);
	assert_int_equal(put_memory(f->core, high * PAGE, f->guest, PAGE), 0);
	assert_int_equal(core_finish(f->core, NULL), 0);

	assert_int_equal(sparse_number(&sparse, 0x1b8, 4), 0xffffffff);
	assert_int_equal(sparse_number(&sparse, 0x1060, 8), high + 1);
	assert_int_equal(sparse_number(&sparse, 0x1b4, 4), 2 * 0x20002);
	assert_int_equal(sparse_byte(&sparse, 0x2000), 2);
	assert_int_equal(sparse_byte(&sparse, 0x2000 + high / 8), 8);
	assert_int_equal(sparse_byte(&sparse, second), 2);
	assert_int_equal(sparse_byte(&sparse, second + high / 8), 8);
	assert_int_equal(sparse_number(&sparse, descriptors, 8), descriptors + 48);
	assert_int_equal(sparse_number(&sparse, descriptors + 24, 8), descriptors + 48 + PAGE);
	assert_int_equal(sparse.size, descriptors + 48 + 2 * PAGE);
	for (size_t i = 0; i < sparse.count; i++)
		free(sparse.extents[i].bytes);
}

/* 48 bits of address, with pages of 4 KiB, and not one page more. */
static void check_last_page(struct fixture *f, uint64_t end, const char *too_much)
{
	uint64_t page = UINT64_C(1) << f->plan.page_shift;

	/* That it begins to write is told by the sink, before the bitmaps, which would be huge. */
	clear_memory(f);
	add(f, end - page, page);
	memory_sink_deinit(&f->sink);
	memory_sink_init(&f->sink, true);
	core_destroy(f->core);
	f->sink.fail_at = 1;
	f->core = core_create(f->format, &f->plan, &f->sink.sink);
	fails_with(f, MEMORY_SINK_ERROR);
	clear_memory(f);
	add(f, 0, page);
	add(f, end, 1);
	create(f);
	fails_with(f, too_much);
	assert_int_equal(f->sink.calls, 0);
	assert_int_equal(put_memory(f->core, 0, f->guest, PAGE), -1);
	assert_int_equal(core_finish(f->core, NULL), -1);
}

static void test_memory_at_too_high_addresses(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	check_last_page(f, UINT64_C(1) << 48,
		"memory up to 0x1000000000001 is more than kdump's readers can take");
	f->plan.page_shift = 16;
	check_last_page(f, UINT64_C(1) << 52,
		"memory up to 0x10000000000001 is more than kdump's readers can take");
}

/* ---- page frames that are counted from the start of RAM ------------------------------------- */

/* As 32-bit Arm: 0x40000 and 0x40002 become 0 and 2, and the bitmaps are not those of 1 GiB. */
static const struct arch toy32_offset = {
	.name = "toy32_offset",
	.elf_class = ELFCLASS32,
	.order = LITTLE,
	.page_shift = 12,
	.align64 = 8,
	.frames_from_ram_start = true,
};

enum { OFFSET_RAM = 0x40000000 };

static void prepare_offset(struct fixture *f)
{
	use(f, &toy32_offset);
	clear_memory(f);
	add(f, OFFSET_RAM, PAGE);
	add(f, OFFSET_RAM + 2 * PAGE, PAGE);
	make_text(f->guest, PAGE, 1);
	make_noise(f->guest + 2 * PAGE, PAGE);
	f->plan.phys_base = OFFSET_RAM;
}

static void test_frames_from_ram_start(void **state)
{
	static const uint8_t bits[] = { 0x05 };
	struct fixture *f = *state;
	struct descriptor descriptor;

	NEEDS_A_CODEC(f);
	prepare_offset(f);
	create(f);
	assert_int_equal(put_memory(f->core, OFFSET_RAM, f->guest, PAGE), 0);
	assert_int_equal(put_memory(f->core, OFFSET_RAM + 2 * PAGE, f->guest + 2 * PAGE, PAGE), 0);
	assert_int_equal(core_finish(f->core, NULL), 0);

	assert_int_equal(at_32(f, 0x1a8), 2); /* bitmap_blocks */
	assert_int_equal(at_32(f, 0x1ac), 3); /* max_mapnr */
	assert_int_equal(at_32(f, 0x1000), OFFSET_RAM);
	assert_int_equal(at_64(f, 0x1058), 3); /* max_mapnr_64 */
	assert_memory_equal(at(f, 0x2000, 1), bits, 1);
	is_zero_between(f, 0x2001, 0x3000);
	assert_memory_equal(at(f, 0x3000, 1), bits, 1);
	is_zero_between(f, 0x3001, 0x4000);
	descriptor = descriptor_at(f, 0x4000, 0);
	is_compressed(f, descriptor, 0x5030, f->guest, PAGE);
	is_plain(f, descriptor_at(f, 0x4000, 1), 0x5030 + descriptor.size, f->guest + 2 * PAGE,
		PAGE);
}

/* Memory that begins behind the start of RAM, and a page that is left out. */
static void test_kept_frames_from_ram_start(void **state)
{
	static const uint8_t ram[] = { 0x04, 0x01 }, held[] = { 0x00, 0x01 };
	struct fixture *f = *state;
	struct page_set kept;

	NEEDS_A_CODEC(f);
	prepare_offset(f);
	clear_memory(f);
	add(f, OFFSET_RAM + 2 * PAGE, PAGE);
	add(f, OFFSET_RAM + 8 * PAGE, PAGE);
	assert_int_equal(page_set_init(&kept, &f->memory, 12), 0);
	page_set_remove(&kept, OFFSET_RAM / PAGE + 2, 1);
	f->plan.kept = &kept;
	create(f);
	assert_int_equal(put_memory(f->core, OFFSET_RAM + 8 * PAGE, f->guest, PAGE), 0);
	assert_int_equal(core_finish(f->core, NULL), 0);
	assert_int_equal(at_32(f, 0x1ac), 9); /* max_mapnr */
	assert_memory_equal(at(f, 0x2000, 2), ram, 2);
	assert_memory_equal(at(f, 0x3000, 2), held, 2);

	f->plan.phys_base = OFFSET_RAM + 2 * PAGE;
	create(f);
	fails_with(f, "page frames are counted from an odd one");
	page_set_deinit(&kept);
}

static void test_memory_in_front_of_ram(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	prepare_offset(f);
	add(f, OFFSET_RAM - PAGE, PAGE);
	create(f);
	fails_with(f, "memory at 0x3ffff000 is in front of the kernel's, where kdump's readers "
		      "count page frames from: 0x40000000");
	assert_int_equal(f->sink.calls, 0);
	/* Of a 64-bit address, 36 bits count as page frames. */
	clear_memory(f);
	add(f, OFFSET_RAM + (UINT64_C(1) << 48), 1);
	create(f);
	fails_with(f, "memory up to 0x1000040000001 is more than kdump's readers can take");
}

/* ---- parts of pages -------------------------------------------------------------------------- */

/* What is not in the core is zero there. */
static void test_ranges_within_pages(void **state)
{
	struct fixture *f = *state;
	uint8_t expected[5 * PAGE] = { 0 };

	NEEDS_A_CODEC(f);
	/* Page frames 0 to 3, of which the first is half there, and the last a byte. */
	add(f, 0x800, 0x3001 - 0x800);
	for (uint8_t i = 0; i < 5; i++)
		make_text(f->guest + i * PAGE, PAGE, i);
	memcpy(expected + 0x800, f->guest + 0x800, 0x3001 - 0x800);
	write_core(f);
	assert_int_equal(at_32(f, 0x1b8), 4);
	assert_memory_equal(at(f, 0x2000, 2), "\x0f\0", 2);
	for (size_t i = 0; i < 4; i++) {
		struct descriptor page = descriptor_at(f, 0x4000, i);
		uint64_t offset = 0x4000 + 4 * 24 + PAGE;

		for (size_t j = 0; j < i; j++)
			offset += descriptor_at(f, 0x4000, j).size;
		is_compressed(f, page, offset, expected + i * PAGE, PAGE);
	}
}

/* Ranges that share a page have it once, with zeros between them. */
static void test_ranges_that_share_a_page(void **state)
{
	struct fixture *f = *state;
	uint8_t expected[4 * PAGE] = { 0 };
	uint64_t offset = 0x4000 + 3 * 24 + PAGE;

	NEEDS_A_CODEC(f);
	/* Page frame 1 has the ends of two ranges and all of one, 2 the start of the third. */
	add(f, 0x0f00, 0x500);
	add(f, 0x1500, 0x100);
	add(f, 0x1e00, 0x300);
	for (uint8_t i = 0; i < 4; i++)
		make_noise(f->guest + i * PAGE, PAGE);
	memcpy(expected + 0x0f00, f->guest + 0x0f00, 0x500);
	memcpy(expected + 0x1500, f->guest + 0x1500, 0x100);
	memcpy(expected + 0x1e00, f->guest + 0x1e00, 0x300);
	write_core(f);
	assert_int_equal(at_32(f, 0x1b8), 3);
	assert_memory_equal(at(f, 0x2000, 2), "\7\0", 2);
	assert_memory_equal(at(f, 0x3000, 2), "\7\0", 2);
	for (size_t i = 0; i < 3; i++) {
		struct descriptor page = descriptor_at(f, 0x4000, i);

		is_compressed(f, page, offset, expected + i * PAGE, PAGE);
		offset += page.size;
	}
	assert_int_equal(f->sink.size, offset);
	assert_int_equal(core_zero_bytes(f->core), 0);
}

/* Parts that are all zero, or that are a page that does not become smaller. */
static void test_parts_of_zeros_and_noise(void **state)
{
	struct fixture *f = *state;
	uint64_t end = 0x4000 + 4 * 24;

	NEEDS_A_CODEC(f);
	add(f, 0x0000, 0x400); /* zero */
	add(f, 0x0500, 0x100);
	add(f, 0x3000, 0x800); /* noise but a byte */
	add(f, 0x3801, 0x7ff);
	add(f, 0x5000, 0x400); /* zero behind noise */
	add(f, 0x6000, 0xfff);
	make_noise(f->guest + 0x3000, PAGE);
	make_noise(f->guest + 0x6000, PAGE);
	write_core(f);
	f->guest[0x3800] = 0;
	f->guest[0x6fff] = 0;
	assert_memory_equal(at(f, 0x2000, 2), "\x69\0", 2);
	is_plain(f, descriptor_at(f, 0x4000, 0), end, f->guest, PAGE);
	is_plain(f, descriptor_at(f, 0x4000, 1), end + PAGE, f->guest + 0x3000, PAGE);
	is_plain(f, descriptor_at(f, 0x4000, 2), end, f->guest, PAGE);
	is_plain(f, descriptor_at(f, 0x4000, 3), end + 2 * PAGE, f->guest + 0x6000, PAGE);
	assert_int_equal(f->sink.size, end + 3 * PAGE);
	assert_int_equal(core_zero_bytes(f->core), 0x900);
}

/* However the memory is cut into pieces, the core is the same. */
static void test_pieces_of_any_size(void **state)
{
	static const size_t steps[] = { 1 << 16, 4096, 4095, 0x1800, 777, 100 };
	struct fixture *f = *state;
	struct memory_sink whole;

	NEEDS_A_CODEC(f);
	add(f, 0x800, 0x5000);
	add(f, 0x5c00, 0x14400);
	for (uint8_t i = 0; i < 16; i++)
		make_text(f->guest + i * PAGE, PAGE, i);
	make_noise(f->guest + 3 * PAGE, PAGE);
	memset(f->guest + 7 * PAGE, 0, 2 * PAGE);
	write_core(f);
	whole = f->sink;
	memory_sink_init(&f->sink, true);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		create(f);
		for (size_t j = 0; j < f->memory.count; j++) {
			const struct range *range = &f->memory.items[j];

			for (uint64_t done = 0; done < range->size; done += steps[i]) {
				uint64_t paddr = range->start + done;
				uint64_t left = range->size - done;

				assert_int_equal(put_memory(f->core, paddr, f->guest + paddr,
							 left < steps[i] ? (size_t)left : steps[i]),
					0);
			}
		}
		assert_int_equal(core_finish(f->core, NULL), 0);
		assert_int_equal(f->sink.size, whole.size);
		assert_memory_equal(f->sink.bytes, whole.bytes, whole.size);
	}
	memory_sink_deinit(&whole);
}

/* ---- many pages ------------------------------------------------------------------------------ */

enum { MANY = 2 * 4096 + 100 };

/* Zero, noise or text by its number. */
static void make_nth(uint8_t *page, size_t nth)
{
	memset(page, 0, PAGE);
	if (nth % 3 == 1)
		make_text(page, PAGE, (uint8_t)(nth / 3));
	if (nth % 300 == 2)
		make_noise(page, PAGE);
	if (nth % 3)
		put_le32(page, (uint32_t)nth);
}

/* More descriptors than are written at once, up to the last of a batch and beyond it. */
static void check_many(struct fixture *f, size_t count)
{
	uint64_t descriptors = 0x4000, zeros = descriptors + count * 24, offset = zeros + PAGE;
	uint8_t *bytes = malloc(count * PAGE);

	clear_memory(f);
	add(f, 0, count * PAGE);
	for (size_t i = 0; i < count; i++)
		make_nth(bytes + i * PAGE, i);
	create(f);
	assert_int_equal(put_memory(f->core, 0, bytes, count * PAGE), 0);
	assert_int_equal(core_finish(f->core, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		struct descriptor descriptor = descriptor_at(f, descriptors, i);
		const uint8_t *page = bytes + i * PAGE;

		if (i % 3 == 0) {
			is_plain(f, descriptor, zeros, page, PAGE);
			continue;
		}
		if (i % 300 == 2)
			is_plain(f, descriptor, offset, page, PAGE);
		else
			is_compressed(f, descriptor, offset, page, PAGE);
		offset += descriptor.size;
	}
	free(bytes);
	assert_int_equal(f->sink.size, offset);
	assert_int_equal(core_zero_bytes(f->core), (count + 2) / 3 * PAGE);
	/* They are written in batches of 4096, with what is left over at the end. */
	assert_int_equal(f->sink.rewrites, (count + 4095) / 4096);
}

static void test_many_pages(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	check_many(f, 4095);
	check_many(f, 4096);
	check_many(f, 4097);
	check_many(f, MANY);
}

/* A core of nothing but zeros is headers, bitmaps, descriptors and one page. */
static void test_only_zeros(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	add(f, 0, GUEST);
	write_core(f);
	assert_int_equal(f->sink.size, 0x4000 + 64 * 24 + PAGE);
	for (size_t i = 0; i < 64; i++)
		is_plain(f, descriptor_at(f, 0x4000, i), 0x4000 + 64 * 24, f->guest, PAGE);
	assert_int_equal(core_zero_bytes(f->core), GUEST);
}

/* ---- at the end ------------------------------------------------------------------------------ */

/* It is found when the memory is there, and with it the strings of uname(2) and phys_base. */
static void check_late(struct fixture *f, const struct kdump_offsets *form)
{
	uint64_t notes = 0x1000 + form->sub_header_size;
	uint64_t text = notes + 24 + 24;

	use(f, form->arch);
	f->plan.late_note_room = 200;
	f->plan.phys_base = 0;
	memset(f->utsname, 0, sizeof(f->utsname));
	prepare_small(f);
	write_memory(f);
	/* The machine is known by the name of its CPU. */
	is_zero_between(f, 0xc, 0xc + 4 * 65);
	assert_string_equal((const char *)at(f, 0xc + 4 * 65, 65), form->arch->name);
	is_zero_between(f, 0xc + 5 * 65, 0xc + UTSNAME);
	assert_int_equal(at_64(f, 0x1000 + form->offset_vmcoreinfo), 0);
	assert_int_equal(at_word(f, form, 0x1000 + form->size_note), 24);

	strcpy(f->utsname[2], "6.1.0-late");
	f->plan.phys_base = 0x1000000;
	notes_append(&f->late, "VMCOREINFO", 0, "OSRELEASE=6.1.0-late\n", 21);
	assert_int_equal(core_finish(f->core, &f->late), 0);
	assert_string_equal((const char *)at(f, 0xc + 2 * 65, 65), "6.1.0-late");
	assert_int_equal(at_word(f, form, 0x1000), 0x1000000);
	assert_int_equal(at_64(f, 0x1000 + form->offset_vmcoreinfo), text);
	assert_int_equal(at_word(f, form, 0x1000 + form->size_vmcoreinfo), 21);
	assert_memory_equal(at(f, text, 22), "OSRELEASE=6.1.0-late\n", 22);
	assert_int_equal(at_64(f, 0x1000 + form->offset_note), notes);
	assert_int_equal(at_word(f, form, 0x1000 + form->size_note), 24 + 48);
	assert_int_equal(at_32(f, notes), 5);
	assert_int_equal(at_32(f, notes + 24), 11);
	assert_int_equal(at_32(f, notes + 28), 21);
	is_zero_between(f, text + 21, 0x2000);
	check_small_pages(f);
}

static void test_late_vmcoreinfo(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	for (size_t i = 0; i < KDUMP_FORMS; i++)
		check_late(f, &kdump_forms[i]);
}

/* The one that was known at first stays the one. */
static void test_late_notes_behind_vmcoreinfo(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	f->plan.late_note_room = 100;
	notes_append(&f->notes, "VMCOREINFO", 0, "OSRELEASE=6.1\n", 14);
	prepare_small(f);
	write_memory(f);
	notes_append(&f->late, "VMCOREINFO", 0, "OSRELEASE=6.2.0\n", 16);
	assert_int_equal(core_finish(f->core, &f->late), 0);
	assert_int_equal(at_64(f, 0x1020), 0x1098);
	assert_int_equal(at_64(f, 0x1028), 14);
	assert_int_equal(at_64(f, 0x1038), 64 + 40);
}

static void test_finished_without_late_notes(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	f->plan.late_note_room = 100;
	prepare_small(f);
	write_memory(f);
	assert_int_equal(core_finish(f->core, &f->late), 0);
	assert_int_equal(at_64(f, 0x1020), 0);
	assert_int_equal(at_64(f, 0x1038), 24);
	is_zero_between(f, 0x1068 + 24, 0x2000);
	check_small_pages(f);
}

/* ---- failures -------------------------------------------------------------------------------- */

static int run_story(struct fixture *f, unsigned fail_at)
{
	memory_sink_deinit(&f->sink);
	memory_sink_init(&f->sink, true);
	f->sink.fail_at = fail_at;
	core_destroy(f->core);
	f->core = core_create(f->format, &f->plan, &f->sink.sink);
	for (size_t i = 0; i < f->memory.count; i++) {
		const struct range *range = &f->memory.items[i];

		put_memory(f->core, range->start, f->guest + range->start, (size_t)range->size);
	}
	return core_finish(f->core, &f->late);
}

/* Whatever call of the sink fails, the core has failed with what the sink says: in every format. */
static void test_failing_sinks(void **state)
{
	struct fixture *f = *state;

	prepare_small(f);
	add(f, 0x5800, 0x900);
	make_noise(f->guest + 0x5800, 0x900);
	f->plan.late_note_room = 100;
	notes_append(&f->late, "VMCOREINFO", 0, "OSRELEASE=6.1\n", 14);
	for (size_t nth = 0; nth < FORMATS; nth++) {
		use_format(f, nth);
		if (!core_format_is_built(f->format))
			continue;
		assert_int_equal(run_story(f, 0), 0);
		/*
		 * Header, gap, sub-header, notes, gap; two bitmaps; gap; the page of text, two in
		 * parts and the one of noise; descriptors, and three for the late note.
		 */
		unsigned calls = 5 + 2 + 1 + 4 + 1 + 3;

		assert_int_equal(f->sink.calls, calls);
		for (unsigned i = 1; i <= calls; i++) {
			assert_int_equal(run_story(f, i), -1);
			fails_with(f, MEMORY_SINK_ERROR);
			assert_int_equal(f->sink.calls, i);
		}
	}
}

/* The same with the flattened form between, which gathers: some of it only fails at the end. */
static void test_failing_sinks_flattened(void **state)
{
	struct fixture *f = *state;
	unsigned failures = 0;
	int rc = -1;

	NEEDS_A_CODEC(f);
	prepare_small(f);
	for (unsigned nth = 1; rc; nth++) {
		struct flat *flat;

		memory_sink_deinit(&f->sink);
		memory_sink_init(&f->sink, false);
		f->sink.fail_at = nth;
		flat = flat_create(&f->sink.sink);
		assert_non_null(flat);
		f->core = core_create(f->format, &f->plan, flat_sink(flat));
		for (size_t i = 0; i < f->memory.count; i++)
			put_memory(f->core, f->memory.items[i].start,
				f->guest + f->memory.items[i].start,
				(size_t)f->memory.items[i].size);
		rc = core_finish(f->core, NULL) || flat_finish(flat) ? -1 : 0;
		if (rc) {
			failures++;
			assert_int_equal(f->sink.calls, nth);
			assert_string_equal(
				flat_sink(flat)->error(flat_sink(flat)), MEMORY_SINK_ERROR);
			if (core_error(f->core))
				fails_with(f, MEMORY_SINK_ERROR);
		}
		core_destroy(f->core);
		f->core = NULL;
		flat_destroy(flat);
	}
	assert_true(failures > 4);
}

/* One that fails while a batch of descriptors goes out in the middle of the memory. */
static void test_failing_batch(void **state)
{
	struct fixture *f = *state;
	uint8_t *bytes = calloc(4096, PAGE);

	NEEDS_A_CODEC(f);
	add(f, 0, UINT64_C(5000) * PAGE);
	create(f);
	f->sink.fail_at = f->sink.calls + 1;
	assert_int_equal(put_memory(f->core, 0, bytes, 4095 * PAGE), 0);
	assert_int_equal(put_memory(f->core, 4095 * PAGE, bytes, PAGE), -1);
	free(bytes);
	fails_with(f, MEMORY_SINK_ERROR);
	assert_int_equal(core_finish(f->core, NULL), -1);
}

static void test_output_that_cannot_be_rewritten(void **state)
{
	struct fixture *f = *state;
	char text[80] = "format ";

	NEEDS_A_CODEC(f);
	prepare_small(f);
	memory_sink_deinit(&f->sink);
	memory_sink_init(&f->sink, false);
	f->core = core_create(f->format, &f->plan, &f->sink.sink);
	strcat(strcat(text, f->format->name), " needs an output that can be rewritten");
	fails_with(f, text);
}

/* In a build with all of them, nothing is left to see here. */
static void test_codecs_that_are_not_built(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < FORMATS; i++) {
		char text[80] = "this rspdump was built without ";

		use_format(f, i);
		if (core_format_is_built(f->format))
			continue;
		prepare_small(f);
		create(f);
		fails_with(f, strcat(text, formats[i].name + strlen("kdump-")));
	}
}

/* In every format; what a library cannot pack for want of memory is kept as it is. */
static void test_no_memory(void **state)
{
	struct fixture *f = *state;

	prepare_small(f);
	for (size_t nth = 0; nth < FORMATS; nth++) {
		struct failing failing = { .what = FAILING_ALLOCATIONS };

		use_format(f, nth);
		if (!core_format_is_built(f->format))
			continue;
		while (failing_next(&failing)) {
			struct core *core = core_create(f->format, &f->plan, &f->sink.sink);
			const char *why = core ? core_error(core) : "no memory";
			int rc = why ? -1 : 0;

			for (size_t i = 0; !rc && i < f->memory.count; i++)
				rc = put_memory(core, f->memory.items[i].start,
					f->guest + f->memory.items[i].start,
					(size_t)f->memory.items[i].size);
			if (!rc)
				rc = core_finish(core, NULL);
			if (!why)
				why = rc ? "no memory" : "";
			if (failing_end(&failing) && rc == 0)
				assert_string_equal(f->format->name, "kdump-zstd");
			else
				failing_check(&failing, rc, why);
			if (core && core_error(core))
				assert_true(core_lacks_memory(core));
			core_destroy(core);
		}
		/* The core, a bitmap, descriptors, parts, and of each worker three. */
		assert_true(failing.nth > 7);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_form),
		TEST(test_pages_left_out),
		TEST(test_sets_that_do_not_fit),
		TEST(test_kept_pages_in_parts),
		TEST(test_places_of_vmcoreinfo),
		TEST(test_no_vmcoreinfo),
		TEST(test_no_notes),
		TEST(test_phys_base),
		TEST(test_long_utsname),
		TEST(test_sub_header_grows),
		TEST(test_bitmaps_grow),
		TEST(test_large_bitmaps),
		TEST(test_large_pages),
		TEST(test_bad_page_sizes),
		TEST(test_more_than_32_bits_of_page_frames),
		TEST(test_memory_at_too_high_addresses),
		TEST(test_frames_from_ram_start),
		TEST(test_kept_frames_from_ram_start),
		TEST(test_memory_in_front_of_ram),
		TEST(test_ranges_within_pages),
		TEST(test_ranges_that_share_a_page),
		TEST(test_parts_of_zeros_and_noise),
		TEST(test_pieces_of_any_size),
		TEST(test_many_pages),
		TEST(test_only_zeros),
		TEST(test_late_vmcoreinfo),
		TEST(test_late_notes_behind_vmcoreinfo),
		TEST(test_finished_without_late_notes),
		TEST(test_failing_sinks),
		TEST(test_failing_sinks_flattened),
		TEST(test_failing_batch),
		TEST(test_output_that_cannot_be_rewritten),
		TEST(test_codecs_that_are_not_built),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
