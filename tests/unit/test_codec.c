// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every codec of this build on pages of every kind and size, at every level, against the
 * decompressor of its library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "layout/codec.h"
#include "tests/unit/decompress.h"
#include "tests/unit/failing.h"

static const struct codec *const codecs[] = { &codec_zlib, &codec_lzo, &codec_snappy, &codec_zstd };
static const size_t sizes[] = { 4096, 16384, 65536 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { PAGE_MAX = 65536, CANARY = 64 };

static uint32_t seed;

static uint8_t next_random(void)
{
	seed = seed * 1664525 + 1013904223;
	return (uint8_t)(seed >> 24);
}

/* ---- kinds of pages -------------------------------------------------------------------------- */

static void zeros(uint8_t *page, size_t size)
{
	memset(page, 0, size);
}

static void ones(uint8_t *page, size_t size)
{
	memset(page, 0xff, size);
}

static void counting(uint8_t *page, size_t size)
{
	for (size_t i = 0; i < size; i++)
		page[i] = (uint8_t)i;
}

static void pointers(uint8_t *page, size_t size)
{
	for (size_t i = 0; i < size; i += 8) {
		uint8_t word[8] = { (uint8_t)(i * 13), (uint8_t)(i >> 5), 0xa0, 0x12, 0x81, 0x88,
			0xff, 0xff };

		memcpy(page + i, word, 8);
	}
}

static void text(uint8_t *page, size_t size)
{
	static const char *const words[] = { "memory ", "of ", "the ", "guest, ", "a page ",
		"and its ", "frame\n", "stub " };
	size_t at = 0;

	while (at < size) {
		const char *word = words[next_random() % COUNT(words)];

		for (; *word && at < size; word++)
			page[at++] = (uint8_t)*word;
	}
}

/* One byte of it is not zero. */
static void nearly_zeros(uint8_t *page, size_t size)
{
	memset(page, 0, size);
	page[size - 1] = 1;
}

static void half_noise(uint8_t *page, size_t size)
{
	memset(page, 0x55, size);
	for (size_t i = size / 2; i < size; i++)
		page[i] = next_random();
}

static void noise(uint8_t *page, size_t size)
{
	for (size_t i = 0; i < size; i++)
		page[i] = next_random();
}

/* All become smaller but the last. */
static void (*const kinds[])(uint8_t *page, size_t size) = {
	zeros,
	ones,
	counting,
	pointers,
	text,
	nearly_zeros,
	half_noise,
	noise,
};

enum { NOISE = COUNT(kinds) - 1 };

/* ---- what is done with them ------------------------------------------------------------------ */

static void make(size_t kind, uint8_t *page, size_t size)
{
	seed = (uint32_t)(1 + kind + size);
	kinds[kind](page, size);
}

/* Compresses into exactly the room that the codec asks for. Returns the size. */
static size_t compress_bounded(
	const struct codec *codec, void *context, const uint8_t *page, size_t size, uint8_t *to)
{
	size_t bound = codec->bound(size);
	size_t written;

	memset(to, 0xc3, bound + CANARY);
	written = codec->compress(context, page, size, to);
	assert_in_range(written, 0, bound);
	for (size_t i = 0; i < CANARY; i++)
		assert_int_equal(to[bound + i], 0xc3);
	return written;
}

static uint8_t *new_output(const struct codec *codec)
{
	uint8_t *output = malloc(codec->bound(PAGE_MAX) + CANARY);

	assert_non_null(output);
	return output;
}

static unsigned first_level(const struct codec *codec)
{
	return codec->level_max ? 1 : 0;
}

static void test_names(void **state)
{
	static const struct {
		const char *name, *package;
		unsigned level_max, level;
	} rows[] = {
		{ "zlib", "zlib1g-dev", 9, 1 },
		{ "lzo", "liblzo2-dev", 0, 0 },
		{ "snappy", "libsnappy-dev", 0, 0 },
		{ "zstd", "libzstd-dev", 19, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(codecs); i++) {
		assert_string_equal(codecs[i]->name, rows[i].name);
		assert_string_equal(codecs[i]->library, rows[i].name);
		assert_string_equal(codecs[i]->package, rows[i].package);
		assert_int_equal(codecs[i]->level_max, rows[i].level_max);
		assert_int_equal(codecs[i]->level, rows[i].level);
	}
}

/* All of its functions, or none. */
static void test_built_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(codecs); i++) {
		const struct codec *codec = codecs[i];
		bool built = codec_is_built(codec);

		assert_int_equal(codec->create != NULL, built);
		assert_int_equal(codec->destroy != NULL, built);
		assert_int_equal(codec->bound != NULL, built);
	}
}

