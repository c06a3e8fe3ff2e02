// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>

#include "tests/unit/failing.h"
#include "tests/unit/fake_stub.h"

/* Four registers of 2, 1, 4 and 2 bytes; numbers 0 to 2, and 9. */
#define DESCRIBED                                                              \
	"supported PacketSize=1000;qXfer:features:read+\nthread 1\nthread 2\n" \
	"object features:target.xml <target>"                                  \
	"<reg name=\"a\" bitsize=\"16\"/><reg name=\"b\" bitsize=\"1\"/>"      \
	"<reg name=\"c\" bitsize=\"32\"/><reg name=\"d\" bitsize=\"12\" regnum=\"9\"/></target>\n"

struct visited {
	char text[512];
};

static void note_register(
	void *ctx, const struct rsp_register *which, const uint8_t *bytes, size_t size)
{
	struct visited *visited = ctx;
	size_t used = strlen(visited->text);

	used += (size_t)snprintf(
		visited->text + used, sizeof(visited->text) - used, "%s=", which->name);
	for (size_t i = 0; i < size; i++)
		used += (size_t)snprintf(
			visited->text + used, sizeof(visited->text) - used, "%02x", bytes[i]);
	snprintf(visited->text + used, sizeof(visited->text) - used, " ");
}

/* Reads the registers of a thread; what was visited, or the error, is in a static buffer. */
static const char *read_thread(struct fake_stub *stub, const struct rsp_thread *thread)
{
	static struct visited visited;
	struct rsp_description description;
	struct rsp *rsp = fake_stub_open(stub);

	memset(&visited, 0, sizeof(visited));
	if (rsp_read_description(rsp, &description))
		fail_msg("%s", rsp_error(rsp));
	if (rsp_read_registers(rsp, thread, &description, note_register, &visited))
		snprintf(visited.text, sizeof(visited.text), "%s", rsp_error(rsp));
	rsp_description_deinit(&description);
	rsp_destroy(rsp);
	fake_stub_stop(stub);
	return visited.text;
}

static void check(const char *more, const char *wanted)
{
	const struct rsp_thread second = { .id = 2 };
	struct fake_stub stub;
	char text[1024];

	snprintf(text, sizeof(text), DESCRIBED "%s", more);
	fake_stub_start(&stub, text);
	assert_string_equal(read_thread(&stub, &second), wanted);
	fake_stub_deinit(&stub);
}

static void test_all_in_g(void **state)
{
	(void)state;
	check("registers 2 0102 03 04050607 0809\n", "a=0102 b=03 c=04050607 d=0809 ");
	/* What is behind them is none of ours. */
	check("registers 2 0102 03 04050607 0809 ffffff\n", "a=0102 b=03 c=04050607 d=0809 ");
	check("upper-case\nregisters 2 ABCD EF 04050607 0809\n", "a=abcd b=ef c=04050607 d=0809 ");
	check("run-lengths\nregisters 2 0000 00 00000000 0000\n", "a=0000 b=00 c=00000000 d=0000 ");
}

static void test_the_rest_one_by_one(void **state)
{
	(void)state;
	check("registers 2 0102 03\nregister 2 2 04050607\nregister 2 9 0809\n",
		"a=0102 b=03 c=04050607 d=0809 ");
	/* One that `g` has only half of is asked for. */
	check("registers 2 0102 03 0405\nregister 2 2 14151617\nregister 2 9 0809\n",
		"a=0102 b=03 c=14151617 d=0809 ");
	/* Refused, unknown, too short, unavailable: left out. */
	check("registers 2 0102 03\nregister 2 9 0809\n", "a=0102 b=03 d=0809 ");
	check("registers 2 0102 03\nregister 2 2 040506\nregister 2 9 0809\n",
		"a=0102 b=03 d=0809 ");
	check("registers 2 0102 03\nanswer p2 \nregister 2 9 0809\n", "a=0102 b=03 d=0809 ");
	check("registers 2 0102 03\nregister 2 2 xxxxxxxx\nregister 2 9 0809\n",
		"a=0102 b=03 d=0809 ");
}

