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
#include <unistd.h>

#include "rsp/connection.h"
#include "tests/unit/failing.h"
#include "tests/unit/fake_stub.h"

#define QEMU "physical 0\nsupported PacketSize=1000;qXfer:features:read+;multiprocess+\n"
#define PRINTS                                                                      \
	"monitor info version = 7.2.22\nmonitor info status = VM status: paused\n"  \
	"monitor info mtree -f = <<\nFlatView #0\n Root memory region: system\n.\n" \
	"monitor info silence = <<\n.\n"
#define THREADS "thread p1.1\nthread p1.2\nthread p1.3\n"
#define DESCRIPTION                                                                     \
	"object features:target.xml <t><reg name=\"a\" bitsize=\"8\"/><reg name=\"b\" " \
	"bitsize=\"8\"/></t>\n"
#define REGISTERS "registers 1 01 02\nregisters 2 11 12\nregisters 3 21 22\n" DESCRIPTION

static void assert_prints(struct rsp *rsp, const char *command, const char *wanted)
{
	char *output = NULL;

	if (rsp_monitor(rsp, command, &output))
		fail_msg("%s: %s", command, rsp_error(rsp));
	assert_string_equal(output, wanted);
	free(output);
}

/* How often a client has waited: requests with an answer right in front of them. */
static struct {
	size_t count;
	bool heard; /* since the last request */
} turns;

static void count_turn(void *ctx, bool sent, const char *packet, size_t size)
{
	(void)ctx;
	(void)packet;
	(void)size;
	turns.count += sent && turns.heard;
	turns.heard = !sent;
}

/* A client that says what it will ask for. */
static struct rsp *open_asking(const struct fake_stub *stub)
{
	struct rsp_options options = fake_stub_options(-1);
	struct rsp *rsp;

	options.first_command = "info status";
	options.asks_for_cpus = true;
	options.trace = count_turn;
	turns.count = 0;
	turns.heard = true;
	failing_spare(true);
	rsp = rsp_create(&options);
	assert_non_null(rsp);
	failing_spare(false);
	if (rsp_open(rsp, stub->target))
		fail_msg("%s", rsp_error(rsp));
	return rsp;
}

static void note_byte(
	void *ctx, const struct rsp_register *which, const uint8_t *bytes, size_t size)
{
	char *text = ctx;

	assert_int_equal(size, 1);
	sprintf(text + strlen(text), "%s=%02x ", which->name, bytes[0]);
}

/* All that a client learns of its guest, in as many turns as it takes. */
static void learn(struct rsp *rsp, char *registers)
{
	struct rsp_description description;
	struct rsp_thread *threads = NULL;
	size_t count = 0;

	registers[0] = '\0';
	assert_prints(rsp, "info status", "VM status: paused\r\n");
	assert_int_equal(rsp_read_description(rsp, &description), 0);
	rsp_foresee_processes(rsp);
	rsp_foresee_monitor(rsp, "info silence");
	rsp_foresee_physical_memory(rsp);
	rsp_foresee_monitor(rsp, "info mtree -f");
	assert_int_equal(rsp_attach_processes(rsp), 0);
	assert_int_equal(rsp_list_threads(rsp, &threads, &count), 0);
	/* Not before it is known that `g` has all of them */
	assert_false(rsp_foresee_registers(rsp, &threads[0]));
	for (size_t i = 0; i < count; i++) {
		for (size_t k = i; i == 1 && k < count; k++)
			assert_true(rsp_foresee_registers(rsp, &threads[k]));
		assert_int_equal(
			rsp_read_registers(rsp, &threads[i], &description, note_byte, registers),
			0);
	}
	assert_prints(rsp, "info silence", "");
	assert_int_equal(rsp_use_physical_memory(rsp), 0);
	assert_prints(rsp, "info mtree -f", "FlatView #0\r\n Root memory region: system\r\n");
	free(threads);
	rsp_description_deinit(&description);
}

static void test_turns(void **state)
{
	struct fake_stub stub;
	char registers[256];
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, QEMU PRINTS THREADS REGISTERS);
	rsp = open_asking(&stub);
	assert_string_equal(rsp_stub(rsp)->version, "7.2.22");
	learn(rsp, registers);
	assert_string_equal(registers, "a=01 b=02 a=11 b=12 a=21 b=22 ");
	assert_int_equal(rsp_release(rsp, RSP_STAY), 0);
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	/*
	 * qSupported, ?, the mode; then all that is known to be asked; what is foreseen; a vCPU,
	 * and the others; the mode put back.
	 */
	assert_int_equal(turns.count, 3 + 1 + 1 + 2 + 1);
	fake_stub_deinit(&stub);
}

