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
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/failing.h"
#include "tests/unit/fake_stub.h"

enum { PAGE = 4096, LOST_MAX = 64 };

/* A reader of one stretch of memory in pieces of one size. */
struct reading {
	uint64_t start;
	size_t len, piece;
	uint8_t *bytes;
	size_t given, done; /* bytes */
	size_t stop_after;  /* bytes done, 0 for never */
	int stop_with;
	int cancel_fd;     /* written to when stop_after bytes are done, or -1 */
	size_t pieces;     /* done */
	size_t unreadable; /* sum of what the pieces told */
	struct {
		uint64_t addr;
		size_t len;
	} lost[LOST_MAX];
	size_t lost_count;
};

static bool next(void *ctx, struct rsp_read *piece)
{
	struct reading *reading = ctx;
	size_t left = reading->len - reading->given;

	if (left == 0)
		return false;
	piece->addr = reading->start + reading->given;
	piece->len = left < reading->piece ? left : reading->piece;
	piece->buf = reading->bytes + reading->given;
	reading->given += piece->len;
	return true;
}

static int done(void *ctx, const struct rsp_read *piece)
{
	struct reading *reading = ctx;

	/* In order, each whole. */
	assert_int_equal(piece->addr, reading->start + reading->done);
	assert_ptr_equal(piece->buf, reading->bytes + reading->done);
	reading->done += piece->len;
	reading->unreadable += piece->unreadable;
	reading->pieces++;
	if (!reading->stop_after || reading->done < reading->stop_after)
		return 0;
	reading->stop_after = 0;
	if (reading->cancel_fd >= 0)
		assert_int_equal(write(reading->cancel_fd, "", 1), 1);
	return reading->stop_with;
}

static void unreadable(void *ctx, uint64_t addr, size_t len)
{
	struct reading *reading = ctx;

	assert_true(reading->lost_count < LOST_MAX);
	reading->lost[reading->lost_count].addr = addr;
	reading->lost[reading->lost_count++].len = len;
}

static struct reading begin(uint64_t start, size_t len, size_t piece)
{
	struct reading reading = { .start = start, .len = len, .piece = piece, .cancel_fd = -1 };

	reading.bytes = malloc(len);
	assert_non_null(reading.bytes);
	memset(reading.bytes, 0x55, len);
	return reading;
}

static int stream(struct rsp *rsp, struct reading *reading)
{
	const struct rsp_stream all = {
		.next = next,
		.done = done,
		.unreadable = unreadable,
		.ctx = reading,
	};

	return rsp_stream_memory(rsp, &all);
}

static void assert_pattern(const struct reading *reading, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at++)
		if (reading->bytes[at - reading->start] != memory_pattern(at))
			fail_msg("0x%llx is 0x%02x, not 0x%02x", (unsigned long long)at,
				reading->bytes[at - reading->start], memory_pattern(at));
}

static void assert_zero(const struct reading *reading, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at++)
		if (reading->bytes[at - reading->start])
			fail_msg("0x%llx is not zero", (unsigned long long)at);
}

static bool is_lost(const struct reading *reading, uint64_t addr, size_t len)
{
	for (size_t i = 0; i < reading->lost_count; i++)
		if (reading->lost[i].addr == addr && reading->lost[i].len == len)
			return true;
	return false;
}

/* Reads [start, start + len), all of which is there, from a stub. */
static void read_all(
	struct fake_stub *stub, const char *description, uint64_t start, size_t len, size_t piece)
{
	struct reading reading = begin(start, len, piece);
	struct rsp *rsp;

	fake_stub_start(stub, description);
	rsp = fake_stub_open(stub);
	if (stream(rsp, &reading))
		fail_msg("%s", rsp_error(rsp));
	assert_int_equal(reading.done, len);
	assert_int_equal(reading.unreadable, 0);
	assert_int_equal(reading.lost_count, 0);
	assert_pattern(&reading, start, start + len);
	rsp_destroy(rsp);
	free(reading.bytes);
	assert_int_equal(fake_stub_stop(stub), WIRE_CLOSED);
}

