// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/notes.h"
#include "tests/unit/failing.h"

static void test_bytes_of_a_note(void **state)
{
	static const uint8_t expected[] = { 5, 0, 0, 0, 3, 0, 0, 0, 0x21, 0x43, 0x65, 0x87, 'Q',
		'E', 'M', 'U', 0, 0, 0, 0, 0xa, 0xb, 0xc, 0 };
	struct notes notes;

	(void)state;
	notes_init(&notes, LITTLE);
	notes_append(&notes, "QEMU", 0x87654321, "\xa\xb\xc", 3);
	assert_false(notes.failed);
	assert_int_equal(notes.size, sizeof(expected));
	assert_memory_equal(notes.bytes, expected, sizeof(expected));
	assert_int_equal(note_size("QEMU", 3), sizeof(expected));
	notes_deinit(&notes);
	assert_null(notes.bytes);
	notes_deinit(&notes);
}

static void test_big_endian_header(void **state)
{
	struct notes notes;

	(void)state;
	notes_init(&notes, BIG);
	notes_append(&notes, "LINUX", 0x305, "\1\2\3\4", 4);
	assert_int_equal(notes.size, 24);
	assert_memory_equal(notes.bytes, "\0\0\0\6\0\0\0\4\0\0\3\5LINUX\0\0\0\1\2\3\4", 24);
	notes_deinit(&notes);
}

static void test_sizes_at_the_edges_of_padding(void **state)
{
	(void)state;
	assert_int_equal(note_size("CORE", 336), 12 + 8 + 336);
	assert_int_equal(note_size("VMCOREINFO", 3279), 12 + 12 + 3280);
	assert_int_equal(note_size("ABC", 0), 12 + 4);
	assert_int_equal(note_size("", 1), 12 + 4 + 4);
}

static void test_what_is_written_is_read(void **state)
{
	struct notes notes;
	struct note note;
	size_t offset = 0;

	(void)state;
	notes_init(&notes, BIG);
	notes_append(&notes, "CORE", 1, "12345", 5);
	notes_append(&notes, "ABC", 0xffffffff, NULL, 0);
	notes_append(&notes, "", 2, "x", 1);

	assert_true(notes_next(notes.bytes, notes.size, BIG, &offset, &note));
	assert_string_equal(note.name, "CORE");
	assert_int_equal(note.type, 1);
	assert_int_equal(note.desc_size, 5);
	assert_memory_equal(note.desc, "12345", 5);
	assert_int_equal(offset, 28);

	assert_true(notes_next(notes.bytes, notes.size, BIG, &offset, &note));
	assert_string_equal(note.name, "ABC");
	assert_int_equal(note.type, 0xffffffff);
	assert_int_equal(note.desc_size, 0);
	assert_int_equal(offset, 44);

	assert_true(notes_next(notes.bytes, notes.size, BIG, &offset, &note));
	assert_string_equal(note.name, "");
	assert_int_equal(note.desc_size, 1);
	assert_int_equal(offset, notes.size);

	assert_false(notes_next(notes.bytes, notes.size, BIG, &offset, &note));
	assert_int_equal(offset, notes.size);
	notes_deinit(&notes);
}

static void test_many_notes_grow_the_set(void **state)
{
	static uint8_t desc[5000];
	struct notes notes;
	struct note note;
	size_t offset = 0;

	(void)state;
	notes_init(&notes, LITTLE);
	for (uint32_t i = 0; i < 100; i++) {
		memset(desc, (int)i, sizeof(desc));
		notes_append(&notes, "CORE", i, desc, sizeof(desc));
	}
	assert_false(notes.failed);
	assert_int_equal(notes.size, 100 * 5020);
	for (uint32_t i = 0; i < 100; i++) {
		assert_true(notes_next(notes.bytes, notes.size, LITTLE, &offset, &note));
		assert_int_equal(note.type, i);
		assert_int_equal(note.desc[4999], i);
	}
	notes_deinit(&notes);
}

static void test_a_size_without_measure_fails_for_good(void **state)
{
	struct notes notes;

	(void)state;
	notes_init(&notes, LITTLE);
	notes_append(&notes, "CORE", 1, "1234", 4);
	notes_append(&notes, "CORE", 1, "1234", SIZE_MAX - 2);
	assert_true(notes.failed);
	notes_append(&notes, "CORE", 1, "1234", 4);
	assert_true(notes.failed);
	assert_int_equal(notes.size, 24);
	notes_deinit(&notes);
}

