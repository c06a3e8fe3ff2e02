// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

#include "tests/unit/fake_stub.h"

/* Opens, looks at what is known of the stub, and closes. */
static struct rsp_stub learn(const char *description)
{
	struct fake_stub stub;
	struct rsp_stub learnt;
	struct rsp *rsp;

	fake_stub_start(&stub, description);
	rsp = fake_stub_open(&stub);
	learnt = *rsp_stub(rsp);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
	return learnt;
}

static void test_unknown(void **state)
{
	struct rsp_stub stub = learn("");

	(void)state;
	assert_string_equal(stub.name, "unknown");
	assert_string_equal(stub.version, "");
	assert_false(stub.pipelines);
	assert_false(stub.physical_memory);
	assert_false(stub.closing_leaves_stopped);
	assert_false(stub.announces_stop);
	/* Without acknowledgements there is nothing that a second request could upset. */
	assert_true(learn("supported QStartNoAckMode+\n").pipelines);
	/* Something else that knows the question. */
	assert_string_equal(learn("answer qqemu.PhyMemMode E01\n").name, "unknown");
	assert_string_equal(learn("answer qqemu.PhyMemMode 2\n").name, "unknown");
}

static void test_qemu(void **state)
{
	struct rsp_stub stub = learn("physical 0\nanswer qGDBServerVersion "
				     "name:qemu-system-x86_64;version:10.2.2;\n");

	(void)state;
	assert_string_equal(stub.name, "QEMU");
	assert_string_equal(stub.version, "10.2.2");
	assert_true(stub.pipelines);
	assert_true(stub.physical_memory);
	assert_true(stub.closing_leaves_stopped);
	assert_false(stub.announces_stop);
	assert_string_equal(learn("physical 1\n").name, "QEMU");
}

static void test_qemu_before_10_2(void **state)
{
	struct rsp_stub stub = learn(
		"physical 0\nmonitor info version = 7.2.22 (Debian 1:7.2+dfsg-7)\n");

	(void)state;
	assert_string_equal(stub.version, "7.2.22");
	assert_true(stub.announces_stop);
	assert_false(stub.announced_stop);
	stub = learn("physical 0\nunsolicited T02thread:01;\nmonitor info version = 7.2.22\n");
	assert_true(stub.announced_stop);
}

static void test_versions(void **state)
{
	static const struct {
		const char *text, *version;
		bool announces;
	} cases[] = {
		{ "8.0.5", "8.0.5", true },
		{ "8.1.0", "8.1.0", false },
		{ "10.0.13", "10.0.13", false },
		{ "2.5.0", "2.5.0", true },
		{ "unknown command: 'info version'", "", false },
		{ "", "", false },
		{ "9", "9", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "physical 0\nmonitor info version = %s\n",
			cases[i].text);
		struct rsp_stub stub = learn(text);

		assert_string_equal(stub.version, cases[i].version);
		assert_int_equal(stub.announces_stop, cases[i].announces);
	}
}

/* A QEMU that was built without a human monitor, and versions that are too long. */
static void test_no_version(void **state)
{
	char text[512] = "physical 0\nanswer qGDBServerVersion version:";
	struct rsp_stub stub = learn("physical 0\n");

	(void)state;
	assert_string_equal(stub.name, "QEMU");
	assert_string_equal(stub.version, "");
	memset(text + strlen(text), '1', 200);
	strcat(text, "\n");
	stub = learn(text);
	assert_int_equal(strlen(stub.version), RSP_NAME_MAX - 1);
}

/* The stub dies while it is asked what it is. */
static void test_lost(void **state)
{
	static const char *const cases[] = {
		"physical 0\nclose 3\n",
		"physical 0\nclose 4\n",
		"physical 0\nclose 6\nmonitor info version = 7.2\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake_stub stub;
		struct rsp_options options = fake_stub_options(-1);
		struct rsp *rsp = rsp_create(&options);

		fake_stub_start(&stub, cases[i]);
		assert_int_equal(rsp_open(rsp, stub.target), -1);
		assert_int_equal(rsp_failure(rsp), RSP_LOST);
		assert_string_equal(rsp_error(rsp), "the stub closed the connection");
		rsp_destroy(rsp);
		fake_stub_deinit(&stub);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_qemu),
		cmocka_unit_test(test_qemu_before_10_2),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_no_version),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
