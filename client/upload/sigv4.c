// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/upload/sigv4.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/upload/digest.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

char *sigv4_time(char text[SIGV4_TIME_SIZE], time_t now)
{
	struct tm tm;

	gmtime_r(&now, &tm);
	if (!strftime(text, SIGV4_TIME_SIZE, "%Y%m%dT%H%M%SZ", &tm))
		text[0] = '\0';
	return text;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* By name, then by value: a blank or a "=" in a name would be encoded, so bytes decide rightly. */
static int compare_items(const void *a, const void *b)
{
	const char *left = *(char *const *)a, *right = *(char *const *)b;
	size_t left_name = strcspn(left, "="), right_name = strcspn(right, "=");
	size_t shorter = left_name < right_name ? left_name : right_name;
	int order = strncmp(left, right, shorter);

	if (order)
		return order;
	if (left_name != right_name)
		return left_name < right_name ? -1 : 1;
	return strcmp(left, right);
}

/* The items of a query in order, each with its "=". Returns 0; -1 if one was left out. */
static int print_query(FILE *to, const char *query)
{
	struct lines items = { .count = 0 };
	bool failed;

	while (query && *query) {
		size_t item = strcspn(query, "&");

		if (item)
			lines_add(&items, "%.*s%s", (int)item, query,
				memchr(query, '=', item) ? "" : "=");
		query += item + (query[item] == '&');
	}
	qsort(items.items, items.count, sizeof(items.items[0]), compare_items);
	for (size_t i = 0; i < items.count; i++)
		fprintf(to, "%s%s", i ? "&" : "", items.items[i]);
	failed = items.failed;
	lines_deinit(&items);
	return failed ? -1 : 0;
}

/* "name:value" of each: names in lower case, values without outer blanks and with single ones. */
static void canonical_headers(const struct lines *headers, struct lines *canonical)
{
	for (size_t i = 0; i < headers->count; i++) {
		const char *line = headers->items[i];
		size_t name = strcspn(line, ":");
		char *text = malloc(strlen(line) + 2);
		char *to = text;
		bool blank = false;

		if (!text || !line[name]) {
			canonical->failed |= !text;
			free(text);
			continue;
		}
		for (size_t j = 0; j < name; j++)
			*to++ = (char)tolower((unsigned char)line[j]);
		*to++ = ':';
		for (const char *c = line + name + 1; *c; c++) {
			if (*c == ' ' || *c == '\t') {
				blank = true;
				continue;
			}
			if (blank && to[-1] != ':')
				*to++ = ' ';
			blank = false;
			*to++ = *c;
		}
		*to = '\0';
		lines_add(canonical, "%s", text);
		free(text);
	}
	qsort(canonical->items, canonical->count, sizeof(canonical->items[0]), compare_strings);
}

/* fclose() tells of what it writes itself only. Returns 0, or -1 if some of the text is missing. */
static int close_text(FILE *to)
{
	bool failed = ferror(to);

	return fclose(to) || failed ? -1 : 0;
}

static void print_names(FILE *to, const struct lines *canonical)
{
	for (size_t i = 0; i < canonical->count; i++)
		fprintf(to, "%s%.*s", i ? ";" : "", (int)strcspn(canonical->items[i], ":"),
			canonical->items[i]);
}

char *sigv4_canonical(const char *method, const char *path, const char *query,
	const struct lines *headers, const char *payload_hash)
{
	struct lines canonical = { .count = 0 };
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	canonical_headers(headers, &canonical);
	fprintf(to, "%s\n%s\n", method, path);
	if (print_query(to, query))
		canonical.failed = true;
	fputc('\n', to);
	for (size_t i = 0; i < canonical.count; i++)
		fprintf(to, "%s\n", canonical.items[i]);
	fputc('\n', to);
	print_names(to, &canonical);
	fprintf(to, "\n%s", payload_hash);
	if (close_text(to) || canonical.failed) {
		free(text);
		text = NULL;
	}
	lines_deinit(&canonical);
	return text;
}

static void sign_text(const struct sigv4 *sigv4, const char *time, const char *text,
	char signature[DIGEST_HEX_SIZE])
{
	uint8_t key[SHA256_SIZE];
	char secret[256];

	snprintf(secret, sizeof(secret), "AWS4%s", sigv4->secret_key);
	hmac_sha256(secret, strlen(secret), time, 8, key);
	hmac_sha256(key, sizeof(key), sigv4->region, strlen(sigv4->region), key);
	hmac_sha256(key, sizeof(key), sigv4->service, strlen(sigv4->service), key);
	hmac_sha256(key, sizeof(key), "aws4_request", strlen("aws4_request"), key);
	hmac_sha256(key, sizeof(key), text, strlen(text), key);
	hex_text(signature, key, sizeof(key));
}

void sigv4_sign(const struct sigv4 *sigv4, const char *time, const char *method, const char *path,
	const char *query, struct lines *headers, const char *payload_hash)
{
	struct lines canonical = { .count = 0 };
	char *request = sigv4_canonical(method, path, query, headers, payload_hash);
	char *names = NULL, *text = NULL;
	char hex[DIGEST_HEX_SIZE], signature[DIGEST_HEX_SIZE];
	uint8_t digest[SHA256_SIZE];
	size_t size;
	FILE *to = open_memstream(&names, &size);

	if (to) {
		canonical_headers(headers, &canonical);
		print_names(to, &canonical);
		if (close_text(to))
			canonical.failed = true;
	}
	if (!request || !to || canonical.failed) {
		headers->failed = true;
		goto out;
	}
	sha256_of(request, strlen(request), digest);
	if (asprintf(&text, ALGORITHM "\n%s\n%.8s/%s/%s/aws4_request\n%s", time, time,
		    sigv4->region, sigv4->service, hex_text(hex, digest, sizeof(digest))) < 0) {
		text = NULL;
		headers->failed = true;
		goto out;
	}
	sign_text(sigv4, time, text, signature);
	lines_add(headers,
		"Authorization: " ALGORITHM
		" Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s",
		sigv4->access_key, time, sigv4->region, sigv4->service, names, signature);
out:
	lines_deinit(&canonical);
	free(request);
	free(names);
	free(text);
}
