// SPDX-License-Identifier: GPL-2.0-or-later
/* The threads that send, what they are given, and how it ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/interrupt.h"
#include "client/upload/store.h"
#include "layout/flat.h"

enum {
	HASH_AT_ONCE = 1 << 20,
	LOOK_EVERY_US = 50000,
	/* What a growing file's writer may hold back; twice that. */
	BEHIND = 2 << 20,
};

static void send_parts(struct upload *upload, struct http *http)
{
	struct failure failure = { .status = STATUS_DONE };
	long part;

	while ((part = parts_claim(upload->parts)) >= 0) {
		if (upload_try(upload, http, upload->store->put, (unsigned)part, &failure)) {
			upload_note_failure(upload, &failure);
			return;
		}
		record_part(upload, (unsigned)part);
	}
}

static void send_all(struct upload *upload, struct http *http)
{
	struct failure failure = { .status = STATUS_DONE };

	if (upload_try(upload, http, upload->store->put, 0, &failure))
		upload_note_failure(upload, &failure);
}

static void *run_sender(void *ctx)
{
	struct upload *upload = ctx;
	struct http *http = http_create(&upload->http_options);
	struct failure failure = { .status = STATUS_DONE };

	if (!http) {
		fail(&failure, STATUS_FAILED, "no memory");
		upload_note_failure(upload, &failure);
	} else if (upload->store->whole) {
		send_all(upload, http);
	} else {
		send_parts(upload, http);
	}
	http_destroy(http);
	__atomic_add_fetch(&upload->ended, 1, __ATOMIC_RELEASE);
	return NULL;
}

static int start_threads(struct upload *upload, struct failure *failure)
{
	unsigned count = upload->store->any_order ? PARTS_IN_FLIGHT : 1;

	while (upload->thread_count < count) {
		if (pthread_create(
			    &upload->threads[upload->thread_count], NULL, run_sender, upload))
			return fail(failure, STATUS_FAILED, "cannot start a thread");
		upload->thread_count++;
	}
	return 0;
}

static void join_threads(struct upload *upload)
{
	while (upload->thread_count)
		pthread_join(upload->threads[--upload->thread_count], NULL);
}

int upload_make_parts(struct upload *upload, const struct upload_source *source, uint64_t part_size,
	struct failure *failure)
{
	const struct parts_options options = {
		.part_size = part_size,
		.any_order = upload->store->any_order,
		.rewrites = source->rewrites && upload->store->any_order,
		.fd = source->fd,
		.behind = source->fd >= 0 ? BEHIND : 0,
		.cancelled = upload_is_cancelled,
		.ctx = upload,
	};

	upload->parts = parts_create(&options);
	return upload->parts ? 0 : fail(failure, STATUS_FAILED, "no memory");
}