static void check(const char *description, uint64_t start, size_t len, size_t piece)
{
	struct fake_stub stub;

	read_all(&stub, description, start, len, piece);
	fake_stub_deinit(&stub);
}

#define QEMU   "supported PacketSize=1000\nphysical 1\n"
#define NO_ACK "supported PacketSize=1000;QStartNoAckMode+\n"

static void test_pieces_of_all_sizes(void **state)
{
	(void)state;
	check(QEMU "memory 0 100000\n", 0, 0x100000, 0x10000);
	check(QEMU "memory 0 100000\n", 0, 0x10000, PAGE);
	/* Smaller than a read, and nowhere aligned. */
	check(QEMU "memory 0 100000\n", 0x7fd, 0x1234, 100);
	check(QEMU "memory 0 100000\n", 1, 3, 1);
	check(QEMU "memory 0 100000\n", 0xfff, 0x2002, 0x2002);
	/* At the upper end of what can be addressed. */
	check(QEMU "memory fffffffffffe0000 1f000\n", 0xfffffffffffe0000, 0x1f000, PAGE);
}

/* Reads are asked for as QEMU 7.2 takes them, 0x800 bytes at most, and end at multiples of it. */
static void test_read_size(void **state)
{
	struct fake_stub stub;

	(void)state;
	read_all(&stub, QEMU "limit 2048\nmemory 0 10000\n", 0x7f0, 0x1010, 0x1010);
	assert_int_equal(fake_stub_count(&stub, "> m"), 3);
	assert_int_equal(fake_stub_count(&stub, "> m7f0,10\n"), 1);
	assert_int_equal(fake_stub_count(&stub, "> m800,800\n"), 1);
	assert_int_equal(fake_stub_count(&stub, "> m1000,800\n"), 1);
	fake_stub_deinit(&stub);
}

