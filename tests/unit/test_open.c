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
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/failing.h"
#include "tests/unit/fake_stub.h"

static void expect_no_stub(
	const char *description, enum rsp_failure failure, const char *error, int cancel_fd)
{
	struct rsp_options options = fake_stub_options(cancel_fd);
	struct fake_stub stub;
	struct rsp *rsp = rsp_create(&options);

	fake_stub_start(&stub, description);
	assert_int_equal(rsp_open(rsp, stub.target), -1);
	assert_string_equal(rsp_error(rsp), error);
	assert_int_equal(rsp_failure(rsp), failure);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
}

static void test_features(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub,
		"supported PacketSize=1000;qXfer:features:read+;vContSupported+;"
		"multiprocess+;binary-upload+;qXfer:memory-map:read+;QStartNoAckMode+\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_stub(rsp)->packet_size, 0x1000);
	assert_true(rsp_stub(rsp)->multiprocess);
	assert_true(rsp_stub(rsp)->binary_upload);
	assert_true(rsp_stub(rsp)->memory_map);
	assert_true(rsp_stub(rsp)->no_ack);
	assert_true(rsp_stub(rsp)->pipelines);
	assert_non_null(strstr(rsp_stub(rsp)->features, ";vContSupported+;"));
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);

	/* A '-' says that it has it not, and names count as a whole. */
	fake_stub_start(&stub, "supported multiprocess-;binary-upload?;Xqxfer:memory-map:read+;"
			       "QStartNoAckMode-\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_stub(rsp)->packet_size, 0);
	assert_false(rsp_stub(rsp)->multiprocess);
	assert_false(rsp_stub(rsp)->binary_upload);
	assert_false(rsp_stub(rsp)->memory_map);
	assert_false(rsp_stub(rsp)->no_ack);
	assert_false(rsp_stub(rsp)->pipelines);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
}

static void test_features_too_long(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp;
	char text[4096] = "supported PacketSize=400;";

	(void)state;
	memset(text + strlen(text), 'f', 3000);
	strcat(text, ";multiprocess+\n");
	fake_stub_start(&stub, text);
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_stub(rsp)->packet_size, 0x400);
	assert_int_equal(strlen(rsp_stub(rsp)->features), sizeof(rsp_stub(rsp)->features) - 1);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
}

static void test_refused_no_ack(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, "careful\nsupported QStartNoAckMode+\nanswer QStartNoAckMode E01\n");
	rsp = fake_stub_open(&stub);
	assert_false(rsp_stub(rsp)->no_ack);
	rsp_destroy(rsp);
	assert_int_equal(fake_stub_stop(&stub), WIRE_CLOSED);
	fake_stub_deinit(&stub);
}

static void test_bad_target(void **state)
{
	struct rsp_options options = fake_stub_options(-1);
	struct rsp *rsp = rsp_create(&options);

	(void)state;
	assert_int_equal(rsp_open(rsp, "host:port"), -1);
	assert_int_equal(rsp_failure(rsp), RSP_BAD_TARGET);
	assert_string_equal(rsp_error(rsp), "\"port\" is no port number from 1 to 65535");
	assert_int_equal(rsp_open(rsp, "unix:/no/such/socket"), -1);
	assert_int_equal(rsp_failure(rsp), RSP_UNREACHABLE);
	assert_string_equal(rsp_error(rsp), "cannot connect: No such file or directory");
	rsp_destroy(rsp);
}

static void test_no_stub(void **state)
{
	(void)state;
	expect_no_stub("banner HTTP/1.1 400 Bad Request\nclose 1\n", RSP_UNREACHABLE,
		"what answers there is no gdb stub: it sent \"HTTP/1.1 400 Bad Request\"", -1);
	/* Minus signs are no refusals of packets then. */
	expect_no_stub("banner SSH-2.0-OpenSSH_9.2p1 Debian-2\nclose 1\n", RSP_UNREACHABLE,
		"what answers there is no gdb stub: it sent \"SSH-2.0-OpenSSH_9.2p1 Debian-2\"",
		-1);
	expect_no_stub("echo\n", RSP_UNREACHABLE,
		"what answers there is no gdb stub: it repeats what it hears", -1);
	expect_no_stub(
		"close 0\n", RSP_LOST, "the connection was closed before anything was said", -1);
	expect_no_stub("silent 1\n", RSP_UNREACHABLE,
		"connected, but nobody answers: a stub serves one debugger at a time; "
		"is another one connected?",
		-1);
	expect_no_stub("bad-checksums 1\n", RSP_UNREACHABLE, "only damaged packets come", -1);
}

