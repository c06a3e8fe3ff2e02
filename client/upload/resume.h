/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CORE.upload, the file that tells how far the upload of CORE came: which store and URL (without
 * the query, which may be a secret), what the store calls the upload, how CORE looked, and which
 * parts are there. For its owner only: the address of some stores' uploads is a secret by itself.
 *
 *	rspdump-upload 1
 *	store s3
 *	url https://host/bucket/core
 *	size 536870912
 *	mtime 1764000000.123456789
 *	part-size 16777216
 *	id 2~abc
 *	part 2 "d41d8cd98f00b204e9800998ecf8427e"
 */
#ifndef CLIENT_UPLOAD_RESUME_H
#define CLIENT_UPLOAD_RESUME_H

#include <stdint.h>
#include <sys/stat.h>

#include "arch/error.h"
#include "client/upload/parts.h"

enum {
	RESUME_FILE_MAX = 4 << 20,
	RESUME_URL_SIZE = (8 << 10) + 1,
	RESUME_ID_SIZE = (8 << 10) + 1,
	RESUME_STORE_SIZE = 16,
};

struct resume {
	char store[RESUME_STORE_SIZE];
	char url[RESUME_URL_SIZE];
	char id[RESUME_ID_SIZE]; /* "" if the store has none */
	uint64_t size, mtime_seconds, mtime_nanoseconds;
	uint64_t part_size;
	char (*tags)[PART_TAG_SIZE]; /* PARTS_MAX of them, "" for those that are not there */
};

/*
 * Takes the text of such a file apart; a last line that was cut off counts for nothing. Returns 0;
 * -1 if it is none, or says what no upload of ours can be. resume_deinit() either way.
 */
int resume_parse(struct resume *resume, const char *text, struct error *error);
void resume_deinit(struct resume *resume);

/* Returns 0; 1 if there is no such file; -1. */
int resume_read(struct resume *resume, const char *path, struct error *error);

/* Whether it is of this file, as it is now, and of this upload. */
bool resume_fits(
	const struct resume *resume, const char *store, const char *url, const struct stat *core);

/* Writes all but parts, over what is there. Returns a descriptor to add parts to, or -1. */
int resume_write(const struct resume *resume, const char *path, struct error *error);

/* Adds a part, counted from 0. A line that does not reach the disk costs only sending it again. */
void resume_add(int fd, unsigned part, const char *tag);

#endif
