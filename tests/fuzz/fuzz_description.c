// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The target description: XML and what that includes. An input has the annexes in the order in
 * which they are asked for, with a line "%%" between two; what is asked for behind the last one
 * does not come.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/talk.h"

static const char separator[] = "\n%%\n";

/* What a stub that is asked one thing after the other says before that. */
static const char before[] = "PacketSize=10000;qXfer:features:read+;multiprocess+\n"
			     "T05thread:p01.01;\n"
			     "\n";

static uint8_t *put_annexes(const uint8_t *data, size_t size, size_t *used)
{
	size_t room = sizeof(before) + 3 * size + 16, at = 0;
	uint8_t *lines = malloc(room);

	CHECK(lines);
	*used = sizeof(before) - 1;
	memcpy(lines, before, *used);
	while (at < size) {
		const uint8_t *end = memmem(data + at, size - at, separator, sizeof(separator) - 1);
		size_t length = end ? (size_t)(end - (data + at)) : size - at;

		*used = fuzz_talk_put(lines, *used, room, 'l', data + at, length);
		at += length + (end ? sizeof(separator) - 1 : 0);
	}
	return lines;
}

static void check_description(const struct rsp_description *description)
{
	CHECK(description->count <= RSP_REGISTERS_MAX);
	CHECK(memchr(description->architecture, '\0', RSP_NAME_MAX));
	for (const char *c = description->architecture; *c; c++)
		CHECK(*c > ' ' && *c < 0x7f);
	for (size_t i = 0; i < description->count; i++) {
		const struct rsp_register *which = &description->registers[i];

		CHECK(memchr(which->name, '\0', RSP_NAME_MAX));
		CHECK(which->bits && which->bits <= RSP_REGISTER_BITS_MAX);
		CHECK(i == 0 || which[-1].number <= which->number);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rsp_description description;
	struct fuzz_talk talk;
	size_t used;
	uint8_t *lines = put_annexes(data, size, &used);

	fuzz_talk_start(&talk, lines, used);
	CHECK(rsp_open(talk.rsp, talk.target) == 0);
	if (rsp_read_description(talk.rsp, &description))
		fuzz_check_failure(talk.rsp);
	else
		check_description(&description);
	rsp_description_deinit(&description);
	fuzz_talk_end(&talk, RSP_STAY);
	free(lines);
	return 0;
}
