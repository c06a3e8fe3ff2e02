// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/tell.h"

#include <stdarg.h>
#include <stdio.h>

void tell(const struct options *options, enum tell level, const char *format, ...)
{
	char line[1024];
	va_list args;

	if (options->quiet && level != TELL_ERROR)
		return;
	if (level == TELL_DETAIL && !options->verbose)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* Much of it is the words of a guest or a stub, which are not to move the cursor. */
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	fprintf(stderr, "rspdump: %s%s%s%s\n", options->target ? options->target : "",
		options->target ? ": " : "", level == TELL_WARNING ? "warning: " : "", line);
}

const char *amount_text(char text[AMOUNT_TEXT_SIZE], double bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;

	while (bytes >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, AMOUNT_TEXT_SIZE, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
	return text;
}