static void test_unavailable(void **state)
{
	(void)state;
	check("registers 2 0102 xx 04050607 xxxx\n", "a=0102 c=04050607 ");
	check("registers 2 xxxx 03 0405xx07 0809\n", "b=03 d=0809 ");
	check("registers 2 xx*9\n", "");
}

static void test_garbage(void **state)
{
	(void)state;
	check("registers 2 zz*9\n", "");
	check("registers 2 01\nanswer p0 garbage\nanswer p1 !\nanswer p2 m1\nanswer p9 OK\n", "");
	/* Half a digit too many. */
	check("registers 2 0102 0\nregister 2 1 03\nregister 2 2 04050607\nregister 2 9 0809\n",
		"a=0102 b=03 c=04050607 d=0809 ");
}

static void test_refused(void **state)
{
	const struct rsp_thread nobody = { .id = 3 };
	struct fake_stub stub;

	(void)state;
	check("", "the stub answers E01 to read registers");
	fake_stub_start(&stub, DESCRIBED "registers 2 00*9\n");
	assert_string_equal(read_thread(&stub, &nobody), "the stub answers E22 to select a thread");
	fake_stub_deinit(&stub);
}

/* On KVM, QEMU's `p` is right only behind a `g` of the same thread. */
static void test_order(void **state)
{
	const struct rsp_thread thread = { .process = 0x1f, .id = 0x2a };
	struct fake_stub stub;

	(void)state;
	fake_stub_replay(&stub,
		"> qSupported*\n< qXfer:features:read+\n> ?\n< S05\n> qqemu*\n< \n"
		"> qXfer:features:read:target.xml:0,400\n"
		"< l<t><reg name=\"a\" bitsize=\"8\"/><reg name=\"b\" bitsize=\"8\" "
		"regnum=\"31\"/></t>\n"
		"> Hgp1f.2a\n< OK\n> g\n< 01\n> p1f\n< 02\n");
	assert_string_equal(read_thread(&stub, &thread), "a=01 b=02 ");
	assert_int_equal(stub.end, WIRE_CLOSED);
	fake_stub_deinit(&stub);
}

#define QEMU "physical 1\nanswer qGDBServerVersion version:10.2.2;\n"

/* A stub that can take them gets many requests at once; they are answered in order all the same. */
static void test_many_at_once(void **state)
{
	const struct rsp_thread first = { .id = 1 };
	struct fake_stub stub;
	static char text[32 << 10];
	size_t used = (size_t)sprintf(text, QEMU "thread 1\nregisters 1 00\n");
	char wanted[512] = "r0=00 ", *end = wanted + strlen(wanted);

	(void)state;
	/* 150 more, most of which this CPU lacks. */
	for (unsigned i = 1; i <= 150; i++)
		if (i % 10 == 5) {
			used += (size_t)sprintf(text + used, "register 1 %x %02x\n", i, i);
			end += sprintf(end, "r%u=%02x ", i, i);
		}
	used += (size_t)sprintf(text + used, "supported PacketSize=1000;qXfer:features:read+\n"
					     "object features:target.xml <t>");
	for (unsigned i = 0; i <= 150; i++)
		used += (size_t)sprintf(text + used, "<reg name=\"r%u\" bitsize=\"8\"/>", i);
	sprintf(text + used, "</t>\n");
	fake_stub_start(&stub, text);
	assert_string_equal(read_thread(&stub, &first), wanted);
	assert_int_equal(fake_stub_count(&stub, "> p"), 150);
	fake_stub_deinit(&stub);
}

#define PIECE  "> qXfer:features:read:target.xml:*\n"
#define PIECES PIECE PIECE PIECE PIECE PIECE PIECE PIECE PIECE

/* The second request does not wait for the answer to the first. */
static void test_not_waiting(void **state)
{
	const struct rsp_thread thread = { .id = 1 };
	struct fake_stub stub;

	(void)state;
	fake_stub_replay(&stub,
		"> qSupported*\n< qXfer:features:read+\n> ?\n< S05\n> qqemu*\n< 0\n"
		"> qGDBServerVersion\n> qRcmd,*\n< version:10.2.2;\n< \n" PIECES
		"< l<t><reg name=\"a\" bitsize=\"8\"/><reg name=\"b\" bitsize=\"8\"/>"
		"<reg name=\"c\" bitsize=\"8\"/></t>\n"
		"< \n< \n< \n< \n< \n< \n< \n> Hg1\n> g\n< OK\n< 01\n> p1\n> p2\n< 02\n< 03\n");
	assert_string_equal(read_thread(&stub, &thread), "a=01 b=02 c=03 ");
	assert_int_equal(stub.end, WIRE_CLOSED);
	fake_stub_deinit(&stub);
}

