// SPDX-License-Identifier: GPL-2.0-or-later
/* Flattened files read as what they become, put together here record by record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "arch/notes.h"
#include "layout/flat.h"
#include "layout/flat_file.h"
#include "tests/unit/memory_sink.h"
#include "tests/unit/memory_source.h"
#include "tests/unit/pieces.h"

enum { RECORDS = 4096 };

struct fixture {
	struct memory_source file;
	struct flat_file flat;
	struct core_source source; /* the rearranged file */
	struct core_file core;
	struct error error;
};

/* Puts bytes behind the file. */
static void append(struct fixture *f, const void *bytes, size_t size)
{
	size_t at = (size_t)f->file.source.size;

	memory_source_resize(&f->file, at + size);
	if (size)
		memcpy(f->file.bytes + at, bytes, size);
}

static void numbers(struct fixture *f, uint64_t offset, uint64_t size)
{
	uint8_t header[16];

	put_be64(header, offset);
	put_be64(header + 8, size);
	append(f, header, sizeof(header));
}

static void record(struct fixture *f, uint64_t offset, const char *text)
{
	numbers(f, offset, strlen(text));
	append(f, text, strlen(text));
}

static void end(struct fixture *f)
{
	numbers(f, UINT64_MAX, UINT64_MAX);
}

