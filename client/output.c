// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/interrupt.h"
#include "layout/flat.h"

/* Small pieces are gathered up to this; a hole or a seek ends a piece. */
enum { GATHER_SIZE = 1 << 20, DIRECT_SIZE = 64 << 10 };

struct output {
	struct sink sink;
	struct flat *flat; /* in front of the sink; NULL where the core lies there as it is */
	int fd;
	bool owned;           /* fd is ours to close */
	char *path, *partial; /* NULL where there is no file of ours */
	bool replace;         /* an existing path */
	bool seekable, holes;
	off_t base;    /* where in the file the core begins */
	uint64_t size; /* of the core so far, with what is gathered */
	uint8_t *gathered;
	size_t gathered_size;
	const struct output_watcher *watcher; /* NULL if nobody watches */
	char error[256];
};

static struct output *from_sink(struct sink *sink)
{
	return (struct output *)((char *)sink - offsetof(struct output, sink));
}

static int fail_errno(struct output *output, const char *what)
{
	snprintf(output->error, sizeof(output->error), "%s: %s", what, strerror(errno));
	return -1;
}

/*
 * Waits until a pipe takes something, so that a reader who has stopped reading cannot keep us, and
 * with us the guest, from leaving when a signal asks for it.
 */
static int wait_for_reader(struct output *output)
{
	struct pollfd polls[] = {
		{ .fd = output->fd, .events = POLLOUT },
		{ .fd = interrupt_fd(), .events = POLLIN },
	};

	while (poll(polls, 2, -1) < 0)
		if (errno != EINTR)
			return fail_errno(output, "cannot write");
	if (polls[1].revents) {
		snprintf(output->error, sizeof(output->error), "interrupted");
		return -1;
	}
	return 0;
}