/* The registers were asked for as well; what comes of them is of another thread, and is not taken.
 */
static void test_refused_thread_of_many_at_once(void **state)
{
	const struct rsp_thread nobody = { .id = 3 }, first = { .id = 1 };
	struct rsp_description description;
	struct visited visited = { "" };
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, QEMU DESCRIBED "registers 1 0102 03 04050607 0809\n");
	rsp = fake_stub_open(&stub);
	assert_true(rsp_stub(rsp)->pipelines);
	assert_int_equal(rsp_read_description(rsp, &description), 0);
	assert_int_equal(
		rsp_read_registers(rsp, &nobody, &description, note_register, &visited), -1);
	assert_int_equal(rsp_failure(rsp), RSP_REFUSED);
	assert_string_equal(rsp_error(rsp), "the stub answers E22 to select a thread");
	assert_string_equal(visited.text, "");
	assert_int_equal(rsp_read_registers(rsp, &first, &description, note_register, &visited), 0);
	assert_string_equal(visited.text, "a=0102 b=03 c=04050607 d=0809 ");
	rsp_description_deinit(&description);
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	fake_stub_deinit(&stub);
}

/* One answer of many is damaged: they are asked for once more, one by one as all from then on. */
static void test_damaged(void **state)
{
	const struct rsp_thread second = { .id = 2 };
	struct rsp_description description;
	struct visited visited = { "" };
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	/* Of the opening 5, of the description 8, Hg and g, then p2. */
	fake_stub_start(&stub, QEMU DESCRIBED
		"registers 2 0102 03\nregister 2 2 04050607\nregister 2 9 0809\nbad-checksum 16\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_read_description(rsp, &description), 0);
	assert_int_equal(
		rsp_read_registers(rsp, &second, &description, note_register, &visited), 0);
	assert_string_equal(visited.text, "a=0102 b=03 c=04050607 d=0809 ");
	assert_true(rsp_check_in_step(rsp) == 0);
	visited.text[0] = '\0';
	assert_int_equal(
		rsp_read_registers(rsp, &second, &description, note_register, &visited), 0);
	assert_string_equal(visited.text, "a=0102 b=03 c=04050607 d=0809 ");
	rsp_description_deinit(&description);
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	/* Nothing is asked for by '-': that would repeat the last answer only. */
	assert_int_equal(fake_stub_count(&stub, "> -"), 0);
	assert_int_equal(fake_stub_count(&stub, "> g"), 2);
	assert_int_equal(fake_stub_count(&stub, "> p2"), 3);
	assert_int_equal(fake_stub_count(&stub, "> p9"), 3);
	fake_stub_deinit(&stub);
}

/* The description, of which the parser's own memory fails as well, and the registers. */
static void test_no_memory(void **state)
{
	const struct rsp_thread thread = { .id = 1 };
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	while (failing_next(&failing)) {
		struct visited visited = { .text = "" };
		struct rsp_description description;
		struct fake_stub stub;
		struct rsp *rsp;
		int rc;

		fake_stub_start(&stub, DESCRIBED "registers 1 0102 01 03040506 0708\n");
		rsp = fake_stub_open(&stub);
		rc = rsp_read_description(rsp, &description);
		if (rc == 0)
			rc = rsp_read_registers(
				rsp, &thread, &description, note_register, &visited);
		failing_check(&failing, rc, rsp_error(rsp));
		if (rc)
			assert_int_equal(rsp_failure(rsp), RSP_NO_MEMORY);
		rsp_description_deinit(&description);
		rsp_destroy(rsp);
		fake_stub_deinit(&stub);
	}
	assert_true(failing.nth > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_in_g),
		cmocka_unit_test(test_the_rest_one_by_one),
		cmocka_unit_test(test_unavailable),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_not_waiting),
		cmocka_unit_test(test_refused_thread_of_many_at_once),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
