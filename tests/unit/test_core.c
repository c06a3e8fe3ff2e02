// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What core.c does for every format, seen through a format that writes down which operations are
 * called.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/notes.h"
#include "layout/core_format.h"
#include "tests/unit/failing.h"
#include "tests/unit/memory_sink.h"
#include "tests/unit/pieces.h"

/* A word for each operation: "begin p1000+2000:dz finish". */
static char story[1024];
static const char *failing; /* the operation that is to fail */
static unsigned deinits;

static int tell(struct core *core, const char *operation, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int tell(struct core *core, const char *operation, const char *format, ...)
{
	size_t used = strlen(story);
	va_list args;

	va_start(args, format);
	vsnprintf(story + used, sizeof(story) - used, format, args);
	va_end(args);
	return failing && !strcmp(failing, operation) ? core_fail(core, "%s failed", operation) : 0;
}

static int toy_begin(struct core *core)
{
	return tell(core, "begin", "begin");
}

/* " p1000+3000" and a letter for each page: d for data, z for zeros. */
static int toy_put(struct core *core, const struct core_piece *piece)
{
	char pages[CORE_PIECE_PAGES + 1] = "";

	assert_non_null(piece->bytes);
	for (size_t i = 0; i < piece->page_count; i++) {
		assert_false(piece->pages[i].packed);
		pages[i] = piece->pages[i].size ? 'd' : 'z';
	}
	return tell(
		core, "put", " p%llx+%zx:%s", (unsigned long long)piece->paddr, piece->size, pages);
}

static int toy_finish(struct core *core, const struct notes *late)
{
	return tell(core, "finish", late ? " finish+%zu" : " finish", late ? late->size : 0);
}

static void toy_deinit(struct core *core)
{
	(void)core;
	deinits++;
}

struct toy_core {
	struct core core;
	uint8_t more[100];
};

static const struct core_operations toy_operations = {
	.size = sizeof(struct toy_core),
	.begin = toy_begin,
	.put = toy_put,
	.finish = toy_finish,
	.deinit = toy_deinit,
};

static const struct core_format toy_format = { .name = "toy", .operations = &toy_operations };
static const struct core_format seeking_format = {
	.name = "seeking",
	.wants_write_at = true,
	.operations = &toy_operations,
};

static const struct arch toy_arch = { .name = "toy", .order = LITTLE, .page_shift = 12 };

struct fixture {
	struct ranges memory;
	struct notes notes, late;
	struct core_plan plan;
	struct memory_sink sink;
	struct core *core;
	uint8_t *data, *zeros; /* 1 MiB each; data has no zero page */
};

enum { BUFFER = 1 << 20 };

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	story[0] = '\0';
	failing = NULL;
	deinits = 0;
	ranges_init(&f->memory);
	notes_init(&f->notes, LITTLE);
	notes_init(&f->late, LITTLE);
	memory_sink_init(&f->sink, true);
	f->plan = (struct core_plan){
		.arch = &toy_arch,
		.memory = &f->memory,
		.notes = &f->notes,
		.late_note_room = 100,
	};
	f->data = malloc(BUFFER);
	memset(f->data, 0xa5, BUFFER);
	f->zeros = calloc(1, BUFFER);
	*state = f;
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
	free(f->data);
	free(f->zeros);
	free(f);
	return 0;
}

static void create(struct fixture *f)
{
	f->core = core_create(&toy_format, &f->plan, &f->sink.sink);
	assert_non_null(f->core);
}

static void add(struct fixture *f, uint64_t start, uint64_t size)
{
	assert_int_equal(ranges_add(&f->memory, start, size), 0);
}

static void fails_with(struct fixture *f, const char *text)
{
	assert_non_null(core_error(f->core));
	assert_string_equal(core_error(f->core), text);
}

static void test_formats(void **state)
{
	(void)state;
	assert_ptr_equal(core_formats[0], &elf_format);
	assert_ptr_equal(core_format_find("elf"), &elf_format);
	assert_null(core_format_find("ELF"));
	assert_null(core_format_find("el"));
	assert_null(core_format_find(""));
	for (size_t i = 0; core_formats[i]; i++)
		assert_ptr_equal(core_format_find(core_formats[i]->name), core_formats[i]);
	/* QEMU's names for the seekable form. */
	assert_ptr_equal(core_format_find("kdump-raw-zlib"), &kdump_zlib_format);
	assert_ptr_equal(core_format_find("kdump-raw-lzo"), &kdump_lzo_format);
	assert_ptr_equal(core_format_find("kdump-raw-snappy"), &kdump_snappy_format);
	assert_null(core_format_find("kdump-raw-elf"));
}

