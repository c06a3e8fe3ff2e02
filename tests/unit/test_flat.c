// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The flattened stream byte for byte, and rearranged by a few lines of our own against what a sink
 * that can be rewritten makes of the same calls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "layout/flat.h"
#include "tests/unit/failing.h"
#include "tests/unit/memory_sink.h"

/* Where the records begin, and what "makedumpfile" has in front of them. */
enum { RECORDS = 4096, GATHERED = 262144 };

struct fixture {
	struct memory_sink under;
	struct flat *flat;
	struct sink *sink;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	memory_sink_init(&f->under, false);
	f->flat = flat_create(&f->under.sink);
	assert_non_null(f->flat);
	f->sink = flat_sink(f->flat);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	flat_destroy(f->flat);
	memory_sink_deinit(&f->under);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *text)
{
	assert_int_equal(f->sink->write(f->sink, text, strlen(text)), 0);
}

static void put_zeros(struct fixture *f, uint64_t size)
{
	assert_int_equal(f->sink->zero(f->sink, size), 0);
}

static void put_at(struct fixture *f, uint64_t offset, const char *text)
{
	assert_int_equal(f->sink->write_at(f->sink, offset, text, strlen(text)), 0);
}

/* Ends the stream, which must be the header and these bytes. */
static void ends_as(struct fixture *f, const char *records, size_t size)
{
	static const uint8_t header[32] = "makedumpfile\0\0\0\0"
					  "\0\0\0\0\0\0\0\1"
					  "\0\0\0\0\0\0\0\1";
	static const uint8_t zeros[RECORDS - sizeof(header)];

	assert_int_equal(flat_finish(f->flat), 0);
	assert_int_equal(f->under.size, RECORDS + size);
	assert_memory_equal(f->under.bytes, header, sizeof(header));
	assert_memory_equal(f->under.bytes + sizeof(header), zeros, sizeof(zeros));
	assert_memory_equal(f->under.bytes + RECORDS, records, size);
}

/* A string's bytes without its NUL; a record's header of numbers below 256; the end's. */
#define ENDS_AS(f, records) ends_as(f, records, sizeof(records) - 1)
#define NUMBER(digits)      "\0\0\0\0\0\0\0" digits
#define END                 "\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377"

static void test_empty(void **state)
{
	ENDS_AS((struct fixture *)*state, END);
}

static void test_one_record(void **state)
{
	struct fixture *f = *state;

	put(f, "abc");
	/* Nothing goes out before it has to. */
	assert_int_equal(f->under.size, 0);
	ENDS_AS(f, NUMBER("\0") NUMBER("\3") "abc" END);
}

static void test_bytes_in_a_row_are_gathered(void **state)
{
	struct fixture *f = *state;

	put(f, "abc");
	put(f, "");
	put(f, "de");
	put(f, "f");
	ENDS_AS(f, NUMBER("\0") NUMBER("\6") "abcdef" END);
}

static void test_zeros_are_gaps(void **state)
{
	struct fixture *f = *state;

	put_zeros(f, 2);
	put(f, "abc");
	put_zeros(f, 5);
	put_zeros(f, 1);
	put(f, "de");
	ENDS_AS(f, NUMBER("\2") NUMBER("\3") "abc" NUMBER("\13") NUMBER("\2") "de" END);
}

/* What is replaced comes behind what it replaces, and does not move the end. */
static void test_replaced_bytes_come_later(void **state)
{
	struct fixture *f = *state;

	put(f, "abcdef");
	put_at(f, 1, "XY");
	put(f, "gh");
	put_at(f, 0, "Z");
	ENDS_AS(f, NUMBER("\0") NUMBER("\6") "abcdef" NUMBER("\1") NUMBER("\2") "XY" NUMBER("\6")
			   NUMBER("\2") "gh" NUMBER("\0") NUMBER("\1") "Z" END);
}

static void test_replaced_zeros(void **state)
{
	struct fixture *f = *state;

	put_zeros(f, 4);
	put_at(f, 1, "X");
	put(f, "a");
	ENDS_AS(f, NUMBER("\1") NUMBER("\1") "X" NUMBER("\4") NUMBER("\1") "a" END);
}

/* The last of them is in a record, so that the file is as long as it is. */
static void test_zeros_at_the_end(void **state)
{
	struct fixture *f = *state;

	put(f, "ab");
	put_zeros(f, 10);
	ENDS_AS(f, NUMBER("\0") NUMBER("\2") "ab" NUMBER("\13") NUMBER("\1") "\0" END);
}

static void test_only_zeros(void **state)
{
	struct fixture *f = *state;

	put_zeros(f, 3);
	ENDS_AS(f, NUMBER("\2") NUMBER("\1") "\0" END);
}

