/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The upload of a core. From a file, finished or still growing, which is read back; or without one,
 * through a sink. Threads of its own send; the caller's only waits where buffers are full, and at
 * the end.
 *
 *	upload = upload_open(options, url, failure);     asks the store, before a guest is stopped
 *	upload_start(upload, &source, failure);
 *	... upload_sink(), or upload_grown() and upload_replaced() as the file grows ...
 *	upload_complete(upload, path)
 *	upload_finish(upload, progress, failure);
 */
#ifndef CLIENT_UPLOAD_UPLOAD_H
#define CLIENT_UPLOAD_UPLOAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/json.h"
#include "client/options.h"
#include "client/progress.h"
#include "layout/sink.h"

struct upload;

/* Whether this build can upload at all. */
bool upload_is_built(void);

/* "put dav s3 azure tus gcs", for --version. */
const char *upload_store_names(void);

/* Whether the text is meant as a URL and not as a file's name. */
bool is_url(const char *text);

/*
 * Reads secrets from the environment, and asks the store whether the object exists. NULL if that or
 * the URL ("@FILE": what is in FILE) is no good.
 */
struct upload *upload_open(const struct options *options, const char *url, struct failure *failure);

/* Ends all that is under way, as if it had failed. NULL accepted. */
void upload_destroy(struct upload *upload);

/* What is known of a core before its first byte. */
struct upload_source {
	int fd;           /* of the file, or -1: it comes through the sink */
	bool growing;     /* the file is not finished */
	bool appended;    /* bytes never change once they are written */
	bool rewrites;    /* the format fills in zeros that it has appended */
	uint64_t size;    /* exactly, or 0 if it is not known */
	uint64_t most;    /* at most */
	const char *path; /* of a finished file; NULL else */
};

/* Whether parts may be replaced until the end: the sink then has write_at. */
bool upload_takes_rewrites(const struct upload *upload, const struct options *options);

/* Where the core is to go if there is no file. With write_at if upload_takes_rewrites(). */
struct sink *upload_sink(struct upload *upload);
bool upload_is_flattened(const struct upload *upload);

/* Begins at the store and starts the threads. A file that the store cannot take as it grows waits
 * for upload_complete(). Returns 0 or -1. */
int upload_start(
	struct upload *upload, const struct upload_source *source, struct failure *failure);

/* For a growing file: what was appended to it (zeros: it left room), what was replaced. */
void upload_grown(struct upload *upload, uint64_t size, bool zeros);
void upload_replaced(struct upload *upload, uint64_t offset, uint64_t size);

/*
 * All is written: to the sink, or to the file, which has its name by now (path; NULL without a
 * file). Returns 0 or -1.
 */
int upload_complete(struct upload *upload, const char *path, struct failure *failure);

/* Waits until it is at the store, showing progress, and compares. Returns 0 or -1. */
int upload_finish(struct upload *upload, struct progress *progress, struct failure *failure);

/* Why the upload failed, if it did: for a dump that failed because of it. */
bool upload_failed(struct upload *upload, struct failure *failure);

/* Whether an upload of a file that failed can be continued by `rspdump upload`. */
bool upload_can_continue(const struct upload *upload);

/* Bytes that were sent so far. */
uint64_t upload_sent(void *upload);

/* The URL as it may be shown; what was appended to the sink, in bytes. */
const char *upload_name(const struct upload *upload);
uint64_t upload_size(const struct upload *upload);

/* "url", "store", "bytes", "parts", "retries", "sha256" and so on, as members of an object. */
void upload_json(struct json *json, const struct upload *upload);
/* One line on where it went. */
void upload_tell(const struct options *options, const struct upload *upload);

#endif