static void test_stated_sizes(void **state)
{
	static const struct {
		const char *stated;
		size_t read_size;
	} cases[] = {
		{ "", 0x80 },
		{ "PacketSize=", 0x80 },
		{ "PacketSize=0", 0x80 },
		{ "PacketSize=3f", 0x80 },
		{ "PacketSize=40", 0x20 },
		{ "PacketSize=400", 0x200 },
		{ "PacketSize=fff", 0x400 },
		{ "PacketSize=1000", 0x800 },
		{ "PacketSize=4096", 0x2000 },
		{ "PacketSize=47ff", 0x2000 },
		{ "swbreak+;PacketSize=20020", 0x10000 },
		{ "PacketSize=ffffffffffffffffffff", 0x10000 },
		{ "NoPacketSize=20020", 0x80 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake_stub stub;
		char text[128];

		snprintf(text, sizeof(text), "supported %s\n", cases[i].stated);
		fake_stub_start(&stub, text);
		struct rsp *rsp = fake_stub_open(&stub);

		assert_int_equal(rsp_stub(rsp)->read_size, cases[i].read_size);
		rsp_destroy(rsp);
		fake_stub_deinit(&stub);
	}
}

/* Many requests are on their way to a stub that can take them, one to others. */
static void test_window(void **state)
{
	struct fake_stub stub;

	(void)state;
	read_all(&stub, QEMU "memory 0 200000\n", 0, 0x200000, 0x10000);
	assert_true(fake_stub_count(&stub, "= window 1\n") == 0);
	/*
	 * One in front of all, and 3 of the opening. In a stream, answers are not acknowledged, nor
	 * are those to questions that were asked together.
	 */
	assert_int_equal(fake_stub_count(&stub, "> +"), 1 + 3);
	fake_stub_deinit(&stub);
	read_all(&stub, NO_ACK "memory 0 200000\n", 0, 0x200000, 0x10000);
	assert_true(fake_stub_count(&stub, "= window 1\n") == 0);
	fake_stub_deinit(&stub);
	read_all(
		&stub, "careful\nsupported PacketSize=1000\nmemory 0 20000\n", 0, 0x20000, 0x10000);
	assert_int_equal(fake_stub_count(&stub, "= window 1\n"), 1);
	fake_stub_deinit(&stub);
}

static void test_encodings(void **state)
{
	(void)state;
	check(QEMU "upper-case\nmemory 0 10000\n", 0, 0x10000, 0x1000);
	check(QEMU "trailing-nul\nmemory 0 10000\n", 0, 0x10000, 0x1000);
	check(QEMU "one-byte\nmemory 0 2000\n", 0, 0x2000, 0x1000);
	check(QEMU "shorten 100\nmemory 0 10000\n", 0, 0x10000, 0x1000);
	check(QEMU "shorten 1\nmemory 0 200\n", 0, 0x200, 0x200);
	check(NO_ACK "run-lengths\nmemory 0 10000\n", 0, 0x10000, 0x1000);
	check(QEMU "notification Stop:T05\nmemory 0 10000\n", 0, 0x10000, 0x1000);
	check(QEMU "console hello\nnotification Stop:T05\nmemory 0 10000\n", 0, 0x10000, 0x1000);
	check(NO_ACK "console hello\njunk text\nmemory 0 10000\n", 0, 0x10000, 0x1000);
	check("careful\nrun-lengths-of-8\nmemory 0 1000\n", 0, 0x1000, 0x1000);
}

/* Runs of zeros, and runs broken by others, survive their encoding. */
static void test_run_lengths(void **state)
{
	static const char *const encodings[] = { "run-lengths", "run-lengths-of-8" };

	(void)state;
	for (size_t e = 0; e < 2; e++) {
		struct reading reading = begin(0, 0x4000, 0x1000);
		struct fake_stub stub;
		struct rsp *rsp;
		char text[256];

		snprintf(text, sizeof(text),
			QEMU "%s\nmemory 0 4000 zero\nmemory 1000 10 00*8 ff*8\n"
			     "memory 1800 4 01020304\nmemory 3fff 1 7f\n",
			encodings[e]);
		fake_stub_start(&stub, text);
		rsp = fake_stub_open(&stub);
		assert_int_equal(stream(rsp, &reading), 0);
		assert_zero(&reading, 0, 0x1008);
		for (size_t i = 0x1008; i < 0x1010; i++)
			assert_int_equal(reading.bytes[i], 0xff);
		assert_zero(&reading, 0x1010, 0x1800);
		assert_memory_equal(reading.bytes + 0x1800, "\x01\x02\x03\x04", 4);
		assert_zero(&reading, 0x1804, 0x3fff);
		assert_int_equal(reading.bytes[0x3fff], 0x7f);
		rsp_destroy(rsp);
		free(reading.bytes);
		fake_stub_deinit(&stub);
	}
}

#define BINARY "supported PacketSize=1000;QStartNoAckMode+;binary-upload+\n"

static void test_binary(void **state)
{
	struct fake_stub stub;

	(void)state;
	read_all(&stub, BINARY "memory 0 20000\n", 0, 0x20000, 0x1000);
	assert_int_equal(fake_stub_count(&stub, "> m"), 0);
	assert_int_equal(fake_stub_count(&stub, "> x0,800\n"), 1);
	fake_stub_deinit(&stub);
	check(BINARY "shorten 77\nmemory 0 4000\n", 0, 0x4000, 0x1000);
	/* Nothing but what has to be escaped, and a zero at the end. */
	struct reading reading = begin(0, 0x801, 0x801);

	fake_stub_start(&stub, BINARY "memory 0 801 24*1024 7d*512 2a*511 23 00\n");
	struct rsp *rsp = fake_stub_open(&stub);

	assert_int_equal(stream(rsp, &reading), 0);
	assert_int_equal(reading.bytes[0], '$');
	assert_int_equal(reading.bytes[1023], '$');
	assert_int_equal(reading.bytes[1024], '}');
	assert_int_equal(reading.bytes[1535], '}');
	assert_int_equal(reading.bytes[1536], '*');
	assert_int_equal(reading.bytes[2047], '#');
	assert_int_equal(reading.bytes[2048], 0);
	rsp_destroy(rsp);
	free(reading.bytes);
	fake_stub_deinit(&stub);
}

/* lldb's `x` has no 'b' in front: nothing tells whether that is data or digits. */
static void test_raw_binary(void **state)
{
	struct reading reading = begin(0, 0x1000, 0x1000);
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, BINARY "raw-binary\nmemory 0 1000 31*4096\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(stream(rsp, &reading), 0);
	assert_int_equal(reading.unreadable, 0x1000);
	assert_zero(&reading, 0, 0x1000);
	rsp_destroy(rsp);
	free(reading.bytes);
	fake_stub_deinit(&stub);
}

/*
 * 0x3000..0x3fff and 0x5000..0x5fff cannot be read, in reads of 0x10000: all but those two pages
 * arrive, whatever way the stub has to say so.
 */
static void test_unreadable(void **state)
{
	static const char *const ways[] = { "", "error E01\n", "error E22\n", "error E.mmu\n",
		"error E79\nerror-tail\n", "partial\n", "error \n", "trailing-nul\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct reading reading = begin(0, 0x20000, 0x10000);
		struct fake_stub stub;
		struct rsp *rsp;
		char text[256];

		/* The first read of all is good, so that E22 and E01 are not about sizes. */
		snprintf(text, sizeof(text),
			"supported PacketSize=20020\nphysical 1\n%smemory 0 40000\n"
			"memory 3000 1000 unreadable\nmemory 5000 1000 unreadable\n",
			ways[i]);
		fake_stub_start(&stub, text);
		rsp = fake_stub_open(&stub);
		uint8_t first[0x10000];

		assert_int_equal(rsp_read_memory(rsp, 0x20000, first, sizeof(first)), 0);
		assert_int_equal(stream(rsp, &reading), 0);
		assert_int_equal(reading.unreadable, 2 * PAGE);
		assert_int_equal(reading.lost_count, 2);
		assert_true(is_lost(&reading, 0x3000, PAGE));
		assert_true(is_lost(&reading, 0x5000, PAGE));
		assert_pattern(&reading, 0, 0x3000);
		assert_zero(&reading, 0x3000, 0x4000);
		assert_pattern(&reading, 0x4000, 0x5000);
		assert_zero(&reading, 0x5000, 0x6000);
		assert_pattern(&reading, 0x6000, 0x20000);
		rsp_destroy(rsp);
		free(reading.bytes);
		fake_stub_deinit(&stub);
	}
}

static void test_nothing_readable(void **state)
{
	struct reading reading = begin(0x1800, 0x3000, 0x3000);
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, "supported PacketSize=20020\nphysical 1\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(stream(rsp, &reading), 0);
	assert_int_equal(reading.unreadable, 0x3000);
	/* Pages, and the parts of pages at both ends. */
	assert_int_equal(reading.lost_count, 4);
	assert_true(is_lost(&reading, 0x1800, 0x800));
	assert_true(is_lost(&reading, 0x2000, PAGE));
	assert_true(is_lost(&reading, 0x3000, PAGE));
	assert_true(is_lost(&reading, 0x4000, 0x800));
	assert_zero(&reading, 0x1800, 0x4800);
	rsp_destroy(rsp);
	free(reading.bytes);
	fake_stub_deinit(&stub);
}

/* The stated size is too large, as with bhyve's decimal one: it is halved until it is right. */
static void test_size_errors(void **state)
{
	static const char *const errors[] = { "E22", "E01", "E02" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fake_stub stub;
		struct reading reading = begin(0, 0x40000, 0x10000);
		struct rsp *rsp;

		char text[128];

		snprintf(text, sizeof(text),
			"supported PacketSize=20020;QStartNoAckMode+\nlimit 16384\n"
			"limit-error %s\nmemory 0 40000\n",
			errors[i]);
		fake_stub_start(&stub, text);
		rsp = fake_stub_open(&stub);
		assert_int_equal(rsp_stub(rsp)->read_size, 0x10000);
		assert_int_equal(stream(rsp, &reading), 0);
		assert_int_equal(reading.unreadable, 0);
		assert_pattern(&reading, 0, 0x40000);
		/* Twice, however many reads of the wrong size were on their way. */
		assert_int_equal(rsp_stub(rsp)->read_size, 0x4000);
		rsp_destroy(rsp);
		free(reading.bytes);
		fake_stub_deinit(&stub);
	}
}

static void test_too_long(void **state)
{
	struct reading reading = begin(0, 0x1000, 0x1000);
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, QEMU "too-long\nmemory 0 1000\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(stream(rsp, &reading), -1);
	assert_int_equal(rsp_failure(rsp), RSP_CONFUSED);
	assert_string_equal(rsp_error(rsp), "more memory came than was asked for");
	rsp_destroy(rsp);
	free(reading.bytes);
	fake_stub_deinit(&stub);

	reading = begin(0, 0x1000, 0x1000);
	fake_stub_start(&stub, BINARY "too-long\nmemory 0 1000\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(stream(rsp, &reading), -1);
	assert_string_equal(rsp_error(rsp), "more memory came than was asked for");
	rsp_destroy(rsp);
	free(reading.bytes);
	fake_stub_deinit(&stub);
}

/* Stopped in the middle: the connection then works as if nothing had been. */
static void test_stopped(void **state)
{
	struct reading reading = begin(0, 0x400000, PAGE);
	struct fake_stub stub;
	struct rsp *rsp;
	uint8_t word[8];

	(void)state;
	reading.stop_after = 3 * PAGE;
	reading.stop_with = 7;
	fake_stub_start(&stub, QEMU "memory 0 400000\nanswer qA one\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(stream(rsp, &reading), 7);
	assert_int_equal(reading.pieces, 3);
	assert_pattern(&reading, 0, 3 * PAGE);
	assert_int_equal(rsp_read_memory(rsp, 0x1008, word, sizeof(word)), 0);
	/* Word 0x202 of the pattern: 0x202 * 0x9e3779b97f4a7c15, little-endian. */
	assert_memory_equal(word, "\x2a\x22\x8d\x93\x71\x66\x62\xab", 8);
	rsp_destroy(rsp);
	free(reading.bytes);
	fake_stub_deinit(&stub);
}

static void test_cancelled(void **state)
{
	struct reading reading = begin(0, 0x400000, PAGE);
	struct fake_stub stub;
	struct rsp *rsp;
	int cancels[2];
	uint8_t bytes[16];

	(void)state;
	assert_int_equal(pipe(cancels), 0);
	struct rsp_options options = fake_stub_options(cancels[0]);

	reading.stop_after = 5 * PAGE;
	reading.cancel_fd = cancels[1];
	fake_stub_start(&stub, QEMU "memory 0 400000\nthread 1\n");
	rsp = rsp_create(&options);
	assert_int_equal(rsp_open(rsp, stub.target), 0);
	assert_int_equal(stream(rsp, &reading), -1);
	assert_int_equal(rsp_failure(rsp), RSP_CANCELLED);
	assert_string_equal(rsp_error(rsp), "interrupted");
	assert_true(reading.done < reading.len);
	/* Nothing is due any more, and leaving is not interrupted. */
	assert_int_equal(read(cancels[0], bytes, 1), 1);
	assert_int_equal(rsp_read_memory(rsp, 0, bytes, sizeof(bytes)), 0);
	assert_int_equal(bytes[0], memory_pattern(0));
	assert_int_equal(write(cancels[1], "", 1), 1);
	assert_int_equal(rsp_release(rsp, RSP_RESUME), 0);
	fake_stub_stop(&stub);
	fake_stub_assert_detached(&stub);
	rsp_destroy(rsp);
	free(reading.bytes);
	fake_stub_deinit(&stub);
	close(cancels[0]);
	close(cancels[1]);
}

/* The stub dies in the middle. */
static void test_lost(void **state)
{
	static const char *const faults[] = { "close 20\n", "truncate 20\n", "silent 20\n" };
	static const char *const errors[] = { "the stub closed the connection",
		"the stub closed the connection", "the stub has been silent for 2 seconds" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct reading reading = begin(0, 0x100000, PAGE);
		struct fake_stub stub;
		struct rsp *rsp;
		char text[128];

		snprintf(text, sizeof(text), QEMU "memory 0 100000\n%s", faults[i]);
		fake_stub_start(&stub, text);
		rsp = fake_stub_open(&stub);
		assert_int_equal(stream(rsp, &reading), -1);
		assert_int_equal(rsp_failure(rsp), RSP_LOST);
		assert_string_equal(rsp_error(rsp), errors[i]);
		/* 5 answers at the opening, 14 reads of half a page. */
		assert_int_equal(reading.pieces, 7);
		assert_pattern(&reading, 0, 7 * PAGE);
		rsp_destroy(rsp);
		free(reading.bytes);
		fake_stub_deinit(&stub);
	}
}

/* A stream that cannot go on; what was read before is right, and the connection is of use. */
static void fails_in_a_stream(const char *description, const char *error)
{
	struct reading reading = begin(0, 0x100000, PAGE);
	struct fake_stub stub;
	struct rsp *rsp;
	uint8_t byte;

	fake_stub_start(&stub, description);
	rsp = fake_stub_open(&stub);
	assert_int_equal(stream(rsp, &reading), -1);
	assert_int_equal(rsp_failure(rsp), RSP_CONFUSED);
	assert_string_equal(rsp_error(rsp), error);
	assert_pattern(&reading, 0, reading.done);
	/* The rest was drained. */
	assert_int_equal(rsp_read_memory(rsp, 0x80, &byte, 1), 0);
	assert_int_equal(byte, memory_pattern(0x80));
	rsp_destroy(rsp);
	free(reading.bytes);
	fake_stub_deinit(&stub);
}

static void test_damaged_in_a_stream(void **state)
{
	(void)state;
	fails_in_a_stream(
		QEMU "memory 0 100000\nbad-checksum 20\n", "a packet with a wrong checksum came");
	fails_in_a_stream(QEMU "memory 0 100000\nnack 20\n", "the stub got a damaged packet");
}

/*
 * The answer behind one that came twice is known for one to nothing by the '+' that it lacks,
 * before any memory is put into another's place.
 */
static void test_duplicate_in_a_stream(void **state)
{
	(void)state;
	fails_in_a_stream(QEMU "memory 0 100000\nduplicate 20\n", "an answer to nothing came");
}

/*
 * A line that takes in little at a time, such as a pty, and a stub that answers all that it got
 * before it takes more: answers are taken in while requests still wait to be sent.
 */
static void test_narrow_link(void **state)
{
	struct reading reading = begin(0, 24 << 20, 1 << 20);
	struct fake_stub stub;
	struct rsp *rsp;
	int little = 1;

	(void)state;
	fake_stub_start(&stub, "supported PacketSize=400\nphysical 1\nmemory 0 4000000\n");
	assert_int_equal(
		setsockopt(stub.client, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)), 0);
	rsp = fake_stub_open(&stub);
	if (stream(rsp, &reading))
		fail_msg("%s", rsp_error(rsp));
	assert_pattern(&reading, 0, 24 << 20);
	rsp_destroy(rsp);
	free(reading.bytes);
	fake_stub_deinit(&stub);
}

static bool give_nothing(void *ctx, struct rsp_read *piece)
{
	(void)ctx, (void)piece;
	return false;
}

static void test_nothing_to_read(void **state)
{
	const struct rsp_stream none = { .next = give_nothing };
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, QEMU "memory 0 1000\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_stream_memory(rsp, &none), 0);
	assert_int_equal(rsp_read_memory(rsp, 0, NULL, 0), 0);
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	assert_int_equal(fake_stub_count(&stub, "> m"), 0);
	fake_stub_deinit(&stub);
}

/* next() has nothing for now, but more as soon as a piece is done. */
static bool next_when_done(void *ctx, struct rsp_read *piece)
{
	struct reading *reading = ctx;

	return reading->given == reading->done && next(ctx, piece);
}

static void test_one_piece_at_a_time(void **state)
{
	struct reading reading = begin(0, 0x8000, PAGE);
	const struct rsp_stream slow = { .next = next_when_done, .done = done, .ctx = &reading };
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, QEMU "memory 0 8000\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_stream_memory(rsp, &slow), 0);
	assert_int_equal(reading.pieces, 8);
	assert_pattern(&reading, 0, 0x8000);
	rsp_destroy(rsp);
	free(reading.bytes);
	fake_stub_deinit(&stub);
}

static void test_read_memory(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp;
	uint8_t bytes[0x2000];

	(void)state;
	fake_stub_start(&stub, QEMU "memory 0 3000\nmemory 3000 1000 unreadable\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_read_memory(rsp, 0xffe, bytes, 0x2000), 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], memory_pattern(0xffe + i));
	assert_int_equal(rsp_read_memory(rsp, 0x2800, bytes, 0x1000), -1);
	assert_int_equal(rsp_failure(rsp), RSP_REFUSED);
	assert_string_equal(rsp_error(rsp), "2048 bytes at 0x2800 cannot be read");
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
}

static void test_memory_modes(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp;
	uint8_t byte;

	(void)state;
	fake_stub_start(&stub, "physical 0\nmemory 0 1000\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_read_memory(rsp, 0, &byte, 1), -1);
	assert_int_equal(rsp_use_physical_memory(rsp), 0);
	assert_int_equal(rsp_read_memory(rsp, 0, &byte, 1), 0);
	assert_int_equal(rsp_use_virtual_memory(rsp), 0);
	assert_int_equal(rsp_read_memory(rsp, 0, &byte, 1), -1);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);

	fake_stub_start(&stub, "memory 0 1000\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_use_physical_memory(rsp), -1);
	assert_int_equal(rsp_failure(rsp), RSP_UNSUPPORTED);
	assert_string_equal(rsp_error(rsp), "the stub reads virtual addresses only");
	assert_int_equal(rsp_use_virtual_memory(rsp), 0);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
}

/* The answers that are due are taken in, so that the connection is of use afterwards. */
static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	while (failing_next(&failing)) {
		struct fake_stub stub;
		struct reading reading;
		uint8_t byte;
		struct rsp *rsp;
		int rc;

		fake_stub_start(&stub, "monitor info version = 7.2.22\nphysical 0\nthread 1\n"
				       "supported PacketSize=4000\nmemory 0 8000\n"
				       "memory 3000 1000 unreadable\n");
		rsp = fake_stub_open(&stub);
		assert_int_equal(rsp_use_physical_memory(rsp), 0);
		failing_spare(true);
		reading = begin(0, 0x8000, 0x2000);
		failing_spare(false);
		rc = stream(rsp, &reading);
		failing_check(&failing, rc, rsp_error(rsp));
		if (rc)
			assert_int_equal(rsp_failure(rsp), RSP_NO_MEMORY);
		else
			assert_int_equal(reading.unreadable, 0x1000);
		if (rsp_read_memory(rsp, 0x1234, &byte, 1))
			fail_msg("call %lu: %s", failing.nth, rsp_error(rsp));
		assert_int_equal(byte, memory_pattern(0x1234));
		free(reading.bytes);
		rsp_destroy(rsp);
		fake_stub_stop(&stub);
		fake_stub_deinit(&stub);
	}
	/* Pieces, the window, what is asked again. */
	assert_int_equal(failing.nth, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_of_all_sizes),
		cmocka_unit_test(test_read_size),
		cmocka_unit_test(test_stated_sizes),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_run_lengths),
		cmocka_unit_test(test_binary),
		cmocka_unit_test(test_raw_binary),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_nothing_readable),
		cmocka_unit_test(test_size_errors),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_damaged_in_a_stream),
		cmocka_unit_test(test_duplicate_in_a_stream),
		cmocka_unit_test(test_narrow_link),
		cmocka_unit_test(test_nothing_to_read),
		cmocka_unit_test(test_one_piece_at_a_time),
		cmocka_unit_test(test_read_memory),
		cmocka_unit_test(test_memory_modes),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
