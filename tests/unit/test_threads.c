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

#include "tests/unit/failing.h"
#include "tests/unit/fake_stub.h"

/* Lists the threads of a stub; returns "PROCESS.ID" of each, or the error. */
static const char *list(const char *description, const char *script, enum rsp_failure failure)
{
	static char text[512];
	struct rsp_thread *threads = NULL;
	struct fake_stub stub;
	size_t count = 0, used = 0;
	struct rsp *rsp;

	text[0] = '\0';
	if (script)
		fake_stub_replay(&stub, script);
	else
		fake_stub_start(&stub, description);
	rsp = fake_stub_open(&stub);
	if (rsp_list_threads(rsp, &threads, &count)) {
		snprintf(text, sizeof(text), "%s", rsp_error(rsp));
		assert_int_equal(rsp_failure(rsp), failure);
	}
	for (size_t i = 0; i < count && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%llx.%llx ",
			(unsigned long long)threads[i].process, (unsigned long long)threads[i].id);
	free(threads);
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	fake_stub_deinit(&stub);
	return text;
}

#define OPENING "> qSupported*\n< \n> ?\n< S05\n> qqemu*\n< \n"

static void test_forms(void **state)
{
	(void)state;
	assert_string_equal(list("thread 1\n", NULL, 0), "0.1 ");
	assert_string_equal(list("thread 1\nthread 2\nthread a\n", NULL, 0), "0.1 0.2 0.a ");
	assert_string_equal(
		list("threads-per-packet 0\nthread 1\nthread 2\n", NULL, 0), "0.1 0.2 ");
	assert_string_equal(list("threads-per-packet 2\nthread 3\nthread 2\nthread 1\n", NULL, 0),
		"0.3 0.2 0.1 ");
	assert_string_equal(
		list("thread p01.01\nthread p01.02\nthread p2.3\n", NULL, 0), "1.1 1.2 2.3 ");
	assert_string_equal(list("threads-per-packet 0\nthread p1.ffffffffffffffff\n", NULL, 0),
		"1.ffffffffffffffff ");
}

/* gdbsx has the end behind the list, in the same packet. */
static void test_fused_end(void **state)
{
	(void)state;
	assert_string_equal(list(NULL, OPENING "> qfThreadInfo\n< m0,1,2l\n", 0), "0.0 0.1 0.2 ");
}

/* Of one CPU, of which they have no list: Bochs, which says what the current thread is, OpenOCD. */
static void test_no_list(void **state)
{
	(void)state;
	assert_string_equal(list(NULL, OPENING "> qfThreadInfo\n< \n> qC\n< 1\n", 0), "0.0 ");
	assert_string_equal(list(NULL, OPENING "> qfThreadInfo\n< \n> qC\n< QC1\n", 0), "0.0 ");
	assert_string_equal(list("supported vContSupported+\n", NULL, 0), "0.0 ");
	assert_string_equal(list(NULL, OPENING "> qfThreadInfo\n< l\n", 0), "0.0 ");
	/* QEMU always has some. */
	assert_string_equal(list("physical 0\nanswer qfThreadInfo l\n", NULL, RSP_CONFUSED),
		"the stub lists no threads");
	assert_string_equal(list("physical 0\n", NULL, RSP_UNSUPPORTED),
		"the stub does not know how to list its threads");
}

/* kgdb: only the CPUs, and not the rest of the list, which would be tasks. */
static void test_shadows(void **state)
{
	(void)state;
	assert_string_equal(
		list(NULL, OPENING "> qfThreadInfo\n< mfffffffe,fffffffd,01,02,7fffffff\n", 0),
		"0.fffffffe 0.fffffffd ");
}

