// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "layout/vmcoreinfo.h"
#include "tests/unit/failing.h"

static const char good[] = "OSRELEASE=6.1.0-56-cloud-amd64\n"
			   "BUILD-ID=0123456789abcdef\n"
			   "PAGESIZE=4096\n"
			   "SYMBOL(init_uts_ns)=1100\n"
			   "OFFSET(uts_namespace.name)=4\n"
			   "SYMBOL(_stext)=3000\n"
			   "SYMBOL(swapper_pg_dir)=ffffffff83210000\n"
			   "NUMBER(phys_base)=-329252864\n"
			   "NUMBER(VMALLOC_START)=0xffffa5c000000000\n"
			   "LENGTH(mem_section)=2048\n"
			   "SIZE(page)=64\n"
			   "CONFIG_X=y\n"
			   "KERNELOFFSET=2d800000\n";

enum { NOTE_HEAD = 24, MEMORY_SIZE = 0x30000 };

/* Guest memory from 0 up. */
static uint8_t memory_bytes[MEMORY_SIZE];

static int read_bytes(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	uint8_t *bytes = ctx;

	if (paddr > MEMORY_SIZE || len > MEMORY_SIZE - paddr)
		return -1;
	memcpy(buf, bytes + paddr, len);
	return 0;
}

static const struct guest_memory memory = { .read = read_bytes, .ctx = memory_bytes };

static struct vmcoreinfo info;
static struct error error;

static int setup(void **state)
{
	(void)state;
	memset(memory_bytes, 0, sizeof(memory_bytes));
	memset(&error, 0, sizeof(error));
	vmcoreinfo_init(&info);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vmcoreinfo_deinit(&info);
	return 0;
}

static void put_note_head(uint8_t *to, uint32_t size, enum byte_order order)
{
	put_u32(to, 11, order);
	put_u32(to + 4, size, order);
	put_u32(to + 8, 0, order);
	memcpy(to + 12, "VMCOREINFO\0", 12);
}

static void parse(const char *text)
{
	assert_int_equal(vmcoreinfo_parse(&info, text, strlen(text), &error), 0);
}

static void assert_refused(const char *text, const char *reason)
{
	assert_int_equal(vmcoreinfo_parse(&info, text, strlen(text), &error), -1);
	assert_non_null(strstr(error.text, reason));
	assert_null(info.text);
}

static void test_parse(void **state)
{
	(void)state;
	assert_null(info.text);
	assert_true(info.paddr == VMCOREINFO_NOWHERE);
	parse(good);
	assert_int_equal(info.size, sizeof(good) - 1);
	assert_memory_equal(info.text, good, sizeof(good));
	assert_string_equal(info.release, "6.1.0-56-cloud-amd64");
	assert_true(info.paddr == VMCOREINFO_NOWHERE);

	/* Another takes its place, but not one that is refused. */
	parse("OSRELEASE=5.10\nPAGESIZE=65536\nSYMBOL(a)=1\n");
	assert_string_equal(info.release, "5.10");
	assert_int_equal(vmcoreinfo_parse(&info, "x", 1, &error), -1);
	assert_string_equal(info.release, "5.10");
}

