// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/bytes.h"
#include "client/interrupt.h"
#include "client/output.h"
#include "layout/core_format.h"
#include "tests/unit/capture.h"
#include "tests/unit/own_directory.h"

/* Behind client/status.h: it has a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)

static void put_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void assert_holds(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "r");
	char *held = malloc(size + 1);

	assert_non_null(file);
	assert_non_null(held);
	assert_int_equal(fread(held, 1, size + 1, file), size);
	assert_memory_equal(held, bytes, size);
	free(held);
	fclose(file);
}

static void assert_holds_text(const char *path, const char *text)
{
	assert_holds(path, text, strlen(text));
}

/* ---- outputs --------------------------------------------------------------------------------- */

static struct failure failure;

static struct output *try_open(const char *path, bool force)
{
	const struct options options = { .format = &elf_format, .output = path, .force = force };

	failure = (struct failure){ .status = STATUS_DONE };
	return output_open(&options, &failure);
}

static struct output *open_output(const char *path, bool force)
{
	struct output *output = try_open(path, force);

	if (!output)
		fail_msg("%s: %s", path, failure.text);
	return output;
}

static void assert_refused(const char *path, bool force, enum status status, const char *why)
{
	assert_null(try_open(path, force));
	assert_string_equal(failure.text, why);
	assert_int_equal(failure.status, status);
}

static void assert_publish_fails(struct output *output, enum status status, const char *why)
{
	assert_int_equal(output_publish(output, &failure), -1);
	assert_string_equal(failure.text, why);
	assert_int_equal(failure.status, status);
}

static void put(struct output *output, const char *text)
{
	struct sink *sink = output_sink(output);

	assert_int_equal(sink->write(sink, text, strlen(text)), 0);
}

static void put_zeros(struct output *output, uint64_t size)
{
	struct sink *sink = output_sink(output);

	assert_int_equal(sink->zero(sink, size), 0);
}

static void put_at(struct output *output, uint64_t offset, const char *text)
{
	struct sink *sink = output_sink(output);

	assert_int_equal(sink->write_at(sink, offset, text, strlen(text)), 0);
}

static void publish(struct output *output)
{
	if (output_publish(output, &failure))
		fail_msg("%s", failure.text);
}

static void publish_and_close(struct output *output)
{
	publish(output);
	output_close(output);
}

/* Some bytes of which none is like its neighbours. */
static uint8_t *pattern(size_t size)
{
	uint8_t *bytes = malloc(size);

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 167 + (i >> 8) + (i >> 16) + 1);
	return bytes;
}

/* ---- files ----------------------------------------------------------------------------------- */

