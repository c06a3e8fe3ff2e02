// SPDX-License-Identifier: GPL-2.0-or-later
/* The record of an upload that broke off. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/upload/resume.h"
#include "tests/fuzz/fuzz.h"

static char directory[512], path[sizeof(directory) + 16];

static void remove_directory(void)
{
	rmdir(directory);
}

static const char *record_path(void)
{
	const char *where = getenv("TMPDIR");

	if (!path[0]) {
		snprintf(directory, sizeof(directory), "%s/rspdump-fuzz.XXXXXX",
			where ? where : "/tmp");
		CHECK(mkdtemp(directory));
		CHECK(atexit(remove_directory) == 0);
		snprintf(path, sizeof(path), "%s/record", directory);
	}
	return path;
}

static void check_word(const char *word, size_t room)
{
	CHECK(memchr(word, '\0', room));
	for (const char *c = word; *c; c++)
		CHECK((unsigned char)*c > ' ' && (unsigned char)*c < 0x7f);
}

static void check_resume(const struct resume *resume)
{
	check_word(resume->store, sizeof(resume->store));
	check_word(resume->url, sizeof(resume->url));
	check_word(resume->id, sizeof(resume->id));
	CHECK(resume->store[0] && resume->url[0] && resume->size);
	CHECK(resume->part_size >= PART_SIZE_MIN);
	CHECK((resume->size - 1) / resume->part_size < PARTS_MAX);
	for (size_t i = 0; i < PARTS_MAX; i++)
		check_word(resume->tags[i], PART_TAG_SIZE);
}

static void check_written(const struct resume *resume)
{
	struct resume again;
	struct error error;
	int fd = resume_write(resume, record_path(), &error);

	CHECK(fd >= 0);
	for (unsigned i = 0; i < PARTS_MAX; i++)
		if (resume->tags[i][0])
			resume_add(fd, i, resume->tags[i]);
	close(fd);
	CHECK(resume_read(&again, record_path(), &error) == 0);
	CHECK(strcmp(again.store, resume->store) == 0 && strcmp(again.url, resume->url) == 0);
	CHECK(strcmp(again.id, resume->id) == 0);
	CHECK(again.size == resume->size && again.part_size == resume->part_size);
	CHECK(again.mtime_seconds == resume->mtime_seconds);
	CHECK(again.mtime_nanoseconds == resume->mtime_nanoseconds);
	for (unsigned i = 0; i < PARTS_MAX; i++)
		CHECK(strcmp(again.tags[i], resume->tags[i]) == 0);
	resume_deinit(&again);
	CHECK(unlink(record_path()) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct resume resume;
	struct error error;

	if (resume_parse(&resume, text, &error)) {
		fuzz_check_line(error.text, sizeof(error.text));
	} else {
		check_resume(&resume);
		check_written(&resume);
	}
	resume_deinit(&resume);
	free(text);
	return 0;
}
