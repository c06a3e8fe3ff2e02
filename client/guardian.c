// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	ANSWER_MS = 5000,  /* to a descriptor that is handed over */
	LIFE_MAX_S = 120,  /* after our death, whatever the stub does */
	CHANNEL = 3,       /* its end of the channel */
	DESCRIPTORS = 1024 /* to be closed one by one, by a kernel before 5.9 */
};

struct guardian {
	struct guardian_orders *orders; /* shared */
	int channel;                    /* our end; -1 once it has died before us */
	pid_t pid;
};

/* ---- in its process -------------------------------------------------------------------------- */

/*
 * What else is open would stay so for as long as we live: whoever reads our output, say, waits for
 * its end. Of standard error something is said.
 */
static void keep_only(int channel)
{
	int above = fcntl(channel, F_DUPFD, CHANNEL + 1);
	int nowhere = open("/dev/null", O_RDWR);

	dup2(above, CHANNEL);
	dup2(nowhere, STDIN_FILENO);
	dup2(nowhere, STDOUT_FILENO);
#ifdef SYS_close_range
	if (syscall(SYS_close_range, CHANNEL + 1, ~0u, 0u) == 0)
		return;
#endif
	for (int fd = CHANNEL + 1; fd < DESCRIPTORS; fd++)
		close(fd);
}

/* Signals at the terminal, or to all processes of a service, are for the one that we watch. */
static void ignore_signals(void)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE,
		SIGTSTP };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], SIG_IGN);
	setpgid(0, 0);
}

/* Takes one message: the descriptor that comes with it, or -1 for none. False at the end of all. */
static bool take_message(int *fd)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	do
		n = recvmsg(CHANNEL, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;

	const struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	*fd = -1;
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	return true;
}

static void watch(const struct guardian_orders *orders, guardian_act act, const void *ctx)
{
	int held = -1;
	int fd;

	while (take_message(&fd)) {
		if (held >= 0)
			close(held);
		held = fd;
		/* If he has died meanwhile, that is what comes next. */
		send(CHANNEL, "", 1, MSG_NOSIGNAL);
	}
	if (held < 0 && !orders->owed)
		return;
	alarm(LIFE_MAX_S);
	act(ctx, held, orders);
}

/* ---- in ours --------------------------------------------------------------------------------- */

static int start(struct guardian *guardian, guardian_act act, const void *ctx)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	guardian->pid = fork();
	if (guardian->pid == 0) {
		ignore_signals();
		prctl(PR_SET_NAME, "rspdump-guard");
		keep_only(pair[1]);
		watch(guardian->orders, act, ctx);
		_exit(0);
	}
	close(pair[1]);
	if (guardian->pid < 0) {
		close(pair[0]);
		return -1;
	}
	guardian->channel = pair[0];
	return 0;
}

struct guardian *guardian_create(guardian_act act, const void *ctx)
{
	struct guardian *guardian = calloc(1, sizeof(*guardian));

	if (!guardian)
		return NULL;
	guardian->orders = mmap(NULL, sizeof(*guardian->orders), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (guardian->orders == MAP_FAILED) {
		free(guardian);
		return NULL;
	}
	if (start(guardian, act, ctx) == 0)
		return guardian;
	munmap(guardian->orders, sizeof(*guardian->orders));
	free(guardian);
	return NULL;
}

struct guardian_orders *guardian_orders(struct guardian *guardian)
{
	return guardian->orders;
}

static bool hand_over(int channel, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec data = { .iov_base = (char[]){ 0 }, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	struct pollfd answer = { .fd = channel, .events = POLLIN };
	char byte;

	if (fd >= 0) {
		struct cmsghdr *header = (struct cmsghdr *)control;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	if (sendmsg(channel, &message, MSG_NOSIGNAL) != 1)
		return false;
	/* Only when it has it may the stub get to know of the connection. */
	while (poll(&answer, 1, ANSWER_MS) < 0 && errno == EINTR)
		;
	return recv(channel, &byte, 1, MSG_DONTWAIT) == 1;
}

void guardian_hold(void *ctx, int fd)
{
	struct guardian *guardian = ctx;

	if (guardian->channel < 0 || hand_over(guardian->channel, fd))
		return;
	/* It is dead, or does not answer and must not act. */
	kill(guardian->pid, SIGKILL);
	close(guardian->channel);
	guardian->channel = -1;
}

void guardian_destroy(struct guardian *guardian)
{
	if (!guardian)
		return;
	if (guardian->channel >= 0)
		close(guardian->channel);
	while (waitpid(guardian->pid, NULL, 0) < 0 && errno == EINTR)
		;
	munmap(guardian->orders, sizeof(*guardian->orders));
	free(guardian);
}
