/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people are told, on stderr: one line each, "rspdump: TARGET: text". stdout is for data. */
#ifndef CLIENT_TELL_H
#define CLIENT_TELL_H

#include "client/options.h"

enum tell { TELL_ERROR, TELL_WARNING, TELL_RESULT, TELL_DETAIL };

/* Warnings and results are left out with --quiet, details told with --verbose only. */
void tell(const struct options *options, enum tell level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "511.9 MiB", "3.4 KiB", "17 bytes": for people. Written to text, returned. */
enum { AMOUNT_TEXT_SIZE = 32 };
const char *amount_text(char text[AMOUNT_TEXT_SIZE], double bytes);

#endif
