// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_monitor.h"

/*
 * From QEMU 7.2 with TCG: Linux 6.1 runs a 64-bit process on the first vCPU and a 32-bit one on
 * the second. Most of the floating-point lines are left out.
 */
static const char linux_text[] =
	"\r\n"
	"CPU#0\r\n"
	"RAX=0000000000000000 RBX=0000000000000000 RCX=0000000000000000 RDX=0000000023f646c8\r\n"
	"RSI=0000000023f65b30 RDI=00007fff625d5420 RBP=0000000000000001 RSP=00007fff625d5420\r\n"
	"R8 =0000000000000000 R9 =0000000000000000 R10=0000000000000000 R11=0000000000000000\r\n"
	"R12=0000000023f65ad0 R13=00007fff625d5420 R14=00000000005eaeb0 R15=0000000000000000\r\n"
	"RIP=000000000042ec36 RFL=00000246 [---Z-P-] CPL=3 II=0 A20=1 SMM=0 HLT=0\r\n"
	"ES =0000 0000000000000000 00000000 00000000\r\n"
	"CS =0033 0000000000000000 ffffffff 00affb00 DPL=3 CS64 [-RA]\r\n"
	"SS =002b 0000000000000000 ffffffff 00cff300 DPL=3 DS   [-WA]\r\n"
	"DS =0000 0000000000000000 00000000 00000000\r\n"
	"FS =0000 0000000023f643c0 00000000 00000000\r\n"
	"GS =0000 0000000000000000 00000000 00000000\r\n"
	"LDT=0000 0000000000000000 00000000 00008200 DPL=0 LDT\r\n"
	"TR =0040 fffffe0000003000 00004087 00008900 DPL=0 TSS64-avl\r\n"
	"GDT=     fffffe0000001000 0000007f\r\n"
	"IDT=     fffffe0000000000 00000fff\r\n"
	"CR0=80050033 CR2=0000000023f65730 CR3=00000000012e8000 CR4=00751eb0\r\n"
	"DR0=0000000000000000 DR1=0000000000000000 DR2=0000000000000000 DR3=0000000000000000 \r\n"
	"DR6=00000000ffff0ff0 DR7=0000000000000400\r\n"
	"EFER=0000000000000d01\r\n"
	"FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80\r\n"
	"FPR0=0000000000000000 0000 FPR1=0000000000000000 0000\r\n"
	"YMM00=0000000000000000 0000000000000000 0000000000000000 000000000000003a\r\n"
	"\r\n"
	"CPU#1\r\n"
	"EAX=00000000 EBX=00000000 ECX=00000000 EDX=00000000\r\n"
	"ESI=00000000 EDI=00000000 EBP=00000000 ESP=ff834210\r\n"
	"EIP=08049000 EFL=00000202 [-------] CPL=3 II=0 A20=1 SMM=0 HLT=0\r\n"
	"ES =002b 00000000 ffffffff 00cff300 DPL=3 DS   [-WA]\r\n"
	"CS =0023 00000000 ffffffff 00cffb00 DPL=3 CS32 [-RA]\r\n"
	"SS =002b 00000000 ffffffff 00cff300 DPL=3 DS   [-WA]\r\n"
	"DS =002b 00000000 ffffffff 00cff300 DPL=3 DS   [-WA]\r\n"
	"FS =0000 00000000 00000000 00000000\r\n"
	"GS =0000 00000000 00000000 00000000\r\n"
	"LDT=0000 00000000 00000000 00008200 DPL=0 LDT\r\n"
	"TR =0040 0003e000 00004087 00008900 DPL=0 TSS64-avl\r\n"
	"GDT=     fffffe000003c000 0000007f\r\n"
	"IDT=     fffffe0000000000 00000fff\r\n"
	"CR0=80050033 CR2=00000000005794a9 CR3=0000000012802000 CR4=00751ea0\r\n"
	"DR0=0000000000000000 DR1=0000000000000000 DR2=0000000000000000 DR3=0000000000000000 \r\n"
	"DR6=00000000ffff0ff0 DR7=0000000000000400\r\n"
	"EFER=0000000000000d01\r\n"
	"FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80\r\n"
	"FPR0=0000000000000000 0000 FPR1=0000000000000000 0000\r\n"
	"YMM00=0000000000000000 0000000000000000 0000000000000000 0000000000000000\r\n";