static void test_no_zeros_at_the_end(void **state)
{
	struct fixture *f = *state;

	put(f, "ab");
	put_zeros(f, 0);
	put_zeros(f, 3);
	put_at(f, 3, "XY");
	/* 0 1 are ab, 2 is zero, 3 and 4 are XY and the last. */
	ENDS_AS(f, NUMBER("\0") NUMBER("\2") "ab" NUMBER("\3") NUMBER("\2") "XY" END);
}

static void test_zeros_behind_replaced_ones(void **state)
{
	struct fixture *f = *state;

	put_zeros(f, 6);
	put_at(f, 3, "XY");
	ENDS_AS(f, NUMBER("\3") NUMBER("\2") "XY" NUMBER("\5") NUMBER("\1") "\0" END);
}

static void test_offsets_of_64_bits(void **state)
{
	struct fixture *f = *state;

	put_zeros(f, UINT64_C(0x0102030405060708));
	put(f, "a");
	put_at(f, UINT64_C(0x0102030405060700), "b");
	ENDS_AS(f, "\1\2\3\4\5\6\7\10" NUMBER("\1") "a"
						    "\1\2\3\4\5\6\7\0" NUMBER("\1") "b" END);
}

/* ---- large records --------------------------------------------------------------------------- */

static uint64_t number_at(const struct fixture *f, size_t at)
{
	uint64_t number = 0;

	assert_in_range(at + 8, 0, f->under.size);
	for (size_t i = 0; i < 8; i++)
		number = number << 8 | f->under.bytes[at + i];
	return number;
}

static void record_is(const struct fixture *f, size_t at, uint64_t offset, uint64_t size)
{
	assert_int_equal(number_at(f, at), offset);
	assert_int_equal(number_at(f, at + 8), size);
}

static uint8_t pattern(size_t at)
{
	return (uint8_t)(at % 251);
}

/* A record has up to 256 KiB, however the bytes come. */
static void check_large(struct fixture *f, size_t part)
{
	enum { SIZE = 2 * GATHERED + 1000 };
	uint8_t *bytes = malloc(SIZE);
	size_t at = RECORDS;

	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = pattern(i);
	for (size_t i = 0; i < SIZE; i += part)
		assert_int_equal(
			f->sink->write(f->sink, bytes + i, part < SIZE - i ? part : SIZE - i), 0);
	assert_int_equal(f->under.size, RECORDS + 2 * (16 + GATHERED));
	assert_int_equal(flat_finish(f->flat), 0);
	assert_int_equal(f->under.size, RECORDS + 3 * 16 + SIZE + 16);
	record_is(f, at, 0, GATHERED);
	assert_memory_equal(f->under.bytes + at + 16, bytes, GATHERED);
	at += 16 + GATHERED;
	record_is(f, at, GATHERED, GATHERED);
	assert_memory_equal(f->under.bytes + at + 16, bytes + GATHERED, GATHERED);
	at += 16 + GATHERED;
	record_is(f, at, 2 * GATHERED, 1000);
	assert_memory_equal(f->under.bytes + at + 16, bytes + 2 * GATHERED, 1000);
	at += 16 + 1000;
	record_is(f, at, UINT64_MAX, UINT64_MAX);
	free(bytes);
}

static void test_large_at_once(void **state)
{
	check_large(*state, 2 * GATHERED + 1000);
}

static void test_large_in_parts(void **state)
{
	check_large(*state, 777);
}

/* ---- rearranged ------------------------------------------------------------------------------ */

/* What the stream becomes: a few lines that share nothing with the program. */
static uint8_t *rearrange(const struct fixture *f, size_t *size)
{
	uint8_t *file = calloc(1, 1 << 20);
	size_t at = RECORDS;

	assert_non_null(file);
	*size = 0;
	for (;;) {
		uint64_t offset = number_at(f, at), length = number_at(f, at + 8);

		at += 16;
		if (offset == UINT64_MAX && length == UINT64_MAX)
			break;
		assert_in_range(offset + length, 1, 1 << 20);
		assert_in_range(at + length, 0, f->under.size);
		memcpy(file + offset, f->under.bytes + at, length);
		if (offset + length > *size)
			*size = offset + length;
		at += length;
	}
	assert_int_equal(at, f->under.size);
	return file;
}

static uint32_t seed;

static uint32_t below(uint32_t end)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % end;
}

