// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/attach.h"
#include "client/interrupt.h"
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

static struct fake_stub stub;
static struct attachment attachment;
static struct failure failure;

static struct options options_for(const char *target)
{
	return (struct options){ .target = target, .connect_timeout = 5, .timeout = 5 };
}

static void attach(const struct options *options)
{
	if (attach_to(&attachment, options, &failure))
		fail_msg("%s", failure.text);
}

static void attach_to_small(const char *more)
{
	char description[4096];
	struct options options;

	snprintf(description, sizeof(description), "%s%s", SMALL_GUEST, more);
	fake_stub_start(&stub, description);
	options = options_for(stub.target);
	attach(&options);
}

static void end(void)
{
	attachment_deinit(&attachment);
	fake_stub_stop(&stub);
	fake_stub_deinit(&stub);
}

static void assert_fails(enum status status, const char *why)
{
	assert_string_equal(failure.text, why);
	assert_int_equal(failure.status, status);
}

/* ---- how the guest was found ----------------------------------------------------------------- */

static void assert_found(const char *more, enum found found, const char *run_state)
{
	attach_to_small(more);
	assert_int_equal(attachment.found, found);
	assert_string_equal(attachment.run_state, run_state);
	end();
}

static void test_found(void **state)
{
	(void)state;
	assert_found(SMALL_GUEST_RAN, FOUND_RUNNING, "paused");
	/* 7.2 would have said so. */
	assert_found("", FOUND_STOPPED, "paused");
	/* Later ones say nothing in either case ... */
	assert_found("monitor info version = 8.1.0\n", FOUND_UNKNOWN, "paused");
	/* ... but keep the reason of a stop that was before us. */
	assert_found("monitor info version = 8.1.0\n"
		     "monitor info status = VM status: paused (guest-panicked)\n",
		FOUND_STOPPED, "paused (guest-panicked)");
	assert_found("monitor info version = 8.1.0\n"
		     "monitor info status = VM status: paused (single step mode)\n",
		FOUND_UNKNOWN, "paused (single step mode)");
	assert_found("monitor info version = 8.1.0\nmonitor info status = no such command\n",
		FOUND_UNKNOWN, "");
	/* Who ran says so, whatever the state is called now. */
	assert_found(SMALL_GUEST_RAN "monitor info status = VM status: paused (io-error)\n",
		FOUND_RUNNING, "paused (io-error)");
}

static void test_long_run_state(void **state)
{
	(void)state;
	assert_found("monitor info version = 8.1.0\nmonitor info status = VM status: "
		     "0123456789012345678901234567890123456789012345678901234567890123456789\n",
		FOUND_UNKNOWN, "012345678901234567890123456789012345678901234567890123456789012");
}

/* ---- how it is left -------------------------------------------------------------------------- */

static void assert_left(const char *more, enum after after, bool running)
{
	struct options options;

	attach_to_small(more);
	options = options_for(stub.target);
	options.after = after;
	assert_int_equal(leaves_running(&attachment, &options), running);
	assert_false(attachment.left);
	assert_int_equal(detach_from(&attachment, &options, &failure), 0);
	assert_true(attachment.left);
	assert_true(stopped_seconds(&attachment) >= 0);
	/* Once is enough. */
	leave_after_failure(&attachment, &options, &failure);
	attachment_deinit(&attachment);
	fake_stub_stop(&stub);
	assert_int_equal(stub.end, WIRE_CLOSED);
	assert_int_equal(fake_stub_count(&stub, "> D"), running);
	fake_stub_deinit(&stub);
}

static void test_left(void **state)
{
	(void)state;
	assert_left(SMALL_GUEST_RAN, AFTER_AUTO, true);
	assert_left("", AFTER_AUTO, false);
	assert_left("monitor info version = 8.1.0\n", AFTER_AUTO, true);
	assert_left(SMALL_GUEST_RAN, AFTER_STOP, false);
	assert_left("", AFTER_RESUME, true);
}

static const char *advice(const struct options *options)
{
	static char text[128];

	snprintf(text, sizeof(text),
		"; the guest may stand still now (\"rspdump release %s\" lets it run)",
		options->target);
	return text;
}

#define FIRECRACKER                                                                          \
	"supported PacketSize=1000;vContSupported+;multiprocess+;QStartNoAckMode+;swbreak+;" \
	"hwbreak+\nanswer qThreadExtraInfo,p1.1 566370752049443a2030\nthread p01.01\n"