/* Nothing but the header. */
static void start(struct fixture *f)
{
	memory_source_resize(&f->file, 0);
	append(f, "makedumpfile\0\0\0\0", 16);
	numbers(f, 1, 1);
	memory_source_resize(&f->file, RECORDS);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	memory_source_init(&f->file);
	core_file_init(&f->core);
	start(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	flat_file_deinit(&f->flat);
	core_file_deinit(&f->core);
	memory_source_deinit(&f->file);
	free(f);
	return 0;
}

static int open_file(struct fixture *f)
{
	int result;

	flat_file_deinit(&f->flat);
	f->error.text[0] = '\0';
	f->file.reads = 0;
	result = flat_file_init(&f->flat, &f->file.source, &f->error);
	f->source = flat_file_source(&f->flat);
	return result;
}

static void refused(struct fixture *f, const char *text)
{
	assert_int_equal(open_file(f), -1);
	assert_string_equal(f->error.text, text);
}

static int read_core(struct fixture *f)
{
	core_file_deinit(&f->core);
	f->error.text[0] = '\0';
	f->file.reads = 0;
	return core_file_read(&f->core, &f->file.source, &f->error);
}

/* The file becomes these bytes, read in parts of every size. */
static void becomes(struct fixture *f, const char *bytes, size_t size)
{
	char part[64];

	assert_int_equal(open_file(f), 0);
	assert_int_equal(f->source.size, size);
	assert_in_range(size, 0, sizeof(part));
	for (size_t length = 1; length <= size; length++) {
		for (size_t at = 0; at + length <= size; at++) {
			memset(part, '?', sizeof(part));
			assert_int_equal(f->source.read_at(f->source.ctx, at, part, length), 0);
			assert_memory_equal(part, bytes + at, length);
		}
	}
}

/* A string's bytes without its NUL. */
#define BECOMES(f, text) becomes(f, text, sizeof(text) - 1)

static void test_records(void **state)
{
	struct fixture *f = *state;

	record(f, 0, "abc");
	record(f, 3, "de");
	record(f, 8, "f");
	end(f);
	BECOMES(f, "abcde\0\0\0f");
	assert_true(f->flat.complete);
	assert_int_equal(f->flat.count, 3);
}

static void test_nothing(void **state)
{
	struct fixture *f = *state;

	end(f);
	BECOMES(f, "");
	assert_true(f->flat.complete);
	start(f);
	BECOMES(f, "");
	assert_false(f->flat.complete);
}

static void test_gap_at_the_start(void **state)
{
	struct fixture *f = *state;

	record(f, 3, "a");
	end(f);
	BECOMES(f, "\0\0\0a");
}

/* They come in any order. */
static void test_descending(void **state)
{
	struct fixture *f = *state;

	record(f, 6, "gh");
	record(f, 3, "def");
	record(f, 0, "ab");
	end(f);
	BECOMES(f, "ab\0defgh");
}

static void test_later_records_replace(void **state)
{
	struct fixture *f = *state;

	record(f, 2, "cdefg");
	record(f, 0, "123"); /* its start */
	record(f, 6, "890"); /* its end */
	record(f, 4, "x");   /* within */
	end(f);
	BECOMES(f, "123dxf890");
	/* All of them, by one. */
	start(f);
	record(f, 2, "cdefg");
	record(f, 4, "x");
	record(f, 1, "ABCDEFGH");
	end(f);
	BECOMES(f, "\0ABCDEFGH");
}

static void test_empty_records(void **state)
{
	struct fixture *f = *state;

	record(f, 0, "");
	record(f, 1, "a");
	record(f, 1, "");
	end(f);
	BECOMES(f, "\0a");
}

/* Whatever follows the end is not looked at. */
static void test_behind_the_end(void **state)
{
	struct fixture *f = *state;

	record(f, 0, "a");
	end(f);
	record(f, 0, "bc");
	BECOMES(f, "a");
	assert_true(f->flat.complete);
}

static void test_largest_offsets(void **state)
{
	struct fixture *f = *state;
	char bytes[4];

	record(f, 0, "ab");
	record(f, INT64_MAX - 3, "xyz");
	end(f);
	assert_int_equal(open_file(f), 0);
	assert_int_equal(f->source.size, INT64_MAX);
	assert_int_equal(f->source.read_at(f->source.ctx, INT64_MAX - 4, bytes, 4), 0);
	assert_memory_equal(bytes, "\0xyz", 4);
	assert_int_equal(f->source.read_at(f->source.ctx, 1, bytes, 2), 0);
	assert_memory_equal(bytes, "b\0", 2);
}

/* ---- cut off --------------------------------------------------------------------------------- */

/* Of a record that is not whole, what is there counts. */
static void test_cut_off(void **state)
{
	struct fixture *f = *state;

	numbers(f, 2, 1000);
	append(f, "abc", 3);
	BECOMES(f, "\0\0abc");
	assert_false(f->flat.complete);
	start(f);
	record(f, 0, "ab");
	numbers(f, 2, INT64_MAX - 2);
	BECOMES(f, "ab");
	assert_false(f->flat.complete);
}

static void test_every_length(void **state)
{
	struct fixture *f = *state;
	/* Behind the header: 16 + 3, 16 + 2, 16 */
	static const size_t whole = RECORDS + 53;

	record(f, 0, "abc");
	record(f, 5, "fg");
	end(f);
	assert_int_equal(f->file.source.size, whole);
	for (size_t size = whole; size-- > 0;) {
		static const char bytes[] = "abc\0\0fg";
		char part[8];

		memory_source_resize(&f->file, size);
		if (size < RECORDS) {
			assert_int_equal(open_file(f), -1);
			assert_string_not_equal(f->error.text, "");
			continue;
		}
		assert_int_equal(open_file(f), 0);
		assert_false(f->flat.complete);
		assert_in_range(f->source.size, 0, 7);
		assert_int_equal(
			f->source.read_at(f->source.ctx, 0, part, (size_t)f->source.size), 0);
		assert_memory_equal(part, bytes, (size_t)f->source.size);
	}
}

/* ---- hostile --------------------------------------------------------------------------------- */

static void test_other_ways(void **state)
{
	static const char text[] = "it is flattened in another way than is known";
	struct fixture *f = *state;

	end(f);
	put_be64(f->file.bytes + 16, 2);
	refused(f, text);
	put_be64(f->file.bytes + 16, 1);
	put_be64(f->file.bytes + 24, 2);
	refused(f, text);
	/* In the other byte order. */
	put_le64(f->file.bytes + 24, 1);
	refused(f, text);
	put_be64(f->file.bytes + 24, 1);
	assert_int_equal(open_file(f), 0);
}

static void check_numbers(struct fixture *f, uint64_t offset, uint64_t size, const char *text)
{
	start(f);
	record(f, 0, "a");
	numbers(f, offset, size);
	append(f, "abc", 3);
	end(f);
	refused(f, text);
}

static void test_numbers_that_wrap(void **state)
{
	struct fixture *f = *state;

	check_numbers(f, UINT64_MAX, 3, "it has a record of 0x3 bytes at 0xffffffffffffffff");
	check_numbers(f, 3, UINT64_MAX, "it has a record of 0xffffffffffffffff bytes at 0x3");
	check_numbers(f, UINT64_MAX - 1, UINT64_MAX,
		"it has a record of 0xffffffffffffffff bytes at 0xfffffffffffffffe");
	check_numbers(
		f, UINT64_C(1) << 63, 3, "it has a record of 0x3 bytes at 0x8000000000000000");
	check_numbers(f, INT64_MAX - 2, 3, "it has a record of 0x3 bytes at 0x7ffffffffffffffd");
	check_numbers(f, 1, INT64_MAX, "it has a record of 0x7fffffffffffffff bytes at 0x1");
}

/* Four million records and one more, all of them empty: a file that is made as it is read. */
static int read_many(void *ctx, uint64_t offset, void *buf, size_t size)
{
	static const uint8_t header[32] = "makedumpfile\0\0\0\0"
					  "\0\0\0\0\0\0\0\1"
					  "\0\0\0\0\0\0\0\1";

	(void)ctx;
	memset(buf, 0, size);
	for (size_t i = 0; i < size && offset + i < sizeof(header); i++)
		((uint8_t *)buf)[i] = header[offset + i];
	return 0;
}

static void test_too_many_records(void **state)
{
	struct core_source many = { .read_at = read_many, .size = RECORDS + 16 * 4194304 };
	struct fixture *f = *state;

	assert_int_equal(flat_file_init(&f->flat, &many, &f->error), 0);
	/* All of them are empty. */
	assert_int_equal(f->flat.count, 0);
	assert_int_equal(f->flat.size, 0);
	flat_file_deinit(&f->flat);
	many.size += 16;
	assert_int_equal(flat_file_init(&f->flat, &many, &f->error), -1);
	assert_string_equal(f->error.text, "it has more than 4194304 records");
}

/* However many there are in one place, a read looks at the one that counts. */
static void test_one_over_the_other(void **state)
{
	enum { MANY = 500 };
	struct fixture *f = *state;
	char text[2 * MANY + 1], byte;

	start(f);
	for (unsigned i = 0; i < MANY; i++)
		record(f, 7, i % 2 ? "odd" : "even");
	end(f);
	assert_int_equal(open_file(f), 0);
	/* "odd" over "even" */
	assert_int_equal(f->flat.count, 2);
	assert_int_equal(f->source.size, 11);
	assert_int_equal(f->source.read_at(f->source.ctx, 7, text, 4), 0);
	assert_memory_equal(text, "oddn", 4);

	/* Each within the one before it: all but the last are in two pieces. */
	start(f);
	for (unsigned i = 0; i < MANY; i++) {
		memset(text, (int)('a' + i % 26), sizeof(text));
		text[2 * (MANY - i) - 1] = '\0';
		record(f, i, text);
	}
	end(f);
	assert_int_equal(open_file(f), 0);
	assert_int_equal(f->flat.count, 2 * MANY - 1);
	for (unsigned at = 0; at < 2 * MANY - 1; at++) {
		unsigned i = at < MANY ? at : 2 * MANY - 2 - at;

		assert_int_equal(f->source.read_at(f->source.ctx, at, &byte, 1), 0);
		assert_int_equal(byte, 'a' + i % 26);
	}
}

static void test_failing_reads(void **state)
{
	struct fixture *f = *state;
	char part[8];

	record(f, 0, "abc");
	record(f, 2, "cde");
	end(f);
	f->file.fail_at = 1;
	refused(f, "its header cannot be read");
	for (f->file.fail_at = 2; f->file.fail_at <= 4; f->file.fail_at++)
		refused(f, "a record cannot be read");
	assert_int_equal(open_file(f), 0);
	/* What needs both records fails with either, and what needs one does not with the other. */
	f->file.fail_at = f->file.reads + 1;
	assert_int_equal(f->source.read_at(f->source.ctx, 0, part, 5), -1);
	f->file.fail_at = f->file.reads + 2;
	assert_int_equal(f->source.read_at(f->source.ctx, 0, part, 5), -1);
	f->file.fail_at = f->file.reads + 2;
	assert_int_equal(f->source.read_at(f->source.ctx, 0, part, 2), 0);
	assert_memory_equal(part, "ab", 2);
}

/* Records and reads as they come, against the same bytes put into place one after the other. */
static void test_any_records(void **state)
{
	enum { SIZE = 200 };
	struct fixture *f = *state;
	uint32_t seed = 7;

	for (unsigned turn = 0; turn < 300; turn++) {
		char expected[SIZE] = { 0 }, part[SIZE];

		start(f);
		/* The size is known. */
		record(f, SIZE - 1, "z");
		expected[SIZE - 1] = 'z';
		for (unsigned i = 0; i < turn % 20; i++) {
			char text[40] = { 0 };
			size_t at, size;

			seed = seed * 1664525 + 1013904223;
			size = seed >> 16 & 31;
			at = (seed >> 21) % (SIZE - size);
			memset(text, (int)('a' + i), size);
			record(f, at, text);
			memcpy(expected + at, text, size);
		}
		end(f);
		assert_int_equal(open_file(f), 0);
		assert_int_equal(f->source.size, SIZE);
		for (unsigned i = 0; i < 20; i++) {
			size_t at, size;

			seed = seed * 1664525 + 1013904223;
			at = (seed >> 16) % SIZE;
			size = (seed >> 8) % (SIZE - at + 1);
			assert_int_equal(f->source.read_at(f->source.ctx, at, part, size), 0);
			assert_memory_equal(part, expected + at, size);
		}
	}
}

/* ---- cores that are flattened ---------------------------------------------------------------- */

static const struct arch toy = {
	.name = "toy",
	.elf_machine = 0x4321,
	.elf_class = ELFCLASS64,
	.order = BIG,
	.page_shift = 12,
};

static const char vmcoreinfo_text[] = "OSRELEASE=6.1.0-toy\n"
				      "PAGESIZE=4096\n"
				      "SYMBOL(swapper_pg_dir)=ffffffff81c10000\n";

/* An ELF core of 4 pages, the second and the last of which are zero, with a late note. */
static void flatten_elf(struct fixture *f)
{
	static const struct core_mapping mapping = {
		.vaddr = 0xc0001000, .paddr = 0x1000, .size = 0x4000
	};
	static uint8_t guest[0x4000];
	struct ranges memory;
	struct notes notes, late;
	struct core_plan plan = {
		.arch = &toy,
		.memory = &memory,
		.mappings = &mapping,
		.mapping_count = 1,
		.notes = &notes,
		.late_note_room = 200,
	};
	struct memory_sink sink;
	struct flat *flat;
	struct core *core;

	memset(guest, 'a', 0x1000);
	memset(guest + 0x2000, 'c', 0x1000);
	ranges_init(&memory);
	assert_int_equal(ranges_add(&memory, 0x1000, 0x4000), 0);
	notes_init(&notes, BIG);
	notes_append(&notes, "CORE", NT_PRSTATUS, "pr", 2);
	notes_init(&late, BIG);
	notes_append(&late, "VMCOREINFO", 0, vmcoreinfo_text, sizeof(vmcoreinfo_text) - 1);
	memory_sink_init(&sink, false);
	flat = flat_create(&sink.sink);
	core = core_create(core_format_find("elf"), &plan, flat_sink(flat));
	assert_int_equal(put_memory(core, 0x1000, guest, sizeof(guest)), 0);
	assert_int_equal(core_finish(core, &late), 0);
	assert_int_equal(flat_finish(flat), 0);
	memory_source_set(&f->file, sink.bytes, sink.size);

	core_destroy(core);
	flat_destroy(flat);
	memory_sink_deinit(&sink);
	notes_deinit(&notes);
	notes_deinit(&late);
	ranges_deinit(&memory);
}

static void test_elf_core(void **state)
{
	struct fixture *f = *state;
	uint8_t page[0x1000];
	/* Headers and notes with their room are less than a page, and memory begins at one. */
	const uint64_t data = 0x1000;

	flatten_elf(f);
	assert_int_equal(read_core(f), 0);
	assert_string_equal(f->core.format, "elf");
	assert_true(f->core.flattened);
	assert_true(f->core.complete);
	assert_int_equal(f->core.bits, 64);
	assert_int_equal(f->core.order, BIG);
	assert_int_equal(f->core.machine, 0x4321);
	assert_int_equal(f->core.cpus, 1);
	assert_int_equal(f->core.memory.count, 1);
	assert_int_equal(f->core.memory.items[0].start, 0x1000);
	assert_int_equal(f->core.memory.items[0].size, 0x4000);
	assert_int_equal(f->core.mapping_count, 1);
	assert_int_equal(f->core.mappings[0].vaddr, 0xc0001000);
	assert_string_equal(f->core.vmcoreinfo.text, vmcoreinfo_text);

	assert_int_equal(open_file(f), 0);
	assert_int_equal(f->source.size, data + 0x4000);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(
			f->source.read_at(f->source.ctx, data + i * 0x1000, page, sizeof(page)), 0);
		for (size_t j = 0; j < sizeof(page); j++)
			assert_int_equal(page[j], i % 2 ? 0 : 'a' + i);
	}
}

