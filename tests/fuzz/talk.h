/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to a stub that has said all that it will ever say before it is asked: an input's
 * packets, one a line, framed here so that their checksums are right. A line that begins with '!'
 * is sent as it is. Behind the last one the connection is at its end, so that nobody waits.
 *
 * It hears all that the client sends, and ends the program if that is anything but reading, or if
 * anything comes behind the last D (QEMU dies of a request then) but the one sign that kgdb wants.
 */
#ifndef TESTS_FUZZ_TALK_H
#define TESTS_FUZZ_TALK_H

#include <stdint.h>

#include "rsp/rsp.h"

enum { TALK_TAIL = 512 };

struct fuzz_talk {
	struct rsp *rsp;
	int server;           /* the stub's end */
	char target[16];      /* for rsp_open() */
	char tail[TALK_TAIL]; /* the last bytes that the client has sent */
	size_t tail_size;
};

void fuzz_talk_start(struct fuzz_talk *talk, const uint8_t *lines, size_t size);

/* Releases the stub, and checks how it was left. */
void fuzz_talk_end(struct fuzz_talk *talk, enum rsp_after after);

/* Appends to a text of lines, of room bytes, a packet of binary data behind a letter. Returns the
 * size of the text, as it was if there is no room. */
size_t fuzz_talk_put(
	uint8_t *lines, size_t used, size_t room, char letter, const uint8_t *data, size_t size);

/* That a failure was told as the header says. Returns whether the connection can be used on. */
bool fuzz_check_failure(const struct rsp *rsp);

#endif