/* SeaBIOS, in real mode. */
static const char firmware_text[] =
	"\r\n"
	"CPU#0\r\n"
	"EAX=00000000 EBX=00000000 ECX=0000b79d EDX=00000000\r\n"
	"ESI=0000b79d EDI=00000000 EBP=0000b79d ESP=00006f94\r\n"
	"EIP=0000b7b9 EFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n"
	"ES =d980 000d9800 0000ffff 00009300\r\n"
	"CS =f000 000f0000 0000ffff 00009b00\r\n"
	"SS =0000 00000000 0000ffff 00009300\r\n"
	"DS =0000 00000000 0000ffff 00009300\r\n"
	"FS =0000 00000000 0000ffff 00009300\r\n"
	"GS =0000 00000000 0000ffff 00009300\r\n"
	"LDT=0000 00000000 0000ffff 00008200\r\n"
	"TR =0000 00000000 0000ffff 00008b00\r\n"
	"GDT=     00000000 00000000\r\n"
	"IDT=     00000000 000003ff\r\n"
	"CR0=00000010 CR2=00000000 CR3=00000000 CR4=00000000\r\n"
	"DR0=0000000000000000 DR1=0000000000000000 DR2=0000000000000000 DR3=0000000000000000 \r\n"
	"DR6=00000000ffff0ff0 DR7=0000000000000400\r\n"
	"EFER=0000000000000000\r\n"
	"FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80\r\n";

enum { CPUS = 3 };
static struct registers cpus[CPUS];

static int setup(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CPUS; i++)
		registers_init(&cpus[i], i, LITTLE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CPUS; i++)
		registers_deinit(&cpus[i]);
	return 0;
}

/* With a NUL right behind it in memory of its own, so that a sanitizer sees what is read there. */
static size_t read_exactly(const char *text, size_t length, size_t count)
{
	char *copy = malloc(length + 1);
	size_t told;

	assert_non_null(copy);
	memcpy(copy, text, length);
	copy[length] = '\0';
	told = x86_monitor_read(copy, cpus, count);
	free(copy);
	return told;
}

static size_t read_text(const char *text, size_t count)
{
	return read_exactly(text, strlen(text), count);
}

static void expect(unsigned cpu, const char *name, uint64_t expected)
{
	uint64_t value;

	if (!registers_get_u64(&cpus[cpu], name, &value))
		fail_msg("vCPU %u has no %s", cpu, name);
	if (value != expected)
		fail_msg("%s of vCPU %u is %#jx, not %#jx", name, cpu, (uintmax_t)value,
			(uintmax_t)expected);
}

static void expect_none(unsigned cpu, const char *name)
{
	uint64_t value;

	if (registers_get_u64(&cpus[cpu], name, &value))
		fail_msg("vCPU %u has %s = %#jx", cpu, name, (uintmax_t)value);
}

static void expect_segment(unsigned cpu, const char *name, uint64_t selector, uint64_t base,
	uint64_t limit, uint64_t flags)
{
	char part[16];

	expect(cpu, name, selector);
	snprintf(part, sizeof(part), "%s.base", name);
	expect(cpu, part, base);
	snprintf(part, sizeof(part), "%s.limit", name);
	expect(cpu, part, limit);
	snprintf(part, sizeof(part), "%s.flags", name);
	expect(cpu, part, flags);
}

static void test_a_vcpu_in_64_bit_code(void **state)
{
	(void)state;
	assert_int_equal(read_text(linux_text, 2), 2);
	expect(0, "rflags", 0x246);
	expect_segment(0, "es", 0, 0, 0, 0);
	expect_segment(0, "cs", 0x33, 0, 0xffffffff, 0x00affb00);
	expect_segment(0, "ss", 0x2b, 0, 0xffffffff, 0x00cff300);
	expect_segment(0, "ds", 0, 0, 0, 0);
	expect_segment(0, "fs", 0, 0x23f643c0, 0, 0);
	expect_segment(0, "gs", 0, 0, 0, 0);
	expect_segment(0, "ldt", 0, 0, 0, 0x8200);
	expect_segment(0, "tr", 0x40, 0xfffffe0000003000, 0x4087, 0x8900);
	expect(0, "gdt.base", 0xfffffe0000001000);
	expect(0, "gdt.limit", 0x7f);
	expect(0, "idt.base", 0xfffffe0000000000);
	expect(0, "idt.limit", 0xfff);
	expect_none(0, "gdt");
	expect_none(0, "gdt.flags");
	expect(0, "cr0", 0x80050033);
	expect(0, "cr2", 0x23f65730);
	expect(0, "cr3", 0x12e8000);
	expect(0, "cr4", 0x751eb0);
	expect(0, "efer", 0xd01);
	for (char name[] = "dr0"; name[2] < '4'; name[2]++)
		expect(0, name, 0);
	expect(0, "dr6", 0xffff0ff0);
	expect(0, "dr7", 0x400);
	expect_none(0, "dr4");
}

