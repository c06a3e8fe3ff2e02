// SPDX-License-Identifier: GPL-2.0-or-later
/* The connection of somebody who was killed at any moment: the stub's log tells what became of it.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rsp/packet.h"
#include "tests/unit/fake_stub.h"
#include "tests/unit/small_guest.h"

static struct fake_stub stub;
static struct rsp_will will;
static struct rsp *dead, *heir;

/* He is connected; then he is only what he has left behind. */
static void live(const char *description)
{
	struct rsp_options options = fake_stub_options(-1);

	fake_stub_start(&stub, description);
	options.will = &will;
	dead = rsp_create(&options);
	assert_int_equal(rsp_open(dead, stub.target), 0);
}

static int inherit(void)
{
	struct rsp_options options = fake_stub_options(-1);
	int fd = dup(stub.client);

	options.timeout_ms = 1000;
	heir = rsp_create(&options);
	return rsp_take_over(heir, "fd:999", fd, &will);
}

static void end(void)
{
	rsp_destroy(heir);
	rsp_destroy(dead);
	fake_stub_stop(&stub);
}

static void assert_let_go(void)
{
	assert_int_equal(inherit(), 0);
	assert_int_equal(rsp_release(heir, RSP_RESUME), 0);
	end();
	fake_stub_assert_detached(&stub);
	assert_int_equal(fake_stub_count(&stub, "> D;1"), 1);
}

static void say(const char *bytes, size_t size)
{
	assert_int_equal(write(stub.client, bytes, size), size);
}

static void say_packet(const char *body)
{
	uint8_t frame[64];

	say((char *)frame, rsp_frame_write(frame, body, strlen(body)));
}

static void hear(char *bytes, size_t size)
{
	while (size) {
		struct pollfd input = { .fd = stub.client, .events = POLLIN };
		ssize_t n;

		assert_int_equal(poll(&input, 1, 5000), 1);
		n = read(stub.client, bytes, size);
		assert_true(n > 0);
		size -= (size_t)n;
	}
}

static void test_idle(void **state)
{
	(void)state;
	live(SMALL_GUEST SMALL_GUEST_RAN);
	assert_let_go();
	fake_stub_deinit(&stub);
}

/* He may have died before he read that the guest was stopped for him. */
static void test_announcement_unread(void **state)
{
	(void)state;
	for (int ran = 0; ran < 2; ran++) {
		fake_stub_start(
			&stub, ran ? SMALL_GUEST "unsolicited T02thread:p01.01;\n" : SMALL_GUEST);
		will = (struct rsp_will){ .memory_mode = -1 };
		dead = NULL;
		say_packet("?");
		assert_int_equal(inherit(), 0);
		assert_int_equal(rsp_stub(heir)->ever_announced, ran);
		close(stub.client);
		end();
		fake_stub_deinit(&stub);
	}
}

/* A request that is cut anywhere is not executed as something else. */
static void test_cut(void **state)
{
	static const char request[] = "$m100000,800#52";

	const size_t whole = sizeof(request) - 1;

	(void)state;
	for (size_t size = 0; size <= whole; size++) {
		live(SMALL_GUEST SMALL_GUEST_RAN "memory 100000 4 a1b2c3d4\n");
		assert_int_equal(rsp_use_physical_memory(dead), 0);
		say(request, size);
		assert_let_go();
		/* The answer to it is the only long one. */
		assert_int_equal(fake_stub_count(&stub, "< a1b2c3d4"), size == whole);
		fake_stub_deinit(&stub);
	}
}

/* Of thousands of answers that nobody waits for any more he has read a part, or nothing. */
static void test_answers_due(void **state)
{
	static const size_t sizes[] = { 0, 1, 5, 4097, 9000 };
	char read_by_him[9000];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		live(SMALL_GUEST SMALL_GUEST_RAN);
		assert_int_equal(rsp_use_physical_memory(dead), 0);
		for (int n = 0; n < 40; n++)
			say_packet("m100000,800");
		say("$m1000", 6);
		hear(read_by_him, sizes[i]);
		assert_let_go();
		assert_int_equal(fake_stub_count(&stub, "> m100000,800"), 40);
		fake_stub_deinit(&stub);
	}
}

/* A stub that takes one request at a time waits for the sign of an answer that was not read. */
static void test_careful(void **state)
{
	(void)state;
	live("careful\nthread 1\nmemory 0 1000\n");
	say_packet("m0,40");
	if (inherit()) {
		fake_stub_stop(&stub);
		fail_msg("%s\n%s", rsp_error(heir), stub.log);
	}
	assert_int_equal(rsp_release(heir, RSP_RESUME), 0);
	end();
	fake_stub_assert_detached(&stub);
	fake_stub_deinit(&stub);
}