static void test_whole_core(void **state)
{
	struct fixture *f = *state;

	add(f, 0x1000, 0x2000);
	add(f, 0x8000, 0x1000);
	create(f);
	assert_null(core_error(f->core));
	assert_int_equal(put_memory(f->core, 0x1000, f->data, 0x2000), 0);
	assert_int_equal(put_memory(f->core, 0x8000, f->data, 0x1000), 0);
	assert_int_equal(core_finish(f->core, NULL), 0);
	assert_null(core_error(f->core));
	assert_string_equal(story, "begin p1000+2000:dd p8000+1000:d finish");
	assert_int_equal(core_zero_bytes(f->core), 0);
	assert_int_equal(deinits, 0);
	core_destroy(f->core);
	f->core = NULL;
	assert_int_equal(deinits, 1);
	core_destroy(NULL);
}

static void test_zero_pages(void **state)
{
	struct fixture *f = *state;

	add(f, 0x10000, 0x10000);
	create(f);
	/* Page 2 and the last byte of page 5 are not zero. */
	f->zeros[0x2000] = 1;
	f->zeros[0x5fff] = 1;
	assert_int_equal(put_memory(f->core, 0x10000, f->zeros, 0x8000), 0);
	assert_string_equal(story, "begin p10000+8000:zzdzzdzz");
	assert_int_equal(core_zero_bytes(f->core), 0x6000);
	for (uint64_t paddr = 0x18000; paddr < 0x1f000; paddr += 0x1000)
		assert_int_equal(put_memory(f->core, paddr, f->zeros, 0x1000), 0);
	assert_int_equal(put_memory(f->core, 0x1f000, f->data, 0x1000), 0);
	assert_int_equal(core_zero_bytes(f->core), 0xd000);
	assert_int_equal(core_finish(f->core, NULL), 0);
}

/* What a piece has at the most, and what it must not cross. */
static void test_largest_pieces(void **state)
{
	struct fixture *f = *state;

	add(f, 0x8000, 0x20000);
	create(f);
	assert_int_equal(put_memory(f->core, 0x8000, f->data, 0x20000), 0);
	assert_string_equal(story,
		"begin p8000+8000:dddddddd p10000+10000:dddddddddddddddd p20000+8000:dddddddd");
}

/* Pages that a range, or a piece, holds in part are told by that part. */
static void test_odd_boundaries(void **state)
{
	struct fixture *f = *state;

	add(f, 0x800, 0x3400); /* up to 0x3bff */
	create(f);
	f->zeros[0x800] = 1; /* 0x1000, the start of the next page */
	assert_int_equal(put_memory(f->core, 0x800, f->zeros, 0x3400), 0);
	assert_string_equal(story, "begin p800+3400:zdzz");
	assert_int_equal(core_zero_bytes(f->core), 0x2400);
	assert_int_equal(core_finish(f->core, NULL), 0);
}

static void test_odd_pieces(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x2000);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->zeros, 0x1), 0);
	assert_int_equal(put_memory(f->core, 0x1, f->data, 0x1), 0);
	assert_int_equal(put_memory(f->core, 0x2, f->zeros, 0x17fe), 0);
	assert_int_equal(put_memory(f->core, 0x1800, f->zeros, 0x7ff), 0);
	assert_int_equal(put_memory(f->core, 0x1fff, f->zeros, 0x1), 0);
	assert_string_equal(story, "begin p0+1:z p1+1:d p2+17fe:zz p1800+7ff:z p1fff+1:z");
	assert_int_equal(core_zero_bytes(f->core), 0x1fff);
	assert_int_equal(core_finish(f->core, NULL), 0);
}

