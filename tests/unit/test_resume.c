// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/upload/resume.h"
#include "tests/unit/failing.h"

/* Behind the headers above, one of which may have a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define HEAD                                                                \
	"rspdump-upload 1\nstore s3\nurl https://h/b/core\nsize 40000000\n" \
	"mtime 1764000000.123456789\npart-size 16777216\nid 2~a/b\n"

static struct resume resume;
static struct error error;

static void assert_fits(const char *text)
{
	if (resume_parse(&resume, text, &error))
		fail_msg("%s", error.text);
}

static void test_whole(void **state)
{
	(void)state;
	assert_fits(HEAD "part 2 \"ab\"\npart 1 \"cd\"\n");
	assert_string_equal(resume.store, "s3");
	assert_string_equal(resume.url, "https://h/b/core");
	assert_string_equal(resume.id, "2~a/b");
	assert_int_equal(resume.size, 40000000);
	assert_int_equal(resume.mtime_seconds, 1764000000);
	assert_int_equal(resume.mtime_nanoseconds, 123456789);
	assert_int_equal(resume.part_size, 16777216);
	assert_string_equal(resume.tags[0], "\"cd\"");
	assert_string_equal(resume.tags[1], "\"ab\"");
	assert_string_equal(resume.tags[2], "");
	resume_deinit(&resume);
}

/* The machine went down while a part was written. */
static void test_cut_off(void **state)
{
	(void)state;
	assert_fits(HEAD "part 1 \"cd\"\npart 2 \"a");
	assert_string_equal(resume.tags[0], "\"cd\"");
	assert_string_equal(resume.tags[1], "");
	resume_deinit(&resume);
}

static void test_later_version(void **state)
{
	(void)state;
	assert_fits(HEAD "colour blue and green\n");
	resume_deinit(&resume);
}

static void test_hostile(void **state)
{
	static const char *const texts[] = {
		"",
		"rspdump-upload 1",
		"rspdump-upload 2\n",
		"rspdump-upload 1\n",
		"rspdump-upload 1\nstore s3\n",
		HEAD "part 0 x\n",
		HEAD "part 10001 x\n",
		HEAD "part -1 x\n",
		HEAD "part 18446744073709551617 x\n",
		HEAD "part 1\n",
		HEAD "part 1 \n",
		HEAD "part 1 a b\n",
		HEAD "part 1 a\x1b[2Jb\n",
		HEAD "part 1 \xff\n",
		HEAD "size 0\n",
		HEAD "size 1x\n",
		HEAD "size 99999999999999999999\n",
		HEAD "part-size 0\n",
		HEAD "part-size 1\n",
		HEAD "part-size 18446744073709551615\n",
		/* More parts than there can be. */
		HEAD "size 167772160001\n",
		HEAD "mtime 1\n",
		HEAD "mtime .1\n",
		HEAD "store a-name-that-is-too-long\n",
		HEAD "id a b\n",
		HEAD "nothing\n",
		HEAD "\n",
		HEAD "no-blank\nbut here x\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (resume_parse(&resume, texts[i], &error) == 0)
			fail_msg("number %zu was taken", i);
		resume_deinit(&resume);
	}
	assert_fits(HEAD "size 167772160000\n");
	resume_deinit(&resume);
}

static void test_long_words(void **state)
{
	char *text = malloc(64 << 10);

	(void)state;
	sprintf(text, HEAD "part 1 %0*d\n", PART_TAG_SIZE - 1, 1);
	assert_fits(text);
	resume_deinit(&resume);
	sprintf(text, HEAD "part 1 %0*d\n", PART_TAG_SIZE, 1);
	assert_int_equal(resume_parse(&resume, text, &error), -1);
	resume_deinit(&resume);
	sprintf(text, HEAD "id %0*d\n", RESUME_ID_SIZE, 1);
	assert_int_equal(resume_parse(&resume, text, &error), -1);
	resume_deinit(&resume);
	free(text);
}

static char directory[] = "/tmp/resume.XXXXXX";