static void test_a_vcpu_in_32_bit_code(void **state)
{
	(void)state;
	assert_int_equal(read_text(linux_text, 2), 2);
	expect(1, "rflags", 0x202);
	expect_segment(1, "cs", 0x23, 0, 0xffffffff, 0x00cffb00);
	expect_segment(1, "ds", 0x2b, 0, 0xffffffff, 0x00cff300);
	expect(1, "gdt.base", 0xfffffe000003c000);
	expect(1, "idt.base", 0xfffffe0000000000);
	expect(1, "cr3", 0x12802000);
	/* The text has the lower half of its base only. */
	expect(1, "tr", 0x40);
	expect(1, "tr.limit", 0x4087);
	expect(1, "tr.flags", 0x8900);
	expect_none(1, "tr.base");
	expect_none(1, "ldt.base");
}

static void test_a_vcpu_in_real_mode(void **state)
{
	(void)state;
	assert_int_equal(read_text(firmware_text, 1), 1);
	expect(0, "rflags", 0x246);
	expect_segment(0, "es", 0xd980, 0xd9800, 0xffff, 0x9300);
	expect_segment(0, "cs", 0xf000, 0xf0000, 0xffff, 0x9b00);
	expect_segment(0, "ldt", 0, 0, 0xffff, 0x8200);
	expect_segment(0, "tr", 0, 0, 0xffff, 0x8b00);
	expect(0, "gdt.limit", 0);
	expect(0, "idt.limit", 0x3ff);
	expect(0, "cr0", 0x10);
	expect(0, "efer", 0);
}

static void test_the_stub_knows_better(void **state)
{
	(void)state;
	registers_set(&cpus[0], "cs", "\x10\0\0\0", 4);
	registers_set_u64(&cpus[0], "cr4", 0x1122334455);
	registers_set(&cpus[0], "eflags", "\2\2\0\0", 4);
	assert_int_equal(read_text(linux_text, 1), 1);
	expect(0, "cs", 0x10);
	expect(0, "cs.flags", 0x00affb00);
	expect(0, "cr4", 0x1122334455);
	expect(0, "eflags", 0x202);
	expect(0, "rflags", 0x246);
}

static void test_blocks_go_by_number(void **state)
{
	(void)state;
	cpus[0].cpu = 7;
	cpus[1].cpu = 12;
	cpus[2].cpu = 1;
	assert_int_equal(read_text("CPU#12\r\nRFL=12\r\nCPU#2\r\nRFL=2\r\nCPU#1\nRFL=1\n", 3), 2);
	expect_none(0, "rflags");
	expect(1, "rflags", 0x12);
	expect(2, "rflags", 0x1);
}

static void test_a_block_that_comes_again_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(
		read_text("CPU#0\nRFL=1\nCPU#0\nRFL=2\nCPU#1\nRFL=3\nCPU#0\nRFL=4\n", 2), 2);
	expect(0, "rflags", 1);
	expect(1, "rflags", 3);
	assert_int_equal(read_text("CPU#0\nRFL=5\n", 2), 0);
}

static void test_one_vcpu_needs_no_header(void **state)
{
	(void)state;
	assert_int_equal(read_text(strstr(firmware_text, "EAX="), 1), 1);
	expect(0, "idt.limit", 0x3ff);
}

static void test_several_vcpus_need_headers(void **state)
{
	(void)state;
	assert_int_equal(read_text(strstr(firmware_text, "EAX="), 2), 0);
	assert_int_equal(cpus[0].count, 0);
	/* What comes in front of the first header is of nobody. */
	assert_int_equal(read_text("RFL=1\r\nCPU#1\r\nCR0=2\r\n", 1), 0);
	assert_int_equal(cpus[0].count, 0);
}

