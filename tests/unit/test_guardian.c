// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guardian acts when the process that it watches has died with a connection in its hands, and in
 * no other case. The processes that die here are children of the test.
 */
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/guardian.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { NOT_CALLED = -2, PATIENCE_MS = 10000 };

/* What the other processes let the test know. */
static struct report {
	int fd; /* that act() was given, or NOT_CALLED */
	bool runs_afterwards;
} * report;

static int connection[2];
static char name[] = "g";

/* Says which file it is by what comes out at the other end. */
static void act(const void *ctx, int fd, const struct guardian_orders *orders)
{
	ssize_t sent = fd >= 0 ? write(fd, ctx, 1) : 0;

	(void)sent;
	report->runs_afterwards = orders->runs_afterwards;
	__atomic_store_n(&report->fd, fd, __ATOMIC_RELEASE);
}

static int set_up(void **state)
{
	(void)state;
	alarm(60);
	report = mmap(
		NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	report->fd = NOT_CALLED;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, connection);
}

static int tear_down(void **state)
{
	(void)state;
	close(connection[0]);
	close(connection[1]);
	return munmap(report, sizeof(*report));
}

static bool acted_within(int ms)
{
	for (; ms > 0 && __atomic_load_n(&report->fd, __ATOMIC_ACQUIRE) == NOT_CALLED; ms -= 5)
		poll(NULL, 0, 5);
	return report->fd != NOT_CALLED;
}

typedef void (*life)(struct guardian *guardian);

/* A process with a guardian that lives so and is then killed. */
static void live_and_die(life live, int number)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct guardian *guardian = guardian_create(act, name);

		if (!guardian)
			_exit(1);
		live(guardian);
		close(connection[0]);
		/* cmocka catches some. */
		signal(number, SIG_DFL);
		raise(number);
		_exit(2);
	}
	/* The other end hears of it only when nobody holds this one any more. */
	close(connection[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), number);
}

static char heard(void)
{
	struct pollfd input = { .fd = connection[1], .events = POLLIN };
	char byte = 0;

	assert_int_equal(poll(&input, 1, PATIENCE_MS), 1);
	return read(connection[1], &byte, 1) == 1 ? byte : '\0';
}

static void hold(struct guardian *guardian)
{
	guardian_orders(guardian)->runs_afterwards = true;
	guardian_hold(guardian, connection[0]);
}

static void test_killed(void **state)
{
	static const int numbers[] = { SIGKILL, SIGSEGV, SIGABRT };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (i) {
			tear_down(NULL);
			assert_int_equal(set_up(NULL), 0);
		}
		live_and_die(hold, numbers[i]);
		assert_int_equal(heard(), 'g');
		assert_true(acted_within(PATIENCE_MS));
		assert_true(report->fd >= 0);
		assert_true(report->runs_afterwards);
		/* And then it ends, and with it the connection. */
		assert_int_equal(heard(), '\0');
	}
}

/* It has the connection that was handed over last. */
static void hold_another(struct guardian *guardian)
{
	int other[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, other), 0);
	guardian_hold(guardian, other[0]);
	hold(guardian);
}

static void test_last_counts(void **state)
{
	(void)state;
	live_and_die(hold_another, SIGKILL);
	assert_int_equal(heard(), 'g');
}

static void hold_no_more(struct guardian *guardian)
{
	hold(guardian);
	guardian_hold(guardian, -1);
}

static void test_closed_before(void **state)
{
	(void)state;
	live_and_die(hold_no_more, SIGKILL);
	assert_int_equal(heard(), '\0');
	assert_false(acted_within(200));
}

static void owe(struct guardian *guardian)
{
	hold_no_more(guardian);
	guardian_orders(guardian)->owed = true;
}

static void test_lost_before(void **state)
{
	(void)state;
	live_and_die(owe, SIGKILL);
	assert_true(acted_within(PATIENCE_MS));
	assert_int_equal(report->fd, -1);
}

/* While the other lives, stopped or not, it does nothing. */
static void stop(struct guardian *guardian)
{
	hold(guardian);
	raise(SIGSTOP);
}

static void test_stopped(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct guardian *guardian = guardian_create(act, name);

		if (!guardian)
			_exit(1);
		stop(guardian);
		guardian_hold(guardian, -1);
		guardian_destroy(guardian);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	assert_false(acted_within(300));
	kill(pid, SIGCONT);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_false(acted_within(100));
}

/* Signals for all processes of a group or a terminal are none of its business. */
static void signal_group(struct guardian *guardian)
{
	hold(guardian);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGINT);
	kill(0, SIGTERM);
}

static void test_group(void **state)
{
	(void)state;
	setpgid(0, 0);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	live_and_die(signal_group, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	assert_int_equal(heard(), 'g');
}

static int only_child(void)
{
	char path[64];
	FILE *children;
	int pid = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	children = fopen(path, "r");
	if (!children)
		skip();
	assert_int_equal(fscanf(children, "%d", &pid), 1);
	fclose(children);
	return pid;
}

/* Without it, life goes on. */
static void test_guardian_killed(void **state)
{
	struct guardian *guardian = guardian_create(act, name);
	int pid;

	(void)state;
	assert_non_null(guardian);
	pid = only_child();
	guardian_hold(guardian, connection[0]);
	assert_int_equal(kill(pid, SIGKILL), 0);
	guardian_hold(guardian, -1);
	guardian_hold(guardian, connection[0]);
	guardian_destroy(guardian);
	assert_false(acted_within(100));
}

/* Whoever waits for the end of what we print does not wait for it. */
static void test_holds_nothing_else(void **state)
{
	struct guardian *guardian;
	int output[2], kept = 0;
	char byte, path[64];
	int pid;
	DIR *fds;

	(void)state;
	assert_int_equal(pipe(output), 0);
	guardian = guardian_create(act, name);
	assert_non_null(guardian);
	/* Its answer tells that it has come so far. */
	guardian_hold(guardian, connection[0]);
	close(output[1]);
	assert_int_equal(read(output[0], &byte, 1), 0);
	close(output[0]);
	pid = only_child();
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	fds = opendir(path);
	assert_non_null(fds);
	/* valgrind's own, which nobody can close, are above those that we are allowed. */
	for (const struct dirent *entry; (entry = readdir(fds));)
		kept += entry->d_name[0] != '.' && atol(entry->d_name) < sysconf(_SC_OPEN_MAX);
	closedir(fds);
	/* Three standard ones, its channel, and the connection */
	assert_int_equal(kept, 5);
	guardian_hold(guardian, -1);
	guardian_destroy(guardian);
}

#define GUARDIAN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARDIAN_TEST(test_killed),
		GUARDIAN_TEST(test_last_counts),
		GUARDIAN_TEST(test_closed_before),
		GUARDIAN_TEST(test_lost_before),
		GUARDIAN_TEST(test_stopped),
		GUARDIAN_TEST(test_group),
		GUARDIAN_TEST(test_guardian_killed),
		GUARDIAN_TEST(test_holds_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
