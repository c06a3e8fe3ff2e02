// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/upload/resume.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/upload/lines.h"

#define SIGNATURE "rspdump-upload 1\n"

/* A decimal number, with nothing behind it but `end`. */
static const char *take_number(const char *text, char end, uint64_t *number)
{
	char *rest;

	if (*text < '0' || *text > '9')
		return NULL;
	errno = 0;
	*number = strtoull(text, &rest, 10);
	return errno || *rest != end ? NULL : rest + (end != '\0');
}

/* A word of visible characters. */
static int take_word(const char *text, char *to, size_t room)
{
	if (!*text || strlen(text) >= room)
		return -1;
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return -1;
	memcpy(to, text, strlen(text) + 1);
	return 0;
}

static int take_part(struct resume *resume, const char *value)
{
	uint64_t number;

	value = take_number(value, ' ', &number);
	if (!value || number < 1 || number > PARTS_MAX)
		return -1;
	return take_word(value, resume->tags[number - 1], PART_TAG_SIZE);
}

static int take_line(struct resume *resume, const char *name, const char *value)
{
	if (strcmp(name, "store") == 0)
		return take_word(value, resume->store, sizeof(resume->store));
	if (strcmp(name, "url") == 0)
		return take_word(value, resume->url, sizeof(resume->url));
	if (strcmp(name, "id") == 0)
		return take_word(value, resume->id, sizeof(resume->id));
	if (strcmp(name, "size") == 0)
		return take_number(value, '\0', &resume->size) ? 0 : -1;
	if (strcmp(name, "part-size") == 0)
		return take_number(value, '\0', &resume->part_size) ? 0 : -1;
	if (strcmp(name, "mtime") == 0) {
		value = take_number(value, '.', &resume->mtime_seconds);
		return value && take_number(value, '\0', &resume->mtime_nanoseconds) ? 0 : -1;
	}
	if (strcmp(name, "part") == 0)
		return take_part(resume, value);
	/* What a later version wants to remember. */
	return 0;
}

static bool makes_sense(const struct resume *resume)
{
	return resume->store[0] && resume->url[0] && resume->size &&
	       resume->part_size >= PART_SIZE_MIN && resume->part_size <= UINT64_C(1) << 50 &&
	       (resume->size - 1) / resume->part_size < PARTS_MAX;
}

int resume_parse(struct resume *resume, const char *text, struct error *error)
{
	char *copy = NULL, *line;
	int rc = -1;

	*resume = (struct resume){ .size = 0 };
	if (strncmp(text, SIGNATURE, strlen(SIGNATURE)) != 0)
		return error_set(error, "this is no record of an upload");
	resume->tags = calloc(PARTS_MAX, sizeof(*resume->tags));
	copy = strdup(text + strlen(SIGNATURE));
	if (!resume->tags || !copy) {
		free(copy);
		return error_no_memory(error);
	}
	line = copy;
	for (char *end = strchr(line, '\n'); end; end = strchr(line, '\n')) {
		char *value = strchr(line, ' ');

		*end = '\0';
		if (!value || value > end) {
			error_set(error, "a line of it makes no sense");
			goto out;
		}
		*value++ = '\0';
		if (take_line(resume, line, value)) {
			error_set(error, "its %.16s makes no sense", line);
			goto out;
		}
		line = end + 1;
	}
	rc = makes_sense(resume) ? 0 : error_set(error, "it is not whole");
out:
	free(copy);
	return rc;
}

void resume_deinit(struct resume *resume)
{
	free(resume->tags);
	resume->tags = NULL;
}

int resume_read(struct resume *resume, const char *path, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	size_t size = 0;
	struct stat st;
	char *text;
	int rc;

	*resume = (struct resume){ .size = 0 };
	if (fd < 0)
		return errno == ENOENT ? 1 : error_set(error, "%s", strerror(errno));
	/* It says where the core goes: who else could write it could have it. */
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		st.st_mode & (S_IWGRP | S_IWOTH)) {
		close(fd);
		return error_set(error, "it is not ours alone");
	}
	text = malloc(RESUME_FILE_MAX + 1);
	while (text && size < RESUME_FILE_MAX) {
		ssize_t n = read(fd, text + size, RESUME_FILE_MAX - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		size += (size_t)n;
	}
	close(fd);
	if (!text)
		return error_no_memory(error);
	text[size] = '\0';
	rc = size < RESUME_FILE_MAX ? resume_parse(resume, text, error)
	                            : error_set(error, "it is too long to be one");
	free(text);
	return rc;
}

bool resume_fits(
	const struct resume *resume, const char *store, const char *url, const struct stat *core)
{
	return strcmp(resume->store, store) == 0 && strcmp(resume->url, url) == 0 &&
	       resume->size == (uint64_t)core->st_size &&
	       resume->mtime_seconds == (uint64_t)core->st_mtim.tv_sec &&
	       resume->mtime_nanoseconds == (uint64_t)core->st_mtim.tv_nsec;
}

static int write_text(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t n = write(fd, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		size -= (size_t)n;
	}
	return 0;
}

int resume_write(const struct resume *resume, const char *path, struct error *error)
{
	char *text, *fresh;
	int fd = -1;

	text = text_make(SIGNATURE "store %s\nurl %s\nsize %" PRIu64 "\nmtime %" PRIu64 ".%" PRIu64
				   "\npart-size %" PRIu64 "\n%s%s%s",
		resume->store, resume->url, resume->size, resume->mtime_seconds,
		resume->mtime_nanoseconds, resume->part_size, resume->id[0] ? "id " : "",
		resume->id, resume->id[0] ? "\n" : "");
	fresh = text_make("%s.new", path);
	if (!text || !fresh) {
		error_no_memory(error);
		goto out;
	}
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write_text(fd, text, strlen(text)) || rename(fresh, path)) {
		error_set(error, "%s", strerror(errno));
		if (fd >= 0) {
			close(fd);
			unlink(fresh);
		}
		fd = -1;
	}
out:
	free(text);
	free(fresh);
	return fd;
}

void resume_add(int fd, unsigned part, const char *tag)
{
	char line[PART_TAG_SIZE + 32];
	int size = snprintf(line, sizeof(line), "part %u %s\n", part + 1, *tag ? tag : "-");

	ssize_t n;

	if (fd < 0 || size < 0 || (size_t)size >= sizeof(line))
		return;
	n = write(fd, line, (size_t)size);
	/* What the disk had room for would be taken for the beginning of the next line. */
	if (n > 0 && n < size)
		(void)!ftruncate(fd, lseek(fd, 0, SEEK_CUR) - n);
}