static void test_text_of_something_else(void **state)
{
	(void)state;
	assert_int_equal(read_text("", 1), 0);
	assert_int_equal(read_text("\r\n", 2), 0);
	assert_int_equal(read_text("unknown command: 'info registers -a'\r\n", 1), 0);
	assert_int_equal(read_text("CPU#", 1), 0);
	assert_int_equal(read_text("CPU#\r\nRFL=1\r\n", 1), 0);
	assert_int_equal(read_text("CPU#-1\r\nRFL=1\r\n", 1), 0);
	assert_int_equal(read_text("CPU#4294967296\r\nRFL=1\r\n", 1), 0); /* 2^32 is not 0 */
	assert_int_equal(read_text("CPU#18446744073709551616\r\nRFL=1\r\n", 1), 0);
	assert_int_equal(read_text(linux_text, 0), 0);
	assert_int_equal(cpus[0].count, 0);
}

static void test_keys_are_whole_words(void **state)
{
	(void)state;
	assert_int_equal(read_text("XCR0=1 CR02=2 cr0=3 CR0:4 CR0 5 _CR3=6\r\n", 1), 1);
	expect_none(0, "cr0");
	expect(0, "cr3", 6);
	assert_int_equal(read_text("CR00=1 CR0   =5\n", 1), 1);
	expect(0, "cr0", 5);
}

static void test_numbers_of_any_width(void **state)
{
	(void)state;
	assert_int_equal(read_text("RFL=2 CR0=ffffffffffffffff CR2=00000000000000001 "
				   "CR3=12g4 CR4= EFER=\r\n5 DR0=-1 DR1=aBcDeF ",
				 1),
		1);
	expect(0, "rflags", 2);
	expect(0, "cr0", UINT64_MAX);
	expect_none(0, "cr2"); /* 17 digits are no register */
	expect_none(0, "cr3");
	expect_none(0, "cr4");
	expect_none(0, "efer");
	expect_none(0, "dr0");
	expect(0, "dr1", 0xabcdef);
}

static void test_half_a_segment_is_none(void **state)
{
	(void)state;
	assert_int_equal(read_text("ES =0010 00000000 ffffffff\r\n00cf9300\r\n"
				   "CS =0010 00000000 ffffffff ..\r\n"
				   "GDT=     fffffe0000001000\r\n0000007f\r\n",
				 1),
		0);
	assert_int_equal(cpus[0].count, 0);
}

static void test_truncated_text(void **state)
{
	struct registers whole[2];

	assert_int_equal(read_text(linux_text, 2), 2);
	memcpy(whole, cpus, sizeof(whole));
	memset(cpus, 0, sizeof(cpus));
	setup(state);
	for (size_t length = 0; length < sizeof(linux_text) - 1; length++) {
		teardown(state);
		assert_true(read_exactly(linux_text, length, 2) <= 2);
		/* What there is of it is right. */
		for (unsigned i = 0; i < 2; i++)
			for (size_t k = 0; k < cpus[i].count; k++)
				expect(i, cpus[i].values[k].name,
					registers_u64(&whole[i], cpus[i].values[k].name));
	}
	assert_int_equal(cpus[1].count, whole[1].count);
	registers_deinit(&whole[0]);
	registers_deinit(&whole[1]);
}

static void test_every_byte_may_be_anything(void **state)
{
	static const char odd[] = { '\n', '=', ' ', '#', 'C', '0', 'f', (char)0xff };
	char text[sizeof(linux_text)];

	for (size_t at = 0; at < sizeof(text) - 1; at++)
		for (size_t i = 0; i < sizeof(odd); i++) {
			teardown(state);
			memcpy(text, linux_text, sizeof(text));
			text[at] = odd[i];
			assert_true(x86_monitor_read(text, cpus, 2) <= 2);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_vcpu_in_64_bit_code, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_vcpu_in_32_bit_code, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_vcpu_in_real_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_stub_knows_better, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blocks_go_by_number, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_block_that_comes_again_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_vcpu_needs_no_header, setup, teardown),
		cmocka_unit_test_setup_teardown(test_several_vcpus_need_headers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text_of_something_else, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys_are_whole_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_of_any_width, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_a_segment_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncated_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_byte_may_be_anything, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