/* A core that is not whole is not called so, wherever it ends. */
static void test_elf_core_of_every_length(void **state)
{
	struct fixture *f = *state;
	size_t size;

	flatten_elf(f);
	for (size = (size_t)f->file.source.size; size-- > 0;) {
		f->file.source.size = size;
		if (read_core(f))
			assert_string_not_equal(f->error.text, "");
		else
			assert_false(f->core.complete);
	}
}

static void test_no_core(void **state)
{
	struct fixture *f = *state;

	end(f);
	assert_int_equal(read_core(f), -1);
	assert_string_equal(f->error.text, "it is too short for a core");
	start(f);
	record(f, 0, "#!/bin/sh\necho hello\n");
	end(f);
	assert_int_equal(read_core(f), -1);
	assert_string_equal(f->error.text, "it is no core of a format that is known");
	memory_source_resize(&f->file, 31);
	assert_int_equal(read_core(f), -1);
	assert_string_equal(f->error.text, "its header is behind the end of the file");
}

static void test_flattened_twice(void **state)
{
	struct fixture *f = *state;
	uint8_t *inner;
	size_t size;

	flatten_elf(f);
	size = (size_t)f->file.source.size;
	inner = malloc(size);
	memcpy(inner, f->file.bytes, size);
	start(f);
	numbers(f, 0, size);
	append(f, inner, size);
	end(f);
	assert_int_equal(read_core(f), -1);
	assert_string_equal(f->error.text, "it is no core of a format that is known");
	free(inner);
}

