// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static int end_signal; /* atomic: threads look at it */
static volatile sig_atomic_t progress_wanted;
static int pipe_ends[2] = { -1, -1 };

static void ask_for_end(int number)
{
	int error = errno;
	ssize_t ignored;

	if (__atomic_exchange_n(&end_signal, number, __ATOMIC_RELAXED))
		_exit(128 + number);
	/* The byte is never read: whoever polls the pipe sees it from now on. */
	ignored = write(pipe_ends[1], "", 1);
	(void)ignored;
	/* Whoever was interrupted may not have looked at his yet. */
	errno = error;
}

static void ask_for_progress(int number)
{
	(void)number;
	progress_wanted = 1;
}

int interrupt_init(void)
{
	struct sigaction end = { .sa_handler = ask_for_end };
	struct sigaction progress = { .sa_handler = ask_for_progress, .sa_flags = SA_RESTART };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction hangup;

	if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) || sigaction(SIGHUP, NULL, &hangup))
		return -1;
	/* nohup(1) has it ignored. */
	if (hangup.sa_handler != SIG_IGN)
		hangup = end;
	/* SIGPIPE and SIGXFSZ would end the program with the guest standing still. */
	return sigaction(SIGINT, &end, NULL) || sigaction(SIGTERM, &end, NULL) ||
	                       sigaction(SIGHUP, &hangup, NULL) ||
	                       sigaction(SIGUSR1, &progress, NULL) ||
	                       sigaction(SIGPIPE, &ignore, NULL) ||
	                       sigaction(SIGXFSZ, &ignore, NULL)
	               ? -1
	               : 0;
}

int interrupt_fd(void)
{
	return pipe_ends[0];
}

int interrupt_signal(void)
{
	return __atomic_load_n(&end_signal, __ATOMIC_RELAXED);
}

bool interrupt_wants_progress(void)
{
	bool wanted = progress_wanted;

	progress_wanted = 0;
	return wanted;
}