/* The same call of both sinks. */
static void any_call(struct sink *sinks[2], size_t *size)
{
	uint8_t bytes[500];
	size_t count = below(sizeof(bytes));
	uint32_t kind = below(4);
	size_t at = *size ? below((uint32_t)*size) : 0;

	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)below(256);
	if (kind == 3 && count > *size - at)
		count = *size - at;
	for (size_t i = 0; i < 2; i++) {
		struct sink *sink = sinks[i];

		if (kind == 2)
			assert_int_equal(sink->zero(sink, count), 0);
		else if (kind == 3 && count)
			assert_int_equal(sink->write_at(sink, at, bytes, count), 0);
		else if (kind < 2)
			assert_int_equal(sink->write(sink, bytes, count), 0);
	}
	if (kind < 3)
		*size += count;
}

static void test_any_calls_rearranged(void **state)
{
	(void)state;
	seed = 20240229;
	for (unsigned turn = 0; turn < 300; turn++) {
		struct memory_sink direct;
		struct fixture *f;
		struct sink *sinks[2];
		size_t size = 0, rearranged_size;
		uint8_t *rearranged;
		unsigned calls = below(100);

		setup((void **)&f);
		memory_sink_init(&direct, true);
		sinks[0] = &direct.sink;
		sinks[1] = f->sink;
		while (calls--)
			any_call(sinks, &size);
		assert_int_equal(flat_finish(f->flat), 0);
		rearranged = rearrange(f, &rearranged_size);
		assert_int_equal(rearranged_size, size);
		assert_int_equal(direct.size, size);
		if (size)
			assert_memory_equal(rearranged, direct.bytes, size);
		free(rearranged);
		memory_sink_deinit(&direct);
		teardown((void **)&f);
	}
}

/* ---- failures -------------------------------------------------------------------------------- */

/* All that goes out goes out in one of these calls. Returns how many of them worked. */
static unsigned run_story(struct fixture *f)
{
	unsigned worked = 0;

	if (f->sink->write(f->sink, "abc", 3))
		return worked;
	worked++;
	if (f->sink->zero(f->sink, 10))
		return worked;
	worked++;
	if (f->sink->write(f->sink, "de", 2))
		return worked;
	worked++;
	if (f->sink->write_at(f->sink, 0, "X", 1))
		return worked;
	worked++;
	if (f->sink->zero(f->sink, 10))
		return worked;
	worked++;
	return flat_finish(f->flat) ? worked : worked + 1;
}

static void test_failing_sink(void **state)
{
	/*
	 * Header, record and bytes of "abc" with the zeros; record and bytes of "de" and of "X"
	 * with what is replaced; record and byte of the last zero and the end with the end.
	 */
	static const unsigned worked[] = { 1, 1, 1, 3, 3, 3, 3, 5, 5, 5, 6 };

	(void)state;
	for (unsigned i = 0; i < sizeof(worked) / sizeof(*worked); i++) {
		struct fixture *f;

		setup((void **)&f);
		f->under.fail_at = i + 1;
		assert_int_equal(run_story(f), worked[i]);
		assert_string_equal(f->sink->error(f->sink), MEMORY_SINK_ERROR);
		teardown((void **)&f);
	}
}

static void test_failing_sink_of_an_empty_file(void **state)
{
	struct fixture *f = *state;

	f->under.fail_at = 1;
	assert_int_equal(flat_finish(f->flat), -1);
	flat_destroy(NULL);
}

static void test_failing_sink_of_large_writes(void **state)
{
	struct fixture *f = *state;
	uint8_t *bytes = calloc(1, GATHERED + 1);

	f->under.fail_at = 3; /* the bytes of the first record */
	assert_int_equal(f->sink->write(f->sink, bytes, GATHERED - 1), 0);
	assert_int_equal(f->under.calls, 0);
	assert_int_equal(f->sink->write(f->sink, bytes, 2), -1);
	assert_int_equal(f->under.calls, 3);
	free(bytes);
}

static void test_no_memory(void **state)
{
	struct fixture *f = *state;
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	while (failing_next(&failing)) {
		struct flat *flat = flat_create(&f->under.sink);

		failing_check(&failing, flat ? 0 : -1, flat ? "" : "no memory");
		flat_destroy(flat);
	}
	assert_int_equal(failing.nth, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),
		TEST(test_one_record),
		TEST(test_bytes_in_a_row_are_gathered),
		TEST(test_zeros_are_gaps),
		TEST(test_replaced_bytes_come_later),
		TEST(test_replaced_zeros),
		TEST(test_zeros_at_the_end),
		TEST(test_only_zeros),
		TEST(test_no_zeros_at_the_end),
		TEST(test_zeros_behind_replaced_ones),
		TEST(test_offsets_of_64_bits),
		TEST(test_large_at_once),
		TEST(test_large_in_parts),
		cmocka_unit_test(test_any_calls_rearranged),
		cmocka_unit_test(test_failing_sink),
		TEST(test_failing_sink_of_an_empty_file),
		TEST(test_failing_sink_of_large_writes),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
