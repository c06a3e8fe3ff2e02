// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "client/candidates.h"
#include "layout/core_format.h"
#include "tests/unit/fake_stub.h"
#include "tests/unit/small_guest.h"

/* Behind client/status.h: it has a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

/* Of another kernel. */
#define OTHER_NOTE                                                \
	"42 0b000000 2a000000 00000000 564d434f5245494e464f0000 " \
	"4f5352454c454153453d352e312e300a 5041474553495a453d343039360a 53594d424f4c2878293d310a\n"
/* The bare text, with a line more, and zeros up to the end of a page. */
#define LONGER_TEXT                                                           \
	"1000 4f5352454c454153453d362e312e300a 5041474553495a453d343039360a " \
	"53594d424f4c2878293d310a 43524153485449 4d453d310a 00*4042\n"

static struct fake_stub stub;
static struct rsp *rsp;
static struct guest guest;
static struct candidates candidates;

static void learn(const char *more)
{
	const struct options options = {
		.format = &elf_format, .ram = "auto", .vmcoreinfo = "auto"
	};
	static char description[32768];
	struct failure failure;

	snprintf(description, sizeof(description), "%s%s", SMALL_GUEST, more);
	fake_stub_start(&stub, description);
	rsp = fake_stub_open(&stub);
	if (guest_prepare(&guest, &options, &failure) ||
		guest_learn(&guest, rsp, &options, &failure))
		fail_msg("%s", failure.text);
	memset(&candidates, 0, sizeof(candidates));
}

static void end(void)
{
	guest_deinit(&guest);
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
	fake_stub_deinit(&stub);
}

static void put_text(uint8_t *at)
{
	memcpy(at, SMALL_GUEST_VMCOREINFO, strlen(SMALL_GUEST_VMCOREINFO));
}

/* ---- looking --------------------------------------------------------------------------------- */

static void look(uint64_t paddr, const uint8_t *bytes, size_t len)
{
	candidates_look(&candidates, arch_find("x86_64"), paddr, bytes, len);
}

static void test_look(void **state)
{
	static uint8_t bytes[4 * 4096];

	(void)state;
	memset(&candidates, 0, sizeof(candidates));
	put_text(bytes + 0x1000);
	put_text(bytes + 0x2010);
	put_text(bytes + 0x3000);
	look(0x80000, bytes, sizeof(bytes));
	assert_int_equal(candidates.count, 2);
	assert_int_equal(candidates.pages[0], 0x81000);
	assert_int_equal(candidates.pages[1], 0x83000);
}

/* Pages begin where physical memory has them begin, not where a piece does. */
static void test_look_at_odd_pieces(void **state)
{
	static uint8_t bytes[3 * 4096];

	(void)state;
	memset(&candidates, 0, sizeof(candidates));
	put_text(bytes);
	put_text(bytes + 0xf00);
	put_text(bytes + 0x1f00);
	/* The last page of it is not whole. */
	look(0x80100, bytes, 0x2eff);
	assert_int_equal(candidates.count, 1);
	assert_int_equal(candidates.pages[0], 0x81000);
	look(0x90100, bytes, 0x2f00);
	assert_int_equal(candidates.count, 3);
	assert_int_equal(candidates.pages[2], 0x92000);
	look(0x1000, bytes, 4095);
	look(0x1000, bytes, 0);
	assert_int_equal(candidates.count, 3);
	look(0x1000, bytes, 4096);
	assert_int_equal(candidates.count, 4);
}

static void test_look_at_most(void **state)
{
	static uint8_t page[4096];

	(void)state;
	memset(&candidates, 0, sizeof(candidates));
	put_text(page);
	for (uint64_t i = 0; i < CANDIDATES_MAX + 10; i++)
		look(i * 4096, page, sizeof(page));
	assert_int_equal(candidates.count, CANDIDATES_MAX);
	assert_int_equal(candidates.pages[CANDIDATES_MAX - 1], (CANDIDATES_MAX - 1) * 4096);
}

/* ---- settling -------------------------------------------------------------------------------- */

static void propose(uint64_t page)
{
	candidates.pages[candidates.count++] = page;
}

