// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <string.h>
#include <unistd.h>

#include "rsp/connection.h"
#include "tests/unit/fake_stub.h"

/* rsp_open() sends qSupported, ?, and one question for each kind of stub. */
enum { OPENING_REPLIES = 3 };

static struct rsp *open_described(struct fake_stub *stub, const char *description)
{
	fake_stub_start(stub, description);
	return fake_stub_open(stub);
}

static void finish(struct fake_stub *stub, struct rsp *rsp)
{
	rsp_destroy(rsp);
	fake_stub_stop(stub);
}

static void assert_answers(struct rsp *rsp, const char *request, const char *answer)
{
	struct rsp_reply reply;

	if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "%s", request))
		fail_msg("%s: %s", request, rsp_error(rsp));
	assert_int_equal(reply.size, strlen(answer));
	/* With a NUL behind it. */
	assert_string_equal(reply.text, answer);
	assert_int_equal(rsp->due, 0);
}

static void assert_fails(
	struct rsp *rsp, const char *request, enum rsp_failure failure, const char *error)
{
	struct rsp_reply reply;

	assert_int_equal(rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "%s", request), -1);
	assert_string_equal(rsp_error(rsp), error);
	assert_int_equal(rsp_failure(rsp), failure);
}

/* Each answer gets one '+', and no request goes out before the last answer came. */
static void test_acknowledged(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp = open_described(&stub, "careful\nanswer qA one\nanswer qB two\n");

	(void)state;
	assert_false(rsp_stub(rsp)->no_ack);
	assert_answers(rsp, "qA", "one");
	assert_answers(rsp, "qB", "two");
	assert_answers(rsp, "qC", "");
	finish(&stub, rsp);
	assert_int_equal(stub.end, WIRE_CLOSED);
	/* One in front of all, and one for each answer. */
	assert_int_equal(fake_stub_count(&stub, "> +"), 1 + OPENING_REPLIES + 3);
	assert_int_equal(fake_stub_count(&stub, "> -"), 0);
	fake_stub_deinit(&stub);
}

static void test_without_acknowledgements(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp = open_described(
		&stub, "supported QStartNoAckMode+\nanswer qA one\nanswer qB two\n");

	(void)state;
	assert_true(rsp_stub(rsp)->no_ack);
	assert_answers(rsp, "qA", "one");
	assert_answers(rsp, "qB", "two");
	finish(&stub, rsp);
	/* One in front of all, and for the answers to qSupported and QStartNoAckMode. */
	assert_int_equal(fake_stub_count(&stub, "> +"), 3);
	fake_stub_deinit(&stub);
}

/* The stub says that a request was damaged: it goes out once more. */
static void test_nack(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp = open_described(&stub, "nack 4\nanswer qA one\n");

	(void)state;
	assert_answers(rsp, "qA", "one");
	finish(&stub, rsp);
	assert_int_equal(fake_stub_count(&stub, "> qA"), 2);
	fake_stub_deinit(&stub);
}

static void test_nack_for_ever(void **state)
{
	struct fake_stub stub;
	struct rsp_options options = fake_stub_options(-1);
	struct rsp *rsp = rsp_create(&options);

	(void)state;
	fake_stub_replay(&stub, "> qSupported*\n! -\n> qSupported*\n! -\n> qSupported*\n! -\n"
				"> qSupported*\n! -\n");
	assert_int_equal(rsp_open(rsp, stub.target), -1);
	assert_int_equal(rsp_failure(rsp), RSP_UNREACHABLE);
	assert_string_equal(rsp_error(rsp), "what answers there is no gdb stub: it sent \"----\"");
	finish(&stub, rsp);
	assert_int_equal(stub.end, WIRE_CLOSED);
	fake_stub_deinit(&stub);
}

/*
 * A damaged answer is asked for once more by '-', since the request may not be one that can be
 * repeated: the next qsThreadInfo gives the next thread.
 */
static void test_damaged_answer(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp = open_described(&stub, "bad-checksum 4\nanswer qA one\nanswer qB two\n");

	(void)state;
	assert_answers(rsp, "qA", "one");
	assert_answers(rsp, "qB", "two");
	finish(&stub, rsp);
	assert_int_equal(fake_stub_count(&stub, "> qA"), 1);
	assert_int_equal(fake_stub_count(&stub, "> -"), 1);
	fake_stub_deinit(&stub);
}

