// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/vmcoreinfo_option.h"
#include "tests/unit/capture.h"
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

/* One that no kernel without a name can be checked against, but says where its name would be. */
#define MISFIT "OSRELEASE=5.0.0\nPAGESIZE=4096\nSYMBOL(y)=1\nNUMBER(phys_base)=0\n"

static struct fake_stub stub;
static struct guest guest;
static struct failure failure;
static char path[4096];

static void open_guest(const char *more)
{
	char description[8192];

	snprintf(description, sizeof(description), "%s%s", SMALL_GUEST, more);
	fake_stub_start(&stub, description);
	memset(&guest, 0, sizeof(guest));
	guest.rsp = fake_stub_open(&stub);
	assert_int_equal(rsp_use_physical_memory(guest.rsp), 0);
	kernel_init(&guest.kernel);
	ranges_init(&guest.ram);
	ranges_init(&guest.memory);
	assert_int_equal(ranges_add(&guest.ram, 0, SMALL_GUEST_LOW), 0);
	guest.memory_state = (struct guest_memory_state){ .rsp = guest.rsp, .ram = &guest.ram };
	guest.reader = guest_memory_interface(&guest.memory_state);
}

static void close_guest(void)
{
	struct rsp *rsp = guest.rsp;

	guest_deinit(&guest);
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	fake_stub_deinit(&stub);
}

static int take(const char *value)
{
	const struct options options = { .vmcoreinfo = value, .target = "vm" };

	return take_vmcoreinfo_option(&guest, &options, &failure);
}

static void assert_takes(const char *value, const char *text)
{
	if (take(value))
		fail_msg("%s: %s", value, failure.text);
	assert_string_equal(guest.kernel.vmcoreinfo.text, text);
	assert_int_equal(guest.kernel.vmcoreinfo.size, strlen(text));
}

static void assert_refuses(const char *value, enum status status, const char *why)
{
	assert_int_equal(take(value), -1);
	assert_string_equal(failure.text, why);
	assert_int_equal(failure.status, status);
	assert_null(guest.kernel.vmcoreinfo.text);
}

/* ---- addresses ------------------------------------------------------------------------------- */

static void test_address(void **state)
{
	(void)state;
	open_guest("memory 11000 " SMALL_GUEST_NOTE);
	assert_takes("0x11000", SMALL_GUEST_VMCOREINFO);
	assert_int_equal(guest.kernel.vmcoreinfo.paddr, 0x11018);
	assert_string_equal(guest.kernel.vmcoreinfo.release, "6.1.0");
	/* In whatever way it is written, and of the bare text as well. */
	assert_takes("69632", SMALL_GUEST_VMCOREINFO);
	assert_takes("68K", SMALL_GUEST_VMCOREINFO);
	close_guest();
}

static void test_wrong_address(void **state)
{
	(void)state;
	open_guest("memory 11000 " SMALL_GUEST_NOTE);
	assert_refuses("0x12000", STATUS_UNSUPPORTED,
		"--vmcoreinfo: no VMCOREINFO at 0x12000: no VMCOREINFO at 0x12000");
	/* No RAM. */
	assert_refuses("0x100000", STATUS_UNSUPPORTED,
		"--vmcoreinfo: no VMCOREINFO at 0x100000: cannot read guest memory at 0x100000");
	close_guest();
}

/* It is not the address that is to blame. */
static void test_lost(void **state)
{
	uint8_t byte;

	(void)state;
	open_guest("memory 11000 " SMALL_GUEST_NOTE "close 30\n");
	while (guest_read(&guest.reader, 0x1000, &byte, 1) == 0)
		assert_in_range(guest.memory_state.bytes_read, 1, 100);
	assert_refuses(
		"0x11000", STATUS_UNREACHABLE, "reading memory: the stub closed the connection");
	close_guest();
}

/* ---- files ----------------------------------------------------------------------------------- */

static int make_file(void **state)
{
	const char *parent = getenv("TMPDIR");
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/vmcoreinfo.XXXXXX", parent ? parent : "/tmp");
	fd = mkstemp(path);
	open_guest("");
	return fd >= 0 && close(fd) == 0 ? 0 : -1;
}

static int remove_file(void **state)
{
	(void)state;
	close_guest();
	return unlink(path);
}

