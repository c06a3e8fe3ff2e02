/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of strings that grows: the header lines of a request. */
#ifndef CLIENT_UPLOAD_LINES_H
#define CLIENT_UPLOAD_LINES_H

#include <stdbool.h>
#include <stddef.h>

enum { LINES_MAX = 64, LINE_SIZE_MAX = 32 << 10 };

struct lines {
	char *items[LINES_MAX];
	size_t count;
	bool failed; /* no memory, or more or longer ones than there is room for */
};

/* Zeros are an empty list. */
void lines_add(struct lines *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));
void lines_deinit(struct lines *lines);

/* One text by itself, from the heap; NULL without memory. */
char *text_make(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What is behind "NAME:" in the first line of that name, whatever its case; NULL if there is none.
 */
const char *lines_value(const struct lines *lines, const char *name);

#endif