/* Where a link damages packets, each is asked for by itself, and again. */
static void test_damaged(void **state)
{
	(void)state;
	/* Each of the answers in turn, and more than there are. */
	for (unsigned nth = 2; nth <= 60; nth++) {
		struct fake_stub stub;
		char registers[256], text[1024];
		struct rsp *rsp;

		/* Behind the end of what the monitor prints nobody knows how much is due. */
		if (nth == 6 || nth == 8 || nth == 35 || nth == 39)
			continue;
		snprintf(
			text, sizeof(text), QEMU PRINTS THREADS REGISTERS "bad-checksum %u\n", nth);
		fake_stub_start(&stub, text);
		rsp = open_asking(&stub);
		learn(rsp, registers);
		assert_string_equal(registers, "a=01 b=02 a=11 b=12 a=21 b=22 ");
		rsp_destroy(rsp);
		fake_stub_deinit(&stub);
	}
}

/* What was foreseen and not asked for is not what is true later. */
static void test_forgotten(void **state)
{
	uint8_t bytes[16];
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, QEMU PRINTS THREADS "memory 0 1000\n");
	rsp = open_asking(&stub);
	assert_true(rsp->ahead.count > 0);
	assert_int_equal(rsp_use_physical_memory(rsp), 0);
	assert_int_equal(rsp_read_memory(rsp, 0, bytes, sizeof(bytes)), 0);
	assert_int_equal(rsp->ahead.count, 0);
	assert_prints(rsp, "info status", "VM status: paused\r\n");
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	assert_int_equal(fake_stub_count(&stub, "= info status"), 2);
	fake_stub_deinit(&stub);
}

/* Threads that appear when their process is attached are not in a list that is older. */
static void test_list_before_attaching(void **state)
{
	struct rsp_thread *threads = NULL;
	struct fake_stub stub;
	size_t count = 0;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, QEMU PRINTS "thread p1.1\nthread p2.2\nthread p2.3\n");
	rsp = open_asking(&stub);
	rsp_foresee_processes(rsp);
	assert_int_equal(rsp_attach_processes(rsp), 0);
	assert_int_equal(rsp_list_threads(rsp, &threads, &count), 0);
	assert_int_equal(count, 3);
	free(threads);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
}

/* Registers beyond `g` are asked of one thread after the other. */
static void test_single_registers(void **state)
{
	struct rsp_description description;
	const struct rsp_thread first = { 1, 1 }, second = { 1, 2 };
	char registers[256] = "";
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, QEMU PRINTS THREADS
		"registers 1 01\nregister 1 1 02\nregisters 2 11\nregister 2 1 12\n" DESCRIPTION);
	rsp = open_asking(&stub);
	assert_int_equal(rsp_read_description(rsp, &description), 0);
	assert_int_equal(rsp_read_registers(rsp, &first, &description, note_byte, registers), 0);
	assert_false(rsp_foresee_registers(rsp, &second));
	assert_int_equal(rsp_read_registers(rsp, &second, &description, note_byte, registers), 0);
	assert_string_equal(registers, "a=01 b=02 a=11 b=12 ");
	rsp_description_deinit(&description);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
}

/* One of the threads that were foreseen has less in `g` than the one before. */
static void test_unlike_the_first(void **state)
{
	struct rsp_description description;
	struct rsp_thread threads[] = { { 1, 1 }, { 1, 2 }, { 1, 3 } };
	char registers[256] = "";
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, QEMU PRINTS THREADS
		"registers 1 01 02\nregisters 2 11\nregister 2 1 12\nregisters 3 21 22\n"
		"register 3 1 22\n" DESCRIPTION);
	rsp = open_asking(&stub);
	assert_int_equal(rsp_read_description(rsp, &description), 0);
	for (size_t i = 0; i < 3; i++) {
		for (size_t k = i; i == 1 && k < 3; k++)
			assert_true(rsp_foresee_registers(rsp, &threads[k]));
		assert_int_equal(
			rsp_read_registers(rsp, &threads[i], &description, note_byte, registers),
			0);
	}
	assert_string_equal(registers, "a=01 b=02 a=11 b=12 a=21 b=22 ");
	/* One that is refused leaves nothing behind that could be taken for another's. */
	threads[0].id = 9;
	assert_int_equal(
		rsp_read_registers(rsp, &threads[0], &description, note_byte, registers), -1);
	assert_int_equal(rsp_failure(rsp), RSP_REFUSED);
	registers[0] = '\0';
	assert_int_equal(
		rsp_read_registers(rsp, &threads[1], &description, note_byte, registers), 0);
	assert_string_equal(registers, "a=11 b=12 ");
	rsp_description_deinit(&description);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
}

