/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is printed on stdout or stderr while a test looks. Assert nothing in between: the message
 * would be caught, too.
 */
#ifndef TESTS_UNIT_CAPTURE_H
#define TESTS_UNIT_CAPTURE_H

#include <stdio.h>

struct capture {
	int fd, saved;
	FILE *file;
};

/* From now on what is written to fd goes into the capture. */
void capture_start(struct capture *capture, int fd);

/* Puts fd back. Returns what was written, NUL-terminated and the caller's to free. */
char *capture_end(struct capture *capture);

#endif