static void test_file(void **state)
{
	mode_t before = umask(0);
	struct output *output = open_output("core", false);
	struct stat st;

	(void)state;
	umask(before);
	assert_int_equal(lstat("core.partial", &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(exists("core"));
	put(output, "one ");
	put(output, "two");
	assert_int_equal(output_size(output), 7);
	assert_false(exists("core"));
	publish(output);
	assert_false(exists("core.partial"));
	output_close(output);
	assert_holds_text("core", "one two");
	assert_int_equal(lstat("core", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_closed_unpublished(void **state)
{
	struct output *output = open_output("core", false);

	(void)state;
	put(output, "half");
	output_close(output);
	assert_false(exists("core.partial"));
	assert_false(exists("core"));
	output_close(NULL);
}

static void test_existing_file(void **state)
{
	struct output *output;

	(void)state;
	put_file("core", "old");
	assert_refused("core", false, STATUS_EXISTS, "core exists (--force replaces it)");
	assert_false(exists("core.partial"));
	output = open_output("core", true);
	put(output, "new");
	assert_holds_text("core", "old");
	publish_and_close(output);
	assert_holds_text("core", "new");
	assert_false(exists("core.partial"));
}

/* What was there stays if there is nothing to replace it by. */
static void test_force_in_vain(void **state)
{
	struct output *output;

	(void)state;
	put_file("core", "old");
	output = open_output("core", true);
	put(output, "half");
	output_close(output);
	assert_holds_text("core", "old");
	assert_false(exists("core.partial"));
}

static void test_existing_partial(void **state)
{
	struct output *output;

	(void)state;
	put_file("core.partial", "another's");
	assert_refused("core", false, STATUS_EXISTS,
		"core.partial exists: another dump is writing it, or was killed (--force replaces it)");
	assert_holds_text("core.partial", "another's");
	output = open_output("core", true);
	put(output, "ours");
	publish_and_close(output);
	assert_holds_text("core", "ours");
}

/* Somebody put a link where we are going to write, to have us write through it. */
static void test_link_at_partial(void **state)
{
	struct output *output;

	(void)state;
	put_file("victim", "precious");
	assert_int_equal(symlink("victim", "core.partial"), 0);
	assert_null(try_open("core", false));
	assert_int_equal(failure.status, STATUS_EXISTS);
	assert_true(exists("core.partial"));
	output = open_output("core", true);
	put(output, "ours");
	publish_and_close(output);
	assert_holds_text("victim", "precious");
	assert_holds_text("core", "ours");

	/* One that leads nowhere would have the file made elsewhere. */
	assert_int_equal(symlink("elsewhere", "other.partial"), 0);
	assert_null(try_open("other", false));
	assert_int_equal(failure.status, STATUS_EXISTS);
	assert_false(exists("elsewhere"));
}

static void test_link_at_file(void **state)
{
	struct output *output;

	(void)state;
	assert_int_equal(symlink("nowhere", "core"), 0);
	assert_refused("core", false, STATUS_EXISTS, "core exists (--force replaces it)");
	put_file("victim", "precious");
	assert_int_equal(symlink("victim", "link"), 0);
	output = open_output("link", true);
	put(output, "ours");
	publish_and_close(output);
	assert_holds_text("victim", "precious");
	assert_holds_text("link", "ours");
}

static void test_no_place(void **state)
{
	char longest[256 + 1];

	(void)state;
	assert_refused("none/core", false, STATUS_OUTPUT,
		"cannot create none/core.partial: No such file or directory");
	put_file("file", "");
	assert_refused("file/core", false, STATUS_OUTPUT,
		"cannot create file/core.partial: Not a directory");
	assert_int_equal(mkdir("directory", 0700), 0);
	assert_refused("directory", true, STATUS_OUTPUT, "directory is a directory");
	assert_null(try_open("directory", false));
	assert_int_equal(failure.status, STATUS_EXISTS);
	/* The name would fit, but for what is put behind it. */
	memset(longest, 'x', 250);
	longest[250] = '\0';
	assert_null(try_open(longest, false));
	assert_int_equal(failure.status, STATUS_OUTPUT);
}

/* --force -o /dev/null, by root, must not put a core in place of the device. */
static void test_no_file(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_refused(
		"fifo", true, STATUS_OUTPUT, "fifo is no file (-o - with >fifo writes to it)");
	assert_int_equal(lstat("fifo", &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_false(exists("fifo.partial"));
}

static void test_rival_file(void **state)
{
	struct output *output = open_output("core", false);

	(void)state;
	put(output, "ours");
	put_file("core", "theirs");
	assert_publish_fails(output, STATUS_EXISTS, "core has appeared meanwhile");
	output_close(output);
	assert_holds_text("core", "theirs");
	assert_false(exists("core.partial"));

	output = open_output("other", true);
	put(output, "ours");
	put_file("other", "theirs");
	publish_and_close(output);
	assert_holds_text("other", "ours");
}

/* Another dump, with --force, has a file of its own under the name by now: it is half a core. */
static void test_rival_partial(void **state)
{
	struct output *output = open_output("core", false);

	(void)state;
	put(output, "ours");
	assert_int_equal(unlink("core.partial"), 0);
	put_file("core.partial", "half of theirs");
	assert_publish_fails(output, STATUS_OUTPUT, "core.partial was taken away by somebody");
	output_close(output);
	assert_false(exists("core"));
	assert_holds_text("core.partial", "half of theirs");
}

static void test_partial_gone(void **state)
{
	struct output *output = open_output("core", false);

	(void)state;
	put(output, "ours");
	assert_int_equal(unlink("core.partial"), 0);
	assert_publish_fails(output, STATUS_OUTPUT, "core.partial was taken away by somebody");
	output_close(output);
	assert_false(exists("core"));
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static void test_holes(void **state)
{
	struct output *output = open_output("core", false);
	uint8_t *page = pattern(KIB(4));
	struct sink *sink = output_sink(output);
	struct stat st;
	uint8_t byte;
	int fd;

	(void)state;
	assert_int_equal(sink->write(sink, page, KIB(4)), 0);
	put_zeros(output, MIB(64));
	assert_int_equal(sink->write(sink, page, KIB(4)), 0);
	assert_int_equal(output_size(output), MIB(64) + KIB(8));
	publish(output);
	assert_int_equal(stat("core", &st), 0);
	assert_int_equal(st.st_size, MIB(64) + KIB(8));
	assert_in_range(st.st_blocks * 512, KIB(8), MIB(1));
	assert_int_equal(output_disk_usage(output), st.st_blocks * 512);
	output_close(output);

	fd = open("core", O_RDONLY);
	assert_int_equal(pread(fd, &byte, 1, (off_t)KIB(4) - 1), 1);
	assert_int_equal(byte, page[KIB(4) - 1]);
	assert_int_equal(pread(fd, &byte, 1, (off_t)KIB(4)), 1);
	assert_int_equal(byte, 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)(MIB(64) + KIB(4)) - 1), 1);
	assert_int_equal(byte, 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)(MIB(64) + KIB(4))), 1);
	assert_int_equal(byte, page[0]);
	close(fd);
	free(page);
}

static void test_hole_at_end(void **state)
{
	struct output *output = open_output("core", false);
	struct stat st;

	(void)state;
	put(output, "head");
	put_zeros(output, MIB(1));
	publish_and_close(output);
	assert_int_equal(stat("core", &st), 0);
	assert_int_equal(st.st_size, MIB(1) + 4);
}

static void test_hole_at_start(void **state)
{
	struct output *output = open_output("core", false);

	(void)state;
	put_zeros(output, 3);
	put(output, "tail");
	publish_and_close(output);
	assert_holds("core", "\0\0\0tail", 7);
}

/* What is written at an earlier place may still be gathered, be written, or be a hole. */
static void test_write_at(void **state)
{
	struct output *output = open_output("core", false);

	(void)state;
	assert_non_null(output_sink(output)->write_at);
	put(output, "abcdef");
	put_at(output, 1, "XY");
	put(output, "ghi");
	put_zeros(output, 5);
	put(output, "j");
	put_at(output, 0, "W");
	put_at(output, 10, "hole");
	put_at(output, 8, "I");
	put(output, "k");
	assert_int_equal(output_size(output), 16);
	publish_and_close(output);
	assert_holds("core", "WXYdefghI\0holejk", 16);
}

/* Pieces of all sizes around the MiB that is gathered. */
static void test_gathering(void **state)
{
	static const size_t pieces[] = { 1, KIB(4), MIB(1) - KIB(4) - 2, 1, 1, MIB(1), KIB(64),
		MIB(1) + 1, MIB(2) - KIB(64) - 1, 6 };
	struct output *output = open_output("core", false);
	struct sink *sink = output_sink(output);
	uint8_t *bytes = pattern(MIB(5) + 7);
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		assert_int_equal(sink->write(sink, bytes + at, pieces[i]), 0);
		at += pieces[i];
		assert_int_equal(output_size(output), at);
	}
	assert_int_equal(at, MIB(5) + 7);
	put_at(output, MIB(1) - 2, "edge");
	memcpy(bytes + MIB(1) - 2, "edge", 4);
	publish_and_close(output);
	assert_holds("core", bytes, at);
	free(bytes);
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static struct output *open_fd(int fd)
{
	char name[32];

	snprintf(name, sizeof(name), "fd:%d", fd);
	return open_output(name, false);
}

/* The core begins where the descriptor stands, and its offsets count from there. */
static void test_fd_file(void **state)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	struct output *output;

	(void)state;
	assert_int_equal(write(fd, "front ", 6), 6);
	output = open_fd(fd);
	put(output, "abc");
	put_zeros(output, 2);
	put_at(output, 0, "A");
	publish(output);
	assert_int_equal(output_size(output), 5);
	output_close(output);
	/* Still open, and behind what was written. */
	assert_int_equal(write(fd, "behind", 6), 6);
	close(fd);
	assert_holds("file", "front Abc\0\0behind", 17);
	assert_false(exists("fd:3.partial"));
}

/* Where something lies already, a hole would let it be seen. */
static void test_fd_over_file(void **state)
{
	struct output *output;
	int fd;

	(void)state;
	put_file("file", "0123456789");
	fd = open("file", O_RDWR);
	output = open_fd(fd);
	put(output, "ab");
	put_zeros(output, 4);
	put(output, "c");
	publish_and_close(output);
	close(fd);
	assert_holds("file", "ab\0\0\0\0c789", 10);
}

/* pwrite() appends there, whatever offset it is given. */
static void test_fd_append(void **state)
{
	struct output *output;
	int fd;

	(void)state;
	put_file("file", "old ");
	fd = open("file", O_WRONLY | O_APPEND);
	output = open_fd(fd);
	assert_null(output_sink(output)->write_at);
	put(output, "new");
	put_zeros(output, 2);
	put(output, ".");
	publish(output);
	assert_int_equal(output_disk_usage(output), 0);
	output_close(output);
	close(fd);
	assert_holds("file", "old new\0\0.", 10);
}

static void test_fd_pipe(void **state)
{
	struct output *output;
	char bytes[32];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	output = open_fd(ends[1]);
	assert_null(output_sink(output)->write_at);
	put(output, "head");
	put_zeros(output, 3);
	put(output, "tail");
	publish(output);
	assert_int_equal(output_size(output), 11);
	assert_int_equal(output_disk_usage(output), 0);
	output_close(output);
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 11);
	assert_memory_equal(bytes, "head\0\0\0tail", 11);
	close(ends[0]);
	close(ends[1]);
}

struct reader {
	int fd;
	uint8_t *bytes;
	size_t size;
};

static void *read_slowly(void *data)
{
	struct reader *reader = data;
	size_t at = 0;

	while (at < reader->size) {
		size_t left = reader->size - at;
		ssize_t n = read(reader->fd, reader->bytes + at, left < 5000 ? left : 5000);

		if (n <= 0)
			break;
		at += (size_t)n;
		if (at % 7 == 0)
			sched_yield();
	}
	reader->size = at;
	return NULL;
}

/* The other end of an inherited pipe may have made it non-blocking. */
static void test_non_blocking_pipe(void **state)
{
	uint8_t *bytes = pattern(MIB(3));
	struct reader reader = { .bytes = calloc(1, MIB(3)), .size = MIB(3) };
	struct output *output;
	struct sink *sink;
	pthread_t thread;
	int ends[2];

	(void)state;
	assert_non_null(reader.bytes);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	reader.fd = ends[0];
	assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader), 0);
	output = open_fd(ends[1]);
	sink = output_sink(output);
	assert_int_equal(sink->write(sink, bytes, MIB(3)), 0);
	publish_and_close(output);
	pthread_join(thread, NULL);
	assert_int_equal(reader.size, MIB(3));
	assert_memory_equal(reader.bytes, bytes, MIB(3));
	close(ends[0]);
	close(ends[1]);
	free(reader.bytes);
	free(bytes);
}