static void test_parse_refuses(void **state)
{
	static const char nul[] = "OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(a)=1\n\0";

	(void)state;
	assert_refused("", "does not begin with OSRELEASE=");
	assert_refused("OSRELEASE=", "does not begin with OSRELEASE=");
	assert_refused("PAGESIZE=4096\nOSRELEASE=6.1\nSYMBOL(a)=1\n", "does not begin");
	assert_refused("OSRELEASE=%s\nPAGESIZE=4096\nSYMBOL(a)=1\n", "does not begin");
	assert_refused("OSRELEASE=\nPAGESIZE=4096\nSYMBOL(a)=1\n", "does not begin");
	assert_refused("OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(a)=1", "cut off");
	assert_refused("OSRELEASE=6.1\nSYMBOL(a)=1\n", "no PAGESIZE");
	assert_refused("OSRELEASE=6.1\nPAGESIZE=\nSYMBOL(a)=1\n", "no PAGESIZE");
	assert_refused("OSRELEASE=6.1\nPAGESIZE=4097\nSYMBOL(a)=1\n", "no PAGESIZE");
	assert_refused("OSRELEASE=6.1\nPAGESIZE=4096 \nSYMBOL(a)=1\n", "no PAGESIZE");
	assert_refused("OSRELEASE=6.1\nPAGESIZE=2048\nSYMBOL(a)=1\n", "no PAGESIZE");
	assert_refused("OSRELEASE=6.1\nXPAGESIZE=4096\nSYMBOL(a)=1\n", "no PAGESIZE");
	assert_refused("OSRELEASE=6.1\nPAGESIZE=4096\nSIZE(SYMBOL(a)=1\n", "no SYMBOL");
	assert_refused("OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(a)=\001\n", "at offset 38");
	assert_refused("OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(a)=\377\n", "at offset 38");
	assert_int_equal(vmcoreinfo_parse(&info, nul, sizeof(nul) - 1, &error), -1);
	assert_non_null(strstr(error.text, "at offset 40"));
}

static void test_parse_release_length(void **state)
{
	char text[200] = "OSRELEASE=";

	(void)state;
	memset(text + 10, 'r', 64);
	strcpy(text + 74, "\nPAGESIZE=4096\nSYMBOL(a)=1\n");
	parse(text);
	assert_int_equal(strlen(info.release), 64);
	vmcoreinfo_deinit(&info);
	text[74] = 'r';
	strcpy(text + 75, "\nPAGESIZE=4096\nSYMBOL(a)=1\n");
	assert_refused(text, "OSRELEASE of 65 bytes");
}

static void test_parse_size_cap(void **state)
{
	char *text = malloc(VMCOREINFO_SIZE_MAX + 1);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', VMCOREINFO_SIZE_MAX + 1);
	memcpy(text, good, sizeof(good) - 1);
	text[VMCOREINFO_SIZE_MAX - 1] = '\n';
	text[VMCOREINFO_SIZE_MAX] = '\n';
	assert_int_equal(vmcoreinfo_parse(&info, text, VMCOREINFO_SIZE_MAX + 1, &error), -1);
	assert_non_null(strstr(error.text, "of 1048577 bytes"));
	assert_int_equal(vmcoreinfo_parse(&info, text, VMCOREINFO_SIZE_MAX, &error), 0);
	free(text);
}

static void test_parse_note(void **state)
{
	uint8_t note[4096] = { 0 };

	(void)state;
	for (enum byte_order order = LITTLE; order <= BIG; order++) {
		put_note_head(note, sizeof(good) - 1, order);
		memcpy(note + NOTE_HEAD, good, sizeof(good) - 1);
		assert_int_equal(vmcoreinfo_parse_note(&info, note, sizeof(note), &error), 0);
		assert_int_equal(info.size, sizeof(good) - 1);
		assert_int_equal(
			vmcoreinfo_parse_note(&info, note, NOTE_HEAD + sizeof(good) - 1, &error),
			0);
		vmcoreinfo_deinit(&info);
		assert_int_equal(
			vmcoreinfo_parse_note(&info, note, NOTE_HEAD + sizeof(good) - 2, &error),
			-1);
		assert_non_null(strstr(error.text, "cut off"));
		assert_null(info.text);
	}

	put_note_head(note, UINT32_MAX, LITTLE);
	assert_int_equal(vmcoreinfo_parse_note(&info, note, sizeof(note), &error), -1);
	put_note_head(note, 0, LITTLE);
	assert_int_equal(vmcoreinfo_parse_note(&info, note, sizeof(note), &error), -1);
	assert_int_equal(vmcoreinfo_parse_note(&info, note, 0, &error), -1);
	assert_int_equal(vmcoreinfo_parse_note(&info, note, NOTE_HEAD, &error), -1);

	/* The bare text, alone or with the rest of its page. */
	memset(note, 0, sizeof(note));
	memcpy(note, good, sizeof(good) - 1);
	assert_int_equal(vmcoreinfo_parse_note(&info, note, sizeof(good) - 1, &error), 0);
	vmcoreinfo_deinit(&info);
	assert_int_equal(vmcoreinfo_parse_note(&info, note, sizeof(note), &error), 0);
	assert_int_equal(info.size, sizeof(good) - 1);
}

