// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/upload/parts.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_EVERY_MS = 200, BUFFERS_MAX = PARTS_IN_FLIGHT + PARTS_OPEN_MAX };

enum part_state { PART_OPEN, PART_CLAIMED, PART_DONE };

struct part {
	enum part_state state;
	uint8_t *bytes; /* NULL: all zeros, or in the file, or sent */
	char tag[PART_TAG_SIZE];
	uint8_t md5[MD5_SIZE];
};

struct parts {
	struct parts_options options;
	pthread_mutex_t lock;
	pthread_cond_t changed;

	uint64_t appended;  /* bytes so far */
	uint64_t replaced;  /* end of what was replaced */
	uint64_t zeros_end; /* end of the zeros that may be replaced */
	uint64_t total;     /* once complete */
	bool complete, failed;
	bool no_memory; /* for what was to be appended */

	struct part *items; /* PARTS_MAX of them */
	unsigned lowest;    /* all in front of it are claimed */
	uint8_t *spare[BUFFERS_MAX];
	size_t spare_count, buffer_count;

	struct sha256 sha256;
	bool hashed;
};

uint64_t part_size_for(uint64_t bytes)
{
	const uint64_t mib = UINT64_C(1) << 20;
	uint64_t size = bytes / PARTS_PLANNED + 1;

	size = (size + mib - 1) / mib * mib;
	return size < PART_SIZE_MIN ? PART_SIZE_MIN : size;
}

struct parts *parts_create(const struct parts_options *options)
{
	struct parts *parts = calloc(1, sizeof(*parts));

	if (!parts)
		return NULL;
	parts->options = *options;
	parts->items = calloc(PARTS_MAX, sizeof(*parts->items));
	if (!parts->items) {
		free(parts);
		return NULL;
	}
	pthread_mutex_init(&parts->lock, NULL);
	pthread_cond_init(&parts->changed, NULL);
	sha256_begin(&parts->sha256);
	parts->hashed = options->fd < 0;
	return parts;
}

void parts_destroy(struct parts *parts)
{
	if (!parts)
		return;
	for (size_t i = 0; i < PARTS_MAX; i++)
		free(parts->items[i].bytes);
	for (size_t i = 0; i < parts->spare_count; i++)
		free(parts->spare[i]);
	pthread_cond_destroy(&parts->changed);
	pthread_mutex_destroy(&parts->lock);
	free(parts->items);
	free(parts);
}

/* ---- under the lock -------------------------------------------------------------------------- */

static bool is_over(const struct parts *parts)
{
	return parts->failed || parts->options.cancelled(parts->options.ctx);
}

/* A signal wakes nobody here, so it is looked for. */
static void wait_for_change(struct parts *parts)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LOOK_EVERY_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	pthread_cond_timedwait(&parts->changed, &parts->lock, &until);
}

static bool is_settled(const struct parts *parts, unsigned part)
{
	const struct parts_options *options = &parts->options;
	uint64_t start = part * options->part_size, end = start + options->part_size;

	if (parts->complete)
		return start < parts->total;
	if (options->any_order && part == 0)
		return false;
	if (parts->appended < options->behind || end > parts->appended - options->behind)
		return false;
	return !options->rewrites || start >= parts->zeros_end || parts->replaced >= end;
}

static int get_buffer(struct parts *parts, struct part *part)
{
	while (!parts->spare_count && parts->buffer_count == BUFFERS_MAX && !is_over(parts))
		wait_for_change(parts);
	if (is_over(parts))
		return -1;
	if (parts->spare_count) {
		part->bytes = parts->spare[--parts->spare_count];
		return 0;
	}
	part->bytes = malloc(parts->options.part_size);
	parts->buffer_count += part->bytes != NULL;
	parts->no_memory |= !part->bytes;
	return part->bytes ? 0 : -1;
}

static void put_buffer(struct parts *parts, struct part *part)
{
	if (part->bytes)
		parts->spare[parts->spare_count++] = part->bytes;
	part->bytes = NULL;
}

/* Gives a part of which all is zero so far bytes to write to. */
static int make_bytes(struct parts *parts, unsigned part)
{
	uint64_t start = part * parts->options.part_size;
	uint64_t there = parts->appended > start ? parts->appended - start : 0;

	if (parts->items[part].bytes)
		return 0;
	if (get_buffer(parts, &parts->items[part]))
		return -1;
	if (there > parts->options.part_size)
		there = parts->options.part_size;
	memset(parts->items[part].bytes, 0, (size_t)there);
	return 0;
}

/* ---- filling --------------------------------------------------------------------------------- */