static void put_file(const void *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void test_text_file(void **state)
{
	(void)state;
	put_file(SMALL_GUEST_VMCOREINFO, 42);
	assert_takes(path, SMALL_GUEST_VMCOREINFO);
	assert_int_equal(guest.kernel.vmcoreinfo.paddr, VMCOREINFO_NOWHERE);
}

static void test_note_file(void **state)
{
	uint8_t note[24 + 42] = "\x0b\0\0\0\x2a\0\0\0\0\0\0\0VMCOREINFO";

	(void)state;
	memcpy(note + 24, SMALL_GUEST_VMCOREINFO, 42);
	put_file(note, sizeof(note));
	assert_takes(path, SMALL_GUEST_VMCOREINFO);
}

/* With the rest of its page, up to the largest that is taken. */
static void test_sizes(void **state)
{
	char *bytes = calloc(1, VMCOREINFO_SIZE_MAX + 1);
	char why[sizeof(path) + 64];

	(void)state;
	assert_non_null(bytes);
	memcpy(bytes, SMALL_GUEST_VMCOREINFO, 42);
	snprintf(why, sizeof(why), "--vmcoreinfo: %.700s: is too large", path);
	put_file(bytes, VMCOREINFO_SIZE_MAX + 1);
	assert_refuses(path, STATUS_USAGE, why);
	put_file(bytes, VMCOREINFO_SIZE_MAX);
	assert_takes(path, SMALL_GUEST_VMCOREINFO);
	free(bytes);
}

static void test_bad_files(void **state)
{
	char why[sizeof(path) + 128];

	(void)state;
	snprintf(why, sizeof(why),
		"--vmcoreinfo: %.600s: VMCOREINFO does not begin with OSRELEASE=", path);
	put_file("", 0);
	assert_refuses(path, STATUS_USAGE, why);
	put_file("\x7f"
		 "ELF\2\1\1\0",
		8);
	assert_refuses(path, STATUS_USAGE, why);
	assert_refuses("/nowhere/at/all", STATUS_USAGE,
		"--vmcoreinfo: /nowhere/at/all: No such file or directory");
	assert_refuses("/", STATUS_USAGE, "--vmcoreinfo: /: cannot be read");
}

/* ---- one that does not fit ------------------------------------------------------------------- */

/* The user knows better: it may be of the kernel that crashed. */
static void test_misfit(void **state)
{
	struct capture capture;
	char expected[sizeof(path) + 256];
	char *said;
	int rc;

	(void)state;
	put_file(SMALL_GUEST_VMCOREINFO, 42);
	assert_takes(path, SMALL_GUEST_VMCOREINFO);
	put_file(MISFIT, strlen(MISFIT));
	capture_start(&capture, STDERR_FILENO);
	rc = take(path);
	said = capture_end(&capture);
	assert_int_equal(rc, 0);
	assert_string_equal(guest.kernel.vmcoreinfo.text, MISFIT);
	assert_string_equal(guest.kernel.vmcoreinfo.release, "5.0.0");
	snprintf(expected, sizeof(expected),
		"rspdump: vm: warning: VMCOREINFO of %.700s taken as told, though VMCOREINFO does "
		"not say where the kernel's name is\n",
		path);
	assert_string_equal(said, expected);
	free(said);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, make_file, remove_file)

static void take_without_memory(const char *value)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	while (failing_next(&failing)) {
		int rc;

		guest.memory_state.lost = false;
		rc = take(value);
		failing_check(&failing, rc, failure.text);
		if (rc)
			assert_int_equal(failure.status, STATUS_FAILED);
		vmcoreinfo_deinit(&guest.kernel.vmcoreinfo);
	}
	assert_true(failing.nth > 3);
}

static void test_no_memory(void **state)
{
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	fputs(SMALL_GUEST_VMCOREINFO, file);
	assert_int_equal(fclose(file), 0);
	open_guest("memory 11000 " SMALL_GUEST_NOTE);
	take_without_memory("0x11000");
	take_without_memory(path);
	close_guest();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_wrong_address),
		cmocka_unit_test(test_lost),
		FILE_TEST(test_text_file),
		FILE_TEST(test_note_file),
		FILE_TEST(test_sizes),
		FILE_TEST(test_bad_files),
		FILE_TEST(test_misfit),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