/* Stubs that do not leave the guest as they are told. */
static void test_leaving_hurts(void **state)
{
	struct capture capture;
	struct options options;
	char *said;
	int rc;

	(void)state;
	fake_stub_start(&stub, "supported PacketSize=4096;swbreak+\nthread 1\n");
	options = options_for(stub.target);
	options.after = AFTER_STOP;
	assert_int_equal(attach_to(&attachment, &options, &failure), -1);
	assert_fails(
		STATUS_UNSUPPORTED, "--after stop: bhyve lets its guest run when a debugger goes");
	leave_after_failure(&attachment, &options, &failure);
	end();
	fake_stub_start(&stub, "supported PacketSize=4096;swbreak+\nthread 1\n");
	options = options_for(stub.target);
	attach(&options);
	assert_true(leaves_running(&attachment, &options));
	end();

	fake_stub_start(&stub, FIRECRACKER);
	options = options_for(stub.target);
	assert_int_equal(attach_to(&attachment, &options, &failure), -1);
	assert_fails(STATUS_UNSUPPORTED,
		"Firecracker ends its VM when a debugger goes, and does so now (--force takes what is there before it ends)");
	end();
	fake_stub_start(&stub, FIRECRACKER);
	options = options_for(stub.target);
	options.force = true;
	capture_start(&capture, STDERR_FILENO);
	rc = attach_to(&attachment, &options, &failure);
	said = capture_end(&capture);
	assert_int_equal(rc, 0);
	assert_non_null(strstr(said, "warning: Firecracker ends its VM when it is left"));
	free(said);
	end();
}

static void test_refused_detach(void **state)
{
	struct options options;
	char expected[256];

	(void)state;
	attach_to_small(SMALL_GUEST_RAN "answer D;1 E01\n");
	options = options_for(stub.target);
	assert_int_equal(detach_from(&attachment, &options, &failure), -1);
	snprintf(expected, sizeof(expected), "leaving the stub: the stub answers E01 to detach%s",
		advice(&options));
	assert_fails(STATUS_UNREACHABLE, expected);
	assert_true(attachment.left);
	end();
}

/* What is added to a failure by leaving after it. The text is static. */
static const char *said_on_leaving(const struct options *options)
{
	static struct failure before;

	before = (struct failure){ .status = STATUS_FAILED, .text = "this" };
	leave_after_failure(&attachment, options, &before);
	assert_int_equal(before.status, STATUS_FAILED);
	assert_memory_equal(before.text, "this", 4);
	return before.text + 4;
}

/* Whoever cannot let the guest run has to tell its owner. */
static void test_left_after_failure(void **state)
{
	struct options options;

	(void)state;
	attach_to_small(SMALL_GUEST_RAN);
	options = options_for(stub.target);
	assert_string_equal(said_on_leaving(&options), "");
	attachment_deinit(&attachment);
	fake_stub_stop(&stub);
	fake_stub_assert_detached(&stub);
	fake_stub_deinit(&stub);

	attach_to_small(SMALL_GUEST_RAN "answer D;1 E01\n");
	options = options_for(stub.target);
	assert_string_equal(said_on_leaving(&options), advice(&options));
	end();
}

/* ---- failures -------------------------------------------------------------------------------- */

static void assert_attach_fails(const char *target, enum status status, const char *why)
{
	const struct options options = options_for(target);

	assert_int_equal(attach_to(&attachment, &options, &failure), -1);
	assert_fails(status, why);
	/* Nobody answered: there is no guest to be worried about. */
	assert_string_equal(said_on_leaving(&options), "");
	attachment_deinit(&attachment);
}

static void test_no_connection(void **state)
{
	(void)state;
	assert_attach_fails("unix:/nowhere/at/all", STATUS_UNREACHABLE,
		"cannot connect: No such file or directory (is a stub there? QEMU: -gdb tcp::1234)");
	assert_attach_fails("99999", STATUS_USAGE, "\"99999\" is no port number from 1 to 65535");
}

static void test_no_stub(void **state)
{
	(void)state;
	fake_stub_replay(&stub, "> qSupported*\n! HTTP/1.1 400 Bad Request\n");
	assert_attach_fails(stub.target, STATUS_UNREACHABLE,
		"what answers there is no gdb stub: it sent \"HTTP/1.1 400 Bad Request\"");
	fake_stub_deinit(&stub);
}

static void test_lost(void **state)
{
	struct options options;

	(void)state;
	fake_stub_start(&stub, SMALL_GUEST "close 3\n");
	options = options_for(stub.target);
	assert_int_equal(attach_to(&attachment, &options, &failure), -1);
	assert_fails(STATUS_UNREACHABLE, "the stub closed the connection");
	assert_string_equal(said_on_leaving(&options), advice(&options));
	end();
}

/* It answered, and so the guest stands still: it is let go although nothing came of it. */
static void test_ended_guest(void **state)
{
	struct options options;

	(void)state;
	fake_stub_start(&stub, "stop W00\n");
	options = options_for(stub.target);
	assert_int_equal(attach_to(&attachment, &options, &failure), -1);
	assert_fails(STATUS_UNSUPPORTED, "the stub says that its guest has ended");
	assert_string_equal(said_on_leaving(&options), "");
	attachment_deinit(&attachment);
	fake_stub_stop(&stub);
	fake_stub_assert_detached(&stub);
	fake_stub_deinit(&stub);
}

