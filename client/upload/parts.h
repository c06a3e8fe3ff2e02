/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A core on its way: cut into parts of one size, which one thread fills and others send. Without a
 * file, parts are held in buffers, of which there are only so many, and the one who fills waits for
 * one. With a file they are read back from it, and nobody waits.
 *
 * A part can be sent once nothing in it will be written again. Formats that come back to what they
 * wrote do it in ascending order in the zeros that they left, and at the very end in the headers:
 * so the first part is the last one to go, where a store takes parts in any order.
 */
#ifndef CLIENT_UPLOAD_PARTS_H
#define CLIENT_UPLOAD_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/upload/digest.h"

enum {
	PARTS_MAX = 10000, /* S3's limit; Azure has 50,000 */
	PARTS_PLANNED = 9500,
	PART_SIZE_MIN = 16 << 20,
	PART_TAG_SIZE = 160,
	PARTS_IN_FLIGHT = 4,
	/* The first, and those that two fronts of a kdump core are in, and the one between. */
	PARTS_OPEN_MAX = 4,
};

/* The size of parts for a core of at most that many bytes: whole MiB, at least PART_SIZE_MIN. */
uint64_t part_size_for(uint64_t bytes);

struct parts_options {
	uint64_t part_size;
	bool any_order;  /* the store takes them so; the first is then held back to the end */
	bool rewrites;   /* zeros that are appended are filled in later */
	int fd;          /* of the file that has them, or -1 */
	uint64_t behind; /* bytes that may not have reached the file yet */
	bool (*cancelled)(void *ctx);
	void *ctx;
};

struct parts;

/* NULL without memory. */
struct parts *parts_create(const struct parts_options *options);
void parts_destroy(struct parts *parts); /* NULL accepted */

/* ---- for the one who fills ------------------------------------------------------------------- */

/*
 * Appends bytes, or zeros if bytes is NULL; replaces some that were appended. With a file they only
 * tell of it. They return 0; -1 if it cannot be (parts_failed() or cancelled, too many parts, or
 * what is replaced was sent already).
 */
int parts_append(struct parts *parts, const void *bytes, uint64_t size);
int parts_replace(struct parts *parts, uint64_t offset, const void *bytes, size_t size);

/* Whether it could not be for want of memory. */
bool parts_lack_memory(struct parts *parts);

/* All is there: with a file, that file has so many bytes. */
void parts_complete(struct parts *parts, uint64_t total);

/* Of all that was appended. False if it is not known, since something was replaced. */
bool parts_sha256(struct parts *parts, uint8_t digest[SHA256_SIZE]);

/* ---- for those who send ---------------------------------------------------------------------- */

/*
 * Waits for a part that can be sent, which is the caller's alone from then on. -1 if all are taken
 * (or it is called off). Parts are counted from 0 here.
 */
long parts_claim(struct parts *parts);

/* The part is at the store. */
void parts_done(struct parts *parts, unsigned part);
/* It was there before. */
void parts_have(struct parts *parts, unsigned part);

bool part_is_done(struct parts *parts, unsigned part);
/* Forgets those that were there before, and their tags. */
void parts_forget(struct parts *parts);

uint64_t part_offset(const struct parts *parts, unsigned part);
uint64_t part_size(struct parts *parts, unsigned part);

/* What the store calls it, a string. */
char *part_tag(struct parts *parts, unsigned part);

/* Room for its MD5. */
uint8_t *part_md5(struct parts *parts, unsigned part);

/* Copies bytes of a claimed part. Less than size only where a file has ended too early. -1: cannot
 * be read. */
ssize_t part_read(struct parts *parts, unsigned part, uint64_t at, void *to, size_t size);

/*
 * All parts as one stream, for the one and only sender: waits for what is at the offset. 0 at the
 * end; -1 if it is called off, or the bytes were there and are no longer held.
 */
ssize_t parts_stream(struct parts *parts, uint64_t offset, void *to, size_t size);

/* Nothing more will be sent: wakes all who wait. */
void parts_fail(struct parts *parts);
bool parts_failed(struct parts *parts);

/* How many there are; right once they are complete. */
unsigned parts_count(struct parts *parts);
/* Whether all is there, and how much. */
bool parts_are_complete(struct parts *parts, uint64_t *total);

#endif