static void test_head(void **state)
{
	uint8_t page[64] = { 0 };

	(void)state;
	assert_false(vmcoreinfo_head(page));
	memcpy(page, good, sizeof(page));
	assert_true(vmcoreinfo_head(page));
	page[VMCOREINFO_HEAD_SIZE - 1] = 0;
	assert_false(vmcoreinfo_head(page));
	memcpy(page, "OSRELEASE=%s\nBUILD-ID=%20phN\nPAGESIZE=%ld\n", 43);
	assert_false(vmcoreinfo_head(page));

	memset(page, 0, sizeof(page));
	put_note_head(page, 3264, LITTLE);
	assert_false(vmcoreinfo_head(page));
	memcpy(page + NOTE_HEAD, good, sizeof(page) - NOTE_HEAD);
	assert_true(vmcoreinfo_head(page));
	put_note_head(page, 3264, BIG);
	assert_true(vmcoreinfo_head(page));
	put_note_head(page, VMCOREINFO_SIZE_MAX + 1, LITTLE);
	assert_false(vmcoreinfo_head(page));
	put_note_head(page, 3264, LITTLE);
	page[8] = 1; /* the type */
	assert_false(vmcoreinfo_head(page));
	page[8] = 0;
	page[21] = 'X';
	assert_false(vmcoreinfo_head(page));
}

static void test_read_note(void **state)
{
	uint64_t last = MEMORY_SIZE - NOTE_HEAD - (sizeof(good) - 1);

	(void)state;
	/* Up to the very end of memory, and at no page's start. */
	put_note_head(memory_bytes + last, sizeof(good) - 1, LITTLE);
	memcpy(memory_bytes + last + NOTE_HEAD, good, sizeof(good) - 1);
	assert_int_equal(vmcoreinfo_read(&info, &memory, last, &error), 0);
	assert_int_equal(info.paddr, last + NOTE_HEAD);
	assert_int_equal(info.size, sizeof(good) - 1);
	vmcoreinfo_deinit(&info);

	put_note_head(memory_bytes + last, sizeof(good), LITTLE);
	assert_int_equal(vmcoreinfo_read(&info, &memory, last, &error), -1);
	assert_non_null(strstr(error.text, "cannot read"));
	put_note_head(memory_bytes + last, sizeof(good) - 2, LITTLE);
	assert_int_equal(vmcoreinfo_read(&info, &memory, last, &error), -1);
	assert_non_null(strstr(error.text, "cut off"));
	put_note_head(memory_bytes + last, UINT32_MAX, LITTLE);
	assert_int_equal(vmcoreinfo_read(&info, &memory, last, &error), -1);
	assert_non_null(strstr(error.text, "no VMCOREINFO"));
	assert_null(info.text);
}

static void test_read_bare(void **state)
{
	(void)state;
	memcpy(memory_bytes + 0x1ff0, good, sizeof(good) - 1);
	assert_int_equal(vmcoreinfo_read(&info, &memory, 0x1ff0, &error), 0);
	assert_int_equal(info.paddr, 0x1ff0);
	assert_string_equal(info.text, good);
	vmcoreinfo_deinit(&info);

	assert_int_equal(vmcoreinfo_read(&info, &memory, 0x1fe0, &error), -1);
	assert_int_equal(vmcoreinfo_read(&info, &memory, MEMORY_SIZE, &error), -1);
	assert_int_equal(vmcoreinfo_read(&info, &memory, UINT64_MAX - 10, &error), -1);

	/* Text without an end is cut at the size of the largest page. */
	memset(memory_bytes, 'x', sizeof(memory_bytes));
	memcpy(memory_bytes, good, sizeof(good) - 1);
	assert_int_equal(vmcoreinfo_read(&info, &memory, 0, &error), -1);
	memory_bytes[65535] = '\n';
	assert_int_equal(vmcoreinfo_read(&info, &memory, 0, &error), 0);
	assert_int_equal(info.size, 65536);
}

