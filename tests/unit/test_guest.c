// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "client/guest.h"
#include "tests/unit/failing.h"
#include "tests/unit/fake_stub.h"
#include "tests/unit/small_guest.h"

/* Behind client/status.h: it has a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define NO_MONITOR                                                                        \
	"supported PacketSize=1000;QStartNoAckMode+;qXfer:features:read+;multiprocess+\n" \
	"physical 0\nmemory 0 20000\n" SMALL_GUEST_REGISTERS

static const struct options automatic = { .ram = "auto", .vmcoreinfo = "auto" };

static struct fake_stub stub;
static struct rsp *rsp;
static struct guest guest;
static struct failure failure;

static int learn(const char *description, const struct options *options)
{
	fake_stub_start(&stub, description);
	rsp = fake_stub_open(&stub);
	return guest_prepare(&guest, options, &failure)
	               ? -1
	               : guest_learn(&guest, rsp, options, &failure);
}

/* And then the stub's log can be looked at. */
static void leave(void)
{
	guest_deinit(&guest);
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
}

static void end(void)
{
	leave();
	fake_stub_deinit(&stub);
}

static void assert_learns(const char *description, const struct options *options)
{
	if (learn(description, options))
		fail_msg("%s", failure.text);
}

static void assert_fails(
	const char *description, const struct options *options, enum status status, const char *why)
{
	assert_int_equal(learn(description, options), -1);
	assert_string_equal(failure.text, why);
	assert_int_equal(failure.status, status);
	end();
}

static void assert_ranges(const struct ranges *ranges, const struct range *expected, size_t count)
{
	assert_int_equal(ranges->count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(ranges->items[i].start, expected[i].start);
		assert_int_equal(ranges->items[i].size, expected[i].size);
	}
}

static const struct range ram[] = {
	{ 0, SMALL_GUEST_LOW },
	{ SMALL_GUEST_HIGH, SMALL_GUEST_HIGH_SIZE },
};

static void test_learn(void **state)
{
	(void)state;
	assert_learns(SMALL_GUEST, &automatic);
	assert_ptr_equal(guest.rsp, rsp);
	assert_string_equal(guest.arch->name, "x86_64");
	assert_int_equal(guest.cpu_count, 2);
	assert_int_equal(guest.threads[0].id, 1);
	assert_int_equal(guest.threads[1].id, 2);
	assert_int_equal(guest.cpus[0].cpu, 0);
	assert_int_equal(registers_u64(&guest.cpus[0], "rax"), 0x1122334455667788);
	assert_int_equal(registers_u64(&guest.cpus[0], "rip"), 0xffffffff81000000);
	assert_int_equal(registers_u64(&guest.cpus[0], "eflags"), 0x246);
	assert_int_equal(guest.cpus[1].cpu, 1);
	assert_int_equal(registers_u64(&guest.cpus[1], "rax"), 1);
	assert_int_equal(registers_u64(&guest.cpus[1], "rip"), 0xdeadcafe);
	assert_ranges(&guest.ram, ram, 2);
	assert_ranges(&guest.memory, ram, 2);
	assert_string_equal(guest.ram_source, "info mtree -f");
	assert_false(guest.kernel.mapped);
	assert_null(guest.kernel.vmcoreinfo.text);
	assert_null(guest.vmcoreinfo_source);
	assert_string_not_equal(guest.vmcoreinfo_missing, "");
	leave();
	assert_int_equal(stub.end, WIRE_CLOSED);
	assert_int_equal(fake_stub_count(&stub, "> Qqemu.PhyMemMode:1"), 1);
	fake_stub_deinit(&stub);
}

/* As QEMU for PowerPC has lr, the second time with a value of long ago. */
static void test_a_name_twice(void **state)
{
	static const char description[] = SMALL_GUEST
		"object features:target.xml <<\n"
		"<target><architecture>i386:x86-64</architecture>\n"
		"<reg name=\"rax\" bitsize=\"64\"/><reg name=\"rip\" bitsize=\"32\"/>\n"
		"<reg name=\"rax\" bitsize=\"32\"/></target>\n"
		".\n";

	(void)state;
	assert_learns(description, &automatic);
	assert_int_equal(registers_u64(&guest.cpus[0], "rax"), 0x1122334455667788);
	assert_int_equal(registers_u64(&guest.cpus[1], "rax"), 1);
	end();
}

