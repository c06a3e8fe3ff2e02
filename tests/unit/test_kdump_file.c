// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reader of kdump cores: what our own writer makes in every form, whole and cut off, and what
 * others write, or nobody at all, by changes of its bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "arch/notes.h"
#include "layout/core_file.h"
#include "layout/flat.h"
#include "tests/unit/failing.h"
#include "tests/unit/kdump_forms.h"
#include "tests/unit/memory_sink.h"
#include "tests/unit/memory_source.h"
#include "tests/unit/pieces.h"

static const char vmcoreinfo_text[] = "OSRELEASE=6.1.0-toy\n"
				      "PAGESIZE=4096\n"
				      "SYMBOL(swapper_pg_dir)=ffffffff81c10000\n";

static const char *const formats[] = { "kdump-zlib", "kdump-lzo", "kdump-snappy", "kdump-zstd" };

enum { PAGE = 4096, FORMATS = sizeof(formats) / sizeof(*formats) };

/* What to write. */
struct build {
	const struct kdump_offsets *form;
	const char *format;
	bool flattened;
	const char *machine;
	const char *more_vmcoreinfo; /* behind the text */
	unsigned dump_level;
};

struct fixture {
	struct memory_source file;
	struct core_file core;
	struct error error;
	struct build build;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	memory_source_init(&f->file);
	core_file_init(&f->core);
	f->build = (struct build){ .form = &kdump_forms[0], .machine = "x86_64" };
	/* Whichever there is in this build, for what is the same in all of them. */
	for (size_t i = 0; i < FORMATS && !f->build.format; i++)
		if (core_format_is_built(core_format_find(formats[i])))
			f->build.format = formats[i];
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	core_file_deinit(&f->core);
	memory_source_deinit(&f->file);
	free(f);
	return 0;
}

/* A build without any codec has no kdump cores to read. */
#define NEEDS_A_CODEC(f)                \
	do {                            \
		if (!(f)->build.format) \
			return;         \
	} while (0)

static int read_core(struct fixture *f)
{
	core_file_deinit(&f->core);
	f->error.text[0] = '\0';
	f->file.reads = 0;
	return core_file_read(&f->core, &f->file.source, &f->error);
}

static void refused(struct fixture *f, const char *text)
{
	assert_int_equal(read_core(f), -1);
	assert_string_equal(f->error.text, text);
}

static void make_notes(struct notes *notes, const struct build *build)
{
	char text[8192] = "";

	strcat(text, vmcoreinfo_text);
	if (build->more_vmcoreinfo)
		strcat(text, build->more_vmcoreinfo);
	notes_init(notes, build->form->arch->order);
	notes_append(notes, "CORE", 1, "pr", 2);
	notes_append(notes, "CORE", 1, "pr", 2);
	notes_append(notes, "VMCOREINFO", 0, text, strlen(text));
}

/* Makes the file of memory and what is in it. */
static void write_ranges(struct fixture *f, const struct range *ranges, size_t count,
	const uint8_t *bytes, unsigned page_shift)
{
	const struct build *build = &f->build;
	char utsname[UTSNAME_STRINGS][UTSNAME_STRING_SIZE] = { "Linux", "node", "6.1.0-toy" };
	struct ranges memory;
	struct notes notes;
	struct core_plan plan = {
		.arch = build->form->arch,
		.memory = &memory,
		.notes = &notes,
		.page_shift = page_shift,
		.cpu_count = 2,
		.dump_level = build->dump_level,
		.utsname = utsname,
		.compress_level = 1,
	};
	struct memory_sink sink;
	struct flat *flat;
	struct core *core;

	strcpy(utsname[4], build->machine);
	ranges_init(&memory);
	make_notes(&notes, build);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(ranges_add(&memory, ranges[i].start, ranges[i].size), 0);
	memory_sink_init(&sink, !build->flattened);
	flat = flat_create(&sink.sink);
	core = core_create(core_format_find(build->format), &plan,
		build->flattened ? flat_sink(flat) : &sink.sink);
	assert_null(core_error(core));
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(
			put_memory(core, ranges[i].start, bytes, (size_t)ranges[i].size), 0);
		bytes += ranges[i].size;
	}
	assert_int_equal(core_finish(core, NULL), 0);
	if (build->flattened)
		assert_int_equal(flat_finish(flat), 0);
	memory_source_set(&f->file, sink.bytes, sink.size);

	core_destroy(core);
	flat_destroy(flat);
	memory_sink_deinit(&sink);
	notes_deinit(&notes);
	ranges_deinit(&memory);
}

