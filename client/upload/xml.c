// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/upload/xml.h"

#include <string.h>

static const struct {
	const char *name;
	char means;
} entities[] = {
	{ "&quot;", '"' },
	{ "&amp;", '&' },
	{ "&apos;", '\'' },
	{ "&lt;", '<' },
	{ "&gt;", '>' },
	{ "&#34;", '"' },
};

static size_t decode(const char *from, char *to)
{
	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		size_t length = strlen(entities[i].name);

		if (strncmp(from, entities[i].name, length) == 0) {
			*to = entities[i].means;
			return length;
		}
	}
	*to = *from;
	return 1;
}

/* Behind "<NAME>", or "<prefix:NAME>". */
static const char *find_start(const char *from, const char *name)
{
	size_t length = strlen(name);

	while ((from = strchr(from, '<'))) {
		size_t tag = strcspn(++from, "<> /");
		const char *colon = memchr(from, ':', tag);
		size_t prefix = colon ? (size_t)(colon - from) + 1 : 0;

		if (from[tag] == '>' && tag - prefix == length &&
			strncmp(from + prefix, name, length) == 0)
			return from + tag + 1;
	}
	return NULL;
}

const char *xml_text(const char *from, const char *name, char *text, size_t room)
{
	size_t size = 0;

	while ((from = find_start(from, name))) {
		const char *end = strchr(from, '<');

		if (!end)
			return NULL;
		from += strspn(from, " \t\r\n");
		size = 0;
		while (from < end && size + 1 < room)
			from += decode(from, &text[size++]);
		if (from < end)
			continue;
		while (size && strchr(" \t\r\n", text[size - 1]))
			size--;
		text[size] = '\0';
		return end;
	}
	return NULL;
}
