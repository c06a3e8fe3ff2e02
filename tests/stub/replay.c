// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "tests/stub/serve.h"

/* Undoes \xNN in place; returns the size. */
static size_t unescape(char *text)
{
	size_t size = 0;

	for (char *at = text; *at; size++) {
		char digits[3] = "";

		if (at[0] == '\\' && at[1] == 'x' && at[2] && at[3]) {
			memcpy(digits, at + 2, 2);
			text[size] = (char)strtoul(digits, NULL, 16);
			at += 4;
		} else {
			text[size] = *at++;
		}
	}
	return size;
}

static bool matches(const char *wanted, const char *body)
{
	size_t length = strlen(wanted);

	if (length && wanted[length - 1] == '*')
		return strncmp(wanted, body, length - 1) == 0;
	return strcmp(wanted, body) == 0;
}

static enum wire_end expect(struct wire *wire, const char *wanted)
{
	char *body;
	size_t size;
	enum wire_end end = wire_get(wire, &body, &size);

	if (end == WIRE_GOES_ON && matches(wanted, body)) {
		if (strcmp(body, "QStartNoAckMode") == 0)
			wire->no_ack = true;
		return WIRE_GOES_ON;
	}
	fprintf(wire->log, "= DEVIATES: \"%s\" was due\n", wanted);
	return end == WIRE_GOES_ON || end == WIRE_CLOSED ? WIRE_DEVIATES : end;
}

static enum wire_end play(struct wire *wire, char *line)
{
	char *text = line[0] && line[1] == ' ' ? line + 2 : line + strlen(line);

	switch (*line) {
	case '>':
		return expect(wire, text);
	case '<':
		return wire_put(wire, text, unescape(text));
	case '!':
		return wire_put_raw(wire, text, unescape(text));
	case '.':
		return WIRE_CLOSED;
	default:
		return WIRE_GOES_ON;
	}
}

/* Behind the script's end the client may close, and say nothing. */
static enum wire_end expect_end(struct wire *wire)
{
	char *body;
	size_t size;
	enum wire_end end = wire_get(wire, &body, &size);

	if (end != WIRE_GOES_ON)
		return end;
	fprintf(wire->log, "= DEVIATES: nothing more was due\n");
	return WIRE_DEVIATES;
}

enum wire_end replay(const char *script, int in, int out, FILE *log)
{
	struct machine machine;
	struct wire wire;
	enum wire_end end = WIRE_GOES_ON;
	char *lines = strdup(script);

	if (!lines)
		abort();
	machine_init(&machine);
	wire_init(&wire, in, out, log, &machine.faults);
	for (char *at = lines; at && *at && end == WIRE_GOES_ON;) {
		char *line = strsep(&at, "\n");

		end = play(&wire, line);
	}
	if (end == WIRE_GOES_ON)
		end = expect_end(&wire);
	fprintf(log, "= over\n");
	fflush(log);
	wire_deinit(&wire);
	machine_deinit(&machine);
	free(lines);
	return end;
}