/* A stub that names its CPU and no registers means those that gdb knows the CPU to have. */
static void test_registers_by_custom(void **state)
{
	(void)state;
	/* What is added behind wins: the description, and `g` of the first vCPU. */
	assert_learns(SMALL_GUEST "object features:target.xml <<\n"
				  "<target><architecture>i386:x86-64</architecture></target>\n"
				  ".\n"
				  "registers 1 8877665544332211 0200000000000000\n",
		&automatic);
	assert_int_equal(registers_u64(&guest.cpus[0], "rax"), 0x1122334455667788);
	assert_int_equal(registers_u64(&guest.cpus[0], "rbx"), 2);
	assert_null(registers_find(&guest.cpus[0], "rcx", NULL));
	end();
}

/* What the monitor shows completes what the stub gave, and does not replace it. */
static void test_hidden_registers(void **state)
{
	static const char description[] = SMALL_GUEST
		"monitor info registers -a = <<\n"
		"CPU#0\n"
		"RAX=0000000000000099 EFL=00000246\n"
		"CR0=80050033 CR2=00007f0012345678 CR3=0000000000001000 CR4=000006f0\n"
		"EFER=0000000000000d01\n"
		"\n"
		"CPU#1\n"
		"CR0=80050033 CR2=0000000000000000 CR3=0000000000002000 CR4=000006f0\n"
		"EFER=0000000000000d01\n"
		".\n";

	(void)state;
	assert_learns(description, &automatic);
	assert_int_equal(registers_u64(&guest.cpus[0], "rax"), 0x1122334455667788);
	assert_int_equal(registers_u64(&guest.cpus[0], "cr2"), 0x7f0012345678);
	assert_int_equal(registers_u64(&guest.cpus[0], "cr3"), 0x1000);
	assert_int_equal(registers_u64(&guest.cpus[1], "cr3"), 0x2000);
	assert_int_equal(registers_u64(&guest.cpus[1], "efer"), 0xd01);
	end();
}

static void test_ram_all(void **state)
{
	static const struct range all[] = {
		{ 0, SMALL_GUEST_LOW },
		{ SMALL_GUEST_ROM, SMALL_GUEST_ROM_SIZE + SMALL_GUEST_HIGH_SIZE },
	};
	const struct options options = { .ram = "all", .vmcoreinfo = "auto" };

	(void)state;
	assert_learns(SMALL_GUEST, &options);
	assert_ranges(&guest.ram, ram, 2);
	assert_ranges(&guest.memory, all, 2);
	end();
}

static void test_ram_told(void **state)
{
	static const struct range told[] = { { 0x1000, 0x1000 }, { 0x4000, 0x2000 } };
	struct options options = { .ram = "0x4000+8K,0x1000-0x1fff", .vmcoreinfo = "auto" };

	(void)state;
	assert_learns(SMALL_GUEST, &options);
	assert_ranges(&guest.ram, told, 2);
	assert_ranges(&guest.memory, told, 2);
	assert_string_equal(guest.ram_source, "--ram");
	end();
	/* With it, no monitor is needed at all. */
	assert_learns(NO_MONITOR, &options);
	assert_int_equal(guest.cpu_count, 2);
	end();
	options.ram = "0x1000";
	assert_fails(SMALL_GUEST, &options, STATUS_USAGE,
		"--ram: \"0x1000\" is not START-END or START+SIZE");
}

#define ADVICE " (give it by --ram 0-0x9ffff,0x100000-..., or a file)"

static void test_no_ram_map(void **state)
{
	(void)state;
	assert_fails(NO_MONITOR, &automatic, STATUS_UNSUPPORTED,
		"no RAM map: the stub has neither a memory map nor a monitor" ADVICE);
	assert_fails(SMALL_GUEST "monitor info mtree -f = unknown command\n", &automatic,
		STATUS_UNSUPPORTED,
		"no RAM map: no flat view of the address space \"memory\"" ADVICE);
}

#define MEMORY_MAP(areas)                                                                    \
	NO_MONITOR "supported "                                                              \
		   "PacketSize=1000;QStartNoAckMode+;qXfer:features:read+;qXfer:memory-map:" \
		   "read+;multiprocess+\n"                                                   \
		   "object memory-map: <memory-map>" areas "</memory-map>\n"

static void test_memory_map(void **state)
{
	static const struct range all[] = { { 0, 0x3000 } };
	static const struct range map_ram[] = { { 0, 0x1000 }, { 0x2000, 0x1000 } };
	static const char description[] = MEMORY_MAP(
		"<memory type=\"ram\" start=\"0\" length=\"0x1000\"/>"
		"<memory type=\"flash\" start=\"0x1000\" length=\"0x1000\"/>"
		"<memory type=\"ram\" start=\"0x2000\" length=\"0x1000\"/>");
	struct options options = automatic;

	(void)state;
	assert_learns(description, &options);
	assert_ranges(&guest.ram, map_ram, 2);
	assert_ranges(&guest.memory, map_ram, 2);
	assert_string_equal(guest.ram_source, "the stub's memory map");
	end();
	options.ram = "all";
	assert_learns(description, &options);
	assert_ranges(&guest.ram, map_ram, 2);
	assert_ranges(&guest.memory, all, 1);
	end();
}