static void test_reader_gone(void **state)
{
	struct output *output;
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	output = open_fd(ends[1]);
	close(ends[0]);
	put(output, "for nobody");
	assert_publish_fails(output, STATUS_OUTPUT, "cannot write: Broken pipe");
	output_close(output);
	close(ends[1]);
}

/* A reader that has stopped reading does not keep us from ending: 0 if it does not. */
static int end_while_writing(int fd)
{
	const struct options options = { .format = &elf_format, .output = "fd:9" };
	static const uint8_t bytes[MIB(2)];
	struct output *output;
	struct sink *sink;

	alarm(30);
	if (dup2(fd, 9) != 9 || interrupt_init())
		return 1;
	output = output_open(&options, &failure);
	if (!output)
		return 2;
	raise(SIGTERM);
	sink = output_sink(output);
	if (sink->write(sink, bytes, MIB(2)) != -1 || strcmp(sink->error(sink), "interrupted") != 0)
		return 3;
	output_close(output);
	return 0;
}

static void test_interrupted(void **state)
{
	int ends[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0)
		_exit(end_while_writing(ends[1]));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(ends[0]);
	close(ends[1]);
}

static void test_stdout(void **state)
{
	struct capture capture;
	struct output *output;
	char *text;
	bool published = false;

	(void)state;
	capture_start(&capture, STDOUT_FILENO);
	output = try_open("-", false);
	if (output) {
		struct sink *sink = output_sink(output);

		sink->write(sink, "core", 4);
		published = output_publish(output, &failure) == 0;
		output_close(output);
	}
	text = capture_end(&capture);
	assert_non_null(output);
	assert_true(published);
	assert_string_equal(text, "core");
	free(text);
	assert_false(exists("-"));
}