/* In a process of its own: signals are. 0 if the failure is the signal's. */
static int attach_interrupted(int number)
{
	struct options options;

	alarm(30);
	if (interrupt_init())
		return 1;
	fake_stub_start(&stub, SMALL_GUEST);
	options = options_for(stub.target);
	raise(number);
	if (attach_to(&attachment, &options, &failure) != -1)
		return 2;
	return (int)failure.status == STATUS_SIGNAL + number ? 0 : 3;
}

static void test_interrupted(void **state)
{
	int status;
	pid_t child;

	(void)state;
	fflush(NULL);
	child = fork();
	if (child == 0)
		_exit(attach_interrupted(SIGTERM));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- the trace ------------------------------------------------------------------------------- */

static char directory[4096];

static const char *in_directory(const char *name)
{
	static char path[sizeof(directory) + 32];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static int make_directory(void **state)
{
	const char *parent = getenv("TMPDIR");

	(void)state;
	snprintf(directory, sizeof(directory), "%s/attach.XXXXXX", parent ? parent : "/tmp");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(in_directory("trace"));
	unlink(in_directory("victim"));
	return rmdir(directory);
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	assert_non_null(file);
	assert_true(getdelim(&text, &size, '\0', file) > 0);
	fclose(file);
	return text;
}

static void test_trace(void **state)
{
	uint8_t bytes[0x800];
	struct options options;
	struct stat st;
	mode_t before;
	char *text;

	(void)state;
	fake_stub_start(&stub, SMALL_GUEST "memory 1000 5 24 5c 00 0a 41\n");
	options = options_for(stub.target);
	options.trace = in_directory("trace");
	before = umask(0);
	attach(&options);
	umask(before);
	assert_int_equal(stat(options.trace, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(rsp_use_physical_memory(attachment.rsp), 0);
	assert_int_equal(rsp_read_memory(attachment.rsp, 0x2000, bytes, sizeof(bytes)), 0);
	end();
	text = read_file(options.trace);
	assert_int_equal(strncmp(text, "> qSupported:", 13), 0);
	assert_non_null(strstr(text, "\n< PacketSize=1000;QStartNoAckMode+;"));
	assert_non_null(strstr(text, "\n> m2000,800\n< "));
	assert_non_null(strstr(text, "... 4096 bytes in all\n"));
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, 2 + 512 + strlen("... 4096 bytes in all"));
	free(text);
}

/* Binary answers are text in it, each byte that is none as a number. */
static void test_trace_of_bytes(void **state)
{
	struct options options;
	uint8_t bytes[5];
	char *text;

	(void)state;
	fake_stub_start(&stub, "supported PacketSize=1000;QStartNoAckMode+;binary-upload+\n"
			       "memory 1000 5 41 5c 00 0a 9f\n");
	options = options_for(stub.target);
	options.trace = in_directory("trace");
	attach(&options);
	assert_int_equal(rsp_read_memory(attachment.rsp, 0x1000, bytes, sizeof(bytes)), 0);
	end();
	text = read_file(options.trace);
	assert_non_null(strstr(text, "\n> x1000,5\n< bA\\x5c\\x00\\x0a\\x9f\n"));
	free(text);
}

static void test_trace_refused(void **state)
{
	struct options options = options_for("fd:99");
	char expected[sizeof(directory) + 128];
	struct stat st;

	(void)state;
	/* A link is not followed, and nobody is connected to. */
	assert_int_equal(symlink("victim", in_directory("trace")), 0);
	options.trace = in_directory("trace");
	assert_int_equal(attach_to(&attachment, &options, &failure), -1);
	snprintf(expected, sizeof(expected),
		"cannot write the trace %s/trace: Too many levels of symbolic links", directory);
	assert_fails(STATUS_OUTPUT, expected);
	assert_int_equal(stat(in_directory("victim"), &st), -1);
	attachment_deinit(&attachment);

	options.trace = "/nowhere/at/all";
	assert_int_equal(attach_to(&attachment, &options, &failure), -1);
	assert_fails(
		STATUS_OUTPUT, "cannot write the trace /nowhere/at/all: No such file or directory");
	leave_after_failure(&attachment, &options, &failure);
	attachment_deinit(&attachment);
}

#define TRACE_TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_long_run_state),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_leaving_hurts),
		cmocka_unit_test(test_refused_detach),
		cmocka_unit_test(test_left_after_failure),
		cmocka_unit_test(test_no_connection),
		cmocka_unit_test(test_no_stub),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_ended_guest),
		cmocka_unit_test(test_interrupted),
		TRACE_TEST(test_trace),
		TRACE_TEST(test_trace_of_bytes),
		TRACE_TEST(test_trace_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