static void test_bad(void **state)
{
	static const struct {
		const char *answer, *error;
		enum rsp_failure failure;
	} cases[] = {
		{ "E01", "the stub answers E01 to list its threads", RSP_REFUSED },
		{ "m", "an empty packet of threads", RSP_CONFUSED },
		{ "x1", "a thread list that begins with 'x'", RSP_CONFUSED },
		{ "OK", "a thread list that begins with 'O'", RSP_CONFUSED },
		{ "m1,,2", "a thread list with \",2\"", RSP_CONFUSED },
		{ "m1;2", "a thread list with \";2\"", RSP_CONFUSED },
		{ "m-1", "a thread list with \"-1\"", RSP_CONFUSED },
		{ "mp1", "a thread list with \"\"", RSP_CONFUSED },
		{ "mp.1", "a thread list with \".1\"", RSP_CONFUSED },
		{ "mp1.", "a thread list with \"\"", RSP_CONFUSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char script[256];

		snprintf(script, sizeof(script), OPENING "> qfThreadInfo\n< %s\n", cases[i].answer);
		assert_string_equal(list(NULL, script, cases[i].failure), cases[i].error);
	}
}

static void test_endless(void **state)
{
	(void)state;
	assert_string_equal(list("endless-threads\nthread 1\n", NULL, RSP_CONFUSED),
		"the stub lists more than 4096 threads");
}

/* The list goes on where it was, also if a packet of it was damaged. */
static void test_damaged(void **state)
{
	(void)state;
	assert_string_equal(
		list("bad-checksum 5\nthread 1\nthread 2\nthread 3\n", NULL, 0), "0.1 0.2 0.3 ");
}

#define QEMU_OPENING                                     \
	"> qSupported*\n< \n> ?\n< S05\n> qqemu*\n< 0\n" \
	"> qGDBServerVersion\n> qRcmd,*\n< version:10.2.2;\n< \n"
#define FOUR_MORE   "> qsThreadInfo\n> qsThreadInfo\n> qsThreadInfo\n> qsThreadInfo\n"
#define ASKED_AHEAD "> qfThreadInfo\n" FOUR_MORE FOUR_MORE FOUR_MORE FOUR_MORE

/* 17 requests are on their way at once; the end comes for each that is too much. */
static void test_ahead(void **state)
{
	(void)state;
	assert_string_equal(list(NULL,
				    QEMU_OPENING ASKED_AHEAD
				    "< mp1.1\n< mp1.2\n< l\n< l\n< l\n< l\n< l\n< l\n< l\n< l\n"
				    "< l\n< l\n< l\n< l\n< l\n< l\n< l\n",
				    0),
		"1.1 1.2 ");
	/* More than 17 packets */
	assert_string_equal(
		list("physical 0\nanswer qGDBServerVersion version:10.2.2;\nthread 1\nthread 2\n"
		     "thread 3\nthread 4\nthread 5\nthread 6\nthread 7\nthread 8\nthread 9\n"
		     "thread a\nthread b\nthread c\nthread d\nthread e\nthread f\nthread 10\n"
		     "thread 11\nthread 12\n",
			NULL, 0),
		"0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 0.a 0.b 0.c 0.d 0.e 0.f 0.10 0.11 0.12 ");
}

/* What was asked for is taken in behind a refusal, and what is said next gets its own answer. */
static void test_refused_ahead(void **state)
{
	struct rsp_thread *threads = NULL;
	struct fake_stub stub;
	size_t count = 0;
	struct rsp *rsp;

	(void)state;
	fake_stub_replay(&stub, QEMU_OPENING ASKED_AHEAD
		"< mp1.1\n< E01\n< mp1.3\n< mp1.4\n< l\n< l\n< l\n< l\n< l\n< l\n"
		"< l\n< l\n< l\n< l\n< l\n< l\n< l\n> D\n< OK\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_list_threads(rsp, &threads, &count), -1);
	assert_int_equal(rsp_failure(rsp), RSP_REFUSED);
	assert_string_equal(rsp_error(rsp), "the stub answers E01 to list its threads");
	assert_null(threads);
	assert_int_equal(rsp_release(rsp, RSP_RESUME), 0);
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	assert_int_equal(stub.end, WIRE_CLOSED);
	fake_stub_deinit(&stub);
}

static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	while (failing_next(&failing)) {
		struct rsp_thread *threads = NULL;
		struct fake_stub stub;
		struct rsp *rsp;
		size_t count;
		int rc;

		fake_stub_start(&stub, "thread 1\nthread 2\n");
		rsp = fake_stub_open(&stub);
		rc = rsp_list_threads(rsp, &threads, &count);
		failing_check(&failing, rc, rsp_error(rsp));
		assert_int_equal(rsp_failure(rsp), rc ? RSP_NO_MEMORY : RSP_NOTHING_FAILED);
		free(threads);
		rsp_destroy(rsp);
		fake_stub_deinit(&stub);
	}
	assert_true(failing.nth > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_fused_end),
		cmocka_unit_test(test_no_list),
		cmocka_unit_test(test_shadows),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_refused_ahead),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