/* It is gone before we say a word: what it said is read all the same. */
static void test_spoke_and_left(void **state)
{
	struct rsp_options options = fake_stub_options(-1);
	struct rsp *rsp = rsp_create(&options);
	int pair[2];
	char target[16];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[1], "220 mail\r\n", 10), 10);
	close(pair[1]);
	snprintf(target, sizeof(target), "fd:%d", pair[0]);
	assert_int_equal(rsp_open(rsp, target), -1);
	assert_int_equal(rsp_failure(rsp), RSP_UNREACHABLE);
	assert_string_equal(
		rsp_error(rsp), "what answers there is no gdb stub: it sent \"220 mail\"");
	rsp_destroy(rsp);
}

/* A console that talks all the time is as good as silence. */
static void test_talkative(void **state)
{
	struct rsp_options options = fake_stub_options(-1);
	struct rsp *rsp = rsp_create(&options);
	int pair[2];
	char target[16];
	pid_t child;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	child = fork();
	if (child == 0) {
		close(pair[0]);
		while (send(pair[1], "login: ", 7, MSG_NOSIGNAL) > 0)
			usleep(50000);
		_exit(0);
	}
	close(pair[1]);
	snprintf(target, sizeof(target), "fd:%d", pair[0]);
	assert_int_equal(rsp_open(rsp, target), -1);
	assert_int_equal(rsp_failure(rsp), RSP_UNREACHABLE);
	assert_int_equal(strncmp(rsp_error(rsp),
				 "what answers there is no gdb stub: it sent \"login: login: ", 57),
		0);
	rsp_destroy(rsp);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_cancelled(void **state)
{
	int cancels[2];

	(void)state;
	assert_int_equal(pipe(cancels), 0);
	assert_int_equal(write(cancels[1], "", 1), 1);
	expect_no_stub("silent 1\n", RSP_CANCELLED, "interrupted", cancels[0]);

	/* While it tries again and again. */
	struct rsp_options options = fake_stub_options(cancels[0]);

	options.retry_ms = 60000;
	struct rsp *rsp = rsp_create(&options);

	assert_int_equal(rsp_open(rsp, "unix:/no/such/socket"), -1);
	assert_int_equal(rsp_failure(rsp), RSP_CANCELLED);
	rsp_destroy(rsp);
	close(cancels[0]);
	close(cancels[1]);
}

/* Cancelled while the first answer is due, and yet left with the guest running. */
static void release_cancelled(const char *description, const char *last)
{
	struct fake_stub stub;
	int cancels[2];

	assert_int_equal(pipe(cancels), 0);
	struct rsp_options options = fake_stub_options(cancels[0]);
	struct rsp *rsp = rsp_create(&options);

	fake_stub_start(&stub, description);
	assert_int_equal(write(cancels[1], "", 1), 1);
	assert_int_equal(rsp_open(rsp, stub.target), -1);
	assert_int_equal(rsp_failure(rsp), RSP_CANCELLED);
	assert_int_equal(rsp_release(rsp, RSP_RESUME), 0);
	fake_stub_stop(&stub);
	fake_stub_assert_detached(&stub);
	assert_string_equal(fake_stub_last(&stub), last);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
	close(cancels[0]);
	close(cancels[1]);
}

static void test_cancelled_and_released(void **state)
{
	(void)state;
	release_cancelled("delay 20\n", "> +");
	/* What the answer would have told, that processes have numbers, is not known then. */
	release_cancelled("delay 20\nsupported multiprocess+\n", "> D;1");
}

/* What a stub that takes up the connection only when we have gone finds in it. */
static char *left_behind(enum rsp_after after, char *text, size_t size)
{
	struct rsp_options options = fake_stub_options(-1);
	struct rsp *rsp;
	char target[16];
	int pair[2];
	ssize_t n;

	options.connect_timeout_ms = 50;
	rsp = rsp_create(&options);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	snprintf(target, sizeof(target), "fd:%d", pair[0]);
	assert_int_equal(rsp_open(rsp, target), -1);
	assert_int_equal(rsp_failure(rsp), RSP_UNREACHABLE);
	assert_int_equal(rsp_release(rsp, after), 0);
	rsp_destroy(rsp);
	n = read(pair[1], text, size - 1);
	assert_true(n > 0);
	text[n] = '\0';
	/* And then the end. */
	assert_int_equal(read(pair[1], target, 1), 0);
	close(pair[1]);
	return text;
}

static void test_gave_up(void **state)
{
	char text[512];

	(void)state;
	left_behind(RSP_RESUME, text, sizeof(text));
	assert_non_null(strstr(text, "$qSupported"));
	assert_string_equal(strrchr(text, '$'), "$D;1#b0");
	left_behind(RSP_STAY, text, sizeof(text));
	assert_int_equal(strncmp(strrchr(text, '$'), "$qSupported", 11), 0);
}

/* Interrupts when `?` is asked. */
static void interrupt_stop(void *ctx, bool sent, const char *packet, size_t size)
{
	const int *cancel = ctx;

	if (sent && size == 1 && *packet == '?')
		assert_int_equal(write(*cancel, "", 1), 1);
}

/* The answer to `?` is drained as what it is. */
static void test_cancelled_at_stop(void **state)
{
	struct fake_stub stub;
	int cancels[2];

	(void)state;
	assert_int_equal(pipe(cancels), 0);
	struct rsp_options options = fake_stub_options(cancels[0]);

	options.trace = interrupt_stop;
	options.trace_ctx = &cancels[1];
	fake_stub_start(&stub, "stop T05thread:01;\n");
	struct rsp *rsp = rsp_create(&options);

	assert_int_equal(rsp_open(rsp, stub.target), -1);
	assert_int_equal(rsp_failure(rsp), RSP_CANCELLED);
	assert_int_equal(rsp_release(rsp, RSP_RESUME), 0);
	fake_stub_stop(&stub);
	fake_stub_assert_detached(&stub);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
	close(cancels[0]);
	close(cancels[1]);
}

static void test_retry(void **state)
{
	struct rsp_options options = fake_stub_options(-1);
	struct rsp *rsp;

	(void)state;
	/* It gives up when the time is over, with the last cause. */
	options.retry_ms = 150;
	rsp = rsp_create(&options);
	assert_int_equal(rsp_open(rsp, "unix:/no/such/socket"), -1);
	assert_string_equal(rsp_error(rsp), "cannot connect: No such file or directory");
	rsp_destroy(rsp);
}

static void test_stops(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, "unsolicited T02thread:01;\nstop T05thread:01;\n");
	rsp = fake_stub_open(&stub);
	assert_true(rsp_stub(rsp)->announced_stop);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);

	/* The answer to `?` is no announcement. */
	fake_stub_start(&stub, "stop T05core:01;\n");
	rsp = fake_stub_open(&stub);
	assert_false(rsp_stub(rsp)->announced_stop);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);

	expect_no_stub("stop W00\n", RSP_REFUSED, "the stub says that its guest has ended", -1);
	expect_no_stub("stop X0f\n", RSP_REFUSED, "the stub says that its guest has ended", -1);
}