/* At most up to the end of the part that it begins in. Returns how much; 0 if it cannot be. */
static uint64_t append_some(struct parts *parts, const uint8_t *bytes, uint64_t size)
{
	uint64_t part_size = parts->options.part_size;
	uint64_t number = parts->appended / part_size, at = parts->appended % part_size;

	if (size > part_size - at)
		size = part_size - at;
	if (number >= PARTS_MAX || is_over(parts))
		return 0;
	if (bytes && parts->options.fd < 0 && make_bytes(parts, (unsigned)number))
		return 0;
	if (parts->items[number].bytes) {
		uint8_t *to = parts->items[number].bytes + at;

		/* It is the filler's alone: nobody reads what is not settled. */
		pthread_mutex_unlock(&parts->lock);
		if (bytes)
			memcpy(to, bytes, (size_t)size);
		else
			memset(to, 0, (size_t)size);
		pthread_mutex_lock(&parts->lock);
	}
	parts->appended += size;
	if (!bytes)
		parts->zeros_end = parts->appended;
	pthread_cond_broadcast(&parts->changed);
	return size;
}

static void hash(struct parts *parts, const uint8_t *bytes, uint64_t size)
{
	static const uint8_t zeros[4096];

	if (!parts->hashed)
		return;
	if (bytes) {
		sha256_add(&parts->sha256, bytes, (size_t)size);
		return;
	}
	while (size) {
		size_t some = size < sizeof(zeros) ? (size_t)size : sizeof(zeros);

		sha256_add(&parts->sha256, zeros, some);
		size -= some;
	}
}

int parts_append(struct parts *parts, const void *bytes, uint64_t size)
{
	const uint8_t *from = bytes;

	while (size) {
		uint64_t some;

		pthread_mutex_lock(&parts->lock);
		some = append_some(parts, from, size);
		pthread_mutex_unlock(&parts->lock);
		if (!some)
			return -1;
		hash(parts, from, some);
		/* With a file there is nothing behind it. */
		if (from && parts->options.fd < 0)
			from += some;
		size -= some;
	}
	return 0;
}

static int replace_some(
	struct parts *parts, uint64_t offset, const uint8_t *bytes, size_t size, size_t *some)
{
	uint64_t part_size = parts->options.part_size;
	uint64_t number = offset / part_size, at = offset % part_size;

	*some = size < part_size - at ? size : (size_t)(part_size - at);
	if (number >= PARTS_MAX || parts->items[number].state != PART_OPEN || is_over(parts))
		return -1;
	if (parts->options.fd < 0) {
		if (make_bytes(parts, (unsigned)number))
			return -1;
		memcpy(parts->items[number].bytes + at, bytes, *some);
	}
	if (offset + *some > parts->replaced)
		parts->replaced = offset + *some;
	return 0;
}

int parts_replace(struct parts *parts, uint64_t offset, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	int rc = 0;

	pthread_mutex_lock(&parts->lock);
	parts->hashed = false;
	while (size && !rc) {
		size_t some = 0;

		rc = replace_some(parts, offset, from, size, &some);
		offset += some;
		if (from)
			from += some;
		size -= some;
	}
	pthread_cond_broadcast(&parts->changed);
	pthread_mutex_unlock(&parts->lock);
	return rc;
}

void parts_complete(struct parts *parts, uint64_t total)
{
	pthread_mutex_lock(&parts->lock);
	parts->complete = true;
	parts->total = total;
	pthread_cond_broadcast(&parts->changed);
	pthread_mutex_unlock(&parts->lock);
}