static void test_terminal(void **state)
{
	static const char why[] = "a core does not go to a terminal (redirect it, or use -o FILE)";
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);
	struct output *output;
	char name[32];
	int before;

	(void)state;
	assert_true(terminal >= 0);
	snprintf(name, sizeof(name), "fd:%d", terminal);
	assert_refused(name, false, STATUS_USAGE, why);
	before = dup(STDOUT_FILENO);
	fflush(stdout);
	dup2(terminal, STDOUT_FILENO);
	output = try_open("-", false);
	dup2(before, STDOUT_FILENO);
	assert_null(output);
	assert_string_equal(failure.text, why);
	close(before);
	close(terminal);
}

static void test_bad_descriptors(void **state)
{
	(void)state;
	assert_refused("fd:", false, STATUS_USAGE, "fd: names no descriptor");
	assert_refused("fd:x", false, STATUS_USAGE, "fd:x names no descriptor");
	assert_refused("fd:1x", false, STATUS_USAGE, "fd:1x names no descriptor");
	assert_refused("fd:-1", false, STATUS_USAGE, "fd:-1 names no descriptor");
	assert_refused("fd: 1", false, STATUS_USAGE, "fd: 1 names no descriptor");
	/* 2^32 + 1 is not 1. */
	assert_refused("fd:4294967297", false, STATUS_USAGE, "fd:4294967297 names no descriptor");
	assert_refused("fd:9999", false, STATUS_OUTPUT, "fd:9999: Bad file descriptor");
}

