/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AWS Signature Version 4, by headers. libcurl has one, which signs wrongly in one way or another
 * before 8.14; this one is the same everywhere. Described at
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
#ifndef CLIENT_UPLOAD_SIGV4_H
#define CLIENT_UPLOAD_SIGV4_H

#include <time.h>

#include "client/upload/lines.h"

struct sigv4 {
	const char *access_key, *secret_key;
	const char *session_token; /* NULL if there is none */
	const char *region, *service;
};

/* "20130524T000000Z": the first eight are the day. */
enum { SIGV4_TIME_SIZE = 17 };
char *sigv4_time(char text[SIGV4_TIME_SIZE], time_t now);

/*
 * What is signed: the request in the form that both sides derive. path is percent-encoded already;
 * query is as in the URL, in any order, NULL if there is none. headers are lines of "Name: value"
 * in any order and case. From the heap; NULL without memory.
 */
char *sigv4_canonical(const char *method, const char *path, const char *query,
	const struct lines *headers, const char *payload_hash);

/*
 * Signs all headers that are there, "Host:" among them, and adds Authorization. The lines
 * x-amz-date (and whatever else is to be signed) are the caller's to add before. Without memory,
 * headers->failed is set.
 */
void sigv4_sign(const struct sigv4 *sigv4, const char *time, const char *method, const char *path,
	const char *query, struct lines *headers, const char *payload_hash);

#endif
