// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/interrupt.h"

/* What a child does; it ends with what the function returns. */
typedef int (*role)(int number);

/* Plays it in a process of its own, since signals are the whole process's. Returns its status. */
static int play(role part, int number)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		alarm(30);
		_exit(part(number));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void assert_plays(role part, int number, int expected)
{
	int status = play(part, number);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
}

static bool readable(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	return poll(&ready, 1, 0) == 1 && ready.revents & POLLIN;
}

/* Each returns 0, or the number of the first thing that is not as it should be. */
static int first_signal(int number)
{
	if (interrupt_fd() != -1)
		return 1;
	if (interrupt_init())
		return 2;
	if (readable(interrupt_fd()) || interrupt_signal())
		return 3;
	raise(number);
	if (!readable(interrupt_fd()) || interrupt_signal() != number)
		return 4;
	/* And stays so. */
	return readable(interrupt_fd()) ? 0 : 5;
}

static void test_first(void **state)
{
	(void)state;
	assert_plays(first_signal, SIGINT, 0);
	assert_plays(first_signal, SIGTERM, 0);
	assert_plays(first_signal, SIGHUP, 0);
}

static int two_signals(int number)
{
	if (interrupt_init())
		return 1;
	raise(SIGTERM);
	raise(number);
	return 2;
}

static void test_second(void **state)
{
	(void)state;
	assert_plays(two_signals, SIGINT, 130);
	assert_plays(two_signals, SIGTERM, 143);
	assert_plays(two_signals, SIGHUP, 129);
}

/* A call that waits is woken by the one, and not disturbed by the other. */
static int restarted_calls(int number)
{
	struct sigaction end, progress;

	(void)number;
	if (interrupt_init() || sigaction(SIGINT, NULL, &end) ||
		sigaction(SIGUSR1, NULL, &progress))
		return 1;
	if (end.sa_flags & SA_RESTART)
		return 2;
	return progress.sa_flags & SA_RESTART ? 0 : 3;
}

static void test_wakes(void **state)
{
	(void)state;
	assert_plays(restarted_calls, 0, 0);
}

static int progress_signal(int number)
{
	if (interrupt_init())
		return 1;
	if (interrupt_wants_progress())
		return 2;
	raise(number);
	raise(number);
	if (!interrupt_wants_progress())
		return 3;
	if (interrupt_wants_progress())
		return 4;
	return interrupt_signal() || readable(interrupt_fd()) ? 5 : 0;
}

static void test_progress(void **state)
{
	(void)state;
	assert_plays(progress_signal, SIGUSR1, 0);
}

/* The guest would be left standing still by a process that ends at once. */
static int broken_pipe(int number)
{
	int ends[2];

	(void)number;
	if (interrupt_init() || pipe(ends))
		return 1;
	close(ends[0]);
	return write(ends[1], "", 1) < 0 ? 0 : 2;
}

static int file_too_large(int number)
{
	const struct rlimit limit = { .rlim_cur = 0, .rlim_max = 0 };
	int fd = open("/tmp", O_TMPFILE | O_WRONLY, 0600);

	(void)number;
	if (fd < 0)
		return 0; /* not every file system has such files */
	if (interrupt_init() || setrlimit(RLIMIT_FSIZE, &limit))
		return 1;
	return write(fd, "", 1) < 0 ? 0 : 2;
}

static void test_output_signals(void **state)
{
	(void)state;
	assert_plays(broken_pipe, 0, 0);
	assert_plays(file_too_large, 0, 0);
}

static int hangup_ignored(int number)
{
	signal(SIGHUP, SIG_IGN);
	if (interrupt_init())
		return 1;
	raise(number);
	return interrupt_signal() || readable(interrupt_fd()) ? 2 : 0;
}

static void test_nohup(void **state)
{
	(void)state;
	assert_plays(hangup_ignored, SIGHUP, 0);
}

/* A command that is the link must not inherit the pipe. */
static int closed_on_exec(int number)
{
	(void)number;
	if (interrupt_init())
		return 1;
	return fcntl(interrupt_fd(), F_GETFD) & FD_CLOEXEC ? 0 : 2;
}

static void test_closed_on_exec(void **state)
{
	(void)state;
	assert_plays(closed_on_exec, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_second),
		cmocka_unit_test(test_wakes),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_output_signals),
		cmocka_unit_test(test_nohup),
		cmocka_unit_test(test_closed_on_exec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