static void test_large_pages(void **state)
{
	static const struct arch large = { .name = "large", .order = BIG, .page_shift = 16 };
	struct fixture *f = *state;

	f->plan.arch = &large;
	add(f, 0, 0x20000);
	create(f);
	f->zeros[0xffff] = 1;
	assert_int_equal(put_memory(f->core, 0, f->zeros, 0x20000), 0);
	assert_string_equal(story, "begin p0+10000:d p10000+10000:z");
	assert_int_equal(core_zero_bytes(f->core), 0x10000);
}

static void test_gap_within_a_range(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x3000);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1000), 0);
	assert_int_equal(put_memory(f->core, 0x2000, f->data, 0x1000), -1);
	fails_with(f, "memory at 0x2000 came where 0x1000 was due");
}

/* Pages 1, 2 and 5 are left out, as is all of the second range but its last page, of which it has a
 * part. */
static void test_pages_left_out(void **state)
{
	struct fixture *f = *state;
	struct page_set kept;

	add(f, 0, 0x6000);
	add(f, 0x10000, 0x2800);
	assert_int_equal(page_set_init(&kept, &f->memory, 12), 0);
	page_set_remove(&kept, 1, 2);
	page_set_remove(&kept, 5, 13);
	f->plan.kept = &kept;
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1000), 0);
	assert_int_equal(put_memory(f->core, 0x3000, f->data, 0x1000), 0);
	assert_int_equal(put_memory(f->core, 0x4000, f->zeros, 0x1000), 0);
	assert_int_equal(put_memory(f->core, 0x12000, f->data, 0x800), 0);
	assert_int_equal(core_finish(f->core, NULL), 0);
	assert_string_equal(story, "begin p0+1000:d p3000+1000:d p4000+1000:z p12000+800:d finish");
	assert_int_equal(core_zero_bytes(f->core), 0x1000);
	core_destroy(f->core);

	create(f);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1001), -1);
	fails_with(f, "memory at 0x0 reaches over the end of what is kept");
	core_destroy(f->core);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1000), 0);
	assert_int_equal(put_memory(f->core, 0x1000, f->data, 0x1000), -1);
	fails_with(f, "memory at 0x1000 came where 0x3000 was due");
	core_destroy(f->core);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1000), 0);
	assert_int_equal(core_finish(f->core, NULL), -1);
	fails_with(f, "memory from 0x3000 on was not written");
	page_set_deinit(&kept);
}

static void test_no_page_kept(void **state)
{
	struct fixture *f = *state;
	struct page_set kept;

	add(f, 0, 0x6000);
	assert_int_equal(page_set_init(&kept, &f->memory, 12), 0);
	page_set_remove(&kept, 0, 6);
	f->plan.kept = &kept;
	create(f);
	assert_int_equal(core_finish(f->core, NULL), 0);
	assert_string_equal(story, "begin finish");
	page_set_deinit(&kept);
}

static void test_wrong_order(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x1000);
	add(f, 0x2000, 0x1000);
	create(f);
	assert_int_equal(put_memory(f->core, 0x2000, f->data, 0x1000), -1);
	fails_with(f, "memory at 0x2000 came where 0x0 was due");
}

static void test_same_memory_twice(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x1000);
	add(f, 0x2000, 0x1000);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1000), 0);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1000), -1);
	fails_with(f, "memory at 0x0 came where 0x2000 was due");
}

static void test_piece_over_the_end(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x2c00);
	add(f, 0x100000, 0x1000);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x2000), 0);
	assert_int_equal(put_memory(f->core, 0x2000, f->data, 0xc01), -1);
	fails_with(f, "memory at 0x2000 reaches over the end of what is kept");
	assert_string_equal(story, "begin p0+2000:dd");
}

static void test_too_much_memory(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x1000);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1000), 0);
	assert_int_equal(put_memory(f->core, 0x1000, f->data, 1), -1);
	fails_with(f, "memory at 0x1000 came when all was written");
}

static void test_missing_memory(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x1000);
	add(f, 0x2000, 0x1000);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1000), 0);
	assert_int_equal(put_memory(f->core, 0x2000, f->data, 0xfff), 0);
	assert_int_equal(core_finish(f->core, NULL), -1);
	fails_with(f, "memory from 0x2fff on was not written");
	assert_string_equal(story, "begin p0+1000:d p2000+fff:d");
}

