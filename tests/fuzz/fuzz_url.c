// SPDX-License-Identifier: GPL-2.0-or-later
/* URLs: a user's, and those that a server leads to. A line of its own behind the first is the
 * server's. */
#include <stdlib.h>
#include <string.h>

#include "client/upload/store.h"
#include "client/upload/url.h"
#include "tests/fuzz/fuzz.h"

/* Taken apart and put together, it is the same; and what is shown has no query. */
static void check_url(const struct url *url)
{
	struct url again;
	struct error error;
	char *text = url_text(url, NULL), *shown = url_shown(url);
	char *more = url_with_query(url, "https", "part=1");
	size_t size;

	CHECK(text && shown && more);
	CHECK(url->scheme[0] && url->authority[0] && url->path[0] == '/');
	CHECK(!strpbrk(url->authority, "/?#@") && !strchr(url->path, '?'));
	CHECK(!strchr(shown, '?'));
	CHECK(strncmp(text, shown, strlen(shown)) == 0);
	CHECK(url_parse(&again, text, &error) == 0 || strlen(text) > URL_SIZE_MAX);
	if (again.buffer) {
		CHECK(strcmp(again.scheme, url->scheme) == 0);
		CHECK(strcmp(again.authority, url->authority) == 0);
		CHECK(strcmp(again.path, url->path) == 0);
		CHECK(!again.query == !url->query);
		CHECK(!url->query || strcmp(again.query, url->query) == 0);
	}
	url_deinit(&again);
	CHECK(strncmp(more, "https://", 8) == 0 && strstr(more, "part=1"));
	CHECK(url_same_host(text, shown));
	if (url_query_value(url, "sig", &size))
		CHECK(url_is_signed(url));
	store_for(url);
	free(text);
	free(shown);
	free(more);
}

static void check_encoded(const char *text)
{
	char *encoded = url_encode(text, false), *path = url_encode(text, true);

	CHECK(encoded && path && strlen(path) <= strlen(encoded));
	for (const char *c = encoded; *c; c++)
		CHECK((*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') ||
			(*c >= 'a' && *c <= 'z') || strchr("-._~%", *c));
	free(encoded);
	free(path);
}

/* Nothing of a query is left, wherever in the text its URL is. */
static void check_redacted(const char *text)
{
	char *line = NULL, *redacted = url_redact(text);

	CHECK(redacted);
	free(redacted);
	CHECK(asprintf(&line, "see https://host/%s?sig=SECRET&x=SECRET", text) > 0);
	redacted = url_redact(line);
	/* A blank or a quote in the text ends the URL, so that what follows is the text's own. */
	if (!strpbrk(text, " \t\r\n\"'<>") && !strstr(text, "SECRET"))
		CHECK(!strstr(strstr(redacted, "://"), "SECRET"));
	free(line);
	free(redacted);
}

static void check_followed(const char *from, const char *location)
{
	char *to = url_follow(from, location);

	if (to) {
		CHECK(strstr(to, "://"));
		/* A path stays on the host. */
		if (location[0] == '/' && location[1] != '/')
			CHECK(url_same_host(from, to));
	}
	free(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	char *second = strchr(text, '\n');
	struct url url;
	struct error error;

	check_redacted(text);
	check_encoded(text);
	if (second)
		*second++ = '\0';
	if (url_parse(&url, text, &error)) {
		fuzz_check_line(error.text, sizeof(error.text));
	} else {
		check_url(&url);
		check_followed(text, second ? second : "");
		if (second)
			url_same_host(text, second);
	}
	url_deinit(&url);
	header_is_harmless(text);
	free(text);
	return 0;
}
