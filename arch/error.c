// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

int error_set(struct error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	make_printable(error->text);
	error->no_memory = false;
	return -1;
}

int error_no_memory(struct error *error)
{
	error_set(error, "no memory");
	error->no_memory = true;
	return -1;
}

int error_prefix(struct error *error, const char *format, ...)
{
	const char separator[] = ": ";
	size_t cause = strlen(error->text) + 1;
	size_t room = sizeof(error->text) - cause - strlen(separator);
	char prefix[sizeof(error->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(prefix, sizeof(prefix), format, args);
	va_end(args);
	/* The cause matters more than who passed it on: a prefix that finds no room is cut. */
	if (cause + strlen(separator) >= sizeof(error->text))
		return -1;

	size_t length = strlen(prefix) < room ? strlen(prefix) : room;

	memmove(error->text + length + strlen(separator), error->text, cause);
	memcpy(error->text, prefix, length);
	memcpy(error->text + length, separator, strlen(separator));
	make_printable(error->text);
	return -1;
}