/* Of a stub that takes one request after the other, nothing is asked ahead. */
static void test_one_at_a_time(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, "careful\nthread 1\nmonitor info status = VM status: paused\n");
	rsp = open_asking(&stub);
	rsp_foresee_processes(rsp);
	rsp_foresee_monitor(rsp, "info mtree -f");
	rsp_foresee_physical_memory(rsp);
	assert_false(rsp_foresee_registers(rsp, &(struct rsp_thread){ .id = 1 }));
	assert_int_equal(rsp->ahead.count, 0);
	assert_prints(rsp, "info status", "VM status: paused\r\n");
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	assert_int_equal(fake_stub_count(&stub, "= window"), 1);
	fake_stub_deinit(&stub);
}

/* More than there is room for, and what is too long for it. */
static void test_room(void **state)
{
	char command[128];
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	memset(command, 'x', sizeof(command) - 1);
	command[sizeof(command) - 1] = '\0';
	fake_stub_start(&stub, QEMU PRINTS THREADS);
	rsp = fake_stub_open(&stub);
	rsp_foresee_monitor(rsp, command);
	assert_int_equal(rsp->ahead.count, 0);
	for (size_t i = 0; i < RSP_AHEAD_MAX + 10; i++)
		rsp_foresee_monitor(rsp, "info status");
	assert_int_equal(rsp->ahead.count, RSP_AHEAD_MAX);
	for (size_t i = 0; i < RSP_AHEAD_MAX + 10; i++)
		assert_prints(rsp, "info status", "VM status: paused\r\n");
	assert_prints(rsp, command, "unknown command\r\n");
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
}

/* What each call asks for may be refused, or unknown, as if it had been asked by itself. */
static void test_refused(void **state)
{
	struct rsp_thread *threads = NULL;
	char *output = NULL;
	struct fake_stub stub;
	size_t count = 0;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, "physical 0\nanswer qfThreadInfo E01\n");
	rsp = open_asking(&stub);
	assert_string_equal(rsp_stub(rsp)->version, "");
	assert_int_equal(rsp_monitor(rsp, "info status", &output), -1);
	assert_int_equal(rsp_failure(rsp), RSP_UNSUPPORTED);
	assert_int_equal(rsp_list_threads(rsp, &threads, &count), -1);
	assert_int_equal(rsp_failure(rsp), RSP_REFUSED);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
}

/* The connection ends in the middle, or what was asked for is interrupted. */
static void test_lost(void **state)
{
	int cancel[2];
	struct rsp_options options;
	char *output = NULL;
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, QEMU PRINTS THREADS "close 5\n");
	options = fake_stub_options(-1);
	options.first_command = "info status";
	rsp = rsp_create(&options);
	assert_int_equal(rsp_open(rsp, stub.target), -1);
	assert_int_equal(rsp_failure(rsp), RSP_LOST);
	assert_int_equal(rsp->ahead.count, 0);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);

	assert_int_equal(pipe(cancel), 0);
	fake_stub_start(&stub, QEMU PRINTS THREADS);
	options = fake_stub_options(cancel[0]);
	rsp = rsp_create(&options);
	assert_int_equal(rsp_open(rsp, stub.target), 0);
	rsp_foresee_monitor(rsp, "info mtree -f");
	assert_int_equal(write(cancel[1], "", 1), 1);
	assert_int_equal(rsp_monitor(rsp, "info status", &output), -1);
	assert_int_equal(rsp_failure(rsp), RSP_CANCELLED);
	assert_int_equal(rsp->due, 0);
	assert_int_equal(rsp_release(rsp, RSP_RESUME), 0);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
	close(cancel[0]);
	close(cancel[1]);
}

static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	while (failing_next(&failing)) {
		char *output = NULL;
		struct fake_stub stub;
		struct rsp *rsp;
		int rc;

		fake_stub_start(&stub, QEMU PRINTS THREADS);
		rsp = fake_stub_open(&stub);
		rsp_foresee_monitor(rsp, "info mtree -f");
		rc = rsp_monitor(rsp, "info status", &output);
		failing_check(&failing, rc, rsp_error(rsp));
		assert_int_equal(rsp_failure(rsp), rc ? RSP_NO_MEMORY : RSP_NOTHING_FAILED);
		free(output);
		output = NULL;
		/* The connection is of use, whatever was on its way. */
		if (rsp_monitor(rsp, "info mtree -f", &output))
			fail_msg("call %lu: %s", failing.nth, rsp_error(rsp));
		free(output);
		rsp_destroy(rsp);
		fake_stub_stop(&stub);
		fake_stub_deinit(&stub);
	}
	assert_true(failing.nth > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_list_before_attaching),
		cmocka_unit_test(test_single_registers),
		cmocka_unit_test(test_unlike_the_first),
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
