// SPDX-License-Identifier: GPL-2.0-or-later
/* A server's answer: headers, and behind an empty line a body of XML. */
#include <stdlib.h>
#include <string.h>

#include "client/upload/http.h"
#include "client/upload/xml.h"
#include "tests/fuzz/fuzz.h"

static const char *const headers[] = { "ETag", "Location", "Upload-Offset", "Range", "X" };
static const char *const elements[] = { "UploadId", "Code", "ETag", "Name", "a" };

static void try_header(const struct response *response, const char *name, size_t room)
{
	/* Of just the size, so that one byte more is noticed. */
	char *value = malloc(room);

	CHECK(value);
	if (!http_header(response, name, value, room))
		CHECK(!value[0]);
	CHECK(memchr(value, '\0', room));
	for (const char *c = value; *c; c++)
		CHECK((unsigned char)*c >= ' ' && *c != 0x7f);
	free(value);
}

/* All elements of that name: the search goes on, and ends. */
static void try_element(const char *body, const char *name, size_t room)
{
	char *text = malloc(room);
	const char *at = body, *next;

	CHECK(text);
	while ((next = xml_text(at, name, text, room))) {
		CHECK(next > at && *next == '<');
		CHECK(memchr(text, '\0', room));
		CHECK(!strchr(" \t\r\n", text[0]) || !text[0]);
		at = next;
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	char *body = strstr(text, "\n\n");
	struct response response = { .headers = text };

	if (body) {
		body[1] = '\0';
		body += 2;
	}
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		try_header(&response, headers[i], 4);
		try_header(&response, headers[i], 8192);
	}
	for (size_t i = 0; body && i < sizeof(elements) / sizeof(elements[0]); i++) {
		try_element(body, elements[i], 8);
		try_element(body, elements[i], 1024);
	}
	free(text);
	return 0;
}