/*
 * Page frames 1, 2 and 9, the last of which does not become smaller. In 64 bits:
 *
 *	0x1000 sub-header, notes
 *	0x2000 bitmap
 *	0x3000 bitmap
 *	0x4000 3 descriptors
 *	0x4048 page of zeros, and then the two others
 */
static void write_small(struct fixture *f)
{
	static const struct range ranges[] = { { 0x1000, 0x2000 }, { 0x9000, 0x1000 } };
	static uint8_t bytes[3 * PAGE];
	uint32_t seed = 1;

	memset(bytes, 'a', PAGE);
	for (size_t i = 2 * PAGE; i < sizeof(bytes); i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(seed >> 24);
	}
	write_ranges(f, ranges, 2, bytes, 12);
}

static void is_small(struct fixture *f)
{
	const struct build *build = &f->build;

	assert_int_equal(read_core(f), 0);
	assert_string_equal(f->core.format, build->format);
	assert_int_equal(f->core.flattened, build->flattened);
	assert_int_equal(f->core.bits, build->form->word * 8);
	assert_int_equal(f->core.order, build->form->arch->order);
	assert_int_equal(f->core.cpus, 2);
	assert_false(f->core.qemu_notes);
	assert_int_equal(f->core.memory.count, 2);
	assert_int_equal(f->core.memory.items[0].start, 0x1000);
	assert_int_equal(f->core.memory.items[0].size, 0x2000);
	assert_int_equal(f->core.memory.items[1].start, 0x9000);
	assert_int_equal(f->core.memory.items[1].size, 0x1000);
	assert_int_equal(f->core.mapping_count, 0);
	assert_false(f->core.virtual_addresses);
	assert_int_equal(f->core.page_size, 4096);
	assert_int_equal(f->core.page_count, 3);
	assert_int_equal(f->core.pages_held, 3);
	assert_int_equal(f->core.dump_level, build->dump_level);
	assert_true(f->core.complete);
	assert_non_null(f->core.vmcoreinfo.text);
	assert_memory_equal(f->core.vmcoreinfo.text, vmcoreinfo_text, sizeof(vmcoreinfo_text) - 1);
	assert_string_equal(f->core.vmcoreinfo.release, "6.1.0-toy");
}

/* Fields of 32 and 64 bits of the file. */
static void set_32(struct fixture *f, uint64_t offset, uint32_t value)
{
	put_u32(f->file.bytes + offset, value, f->build.form->arch->order);
}

static void set_64(struct fixture *f, uint64_t offset, uint64_t value)
{
	put_u64(f->file.bytes + offset, value, f->build.form->arch->order);
}

/* Of the sub-header: a long of the CPU. */
static void set_word(struct fixture *f, uint64_t offset, uint64_t value)
{
	if (f->build.form->word == 8)
		set_64(f, 0x1000 + offset, value);
	else
		set_32(f, 0x1000 + offset, (uint32_t)value);
}

/* ---- whole ----------------------------------------------------------------------------------- */

static void test_every_form(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < KDUMP_FORMS; i++) {
		for (size_t j = 0; j < FORMATS; j++) {
			if (!core_format_is_built(core_format_find(formats[j])))
				continue;
			for (unsigned flattened = 0; flattened < 2; flattened++) {
				f->build.form = &kdump_forms[i];
				f->build.format = formats[j];
				f->build.flattened = flattened;
				f->build.dump_level = flattened ? 0 : 31;
				write_small(f);
				is_small(f);
			}
		}
	}
}

