// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>
#include <string.h>

#include "rsp/hex.h"

enum {
	LENGTHS = 300,
	ALIGNMENTS = 64,
	UNTOUCHED = 0x55,
	PAIRS = 100, /* of a text that has something wrong in it: blocks of all engines, and a rest
	              */
	ROUNDS = 2000,
};

/* ---- what is right ----------------------------------------------------------------------------
 */

static int digit(uint8_t c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *found = c ? strchr(digits, c) : NULL;

	if (!found)
		return -1;
	return found - digits < 16 ? (int)(found - digits) : (int)(found - digits) - 6;
}

static size_t decode(const uint8_t *hex, size_t pairs, uint8_t *to)
{
	size_t i = 0;

	for (; i < pairs && digit(hex[2 * i]) >= 0 && digit(hex[2 * i + 1]) >= 0; i++)
		to[i] = (uint8_t)(16 * digit(hex[2 * i]) + digit(hex[2 * i + 1]));
	return i;
}

static size_t scan(const uint8_t *bytes, size_t size, uint8_t *sum)
{
	size_t i = 0;

	for (; i < size && bytes[i] != '#' && bytes[i] != '*'; i++)
		*sum = (uint8_t)(*sum + bytes[i]);
	return i;
}

/* ---- what the engines make of it --------------------------------------------------------------
 */

/* The next engine that runs here; call with *at = 0 first. */
static const struct rsp_hex_engine *next_engine(size_t *at)
{
	const struct rsp_hex_engine *engine;

	while ((engine = rsp_hex_engines[*at]) != NULL) {
		++*at;
		if (!engine->usable || engine->usable())
			return engine;
	}
	return NULL;
}

/* All engines decode this as it should be, touching nothing behind it. */
static void check_decode(const uint8_t *hex, size_t pairs, size_t alignment)
{
	const struct rsp_hex_engine *engine;
	uint8_t wanted[LENGTHS + 1], to[LENGTHS + ALIGNMENTS + 1];
	size_t right;

	memset(wanted, UNTOUCHED, sizeof(wanted));
	right = decode(hex, pairs, wanted);
	for (size_t at = 0; (engine = next_engine(&at)) != NULL;) {
		memset(to, UNTOUCHED, sizeof(to));
		if (engine->decode(hex, pairs, to + alignment) != right ||
			memcmp(to + alignment, wanted, pairs + 1) != 0)
			fail_msg("%s decodes \"%.*s\" wrong", engine->name, (int)(2 * pairs), hex);
	}
}

static void check_scan(const uint8_t *bytes, size_t size, uint8_t before)
{
	const struct rsp_hex_engine *engine;
	uint8_t wanted = before;
	size_t right = scan(bytes, size, &wanted);

	for (size_t at = 0; (engine = next_engine(&at)) != NULL;) {
		uint8_t sum = before;
		size_t got = engine->scan(bytes, size, &sum);

		if (got != right || sum != wanted)
			fail_msg("%s scans %zu of %zu bytes, not %zu; sum %02x, not %02x",
				engine->name, got, size, right, sum, wanted);
	}
}

static uint32_t random_number(void)
{
	static uint32_t state = 2463534242;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static void fill(uint8_t *to, size_t size, const char *alphabet)
{
	size_t letters = strlen(alphabet);

	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)alphabet[random_number() % letters];
}

static const char *const alphabets[] = { "0123456789abcdef", "0123456789ABCDEF",
	"0123456789abcdefABCDEF" };

/* ---- tests ------------------------------------------------------------------------------------
 */

/* Each byte as a digit, by itself: not left to what the engines have in common. */
static void test_digits(void **state)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	static const uint8_t values[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 10,
		11, 12, 13, 14, 15 };
	uint8_t to[4];
	char hex[8];

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		const char *found = c ? strchr(digits, (int)c) : NULL;
		uint8_t pair[] = { '0', (uint8_t)c };
		int wanted = found ? values[found - digits] : -1;

		assert_int_equal(rsp_hex_digit((uint8_t)c), wanted);
		assert_int_equal(rsp_hex_decode(pair, 2, to, 4), wanted < 0 ? 0 : 1);
		if (wanted >= 0)
			assert_int_equal(to[0], wanted);
	}
	rsp_hex_encode("\x00\x1f\xa9\xff", 4, hex);
	assert_memory_equal(hex, "001fa9ff", 8);
	assert_int_equal(rsp_hex_decode((const uint8_t *)"001FA9ff", 8, to, 4), 4);
	assert_memory_equal(to, "\x00\x1f\xa9\xff", 4);
}

static void test_limits(void **state)
{
	uint8_t to[4] = { 0x55, 0x55, 0x55, 0x55 };

	(void)state;
	assert_int_equal(rsp_hex_decode((const uint8_t *)"", 0, to, 4), 0);
	assert_int_equal(rsp_hex_decode((const uint8_t *)"1", 1, to, 4), 0);
	assert_int_equal(rsp_hex_decode((const uint8_t *)"123", 3, to, 4), 1);
	assert_int_equal(rsp_hex_decode((const uint8_t *)"1122334455", 10, to, 2), 2);
	assert_memory_equal(to, "\x11\x22\x55\x55", 4);
	assert_int_equal(rsp_hex_decode((const uint8_t *)"11xx22", 6, to, 4), 1);
	assert_int_equal(rsp_hex_decode((const uint8_t *)"112g", 4, to, 4), 1);
	assert_int_equal(rsp_hex_decode((const uint8_t *)"11g2", 4, to, 4), 1);
}