bool parts_sha256(struct parts *parts, uint8_t digest[SHA256_SIZE])
{
	if (parts->hashed)
		sha256_end(&parts->sha256, digest);
	return parts->hashed;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* The one that comes next, or any if the store does not mind; -1 if there is none now. */
static long find_settled(const struct parts *parts)
{
	uint64_t end = parts->complete ? parts->total : parts->appended;

	for (uint64_t i = parts->lowest; i * parts->options.part_size < end && i < PARTS_MAX; i++) {
		if (parts->items[i].state == PART_OPEN && is_settled(parts, (unsigned)i))
			return (long)i;
		if (!parts->options.any_order)
			break;
	}
	return -1;
}

static void skip_claimed(struct parts *parts)
{
	while (parts->lowest < PARTS_MAX && parts->items[parts->lowest].state != PART_OPEN)
		parts->lowest++;
}

long parts_claim(struct parts *parts)
{
	long part = -1;

	pthread_mutex_lock(&parts->lock);
	while (!is_over(parts)) {
		skip_claimed(parts);
		part = find_settled(parts);
		if (part >= 0 || parts->complete)
			break;
		wait_for_change(parts);
	}
	if (part >= 0)
		parts->items[part].state = PART_CLAIMED;
	pthread_mutex_unlock(&parts->lock);
	return part;
}

void parts_done(struct parts *parts, unsigned part)
{
	pthread_mutex_lock(&parts->lock);
	parts->items[part].state = PART_DONE;
	put_buffer(parts, &parts->items[part]);
	pthread_cond_broadcast(&parts->changed);
	pthread_mutex_unlock(&parts->lock);
}

void parts_have(struct parts *parts, unsigned part)
{
	if (part < PARTS_MAX)
		parts->items[part].state = PART_DONE;
}

bool part_is_done(struct parts *parts, unsigned part)
{
	bool done;

	pthread_mutex_lock(&parts->lock);
	done = parts->items[part].state == PART_DONE;
	pthread_mutex_unlock(&parts->lock);
	return done;
}

void parts_forget(struct parts *parts)
{
	memset(parts->items, 0, PARTS_MAX * sizeof(*parts->items));
	parts->lowest = 0;
}

uint64_t part_offset(const struct parts *parts, unsigned part)
{
	return part * parts->options.part_size;
}

uint64_t part_size(struct parts *parts, unsigned part)
{
	uint64_t size = parts->options.part_size, start = part * size;

	pthread_mutex_lock(&parts->lock);
	if (parts->complete && parts->total - start < size)
		size = parts->total - start;
	pthread_mutex_unlock(&parts->lock);
	return size;
}

char *part_tag(struct parts *parts, unsigned part)
{
	return parts->items[part].tag;
}

uint8_t *part_md5(struct parts *parts, unsigned part)
{
	return parts->items[part].md5;
}

static ssize_t read_file(struct parts *parts, uint64_t offset, uint8_t *to, size_t size)
{
	bool complete = parts_are_complete(parts, &(uint64_t){ 0 });
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(
			parts->options.fd, to + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		/* A hole at the end of a file that still grows. */
		if (n == 0 && !complete) {
			memset(to + done, 0, size - done);
			return (ssize_t)size;
		}
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t part_read(struct parts *parts, unsigned part, uint64_t at, void *to, size_t size)
{
	uint64_t left = part_size(parts, part) - at;

	if (size > left)
		size = (size_t)left;
	if (parts->options.fd >= 0)
		return read_file(parts, part_offset(parts, part) + at, to, size);
	if (parts->items[part].bytes)
		memcpy(to, parts->items[part].bytes + at, size);
	else
		memset(to, 0, size);
	return (ssize_t)size;
}

/* Lets go of all parts in front of one. */
static void drop_before(struct parts *parts, unsigned part)
{
	while (part-- && parts->items[part].state != PART_DONE) {
		parts->items[part].state = PART_DONE;
		put_buffer(parts, &parts->items[part]);
	}
	pthread_cond_broadcast(&parts->changed);
}

ssize_t parts_stream(struct parts *parts, uint64_t offset, void *to, size_t size)
{
	unsigned part = (unsigned)(offset / parts->options.part_size);
	bool ended, over, held;

	pthread_mutex_lock(&parts->lock);
	while (!is_over(parts) && !is_settled(parts, part) && !parts->complete)
		wait_for_change(parts);
	over = is_over(parts);
	ended = parts->complete && offset >= parts->total;
	held = !ended && (parts->items[part].state != PART_DONE || parts->options.fd >= 0);
	if (!over && held)
		drop_before(parts, part);
	pthread_mutex_unlock(&parts->lock);
	if (over)
		return -1;
	if (ended)
		return 0;
	return held ? part_read(parts, part, offset - part_offset(parts, part), to, size) : -1;
}

void parts_fail(struct parts *parts)
{
	pthread_mutex_lock(&parts->lock);
	parts->failed = true;
	pthread_cond_broadcast(&parts->changed);
	pthread_mutex_unlock(&parts->lock);
}

bool parts_failed(struct parts *parts)
{
	bool failed;

	pthread_mutex_lock(&parts->lock);
	failed = parts->failed;
	pthread_mutex_unlock(&parts->lock);
	return failed;
}

bool parts_lack_memory(struct parts *parts)
{
	bool lack;

	pthread_mutex_lock(&parts->lock);
	lack = parts->no_memory;
	pthread_mutex_unlock(&parts->lock);
	return lack;
}

unsigned parts_count(struct parts *parts)
{
	return (unsigned)((parts->total + parts->options.part_size - 1) / parts->options.part_size);
}

bool parts_are_complete(struct parts *parts, uint64_t *total)
{
	bool complete;

	pthread_mutex_lock(&parts->lock);
	complete = parts->complete;
	*total = parts->total;
	pthread_mutex_unlock(&parts->lock);
	return complete;
}
