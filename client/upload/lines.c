// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/upload/lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lines_add(struct lines *lines, const char *format, ...)
{
	char *line = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&line, format, args);
	va_end(args);
	if (length < 0) {
		lines->failed = true;
		return;
	}
	if (length > LINE_SIZE_MAX || lines->count == LINES_MAX) {
		lines->failed = true;
		free(line);
		return;
	}
	lines->items[lines->count++] = line;
}

char *text_make(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	/* What is in text after a failure is undefined. */
	return length < 0 ? NULL : text;
}

void lines_deinit(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->items[i]);
	*lines = (struct lines){ .count = 0 };
}

const char *lines_value(const struct lines *lines, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < lines->count; i++) {
		const char *line = lines->items[i];

		if (strncasecmp(line, name, length) == 0 && line[length] == ':')
			return line + length + 1 + strspn(line + length + 1, " \t");
	}
	return NULL;
}