static void test_damaged_answers_only(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp = open_described(&stub, "bad-checksums 4\nanswer qA one\n");

	(void)state;
	assert_fails(rsp, "qA", RSP_CONFUSED, "a packet with a wrong checksum came");
	finish(&stub, rsp);
	assert_int_equal(fake_stub_count(&stub, "> -"), 3);
	fake_stub_deinit(&stub);
}

/* Without acknowledgements nothing can be repeated, and '-' ends stubs that are made in Rust. */
static void test_damaged_without_acknowledgements(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp = open_described(
		&stub, "supported QStartNoAckMode+\nbad-checksum 5\nanswer qA one\n");

	(void)state;
	assert_fails(rsp, "qA", RSP_CONFUSED, "a packet with a wrong checksum came");
	finish(&stub, rsp);
	assert_int_equal(fake_stub_count(&stub, "> -"), 0);
	fake_stub_deinit(&stub);
}

/* What comes between answers is passed over, and acknowledged if it is a packet. */
static void test_in_between(void **state)
{
	static const char *const faults[] = { "junk console says: hello!", "notification Stop:T05",
		"console hello", "unasked T05thread:01;", "unsolicited T02thread:01;" };

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct fake_stub stub;
		char text[128];

		snprintf(text, sizeof(text), "%s\nanswer qA one\nanswer qB two\n", faults[i]);
		struct rsp *rsp = open_described(&stub, text);

		assert_answers(rsp, "qA", "one");
		assert_answers(rsp, "qB", "two");
		finish(&stub, rsp);
		assert_int_equal(stub.end, WIRE_CLOSED);
		fake_stub_deinit(&stub);
	}
}

static void test_answer_to_nothing(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_replay(
		&stub, "> qSupported*\n< \n> ?\n< S05\n> qqemu*\n< \n> qA\n< one\n< two\n");
	rsp = fake_stub_open(&stub);
	assert_answers(rsp, "qA", "one");
	/* It may come in time to be taken for the answer to the next request, or not. */
	while (rsp->in_start == rsp->in_end)
		assert_int_equal(rsp_wait(rsp), 0);

	struct rsp_reply reply;

	assert_int_equal(rsp_receive_ready(rsp, RSP_EXPECT_ANSWER, &reply), -1);
	assert_int_equal(rsp_failure(rsp), RSP_CONFUSED);
	assert_string_equal(rsp_error(rsp), "an answer to nothing came");
	finish(&stub, rsp);
	fake_stub_deinit(&stub);
}

static void test_run_lengths(void **state)
{
	static const char *const encodings[] = { "run-lengths", "run-lengths-of-8" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fake_stub stub;
		char text[256];

		/* Runs of 7, 8 and 9: '#', '$' and '%' as counts. */
		snprintf(text, sizeof(text),
			"%s\nanswer qA 00000001111111122222222233\nanswer qB 0000000\n",
			encodings[i]);
		struct rsp *rsp = open_described(&stub, text);

		assert_answers(rsp, "qA", "00000001111111122222222233");
		assert_answers(rsp, "qB", "0000000");
		finish(&stub, rsp);
		fake_stub_deinit(&stub);
	}
}

static void test_impossible_run_lengths(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp = open_described(&stub, "answer qA *x\nanswer qB one\n");

	(void)state;
	assert_fails(rsp, "qA", RSP_CONFUSED, "a packet with impossible run lengths");
	finish(&stub, rsp);
	fake_stub_deinit(&stub);
}

/* 12000 runs of 98 are more than a packet may have. */
static void test_run_length_bomb(void **state)
{
	struct fake_stub stub;
	static char text[64 << 10];
	size_t used = (size_t)sprintf(text, "answer qA 0");

	(void)state;
	for (size_t i = 0; i < 12000; i++)
		used += (size_t)sprintf(text + used, "*~");
	strcpy(text + used, "\n");

	struct rsp *rsp = open_described(&stub, text);

	assert_fails(rsp, "qA", RSP_CONFUSED, "a packet with impossible run lengths");
	finish(&stub, rsp);
	fake_stub_deinit(&stub);
}

/* A packet that never ends is given up at RSP_PACKET_MAX. */
static void test_packet_without_end(void **state)
{
	struct rsp_options options = fake_stub_options(-1);
	struct fake_stub stub;
	struct rsp *rsp = rsp_create(&options);
	static char script[(2 << 20) + 64];
	size_t used = (size_t)sprintf(script, "> qSupported*\n! $");

	(void)state;
	memset(script + used, '0', 2 << 20);
	strcpy(script + used + (2 << 20), "\n");
	fake_stub_replay(&stub, script);
	assert_int_equal(rsp_open(rsp, stub.target), -1);
	assert_int_equal(rsp_failure(rsp), RSP_CONFUSED);
	assert_string_equal(rsp_error(rsp), "a packet of more than 1048576 bytes");
	finish(&stub, rsp);
	fake_stub_deinit(&stub);
}

