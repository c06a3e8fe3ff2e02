// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "client/upload/xml.h"

/* Behind the headers above, one of which may have a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static char text[32];

static const char *find(const char *from, const char *name)
{
	strcpy(text, "untouched");
	return xml_text(from, name, text, sizeof(text));
}

static void test_texts(void **state)
{
	(void)state;
	assert_non_null(find("<?xml v?><A xmlns=\"u\"><UploadId>2~ab</UploadId></A>", "UploadId"));
	assert_string_equal(text, "2~ab");
	assert_non_null(find("<a:Key>x</a:Key>", "Key"));
	assert_string_equal(text, "x");
	assert_non_null(find("<E> \n&quot;a&amp;b&quot;&lt;&gt;&apos; </E>", "E"));
	assert_string_equal(text, "\"a&b\"<>'");
	assert_non_null(find("<E></E>", "E"));
	assert_string_equal(text, "");
	assert_non_null(find("<E>&unknown;</E>", "E"));
	assert_string_equal(text, "&unknown;");
}

static void test_one_after_the_other(void **state)
{
	const char *at = "<L><P>1</P><Pp>9</Pp><P>2</P></L>";

	(void)state;
	at = find(at, "P");
	assert_string_equal(text, "1");
	at = find(at, "P");
	assert_string_equal(text, "2");
	assert_null(find(at, "P"));
}

static void test_what_is_none(void **state)
{
	static const char *const texts[] = {
		"",
		"<",
		"<E",
		"<E>",
		"<E>x",
		"<F>x</F>",
		"</E>x<",
		"E>x</E>",
		"<E a=\"1\">x</E>",
		/* Longer than there is room for. */
		"<E>0123456789012345678901234567890123456789</E>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (find(texts[i], "E"))
			fail_msg("%s: found %s", texts[i], text);
}

static void test_longest(void **state)
{
	(void)state;
	assert_non_null(find("<E>0123456789012345678901234567890</E>", "E"));
	assert_int_equal(strlen(text), sizeof(text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