/* Of a file, while the threads send: what was written a moment ago is in memory still. */
int upload_hash_file(struct upload *upload, struct progress *progress, struct failure *failure)
{
	uint8_t *bytes = malloc(HASH_AT_ONCE);
	uint8_t digest[SHA256_SIZE];
	struct sha256 sha256;
	uint64_t at = 0;

	if (!bytes)
		return fail(failure, STATUS_FAILED, "no memory");
	sha256_begin(&sha256);
	while (at < upload->total && !upload_is_cancelled(upload) &&
		!(upload->parts && parts_failed(upload->parts))) {
		ssize_t n = pread(upload->fd, bytes, HASH_AT_ONCE, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		sha256_add(&sha256, bytes, (size_t)n);
		at += (uint64_t)n;
		if (progress)
			progress_update(progress, upload_sent(upload));
	}
	sha256_end(&sha256, digest);
	free(bytes);
	if (at == upload->total)
		hex_text(upload->sha256, digest, sizeof(digest));
	return 0;
}

/* ---- what of a growing core can be sent at once ---------------------------------------------- */

static bool can_send_at_once(const struct upload *upload, const struct upload_source *source)
{
	if (!source->growing || source->fd < 0 || upload->store->any_order)
		return true;
	return source->appended && source->size;
}

int upload_start(struct upload *upload, const struct upload_source *source, struct failure *failure)
{
	upload->fd = source->fd;
	upload->most = source->most;
	if (source->size)
		upload->total = source->size;
	if (!can_send_at_once(upload, source)) {
		upload->deferred = true;
		return 0;
	}
	if (source->path) {
		if (upload_begin_or_continue(upload, source, failure))
			return -1;
		upload->complete = true;
	} else if (upload_make_parts(upload, source, part_size_for(source->most), failure) ||
		   upload_begin(upload, failure)) {
		return -1;
	}
	upload->started = true;
	return start_threads(upload, failure);
}

void upload_grown(struct upload *upload, uint64_t size, bool zeros)
{
	if (upload->started)
		parts_append(upload->parts, zeros ? NULL : "", size);
}

void upload_replaced(struct upload *upload, uint64_t offset, uint64_t size)
{
	struct failure failure = { .status = STATUS_DONE };

	if (!upload->started || !parts_replace(upload->parts, offset, NULL, size))
		return;
	fail(&failure, STATUS_UPLOAD, "%s: a part that was sent already had to change",
		upload->shown);
	upload_note_failure(upload, &failure);
}

static int complete_file(struct upload *upload, const char *path, struct failure *failure)
{
	struct upload_source source = { .fd = upload->fd, .path = path };
	struct stat core;

	if (fstat(upload->fd, &core))
		return fail(failure, STATUS_UPLOAD, "%s: %s", path, strerror(errno));
	source.size = source.most = (uint64_t)core.st_size;
	if (upload->deferred) {
		upload->deferred = false;
		return upload_start(upload, &source, failure);
	}
	if (upload->store->whole && upload->total != source.size)
		return fail(failure, STATUS_UPLOAD, "%s has another size than was announced", path);
	upload->total = source.size;
	parts_complete(upload->parts, source.size);
	record_begin(upload, path, part_size_for(upload->most));
	return 0;
}

int upload_complete(struct upload *upload, const char *path, struct failure *failure)
{
	uint8_t digest[SHA256_SIZE];

	if (path && complete_file(upload, path, failure)) {
		upload_note_failure(upload, failure);
		return -1;
	}
	if (!path) {
		if (upload->flat && flat_finish(upload->flat))
			return fail(failure, STATUS_UPLOAD, "%s", upload->failure.text);
		if (upload->store->whole && upload->total != BODY_UNKNOWN &&
			upload->total != upload->size)
			return fail(failure, STATUS_UPLOAD,
				"%s: the core has another size than was announced", upload->shown);
		if (parts_sha256(upload->parts, digest))
			hex_text(upload->sha256, digest, sizeof(digest));
		upload->total = upload->size;
		parts_complete(upload->parts, upload->size);
	}
	upload->complete = true;
	return 0;
}

/* ---- the end --------------------------------------------------------------------------------- */

static int compare(struct upload *upload, struct failure *failure)
{
	if (!upload->answered[0] || !upload->sha256[0])
		return 0;
	if (strcmp(upload->answered, upload->sha256) != 0)
		return fail(failure, STATUS_UPLOAD,
			"%s: the store has something else: its SHA-256 is %s and not %s",
			upload->shown, upload->answered, upload->sha256);
	upload->verified = true;
	return 0;
}

/* The store keeps parts, and asks money for them, until somebody says that they are not wanted. */
static void give_up(struct upload *upload)
{
	struct failure ignored = { .status = STATUS_DONE };

	upload->closing = true;
	__atomic_store_n(&upload->cancelled, false, __ATOMIC_RELAXED);
	if (upload->hopeless)
		record_forget(upload);
	if (upload->begun && !upload->done && upload->record < 0 && upload->store->give_up)
		upload_try(upload, upload->http, upload->store->give_up, 0, &ignored);
}

int upload_finish(struct upload *upload, struct progress *progress, struct failure *failure)
{
	unsigned threads = upload->thread_count;

	progress_start(progress, upload->total);
	if (upload->fd >= 0 && !upload->sha256[0] && upload_hash_file(upload, progress, failure))
		return -1;
	while (__atomic_load_n(&upload->ended, __ATOMIC_ACQUIRE) < threads) {
		progress_update(progress, upload_sent(upload));
		usleep(LOOK_EVERY_US);
	}
	join_threads(upload);
	progress_update(progress, upload_sent(upload));
	progress_clear(progress);
	if (upload_is_cancelled(upload) && !upload->failed) {
		fail(failure, STATUS_SIGNAL + interrupt_signal(), "interrupted");
		upload_note_failure(upload, failure);
	}
	if (upload_failed(upload, failure))
		return -1;
	if ((upload->store->finish &&
		    upload_try(upload, upload->http, upload->store->finish, 0, failure)) ||
		compare(upload, failure)) {
		upload_note_failure(upload, failure);
		return -1;
	}
	upload->done = true;
	record_forget(upload);
	return 0;
}

void upload_stop(struct upload *upload)
{
	__atomic_store_n(&upload->cancelled, true, __ATOMIC_RELAXED);
	if (upload->parts)
		parts_fail(upload->parts);
	join_threads(upload);
	if (upload->state)
		give_up(upload);
}
