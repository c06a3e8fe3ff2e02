// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>

#include "tests/unit/fake_stub.h"

#define SUPPORTED "supported PacketSize=1000;qXfer:features:read+\n"

/* Reads the description that a stub has. */
static int read_from(const char *text, struct rsp_description *description,
	enum rsp_failure *failure, char *error)
{
	struct fake_stub stub;
	struct rsp *rsp;
	int rc;

	fake_stub_start(&stub, text);
	rsp = fake_stub_open(&stub);
	rc = rsp_read_description(rsp, description);
	*failure = rsp_failure(rsp);
	strcpy(error, rc ? rsp_error(rsp) : "");
	rsp_destroy(rsp);
	fake_stub_deinit(&stub);
	return rc;
}

static void expect(const char *text, struct rsp_description *description)
{
	enum rsp_failure failure;
	char error[512];

	if (read_from(text, description, &failure, error))
		fail_msg("%s", error);
}

static void expect_failure(const char *text, enum rsp_failure wanted, const char *error)
{
	struct rsp_description description;
	enum rsp_failure failure;
	char came[512];

	assert_int_equal(read_from(text, &description, &failure, came), -1);
	assert_string_equal(came, error);
	assert_int_equal(failure, wanted);
	rsp_description_deinit(&description);
	assert_null(description.registers);
}

static void assert_register(const struct rsp_description *description, size_t at, const char *name,
	uint32_t number, uint32_t bits)
{
	assert_true(at < description->count);
	assert_string_equal(description->registers[at].name, name);
	assert_int_equal(description->registers[at].number, number);
	assert_int_equal(description->registers[at].bits, bits);
}

static void test_one_file(void **state)
{
	struct rsp_description description;

	(void)state;
	expect(SUPPORTED "object features:target.xml <<\n"
			 "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
			 "<target><architecture> i386:x86-64\n</architecture>\n"
			 "<feature name=\"org.gnu.gdb.i386.core\">\n"
			 "<reg name=\"rax\" bitsize=\"64\" type=\"int64\"/>\n"
			 "<reg name=\"eflags\" bitsize=\"32\" regnum=\"17\"/>\n"
			 "<reg name=\"cs\" bitsize=\"32\"/>\n"
			 "<reg name=\"rbx\" bitsize=\"64\" regnum=\"1\"/>\n"
			 "<reg name=\"st0\" bitsize=\"80\" regnum=\"0x20\"/>\n"
			 "<reg name=\"k0\" bitsize=\"1\"/>\n"
			 "</feature></target>\n.\n",
		&description);
	assert_string_equal(description.architecture, "i386:x86-64");
	assert_int_equal(description.count, 6);
	/* In the order of their numbers. */
	assert_register(&description, 0, "rax", 0, 64);
	assert_register(&description, 1, "rbx", 1, 64);
	assert_register(&description, 2, "eflags", 17, 32);
	assert_register(&description, 3, "cs", 18, 32);
	assert_register(&description, 4, "st0", 32, 80);
	assert_register(&description, 5, "k0", 33, 1);
	rsp_description_deinit(&description);
}

/* Numbers go on through the includes, where they stand. */
static void test_includes(void **state)
{
	struct rsp_description description;

	(void)state;
	expect(SUPPORTED
		"object features:target.xml <target><architecture>aarch64</architecture>"
		"<xi:include href=\"core.xml\"/><reg name=\"z\" bitsize=\"8\"/></target>\n"
		"object features:core.xml <feature name=\"c\"><reg name=\"x0\" bitsize=\"64\"/>"
		"<xi:include href=\"more.xml\"/><reg name=\"x2\" bitsize=\"64\"/></feature>\n"
		"object features:more.xml <feature name=\"m\"><reg name=\"x1\" bitsize=\"64\"/></feature>\n",
		&description);
	assert_string_equal(description.architecture, "aarch64");
	assert_int_equal(description.count, 4);
	assert_register(&description, 0, "x0", 0, 64);
	assert_register(&description, 1, "x1", 1, 64);
	assert_register(&description, 2, "x2", 2, 64);
	assert_register(&description, 3, "z", 3, 8);
	rsp_description_deinit(&description);
}