static void check_round_trips(const struct codec *codec)
{
	uint8_t *page = malloc(PAGE_MAX);
	uint8_t *output = new_output(codec);

	for (unsigned level = first_level(codec); level <= codec->level_max; level++) {
		void *context = codec->create(level);

		assert_non_null(context);
		for (size_t kind = 0; kind < COUNT(kinds); kind++) {
			for (size_t i = 0; i < COUNT(sizes); i++) {
				size_t written;

				make(kind, page, sizes[i]);
				written = compress_bounded(codec, context, page, sizes[i], output);
				if (kind == NOISE) {
					assert_true(written == 0 || written >= sizes[i]);
					continue;
				}
				assert_in_range(written, 1, sizes[i] - 1);
				assert_true(
					decompresses_to(codec, output, written, page, sizes[i]));
			}
		}
		codec->destroy(context);
	}
	free(page);
	free(output);
}

static void test_round_trips(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(codecs); i++)
		if (codec_is_built(codecs[i]))
			check_round_trips(codecs[i]);
}

/* Whatever it compressed before, and how often: the same comes out as of a fresh context. */
static void check_determinism(const struct codec *codec, unsigned level)
{
	uint8_t *page = malloc(PAGE_MAX);
	uint8_t *fresh = new_output(codec), *again = new_output(codec);
	void *used = codec->create(level);

	assert_non_null(used);
	for (size_t turn = 0; turn < 3 * COUNT(kinds); turn++) {
		/* 3 and 8 have no common divisor: each kind comes behind different ones. */
		size_t kind = turn * 3 % COUNT(kinds);
		size_t size = sizes[turn / COUNT(kinds)];
		void *context = codec->create(level);
		size_t written;

		assert_non_null(context);
		make(kind, page, size);
		written = compress_bounded(codec, context, page, size, fresh);
		codec->destroy(context);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(compress_bounded(codec, used, page, size, again), written);
			if (written < size)
				assert_memory_equal(again, fresh, written);
		}
	}
	codec->destroy(used);
	free(page);
	free(fresh);
	free(again);
}

static void test_determinism(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(codecs); i++) {
		const struct codec *codec = codecs[i];

		if (!codec_is_built(codec))
			continue;
		for (unsigned level = first_level(codec); level <= codec->level_max; level++)
			check_determinism(codec, level);
	}
}

/* Levels do something: the highest makes text smaller than the lowest. */
static void test_levels(void **state)
{
	uint8_t *page = malloc(PAGE_MAX);

	(void)state;
	make(4, page, PAGE_MAX);
	for (size_t i = 0; i < COUNT(codecs); i++) {
		const struct codec *codec = codecs[i];
		uint8_t *output;
		size_t fast, small;
		void *context;

		if (!codec_is_built(codec) || !codec->level_max)
			continue;
		output = new_output(codec);
		context = codec->create(1);
		fast = compress_bounded(codec, context, page, PAGE_MAX, output);
		codec->destroy(context);
		context = codec->create(codec->level_max);
		small = compress_bounded(codec, context, page, PAGE_MAX, output);
		codec->destroy(context);
		assert_in_range(small, 1, fast - 1);
		free(output);
	}
	free(page);
}

/* Pages that become almost as large as they are, or do not fit any more, byte by byte. */
static void test_around_the_limit(void **state)
{
	enum { SIZE = 4096 };
	uint8_t page[SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(codecs); i++) {
		const struct codec *codec = codecs[i];
		unsigned smaller = 0, not_smaller = 0;
		uint8_t *output;
		void *context;

		if (!codec_is_built(codec))
			continue;
		output = new_output(codec);
		context = codec->create(codec->level);
		for (size_t same = 0; same < 256; same++) {
			size_t written;

			make(NOISE, page, SIZE);
			memset(page + 1000, 0, same);
			written = compress_bounded(codec, context, page, SIZE, output);
			if (written && written < SIZE) {
				assert_true(decompresses_to(codec, output, written, page, SIZE));
				smaller++;
			} else {
				not_smaller++;
			}
		}
		assert_in_range(smaller, 1, 255);
		assert_in_range(not_smaller, 1, 255);
		codec->destroy(context);
		free(output);
	}
}

/* It says so when it is made, or packs nothing; then the page is written as it is. */
static void test_no_memory(void **state)
{
	static uint8_t page[4096];

	(void)state;
	make(0, page, sizeof(page));
	for (size_t i = 0; i < COUNT(codecs); i++) {
		struct failing failing = { .what = FAILING_ALLOCATIONS };

		if (!codec_is_built(codecs[i]))
			continue;
		while (failing_next(&failing)) {
			uint8_t *output;
			void *context = codecs[i]->create(codecs[i]->level);
			size_t size = 0;

			failing_spare(true);
			output = new_output(codecs[i]);
			failing_spare(false);
			if (context)
				size = codecs[i]->compress(context, page, sizeof(page), output);
			if (failing_end(&failing) && context)
				assert_int_equal(size, 0);
			assert_int_equal(!context || !size, failing.hits != 0);
			if (context)
				codecs[i]->destroy(context);
			free(output);
		}
		/* snappy asks for none of ours. */
		assert_true(failing.nth > 1 || codecs[i] == &codec_snappy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_built_or_not),
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_determinism),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_around_the_limit),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