/* Opens, switches to physical memory where there is, and releases. */
static int leave(struct fake_stub *stub, const char *description, enum rsp_after after)
{
	struct rsp *rsp;
	int rc;

	fake_stub_start(stub, description);
	rsp = fake_stub_open(stub);
	if (rsp_stub(rsp)->physical_memory)
		assert_int_equal(rsp_use_physical_memory(rsp), 0);
	rc = rsp_release(rsp, after);
	/* Closed, in any case. */
	fake_stub_stop(stub);
	assert_int_equal(rsp_release(rsp, after), -1);
	assert_string_equal(rsp_error(rsp), "not connected");
	rsp_destroy(rsp);
	return rc;
}

static void test_resume(void **state)
{
	struct fake_stub stub;

	(void)state;
	assert_int_equal(leave(&stub, "careful\n", RSP_RESUME), 0);
	fake_stub_assert_detached(&stub);
	fake_stub_deinit(&stub);

	assert_int_equal(
		leave(&stub, "supported multiprocess+\nthread p1.1\nthread p1.2\n", RSP_RESUME), 0);
	assert_string_equal(fake_stub_last(&stub), "> D;1");
	fake_stub_deinit(&stub);

	assert_int_equal(leave(&stub, "supported QStartNoAckMode+\n", RSP_RESUME), 0);
	assert_string_equal(fake_stub_last(&stub), "> D");
	fake_stub_deinit(&stub);
}

