// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/upload/address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/upload/upload.h"

enum { FILE_SIZE_MAX = 64 << 10 };

/* From the heap, NUL-terminated. It may be a pipe: <(pass show token). */
static char *read_file(const char *path, struct error *error)
{
	char *text = malloc(FILE_SIZE_MAX + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	ssize_t n = -1;

	while (text && fd >= 0 && size < FILE_SIZE_MAX) {
		n = read(fd, text + size, FILE_SIZE_MAX - size);
		if (n <= 0)
			break;
		size += (size_t)n;
	}
	if (!text)
		error_no_memory(error);
	else if (fd < 0 || n < 0)
		error_set(error, "%s: %s", path, strerror(errno));
	else if (size == FILE_SIZE_MAX || memchr(text, '\0', size))
		error_set(error, "%s does not look like it", path);
	else
		text[size] = '\0';
	if (fd >= 0)
		close(fd);
	if (text && n == 0 && size < FILE_SIZE_MAX && !memchr(text, '\0', size))
		return text;
	free(text);
	return NULL;
}

bool is_url(const char *text)
{
	size_t scheme = strspn(
		text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

	return scheme > 1 && strncmp(text + scheme, "://", 3) == 0;
}

char *address_read(const char *text, struct error *error)
{
	char *line;

	if (text[0] != '@') {
		line = strdup(text);
		if (!line)
			error_no_memory(error);
		return line;
	}
	line = read_file(text + 1, error);
	if (line)
		line[strcspn(line, " \t\r\n")] = '\0';
	return line;
}

/* What is wrong with a line is told without its value, which may be a secret. */
static int add_header(const char *line, size_t size, struct lines *headers, struct error *error)
{
	size_t name = strcspn(line, ":");

	if (name >= size || !name || strcspn(line, " \t") < name)
		return error_set(error, "a header is written \"Name: value\"");
	for (size_t i = 0; i < size; i++)
		if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
			return error_set(
				error, "%.*s has a control character in it", (int)name, line);
	/* A body's length and form are not for others to say. */
	if ((name == 14 && strncasecmp(line, "Content-Length", 14) == 0) ||
		(name == 17 && strncasecmp(line, "Transfer-Encoding", 17) == 0))
		return error_set(error, "%.*s is rspdump's to say", (int)name, line);
	if (size > LINE_SIZE_MAX || headers->count == LINES_MAX)
		return error_set(error, "more or longer headers than there is room for");
	lines_add(headers, "%.*s", (int)size, line);
	return headers->failed ? error_no_memory(error) : 0;
}

int headers_read(const char *text, struct lines *headers, struct error *error)
{
	char *file, *line;
	int rc = 0;

	if (text[0] != '@')
		return add_header(text, strlen(text), headers, error);
	file = read_file(text + 1, error);
	if (!file)
		return -1;
	for (line = file; *line && !rc;) {
		size_t size = strcspn(line, "\r\n");

		if (size && *line != '#')
			rc = add_header(line, size, headers, error);
		line += size;
		line += strspn(line, "\r\n");
	}
	free(file);
	return rc;
}