static void test_memory_mode(void **state)
{
	(void)state;
	live(SMALL_GUEST SMALL_GUEST_RAN);
	assert_int_equal(will.memory_mode, -1);
	assert_int_equal(rsp_use_physical_memory(dead), 0);
	assert_int_equal(will.memory_mode, 0);
	assert_let_go();
	assert_int_equal(fake_stub_count(&stub, "= memory mode 0"), 1);
	fake_stub_deinit(&stub);

	/* Nor is it put back where it was never changed. */
	live(SMALL_GUEST "physical 1\n");
	assert_let_go();
	assert_int_equal(fake_stub_count(&stub, "= memory mode 1"), 1);
	fake_stub_deinit(&stub);
}

static void test_stays(void **state)
{
	(void)state;
	live(SMALL_GUEST SMALL_GUEST_RAN);
	assert_int_equal(rsp_use_physical_memory(dead), 0);
	assert_int_equal(inherit(), 0);
	assert_int_equal(rsp_release(heir, RSP_STAY), 0);
	end();
	assert_int_equal(fake_stub_count(&stub, "> D"), 0);
	assert_int_equal(fake_stub_count(&stub, "= memory mode 0"), 1);
	fake_stub_deinit(&stub);
}

/* What he heard, his heir does not hear again. */
static void test_announced_stop(void **state)
{
	(void)state;
	live(SMALL_GUEST SMALL_GUEST_RAN);
	assert_true(will.announced_stop);
	assert_int_equal(inherit(), 0);
	assert_true(rsp_stub(heir)->ever_announced);
	end();
	fake_stub_deinit(&stub);

	live(SMALL_GUEST);
	assert_false(will.announced_stop);
	assert_int_equal(inherit(), 0);
	assert_false(rsp_stub(heir)->ever_announced);
	end();
	fake_stub_deinit(&stub);
}

/* Behind the last D nothing is said, but one that was never sent is. */
static void test_farewell(void **state)
{
	(void)state;
	live(SMALL_GUEST SMALL_GUEST_RAN);
	will.said_farewell = true;
	say_packet("D;1");
	assert_int_equal(inherit(), 1);
	end();
	fake_stub_assert_detached(&stub);
	fake_stub_deinit(&stub);

	live(SMALL_GUEST SMALL_GUEST_RAN);
	will.said_farewell = true;
	say("$D;", 3);
	assert_let_go();
	fake_stub_deinit(&stub);

	/* The answer to a last word is there until the connection is closed. */
	live(SMALL_GUEST SMALL_GUEST_RAN);
	assert_int_equal(rsp_release(dead, RSP_RESUME), 0);
	assert_true(will.said_farewell);
	rsp_destroy(dead);
	fake_stub_stop(&stub);
	fake_stub_assert_detached(&stub);
	fake_stub_deinit(&stub);
}

/* kgdb stays where it is until it has a sign of its answer to the last word. */
static void test_sign_of_farewell(void **state)
{
	char answer[8];

	(void)state;
	for (int read = 0; read <= 1; read++) {
		live("careful\nthread 1\nmemory 0 1000\n");
		will.said_farewell = will.signs_farewell = true;
		say_packet("D");
		if (read) {
			hear(answer, strlen("+$OK#9a"));
			will.heard_farewell = true;
		}
		assert_int_equal(inherit(), 1);
		end();
		fake_stub_assert_detached(&stub);
		fake_stub_deinit(&stub);
	}

	/* It is part of what is done when nobody is killed. */
	live("careful\nthread 1\nmemory 0 1000\n");
	assert_int_equal(rsp_release(dead, RSP_RESUME), 0);
	assert_true(will.signs_farewell);
	rsp_destroy(dead);
	fake_stub_stop(&stub);
	fake_stub_assert_detached(&stub);
	fake_stub_deinit(&stub);
}

static void test_nobody_answers(void **state)
{
	(void)state;
	live(SMALL_GUEST);
	stub.machine.faults.silent = 1;
	assert_int_equal(inherit(), -1);
	assert_int_equal(rsp_failure(heir), RSP_UNREACHABLE);
	/* It may be heard by somebody, later. */
	assert_int_equal(rsp_release(heir, RSP_RESUME), 0);
	end();
	fake_stub_deinit(&stub);

	/* A descriptor that leads nowhere, and no other way to the stub */
	live(SMALL_GUEST);
	shutdown(stub.client, SHUT_RDWR);
	assert_int_equal(inherit(), -1);
	end();
	fake_stub_deinit(&stub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_announcement_unread),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_answers_due),
		cmocka_unit_test(test_careful),
		cmocka_unit_test(test_memory_mode),
		cmocka_unit_test(test_stays),
		cmocka_unit_test(test_announced_stop),
		cmocka_unit_test(test_farewell),
		cmocka_unit_test(test_sign_of_farewell),
		cmocka_unit_test(test_nobody_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