static void test_machine(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	write_small(f);
	is_small(f);
	assert_non_null(f->core.arch);
	assert_string_equal(f->core.arch->name, "x86_64");
	assert_int_equal(f->core.machine, 62);
	f->build.machine = "pdp11";
	write_small(f);
	is_small(f);
	assert_null(f->core.arch);
	assert_int_equal(f->core.machine, 0);
	/* A name that has no end. */
	memset(f->file.bytes + 0xc, 'x', 390);
	assert_int_equal(read_core(f), 0);
	assert_null(f->core.arch);
}

/* Of 32-bit Arm, page frames are counted from phys_base. */
static void test_frames_from_ram_start(void **state)
{
	static const struct {
		const char *machine;
		size_t form;
		uint64_t phys_base, start;
	} cases[] = {
		{ "armv7l", 3, 0x40000000, 0x40000000 },
		{ "armv5tejl", 2, 0x40000000, 0x40000000 },
		{ "arm", 3, 0x80200123, 0x80200000 },
		{ "armv7b", 4, 0xffe00000, 0xffe00000 },
		/* As QEMU has it; what is no 32-bit core is not of this kind. */
		{ "Unknown", 3, 0x40000000, 0 },
		{ "i686", 2, 0x40000000, 0 },
		{ "armv7l", 0, 0x40000000, 0 },
		{ "aarch64", 0, 0x40000000, 0 },
	};
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		f->build.form = &kdump_forms[cases[i].form];
		f->build.machine = cases[i].machine;
		write_small(f);
		set_word(f, 0, cases[i].phys_base);
		assert_int_equal(read_core(f), 0);
		assert_int_equal(f->core.memory.count, 2);
		assert_int_equal(f->core.memory.items[0].start, cases[i].start + 0x1000);
		assert_int_equal(f->core.memory.items[0].size, 0x2000);
		assert_int_equal(f->core.memory.items[1].start, cases[i].start + 0x9000);
	}
}

static void test_large_pages(void **state)
{
	static const struct range range = { 0x20000, 0x30000 };
	struct fixture *f = *state;
	uint8_t *bytes = calloc(1, 0x30000);

	NEEDS_A_CODEC(f);
	for (size_t i = 0; i < KDUMP_FORMS; i++) {
		f->build.form = &kdump_forms[i];
		write_ranges(f, &range, 1, bytes, 16);
		assert_int_equal(read_core(f), 0);
		assert_int_equal(f->core.page_size, 65536);
		assert_int_equal(f->core.page_count, 3);
		assert_int_equal(f->core.memory.count, 1);
		assert_int_equal(f->core.memory.items[0].start, 0x20000);
		assert_int_equal(f->core.memory.items[0].size, 0x30000);
		assert_string_equal(f->core.vmcoreinfo.release, "6.1.0-toy");
		assert_true(f->core.complete);
	}
	free(bytes);
}

/* Whole pages, where ranges began and ended within them. */
static void test_parts_of_pages(void **state)
{
	static const struct range ranges[] = { { 0x800, 0x900 }, { 0x1900, 0x1000 } };
	struct fixture *f = *state;
	uint8_t bytes[0x1900];

	NEEDS_A_CODEC(f);
	memset(bytes, 7, sizeof(bytes));
	write_ranges(f, ranges, 2, bytes, 12);
	assert_int_equal(read_core(f), 0);
	assert_int_equal(f->core.memory.count, 1);
	assert_int_equal(f->core.memory.items[0].start, 0);
	assert_int_equal(f->core.memory.items[0].size, 0x3000);
	assert_int_equal(f->core.page_count, 3);
	assert_true(f->core.complete);
}

