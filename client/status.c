// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/status.h"

#include <stdarg.h>
#include <stdio.h>

int fail(struct failure *failure, enum status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(failure->text, sizeof(failure->text), format, args);
	va_end(args);
	failure->status = status;
	return -1;
}

bool fail_no_memory(struct failure *failure, const struct error *error)
{
	if (error->no_memory)
		fail(failure, STATUS_FAILED, "no memory");
	return error->no_memory;
}
