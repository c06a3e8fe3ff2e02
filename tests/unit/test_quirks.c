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
		{ "99999999999.99999999999", "99999999999.99999999999", false },
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

#define RUST "supported PacketSize=1000;vContSupported+;multiprocess+;QStartNoAckMode+"

/* What each of them says of itself, and what is known of it then. */
static void test_by_features(void **state)
{
	static const struct {
		const char *description, *name;
		size_t read_size;
		bool pipelines, stays, resumes, ends;
	} cases[] = {
		/* "Vcpu ID: 0" */
		{ RUST ";swbreak+;hwbreak+;qXfer:features:read+\n"
		       "answer qThreadExtraInfo,p1.1 566370752049443a2030\n",
			"Firecracker", 0x800, true, false, false, true },
		{ RUST ";swbreak+;hwbreak+;qXfer:features:read+\n"
		       "answer qThreadExtraInfo,p1.1 566370752049443a\n",
			"gdbstub crate", 0x800, true, false, false, false },
		{ RUST ";swbreak+;hwbreak+;qXfer:features:read+\n", "gdbstub crate", 0x800, true,
			false, false, false },
		/* The test's own connection is a Unix socket. */
		{ RUST ";hwbreak+;qXfer:features:read+\n", "Cloud Hypervisor", 0x800, true, true,
			false, false },
		{ RUST ";swbreak+\n", "gdbstub crate", 0x800, true, false, false, false },
		{ "supported PacketSize=4096;swbreak+\n", "bhyve", 0x2000, false, false, true,
			false },
		{ "supported PacketSize=4096;swbreak+;qXfer:features:read+\n", "bhyve", 0x2000,
			false, false, true, false },
		{ "supported PacketSize=4096;swbreak+;hwbreak+\n", "unknown", 0x2000, false, false,
			false, false },
		{ "supported qXfer:features:read+;vContSupported+\n", "VirtualBox", 0x1000, false,
			false, true, false },
		{ "supported PacketSize=4000;qXfer:memory-map:read-;qXfer:features:read+;"
		  "qXfer:threads:read+;QStartNoAckMode+;vContSupported+\n",
			"OpenOCD", 0x2000, true, false, false, false },
		{ "supported PacketSize=400;qXfer:memory-map:read+;qXfer:features:read+;"
		  "vContSupported+;QStartNoAckMode+\n",
			"Black Magic Probe", 0x200, false, false, false, false },
		{ "supported PacketSize=1024;qXfer:features:read+;swbreak+;hwbreak+;"
		  "t32extensions+;error-message+\n",
			"Renode", 0x800, true, false, true, false },
		{ "supported PacketSize=1024;qXfer:features:read+\n", "gem5", 0x800, false, false,
			true, false },
		{ "supported PacketSize=100000;QStartNoAckMode+;ReverseContinue+\n", "rr", 0x10000,
			false, false, false, false },
		{ "supported PacketSize=3fff;QStartNoAckMode+;QPassSignals+;qXfer:auxv:read+\n",
			"valgrind", 0x1000, true, false, false, false },
		{ "supported PacketSize=47ff;QPassSignals+;QProgramSignals+;QStartNoAckMode+\n",
			"gdbserver", 0x2000, true, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rsp_stub stub = learn(cases[i].description);

		assert_string_equal(stub.name, cases[i].name);
		assert_int_equal(stub.read_size, cases[i].read_size);
		assert_int_equal(stub.pipelines, cases[i].pipelines);
		assert_int_equal(stub.closing_leaves_stopped, cases[i].stays);
		assert_int_equal(stub.always_resumes, cases[i].resumes);
		assert_int_equal(stub.ends_guest, cases[i].ends);
	}
}

/* Those who do not know qSupported show themselves when their threads are listed. */
static void test_by_threads(void **state)
{
	static const struct {
		const char *description, *name;
		size_t read_size;
		bool stays, resumes;
	} cases[] = {
		{ "threads-per-packet 0\nthread fffffffe\nthread fffffffd\nthread 01\n", "kgdb",
			0x100, true, false },
		{ "answer qfThreadInfo m0,1l\n", "gdbsx", 0x400, false, true },
		{ "answer qC 1\n", "Bochs", 0x80, true, false },
		{ "thread 1\n", "unknown", 0x80, false, false },
		{ "supported vContSupported+\nanswer qfThreadInfo m0,1l\n", "unknown", 0x80, false,
			false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rsp_thread *threads = NULL;
		struct fake_stub stub;
		size_t count;
		struct rsp *rsp;

		fake_stub_start(&stub, cases[i].description);
		rsp = fake_stub_open(&stub);
		assert_int_equal(rsp_list_threads(rsp, &threads, &count), 0);
		free(threads);
		assert_string_equal(rsp_stub(rsp)->name, cases[i].name);
		assert_int_equal(rsp_stub(rsp)->read_size, cases[i].read_size);
		assert_false(rsp_stub(rsp)->pipelines);
		assert_int_equal(rsp_stub(rsp)->closing_leaves_stopped, cases[i].stays);
		assert_int_equal(rsp_stub(rsp)->always_resumes, cases[i].resumes);
		rsp_destroy(rsp);
		fake_stub_deinit(&stub);
	}
}

/* How reads are made to take physical addresses, and how that is undone. */
static void test_vmware(void **state)
{
	struct fake_stub stub;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, "supported PacketSize=1000\n"
			       "monitor help = Supported monitor commands: help r phys virt\n"
			       "monitor phys = \nmonitor virt = \n");
	rsp = fake_stub_open(&stub);
	assert_string_equal(rsp_stub(rsp)->name, "unknown");
	assert_int_equal(rsp_use_physical_memory(rsp), 0);
	assert_string_equal(rsp_stub(rsp)->name, "VMware");
	assert_true(rsp_stub(rsp)->physical_memory);
	assert_int_equal(rsp_release(rsp, RSP_RESUME), 0);
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	assert_int_equal(fake_stub_count(&stub, "= phys"), 1);
	assert_int_equal(fake_stub_count(&stub, "= virt"), 1);
	fake_stub_assert_detached(&stub);
	fake_stub_deinit(&stub);
	/* After a client that died, and left it reading physical addresses. */
	fake_stub_start(&stub, "supported PacketSize=1000\n"
			       "monitor help = Supported monitor commands: help r phys virt\n"
			       "monitor virt = \n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_use_virtual_memory(rsp), 0);
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	assert_int_equal(fake_stub_count(&stub, "= virt"), 1);
	fake_stub_deinit(&stub);
}

static int use_physical(const char *description, bool describe)
{
	struct rsp_description registers = { .count = 0 };
	struct fake_stub stub;
	struct rsp *rsp;
	int rc;

	fake_stub_start(&stub, description);
	rsp = fake_stub_open(&stub);
	if (describe)
		assert_int_equal(rsp_read_description(rsp, &registers), 0);
	rc = rsp_use_physical_memory(rsp);
	assert_int_equal(rsp_stub(rsp)->physical_memory, rc == 0);
	if (rc)
		assert_int_equal(rsp_failure(rsp), RSP_UNSUPPORTED);
	rsp_description_deinit(&registers);
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
	return rc;
}

#define OF_ARCH(name) \
	"object features:target.xml <target><architecture>" name "</architecture></target>\n"

static void test_physical_always(void **state)
{
	static const char cloud_hypervisor[] = RUST ";hwbreak+;qXfer:features:read+\n";
	char text[512];

	(void)state;
	assert_int_equal(use_physical("supported PacketSize=400;qXfer:memory-map:read+;"
				      "qXfer:features:read+\n",
				 false),
		0);
	assert_int_equal(use_physical(cloud_hypervisor, false), -1);
	snprintf(text, sizeof(text), "%s%s", cloud_hypervisor, OF_ARCH("aarch64"));
	assert_int_equal(use_physical(text, true), 0);
	snprintf(text, sizeof(text), "%s%s", cloud_hypervisor, OF_ARCH("i386:x86-64"));
	assert_int_equal(use_physical(text, true), -1);
	assert_int_equal(use_physical("supported PacketSize=1000\n", false), -1);
	assert_int_equal(
		use_physical("supported PacketSize=1000\nmonitor help = help\n", false), -1);
}

/* A command would end its simulation, and D has no answer. */
static void test_gem5(void **state)
{
	struct fake_stub stub;
	char *output = NULL;
	struct rsp *rsp;

	(void)state;
	fake_stub_start(&stub, "supported PacketSize=1024\ncareful\nthread 1\nmonitor help = x\n"
			       "deaf-to-detach\n");
	rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_monitor(rsp, "help", &output), -1);
	assert_int_equal(rsp_failure(rsp), RSP_UNSUPPORTED);
	assert_int_equal(rsp_release(rsp, RSP_RESUME), 0);
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	assert_int_equal(fake_stub_count(&stub, "> qRcmd"), 0);
	fake_stub_assert_detached(&stub);
	fake_stub_deinit(&stub);
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
		cmocka_unit_test(test_by_features),
		cmocka_unit_test(test_by_threads),
		cmocka_unit_test(test_vmware),
		cmocka_unit_test(test_physical_always),
		cmocka_unit_test(test_gem5),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