static void test_value(void **state)
{
	const char *value;
	size_t length;

	(void)state;
	assert_null(vmcoreinfo_value(&info, "OSRELEASE", &length));
	parse(good);
	value = vmcoreinfo_value(&info, "OSRELEASE", &length);
	assert_int_equal(length, 20);
	assert_memory_equal(value, "6.1.0-56-cloud-amd64\n", 21);
	value = vmcoreinfo_value(&info, "KERNELOFFSET", &length);
	assert_int_equal(length, 8);
	assert_memory_equal(value, "2d800000\n", 9);
	value = vmcoreinfo_value(&info, "CONFIG_X", &length);
	assert_int_equal(length, 1);
	assert_memory_equal(value, "y\n", 2);

	assert_null(vmcoreinfo_value(&info, "RELEASE", &length));
	assert_null(vmcoreinfo_value(&info, "OSRELEAS", &length));
	assert_null(vmcoreinfo_value(&info, "SIZE", &length));
	assert_null(vmcoreinfo_value(&info, "", &length));
}

static void test_numbers(void **state)
{
	char longest[100];
	uint64_t value = 5;
	int64_t number = 5;

	(void)state;
	parse(good);
	assert_true(vmcoreinfo_symbol(&info, "swapper_pg_dir", &value));
	assert_true(value == 0xffffffff83210000);
	assert_true(vmcoreinfo_symbol(&info, "init_uts_ns", &value));
	assert_int_equal(value, 0x1100);
	assert_true(vmcoreinfo_number(&info, "phys_base", &number));
	assert_int_equal(number, -329252864);
	assert_true(vmcoreinfo_number(&info, "VMALLOC_START", &number));
	assert_true((uint64_t)number == 0xffffa5c000000000);
	assert_true(vmcoreinfo_decimal(&info, "LENGTH", "mem_section", &value));
	assert_int_equal(value, 2048);
	assert_true(vmcoreinfo_decimal(&info, "SIZE", "page", &value));
	assert_int_equal(value, 64);
	assert_false(vmcoreinfo_decimal(&info, "OFFSET", "page", &value));
	assert_false(vmcoreinfo_symbol(&info, "swapper_pg", &value));
	assert_false(vmcoreinfo_symbol(&info, "", &value));
	memset(longest, 'n', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_false(vmcoreinfo_symbol(&info, longest, &value));
}

static void test_malformed_numbers(void **state)
{
	static const char *const names[] = { "empty", "sign", "blank", "prefix", "large", "behind",
		"minus", "point" };
	uint64_t value = 5;
	int64_t number = 5;

	(void)state;
	parse("OSRELEASE=6.1\nPAGESIZE=4096\n"
	      "SYMBOL(empty)=\nSYMBOL(sign)=+1\nSYMBOL(blank)= 1\nSYMBOL(prefix)=0x1\n"
	      "SYMBOL(large)=10000000000000000\nSYMBOL(behind)=1 \nSYMBOL(minus)=-1\n"
	      "SYMBOL(point)=1.0\n"
	      "NUMBER(empty)=\nNUMBER(sign)=+1\nNUMBER(blank)= 1\nNUMBER(prefix)=0x\n"
	      "NUMBER(large)=18446744073709551616\nNUMBER(behind)=1f\nNUMBER(minus)=--1\n"
	      "NUMBER(point)=1.0\n"
	      "SIZE(empty)=\nSIZE(sign)=+1\nSIZE(blank)= 1\nSIZE(prefix)=0x1\n"
	      "SIZE(large)=99999999999999999999\nSIZE(behind)=1f\nSIZE(minus)=-1\n"
	      "SIZE(point)=1.0\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_false(vmcoreinfo_symbol(&info, names[i], &value));
		assert_false(vmcoreinfo_number(&info, names[i], &number));
		assert_false(vmcoreinfo_decimal(&info, "SIZE", names[i], &value));
	}
}

/* A machine of one table level: 256 pages in the lower half, bit 0 of an entry for present. */
static struct paging_entry toy_entry(
	const struct page_table *table, unsigned level, uint64_t vaddr, uint64_t raw)
{
	(void)table;
	(void)vaddr;
	(void)level;
	return (struct paging_entry){
		.present = raw & 1, .leaf = true, .address = raw & ~UINT64_C(0xfff)
	};
}

static struct kernel_space toy_space(const struct page_table *table)
{
	(void)table;
	return (struct kernel_space){ .text_base = 0x1000 };
}

static const struct arch toy = {
	.order = LITTLE,
	.page_shift = 12,
	.paging_entry = toy_entry,
	.kernel_space = toy_space,
};
static const struct page_table toy_table = {
	.arch = &toy,
	.root = 0,
	.levels = 1,
	.page_shift = 12,
	.level_bits = { 9 },
	.entry_size = 8,
	.regions = { { .range = { 0, 0xfffff } } },
	.region_count = 1,
};

/* The image lies from 0x1000 on at 0x9000: phys_base is 0x9000. */
static void build_toy(void)
{
	for (uint64_t page = 1; page <= 3; page++)
		put_le64(memory_bytes + 8 * page, (page + 8) << 12 | 1);
	strcpy((char *)memory_bytes + 0x9104, "Linux");
	strcpy((char *)memory_bytes + 0x9104 + 65, "node");
	strcpy((char *)memory_bytes + 0x9104 + 130, "6.1.0-56-cloud-amd64");
	strcpy((char *)memory_bytes + 0x9104 + 195, "#1 SMP");
	strcpy((char *)memory_bytes + 0x9104 + 260, "toy");
	memset(memory_bytes + 0x9104 + 325, 'd', 65); /* a string without an end */
}

static const char toy_text[] = "OSRELEASE=6.1.0-56-cloud-amd64\n"
			       "PAGESIZE=4096\n"
			       "SYMBOL(init_uts_ns)=1100\n"
			       "OFFSET(uts_namespace.name)=4\n"
			       "SYMBOL(_stext)=3000\n";

static void parse_toy(const char *more)
{
	char text[512];

	strcpy(text, toy_text);
	strcat(text, more);
	parse(text);
}

static void assert_invalid(const char *text, const char *reason)
{
	parse(text);
	assert_int_equal(vmcoreinfo_validate(&info, &memory, &toy_table, &error), -1);
	assert_non_null(strstr(error.text, reason));
}

static void test_validate(void **state)
{
	(void)state;
	build_toy();
	parse_toy("");
	assert_int_equal(vmcoreinfo_validate(&info, &memory, &toy_table, &error), 0);
	parse_toy("NUMBER(phys_base)=36864\n"); /* 0x9000 */
	assert_int_equal(vmcoreinfo_validate(&info, &memory, &toy_table, &error), 0);
	parse_toy("NUMBER(phys_base)=40960\n");
	assert_int_equal(vmcoreinfo_validate(&info, &memory, &toy_table, &error), -1);
	assert_non_null(strstr(error.text, "address 0xc000, but one at 0xb000"));

	assert_invalid(
		"OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=1100\n", "no SYMBOL(_stext)");
	assert_invalid("OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(_stext)=4000\n", "none is mapped");
	assert_invalid("OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(_stext)=1000\n", "does not say where");
	assert_invalid("OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(_stext)=1000\n"
		       "SYMBOL(init_uts_ns)=1100\n",
		"does not say where");
	assert_invalid("OSRELEASE=6.1.0-55-cloud-amd64\nPAGESIZE=4096\nSYMBOL(_stext)=1000\n"
		       "SYMBOL(init_uts_ns)=1100\nOFFSET(uts_namespace.name)=4\n",
		"is of Linux 6.1.0-55-cloud-amd64, but Linux 6.1.0-56-cloud-amd64 runs");
	assert_invalid("OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(_stext)=1000\n"
		       "SYMBOL(init_uts_ns)=1100\nOFFSET(uts_namespace.name)=5\n",
		"no Linux kernel's name at 0x1105");
	assert_invalid("OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(_stext)=1000\n"
		       "SYMBOL(init_uts_ns)=3f00\nOFFSET(uts_namespace.name)=4\n",
		"cannot be read at 0x3f04"); /* runs out of what is mapped */
	assert_invalid("OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(_stext)=1000\n"
		       "SYMBOL(init_uts_ns)=ffffffffffffffff\nOFFSET(uts_namespace.name)=0\n",
		"cannot be read");
}

static void test_utsname(void **state)
{
	char strings[UTSNAME_STRINGS][UTSNAME_STRING_SIZE];

	(void)state;
	build_toy();
	parse_toy("");
	assert_false(vmcoreinfo_knows_image(&info));
	assert_int_equal(vmcoreinfo_utsname(&info, &memory, NULL, strings, &error), -1);
	assert_int_equal(vmcoreinfo_utsname(&info, &memory, &toy_table, strings, &error), 0);
	assert_string_equal(strings[0], "Linux");
	assert_string_equal(strings[1], "node");
	assert_string_equal(strings[2], "6.1.0-56-cloud-amd64");
	assert_string_equal(strings[3], "#1 SMP");
	assert_string_equal(strings[4], "toy");
	assert_int_equal(strlen(strings[5]), 64);
}

/* The name is at 0x9104 for each of the ways in which kernels say where their image lies. */
static void test_utsname_without_table(void **state)
{
	static const char *const texts[] = {
		"SYMBOL(init_uts_ns)=ffffffffae800100\nNUMBER(phys_base)=-780103680\n",
		"SYMBOL(init_uts_ns)=ffff800008000100\nNUMBER(kimage_voffset)=0xffff800007ff7000\n",
		("SYMBOL(init_uts_ns)=ffffffff80000100\n"
		 "NUMBER(va_kernel_pa_offset)=0xffffffff7fff7000\n"),
	};
	char strings[UTSNAME_STRINGS][UTSNAME_STRING_SIZE];

	(void)state;
	build_toy();
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char text[512] = "OSRELEASE=6.1.0-56-cloud-amd64\nPAGESIZE=4096\n"
				 "OFFSET(uts_namespace.name)=4\n";

		parse(strcat(text, texts[i]));
		assert_true(vmcoreinfo_knows_image(&info));
		assert_int_equal(vmcoreinfo_utsname(&info, &memory, NULL, strings, &error), 0);
		assert_string_equal(strings[1], "node");
	}
	memory_bytes[0x9104] = 'l';
	assert_int_equal(vmcoreinfo_utsname(&info, &memory, NULL, strings, &error), -1);
}

/* Parsed, read as a note and read as bare text. */
static void test_no_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };
	size_t size = strlen(good);

	(void)state;
	put_note_head(memory_bytes + 0x1000, (uint32_t)size, LITTLE);
	memcpy(memory_bytes + 0x1000 + NOTE_HEAD, good, size);
	memcpy(memory_bytes + 0x5000, good, size);
	while (failing_next(&failing)) {
		int rc = vmcoreinfo_parse(&info, good, size, &error);

		if (rc == 0)
			rc = vmcoreinfo_read(&info, &memory, 0x1000, &error);
		if (rc == 0)
			rc = vmcoreinfo_read(&info, &memory, 0x5000, &error);
		failing_check(&failing, rc, error.text);
		vmcoreinfo_deinit(&info);
	}
	assert_int_equal(failing.nth, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_parse, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parse_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parse_release_length, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parse_size_cap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parse_note, setup, teardown),
		cmocka_unit_test_setup_teardown(test_head, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_note, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_bare, setup, teardown),
		cmocka_unit_test_setup_teardown(test_value, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_validate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_utsname, setup, teardown),
		cmocka_unit_test_setup_teardown(test_utsname_without_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