static void test_failure_sticks(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x1000);
	create(f);
	assert_int_equal(put_memory(f->core, 0x5000, f->data, 1), -1);
	fails_with(f, "memory at 0x5000 came where 0x0 was due");
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1000), -1);
	assert_int_equal(core_finish(f->core, NULL), -1);
	fails_with(f, "memory at 0x5000 came where 0x0 was due");
	assert_string_equal(story, "begin");
}

static void test_after_the_end(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x1000);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1000), 0);
	assert_int_equal(core_finish(f->core, NULL), 0);
	assert_int_equal(core_finish(f->core, NULL), -1);
	fails_with(f, "the core was finished before");
	assert_string_equal(story, "begin p0+1000:d finish");
}

static void test_memory_after_the_end(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x1000);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1000), 0);
	assert_int_equal(core_finish(f->core, NULL), 0);
	assert_int_equal(put_memory(f->core, 0x1000, f->data, 0x1000), -1);
	fails_with(f, "memory at 0x1000 came after the end of the core");
}

/* A format that fails is not called again, but gives back what it holds. */
static void check_failing(struct fixture *f, const char *operation, const char *expected)
{
	char text[32];

	failing = operation;
	story[0] = '\0';
	deinits = 0;
	create(f);
	put_memory(f->core, 0, f->data, 0x1000);
	put_memory(f->core, 0x1000, f->zeros, 0x1000);
	put_memory(f->core, 0x2000, f->data, 0x1000);
	assert_int_equal(core_finish(f->core, NULL), -1);
	snprintf(text, sizeof(text), "%s failed", operation);
	fails_with(f, text);
	assert_string_equal(story, expected);
	core_destroy(f->core);
	f->core = NULL;
	assert_int_equal(deinits, 1);
}

static void test_failing_operations(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x3000);
	check_failing(f, "begin", "begin");
	check_failing(f, "put", "begin p0+1000:d");
	check_failing(f, "finish", "begin p0+1000:d p1000+1000:z p2000+1000:d finish");
}

static void test_late_notes(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x1000);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1000), 0);
	notes_append(&f->late, "VMCOREINFO", 0, f->data, 76); /* 12 + 12 + 76 bytes */
	assert_int_equal(core_finish(f->core, &f->late), 0);
	assert_string_equal(story, "begin p0+1000:d finish+100");
}

static void test_empty_late_notes(void **state)
{
	struct fixture *f = *state;

	f->plan.late_note_room = 0;
	add(f, 0, 0x1000);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1000), 0);
	assert_int_equal(core_finish(f->core, &f->late), 0);
	assert_string_equal(story, "begin p0+1000:d finish");
}

static void test_late_notes_too_large(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x1000);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1000), 0);
	notes_append(&f->late, "VMCOREINFO", 0, f->data, 77);
	assert_int_equal(core_finish(f->core, &f->late), -1);
	fails_with(f, "104 bytes of late notes do not fit the room of 100");
	assert_string_equal(story, "begin p0+1000:d");
}

static void test_late_notes_failed(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x1000);
	create(f);
	assert_int_equal(put_memory(f->core, 0, f->data, 0x1000), 0);
	f->late.failed = true;
	assert_int_equal(core_finish(f->core, &f->late), -1);
	fails_with(f, "no memory");
}

static void test_no_memory_in_the_plan(void **state)
{
	struct fixture *f = *state;

	create(f);
	fails_with(f, "there is no memory to write");
	assert_int_equal(core_finish(f->core, NULL), -1);
	assert_string_equal(story, "");
}

static void test_notes_failed(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x1000);
	f->notes.failed = true;
	create(f);
	fails_with(f, "no memory");
	assert_string_equal(story, "");
}

static void test_notes_too_large(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x1000);
	notes_append(&f->notes, "CORE", 1, NULL, 0); /* 20 bytes */
	f->plan.late_note_room = (64 << 20) - 20;
	create(f);
	assert_null(core_error(f->core));
	core_destroy(f->core);
	f->plan.late_note_room++;
	create(f);
	fails_with(f, "the notes are larger than 67108864 bytes");
	core_destroy(f->core);
	f->plan.late_note_room = SIZE_MAX;
	create(f);
	fails_with(f, "the notes are larger than 67108864 bytes");
}