/* Who has listed the threads need not do it again to leave. */
static void test_resume_processes_that_are_known(void **state)
{
	struct rsp_thread *threads;
	struct fake_stub stub;
	struct rsp *rsp;
	size_t count;

	(void)state;
	fake_stub_replay(&stub, "> qSupported*\n< multiprocess+\n> ?\n< S05\n> qqemu*\n< \n"
				"> qfThreadInfo\n< mp1.1,p2.3\n> qsThreadInfo\n< l\n"
				"> D;1\n< OK\n> D;2\n< OK\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_list_threads(rsp, &threads, &count), 0);
	assert_int_equal(count, 2);
	free(threads);
	assert_int_equal(rsp_release(rsp, RSP_RESUME), 0);
	assert_int_equal(fake_stub_stop(&stub), WIRE_CLOSED);
	assert_string_equal(fake_stub_last(&stub), "> D;2");
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
}

/* Each process once, and not a byte behind the last D. */
static void test_resume_processes(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_replay(&stub, "> qSupported*\n< multiprocess+\n> ?\n< S05\n> qqemu*\n< \n"
				"> qfThreadInfo\n< mp1.1,p1.2,p2.3,p1a.4\n> qsThreadInfo\n< l\n"
				"> D;1\n< OK\n> D;2\n< OK\n> D;1a\n< OK\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_release(rsp, RSP_RESUME), 0);
	assert_int_equal(fake_stub_stop(&stub), WIRE_CLOSED);
	assert_string_equal(fake_stub_last(&stub), "> D;1a");
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
}

static void test_stay(void **state)
{
	struct fake_stub stub;

	(void)state;
	assert_int_equal(leave(&stub, "", RSP_STAY), 0);
	assert_int_equal(fake_stub_count(&stub, "> D"), 0);
	fake_stub_deinit(&stub);
	assert_int_equal(leave(&stub, "physical 0\n", RSP_STAY), 0);
	assert_int_equal(fake_stub_count(&stub, "> D"), 0);
	assert_int_equal(stub.machine.physical, 0);
	fake_stub_deinit(&stub);
}

static void test_memory_mode_is_put_back(void **state)
{
	struct fake_stub stub;

	(void)state;
	assert_int_equal(leave(&stub, "physical 0\n", RSP_RESUME), 0);
	assert_int_equal(fake_stub_count(&stub, "> Qqemu.PhyMemMode:1"), 1);
	assert_int_equal(stub.machine.physical, 0);
	fake_stub_assert_detached(&stub);
	fake_stub_deinit(&stub);
	/* As it was found, even if a dead client left it so. */
	assert_int_equal(leave(&stub, "physical 1\n", RSP_RESUME), 0);
	assert_int_equal(fake_stub_count(&stub, "> Qqemu.PhyMemMode:0"), 0);
	assert_int_equal(stub.machine.physical, 1);
	fake_stub_assert_detached(&stub);
	fake_stub_deinit(&stub);
}

/* Interrupts when the memory mode is about to be switched. */
static void interrupt_switch(void *ctx, bool sent, const char *packet, size_t size)
{
	const int *cancel = ctx;

	if (sent && size == 18 && memcmp(packet, "Qqemu.PhyMemMode:1", 18) == 0)
		assert_int_equal(write(*cancel, "", 1), 1);
}

/* Cancelled between the switch and its answer: it is put back all the same. */
static void test_memory_mode_of_an_interrupted_client(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp;
	int cancels[2];

	(void)state;
	assert_int_equal(pipe(cancels), 0);
	struct rsp_options options = fake_stub_options(cancels[0]);

	options.trace = interrupt_switch;
	options.trace_ctx = &cancels[1];
	fake_stub_start(&stub, "physical 0\n");
	rsp = rsp_create(&options);
	assert_int_equal(rsp_open(rsp, stub.target), 0);
	assert_int_equal(rsp_use_physical_memory(rsp), -1);
	assert_int_equal(rsp_failure(rsp), RSP_CANCELLED);
	assert_int_equal(rsp_release(rsp, RSP_RESUME), 0);
	fake_stub_stop(&stub);
	fake_stub_assert_detached(&stub);
	assert_int_equal(fake_stub_count(&stub, "> Qqemu.PhyMemMode:1"), 1);
	assert_int_equal(stub.machine.physical, 0);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
	close(cancels[0]);
	close(cancels[1]);
}

/* A stub that will not go back lets the guest run nevertheless; the caller is told. */
static void test_refuses_to_go_back(void **state)
{
	struct fake_stub stub;

	(void)state;
	assert_int_equal(
		leave(&stub, "physical 0\nanswer Qqemu.PhyMemMode:0 E22\n", RSP_RESUME), -1);
	fake_stub_assert_detached(&stub);
	fake_stub_deinit(&stub);
}

static void test_refuses_to_detach(void **state)
{
	struct fake_stub stub;

	(void)state;
	assert_int_equal(leave(&stub, "answer D E22\n", RSP_RESUME), -1);
	fake_stub_deinit(&stub);
	assert_int_equal(leave(&stub, "deaf-to-detach\n", RSP_RESUME), -1);
	fake_stub_deinit(&stub);
	/* 5 answers: the fourth is the stub's last. */
	assert_int_equal(leave(&stub, "close 4\n", RSP_RESUME), -1);
	fake_stub_deinit(&stub);
}

/* The connection itself, and what is asked of a stub to know which it is. */
static void test_no_memory(void **state)
{
	const struct rsp_options options = fake_stub_options(-1);
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	while (failing_next(&failing)) {
		struct fake_stub stub;
		struct rsp *rsp;
		int rc;

		fake_stub_start(&stub, "supported PacketSize=1000;QStartNoAckMode+\nphysical 0\n"
				       "monitor info version = 7.2.22\nthread 1\n");
		rsp = rsp_create(&options);
		rc = rsp ? rsp_open(rsp, stub.target) : -1;
		failing_check(&failing, rc, rsp ? rsp_error(rsp) : "no memory");
		if (rsp && rc)
			assert_int_equal(rsp_failure(rsp), RSP_NO_MEMORY);
		if (!rsp)
			close(stub.client);
		rsp_destroy(rsp);
		fake_stub_deinit(&stub);
	}
	/* The connection and its three buffers, the version. */
	assert_true(failing.nth > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_features_too_long),
		cmocka_unit_test(test_refused_no_ack),
		cmocka_unit_test(test_bad_target),
		cmocka_unit_test(test_no_stub),
		cmocka_unit_test(test_spoke_and_left),
		cmocka_unit_test(test_talkative),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_cancelled_and_released),
		cmocka_unit_test(test_gave_up),
		cmocka_unit_test(test_cancelled_at_stop),
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_stops),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_resume_processes),
		cmocka_unit_test(test_resume_processes_that_are_known),
		cmocka_unit_test(test_stay),
		cmocka_unit_test(test_memory_mode_is_put_back),
		cmocka_unit_test(test_memory_mode_of_an_interrupted_client),
		cmocka_unit_test(test_refuses_to_go_back),
		cmocka_unit_test(test_refuses_to_detach),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