static void test_full(void **state)
{
	int fd = open("/dev/full", O_WRONLY);
	uint8_t *bytes = calloc(1, MIB(1));
	struct output *output;
	struct sink *sink;

	(void)state;
	assert_true(fd >= 0);
	output = open_fd(fd);
	put(output, "little");
	assert_publish_fails(output, STATUS_OUTPUT, "cannot write: No space left on device");
	output_close(output);

	output = open_fd(fd);
	sink = output_sink(output);
	for (unsigned i = 0; i < 31; i++)
		assert_int_equal(sink->write(sink, bytes, KIB(32)), 0);
	assert_int_equal(sink->write(sink, bytes, KIB(32) - 1), 0);
	assert_int_equal(sink->write(sink, bytes, 1), -1);
	assert_string_equal(sink->error(sink), "cannot write: No space left on device");
	output_close(output);

	/* What is large is not kept back. */
	output = open_fd(fd);
	sink = output_sink(output);
	assert_int_equal(sink->write(sink, bytes, KIB(64) - 1), 0);
	output_close(output);
	output = open_fd(fd);
	sink = output_sink(output);
	assert_int_equal(sink->write(sink, bytes, KIB(64)), -1);
	assert_string_equal(sink->error(sink), "cannot write: No space left on device");
	output_close(output);
	close(fd);
	free(bytes);
}