/* Up to the last bit of a bitmap, and bitmaps of more than is read at once: 64 KiB, 2 GiB. */
static void test_ends_of_bitmaps(void **state)
{
	static const struct range rows[][2] = {
		{ { 0, 0x1000 }, { UINT64_C(32766) << 12, 0x2000 } },
		{ { 0, 0x1000 }, { UINT64_C(32767) << 12, 0x2000 } },
		{ { 0, 0x1000 }, { UINT64_C(524287) << 12, 0x2000 } },
		{ { UINT64_C(0x7ffff) << 12, 0x1000 }, { UINT64_C(0x100001) << 12, 0x1000 } },
		{ { 0x5000, 0x1000 }, { UINT64_C(0x100001) << 12, 0x1000 } },
	};
	struct fixture *f = *state;
	uint8_t bytes[0x3000];

	NEEDS_A_CODEC(f);
	memset(bytes, 7, sizeof(bytes));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		write_ranges(f, rows[i], 2, bytes, 12);
		assert_int_equal(read_core(f), 0);
		assert_int_equal(f->core.memory.count, 2);
		assert_memory_equal(f->core.memory.items, rows[i], 2 * sizeof(struct range));
		assert_true(f->core.complete);
	}
}

/*
 * VMCOREINFO of a size that, where a packed sub-header has the offset of the notes, could be one;
 * with three blocks of sub-header and notes.
 */
static void test_form_with_large_vmcoreinfo(void **state)
{
	struct fixture *f = *state;
	static char more[5000];

	NEEDS_A_CODEC(f);
	memset(more, 'A', sizeof(more));
	more[1] = '=';
	more[sizeof(more) - 2] = '\n';
	more[sizeof(more) - 1] = '\0';
	f->build.more_vmcoreinfo = more;
	for (size_t i = 0; i < KDUMP_FORMS; i++) {
		f->build.form = &kdump_forms[i];
		write_small(f);
		is_small(f);
	}
}

/* ---- what others write ----------------------------------------------------------------------- */

/* Pages that are left out of the core, as makedumpfile does. */
static void test_filtered(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	write_small(f);
	f->file.bytes[0x3000] = 0x02;
	assert_int_equal(read_core(f), 0);
	assert_int_equal(f->core.page_count, 3);
	assert_int_equal(f->core.pages_held, 2);
	assert_int_equal(f->core.memory.count, 2);
	assert_int_equal(f->core.memory.items[0].size, 0x2000);
}

/* Diskdump's: its first version, without notes, has one bitmap. */
static void test_one_bitmap(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	write_small(f);
	memmove(f->file.bytes + 0x3000, f->file.bytes + 0x4000,
		(size_t)f->file.source.size - 0x4000);
	memory_source_resize(&f->file, (size_t)f->file.source.size - 0x1000);
	set_32(f, 8, 1);
	set_32(f, 0x1b4, 1);
	for (size_t i = 0; i < 3; i++)
		set_64(f, 0x3000 + i * 24, get_le64(f->file.bytes + 0x3000 + i * 24) - 0x1000);
	assert_int_equal(read_core(f), 0);
	assert_true(f->core.complete);
	assert_int_equal(f->core.page_count, 3);
	assert_int_equal(f->core.pages_held, 3);
	assert_int_equal(f->core.memory.count, 2);
	assert_int_equal(f->core.memory.items[1].start, 0x9000);
	assert_int_equal(f->core.cpus, 0);
	assert_null(f->core.vmcoreinfo.text);
	memory_source_resize(&f->file, (size_t)f->file.source.size - 1);
	assert_int_equal(read_core(f), 0);
	assert_false(f->core.complete);
}

/* One bitmap of two blocks, the second of which has a bit. */
static void test_one_bitmap_of_two_blocks(void **state)
{
	static const struct range ranges[] = { { 0, 0x1000 }, { UINT64_C(32768) << 12, 0x1000 } };
	static const uint8_t bytes[0x2000] = { 1 };
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	write_ranges(f, ranges, 2, bytes, 12);
	/* 0x2000 to 0x3fff, and again to 0x5fff */
	memmove(f->file.bytes + 0x4000, f->file.bytes + 0x6000,
		(size_t)f->file.source.size - 0x6000);
	memory_source_resize(&f->file, (size_t)f->file.source.size - 0x2000);
	set_32(f, 0x1b4, 2);
	for (size_t i = 0; i < 2; i++)
		set_64(f, 0x4000 + i * 24, get_le64(f->file.bytes + 0x4000 + i * 24) - 0x2000);
	assert_int_equal(read_core(f), 0);
	assert_int_equal(f->core.page_count, 2);
	assert_int_equal(f->core.pages_held, 2);
	assert_int_equal(f->core.memory.count, 2);
	assert_memory_equal(f->core.memory.items, ranges, sizeof(ranges));
	assert_true(f->core.complete);
}