/* Each of these ends the reading, and leaves the offset where it was. */
static void refuse(const char *bytes, size_t size)
{
	uint8_t exact[64]; /* at its end, so that a sanitizer sees what is read behind the note */
	struct note note;
	size_t offset = sizeof(exact) - size;

	memset(exact, 0xff, sizeof(exact));
	memcpy(exact + offset, bytes, size);
	assert_false(notes_next(exact, sizeof(exact), LITTLE, &offset, &note));
	assert_int_equal(offset, sizeof(exact) - size);
}

static void test_broken_notes_are_refused(void **state)
{
	(void)state;
	refuse("", 0);
	refuse("\5\0\0\0\0\0\0\0\1\0\0", 11);                  /* half a header */
	refuse("\5\0\0\0\0\0\0\0\1\0\0\0", 12);                /* no name */
	refuse("\5\0\0\0\0\0\0\0\1\0\0\0CORE\0\0\0", 19);      /* name without its padding */
	refuse("\5\0\0\0\4\0\0\0\1\0\0\0CORE\0\0\0\0abc", 23); /* desc too short */
	refuse("\4\0\0\0\0\0\0\0\1\0\0\0CORE", 16);            /* no NUL */
	refuse("\0\0\0\0\0\0\0\0\0\0\0\0", 12); /* zeros end the kernel's own notes */
	refuse("\xff\xff\xff\xff\0\0\0\0\1\0\0\0CORE\0\0\0\0", 20);
	refuse("\5\0\0\0\xff\xff\xff\xff\1\0\0\0CORE\0\0\0\0", 20);
	refuse("\xfd\xff\xff\xff\xff\xff\xff\xff\1\0\0\0CORE\0\0\0\0", 20);
}

static void test_offset_behind_the_end(void **state)
{
	struct note note;
	size_t offset = 13;

	(void)state;
	assert_false(notes_next(
		(const uint8_t *)"\1\0\0\0\0\0\0\0\0\0\0\0", 12, LITTLE, &offset, &note));
	assert_int_equal(offset, 13);
	offset = SIZE_MAX;
	assert_false(notes_next(
		(const uint8_t *)"\1\0\0\0\0\0\0\0\0\0\0\0", 12, LITTLE, &offset, &note));
	offset = 0;
	assert_false(notes_next(NULL, 0, LITTLE, &offset, &note));
}

static void test_last_padding_may_lack(void **state)
{
	static const char bytes[] = "\5\0\0\0\3\0\0\0\1\0\0\0CORE\0\0\0\0abc";
	struct note note;
	size_t offset = 0;

	(void)state;
	assert_true(notes_next((const uint8_t *)bytes, 23, LITTLE, &offset, &note));
	assert_int_equal(note.desc_size, 3);
	assert_memory_equal(note.desc, "abc", 3);
	assert_int_equal(offset, 23);
	assert_false(notes_next((const uint8_t *)bytes, 23, LITTLE, &offset, &note));
}

static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	while (failing_next(&failing)) {
		static const char large[2000];
		struct notes notes;

		notes_init(&notes, LITTLE);
		notes_append(&notes, "CORE", 1, large, 10);
		notes_append(&notes, "CORE", 2, large, sizeof(large));
		failing_check(&failing, notes.failed ? -1 : 0, notes.failed ? "no memory" : "");
		/* Once it has failed it takes no more: a note in the middle would be missing. */
		notes_append(&notes, "CORE", 3, large, 1);
		assert_int_equal(notes.size, !notes.failed      ? 32 + 2020 + 24
					     : failing.nth == 1 ? 0
								: 32);
		notes_deinit(&notes);
	}
	assert_int_equal(failing.nth, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_of_a_note),
		cmocka_unit_test(test_big_endian_header),
		cmocka_unit_test(test_sizes_at_the_edges_of_padding),
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_many_notes_grow_the_set),
		cmocka_unit_test(test_a_size_without_measure_fails_for_good),
		cmocka_unit_test(test_broken_notes_are_refused),
		cmocka_unit_test(test_offset_behind_the_end),
		cmocka_unit_test(test_last_padding_may_lack),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