/* The gdbstub crate describes x86 without any registers. */
static void test_no_registers(void **state)
{
	struct rsp_description description;

	(void)state;
	expect(SUPPORTED "object features:target.xml <target><architecture>i386:x86-64"
			 "</architecture><feature name=\"org.gnu.gdb.i386.sse\"/></target>\n",
		&description);
	assert_string_equal(description.architecture, "i386:x86-64");
	assert_int_equal(description.count, 0);
	rsp_description_deinit(&description);
}

static void test_long_names(void **state)
{
	struct rsp_description description;
	char text[1024];
	char name[201];

	(void)state;
	memset(name, 'n', 200);
	name[200] = '\0';
	snprintf(text, sizeof(text),
		SUPPORTED "object features:target.xml <target><architecture>%s</architecture>"
			  "<reg name=\"%s\" bitsize=\"8\"/></target>\n",
		name, name);
	expect(text, &description);
	assert_int_equal(strlen(description.architecture), RSP_NAME_MAX - 1);
	assert_int_equal(strlen(description.registers[0].name), RSP_NAME_MAX - 1);
	rsp_description_deinit(&description);
}

static void test_none(void **state)
{
	(void)state;
	expect_failure("supported PacketSize=1000\n", RSP_UNSUPPORTED,
		"the stub has no target description");
	expect_failure(SUPPORTED, RSP_REFUSED, "the stub answers E00 to read its description");
	/* An include that is not there. */
	expect_failure(SUPPORTED
		"object features:target.xml <target><xi:include href=\"a.xml\"/></target>\n",
		RSP_REFUSED, "the stub answers E00 to read its description");
}

static void test_no_xml(void **state)
{
	(void)state;
	expect_failure(SUPPORTED "object features:target.xml <target>\n", RSP_CONFUSED,
		"target.xml, line 1: no element found");
	expect_failure(SUPPORTED "object features:target.xml <<\n.\n", RSP_CONFUSED,
		"target.xml, line 1: no element found");
	expect_failure(SUPPORTED "object features:target.xml <<\n<target>\n</t>\n.\n", RSP_CONFUSED,
		"target.xml, line 2: mismatched tag");
	expect_failure(SUPPORTED
		"object features:target.xml <target><xi:include href=\"a.xml\"/></target>\n"
		"object features:a.xml <a\n",
		RSP_CONFUSED, "a.xml, line 1: unclosed token");
}

static void test_bad_registers(void **state)
{
	static const char *const bad[] = {
		"<reg bitsize=\"8\"/>",
		"<reg name=\"a\"/>",
		"<reg name=\"a\" bitsize=\"0\"/>",
		"<reg name=\"a\" bitsize=\"-8\"/>",
		"<reg name=\"a\" bitsize=\"wide\"/>",
		"<reg name=\"a\" bitsize=\"524289\"/>",
		"<reg name=\"a\" bitsize=\"99999999999999999999\"/>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text),
			SUPPORTED "object features:target.xml <target>%s</target>\n", bad[i]);
		expect_failure(text, RSP_CONFUSED,
			"the target description has a register without sense, or too many");
	}
}

/* `count` times the same register. */
static void describe_many(char *text, size_t count)
{
	size_t used = (size_t)sprintf(text, SUPPORTED "object features:target.xml <target>");

	for (size_t i = 0; i < count; i++)
		used += (size_t)sprintf(text + used, "<reg name=\"a\" bitsize=\"8\"/>");
	strcpy(text + used, "</target>\n");
}

static void test_many_registers(void **state)
{
	static char text[256 << 10];
	struct rsp_description description;

	(void)state;
	describe_many(text, RSP_REGISTERS_MAX);
	expect(text, &description);
	assert_int_equal(description.count, RSP_REGISTERS_MAX);
	assert_register(&description, RSP_REGISTERS_MAX - 1, "a", RSP_REGISTERS_MAX - 1, 8);
	rsp_description_deinit(&description);
	describe_many(text, RSP_REGISTERS_MAX + 1);
	expect_failure(text, RSP_CONFUSED,
		"the target description has a register without sense, or too many");
}

