// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rsp/pipe.h"

/* valgrind and small machines allow no high numbers; then there is no pipe. */
static bool has_numbers(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max >= 4096;
}

static struct rsp_pipe open_pipe(void)
{
	struct rsp_pipe ends;
	char why[160] = "";

	if (!has_numbers())
		skip();
	if (rsp_pipe_open(&ends, why, sizeof(why)))
		fail_msg("%s", why);
	return ends;
}

/* As fopen(path, "wb"). */
static int open_for_writing(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
}

static void test_bytes(void **state)
{
	struct rsp_pipe ends = open_pipe();
	char bytes[8];
	int fd = open_for_writing(ends.path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "abc", 3), 3);
	close(fd);
	assert_int_equal(read(ends.read_end, bytes, sizeof(bytes)), 3);
	assert_memory_equal(bytes, "abc", 3);
	/* No end of file when a writer has gone: the next one is to come. */
	assert_int_equal(read(ends.read_end, bytes, sizeof(bytes)), -1);
	assert_int_equal(errno, EAGAIN);
	rsp_pipe_close(&ends);
}

/* A writer that comes when nobody reads, or stays when nobody does, is not kept. */
static void test_hang_up(void **state)
{
	struct rsp_pipe ends = open_pipe();
	int before = open_for_writing(ends.path), after;

	(void)state;
	alarm(30);
	rsp_pipe_hang_up(&ends);
	assert_int_equal(ends.read_end, -1);
	assert_int_equal(write(before, "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	after = open_for_writing(ends.path);
	assert_true(after >= 0);
	assert_int_equal(write(after, "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	close(before);
	close(after);
	rsp_pipe_close(&ends);
	assert_int_equal(open_for_writing(ends.path), -1);
	assert_int_equal(errno, ENOENT);
	alarm(0);
}

/* Of a process that has been killed. */
static void test_killed(void **state)
{
	struct rsp_pipe ends = { 0 };
	int news[2], status, writer;
	pid_t child;

	(void)state;
	if (!has_numbers())
		skip();
	alarm(30);
	assert_int_equal(pipe(news), 0);
	child = fork();
	if (child == 0) {
		char why[160];

		if (rsp_pipe_open(&ends, why, sizeof(why)) ||
			write(news[1], &ends, sizeof(ends)) != sizeof(ends))
			_exit(1);
		pause();
	}
	assert_int_equal(read(news[0], &ends, sizeof(ends)), sizeof(ends));
	writer = open_for_writing(ends.path);
	assert_true(writer >= 0);
	assert_int_equal(write(writer, "x", 1), 1);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(write(writer, "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(open_for_writing(ends.path), -1);
	assert_int_equal(errno, ENOENT);
	close(writer);
	close(news[0]);
	close(news[1]);
	alarm(0);
}

/* The number is no other process's, and all that was changed for it is put back. */
static void test_number(void **state)
{
	struct rlimit limit, low, after;
	struct rsp_pipe first, second;
	char path[64], why[160];
	struct stat st;

	(void)state;
	if (!has_numbers())
		skip();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = 256;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	if (rsp_pipe_open(&first, why, sizeof(why)) || rsp_pipe_open(&second, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
	assert_int_equal(after.rlim_cur, 256);
	assert_int_equal(after.rlim_max, limit.rlim_max);
	assert_true(first.write_end >= 2048 && second.write_end >= 2048);
	assert_int_not_equal(first.write_end, second.write_end);
	assert_true(first.read_end < 256);
	snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)getpid(), first.write_end);
	assert_string_equal(first.path, path);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	/* No command that we start has them. */
	assert_int_equal(fcntl(first.read_end, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(first.write_end, F_GETFD), FD_CLOEXEC);
	rsp_pipe_close(&first);
	rsp_pipe_close(&second);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

enum { CANNOT_TELL = 77 };

static int lowest_free(void)
{
	int fd = dup(STDIN_FILENO);

	close(fd);
	return fd;
}

/* 0 if there is no pipe where few files may be open, for that reason, and nothing is left open. */
static int open_with_few(void)
{
	const struct rlimit limit = { 512, 512 };
	struct rsp_pipe ends;
	char why[160] = "";
	int before = lowest_free();

	/* valgrind keeps the upper limit where it is. */
	if (setrlimit(RLIMIT_NOFILE, &limit))
		return CANNOT_TELL;
	if (rsp_pipe_open(&ends, why, sizeof(why)) != -1)
		return 1;
	if (strcmp(why, "no more than 512 files may be open") != 0)
		return 2;
	return lowest_free() == before ? 0 : 3;
}

/* In a process of its own: a limit that was lowered cannot be raised again. */
static void test_no_numbers(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(open_with_few());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CANNOT_TELL)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_hang_up),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_no_numbers),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
