/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inner side of upload.h: what a store implements. A store is one file with one struct store
 * and a row in stores[]. All that holds for every store is done in upload.c and attempt.c: threads,
 * parts, retries, redirects, the record of how far it came.
 */
#ifndef CLIENT_UPLOAD_STORE_H
#define CLIENT_UPLOAD_STORE_H

#include "client/upload/http.h"
#include "client/upload/lines.h"
#include "client/upload/parts.h"
#include "client/upload/resume.h"
#include "client/upload/upload.h"
#include "client/upload/url.h"

enum outcome { OUTCOME_DONE, OUTCOME_AGAIN, OUTCOME_FAILED };

/* One try at one step of an upload. */
struct attempt {
	struct upload *upload;
	struct http *http;
	unsigned number; /* 0 for the first try */
	unsigned part;   /* the one to put, counted from 0 */
	/* Filled in for AGAIN and FAILED. */
	struct failure failure;
	unsigned retry_after; /* seconds; 0 if the server did not say */
};

struct store {
	const char *name; /* as --upload-as takes it */
	const char *title;
	bool any_order; /* parts in any order, several at once; replaced if sent again */
	bool whole;     /* put() sends all parts in one request */
	bool resumes;   /* recover() is there */
	size_t state_size;

	/* Reads the environment; upload->state is zeros. Returns 0 or -1. */
	int (*init)(struct upload *upload, struct failure *failure);
	void (*deinit)(struct upload *upload);
	/* Whether put() makes use of upload->sha256; NULL: never. */
	bool (*hashes_first)(const struct upload *upload);

	/* Steps. NULL: there is nothing to do. */
	enum outcome (*look)(struct attempt *attempt);  /* sets upload->exists */
	enum outcome (*begin)(struct attempt *attempt); /* may fill in upload->id */
	/*
	 * Asks what of the upload upload->id is there: parts_have(), upload->resumed_at. An upload
	 * that is gone: OUTCOME_DONE with upload->id empty.
	 */
	enum outcome (*recover)(struct attempt *attempt);
	enum outcome (*put)(struct attempt *attempt);    /* the part */
	enum outcome (*finish)(struct attempt *attempt); /* when all parts are there */
	enum outcome (*give_up)(struct attempt *attempt);
};

extern const struct store dav_store, put_store, s3_store, azure_store, tus_store, gcs_store;

/* By name; NULL if there is none. */
const struct store *store_find(const char *name);
/* By the shape of a URL; NULL if its scheme is none of a store. */
const struct store *store_for(const struct url *url);

struct upload {
	const struct options *options;
	const struct store *store;
	void *state; /* the store's */
	struct url url;
	char *shown;          /* the URL without its query */
	struct lines headers; /* --header */
	struct parts *parts;
	uint64_t total;      /* bytes; BODY_UNKNOWN as long as it is not known */
	uint64_t resumed_at; /* bytes that were there at the beginning */

	/* Not for stores. */
	struct http_options http_options;
	struct http *http;
	FILE *trace;   /* NULL if there is none */
	uint64_t sent; /* atomic: bytes of bodies, those of failed tries taken off */
	uint64_t size; /* what was appended to the sink */
	uint64_t most; /* bytes that the core may have */
	struct sink sink;
	struct flat *flat; /* in front of the sink; NULL where the core goes as it is */
	char *record_path;
	pthread_mutex_t lock; /* of record and failure */
	pthread_t threads[PARTS_IN_FLIGHT];
	unsigned thread_count;
	unsigned ended;   /* atomic: threads that have */
	unsigned retries; /* atomic */
	int fd;           /* of the file, or -1 */
	int record;       /* a descriptor of the file that tells how far it came, or -1 */
	bool failed, cancelled, closing;
	bool begun, started, deferred, complete, done;
	struct failure failure;

	/* The stores'. */
	bool is_signed; /* the URL carries its own authority */
	bool exists;
	bool hopeless;                  /* refused: there is nothing to continue */
	bool unconditional;             /* the server knows no If-None-Match */
	bool verified;                  /* the store's word agrees */
	char sha256[DIGEST_HEX_SIZE];   /* "" if not known (yet) */
	char answered[DIGEST_HEX_SIZE]; /* the store's word for it; "" if it has none */
	char id[RESUME_ID_SIZE];        /* what the store calls the upload */
};

/*
 * Sends a request and judges the answer: DONE for 2xx. Adds the user's headers where the URL is on
 * the store's own host. Frees headers (which may be NULL).
 */
enum outcome attempt_send(struct attempt *attempt, const char *method, const char *url,
	struct lines *headers, const struct body *body);

/* The status of the last answer, 0 if there was none. */
long attempt_status(const struct attempt *attempt);

/*
 * Whether there is something at the URL, for look(). Headers as for attempt_send(). Not all that
 * may write may read, so only a server that does not know us at all is believed.
 */
enum outcome attempt_look(struct attempt *attempt, const char *url, struct lines *headers);

/* For recover() of stores that take all in order: so many bytes are there. */
void parts_have_up_to(struct upload *upload, uint64_t bytes);

/* Fills in the failure; returns OUTCOME_FAILED. */
enum outcome attempt_fail(struct attempt *attempt, enum status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The object is there already, and may not be replaced. */
enum outcome attempt_exists(struct attempt *attempt);

/* Tries a step until it is done or it makes no sense to go on. Returns 0 or -1. */
int upload_try(struct upload *upload, struct http *http, enum outcome (*step)(struct attempt *),
	unsigned part, struct failure *failure);

/* The body of a part from the byte `skip` on; in use as long as both live. */
struct part_body {
	struct body body;
	struct upload *upload;
	unsigned part;
	uint64_t skip;
	uint64_t counted; /* of upload->sent */
};
void part_body_init(struct part_body *body, struct upload *upload, unsigned part, uint64_t skip);
/* All parts as one. */
void stream_body_init(struct part_body *body, struct upload *upload);
/* It did not arrive: takes it off what was sent. */
void part_body_undo(struct part_body *body);

/* A small body from memory. */
struct text_body {
	struct body body;
	const char *text;
};
void text_body_init(struct text_body *body, const char *text);

/* "If-None-Match: *" where nothing may be replaced and the server knows it. */
void add_condition(const struct upload *upload, struct lines *headers);

/* ---- what upload.c, record.c, send.c and sink.c share ---------------------------------------- */

/* The first failure is the one that counts; ends all senders. */
void upload_note_failure(struct upload *upload, const struct failure *failure);

/* Whether all is called off. */
bool upload_is_cancelled(void *ctx);

/* Ends the senders; what cannot be continued is given up at the store. */
void upload_stop(struct upload *upload);

/*
 * Begins an upload of the finished file at path, of so many bytes, or continues the one that a
 * record tells of. Makes the parts. Returns 0 or -1.
 */
int upload_begin_or_continue(
	struct upload *upload, const struct upload_source *source, struct failure *failure);
int upload_begin(struct upload *upload, struct failure *failure);
int upload_make_parts(struct upload *upload, const struct upload_source *source, uint64_t part_size,
	struct failure *failure);

/* From here on an upload of this file that breaks off can be continued. */
void record_begin(struct upload *upload, const char *path, uint64_t part_size);
/* The part is at the store. */
void record_part(struct upload *upload, unsigned part);
/* There is nothing to continue. */
void record_forget(struct upload *upload);

/* Computes upload->sha256 of the file, if it can be read to its end. progress may be NULL. */
int upload_hash_file(struct upload *upload, struct progress *progress, struct failure *failure);

#endif
