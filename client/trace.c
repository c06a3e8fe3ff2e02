// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

FILE *trace_open(const char *path, struct failure *failure)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *trace = fd < 0 ? NULL : fdopen(fd, "w");

	if (trace)
		return trace;
	fail(failure, errno == ENOMEM ? STATUS_FAILED : STATUS_OUTPUT,
		"cannot write the trace %s: %s", path,
		errno == ENOMEM ? "no memory" : strerror(errno));
	if (fd >= 0)
		close(fd);
	return NULL;
}
