// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/report.h"
#include "tests/unit/capture.h"
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

static struct guest guest;
static struct attachment attachment;
static struct plan plan;

/* A guest without a kernel, but for what a test gives it. */
static int make_guest(void **state)
{
	(void)state;
	memset(&guest, 0, sizeof(guest));
	memset(&plan, 0, sizeof(plan));
	guest.arch = arch_find("x86_64");
	ranges_init(&guest.ram);
	ranges_init(&guest.memory);
	kernel_init(&guest.kernel);
	guest.ram_source = "info mtree -f";
	snprintf(guest.vmcoreinfo_missing, sizeof(guest.vmcoreinfo_missing), "nobody has it");
	return ranges_add(&guest.ram, 0, 0xa0000) || ranges_add(&guest.ram, 0x100000, 0x7f00000) ||
	                       ranges_copy(&guest.memory, &guest.ram)
	               ? -1
	               : 0;
}

static int end_guest(void **state)
{
	(void)state;
	guest_deinit(&guest);
	return 0;
}

static void have_kernel(void)
{
	struct error error;

	guest.cpu_count = 0;
	guest.kernel.mapped = true;
	guest.kernel.text = (struct mapping){
		.vaddr = 0xffffffff9a000000, .paddr = 0x800000, .size = 0x400000
	};
	guest.kernel.direct_map = 0xffff9a4000000000;
	guest.kernel.phys_base = -436207616;
	guest.kernel.table = (struct page_table){ .root = 0x100000, .levels = 4 };
	guest.vmcoreinfo_source = "the kernel's data";
	assert_int_equal(
		vmcoreinfo_parse(&guest.kernel.vmcoreinfo, SMALL_GUEST_VMCOREINFO, 42, &error), 0);
	guest.kernel.vmcoreinfo.paddr = 0x1234018;
	snprintf(guest.kernel.utsname[UTS_VERSION], UTSNAME_STRING_SIZE, "#1 SMP \"x\"\x1b[2J");
	snprintf(guest.kernel.utsname[UTS_NODENAME], UTSNAME_STRING_SIZE, "guest");
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void assert_json(void (*write)(struct json *json), const char *expected)
{
	char *text = NULL;
	size_t size;
	struct json json;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	json_init(&json, to);
	json_open(&json, NULL, '{');
	write(&json);
	json_close(&json, '}');
	fclose(to);
	assert_string_equal(text, expected);
	free(text);
}

static void write_guest(struct json *json)
{
	report_guest_json(json, &guest);
}

#define RAM_JSON "[{\"start\": 0, \"size\": 655360}, {\"start\": 1048576, \"size\": 133169152}]"

static void test_json_without_kernel(void **state)
{
	(void)state;
	assert_json(write_guest,
		"{\"guest\": {\"arch\": \"x86_64\", \"cpus\": 0, \"cpus_left_out\": 0, \"ram_source\": \"info mtree "
		"-f\", \"ram\": " RAM_JSON "}, \"kernel\": {\"mapped\": false, \"release\": \"\", "
		"\"version\": \"\", \"nodename\": \"\"}, \"vmcoreinfo\": {\"found\": false, "
		"\"reason\": \"nobody has it\"}}");
}

static void test_json_with_kernel(void **state)
{
	(void)state;
	have_kernel();
	assert_json(write_guest,
		"{\"guest\": {\"arch\": \"x86_64\", \"cpus\": 0, \"cpus_left_out\": 0, \"ram_source\": \"info mtree "
		"-f\", \"ram\": " RAM_JSON "}, \"kernel\": {\"mapped\": true, "
		"\"text\": 18446744071998275584, \"text_paddr\": 8388608, \"text_size\": 4194304, "
		"\"direct_map\": 18446632198401425408, \"phys_base\": -436207616, "
		"\"page_table\": 1048576, \"page_table_levels\": 4, \"release\": \"6.1.0\", "
		"\"version\": \"#1 SMP \\\"x\\\"\\u001b[2J\", \"nodename\": \"guest\"}, "
		"\"vmcoreinfo\": {\"found\": true, \"source\": \"the kernel's data\", "
		"\"size\": 42, \"paddr\": 19087384}}");
}

/* It is nowhere in the guest. */
static void test_json_vmcoreinfo_of_file(void **state)
{
	char *text = NULL;
	size_t size;
	struct json json;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	have_kernel();
	guest.kernel.vmcoreinfo.paddr = VMCOREINFO_NOWHERE;
	json_init(&json, to);
	json_open(&json, NULL, '{');
	report_guest_json(&json, &guest);
	fclose(to);
	assert_null(strstr(text, "\"paddr\""));
	assert_non_null(strstr(text, "\"size\": 42}"));
	free(text);
}

static struct failure failure;

static void write_failure(struct json *json)
{
	report_failure_json(json, &failure);
}

static void test_json_failure(void **state)
{
	(void)state;
	failure = (struct failure){ .status = STATUS_DONE, .text = "left over" };
	assert_json(write_failure, "{\"status\": \"completed\", \"exit_status\": 0}");
	failure = (struct failure){ .status = STATUS_INCOMPLETE, .text = "holes" };
	assert_json(write_failure,
		"{\"status\": \"completed\", \"exit_status\": 3, \"error\": \"holes\"}");
	failure = (struct failure){ .status = STATUS_SIGNAL + 2, .text = "interrupted" };
	assert_json(write_failure,
		"{\"status\": \"failed\", \"exit_status\": 130, \"error\": \"interrupted\"}");
}

static void write_ranges(struct json *json)
{
	const struct ranges none = { .count = 0 };

	report_ranges_json(json, "none", &none);
	report_ranges_json(json, "some", &guest.ram);
}

static void test_json_ranges(void **state)
{
	(void)state;
	assert_json(write_ranges, "{\"none\": [], \"some\": " RAM_JSON "}");
}

static void write_stub(struct json *json)
{
	report_stub_json(json, &attachment);
}

/* ---- text ------------------------------------------------------------------------------------ */

static void assert_prints(void (*print)(void), const char *expected)
{
	struct capture capture;
	char *text;

	capture_start(&capture, STDOUT_FILENO);
	print();
	text = capture_end(&capture);
	assert_string_equal(text, expected);
	free(text);
}

static void print_guest(void)
{
	report_guest_text(&guest);
}

#define RAM_TEXT                                                     \
	"memory      127.6 MiB\n"                                    \
	"            0000000000000000-000000000009ffff  640.0 KiB\n" \
	"            0000000000100000-0000000007ffffff  127.0 MiB\n" \
	"            from info mtree -f\n"

static void test_text_without_kernel(void **state)
{
	(void)state;
	assert_prints(print_guest, "CPUs        0, x86_64\n" RAM_TEXT "kernel      unknown\n"
				   "VMCOREINFO  none: nobody has it\n");
}

/* A guest's words do not get at the terminal. */
static void test_text_with_kernel(void **state)
{
	(void)state;
	have_kernel();
	assert_prints(print_guest,
		"CPUs        0, x86_64\n" RAM_TEXT "kernel      Linux 6.1.0 #1 SMP \"x\"?[2J\n"
		"  image     ffffffff9a000000 at 800000, phys_base -436207616\n"
		"  RAM       mapped at ffff9a4000000000, 4-level page tables at 100000\n"
		"VMCOREINFO  42 bytes, from the kernel's data\n");
	vmcoreinfo_deinit(&guest.kernel.vmcoreinfo);
	assert_prints(print_guest,
		"CPUs        0, x86_64\n" RAM_TEXT "kernel      Linux by its page tables\n"
		"  image     ffffffff9a000000 at 800000, phys_base -436207616\n"
		"  RAM       mapped at ffff9a4000000000, 4-level page tables at 100000\n"
		"VMCOREINFO  none: nobody has it\n");
}

static void print_stub(void)
{
	report_stub_text(&attachment);
}

/* A stub's words neither: its features are a text of its own. */
static void test_stub(void **state)
{
	struct fake_stub stub;

	(void)state;
	fake_stub_start(&stub,
		"supported PacketSize=1000;QStartNoAckMode+;multiprocess+;x=\x1b]0;a\n"
		"physical 0\nthread p01.01\n"
		"monitor info version = 7.2.22\n");
	attachment = (struct attachment){ .rsp = fake_stub_open(&stub), .found = FOUND_RUNNING };
	snprintf(attachment.run_state, sizeof(attachment.run_state), "paused\b");
	assert_json(write_stub,
		"{\"stub\": {\"name\": \"QEMU\", \"version\": \"7.2.22\", \"features\": "
		"\"PacketSize=1000;QStartNoAckMode+;multiprocess+;x=\\u001b]0;a\", "
		"\"packet_size\": 4096, \"read_size\": 2048, \"pipelines\": true, "
		"\"physical_memory\": true, \"run_state\": \"paused\\u0008\", "
		"\"found\": \"running\"}}");
	assert_prints(print_stub,
		"stub        QEMU 7.2.22\n"
		"features    PacketSize=1000;QStartNoAckMode+;multiprocess+;x=?]0;a\n"
		"reads       2048 bytes each, many on their way at once\n"
		"found       running, now paused?; stands still if a client just goes away\n");
	attachment_deinit(&attachment);
	fake_stub_stop(&stub);
	fake_stub_deinit(&stub);
}

static void test_found(void **state)
{
	(void)state;
	assert_string_equal(found_text(FOUND_UNKNOWN), "unknown");
	assert_string_equal(found_text(FOUND_RUNNING), "running");
	assert_string_equal(found_text(FOUND_STOPPED), "stopped");
}

/* ---- warnings -------------------------------------------------------------------------------- */

static void assert_gaps(const char *expected)
{
	const struct options options = { .target = "vm" };
	struct capture capture;
	char *text;

	capture_start(&capture, STDERR_FILENO);
	report_gaps(&options, &guest, &plan);
	text = capture_end(&capture);
	assert_string_equal(text, expected);
	free(text);
}

#define NO_KERNEL                                                                                  \
	"rspdump: vm: warning: no Linux kernel in the page tables of any vCPU: virtual addresses " \
	"in the core are physical ones\n"

static void test_gaps(void **state)
{
	(void)state;
	assert_gaps(NO_KERNEL "rspdump: vm: warning: no VMCOREINFO in the core: nobody has it\n");
	/* It may still come. */
	plan.late_vmcoreinfo_max = 65536;
	assert_gaps(NO_KERNEL);
	have_kernel();
	assert_gaps("");
	snprintf(plan.missing, sizeof(plan.missing), "cr2, k_gs_base");
	assert_gaps("rspdump: vm: warning: zero in the core, as the stub does not give them: cr2, "
		    "k_gs_base\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_guest, end_guest)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_json_without_kernel),
		TEST(test_json_with_kernel),
		TEST(test_json_vmcoreinfo_of_file),
		TEST(test_json_failure),
		TEST(test_json_ranges),
		TEST(test_text_without_kernel),
		TEST(test_text_with_kernel),
		TEST(test_stub),
		TEST(test_found),
		TEST(test_gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
