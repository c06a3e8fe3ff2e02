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

#define OPENING "> qSupported*\n< \n> ?\n< S05\n> qqemu*\n< \n"

/* Runs "info status" (696e666f20737461747573) on a stub; returns the output, or the error. */
static char *run(struct fake_stub *stub, enum rsp_failure failure)
{
	struct rsp *rsp = fake_stub_open(stub);
	char *output = NULL;

	if (rsp_monitor(rsp, "info status", &output)) {
		assert_null(output);
		assert_int_equal(rsp_failure(rsp), failure);
		output = strdup(rsp_error(rsp));
	}
	rsp_destroy(rsp);
	fake_stub_stop(stub);
	return output;
}

static void check(const char *description, enum rsp_failure failure, const char *wanted)
{
	struct fake_stub stub;

	fake_stub_start(&stub, description);
	char *output = run(&stub, failure);

	assert_string_equal(output, wanted);
	free(output);
	fake_stub_deinit(&stub);
}

static void check_script(const char *script, enum rsp_failure failure, const char *wanted)
{
	struct fake_stub stub;
	char text[1024];

	snprintf(text, sizeof(text), OPENING "> qRcmd,696e666f20737461747573\n%s", script);
	fake_stub_replay(&stub, text);
	char *output = run(&stub, failure);

	assert_string_equal(output, wanted);
	free(output);
	fake_stub_deinit(&stub);
}

/* Where a packet of the output cannot be understood, the rest of it is not taken for answers. */
static void test_goes_on(void **state)
{
	static const char *const cases[] = {
		OPENING "> qRcmd,*\n< O41zz\n< O42\n< OK\n> qRcmd,*\n< O43\n< OK\n",
		OPENING "> qRcmd,*\n< O*~\n< O42\n< OK\n> qRcmd,*\n< O43\n< OK\n",
		OPENING "> qRcmd,*\n! $O42#00\n< O42\n< OK\n> qRcmd,*\n< O43\n< OK\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake_stub stub;
		struct rsp *rsp;
		char *output = NULL;

		fake_stub_replay(&stub, cases[i]);
		rsp = fake_stub_open(&stub);
		assert_int_equal(rsp_monitor(rsp, "a", &output), -1);
		assert_int_equal(rsp_failure(rsp), RSP_CONFUSED);
		if (rsp_monitor(rsp, "b", &output))
			fail_msg("%s", rsp_error(rsp));
		assert_string_equal(output, "C");
		free(output);
		rsp_destroy(rsp);
		fake_stub_deinit(&stub);
	}
}

#define PRINTS "monitor info status = <<\nVM status: paused\nand so on\n.\n"

static void test_styles(void **state)
{
	(void)state;
	check(PRINTS, 0, "VM status: paused\r\nand so on\r\n");
	check("monitor-style whole\n" PRINTS, 0, "VM status: paused\nand so on\n");
	check("monitor-style silent\n" PRINTS, 0, "");
	check("monitor info status = <<\n.\n", 0, "");
}

static void test_between_and_damaged(void **state)
{
	(void)state;
	check("notification Stop:T05\n" PRINTS, 0, "VM status: paused\r\nand so on\r\n");
	/* Of what QEMU prints, only the last packet can be had again. */
	check("bad-checksum 4\n" PRINTS, RSP_CONFUSED, "a packet with a wrong checksum came");
	check("bad-checksum 5\n" PRINTS, RSP_CONFUSED, "a packet with a wrong checksum came");
}

static void test_none(void **state)
{
	(void)state;
	check("", RSP_UNSUPPORTED, "the stub does not know how to run monitor commands");
	check_script("< E22\n", RSP_REFUSED, "the stub answers E22 to run monitor commands");
	/* In the middle of it. */
	check_script("< O41\n< E01\n", RSP_REFUSED, "the stub answers E01 to run monitor commands");
	check_script("< O41\n.\n", RSP_LOST, "the stub closed the connection");
}

static void test_hostile(void **state)
{
	(void)state;
	/* A NUL would end the text for whoever reads on. */
	check_script("< O41004200\n< OK\n", 0, "A B ");
	check_script("< O414\n< OK\n", RSP_CONFUSED, "the output of a monitor command is no hex");
	check_script("< O41zz\n< OK\n", RSP_CONFUSED, "the output of a monitor command is no hex");
	check_script("< hello\n", RSP_CONFUSED, "the output of a monitor command is no hex");
}

/* 0x2000 lines of 0x900 bytes are more than RSP_MONITOR_MAX. */
static void test_endless(void **state)
{
	struct fake_stub stub;
	struct rsp_options options = fake_stub_options(-1);
	struct rsp *rsp;
	char *output = NULL;
	static char text[64 + 0x2000 * 0x902];
	size_t used = (size_t)sprintf(text, "monitor info status = <<\n");

	(void)state;
	for (size_t i = 0; i < 0x2000; i++) {
		memset(text + used, 'x', 0x900);
		used += 0x900;
		text[used++] = '\n';
	}
	strcpy(text + used, ".\n");
	fake_stub_start(&stub, text);
	options.timeout_ms = 20000;
	rsp = rsp_create(&options);
	assert_int_equal(rsp_open(rsp, stub.target), 0);
	assert_int_equal(rsp_monitor(rsp, "info status", &output), -1);
	assert_int_equal(rsp_failure(rsp), RSP_CONFUSED);
	assert_string_equal(rsp_error(rsp), "a monitor command printed over 16777216 bytes");
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
}

static void test_long_command(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp;
	char command[2049], *output = NULL;

	(void)state;
	memset(command, 'c', sizeof(command));
	fake_stub_start(&stub, PRINTS);
	rsp = fake_stub_open(&stub);
	command[1024] = '\0';
	assert_int_equal(rsp_monitor(rsp, command, &output), -1);
	assert_string_equal(rsp_error(rsp), "a monitor command is too long");
	command[1023] = '\0';
	assert_int_equal(rsp_monitor(rsp, command, &output), 0);
	assert_string_equal(output, "unknown command\r\n");
	free(output);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
}

/* The connection is of use afterwards. */
static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	while (failing_next(&failing)) {
		char *output = NULL, *again = NULL;
		struct fake_stub stub;
		struct rsp *rsp;
		int rc;

		fake_stub_start(&stub, "monitor info status = a line that has some length to it\n");
		rsp = fake_stub_open(&stub);
		rc = rsp_monitor(rsp, "info status", &output);
		failing_check(&failing, rc, rsp_error(rsp));
		if (rc)
			assert_int_equal(rsp_failure(rsp), RSP_NO_MEMORY);
		if (rsp_monitor(rsp, "info status", &again))
			fail_msg("call %lu: %s", failing.nth, rsp_error(rsp));
		assert_non_null(strstr(again, "some length"));
		free(output);
		free(again);
		rsp_destroy(rsp);
		fake_stub_stop(&stub);
		fake_stub_deinit(&stub);
	}
	assert_true(failing.nth > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_styles),
		cmocka_unit_test(test_between_and_damaged),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_long_command),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