/* Writes all of it: at offset of the core, or where the descriptor stands if it cannot seek. */
static int write_all(struct output *output, uint64_t offset, const uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t n;

		if (output->seekable)
			n = pwrite(output->fd, bytes, size, output->base + (off_t)offset);
		else if (wait_for_reader(output))
			return -1;
		else
			/* No more than what a pipe that takes something takes without waiting. */
			n = write(output->fd, bytes, size < PIPE_BUF ? size : PIPE_BUF);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return fail_errno(output, "cannot write");
		/* What takes nothing, and does not say why, would be asked for ever. */
		if (n == 0) {
			errno = EIO;
			return fail_errno(output, "cannot write");
		}
		bytes += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static int write_gathered(struct output *output)
{
	size_t size = output->gathered_size;

	output->gathered_size = 0;
	return write_all(output, output->size - size, output->gathered, size);
}

static int append(struct output *output, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;

	/* What is large enough by itself need not be copied first. */
	if (size >= DIRECT_SIZE && !output->gathered_size) {
		output->size += size;
		return write_all(output, output->size - size, from, size);
	}
	while (size) {
		size_t room = GATHER_SIZE - output->gathered_size;
		size_t part = size < room ? size : room;

		memcpy(output->gathered + output->gathered_size, from, part);
		output->gathered_size += part;
		output->size += part;
		from += part;
		size -= part;
		if (output->gathered_size == GATHER_SIZE && write_gathered(output))
			return -1;
	}
	return 0;
}

static int sink_write(struct sink *sink, const void *bytes, size_t size)
{
	struct output *output = from_sink(sink);

	if (append(output, bytes, size))
		return -1;
	if (output->watcher)
		output->watcher->grown(output->watcher->ctx, size, false);
	return 0;
}

static int append_zeros(struct output *output, uint64_t size)
{
	static const uint8_t zeros[4096];

	if (output->holes) {
		if (write_gathered(output))
			return -1;
		output->size += size;
		return 0;
	}
	while (size) {
		size_t part = size < sizeof(zeros) ? (size_t)size : sizeof(zeros);

		if (append(output, zeros, part))
			return -1;
		size -= part;
	}
	return 0;
}

static int sink_zero(struct sink *sink, uint64_t size)
{
	struct output *output = from_sink(sink);

	if (append_zeros(output, size))
		return -1;
	if (output->watcher)
		output->watcher->grown(output->watcher->ctx, size, true);
	return 0;
}

static int sink_write_at(struct sink *sink, uint64_t offset, const void *bytes, size_t size)
{
	struct output *output = from_sink(sink);

	if (write_gathered(output) || write_all(output, offset, bytes, size))
		return -1;
	if (output->watcher)
		output->watcher->replaced(output->watcher->ctx, offset, size);
	return 0;
}

static const char *sink_error(struct sink *sink)
{
	return from_sink(sink)->error;
}

/* Creates FILE.partial. It never follows a symbolic link that somebody put there. */
static int create_partial(
	struct output *output, const struct options *options, struct failure *failure)
{
	const char *path = options->output;
	struct stat st;

	output->replace = options->force;
	if (lstat(path, &st) == 0) {
		if (!options->force)
			return fail(
				failure, STATUS_EXISTS, "%s exists (--force replaces it)", path);
		if (S_ISDIR(st.st_mode))
			return fail(failure, STATUS_OUTPUT, "%s is a directory", path);
		/* Taking its name would remove a device: /dev/null. */
		if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
			return fail(failure, STATUS_OUTPUT,
				"%s is no file (-o - with >%s writes to it)", path, path);
	}
	output->path = strdup(path);
	if (!output->path || asprintf(&output->partial, "%s.partial", path) < 0) {
		/* What asprintf() leaves there after a failure is undefined. */
		output->partial = NULL;
		return fail(failure, STATUS_FAILED, "no memory");
	}
	/* In a directory that is shared another's may not be ours to remove. */
	if (options->force && unlink(output->partial) && errno != ENOENT) {
		fail(failure, STATUS_OUTPUT, "cannot remove %s: %s", output->partial,
			strerror(errno));
		free(output->partial);
		output->partial = NULL;
		return -1;
	}
	output->fd = open(
		output->partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (output->fd >= 0) {
		output->owned = true;
		return 0;
	}

	int cause = errno;

	if (cause == EEXIST)
		fail(failure, STATUS_EXISTS,
			"%s exists: another dump is writing it, or was killed (--force replaces it)",
			output->partial);
	else
		fail(failure, STATUS_OUTPUT, "cannot create %s: %s", output->partial,
			strerror(cause));
	/* It is not ours to remove. */
	free(output->partial);
	output->partial = NULL;
	return -1;
}

static int open_descriptor(
	struct output *output, const struct options *options, struct failure *failure)
{
	const char *name = options->output;
	char *end;
	long number = STDOUT_FILENO;

	if (strcmp(name, "-") != 0) {
		name += strlen("fd:");
		number = strtol(name, &end, 10);
		if (*name < '0' || *name > '9' || *end || number > INT_MAX)
			return fail(
				failure, STATUS_USAGE, "%s names no descriptor", options->output);
	}
	output->fd = (int)number;
	if (fcntl(output->fd, F_GETFD) < 0)
		return fail(failure, STATUS_OUTPUT, "%s: %s", options->output, strerror(errno));
	if (isatty(output->fd))
		return fail(failure, STATUS_USAGE,
			"a core does not go to a terminal (redirect it, or use -o FILE)");
	return 0;
}

/* A regular file can seek, unless it is open for appending; others only claim to. */
static void look_at_descriptor(struct output *output)
{
	int flags = fcntl(output->fd, F_GETFL);
	struct stat st;

	if (fstat(output->fd, &st) || !S_ISREG(st.st_mode) || flags < 0 || flags & O_APPEND)
		return;
	output->base = lseek(output->fd, 0, SEEK_CUR);
	if (output->base < 0)
		return;
	output->seekable = true;
	output->sink.write_at = sink_write_at;
	/* What lies behind the end reads as zeros; what another has written there does not. */
	output->holes = st.st_size <= output->base;
}

struct output *output_open(const struct options *options, struct failure *failure)
{
	struct output *output = calloc(1, sizeof(*output));
	int rc;

	if (output)
		output->gathered = malloc(GATHER_SIZE);
	if (!output || !output->gathered) {
		free(output);
		fail(failure, STATUS_FAILED, "no memory");
		return NULL;
	}
	output->fd = -1;
	output->sink = (struct sink){ .write = sink_write, .zero = sink_zero, .error = sink_error };
	if (strcmp(options->output, "-") == 0 || strncmp(options->output, "fd:", 3) == 0)
		rc = open_descriptor(output, options, failure);
	else
		rc = create_partial(output, options, failure);
	if (rc) {
		output_close(output);
		return NULL;
	}
	look_at_descriptor(output);
	if (options->flat || (options->format->wants_write_at && !output->sink.write_at)) {
		output->flat = flat_create(&output->sink);
		if (!output->flat) {
			fail(failure, STATUS_FAILED, "no memory");
			output_close(output);
			return NULL;
		}
	}
	return output;
}

struct sink *output_sink(struct output *output)
{
	return output->flat ? flat_sink(output->flat) : &output->sink;
}

void output_watch(struct output *output, const struct output_watcher *watcher)
{
	output->watcher = watcher;
}

int output_fd(const struct output *output)
{
	return output->fd;
}

bool output_is_flattened(const struct output *output)
{
	return output->flat != NULL;
}

uint64_t output_size(const struct output *output)
{
	return output->size;
}

uint64_t output_disk_usage(const struct output *output)
{
	struct stat st;

	return output->seekable && fstat(output->fd, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

/* The name's way to the disk is the directory's. */
static void sync_directory(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(copy);
}

/* Another dump with --force may have removed FILE.partial, and have one of its own there. */
static bool partial_is_ours(const struct output *output)
{
	struct stat ours, theirs;

	return fstat(output->fd, &ours) == 0 && lstat(output->partial, &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static int fail_taken_away(const struct output *output, struct failure *failure)
{
	return fail(failure, STATUS_OUTPUT, "%s was taken away by somebody", output->partial);
}

static int take_name(struct output *output, struct failure *failure)
{
	int rc;

	if (!partial_is_ours(output))
		return fail_taken_away(output, failure);
	rc = renameat2(AT_FDCWD, output->partial, AT_FDCWD, output->path,
		output->replace ? 0 : RENAME_NOREPLACE);
	/* A file system without RENAME_NOREPLACE (NFS) can still refuse by link(). */
	if (rc && errno == EINVAL && !output->replace) {
		rc = link(output->partial, output->path);
		if (rc == 0)
			unlink(output->partial);
	}
	if (rc && errno == EEXIST)
		return fail(failure, STATUS_EXISTS, "%s has appeared meanwhile", output->path);
	if (rc)
		return fail(failure, STATUS_OUTPUT, "cannot rename %s: %s", output->partial,
			strerror(errno));
	free(output->partial);
	output->partial = NULL;
	sync_directory(output->path);
	return 0;
}

/* What was written is all there will be: brings it to the disk. */
static int finish_file(struct output *output, struct failure *failure)
{
	if ((output->flat && flat_finish(output->flat)) || write_gathered(output))
		return fail(failure, STATUS_OUTPUT, "%s", output->error);
	/* A hole at the end makes no file longer. */
	if (output->holes && ftruncate(output->fd, output->base + (off_t)output->size))
		return fail(failure, STATUS_OUTPUT, "cannot set the size: %s", strerror(errno));
	if (output->seekable && !output->owned)
		lseek(output->fd, output->base + (off_t)output->size, SEEK_SET);
	if (output->partial && fsync(output->fd))
		return fail(failure, STATUS_OUTPUT, "cannot write: %s", strerror(errno));
	return 0;
}

int output_publish(struct output *output, struct failure *failure)
{
	if (finish_file(output, failure))
		return -1;
	return output->partial ? take_name(output, failure) : 0;
}

bool output_can_keep(const struct output *output)
{
	return output->partial != NULL;
}

int output_keep(struct output *output, struct failure *failure)
{
	if (finish_file(output, failure))
		return -1;
	if (!partial_is_ours(output))
		return fail_taken_away(output, failure);
	free(output->partial);
	output->partial = NULL;
	return 0;
}

void output_close(struct output *output)
{
	if (!output)
		return;
	if (output->partial && partial_is_ours(output))
		unlink(output->partial);
	if (output->owned)
		close(output->fd);
	flat_destroy(output->flat);
	free(output->partial);
	free(output->path);
	free(output->gathered);
	free(output);
}
