// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/iomem.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "layout/digits.h"

struct line {
	uint64_t first, last;
	const char *name;
	size_t name_length;
};

/* Takes the next line apart and moves *text behind it. */
static int read_line(const char **text, struct line *line, struct error *error)
{
	const char *at = *text;
	size_t length = strcspn(at, "\n");

	*text = at + length + (at[length] == '\n');
	at += strspn(at, " ");
	if (!read_digits(&at, 16, &line->first) || *at++ != '-' ||
		!read_digits(&at, 16, &line->last) || strncmp(at, " : ", 3) != 0)
		return error_set(error, "not START-END : NAME");
	line->name = at + 3;
	line->name_length = strcspn(line->name, "\r\n");
	if (line->last < line->first)
		return error_set(error, "ends before it begins");
	return 0;
}

static bool is_ram(const struct line *line)
{
	static const char ram[] = "System RAM";
	size_t length = strlen(ram);

	return line->name_length >= length && strncmp(line->name, ram, length) == 0 &&
	       (line->name_length == length || line->name[length] == ' ');
}

/* To whom it hides the addresses, the kernel prints all of them as 0. */
static bool is_hidden(const struct line *line)
{
	return line->first == 0 && line->last == 0;
}

static int add_ram(struct ranges *ram, const struct line *line, struct error *error)
{
	if (line->first < ranges_end(ram))
		return error_set(error,
			"RAM at 0x%" PRIx64 "-0x%" PRIx64
			" overlaps what is above, or is out of order",
			line->first, line->last);
	if (line->last < RANGE_ADDRESS_MAX &&
		ranges_add(ram, line->first, line->last - line->first + 1) == 0)
		return 0;
	if (ram->no_memory)
		return error_no_memory(error);
	return error_set(error, "RAM at 0x%" PRIx64 " is too far up, or one too many", line->first);
}

int iomem_parse(const char *text, struct ranges *ram, struct error *error)
{
	unsigned long number = 0, hidden = 0;

	while (*text) {
		bool empty = text[strspn(text, " \r")] == '\n' || !text[strspn(text, " \r")];
		struct line line = { 0 };

		number++;
		if (empty) {
			text += strcspn(text, "\n");
			text += *text == '\n';
			continue;
		}
		if (read_line(&text, &line, error))
			return error_prefix(error, "line %lu", number);
		if (is_ram(&line) && is_hidden(&line))
			hidden++;
		else if (is_ram(&line) && add_ram(ram, &line, error))
			return error->no_memory ? -1 : error_prefix(error, "line %lu", number);
	}
	if (hidden)
		return error_set(
			error, "the addresses are hidden: /proc/iomem shows them to root only");
	return ram->count ? 0 : error_set(error, "no \"System RAM\" in it");
}