static void test_take(void **state)
{
	(void)state;
	learn("memory 11000 " SMALL_GUEST_NOTE);
	propose(0x10000);
	propose(0x11000);
	candidates_settle(&candidates, &guest, 65536);
	assert_string_equal(guest.kernel.vmcoreinfo.text, SMALL_GUEST_VMCOREINFO);
	assert_int_equal(candidates.other_count, 0);
	end();
}

/* The core has no room for more than the plan has said. */
static void test_too_long(void **state)
{
	(void)state;
	learn("memory 11000 " SMALL_GUEST_NOTE);
	propose(0x11000);
	candidates_settle(&candidates, &guest, sizeof(SMALL_GUEST_VMCOREINFO) - 2);
	assert_null(guest.kernel.vmcoreinfo.text);
	assert_int_equal(candidates.other_count, 1);
	end();
	learn("memory 11000 " SMALL_GUEST_NOTE);
	propose(0x11000);
	candidates_settle(&candidates, &guest, sizeof(SMALL_GUEST_VMCOREINFO) - 1);
	assert_string_equal(guest.kernel.vmcoreinfo.text, SMALL_GUEST_VMCOREINFO);
	end();
}

static void test_do_not_take(void **state)
{
	(void)state;
	learn("memory 11000 " SMALL_GUEST_NOTE);
	propose(0x11000);
	candidates_settle(&candidates, &guest, 0);
	assert_null(guest.kernel.vmcoreinfo.text);
	assert_int_equal(candidates.other_count, 1);
	assert_int_equal(candidates.others[0].paddr, 0x11000);
	assert_string_equal(candidates.others[0].release, "6.1.0");
	end();
}

/* The first that fits is the guest's; what is the same, or the same but for its end, is no other.
 */
static void test_others(void **state)
{
	(void)state;
	learn("memory 11000 " SMALL_GUEST_NOTE "memory 13000 " OTHER_NOTE
	      "memory 15000 " SMALL_GUEST_NOTE "memory 17000 " LONGER_TEXT);
	propose(0x11000);
	propose(0x13000);
	propose(0x15000);
	propose(0x17000);
	propose(0x19000);
	candidates_settle(&candidates, &guest, 65536);
	assert_int_equal(guest.kernel.vmcoreinfo.paddr, 0x11018);
	assert_int_equal(candidates.other_count, 1);
	assert_int_equal(candidates.others[0].paddr, 0x13000);
	assert_string_equal(candidates.others[0].release, "5.1.0");
	end();
}

/* What was found before is kept. */
static void test_taken_before(void **state)
{
	(void)state;
	learn("memory 11000 " SMALL_GUEST_NOTE "memory 13000 " OTHER_NOTE);
	assert_true(guest_try_vmcoreinfo(&guest, 0x13000, 65536));
	propose(0x11000);
	propose(0x13000);
	candidates_settle(&candidates, &guest, 65536);
	assert_string_equal(guest.kernel.vmcoreinfo.release, "5.1.0");
	assert_int_equal(candidates.other_count, 1);
	assert_string_equal(candidates.others[0].release, "6.1.0");
	end();
}

/* As many as there can be. */
static void test_all_of_them_others(void **state)
{
	(void)state;
	learn("memory 11000 " OTHER_NOTE);
	for (size_t i = 0; i < CANDIDATES_MAX; i++)
		propose(0x11000);
	candidates_settle(&candidates, &guest, 0);
	assert_int_equal(candidates.other_count, CANDIDATES_MAX);
	end();
}

static void assert_json(const char *expected)
{
	char *text = NULL;
	size_t size;
	struct json json;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	json_init(&json, to);
	candidates_json(&json, &candidates);
	fclose(to);
	assert_string_equal(text, expected);
	free(text);
}

static void test_json(void **state)
{
	(void)state;
	memset(&candidates, 0, sizeof(candidates));
	assert_json("\"other_vmcoreinfo\": []");
	candidates.others[0] = (struct other_kernel){ 4096, "5.1.0" };
	candidates.others[1] = (struct other_kernel){ 0, "5.2.0" };
	candidates.other_count = 2;
	assert_json("\"other_vmcoreinfo\": [{\"paddr\": 4096, \"release\": \"5.1.0\"}, "
		    "{\"paddr\": 0, \"release\": \"5.2.0\"}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_look_at_odd_pieces),
		cmocka_unit_test(test_look_at_most),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_do_not_take),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_taken_before),
		cmocka_unit_test(test_all_of_them_others),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
