// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

#include "rsp/packet.h"

/* Parses text that is there at once. */
static struct rsp_frame parse(char *text, size_t size)
{
	struct rsp_scan scan = { 0 };

	return rsp_frame_parse((uint8_t *)text, size, &scan);
}

static void test_write(void **state)
{
	uint8_t frame[16];

	(void)state;
	assert_int_equal(rsp_frame_write(frame, "OK", 2), 6);
	assert_memory_equal(frame, "$OK#9a", 6);
	assert_int_equal(rsp_frame_write(frame, "", 0), 4);
	assert_memory_equal(frame, "$#00", 4);
	/* 0xff + 0x02 wraps to 0x01. */
	assert_int_equal(rsp_frame_write(frame, "\xff\x02", 2), 6);
	assert_memory_equal(frame, "$\xff\x02#01", 6);
}

static void test_checksums(void **state)
{
	struct {
		char text[16];
		bool right;
	} cases[] = {
		{ "$OK#9a", true },
		{ "$OK#9A", true },
		{ "$OK#9b", false },
		{ "$OK#8a", false },
		{ "$OK#9g", false },
		{ "$OK#.a", false },
		{ "$#00", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rsp_frame frame = parse(cases[i].text, strlen(cases[i].text));

		assert_int_equal(frame.kind, RSP_FRAME_PACKET);
		assert_int_equal(frame.consumed, strlen(cases[i].text));
		assert_int_equal(frame.size, strlen(cases[i].text) - 4);
		assert_int_equal(frame.checksum_right, cases[i].right);
	}
}

static void test_signs_and_junk(void **state)
{
	char ack[] = "+$OK#9a";
	char nack[] = "--";
	char junk[] = "HTTP/1.1 400\r\n+";
	struct rsp_frame frame;

	(void)state;
	frame = parse(ack, 0);
	assert_int_equal(frame.kind, RSP_FRAME_NONE);
	assert_int_equal(frame.consumed, 0);
	frame = parse(ack, 7);
	assert_int_equal(frame.kind, RSP_FRAME_ACK);
	assert_int_equal(frame.consumed, 1);
	frame = parse(nack, 2);
	assert_int_equal(frame.kind, RSP_FRAME_NACK);
	assert_int_equal(frame.consumed, 1);
	frame = parse(junk, 15);
	assert_int_equal(frame.kind, RSP_FRAME_JUNK);
	assert_int_equal(frame.consumed, 14);
}

static void test_notification(void **state)
{
	char text[] = "%Stop:T05#99$";
	struct rsp_frame frame = parse(text, sizeof(text) - 1);

	(void)state;
	assert_int_equal(frame.kind, RSP_FRAME_NOTIFICATION);
	assert_int_equal(frame.consumed, 12);
	assert_int_equal(frame.size, 8);
	assert_memory_equal(frame.body, "Stop:T05", 8);
}

/* A '$' in a packet is no new start: old gdbstub crates have it as the count of a run of 8. */
static void test_dollar_in_a_packet(void **state)
{
	char text[] = "$0*$1#af";
	struct rsp_frame frame = parse(text, 8);

	(void)state;
	assert_int_equal(frame.kind, RSP_FRAME_PACKET);
	assert_int_equal(frame.size, 4);
	assert_true(frame.run_lengths);
	assert_true(frame.checksum_right);
}

static void test_hash_as_a_count(void **state)
{
	/* '0' + '*' + '#' = 0x7d; + '1' = 0xae. */
	char count[] = "$0*##7d";
	char more[] = "$0*#1#ae";
	/* Two stars: the second is the count of the first, so that the '#' ends the packet. */
	char stars[] = "$0**#84";
	struct rsp_frame frame;

	(void)state;
	frame = parse(count, 7);
	assert_int_equal(frame.kind, RSP_FRAME_PACKET);
	assert_int_equal(frame.size, 3);
	assert_true(frame.checksum_right);
	frame = parse(more, 8);
	assert_int_equal(frame.kind, RSP_FRAME_PACKET);
	assert_int_equal(frame.size, 4);
	assert_true(frame.checksum_right);
	frame = parse(stars, 7);
	assert_int_equal(frame.kind, RSP_FRAME_PACKET);
	assert_int_equal(frame.size, 3);
	assert_true(frame.checksum_right);
}

/* However a packet is cut, what comes out is the same, and nothing is consumed before. */
static void test_split(void **state)
{
	static const char *const packets[] = {
		"$OK#9a",
		"$#00",
		"$0*##7d",
		"$0*#1#ae",
		"$0**#84",
		"%Stop:T05#99",
		"$0*$1#af",
		/* a '#' as a count, twice: 0x7d + '1' '*' '#' = 0x7d + 0x7e = 0xfb */
		"$0*#1*##fb",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		size_t size = strlen(packets[i]);
		char whole[32], text[32];
		struct rsp_frame frame;

		memcpy(whole, packets[i], size);
		frame = parse(whole, size);
		assert_int_equal(frame.consumed, size);
		for (size_t cut = 0; cut < size; cut++) {
			struct rsp_scan scan = { 0 };

			memcpy(text, packets[i], size);
			if (cut) {
				struct rsp_frame part = rsp_frame_parse(
					(uint8_t *)text, cut, &scan);

				assert_int_equal(part.kind, RSP_FRAME_NONE);
				assert_int_equal(part.consumed, 0);
			}
			struct rsp_frame again = rsp_frame_parse((uint8_t *)text, size, &scan);

			assert_int_equal(again.kind, frame.kind);
			assert_int_equal(again.consumed, frame.consumed);
			assert_int_equal(again.size, frame.size);
			assert_int_equal(again.checksum_right, frame.checksum_right);
			assert_int_equal(again.run_lengths, frame.run_lengths);
			assert_int_equal(scan.size, 0);
		}
	}
}

static void test_byte_by_byte(void **state)
{
	char text[] = "$m0,40*#00*##c0";
	struct rsp_scan scan = { 0 };

	(void)state;
	for (size_t size = 1; size < sizeof(text) - 1; size++)
		assert_int_equal(
			rsp_frame_parse((uint8_t *)text, size, &scan).kind, RSP_FRAME_NONE);
	struct rsp_frame frame = rsp_frame_parse((uint8_t *)text, sizeof(text) - 1, &scan);

	assert_int_equal(frame.kind, RSP_FRAME_PACKET);
	assert_int_equal(frame.size, sizeof(text) - 1 - 4);
}

static void expand_to(const char *from, const char *wanted)
{
	uint8_t to[256];
	ssize_t size = rsp_expand((const uint8_t *)from, strlen(from), to, sizeof(to));

	assert_int_equal(size, strlen(wanted));
	assert_memory_equal(to, wanted, strlen(wanted));
}

static void test_expand(void **state)
{
	char longest[98 + 1];

	(void)state;
	expand_to("", "");
	expand_to("OK", "OK");
	/* ' ' is 32, so 3 more. */
	expand_to("0* ", "0000");
	expand_to("1* x", "1111x");
	expand_to("a0* b1* ", "a0000b1111");
	/* '#' is 35: 6 more. '$' is 36: 7 more. '*' is 42: 13 more. */
	expand_to("0*#", "0000000");
	expand_to("0*$", "00000000");
	expand_to("0**", "00000000000000");
	/* A run behind a run goes on with the same byte. */
	expand_to("0* * ", "0000000");
	/* '~' is 126: 97 more, the most that can be printed. */
	memset(longest, 'f', 98);
	longest[98] = '\0';
	expand_to("f*~", longest);
}

static void test_expand_hostile(void **state)
{
	static const char *const bad[] = { "*", "*0", "0*", "* 0", "0*\x1d", "0*\x01" };
	uint8_t to[8];
	const uint8_t most[] = { 'z', '*', 255 };
	uint8_t much[227];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			rsp_expand((const uint8_t *)bad[i], strlen(bad[i]), to, sizeof(to)), -1);
	/* 8 fit, 9 do not. */
	assert_int_equal(rsp_expand((const uint8_t *)"0*$", 3, to, 8), 8);
	assert_int_equal(rsp_expand((const uint8_t *)"00*$", 4, to, 8), -1);
	assert_int_equal(rsp_expand((const uint8_t *)"123456789", 9, to, 8), -1);
	assert_int_equal(rsp_expand((const uint8_t *)"", 0, to, 0), 0);
	/* 255 - 29 = 226 more. */
	assert_int_equal(rsp_expand(most, 3, much, sizeof(much)), 227);
	assert_int_equal(rsp_expand(most, 3, much, sizeof(much) - 1), -1);
}

static void test_unescape(void **state)
{
	uint8_t plain[] = "abc";
	/* '#' is 03, '$' is 04, '*' is 0a, '}' is ']' behind a '}'. */
	uint8_t escaped[] = "a}\x03}\x04}\x0a}]b";
	uint8_t dangling[] = "ab}";

	(void)state;
	assert_int_equal(rsp_unescape(plain, 0), 0);
	assert_int_equal(rsp_unescape(plain, 3), 3);
	assert_memory_equal(plain, "abc", 3);
	assert_int_equal(rsp_unescape(escaped, 10), 6);
	assert_memory_equal(escaped, "a#$*}b", 6);
	assert_int_equal(rsp_unescape(dangling, 3), 3);
	assert_memory_equal(dangling, "ab}", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_checksums),
		cmocka_unit_test(test_signs_and_junk),
		cmocka_unit_test(test_notification),
		cmocka_unit_test(test_dollar_in_a_packet),
		cmocka_unit_test(test_hash_as_a_count),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_expand_hostile),
		cmocka_unit_test(test_unescape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