static void test_room_without_write_at(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x1000);
	f->sink.sink.write_at = NULL;
	create(f);
	fails_with(f, "a late note needs an output that can be rewritten");
	core_destroy(f->core);
	f->plan.late_note_room = 0;
	create(f);
	assert_null(core_error(f->core));
}

static void test_format_that_seeks(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0x1000);
	f->plan.late_note_room = 0;
	f->sink.sink.write_at = NULL;
	f->core = core_create(&seeking_format, &f->plan, &f->sink.sink);
	fails_with(f, "format seeking needs an output that can be rewritten");
	assert_string_equal(story, "");
}

static void test_codec_that_is_not_built(void **state)
{
	static const struct codec codec = { .name = "toy", .library = "toylib" };
	static const struct core_format format = {
		.name = "toy", .codec = &codec, .operations = &toy_operations
	};
	struct fixture *f = *state;

	add(f, 0, 0x1000);
	assert_false(core_format_is_built(&format));
	assert_true(core_format_is_built(&toy_format));
	f->core = core_create(&format, &f->plan, &f->sink.sink);
	fails_with(f, "this rspdump was built without toylib");
	assert_string_equal(story, "");
}

static void test_size_is_the_formats_to_tell(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(core_expected_size(&toy_format, &f->plan), 0);
}

static void test_mapped_memory(void **state)
{
	static const struct core_mapping mappings[] = {
		{ .vaddr = 1, .paddr = 0x8000, .size = 0x1000 },
		{ .vaddr = 2, .paddr = 0x1000, .size = 0x2000 },
		{ .vaddr = 3, .paddr = 0x2000, .size = 0x800 },
		{ .vaddr = 4, .paddr = 0x7000, .size = 0x1000 },
		{ .vaddr = 5, .paddr = 0x2800, .size = 0x1000 },
	};
	static const struct core_mapping empty = { .paddr = 0x1000 };
	struct fixture *f = *state;

	assert_int_equal(core_mapped_memory(NULL, 0, &f->memory), 0);
	assert_int_equal(f->memory.count, 0);
	assert_int_equal(core_mapped_memory(mappings, 5, &f->memory), 0);
	assert_int_equal(f->memory.count, 2);
	assert_int_equal(f->memory.items[0].start, 0x1000);
	assert_int_equal(f->memory.items[0].size, 0x2800);
	assert_int_equal(f->memory.items[1].start, 0x7000);
	assert_int_equal(f->memory.items[1].size, 0x2000);
	assert_int_equal(core_mapped_memory(&empty, 1, &f->memory), -1);
}

static void test_no_memory(void **state)
{
	struct fixture *f = *state;
	struct failing rounds = { .what = FAILING_ALLOCATIONS };

	add(f, 0x1000, 0x2000);
	while (failing_next(&rounds)) {
		struct core *core = core_create(&toy_format, &f->plan, &f->sink.sink);
		struct core_worker *worker = core ? core_worker_create(core) : NULL;

		failing_check(&rounds, worker ? 0 : -1, worker ? "" : "no memory");
		core_worker_destroy(worker);
		core_destroy(core);
	}
	assert_int_equal(rounds.nth, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		TEST(test_whole_core),
		TEST(test_zero_pages),
		TEST(test_largest_pieces),
		TEST(test_odd_boundaries),
		TEST(test_odd_pieces),
		TEST(test_large_pages),
		TEST(test_gap_within_a_range),
		TEST(test_pages_left_out),
		TEST(test_no_page_kept),
		TEST(test_wrong_order),
		TEST(test_same_memory_twice),
		TEST(test_piece_over_the_end),
		TEST(test_too_much_memory),
		TEST(test_missing_memory),
		TEST(test_failure_sticks),
		TEST(test_after_the_end),
		TEST(test_memory_after_the_end),
		TEST(test_failing_operations),
		TEST(test_late_notes),
		TEST(test_empty_late_notes),
		TEST(test_late_notes_too_large),
		TEST(test_late_notes_failed),
		TEST(test_no_memory_in_the_plan),
		TEST(test_notes_failed),
		TEST(test_notes_too_large),
		TEST(test_room_without_write_at),
		TEST(test_format_that_seeks),
		TEST(test_codec_that_is_not_built),
		TEST(test_size_is_the_formats_to_tell),
		TEST(test_mapped_memory),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