static int enter_directory(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/resume.XXXXXX");
	return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int leave_directory(void **state)
{
	(void)state;
	unlink("core");
	unlink("record");
	unlink("record.new");
	return chdir("/") || rmdir(directory) ? -1 : 0;
}

static void test_written_and_read(void **state)
{
	struct resume written = {
		.store = "tus",
		.url = "https://h/files/",
		.id = "https://h/files/0123",
		.size = 5,
		.mtime_seconds = 7,
		.mtime_nanoseconds = 8,
		.part_size = PART_SIZE_MIN,
	};
	struct stat st;
	int fd;

	(void)state;
	fd = resume_write(&written, "record", &error);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	resume_add(fd, 0, "\"tag\"");
	resume_add(fd, 1, "");
	close(fd);
	assert_int_equal(resume_read(&resume, "record", &error), 0);
	assert_string_equal(resume.store, "tus");
	assert_string_equal(resume.url, written.url);
	assert_string_equal(resume.id, written.id);
	assert_int_equal(resume.size, 5);
	assert_int_equal(resume.mtime_nanoseconds, 8);
	assert_string_equal(resume.tags[0], "\"tag\"");
	assert_string_equal(resume.tags[1], "-");
	resume_deinit(&resume);
	/* Over what is there. */
	written.size = 6;
	fd = resume_write(&written, "record", &error);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(resume_read(&resume, "record", &error), 0);
	assert_int_equal(resume.size, 6);
	assert_string_equal(resume.tags[0], "");
	resume_deinit(&resume);
}

static void test_files_that_are_not_ours(void **state)
{
	int fd = open("record", O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_int_equal(write(fd, HEAD, strlen(HEAD)), strlen(HEAD));
	close(fd);
	assert_int_equal(resume_read(&resume, "record", &error), 0);
	resume_deinit(&resume);
	assert_int_equal(chmod("record", 0620), 0);
	assert_int_equal(resume_read(&resume, "record", &error), -1);
	assert_string_equal(error.text, "it is not ours alone");
	assert_int_equal(chmod("record", 0600), 0);
	assert_int_equal(symlink("record", "core"), 0);
	assert_int_equal(resume_read(&resume, "core", &error), -1);
	assert_int_equal(resume_read(&resume, "nothing", &error), 1);
	assert_int_equal(resume_read(&resume, ".", &error), -1);
}

static void test_fits(void **state)
{
	struct stat core = {
		.st_size = 40000000,
		.st_mtim = { .tv_sec = 1764000000, .tv_nsec = 123456789 },
	};

	(void)state;
	assert_fits(HEAD);
	assert_true(resume_fits(&resume, "s3", "https://h/b/core", &core));
	assert_false(resume_fits(&resume, "put", "https://h/b/core", &core));
	assert_false(resume_fits(&resume, "s3", "https://h/b/other", &core));
	core.st_mtim.tv_nsec++;
	assert_false(resume_fits(&resume, "s3", "https://h/b/core", &core));
	core.st_mtim.tv_nsec--;
	core.st_size++;
	assert_false(resume_fits(&resume, "s3", "https://h/b/core", &core));
	resume_deinit(&resume);
}

static void test_no_memory(void **state)
{
	char path[] = "/tmp/resume.XXXXXX";
	int fd = mkstemp(path);
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_fits(HEAD "part 2 \"ab\"\n");
	while (failing_next(&failing)) {
		struct resume again = { .size = 0 };
		int rc;

		fd = resume_write(&resume, path, &error);
		rc = fd < 0 ? -1 : resume_read(&again, path, &error);
		failing_check(&failing, rc, error.text);
		if (rc == 0)
			assert_string_equal(again.id, "2~a/b");
		if (fd >= 0)
			close(fd);
		resume_deinit(&again);
	}
	/* The text and the name; the text, tags and a copy. */
	assert_int_equal(failing.nth, 6);
	resume_deinit(&resume);
	unlink(path);
}

/* The disk is full: what is written then is as before, or there is nothing. */
static void test_full(void **state)
{
	struct failing failing = { .what = FAILING_OUTPUT, .error = ENOSPC };
	char path[] = "/tmp/resume.XXXXXX", fresh[64];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	assert_fits(HEAD);
	while (failing_next(&failing)) {
		fd = resume_write(&resume, path, &error);
		assert_int_equal(fd < 0, failing_end(&failing));
		if (fd < 0)
			assert_string_equal(error.text, "No space left on device");
		else
			close(fd);
		assert_int_equal(access(fresh, F_OK), -1);
	}
	assert_int_equal(failing.nth, 3);
	resume_deinit(&resume);
	unlink(path);
}

/* A part that was written in part must not make nonsense of the next one. */
static void test_part_in_part(void **state)
{
	struct failing failing = { .what = FAILING_WRITES };
	struct resume again;
	char path[] = "/tmp/resume.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_fits(HEAD);
	fd = resume_write(&resume, path, &error);
	assert_true(fd >= 0);
	/* The first write. */
	assert_true(failing_next(&failing));
	resume_add(fd, 0, "\"a\"");
	assert_true(failing_end(&failing));
	resume_add(fd, 1, "\"b\"");
	close(fd);
	if (resume_read(&again, path, &error))
		fail_msg("%s", error.text);
	assert_string_equal(again.tags[0], "");
	assert_string_equal(again.tags[1], "\"b\"");
	resume_deinit(&again);
	resume_deinit(&resume);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_later_version),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test_setup_teardown(
			test_written_and_read, enter_directory, leave_directory),
		cmocka_unit_test_setup_teardown(
			test_files_that_are_not_ours, enter_directory, leave_directory),
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_part_in_part),
	};

	return cmocka_run_group_tests_name("resume", tests, NULL, NULL);
}
