/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One HTTP request and its answer, by libcurl, which no other file knows. A struct http keeps its
 * connection open for the next request, and belongs to one thread.
 *
 * Redirects are followed here and not by libcurl, which would take headers with tokens along to
 * another host. TLS is always verified; the CA is the system's or CURL_CA_BUNDLE's, SSL_CERT_DIR's
 * or SSL_CERT_FILE's. Proxies are those of the environment, passwords those of netrc.
 */
#ifndef CLIENT_UPLOAD_HTTP_H
#define CLIENT_UPLOAD_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "arch/error.h"
#include "client/upload/lines.h"

#define BODY_UNKNOWN UINT64_MAX

enum {
	HTTP_BODY_MAX = 64 << 10,    /* bytes of an answer that are kept */
	HTTP_HEADERS_MAX = 32 << 10, /* bytes of its headers */
	HTTP_REDIRECTS_MAX = 5,
};

/* What a request sends. */
struct body {
	uint64_t size; /* BODY_UNKNOWN: sent in chunks until read() returns 0 */
	/*
	 * Copies up to room bytes from offset on, waiting for at least one. 0 at the end, -1 if it
	 * cannot: all is called off, or what is there is no longer held.
	 */
	ssize_t (*read)(void *ctx, uint64_t offset, void *to, size_t room);
	void *ctx;
};

struct request {
	const char *method;
	const char *url;
	const struct lines *headers;
	const struct body *body; /* NULL: none, and no Content-Length */
	bool no_passwords;       /* of netrc: the request carries its own authority */
};

struct response {
	long status;          /* 0 if there was no answer */
	unsigned retry_after; /* seconds; 0 if the server did not say */
	bool again;           /* there was no answer, but may be next time */
	struct error error;   /* why there was none */
	char *headers;        /* lines that end with \n */
	size_t headers_size;
	char *body; /* NUL-terminated */
	size_t body_size;
};

struct http_options {
	unsigned connect_timeout, timeout; /* seconds: to connect; of silence */
	FILE *trace; /* NULL for none; requests and answers without their secrets */
	/* Whether all is called off; asked about once a second. */
	bool (*cancelled)(void *ctx);
	void *ctx;
};

struct http;

/* Once, before any thread. Returns 0 or -1. */
int http_init(void);

/* Whether this build has libcurl. */
bool http_is_built(void);

/* options stays the caller's and must outlive it. NULL without memory. */
struct http *http_create(const struct http_options *options);
void http_destroy(struct http *http); /* NULL accepted */

/* Returns 0 if an answer came, of whatever status; -1 if none. */
int http_send(struct http *http, const struct request *request);

/* What the last request brought, nothing if there was none; valid until the next one. */
const struct response *http_response(const struct http *http);

/* Makes it nothing: the next step may fail before it sends anything. */
void http_forget(struct http *http);

/*
 * The value of a header of the answer, copied to text, cut to room. False (and "") if there is
 * none.
 */
bool http_header(const struct response *response, const char *name, char *text, size_t room);

#endif