static void test_memory_map_of_no_use(void **state)
{
	(void)state;
	assert_fails(MEMORY_MAP("<memory type=\"ram\" start=\"0\" length=\"0x8000000\"/>"
				"<memory type=\"flash\" start=\"0x8000000\" length=\"0x1000\"/>"
				"<memory type=\"ram\" start=\"0x8001000\" length=\"0xf7fff000\"/>"),
		&automatic, STATUS_UNSUPPORTED,
		"no RAM map: the stub's memory map has RAM wherever there is no flash, in a space of 4 GiB" ADVICE);
	assert_fails(MEMORY_MAP("<memory type=\"rom\" start=\"0\" length=\"0x8000000\"/>"),
		&automatic, STATUS_UNSUPPORTED,
		"no RAM map: no RAM in the stub's memory map" ADVICE);
	assert_fails(MEMORY_MAP("<memory>"), &automatic, STATUS_UNSUPPORTED,
		"no RAM map: the stub's memory map: line 1: <memory> wants a type, a start and a length" ADVICE);
}

static void test_unknown_cpu(void **state)
{
	(void)state;
	assert_fails(SMALL_GUEST "object features:target.xml "
				 "<target><architecture>pdp11</architecture><reg name=\"r0\" "
				 "bitsize=\"16\"/></target>\n",
		&automatic, STATUS_UNSUPPORTED,
		"the stub's CPU is \"pdp11\", which this rspdump does not know (--version lists those it does, --arch says which it is like)");
}

static void test_no_description(void **state)
{
	struct options options = { .ram = "0-0xfff", .vmcoreinfo = "auto" };
	static const char description[] =
		"supported PacketSize=1000;multiprocess+\nphysical 0\nthread p01.01\nmemory 0 1000\n"
		"registers 1 8877665544332211 0200000000000000\n";

	(void)state;
	assert_fails(description, &options, STATUS_UNSUPPORTED,
		"the stub does not tell what its CPU is (say it by --arch x86_64, ...)");
	options.arch = arch_find("x86_64");
	assert_learns(description, &options);
	assert_string_equal(guest.arch->name, "x86_64");
	assert_int_equal(registers_u64(&guest.cpus[0], "rax"), 0x1122334455667788);
	assert_int_equal(registers_u64(&guest.cpus[0], "rbx"), 2);
	end();
	/* The stub knows better, if it says anything that is known. */
	options.arch = arch_find("s390x");
	assert_learns(SMALL_GUEST, &options);
	assert_string_equal(guest.arch->name, "x86_64");
	end();
	assert_learns(SMALL_GUEST "object features:target.xml "
				  "<target><architecture>pdp11</architecture></target>\n",
		&options);
	assert_string_equal(guest.arch->name, "s390x");
	end();
}

/* Only the monitor tells that the guest is still in its firmware. */
static void test_firmware(void **state)
{
	(void)state;
	assert_int_equal(
		learn(SMALL_GUEST "monitor info registers -a = <<\nCPU#0\nEFER=0000000000000000\n"
				  "CPU#1\nEFER=0000000000000000\n.\n",
			&automatic),
		0);
	assert_string_equal(guest.arch->name, "i386");
	end();
}

static void test_virtual_only(void **state)
{
	const struct options options = { .ram = "0-0xfff", .vmcoreinfo = "auto" };

	(void)state;
	/* One vCPU is in a kernel, of which nothing can be read. */
	assert_fails(SMALL_GUEST "physical -1\n", &options, STATUS_UNSUPPORTED,
		"the stub reads virtual addresses only, and physical memory is not found behind them: the vCPU shows no kernel image with page tables in it");
}

/* The connection ends at any moment: that is what is told, and nothing is kept. */
static void test_lost_anywhere(void **state)
{
	char description[4096];
	int rc = -1;

	(void)state;
	/* What fake_stub_open() does has some replies of its own. */
	for (int reply = 10; rc; reply++) {
		snprintf(description, sizeof(description), "%sclose %d\n", SMALL_GUEST, reply);
		rc = learn(description, &automatic);
		if (rc) {
			assert_int_equal(failure.status, STATUS_UNREACHABLE);
			assert_non_null(strstr(failure.text, "the stub closed the connection"));
		}
		end();
		assert_in_range(reply, 10, 100);
	}
}