static void test_versions(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	write_small(f);
	for (uint32_t version = 1; version <= 6; version++) {
		set_32(f, 8, version);
		assert_int_equal(read_core(f), 0);
		assert_int_equal(f->core.page_count, 3);
		assert_int_equal(f->core.cpus, version < 4 ? 0 : 2);
	}
}

/* A status that tells of no compression, or of more than one. */
static void test_status(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	write_small(f);
	set_32(f, 0x1a8, 0);
	assert_int_equal(read_core(f), 0);
	assert_string_equal(f->core.format, "kdump");
	set_32(f, 0x1a8, 0x18);
	assert_int_equal(read_core(f), 0);
	assert_string_equal(f->core.format, "kdump");
	set_32(f, 0x1a8, 0x12);
	assert_int_equal(read_core(f), 0);
	assert_string_equal(f->core.format, "kdump-lzo");
}

/* ---- cut off --------------------------------------------------------------------------------- */

/* Lengths that differ by `step`, and in the pages, where nothing is read, by 13. */
static void check_lengths(struct fixture *f, size_t step)
{
	write_small(f);
	is_small(f);
	for (size_t size = (size_t)f->file.source.size - 1; size > 13;
		size -= size > 0x4100 ? 13 : step) {
		f->file.source.size = size;
		if (read_core(f))
			assert_string_not_equal(f->error.text, "");
		else
			assert_false(f->core.complete);
	}
}

static void test_lengths(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	for (size_t i = 0; i < KDUMP_FORMS; i++) {
		f->build.form = &kdump_forms[i];
		/* The same after the headers in all of them. */
		check_lengths(f, i ? 7 : 1);
	}
}

static void test_lengths_flattened(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	f->build.flattened = true;
	check_lengths(f, 3);
}

/* The last page that has bytes of its own may have any number of zero pages behind it. */
static void test_cut_off_in_front_of_zeros(void **state)
{
	static const struct range range = { 0, UINT64_C(20000) << 12 };
	struct fixture *f = *state;
	uint8_t *bytes = calloc(20000, PAGE);

	NEEDS_A_CODEC(f);
	memset(bytes, 'a', PAGE);
	write_ranges(f, &range, 1, bytes, 12);
	assert_int_equal(read_core(f), 0);
	assert_true(f->core.complete);
	assert_int_equal(f->core.pages_held, 20000);
	memory_source_resize(&f->file, (size_t)f->file.source.size - 1);
	assert_int_equal(read_core(f), 0);
	assert_false(f->core.complete);

	/* Nothing but zeros, the page of which is the end of the file. */
	memset(bytes, 0, PAGE);
	write_ranges(f, &range, 1, bytes, 12);
	assert_int_equal(read_core(f), 0);
	assert_true(f->core.complete);
	memory_source_resize(&f->file, (size_t)f->file.source.size - 1);
	assert_int_equal(read_core(f), 0);
	assert_false(f->core.complete);
	free(bytes);
}

/* Descriptors that were never written, because whoever wrote the core did not come to its end. */
static void test_descriptors_that_are_missing(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	for (size_t i = 0; i < 3; i++) {
		write_small(f);
		memset(f->file.bytes + 0x4000 + i * 24, 0, 24);
		assert_int_equal(read_core(f), 0);
		assert_false(f->core.complete);
	}
}

static void test_descriptors_that_wrap(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	write_small(f);
	set_64(f, 0x4030, UINT64_MAX);
	assert_int_equal(read_core(f), 0);
	assert_false(f->core.complete);
	write_small(f);
	set_32(f, 0x4038, UINT32_MAX);
	assert_int_equal(read_core(f), 0);
	assert_false(f->core.complete);
	/* More of them than the file has room for. */
	write_small(f);
	memset(f->file.bytes + 0x3000, 0xff, 0x1000);
	assert_int_equal(read_core(f), 0);
	assert_int_equal(f->core.pages_held, 32768);
	assert_false(f->core.complete);
}

