// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/json.h"

#include <inttypes.h>

static void write_text(FILE *to, const char *text)
{
	fputc('"', to);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(to, "\\%c", *c);
		else if (*c < ' ' || *c >= 0x7f)
			/* A guest's or a path's bytes need not be UTF-8: each stands for itself. */
			fprintf(to, "\\u%04x", *c);
		else
			fputc(*c, to);
	}
	fputc('"', to);
}

static void begin(struct json *json, const char *name)
{
	if (!json->first)
		fputs(", ", json->to);
	json->first = false;
	if (name) {
		write_text(json->to, name);
		fputs(": ", json->to);
	}
}

void json_init(struct json *json, FILE *to)
{
	json->to = to;
	json->first = true;
}

void json_open(struct json *json, const char *name, char bracket)
{
	begin(json, name);
	fputc(bracket, json->to);
	json->first = true;
}

void json_close(struct json *json, char bracket)
{
	fputc(bracket, json->to);
	json->first = false;
}

void json_string(struct json *json, const char *name, const char *value)
{
	begin(json, name);
	write_text(json->to, value);
}

void json_number(struct json *json, const char *name, uint64_t value)
{
	begin(json, name);
	fprintf(json->to, "%" PRIu64, value);
}

void json_signed(struct json *json, const char *name, int64_t value)
{
	begin(json, name);
	fprintf(json->to, "%" PRId64, value);
}

void json_real(struct json *json, const char *name, double value)
{
	begin(json, name);
	fprintf(json->to, "%.3f", value);
}

void json_bool(struct json *json, const char *name, bool value)
{
	begin(json, name);
	fputs(value ? "true" : "false", json->to);
}