/* ---- VMCOREINFO ------------------------------------------------------------------------------ */

#define NOTE_AT_11000 "memory 11000 " SMALL_GUEST_NOTE

static void test_vmcoreinfo_none(void **state)
{
	const struct options options = { .ram = "auto", .vmcoreinfo = "none" };

	(void)state;
	assert_learns(SMALL_GUEST NOTE_AT_11000, &options);
	assert_null(guest.kernel.vmcoreinfo.text);
	assert_string_equal(guest.vmcoreinfo_missing, "--vmcoreinfo none");
	end();
}

static void test_vmcoreinfo_told(void **state)
{
	struct options options = { .ram = "auto", .vmcoreinfo = "0x11000" };

	(void)state;
	assert_learns(SMALL_GUEST NOTE_AT_11000, &options);
	assert_string_equal(guest.kernel.vmcoreinfo.text, SMALL_GUEST_VMCOREINFO);
	assert_string_equal(guest.vmcoreinfo_source, "0x11000");
	end();
	options.vmcoreinfo = "0x12000";
	assert_fails(SMALL_GUEST NOTE_AT_11000, &options, STATUS_UNSUPPORTED,
		"--vmcoreinfo: no VMCOREINFO at 0x12000: no VMCOREINFO at 0x12000");
}

static void test_try_vmcoreinfo(void **state)
{
	(void)state;
	assert_learns(SMALL_GUEST NOTE_AT_11000, &automatic);
	assert_null(guest.kernel.vmcoreinfo.text);
	assert_false(guest_try_vmcoreinfo(&guest, 0x12000, 65536));
	assert_false(guest_try_vmcoreinfo(&guest, SMALL_GUEST_ROM, 65536));
	assert_false(guest_try_vmcoreinfo(&guest, UINT64_MAX, 65536));
	assert_null(guest.kernel.vmcoreinfo.text);
	assert_true(guest_try_vmcoreinfo(&guest, 0x11000, 65536));
	assert_int_equal(guest.kernel.vmcoreinfo.size, 42);
	assert_string_equal(guest.kernel.vmcoreinfo.text, SMALL_GUEST_VMCOREINFO);
	assert_int_equal(guest.kernel.vmcoreinfo.paddr, 0x11018);
	assert_string_equal(guest.vmcoreinfo_source, "a page of the guest");
	end();
}

/* The program does so when it fails before there is a guest. */
static void test_deinit_of_nothing(void **state)
{
	(void)state;
	memset(&guest, 0, sizeof(guest));
	guest_deinit(&guest);
	guest_deinit(&guest);
}

/* From the monitor, from a map of the stub's own, and told. */
static void test_no_memory(void **state)
{
	static const struct {
		const char *description, *ram;
	} cases[] = {
		{ SMALL_GUEST NOTE_AT_11000, "auto" },
		{ SMALL_GUEST, "all" },
		{ MEMORY_MAP("<memory type=\"ram\" start=\"0\" length=\"0x20000\"/>"), "auto" },
		{ NO_MONITOR, "0-0x1ffff" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct options options = { .ram = cases[i].ram, .vmcoreinfo = "auto" };
		struct failing failing = { .what = FAILING_ALLOCATIONS };

		while (failing_next(&failing)) {
			int rc = learn(cases[i].description, &options);

			if (failing_end(&failing)) {
				assert_int_equal(rc, -1);
				assert_int_equal(failure.status, STATUS_FAILED);
				assert_non_null(strstr(failure.text, "no memory"));
			} else {
				assert_int_equal(rc, 0);
			}
			end();
		}
		assert_true(failing.nth > 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learn),
		cmocka_unit_test(test_a_name_twice),
		cmocka_unit_test(test_registers_by_custom),
		cmocka_unit_test(test_hidden_registers),
		cmocka_unit_test(test_ram_all),
		cmocka_unit_test(test_ram_told),
		cmocka_unit_test(test_no_ram_map),
		cmocka_unit_test(test_memory_map),
		cmocka_unit_test(test_memory_map_of_no_use),
		cmocka_unit_test(test_unknown_cpu),
		cmocka_unit_test(test_no_description),
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_virtual_only),
		cmocka_unit_test(test_lost_anywhere),
		cmocka_unit_test(test_vmcoreinfo_none),
		cmocka_unit_test(test_vmcoreinfo_told),
		cmocka_unit_test(test_try_vmcoreinfo),
		cmocka_unit_test(test_deinit_of_nothing),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