/* ---- hostile --------------------------------------------------------------------------------- */

static void test_headers_that_make_no_sense(void **state)
{
	static const struct {
		unsigned offset; /* in 64 bits */
		uint32_t value;
	} rows[] = {
		{ 8, 0 },
		{ 8, 7 },
		{ 0x1ac, 0 },
		{ 0x1ac, 2048 },
		{ 0x1ac, 4097 },
		{ 0x1ac, 12288 },
		{ 0x1ac, 131072 },
		{ 0x1b0, 0 },
		{ 0x1b4, 0 },
		{ 0x1cc, 0 },
	};
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		write_small(f);
		set_32(f, rows[i].offset, rows[i].value);
		refused(f, "its header makes no sense");
	}
	/* The name of a format that is older than kdump's first version. */
	write_small(f);
	memcpy(f->file.bytes, "DISKDUMP", 8);
	refused(f, "it is no core of a format that is known");
}

static void test_notes_that_are_no_notes(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	for (size_t i = 0; i < KDUMP_FORMS; i++) {
		const struct kdump_offsets *form = &kdump_forms[i];

		f->build.form = form;
		write_small(f);
		set_word(f, form->size_note, (64 << 20) + 1);
		refused(f, "its notes are larger than 67108864 bytes");
		set_word(f, form->size_note, 64 << 20);
		assert_int_equal(read_core(f), 0);
		assert_false(f->core.complete);
		assert_string_equal(f->core.vmcoreinfo.release, "6.1.0-toy");
		set_word(f, form->size_note, UINT64_MAX);
		refused(f, "its notes are larger than 67108864 bytes");
		if (form->word == 4)
			continue;
		write_small(f);
		set_64(f, 0x1000 + form->offset_note, UINT64_MAX);
		assert_int_equal(read_core(f), 0);
		assert_false(f->core.complete);
		assert_int_equal(f->core.cpus, 0);
	}
}

static void test_more_pieces_than_there_may_be(void **state)
{
	static const struct range range = { UINT64_C(131072) << 12, 0x1000 };
	static const uint8_t bytes[PAGE];
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	/* Every second page of 131072, and the one behind them. */
	write_ranges(f, &range, 1, bytes, 12);
	memset(f->file.bytes + 0x2000, 0x55, 16384);
	refused(f, "its memory is in too many pieces");
	f->file.bytes[0x2000] = 0x54;
	assert_int_equal(read_core(f), 0);
	assert_int_equal(f->core.memory.count, 65536);
}

/* More of a bitmap than there can be page frames is not read, though the file may have it. */
static void test_bitmaps_that_are_too_large(void **state)
{
	struct fixture *f = *state;
	uint8_t *kdump;
	size_t size;

	NEEDS_A_CODEC(f);
	write_small(f);
	set_32(f, 0x1b4, UINT32_MAX);
	refused(f, "its bitmaps are larger than those of any memory");
	/* As part of a flattened file, which has as many zeros as it says. */
	size = (size_t)f->file.source.size;
	kdump = malloc(size);
	memcpy(kdump, f->file.bytes, size);
	memory_source_resize(&f->file, 0);
	memory_source_resize(&f->file, 4096 + 16 + size + 17 + 16);
	memcpy(f->file.bytes, "makedumpfile", 12);
	put_be64(f->file.bytes + 16, 1);
	put_be64(f->file.bytes + 24, 1);
	put_be64(f->file.bytes + 4096 + 8, size);
	memcpy(f->file.bytes + 4096 + 16, kdump, size);
	put_be64(f->file.bytes + 4096 + 16 + size, INT64_MAX - 1);
	put_be64(f->file.bytes + 4096 + 16 + size + 8, 1);
	memset(f->file.bytes + 4096 + 16 + size + 17, 0xff, 16);
	refused(f, "its bitmaps are larger than those of any memory");
	free(kdump);
}

