/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * URLs: taken apart, put together, and as they may be shown. The query of a URL is a secret
 * everywhere here, as presigned ones and SAS keep their signature there: what is shown or written
 * to a file has none.
 */
#ifndef CLIENT_UPLOAD_URL_H
#define CLIENT_UPLOAD_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "arch/error.h"

enum { URL_SIZE_MAX = 8 << 10 };

struct url {
	char *buffer;          /* what the others point into */
	const char *scheme;    /* in lower case: "https", "s3", "tus+https" */
	const char *authority; /* "host" or "host:port" */
	const char *path;      /* with its slash, as it was given; "/" if there was none */
	const char *query;     /* without its question mark; NULL if there is none */
};

/*
 * Takes a URL apart. Refused: control characters and blanks, no scheme or host, a user or a
 * password (which everybody sees in a list of processes), a fragment. Returns 0 or -1.
 */
int url_parse(struct url *url, const char *text, struct error *error);
void url_deinit(struct url *url);

/* From the heap, NULL without memory. scheme NULL: its own. */
char *url_text(const struct url *url, const char *scheme);
/* Without the query. */
char *url_shown(const struct url *url);
/* With name=value, or what else, behind the query that it has; NULL: nothing. */
char *url_with_query(const struct url *url, const char *scheme, const char *more);

/* The value of a name in the query, percent-encoded as it is there; length in *size. NULL if none.
 */
const char *url_query_value(const struct url *url, const char *name, size_t *size);

/* Whether the query has a signature: credentials beside it are an error for the server. */
bool url_is_signed(const struct url *url);

/*
 * Where a Location header leads from a URL: absolute, or a path on the same host. From the heap;
 * NULL without memory or if it is neither.
 */
char *url_follow(const char *from, const char *location);

/* Whether both have the same scheme, host and port: only then is one told another's secrets. */
bool url_same_host(const char *a, const char *b);

/* From the heap: all but A-Za-z0-9-._~, and slashes if those are kept, as %XX in upper case. */
char *url_encode(const char *text, bool keep_slashes);

/* A copy of text with the query of each URL in it replaced. From the heap. */
char *url_redact(const char *text);

/* Whether a header's value may be shown, and sent to another host: it is one of ours, and no
 * secret. line may be "Name: value". */
bool header_is_harmless(const char *line);

#endif
