/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing JSON, one value after the other, on one line. Names are literals of ours; strings may be
 * anything, and come out as valid UTF-8 whatever they are.
 */
#ifndef CLIENT_JSON_H
#define CLIENT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *to;
	bool first; /* in the object or array that is open */
};

void json_init(struct json *json, FILE *to);

/* name is NULL for an array's element and for the outermost value. */
void json_open(struct json *json, const char *name, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);                  /* '}' or ']' */
void json_string(struct json *json, const char *name, const char *value);
void json_number(struct json *json, const char *name, uint64_t value);
void json_signed(struct json *json, const char *name, int64_t value);
void json_real(struct json *json, const char *name, double value);
void json_bool(struct json *json, const char *name, bool value);

#endif