/* ---- reads ----------------------------------------------------------------------------------- */

static void test_failing_reads(void **state)
{
	static const char *const texts[] = {
		"it cannot be read",
		"its header cannot be read",
		"the sub-header cannot be read",
		"a note cannot be read",
		"a bitmap cannot be read",
		"a bitmap cannot be read",
		"a descriptor cannot be read",
	};
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	write_small(f);
	is_small(f);
	assert_int_equal(f->file.reads, 7);
	for (unsigned n = 1; n <= 7; n++) {
		f->file.fail_at = n;
		refused(f, texts[n - 1]);
	}
}

static const struct place {
	size_t offset, size;
} places[] = {
	{ 0x19c, 0x34 },               /* the header's numbers */
	{ 0x1000, 0x160 },             /* sub-header, notes */
	{ 0x2000, 8 },                 /* bitmaps */
	{ 0x3000, 8 }, { 0x4000, 72 }, /* descriptors */
};

/* Records with the header, and with the sub-header and notes; and the start of the bitmaps'. */
static const struct place flattened_places[] = { { 4096, 900 } };

/* Bytes at these places, changed in a fixed, wild order, do no harm. */
static void check_changed_bytes(struct fixture *f, const struct place *where, size_t count)
{
	struct memory_source original;
	uint32_t random = 1;

	write_small(f);
	memory_source_init(&original);
	memory_source_set(&original, f->file.bytes, (size_t)f->file.source.size);
	for (unsigned turn = 0; turn < 1500; turn++) {
		memory_source_set(&f->file, original.bytes, (size_t)original.source.size);
		for (unsigned i = 0; i < 1 + turn % 8; i++) {
			const struct place *place;

			random = random * 1664525 + 1013904223;
			place = &where[(random >> 8) % count];
			f->file.bytes[place->offset + (random >> 16) % place->size] =
				(uint8_t)(random >> (random & 8));
		}
		if (read_core(f))
			assert_string_not_equal(f->error.text, "");
	}
	memory_source_deinit(&original);
}

static void test_changed_bytes(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	for (size_t i = 0; i < KDUMP_FORMS; i++) {
		f->build.form = &kdump_forms[i];
		check_changed_bytes(f, places, sizeof(places) / sizeof(*places));
	}
	f->build.flattened = true;
	check_changed_bytes(f, flattened_places, 1);
}

static void test_no_memory(void **state)
{
	struct fixture *f = *state;

	NEEDS_A_CODEC(f);
	for (int flattened = 0; flattened < 2; flattened++) {
		struct failing failing = { .what = FAILING_ALLOCATIONS };

		f->build.flattened = flattened;
		write_small(f);
		core_file_deinit(&f->core);
		while (failing_next(&failing)) {
			failing_check(&failing, read_core(f), f->error.text);
			core_file_deinit(&f->core);
		}
		/* The notes, VMCOREINFO, ranges; the records. */
		assert_true(failing.nth >= 4U + (unsigned)flattened);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_form),
		TEST(test_machine),
		TEST(test_frames_from_ram_start),
		TEST(test_large_pages),
		TEST(test_parts_of_pages),
		TEST(test_ends_of_bitmaps),
		TEST(test_form_with_large_vmcoreinfo),
		TEST(test_filtered),
		TEST(test_one_bitmap),
		TEST(test_one_bitmap_of_two_blocks),
		TEST(test_versions),
		TEST(test_status),
		TEST(test_lengths),
		TEST(test_lengths_flattened),
		TEST(test_cut_off_in_front_of_zeros),
		TEST(test_descriptors_that_are_missing),
		TEST(test_descriptors_that_wrap),
		TEST(test_headers_that_make_no_sense),
		TEST(test_notes_that_are_no_notes),
		TEST(test_more_pieces_than_there_may_be),
		TEST(test_bitmaps_that_are_too_large),
		TEST(test_failing_reads),
		TEST(test_changed_bytes),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