static void test_read_only(void **state)
{
	struct output *output;
	int fd;

	(void)state;
	put_file("file", "old");
	fd = open("file", O_RDONLY);
	output = open_fd(fd);
	put(output, "new");
	assert_publish_fails(output, STATUS_OUTPUT, "cannot write: Bad file descriptor");
	output_close(output);
	close(fd);
	assert_holds_text("file", "old");
}

/* ---- flattened ------------------------------------------------------------------------------- */

static struct output *open_flattened(const char *path, const struct core_format *format, bool flat)
{
	const struct options options = { .format = format, .output = path, .flat = flat };

	failure = (struct failure){ .status = STATUS_DONE };
	return output_open(&options, &failure);
}

/* The header of 4096 bytes; "abc" at 0 and "Z" in place of the b; the end. */
static void assert_flattened(const char *path)
{
	uint8_t expected[4096 + 16 + 3 + 16 + 1 + 16] = "makedumpfile";
	uint8_t *at = expected + 4096;

	put_be64(expected + 16, 1);
	put_be64(expected + 24, 1);
	put_be64(at + 8, 3);
	memcpy(at + 16, "abc", 3);
	put_be64(at + 19, 1);
	put_be64(at + 27, 1);
	at[35] = 'Z';
	memset(at + 36, 0xff, 16);
	assert_holds(path, expected, sizeof(expected));
}

static void test_flattened_file(void **state)
{
	struct output *output = open_flattened("core", &elf_format, true);

	(void)state;
	assert_non_null(output);
	assert_true(output_is_flattened(output));
	put(output, "abc");
	put_at(output, 1, "Z");
	publish_and_close(output);
	assert_flattened("core");
}

/* A format that comes back to its headers is flattened where the output cannot seek, and only
 * there. */
static void test_flattened_pipe(void **state)
{
	int ends[2];
	char name[16], path[32];
	struct output *output;

	(void)state;
	output = open_flattened("raw", &kdump_zlib_format, false);
	assert_non_null(output);
	assert_false(output_is_flattened(output));
	output_close(output);

	assert_int_equal(pipe(ends), 0);
	snprintf(name, sizeof(name), "fd:%d", ends[1]);
	output = open_flattened(name, &elf_format, false);
	assert_non_null(output);
	assert_false(output_is_flattened(output));
	output_close(output);

	output = open_flattened(name, &kdump_zlib_format, false);
	assert_non_null(output);
	assert_true(output_is_flattened(output));
	put(output, "abc");
	put_at(output, 1, "Z");
	publish_and_close(output);
	close(ends[1]);
	snprintf(path, sizeof(path), "cat <&%d >core", ends[0]);
	assert_int_equal(system(path), 0);
	close(ends[0]);
	assert_flattened("core");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_directory, leave_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_file),
		TEST(test_closed_unpublished),
		TEST(test_existing_file),
		TEST(test_force_in_vain),
		TEST(test_existing_partial),
		TEST(test_link_at_partial),
		TEST(test_link_at_file),
		TEST(test_no_place),
		TEST(test_no_file),
		TEST(test_rival_file),
		TEST(test_rival_partial),
		TEST(test_partial_gone),
		TEST(test_holes),
		TEST(test_hole_at_end),
		TEST(test_hole_at_start),
		TEST(test_write_at),
		TEST(test_gathering),
		TEST(test_fd_file),
		TEST(test_fd_over_file),
		TEST(test_fd_append),
		TEST(test_fd_pipe),
		TEST(test_non_blocking_pipe),
		TEST(test_reader_gone),
		TEST(test_interrupted),
		TEST(test_stdout),
		TEST(test_terminal),
		TEST(test_bad_descriptors),
		TEST(test_flattened_file),
		TEST(test_flattened_pipe),
		TEST(test_full),
		TEST(test_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