static void test_loops(void **state)
{
	static const char error[] =
		"the target description includes too much, or what cannot be asked for";

	(void)state;
	expect_failure(SUPPORTED
		"object features:target.xml <t><xi:include href=\"target.xml\"/></t>\n",
		RSP_CONFUSED, error);
	expect_failure(SUPPORTED "object features:target.xml <t><xi:include href=\"a.xml\"/></t>\n"
				 "object features:a.xml <t><xi:include href=\"b.xml\"/></t>\n"
				 "object features:b.xml <t><xi:include href=\"a.xml\"/></t>\n",
		RSP_CONFUSED, error);
}

/* Not deep, but each level includes the next one ten times. */
static void test_wide_includes(void **state)
{
	static char text[8192];
	size_t used = (size_t)sprintf(text, SUPPORTED);

	(void)state;
	for (char level = 'a'; level <= 'g'; level++) {
		used += (size_t)sprintf(text + used, "object features:%s.xml <t>",
			level == 'a' ? "target" : (char[]){ level, '\0' });
		for (int i = 0; i < 10; i++)
			used += (size_t)sprintf(
				text + used, "<xi:include href=\"%c.xml\"/>", level + 1);
		used += (size_t)sprintf(text + used, "</t>\n");
	}
	strcpy(text + used, "object features:h.xml <t/>\n");
	expect_failure(text, RSP_CONFUSED,
		"the target description includes too much, or what cannot be asked for");
}

static void test_bad_includes(void **state)
{
	static const char *const names[] = { "", "a b", "a:b", "a,b", "a;b", "a#b", "a$b", "a}b",
		"a*b", "\xc3\xa4" };
	struct rsp_description description;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text),
			SUPPORTED "object features:target.xml <t><xi:include href=\"%s\"/></t>\n",
			names[i]);
		expect_failure(text, RSP_CONFUSED,
			"the target description includes too much, or what cannot be asked for");
	}
	/* Without a name, it is none. */
	expect(SUPPORTED "object features:target.xml <t><xi:include/></t>\n", &description);
	assert_int_equal(description.count, 0);
	rsp_description_deinit(&description);
}

static void test_entity_bomb(void **state)
{
	(void)state;
	expect_failure(SUPPORTED
		"object features:target.xml <!DOCTYPE t [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">"
		"<!ENTITY c \"&b;&b;\">]><t><architecture>&c;</architecture></t>\n",
		RSP_CONFUSED, "the target description declares XML entities");
	expect_failure(SUPPORTED
		"object features:target.xml <!DOCTYPE t [<!ENTITY % a \"x\">]><t/>\n",
		RSP_CONFUSED, "the target description declares XML entities");
	expect_failure(SUPPORTED
		"object features:target.xml <!DOCTYPE t [<!ENTITY a SYSTEM \"/etc/passwd\">]><t>&a;</t>\n",
		RSP_CONFUSED, "the target description declares XML entities");
}

static void test_endless(void **state)
{
	(void)state;
	expect_failure("supported PacketSize=20020;qXfer:features:read+\nendless-object\n",
		RSP_CONFUSED, "an object of more than 4194304 bytes");
}

/* Elements within elements without end take no stack. */
static void test_deep_elements(void **state)
{
	static char text[512 << 10];
	struct rsp_description description;
	size_t used = (size_t)sprintf(text, SUPPORTED "object features:target.xml ");

	(void)state;
	for (int i = 0; i < 50000; i++)
		used += (size_t)sprintf(text + used, "<a>");
	for (int i = 0; i < 50000; i++)
		used += (size_t)sprintf(text + used, "</a>");
	strcpy(text + used, "\n");
	expect(text, &description);
	assert_int_equal(description.count, 0);
	rsp_description_deinit(&description);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_file),
		cmocka_unit_test(test_includes),
		cmocka_unit_test(test_no_registers),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_no_xml),
		cmocka_unit_test(test_bad_registers),
		cmocka_unit_test(test_many_registers),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_wide_includes),
		cmocka_unit_test(test_bad_includes),
		cmocka_unit_test(test_entity_bomb),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_deep_elements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
