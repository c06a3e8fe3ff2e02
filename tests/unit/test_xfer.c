// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rsp/xfer.h"
#include "tests/unit/failing.h"
#include "tests/unit/fake_stub.h"

/* Reads memory-map: from a stub; returns its text, or the error. The caller frees it. */
static char *read_map(struct fake_stub *stub, enum rsp_failure failure)
{
	struct rsp *rsp = fake_stub_open(stub);
	char *text = NULL;
	size_t size = 0;

	if (rsp_xfer_read(rsp, "memory-map", "", &text, &size)) {
		assert_int_equal(rsp_failure(rsp), failure);
		assert_null(text);
		text = strdup(rsp_error(rsp));
	} else {
		assert_int_equal(strlen(text), size);
	}
	rsp_destroy(rsp);
	fake_stub_stop(stub);
	return text;
}

static void check(const char *description, enum rsp_failure failure, const char *wanted)
{
	struct fake_stub stub;

	fake_stub_start(&stub, description);
	char *text = read_map(&stub, failure);

	assert_string_equal(text, wanted);
	free(text);
	fake_stub_deinit(&stub);
}

static void test_one_piece(void **state)
{
	(void)state;
	check("supported PacketSize=1000\nobject memory-map: <memory-map/>\n", 0, "<memory-map/>");
	check("object memory-map: <<\n.\n", 0, "");
}

/* PacketSize 0x40: pieces of 60 bytes. */
static void test_pieces(void **state)
{
	struct fake_stub stub;
	char description[512] = "supported PacketSize=40\nobject memory-map: ";
	char object[201];

	(void)state;
	for (size_t i = 0; i < 200; i++)
		object[i] = (char)('a' + i % 26);
	object[200] = '\0';
	strcat(strcat(description, object), "\n");
	fake_stub_start(&stub, description);
	char *text = read_map(&stub, 0);

	assert_string_equal(text, object);
	free(text);
	assert_int_equal(fake_stub_count(&stub, "> qXfer:memory-map:read::0,3c"), 1);
	assert_int_equal(fake_stub_count(&stub, "> qXfer:memory-map:read::b4,3c"), 1);
	assert_int_equal(fake_stub_count(&stub, "> qXfer"), 4);
	fake_stub_deinit(&stub);
}

/* A conversation with a QEMU that has sent "abc", the first piece of its memory map. */
static char script[4096];

static void say(const char *text)
{
	assert_true(strlen(script) + strlen(text) < sizeof(script));
	strcat(script, text);
}

/* Eight requests for pieces of so many bytes, and then what comes. */
static void ask_ahead(unsigned offset, unsigned step, const char *answers)
{
	char request[64];

	for (unsigned i = 0; i < 8; i++) {
		sprintf(request, "> qXfer:memory-map:read::%x,400\n", offset + i * step);
		say(request);
	}
	say(answers);
}

static void meet_qemu(void)
{
	script[0] = '\0';
	say("> qSupported*\n< qXfer:memory-map:read+\n> ?\n< S05\n> qqemu*\n< 0\n"
	    "> qGDBServerVersion\n> qRcmd,*\n< version:10.2.2;\n< \n");
	ask_ahead(0, 0x400, "< mabc\n< mXXX\n< E00\n< E00\n< E00\n< E00\n< E00\n< E00\n");
}

static void check_script(enum rsp_failure failure, const char *wanted)
{
	struct fake_stub stub;
	char *text;

	fake_stub_replay(&stub, script);
	text = read_map(&stub, failure);
	assert_string_equal(text, wanted);
	assert_int_equal(stub.end, WIRE_CLOSED);
	free(text);
	fake_stub_deinit(&stub);
}

/*
 * Where requests may be many, pieces are asked for together: first where they are if each is as
 * long as it may be, then where the first one ends.
 */
static void test_pieces_ahead(void **state)
{
	(void)state;
	meet_qemu();
	ask_ahead(3, 3, "< mdef\n< mghi\n< lj\n< l\n< E00\n< \n< l\n< l\n");
	check_script(0, "abcdefghij");
	/* As many as were asked for, and more. */
	meet_qemu();
	ask_ahead(3, 3, "< m111\n< m222\n< m333\n< m444\n< m555\n< m666\n< m777\n< m888\n");
	ask_ahead(0x1b, 3, "< l9\n< l\n< l\n< l\n< l\n< l\n< l\n< l\n");
	check_script(0, "abc1112223334445556667778889");
}

/* Behind a piece of another length, all the others begin in the wrong place. */
static void test_short_piece_ahead(void **state)
{
	(void)state;
	meet_qemu();
	ask_ahead(3, 3, "< mdef\n< mgh\n< mXXX\n< mXXX\n< lX\n< l\n< l\n< l\n");
	ask_ahead(8, 2, "< mij\n< lk\n< l\n< l\n< l\n< l\n< l\n< l\n");
	check_script(0, "abcdefghijk");
}

static void test_refused_piece_ahead(void **state)
{
	(void)state;
	meet_qemu();
	ask_ahead(3, 3, "< mdef\n< E01\n< mghi\n< l\n< l\n< l\n< l\n< l\n");
	check_script(RSP_REFUSED, "the stub answers E01 to read its description");
	meet_qemu();
	ask_ahead(3, 3, "< m\n< mghi\n< mghi\n< l\n< l\n< l\n< l\n< l\n");
	check_script(RSP_CONFUSED, "an empty piece of an object");
}