static void test_scan(void **state)
{
	uint8_t sum = 1;

	(void)state;
	/* 'O' + 'K' = 0x9a. */
	assert_int_equal(rsp_hex_scan((const uint8_t *)"OK#9a", 5, &sum), 2);
	assert_int_equal(sum, 0x9b);
	assert_int_equal(rsp_hex_scan((const uint8_t *)"*#", 2, &sum), 0);
	assert_int_equal(rsp_hex_scan((const uint8_t *)"", 0, &sum), 0);
	assert_int_equal(sum, 0x9b);
	/* 40 times 0xff is -40 modulo 256, and '1' more: 0x31 - 0x28. */
	uint8_t many[42];

	memset(many, 0xff, 40);
	memcpy(many + 40, "1*", 2);
	sum = 0;
	assert_int_equal(rsp_hex_scan(many, 42, &sum), 41);
	assert_int_equal(sum, 9);
}

static void test_number(void **state)
{
	static const struct {
		uint64_t number;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "1" },
		{ 0xf, "f" },
		{ 0x10, "10" },
		{ 0x800, "800" },
		{ 0xfedcba987, "fedcba987" },
		{ 0x123456789abcdef, "123456789abcdef" },
		{ 0x1000000000000000, "1000000000000000" },
		{ UINT64_MAX, "ffffffffffffffff" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[RSP_HEX_NUMBER_MAX + 1];

		memset(text, 0, sizeof(text));
		assert_int_equal(rsp_hex_number(cases[i].number, text), strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
	}
}

/* There is one for every machine, and the compiler's target has what we think it has. */
static void test_engines(void **state)
{
	const struct rsp_hex_engine *engine, *last = NULL;
	size_t count = 0;

	(void)state;
	for (size_t at = 0; (engine = next_engine(&at)) != NULL; count++) {
		print_message("engine: %s\n", engine->name);
		last = engine;
	}
	assert_ptr_equal(last, &rsp_hex_portable);
#if defined(__x86_64__) || defined(__aarch64__)
	assert_true(count >= 2);
#endif
}

static void test_decode_lengths(void **state)
{
	(void)state;
	for (size_t pairs = 0; pairs <= LENGTHS; pairs++) {
		/* Of just that size, for sanitizers to see if more is read. */
		uint8_t *hex = malloc(2 * pairs + 1);

		assert_non_null(hex);
		for (size_t i = 0; i < 3; i++) {
			fill(hex + 1, 2 * pairs, alphabets[i]);
			check_decode(hex + 1, pairs, 0);
		}
		free(hex);
	}
}

static void test_decode_alignments(void **state)
{
	static uint8_t hex[2 * LENGTHS + ALIGNMENTS];

	(void)state;
	fill(hex, sizeof(hex), alphabets[2]);
	for (size_t from = 0; from < ALIGNMENTS; from++)
		for (size_t to = 0; to < ALIGNMENTS; to++)
			check_decode(hex + from, LENGTHS - from % 7, to);
}

static void test_decode_invalid(void **state)
{
	uint8_t hex[2 * PAIRS];

	(void)state;
	fill(hex, sizeof(hex), alphabets[2]);
	for (size_t place = 0; place < sizeof(hex); place++) {
		uint8_t right = hex[place];

		for (unsigned c = 0; c < 256; c++) {
			hex[place] = (uint8_t)c;
			check_decode(hex, PAIRS, place % ALIGNMENTS);
		}
		hex[place] = right;
	}
}

static void test_decode_random(void **state)
{
	uint8_t hex[2 * LENGTHS];

	(void)state;
	for (size_t round = 0; round < ROUNDS; round++) {
		size_t pairs = random_number() % (LENGTHS + 1);

		fill(hex, 2 * pairs, alphabets[2]);
		/* Up to three bytes of any value, one of which may be a digit. */
		for (unsigned wrong = random_number() % 4; wrong && pairs; wrong--)
			hex[random_number() % (2 * pairs)] = (uint8_t)random_number();
		check_decode(hex, pairs, round % ALIGNMENTS);
	}
}

static void test_scan_lengths(void **state)
{
	(void)state;
	for (size_t size = 0; size <= LENGTHS; size++)
		for (size_t alignment = 0; alignment < ALIGNMENTS; alignment++) {
			uint8_t *bytes = malloc(alignment + size + 1);

			assert_non_null(bytes);
			/* Nothing that ends it: bytes of both halves, so that sums wrap. */
			fill(bytes, alignment + size, "0fF\xff\x80\x7f$}+-");
			check_scan(bytes + alignment, size, (uint8_t)size);
			free(bytes);
		}
}

/* Every byte at every place: two of them end it there, the others are summed. */
static void test_scan_marks(void **state)
{
	uint8_t bytes[2 * PAIRS];

	(void)state;
	fill(bytes, sizeof(bytes), alphabets[0]);
	for (size_t place = 0; place < sizeof(bytes); place++) {
		uint8_t before = bytes[place];

		for (unsigned c = 0; c < 256; c++) {
			bytes[place] = (uint8_t)c;
			check_scan(bytes, sizeof(bytes), 0);
		}
		bytes[place] = before;
	}
}

static void test_scan_random(void **state)
{
	uint8_t bytes[2 * LENGTHS];

	(void)state;
	for (size_t round = 0; round < ROUNDS; round++) {
		size_t size = random_number() % sizeof(bytes);

		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)random_number();
		check_scan(bytes, size, (uint8_t)round);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_engines),
		cmocka_unit_test(test_decode_lengths),
		cmocka_unit_test(test_decode_alignments),
		cmocka_unit_test(test_decode_invalid),
		cmocka_unit_test(test_decode_random),
		cmocka_unit_test(test_scan_lengths),
		cmocka_unit_test(test_scan_marks),
		cmocka_unit_test(test_scan_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