/* Bytes that are changed in a fixed, wild order do no harm. */
static void test_changed_bytes(void **state)
{
	struct fixture *f = *state;
	struct memory_source original;
	uint32_t random = 1;

	flatten_elf(f);
	memory_source_init(&original);
	memory_source_set(&original, f->file.bytes, (size_t)f->file.source.size);
	for (unsigned turn = 0; turn < 3000; turn++) {
		memory_source_set(&f->file, original.bytes, (size_t)original.source.size);
		for (unsigned i = 0; i < 1 + turn % 8; i++) {
			random = random * 1664525 + 1013904223;
			/* Records and the ELF headers in the first; also the numbers in front. */
			f->file.bytes[i == 7 ? 16 + (random >> 16) % 16
					     : 4096 + (random >> 16) % 500] =
				(uint8_t)(random >> (random & 8));
		}
		if (read_core(f))
			assert_string_not_equal(f->error.text, "");
	}
	memory_source_deinit(&original);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_records),
		TEST(test_nothing),
		TEST(test_gap_at_the_start),
		TEST(test_descending),
		TEST(test_later_records_replace),
		TEST(test_empty_records),
		TEST(test_behind_the_end),
		TEST(test_largest_offsets),
		TEST(test_cut_off),
		TEST(test_every_length),
		TEST(test_other_ways),
		TEST(test_numbers_that_wrap),
		TEST(test_too_many_records),
		TEST(test_one_over_the_other),
		TEST(test_failing_reads),
		TEST(test_any_records),
		TEST(test_elf_core),
		TEST(test_elf_core_of_every_length),
		TEST(test_no_core),
		TEST(test_flattened_twice),
		TEST(test_changed_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