/* A stub that takes many requests at once need not bear those for what is behind the end. */
static void test_not_behind_the_end(void **state)
{
	(void)state;
	script[0] = '\0';
	say("> qSupported*\n< qXfer:memory-map:read+;QStartNoAckMode+\n"
	    "> QStartNoAckMode\n< OK\n> ?\n< S05\n> qqemu*\n< \n"
	    "> qXfer:memory-map:read::0,400\n< mabc\n"
	    "> qXfer:memory-map:read::3,400\n< mdef\n"
	    "> qXfer:memory-map:read::6,400\n< lg\n");
	check_script(0, "abcdefg");
}

/* What OpenOCD says: every piece is the last one, until the map's own end. */
static void test_memory_map_that_goes_on(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp;
	char *text = NULL;
	size_t size = 0;

	(void)state;
	fake_stub_replay(&stub,
		"> qSupported*\n< PacketSize=40;qXfer:memory-map:read+\n> ?\n< S05\n"
		"> qqemu*\n< \n"
		"> qXfer:memory-map:read::0,3c\n< l<memory-map>\n"
		"> qXfer:memory-map:read::c,3c\n< m <memory/>\n"
		"> qXfer:memory-map:read::16,3c\n< l</memory-map>\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_read_memory_map(rsp, &text, &size), 0);
	assert_string_equal(text, "<memory-map> <memory/></memory-map>");
	assert_int_equal(size, strlen(text));
	free(text);
	rsp_destroy(rsp);
	assert_int_equal(fake_stub_stop(&stub), WIRE_CLOSED);
	fake_stub_deinit(&stub);
	/* It ends without its end: that is for who reads it to tell. */
	fake_stub_replay(&stub,
		"> qSupported*\n< PacketSize=40;qXfer:memory-map:read+\n> ?\n< S05\n"
		"> qqemu*\n< \n"
		"> qXfer:memory-map:read::0,3c\n< l<memory-map>\n"
		"> qXfer:memory-map:read::c,3c\n< l\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_read_memory_map(rsp, &text, &size), 0);
	assert_string_equal(text, "<memory-map>");
	free(text);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
	fake_stub_start(&stub, "supported qXfer:memory-map:read-\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_read_memory_map(rsp, &text, &size), -1);
	assert_int_equal(rsp_failure(rsp), RSP_UNSUPPORTED);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
}

static void test_escapes(void **state)
{
	(void)state;
	check("object memory-map: a#b$c}d*e\n", 0, "a#b$c}d*e");
}

/* The gdbstub crate ends with an empty piece. */
static void test_empty_end(void **state)
{
	struct fake_stub stub;

	(void)state;
	fake_stub_replay(&stub,
		"> qSupported*\n< \n> ?\n< S05\n> qqemu*\n< \n> qXfer:memory-map:read::0,400\n< mabc\n"
		"> qXfer:memory-map:read::3,400\n< l\n");
	char *text = read_map(&stub, 0);

	assert_string_equal(text, "abc");
	free(text);
	assert_int_equal(stub.end, WIRE_CLOSED);
	fake_stub_deinit(&stub);
}

static void test_refused(void **state)
{
	(void)state;
	check("", RSP_REFUSED, "the stub answers E00 to read its description");
	check("answer qXfer:memory-map:read::0,400 \n", RSP_UNSUPPORTED,
		"the stub does not know how to read its description");
	check("answer qXfer:memory-map:read::0,400 x\n", RSP_CONFUSED,
		"a piece of an object that begins with 'x'");
	check("answer qXfer:memory-map:read::0,400 m\n", RSP_CONFUSED,
		"an empty piece of an object");
}

static void test_endless(void **state)
{
	(void)state;
	check("supported PacketSize=20020\nendless-object\n", RSP_CONFUSED,
		"an object of more than 4194304 bytes");
}

/* Asked for one by one, and several ahead as QEMU has it: the connection is of use afterwards. */
static void test_no_memory(void **state)
{
	static const char *const stubs[] = { "", "monitor info version = 7.2.22\nphysical 0\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(stubs) / sizeof(stubs[0]); i++) {
		struct failing failing = { .what = FAILING_ALLOCATIONS };
		char description[1024] = "supported PacketSize=40\nthread 1\nobject memory-map: ";

		memset(description + strlen(description), 'x', 400);
		strcat(description, "\n");
		strcat(description, stubs[i]);
		while (failing_next(&failing)) {
			char *text = NULL, *again = NULL;
			struct fake_stub stub;
			struct rsp *rsp;
			size_t size;
			int rc;

			fake_stub_start(&stub, description);
			rsp = fake_stub_open(&stub);
			rc = rsp_xfer_read(rsp, "memory-map", "", &text, &size);
			failing_check(&failing, rc, rsp_error(rsp));
			if (rc)
				assert_int_equal(rsp_failure(rsp), RSP_NO_MEMORY);
			if (rsp_xfer_read(rsp, "memory-map", "", &again, &size))
				fail_msg("call %lu: %s", failing.nth, rsp_error(rsp));
			assert_int_equal(size, 400);
			free(text);
			free(again);
			rsp_destroy(rsp);
			fake_stub_stop(&stub);
			fake_stub_deinit(&stub);
		}
		assert_true(failing.nth > 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_piece),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_pieces_ahead),
		cmocka_unit_test(test_short_piece_ahead),
		cmocka_unit_test(test_refused_piece_ahead),
		cmocka_unit_test(test_not_behind_the_end),
		cmocka_unit_test(test_memory_map_that_goes_on),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_empty_end),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
