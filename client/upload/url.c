// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/upload/url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/upload/lines.h"

static int check_text(const char *text, struct error *error)
{
	if (strlen(text) > URL_SIZE_MAX)
		return error_set(error, "the URL is longer than %d bytes", URL_SIZE_MAX);
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return error_set(error,
				"the URL has a blank or a control character in it (%%20 is a blank)");
	if (strchr(text, '#'))
		return error_set(error, "the URL has a fragment (%%23 is a #)");
	return 0;
}

int url_parse(struct url *url, const char *text, struct error *error)
{
	const char *separator = strstr(text, "://");
	size_t scheme = separator ? (size_t)(separator - text) : 0;
	size_t host;
	char *rest, *query;

	*url = (struct url){ .buffer = NULL };
	if (check_text(text, error))
		return -1;
	if (!scheme || strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789+.-") != scheme)
		return error_set(error, "this is no URL: it does not begin with https:// or such");
	host = strcspn(separator + 3, "/?");
	if (!host)
		return error_set(error, "the URL names no host");
	if (memchr(separator + 3, '@', host))
		return error_set(error,
			"the URL has a user or a password in it, which others can see: put them into "
			"~/.netrc, or a header into a file for --header @FILE");
	/* Two NULs more than the text has, and a slash. */
	url->buffer = malloc(strlen(text) + 4);
	if (!url->buffer)
		return error_no_memory(error);
	memcpy(url->buffer, text, scheme);
	url->buffer[scheme] = '\0';
	for (char *c = url->buffer; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	url->scheme = url->buffer;
	rest = url->buffer + scheme + 1;
	memcpy(rest, separator + 3, host);
	rest[host] = '\0';
	url->authority = rest;
	rest += host + 1;
	text = separator + 3 + host;
	snprintf(rest, strlen(text) + 2, "%s%s", *text == '/' ? "" : "/", text);
	query = strchr(rest, '?');
	if (query)
		*query++ = '\0';
	url->path = rest;
	url->query = query && *query ? query : NULL;
	return 0;
}

void url_deinit(struct url *url)
{
	free(url->buffer);
	*url = (struct url){ .buffer = NULL };
}

static char *join(const struct url *url, const char *scheme, const char *query, const char *more)
{
	return text_make("%s://%s%s%s%s%s%s", scheme ? scheme : url->scheme, url->authority,
		url->path, query || more ? "?" : "", query ? query : "", query && more ? "&" : "",
		more ? more : "");
}

char *url_text(const struct url *url, const char *scheme)
{
	return join(url, scheme, url->query, NULL);
}

char *url_shown(const struct url *url)
{
	return join(url, NULL, NULL, NULL);
}

char *url_with_query(const struct url *url, const char *scheme, const char *more)
{
	return join(url, scheme, url->query, more);
}

const char *url_query_value(const struct url *url, const char *name, size_t *size)
{
	size_t length = strlen(name);

	for (const char *at = url->query; at && *at;) {
		size_t item = strcspn(at, "&");

		if (item > length && at[length] == '=' && strncmp(at, name, length) == 0) {
			*size = item - length - 1;
			return at + length + 1;
		}
		at += item + (at[item] == '&');
	}
	return NULL;
}

bool url_is_signed(const struct url *url)
{
	static const char *const names[] = { "X-Amz-Signature", "X-Goog-Signature", "Signature",
		"sig" };
	size_t size;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (url_query_value(url, names[i], &size))
			return true;
	return false;
}

char *url_follow(const char *from, const char *location)
{
	const char *host = strstr(from, "://");
	size_t origin;

	if (!host || strlen(location) > URL_SIZE_MAX)
		return NULL;
	if (strncasecmp(location, "http://", 7) == 0 || strncasecmp(location, "https://", 8) == 0)
		return strdup(location);
	/* "//host/path" leads to another host, with the same scheme. */
	if (location[0] == '/' && location[1] == '/')
		return text_make("%.*s%s", (int)(host + 1 - from), from, location);
	origin = (size_t)(host + 3 - from) + strcspn(host + 3, "/?");
	if (location[0] == '/')
		return text_make("%.*s%s", (int)origin, from, location);
	/* A name beside the one that was asked for. */
	size_t path = origin + strcspn(from + origin, "?");

	while (path > origin && from[path - 1] != '/')
		path--;
	if (path == origin)
		return text_make("%.*s/%s", (int)origin, from, location);
	return text_make("%.*s%s", (int)path, from, location);
}

/* The scheme and the host with its port, where the port need not be told. */
static bool split_origin(const char *text, bool *tls, const char **host, size_t *host_size,
	const char **port, size_t *port_size)
{
	const char *authority = strstr(text, "://");
	size_t size;

	if (!authority)
		return false;
	*tls = strncasecmp(text, "https:", 6) == 0;
	authority += 3;
	size = strcspn(authority, "/?#");
	*host = authority;
	*host_size = size;
	*port = *tls ? "443" : "80";
	*port_size = strlen(*port);
	for (size_t i = size; i > 0 && authority[i - 1] != ']'; i--)
		if (authority[i - 1] == ':') {
			*host_size = i - 1;
			if (i < size) {
				*port = authority + i;
				*port_size = size - i;
			}
			break;
		}
	return true;
}

bool url_same_host(const char *a, const char *b)
{
	const char *host_a, *host_b, *port_a, *port_b;
	size_t host_a_size, host_b_size, port_a_size, port_b_size;
	bool tls_a, tls_b;

	if (!split_origin(a, &tls_a, &host_a, &host_a_size, &port_a, &port_a_size) ||
		!split_origin(b, &tls_b, &host_b, &host_b_size, &port_b, &port_b_size))
		return false;
	return tls_a == tls_b && host_a_size == host_b_size && port_a_size == port_b_size &&
	       strncasecmp(host_a, host_b, host_a_size) == 0 &&
	       strncmp(port_a, port_b, port_a_size) == 0;
}

char *url_encode(const char *text, bool keep_slashes)
{
	char *encoded = malloc(3 * strlen(text) + 1);
	char *to = encoded;

	if (!encoded)
		return NULL;
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		bool plain = (*c < 0x80 && isalnum(*c)) || strchr("-._~", *c) ||
		             (*c == '/' && keep_slashes);

		if (plain)
			*to++ = (char)*c;
		else
			to += sprintf(to, "%%%02X", *c);
	}
	*to = '\0';
	return encoded;
}

char *url_redact(const char *text)
{
	/* A query becomes no more than three dots longer than nothing. */
	char *shown = malloc(4 * strlen(text) + 1);
	char *to = shown;
	bool in_url = false;

	if (!shown)
		return NULL;
	while (*text) {
		if (strncmp(text, "://", 3) == 0)
			in_url = true;
		else if (strchr(" \t\r\n\"'<>", *text))
			in_url = false;
		if (in_url && *text == '?') {
			to = stpcpy(to, "?...");
			text += strcspn(text, " \t\r\n\"'<>");
			in_url = false;
			continue;
		}
		*to++ = *text++;
	}
	*to = '\0';
	return shown;
}

bool header_is_harmless(const char *line)
{
	static const char *const names[] = {
		"Accept",
		"Content-Length",
		"Content-MD5",
		"Content-Range",
		"Content-Type",
		"DAV",
		"Date",
		"Destination",
		"ETag",
		"Expect",
		"Host",
		"If-None-Match",
		"Overwrite",
		"Range",
		"Retry-After",
		"Server",
		"Tus-Extension",
		"Tus-Max-Size",
		"Tus-Resumable",
		"Tus-Version",
		"Upload-Defer-Length",
		"Upload-Length",
		"Upload-Offset",
		"User-Agent",
		"X-Checksum-Sha1",
		"X-Checksum-Sha256",
		"x-amz-content-sha256",
		"x-amz-date",
		"x-amz-request-id",
		"x-goog-resumable",
		"x-ms-blob-type",
		"x-ms-version",
	};
	size_t length = strcspn(line, ": \r\n");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == length && strncasecmp(names[i], line, length) == 0)
			return true;
	return false;
}
