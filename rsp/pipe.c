// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	PIPE_SIZE = 1 << 20, /* what a user may have without asking */
	NUMBERS_MIN = 4096,
	NUMBERS_MAX = 1 << 17, /* the kernel keeps 8 bytes for each number up to the highest */
};

/*
 * A random number from the upper half of those that a descriptor of ours may have. *limit becomes
 * what the limit must be for it.
 */
static int choose_number(struct rlimit *limit, char *why, size_t why_size)
{
	unsigned random;
	rlim_t numbers;

	if (getrlimit(RLIMIT_NOFILE, limit) ||
		getrandom(&random, sizeof(random), 0) != sizeof(random)) {
		snprintf(why, why_size, "%s", strerror(errno));
		return -1;
	}
	numbers = limit->rlim_max < NUMBERS_MAX ? limit->rlim_max : NUMBERS_MAX;
	if (numbers < NUMBERS_MIN) {
		snprintf(why, why_size, "no more than %llu files may be open",
			(unsigned long long)numbers);
		return -1;
	}
	if (limit->rlim_cur < numbers)
		limit->rlim_cur = numbers;
	/* The next free one is taken. */
	return (int)(numbers / 2 + random % (numbers / 2 - 64));
}

static int duplicate_high(int fd, char *why, size_t why_size)
{
	struct rlimit before, wanted;
	int number = choose_number(&wanted, why, why_size);
	int high = -1;

	if (number < 0)
		return -1;
	if (getrlimit(RLIMIT_NOFILE, &before) == 0 && setrlimit(RLIMIT_NOFILE, &wanted) == 0) {
		high = fcntl(fd, F_DUPFD_CLOEXEC, number);
		if (high < 0)
			snprintf(why, why_size, "descriptor %d: %s", number, strerror(errno));
		setrlimit(RLIMIT_NOFILE, &before);
	} else {
		snprintf(why, why_size, "the limit of open files: %s", strerror(errno));
	}
	return high;
}

int rsp_pipe_open(struct rsp_pipe *ends, char *why, size_t why_size)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK)) {
		snprintf(why, why_size, "%s", strerror(errno));
		return -1;
	}
	/* Without it, it is slower. */
	fcntl(fds[0], F_SETPIPE_SZ, PIPE_SIZE);
	ends->read_end = fds[0];
	ends->write_end = duplicate_high(fds[1], why, why_size);
	close(fds[1]);
	if (ends->write_end < 0) {
		close(fds[0]);
		return -1;
	}
	snprintf(
		ends->path, sizeof(ends->path), "/proc/%ld/fd/%d", (long)getpid(), ends->write_end);
	return 0;
}

void rsp_pipe_hang_up(struct rsp_pipe *ends)
{
	if (ends->read_end >= 0)
		close(ends->read_end);
	ends->read_end = -1;
}

void rsp_pipe_close(struct rsp_pipe *ends)
{
	rsp_pipe_hang_up(ends);
	close(ends->write_end);
}