/* Notifications without end are no answer, however patient the options are. */
static void test_flood(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp = open_described(&stub, "flood 4\nanswer qA one\n");

	(void)state;
	assert_fails(rsp, "qA", RSP_CONFUSED, "the stub talks without end, but gives no answer");
	finish(&stub, rsp);
	fake_stub_deinit(&stub);
}

static void test_byte_by_byte(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp = open_described(&stub, "one-byte\nanswer qA 0123456789\n");

	(void)state;
	assert_answers(rsp, "qA", "0123456789");
	finish(&stub, rsp);
	fake_stub_deinit(&stub);
}

static void test_trailing_nul(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp = open_described(&stub, "trailing-nul\nanswer qA E0E\nanswer qB OK\n");

	(void)state;
	assert_answers(rsp, "qA", "E0E");
	assert_answers(rsp, "qB", "OK");
	assert_answers(rsp, "qC", "");
	finish(&stub, rsp);
	fake_stub_deinit(&stub);
}

static void test_silence(void **state)
{
	struct fake_stub stub;
	struct rsp_options options = fake_stub_options(-1);
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, "silent 4\n");
	options.timeout_ms = 1000;
	rsp = rsp_create(&options);
	assert_int_equal(rsp_open(rsp, stub.target), 0);
	assert_fails(rsp, "qA", RSP_LOST, "the stub has been silent for 1 seconds");
	finish(&stub, rsp);
	fake_stub_deinit(&stub);
}

static void test_closed(void **state)
{
	static const char *const faults[] = { "close 4\n", "truncate 4\nanswer qA one\n" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fake_stub stub;
		struct rsp *rsp = open_described(&stub, faults[i]);

		assert_fails(rsp, "qA", RSP_LOST, "the stub closed the connection");
		/* And from then on. */
		assert_fails(rsp, "qA", RSP_LOST, "the stub closed the connection");
		finish(&stub, rsp);
		fake_stub_deinit(&stub);
	}
}

static void test_not_connected(void **state)
{
	struct rsp_options options = fake_stub_options(-1);
	struct rsp *rsp = rsp_create(&options);

	(void)state;
	assert_fails(rsp, "qA", RSP_LOST, "not connected");
	rsp_destroy(rsp);
	rsp_destroy(NULL);
}

/* Cancelled while it waits; then the answer that is due is drained, and all goes on. */
static void test_cancelled(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp;
	int cancels[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(cancels), 0);
	struct rsp_options options = fake_stub_options(cancels[0]);

	fake_stub_start(&stub, "delay 20\nanswer qA one\nanswer qB two\n");
	rsp = rsp_create(&options);
	assert_int_equal(rsp_open(rsp, stub.target), 0);
	assert_int_equal(write(cancels[1], "", 1), 1);
	assert_fails(rsp, "qA", RSP_CANCELLED, "interrupted");
	assert_int_equal(rsp->due, 1);
	assert_int_equal(rsp_drain(rsp), 0);
	assert_int_equal(rsp->due, 0);
	assert_int_equal(read(cancels[0], &byte, 1), 1);
	assert_answers(rsp, "qB", "two");
	finish(&stub, rsp);
	fake_stub_deinit(&stub);
	close(cancels[0]);
	close(cancels[1]);
}

/* The other side takes nothing in: waiting to send is cancelled as well. */
static void test_cancelled_while_sending(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp;
	int cancels[2];
	static const char request[4000];

	(void)state;
	assert_int_equal(pipe(cancels), 0);
	struct rsp_options options = fake_stub_options(cancels[0]);

	options.timeout_ms = 60000;
	fake_stub_start(&stub, "silent 4\n");
	rsp = rsp_create(&options);
	assert_int_equal(rsp_open(rsp, stub.target), 0);
	assert_int_equal(rsp_send(rsp, "qA", 2), 0);
	assert_int_equal(rsp_flush(rsp), 0);
	/* The stub reads on, but never answers; closing its end would be something else. */
	assert_int_equal(write(cancels[1], "", 1), 1);
	assert_int_equal(rsp_send(rsp, request, sizeof(request)), 0);

	struct rsp_reply reply;

	assert_int_equal(rsp_receive(rsp, RSP_EXPECT_ANSWER, &reply), -1);
	assert_int_equal(rsp_failure(rsp), RSP_CANCELLED);
	finish(&stub, rsp);
	fake_stub_deinit(&stub);
	close(cancels[0]);
	close(cancels[1]);
}

