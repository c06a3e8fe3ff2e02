// SPDX-License-Identifier: GPL-2.0-or-later
/* An upload's URL and headers, as text and out of a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/upload/address.h"
#include "tests/fuzz/fuzz.h"

/* No line can end early, begin another header, or be one that is ours to say. */
static void check_headers(const struct lines *headers)
{
	CHECK(headers->count <= LINES_MAX);
	for (size_t i = 0; i < headers->count; i++) {
		const char *line = headers->items[i];
		const char *colon = strchr(line, ':');

		CHECK(colon && colon > line && strlen(line) <= LINE_SIZE_MAX);
		CHECK(!strpbrk(line, "\r\n"));
		CHECK(strncasecmp(line, "Content-Length:", 15) != 0);
		CHECK(strncasecmp(line, "Transfer-Encoding:", 18) != 0);
	}
}

static void try_headers(const char *text)
{
	struct lines headers = { .count = 0 };
	struct error error;

	if (headers_read(text, &headers, &error))
		fuzz_check_line(error.text, sizeof(error.text));
	check_headers(&headers);
	lines_deinit(&headers);
}

static void try_address(const char *text)
{
	struct error error;
	char *address = address_read(text, &error);

	if (!address)
		fuzz_check_line(error.text, sizeof(error.text));
	else if (text[0] == '@')
		CHECK(!strpbrk(address, " \t\r\n"));
	free(address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	char path[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	/* The name of a file is not the input's to say: it might be one of a terminal. */
	if (text[0] != '@') {
		try_address(text);
		try_headers(text);
	}
	CHECK(fd >= 0);
	CHECK(!size || write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "@/proc/self/fd/%d", fd);
	try_address(path);
	try_headers(path);
	close(fd);
	free(text);
	return 0;
}
