// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>

#include "client/json.h"

/* Writes by its caller's function; returns the text, which the caller frees. */
static char *written(void (*write)(struct json *json))
{
	char *text = NULL;
	size_t size;
	struct json json;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	json_init(&json, to);
	write(&json);
	fclose(to);
	return text;
}

static void assert_written(void (*write)(struct json *json), const char *expected)
{
	char *text = written(write);

	assert_string_equal(text, expected);
	free(text);
}

static void write_values(struct json *json)
{
	json_open(json, NULL, '{');
	json_string(json, "s", "text");
	json_number(json, "least", 0);
	json_number(json, "most", UINT64_MAX);
	json_signed(json, "below", INT64_MIN);
	json_signed(json, "above", INT64_MAX);
	json_real(json, "real", 0.0625);
	json_real(json, "third", -1.0 / 3);
	json_bool(json, "yes", true);
	json_bool(json, "no", false);
	json_close(json, '}');
}

static void test_values(void **state)
{
	(void)state;
	assert_written(write_values,
		"{\"s\": \"text\", \"least\": 0, \"most\": 18446744073709551615, "
		"\"below\": -9223372036854775808, \"above\": 9223372036854775807, "
		"\"real\": 0.062, \"third\": -0.333, \"yes\": true, \"no\": false}");
}

static void write_nested(struct json *json)
{
	json_open(json, NULL, '{');
	json_open(json, "none", '[');
	json_close(json, ']');
	json_open(json, "empty", '{');
	json_close(json, '}');
	json_open(json, "list", '[');
	json_number(json, NULL, 1);
	json_open(json, NULL, '{');
	json_number(json, "a", 2);
	json_open(json, "b", '[');
	json_string(json, NULL, "x");
	json_string(json, NULL, "");
	json_close(json, ']');
	json_close(json, '}');
	json_number(json, NULL, 3);
	json_close(json, ']');
	json_bool(json, "end", true);
	json_close(json, '}');
}

/* A comma in front of every value but the first of what is open, on each level anew. */
static void test_nesting(void **state)
{
	(void)state;
	assert_written(write_nested, "{\"none\": [], \"empty\": {}, \"list\": [1, {\"a\": 2, "
				     "\"b\": [\"x\", \"\"]}, 3], \"end\": true}");
}

static void write_marks(struct json *json)
{
	json_string(json, NULL, "say \"no\" \\ or /");
}

static void write_controls(struct json *json)
{
	json_string(json, NULL, "\x01\b\t\n\r\x1b[2J\x1f \x7f");
}

static void test_escapes(void **state)
{
	(void)state;
	assert_written(write_marks, "\"say \\\"no\\\" \\\\ or /\"");
	assert_written(write_controls, "\"\\u0001\\u0008\\u0009\\u000a\\u000d\\u001b[2J\\u001f "
				       "\\u007f\"");
}

static void write_bytes(struct json *json)
{
	/* "e" with an accent, half of one, and bytes that are in no UTF-8. */
	json_string(json, NULL, "\xc3\xa9 \xc3 \xfe\xff\x80");
}

/* Each byte stands for itself: what comes out is ASCII, whatever goes in. */
static void test_bytes(void **state)
{
	(void)state;
	assert_written(write_bytes, "\"\\u00c3\\u00a9 \\u00c3 \\u00fe\\u00ff\\u0080\"");
}

static void write_all_bytes(struct json *json)
{
	char all[256];

	for (int i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	json_string(json, NULL, all);
}

static void test_always_printable(void **state)
{
	char *text = written(write_all_bytes);

	(void)state;
	for (const char *c = text; *c; c++)
		assert_in_range((unsigned char)*c, 0x20, 0x7e);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_always_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