static void test_too_long_requests(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp = open_described(&stub, "answer qA one\n");
	static char request[RSP_REQUEST_MAX + 1];

	(void)state;
	memset(request, 'q', sizeof(request) - 1);
	assert_int_equal(rsp_send(rsp, request, RSP_REQUEST_MAX + 1), -1);
	assert_fails(rsp, request, RSP_CONFUSED, "a request is too long");
	assert_answers(rsp, "qA", "one");
	finish(&stub, rsp);
	fake_stub_deinit(&stub);
}

static void test_errors(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		bool error;
	} cases[] = {
		{ "", 0, false },
		{ "E", 1, false },
		{ "E1", 2, false },
		{ "E14", 3, true },
		{ "E0e", 3, true },
		{ "EFF", 3, true },
		{ "E.", 2, true },
		{ "E.out of cheese", 15, true },
		{ "E0x", 3, false },
		{ "E144", 4, false },
		{ "e14", 3, false },
		{ "OK", 2, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[32];
		struct rsp_reply reply = { .text = text, .size = cases[i].size };

		strcpy(text, cases[i].text);
		assert_int_equal(rsp_is_error(&reply), cases[i].error);
	}
}

static void test_check(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp = open_described(&stub, "");
	char refusal[] = "E.no\nway", nothing[] = "", yes[] = "OK";
	struct rsp_reply reply = { .text = refusal, .size = 8 };

	(void)state;
	assert_int_equal(rsp_check(rsp, &reply, "dance"), -1);
	assert_int_equal(rsp_failure(rsp), RSP_REFUSED);
	/* One line, whatever the stub sends. */
	assert_string_equal(rsp_error(rsp), "the stub answers E.no?way to dance");
	reply = (struct rsp_reply){ .text = nothing };
	assert_int_equal(rsp_check(rsp, &reply, "dance"), -1);
	assert_int_equal(rsp_failure(rsp), RSP_UNSUPPORTED);
	assert_string_equal(rsp_error(rsp), "the stub does not know how to dance");
	reply = (struct rsp_reply){ .text = yes, .size = 2 };
	assert_int_equal(rsp_check(rsp, &reply, "dance"), 0);
	assert_true(rsp_is(&reply, "OK"));
	assert_false(rsp_is(&reply, "O"));
	assert_false(rsp_is(&reply, "OKAY"));
	finish(&stub, rsp);
	fake_stub_deinit(&stub);
}

struct traced {
	char text[512];
};

static void note_trace(void *ctx, bool sent, const char *packet, size_t size)
{
	struct traced *traced = ctx;
	size_t used = strlen(traced->text);

	snprintf(traced->text + used, sizeof(traced->text) - used, "%c%.*s\n", sent ? '>' : '<',
		(int)(size < 10 ? size : 10), packet);
}

static void test_trace(void **state)
{
	struct fake_stub stub;
	struct traced traced = { "" };
	struct rsp_options options = fake_stub_options(-1);
	struct rsp *rsp;

	(void)state;
	options.trace = note_trace;
	options.trace_ctx = &traced;
	fake_stub_start(&stub, "unsolicited T02\nrun-lengths\nanswer qA 00000\n");
	rsp = rsp_create(&options);
	assert_int_equal(rsp_open(rsp, stub.target), 0);
	assert_answers(rsp, "qA", "00000");
	assert_string_equal(
		traced.text, ">qSupported\n<T02\n<\n>?\n<S05\n>qqemu.PhyM\n<\n>qA\n<00000\n");
	finish(&stub, rsp);
	fake_stub_deinit(&stub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acknowledged),
		cmocka_unit_test(test_without_acknowledgements),
		cmocka_unit_test(test_nack),
		cmocka_unit_test(test_nack_for_ever),
		cmocka_unit_test(test_damaged_answer),
		cmocka_unit_test(test_damaged_answers_only),
		cmocka_unit_test(test_damaged_without_acknowledgements),
		cmocka_unit_test(test_in_between),
		cmocka_unit_test(test_answer_to_nothing),
		cmocka_unit_test(test_run_lengths),
		cmocka_unit_test(test_impossible_run_lengths),
		cmocka_unit_test(test_run_length_bomb),
		cmocka_unit_test(test_packet_without_end),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_trailing_nul),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_not_connected),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_cancelled_while_sending),
		cmocka_unit_test(test_too_long_requests),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
