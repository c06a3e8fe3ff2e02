// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/arch.h"

static const struct arch *x86_64;

static int find_x86_64(void **state)
{
	(void)state;
	x86_64 = arch_find("x86_64");
	return x86_64 ? 0 : -1;
}

/* ---- the mode ---- */

enum { EFER_LME = 0x100, EFER_LMA = 0x400 };

static void test_check_wants_a_vcpu_in_64_bit_mode(void **state)
{
	struct registers cpus[2];
	struct error error;

	(void)state;
	registers_init(&cpus[0], 0, LITTLE);
	registers_init(&cpus[1], 1, LITTLE);
	registers_set_u64(&cpus[0], "efer", 0);
	registers_set_u64(&cpus[1], "efer", EFER_LME);
	assert_int_equal(x86_64->check(cpus, 2, &error), -1);
	assert_non_null(strstr(error.text, "64-bit mode"));
	/* One is enough: the others may not have been started yet. */
	registers_set_u64(&cpus[1], "efer", EFER_LME | EFER_LMA);
	assert_int_equal(x86_64->check(cpus, 2, &error), 0);
	assert_int_equal(x86_64->check(cpus, 1, &error), -1);
	assert_int_equal(x86_64->check(cpus, 0, &error), -1);
	registers_deinit(&cpus[0]);
	registers_deinit(&cpus[1]);
}

static void test_check_lets_pass_what_shows_no_efer(void **state)
{
	struct registers cpu;
	struct error error;

	(void)state;
	registers_init(&cpu, 0, LITTLE);
	registers_set_u64(&cpu, "rip", 0x1000);
	assert_int_equal(x86_64->check(&cpu, 1, &error), 0);
	registers_deinit(&cpu);
}

/* ---- roots of page tables ---- */

#define PG      UINT64_C(0x80050033)
#define RAM_END UINT64_C(0x23fffffff)

static struct registers paging_cpu(uint64_t cs, uint64_t cr3, uint64_t cr4)
{
	struct registers cpu;

	registers_init(&cpu, 0, LITTLE);
	registers_set_u64(&cpu, "cs", cs);
	registers_set_u64(&cpu, "cr0", PG);
	registers_set_u64(&cpu, "cr3", cr3);
	registers_set_u64(&cpu, "cr4", cr4);
	registers_set_u64(&cpu, "efer", EFER_LME | EFER_LMA);
	return cpu;
}

enum { KERNEL = 0x10, USER = 0x33, NONE = 1 };

/* Expects these roots and no third; NONE is no root. */
static void expect_roots(struct registers cpu, uint64_t ram_end, uint64_t first, uint64_t second)
{
	struct page_table table;

	assert_int_equal(x86_64->page_table(&cpu, ram_end, 0, &table), first != NONE);
	if (first != NONE)
		assert_int_equal(table.root, first);
	assert_int_equal(x86_64->page_table(&cpu, ram_end, 1, &table), second != NONE);
	if (second != NONE)
		assert_int_equal(table.root, second);
	assert_false(x86_64->page_table(&cpu, ram_end, 2, &table));
	registers_deinit(&cpu);
}

static void test_table_of_four_levels(void **state)
{
	struct registers cpu = paging_cpu(KERNEL, 0x26b6000, 0x750eb0);
	struct page_table table;

	(void)state;
	assert_true(x86_64->page_table(&cpu, RAM_END, 0, &table));
	assert_ptr_equal(table.arch, x86_64);
	assert_int_equal(table.root, 0x26b6000);
	assert_int_equal(table.levels, 4);
	assert_int_equal(table.page_shift, 12);
	for (unsigned level = 0; level < 4; level++)
		assert_int_equal(table.level_bits[level], 9);
	assert_int_equal(table.order, LITTLE);
	assert_int_equal(table.region_count, 2);
	assert_int_equal(table.regions[0].range.first, 0);
	assert_int_equal(table.regions[0].range.last, 0x00007fffffffffff);
	assert_int_equal(table.regions[1].range.first, 0xffff800000000000);
	assert_int_equal(table.regions[1].range.last, 0xffffffffffffffff);
	assert_int_equal(table.entry_size, 8);
	assert_int_equal(table.address_mask, 0x000ffffffffff000);
	assert_false(x86_64->page_table(&cpu, RAM_END, 1, &table));
	registers_deinit(&cpu);
}

static void test_table_of_five_levels(void **state)
{
	struct registers cpu = paging_cpu(KERNEL, 0x26b6000, 0x751eb0);
	struct page_table table;

	(void)state;
	assert_true(x86_64->page_table(&cpu, RAM_END, 0, &table));
	assert_int_equal(table.levels, 5);
	assert_int_equal(table.regions[1].range.first, 0xff00000000000000);
	registers_deinit(&cpu);
}

static void test_no_table_without_paging(void **state)
{
	struct registers cpu = paging_cpu(KERNEL, 0x26b6000, 0);
	struct page_table table;

	(void)state;
	registers_set_u64(&cpu, "cr0", 0x60000010);
	assert_false(x86_64->page_table(&cpu, RAM_END, 0, &table));
	registers_set_u64(&cpu, "cr0", PG);
	assert_true(x86_64->page_table(&cpu, RAM_END, 0, &table));
	/* The tables of 32-bit paging look otherwise. */
	registers_set_u64(&cpu, "efer", EFER_LME);
	assert_false(x86_64->page_table(&cpu, RAM_END, 0, &table));
	registers_deinit(&cpu);

	registers_init(&cpu, 0, LITTLE);
	registers_set_u64(&cpu, "cr0", PG);
	assert_false(x86_64->page_table(&cpu, RAM_END, 0, &table));
	registers_set_u64(&cpu, "cr3", 0x26b6000);
	assert_true(x86_64->page_table(&cpu, RAM_END, 0, &table));
	registers_deinit(&cpu);
}

static void test_low_and_high_bits_of_cr3_are_no_address(void **state)
{
	(void)state;
	/* PCID and cache control below, LAM and the like above. */
	expect_roots(paging_cpu(KERNEL, 0x60000000026b6fff, 0), RAM_END, 0x26b6000, NONE);
}

static void test_page_table_isolation(void **state)
{
	(void)state;
	expect_roots(paging_cpu(USER, 0x2641806, 0), RAM_END, 0x2640000, 0x2641000);
	expect_roots(paging_cpu(KERNEL, 0x2641000, 0), RAM_END, 0x2641000, 0x2640000);
	expect_roots(paging_cpu(USER, 0x2640000, 0), RAM_END, 0x2640000, NONE);
	expect_roots(paging_cpu(KERNEL, 0x2640000, 0), RAM_END, 0x2640000, NONE);
}

static void expect_mask(uint64_t cr3, uint64_t ram_end, uint64_t root, uint64_t mask)
{
	struct registers cpu = paging_cpu(KERNEL, cr3, 0);
	struct page_table table;

	assert_true(x86_64->page_table(&cpu, ram_end, 0, &table));
	assert_int_equal(table.root, root);
	assert_int_equal(table.address_mask, mask);
	registers_deinit(&cpu);
}

static void test_encryption_bit(void **state)
{
	const uint64_t all = 0x000ffffffffff000;

	(void)state;
	expect_mask(0x0008000002bd4000, 0x20000000, 0x2bd4000, all & ~(UINT64_C(1) << 51));
	expect_mask(0x0000800002bd4000, 0x20000000, 0x2bd4000, all & ~(UINT64_C(1) << 47));
	expect_mask(0x0000000102bd4000, 0x20000000, 0x2bd4000, all & ~(UINT64_C(1) << 32));
	/* Below 4 GiB no processor puts it. */
	expect_mask(0x0000000082bd4000, 0x20000000, 0x82bd4000, all);
	/* An address, while RAM goes that far. */
	expect_mask(0x0000000102bd4000, 0x110000000, 0x102bd4000, all);
	expect_mask(0x0000000202bd4000, 0x200000000, 0x2bd4000, all & ~(UINT64_C(1) << 33));
	expect_mask(0x0000000202bd4000, 0x200000001, 0x202bd4000, all);
	/* Nothing is known of RAM. */
	expect_mask(0x0008000002bd4000, 0, 0x0008000002bd4000, all);
	expect_mask(0x0008000002bd4000, UINT64_MAX, 0x0008000002bd4000, all);
}

static void test_encryption_and_isolation(void **state)
{
	(void)state;
	expect_roots(paging_cpu(USER, 0x0008000002641806, 0), RAM_END, 0x2640000, 0x2641000);
}

/* ---- entries ---- */

static struct paging_entry entry(unsigned level, uint64_t raw)
{
	static const struct page_table table = { .levels = 5, .address_mask = 0x000ffffffffff000 };

	return x86_64->paging_entry(&table, level, 0, raw);
}

static void test_entries_lead_to_tables_or_pages(void **state)
{
	static const bool leaf_with_bit_7[] = { true, true, true, false, false };

	(void)state;
	for (unsigned level = 0; level < 5; level++) {
		assert_int_equal(entry(level, 0x5001).leaf, level == 0);
		assert_int_equal(entry(level, 0x5081).leaf, leaf_with_bit_7[level]);
		assert_int_equal(
			entry(level, 0xfff0000012345fff & ~UINT64_C(0x80)).address, 0x12345000);
		assert_true(entry(level, 0x5001).present);
		assert_false(entry(level, 0xfffffffffffffffe).present);
	}
	/* Swapped-out pages and the like: anything but bit 0 may be set. */
	assert_false(entry(0, 0x8000000000005ffe).present);
}

static void test_addresses_of_large_pages(void **state)
{
	(void)state;
	assert_int_equal(entry(0, 0xffffffffffffffff).address, 0x000ffffffffff000);
	assert_int_equal(entry(1, 0xffffffffffffffff).address, 0x000fffffffe00000);
	assert_int_equal(entry(2, 0xffffffffffffffff).address, 0x000fffffc0000000);
	assert_int_equal(entry(3, 0xffffffffffffffff).address, 0x000ffffffffff000);
	assert_int_equal(entry(4, 0xffffffffffffffff).address, 0x000ffffffffff000);
}

static void test_rights(void **state)
{
	(void)state;
	assert_true(entry(0, 0x5003).writable);
	assert_false(entry(0, 0x5001).writable);
	assert_true(entry(0, 0x5005).user);
	assert_false(entry(0, 0x5003).user);
	assert_true(entry(0, 0x5001).executable);
	assert_false(entry(0, 0x8000000000005001).executable);
}

static void test_kernel_space(void **state)
{
	struct page_table table = { .arch = x86_64, .levels = 4 };
	struct kernel_space space = x86_64->kernel_space(&table);

	(void)state;
	assert_int_equal(space.text.first, 0xffffffff80000000);
	assert_int_equal(space.text.last, 0xffffffffbfffffff);
	assert_int_equal(space.text_base, 0xffffffff80000000);
	assert_int_equal(space.direct_map.first, 0xffff880000000000);
	assert_int_equal(space.direct_map.last, 0xfffffdffffffffff);
	assert_int_equal(space.direct_map_align, 0x40000000);
	table.levels = 5;
	space = x86_64->kernel_space(&table);
	assert_int_equal(space.direct_map.first, 0xff10000000000000);
	assert_int_equal(space.direct_map.last, 0xfffffdffffffffff);
	assert_int_equal(space.text.first, 0xffffffff80000000);
}

/* ---- notes ---- */

/* As QEMU's stub sends them; the value of the nth is 0x1111111111110000 + n. */
static const char *const stub_names[] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "fs_base", "gs_base",
	"k_gs_base", "cr0", "cr2", "cr3", "cr4" };
static const char *const stub_names_32[] = { "eflags", "cs", "ss", "ds", "es", "fs", "gs" };

static struct registers stub_cpu(unsigned index)
{
	struct registers cpu;
	uint8_t four[4];

	registers_init(&cpu, index, LITTLE);
	for (size_t i = 0; i < sizeof(stub_names) / sizeof(stub_names[0]); i++)
		registers_set_u64(&cpu, stub_names[i], 0x1111111111110000 + i);
	for (size_t i = 0; i < sizeof(stub_names_32) / sizeof(stub_names_32[0]); i++) {
		put_le32(four, 0xabcd0000 + (uint32_t)i);
		registers_set(&cpu, stub_names_32[i], four, 4);
	}
	return cpu;
}

static const char monitor_text[] = "\r\nCPU#0\r\n"
				   "RIP=1111111111110010 RFL=00000246 [---Z-P-] CPL=0\r\n"
				   "ES =0e05 e000000000000001 e0000002 00e00300\r\n"
				   "CS =0e05 c000000000000001 c0000002 00c00300\r\n"
				   "SS =0e05 5000000000000001 50000002 00500300\r\n"
				   "DS =0e05 d000000000000001 d0000002 00d00300\r\n"
				   "FS =0e05 f000000000000001 f0000002 00f00300\r\n"
				   "GS =0e05 9000000000000001 90000002 00900300\r\n"
				   "LDT=1d17 1000000000000001 10000002 00100300\r\n"
				   "TR =7272 2000000000000001 20000002 00200300\r\n"
				   "GDT=     3000000000000001 30000002\r\n"
				   "IDT=     4000000000000001 40000002\r\n"
				   "EFER=0000000000000d01\r\n";

static void expect_64(const uint8_t *desc, size_t offset, uint64_t value)
{
	if (get_le64(desc + offset) != value)
		fail_msg("%#jx at %#zx, not %#jx", (uintmax_t)get_le64(desc + offset), offset,
			(uintmax_t)value);
}

static void expect_segment(const uint8_t *desc, size_t offset, uint32_t selector, uint32_t limit,
	uint32_t flags, uint64_t base)
{
	assert_int_equal(get_le32(desc + offset), selector);
	assert_int_equal(get_le32(desc + offset + 4), limit);
	assert_int_equal(get_le32(desc + offset + 8), flags);
	assert_int_equal(get_le32(desc + offset + 12), 0);
	assert_int_equal(get_le64(desc + offset + 16), base);
}

static void expect_zeros(const uint8_t *desc, size_t first, size_t behind)
{
	for (size_t i = first; i < behind; i++)
		assert_int_equal(desc[i], 0);
}

static struct note next(const struct notes *notes, size_t *offset)
{
	struct note note = { 0 };

	assert_false(notes->failed);
	assert_true(notes_next(notes->bytes, notes->size, LITTLE, offset, &note));
	return note;
}

static void test_prstatus(void **state)
{
	const uint64_t n = 0x1111111111110000;
	struct registers cpu = stub_cpu(0);
	struct notes notes;
	struct note note;
	char missing[200];
	size_t offset = 0;
	const uint8_t *d;

	(void)state;
	x86_64->read_monitor(monitor_text, &cpu, 1);
	notes_init(&notes, LITTLE);
	x86_64->write_notes(&cpu, 1, &notes, missing, sizeof(missing));
	note = next(&notes, &offset);
	assert_string_equal(note.name, "CORE");
	assert_int_equal(note.type, 1);
	assert_int_equal(note.desc_size, 336);
	d = note.desc;
	expect_zeros(d, 0, 0x20);
	assert_int_equal(get_le32(d + 0x20), 1);
	expect_zeros(d, 0x24, 0x70);
	expect_64(d, 0x70, n + 15); /* r15 */
	expect_64(d, 0x78, n + 14);
	expect_64(d, 0x80, n + 13);
	expect_64(d, 0x88, n + 12); /* r12 */
	expect_64(d, 0x90, n + 6);  /* rbp */
	expect_64(d, 0x98, n + 1);  /* rbx */
	expect_64(d, 0xa0, n + 11); /* r11 */
	expect_64(d, 0xa8, n + 10);
	expect_64(d, 0xb0, n + 9);
	expect_64(d, 0xb8, n + 8);       /* r8 */
	expect_64(d, 0xc0, n + 0);       /* rax */
	expect_64(d, 0xc8, n + 2);       /* rcx */
	expect_64(d, 0xd0, n + 3);       /* rdx */
	expect_64(d, 0xd8, n + 4);       /* rsi */
	expect_64(d, 0xe0, n + 5);       /* rdi */
	expect_64(d, 0xe8, 0);           /* orig_rax */
	expect_64(d, 0xf0, n + 16);      /* rip */
	expect_64(d, 0xf8, 0xabcd0001);  /* cs */
	expect_64(d, 0x100, 0x246);      /* the monitor's flags */
	expect_64(d, 0x108, n + 7);      /* rsp */
	expect_64(d, 0x110, 0xabcd0002); /* ss */
	expect_64(d, 0x118, n + 17);     /* fs_base */
	expect_64(d, 0x120, n + 18);     /* gs_base */
	expect_64(d, 0x128, 0xabcd0003); /* ds */
	expect_64(d, 0x130, 0xabcd0004); /* es */
	expect_64(d, 0x138, 0xabcd0005); /* fs */
	expect_64(d, 0x140, 0xabcd0006); /* gs */
	expect_64(d, 0x148, 0);          /* fpvalid */
	notes_deinit(&notes);
	registers_deinit(&cpu);
}

static void test_cpu_state(void **state)
{
	const uint64_t n = 0x1111111111110000;
	struct registers cpu = stub_cpu(0);
	struct notes notes;
	struct note note;
	char missing[200] = "x";
	size_t offset = 0;
	const uint8_t *d;

	(void)state;
	x86_64->read_monitor(monitor_text, &cpu, 1);
	notes_init(&notes, LITTLE);
	x86_64->write_notes(&cpu, 1, &notes, missing, sizeof(missing));
	next(&notes, &offset);
	note = next(&notes, &offset);
	assert_int_equal(offset, notes.size);
	assert_string_equal(note.name, "QEMU");
	assert_int_equal(note.type, 0);
	assert_int_equal(note.desc_size, 440);
	d = note.desc;
	assert_int_equal(get_le32(d), 1);
	assert_int_equal(get_le32(d + 4), 440);
	for (size_t i = 0; i < 6; i++) /* rax rbx rcx rdx rsi rdi */
		expect_64(d, 8 + 8 * i, n + i);
	expect_64(d, 0x38, n + 7);      /* rsp */
	expect_64(d, 0x40, n + 6);      /* rbp */
	for (size_t i = 8; i < 16; i++) /* r8 to r15 */
		expect_64(d, 0x48 + 8 * (i - 8), n + i);
	expect_64(d, 0x88, n + 16); /* rip */
	expect_64(d, 0x90, 0x246);  /* rflags */
	expect_segment(d, 0x98, 0xabcd0001, 0xc0000002, 0x00c00300, 0xc000000000000001);  /* cs */
	expect_segment(d, 0xb0, 0xabcd0003, 0xd0000002, 0x00d00300, 0xd000000000000001);  /* ds */
	expect_segment(d, 0xc8, 0xabcd0004, 0xe0000002, 0x00e00300, 0xe000000000000001);  /* es */
	expect_segment(d, 0xe0, 0xabcd0005, 0xf0000002, 0x00f00300, n + 17);              /* fs */
	expect_segment(d, 0xf8, 0xabcd0006, 0x90000002, 0x00900300, n + 18);              /* gs */
	expect_segment(d, 0x110, 0xabcd0002, 0x50000002, 0x00500300, 0x5000000000000001); /* ss */
	expect_segment(d, 0x128, 0x1d17, 0x10000002, 0x00100300, 0x1000000000000001);     /* ldt */
	expect_segment(d, 0x140, 0x7272, 0x20000002, 0x00200300, 0x2000000000000001);     /* tr */
	expect_segment(d, 0x158, 0, 0x30000002, 0, 0x3000000000000001);                   /* gdt */
	expect_segment(d, 0x170, 0, 0x40000002, 0, 0x4000000000000001);                   /* idt */
	expect_64(d, 0x188, n + 20);                                                      /* cr0 */
	expect_64(d, 0x190, 0);                                                           /* cr1 */
	expect_64(d, 0x198, n + 21);                                                      /* cr2 */
	expect_64(d, 0x1a0, n + 22);                                                      /* cr3 */
	expect_64(d, 0x1a8, n + 23);                                                      /* cr4 */
	expect_64(d, 0x1b0, n + 19); /* kernel_gs_base */
	assert_string_equal(missing, "");
	notes_deinit(&notes);
	registers_deinit(&cpu);
}

static void test_order_of_the_notes(void **state)
{
	struct registers cpus[3] = { stub_cpu(0), stub_cpu(1), stub_cpu(2) };
	struct notes notes;
	char missing[200];
	size_t offset = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		registers_set_u64(&cpus[i], "rip", 0x1000 + i);
	notes_init(&notes, LITTLE);
	x86_64->write_notes(cpus, 3, &notes, missing, sizeof(missing));
	assert_int_equal(notes.size, 3 * (12 + 8 + 336) + 3 * (12 + 8 + 440));
	for (unsigned i = 0; i < 3; i++) {
		struct note note = next(&notes, &offset);

		assert_string_equal(note.name, "CORE");
		assert_int_equal(get_le32(note.desc + 0x20), i + 1);
		expect_64(note.desc, 0xf0, 0x1000 + i);
	}
	for (unsigned i = 0; i < 3; i++) {
		struct note note = next(&notes, &offset);

		assert_string_equal(note.name, "QEMU");
		expect_64(note.desc, 0x88, 0x1000 + i);
	}
	notes_deinit(&notes);
	for (unsigned i = 0; i < 3; i++)
		registers_deinit(&cpus[i]);
}

/* Writes the notes of these vCPUs and returns what they lack. */
static const char *missing_of(const struct registers *cpus, size_t count, size_t size)
{
	static char missing[400];
	struct notes notes;

	memset(missing, '#', sizeof(missing));
	notes_init(&notes, LITTLE);
	x86_64->write_notes(cpus, count, &notes, missing, size);
	assert_false(notes.failed);
	notes_deinit(&notes);
	assert_int_equal(missing[size], '#');
	return missing;
}

static void test_missing_is_named(void **state)
{
	struct registers cpus[2] = { stub_cpu(0), stub_cpu(1) };

	(void)state;
	assert_string_equal(missing_of(cpus, 2, 399), "gdt, idt, ldt, tr, segment descriptors");
	/* The monitor told of the first vCPU only. */
	x86_64->read_monitor(monitor_text, cpus, 2);
	assert_string_equal(missing_of(cpus, 1, 399), "");
	assert_string_equal(missing_of(cpus, 2, 399), "gdt, idt, ldt, tr, segment descriptors");
	registers_deinit(&cpus[0]);
	registers_deinit(&cpus[1]);
}

static void test_a_stub_with_little_to_say(void **state)
{
	struct registers cpu;
	struct notes notes;
	struct note note;
	char missing[200];
	size_t offset = 0;

	(void)state;
	registers_init(&cpu, 4, LITTLE);
	registers_set_u64(&cpu, "rip", 0xffffffff81000000);
	assert_string_equal(missing_of(&cpu, 1, 399),
		"general registers, eflags, segment selectors, fs_base, gs_base, k_gs_base, cr0, "
		"cr2, cr3, cr4, gdt, idt, ldt, tr, segment descriptors");

	notes_init(&notes, LITTLE);
	x86_64->write_notes(&cpu, 1, &notes, missing, sizeof(missing));
	note = next(&notes, &offset);
	assert_int_equal(get_le32(note.desc + 0x20), 5);
	expect_zeros(note.desc, 0x70, 0xf0);
	expect_64(note.desc, 0xf0, 0xffffffff81000000);
	expect_zeros(note.desc, 0xf8, 336);
	note = next(&notes, &offset);
	assert_int_equal(note.desc_size, 440);
	expect_zeros(note.desc, 0x8, 0x88);
	expect_64(note.desc, 0x88, 0xffffffff81000000);
	expect_zeros(note.desc, 0x90, 440);
	notes_deinit(&notes);
	registers_deinit(&cpu);
}

static void test_missing_is_cut_between_names(void **state)
{
	struct registers cpu = stub_cpu(0);

	(void)state;
	assert_string_equal(missing_of(&cpu, 1, 17), "gdt, idt, ldt");
	assert_string_equal(missing_of(&cpu, 1, 18), "gdt, idt, ldt, tr");
	assert_string_equal(missing_of(&cpu, 1, 4), "gdt");
	assert_string_equal(missing_of(&cpu, 1, 3), "tr");
	assert_string_equal(missing_of(&cpu, 1, 1), "");
	missing_of(&cpu, 1, 0);
	registers_deinit(&cpu);
}

static void test_sources_that_stand_in(void **state)
{
	struct registers cpu;
	struct notes notes;
	struct note note;
	char missing[200];
	size_t offset = 0;

	(void)state;
	/* An old stub: no bases of segments, no control registers. */
	registers_init(&cpu, 0, LITTLE);
	registers_set(&cpu, "eflags", "\2\2\0\0", 4);
	notes_init(&notes, LITTLE);
	x86_64->write_notes(&cpu, 1, &notes, missing, sizeof(missing));
	note = next(&notes, &offset);
	expect_64(note.desc, 0x100, 0x202);
	expect_64(note.desc, 0x118, 0);
	notes_deinit(&notes);

	x86_64->read_monitor(monitor_text, &cpu, 1);
	offset = 0;
	x86_64->write_notes(&cpu, 1, &notes, missing, sizeof(missing));
	note = next(&notes, &offset);
	expect_64(note.desc, 0xf8, 0x0e05);              /* cs */
	expect_64(note.desc, 0x118, 0xf000000000000001); /* fs_base */
	expect_64(note.desc, 0x120, 0x9000000000000001); /* gs_base */
	note = next(&notes, &offset);
	expect_segment(note.desc, 0xe0, 0x0e05, 0xf0000002, 0x00f00300, 0xf000000000000001);
	assert_string_equal(missing, "general registers, rip, k_gs_base, cr0, cr2, cr3, cr4");
	notes_deinit(&notes);
	registers_deinit(&cpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_wants_a_vcpu_in_64_bit_mode),
		cmocka_unit_test(test_check_lets_pass_what_shows_no_efer),
		cmocka_unit_test(test_table_of_four_levels),
		cmocka_unit_test(test_table_of_five_levels),
		cmocka_unit_test(test_no_table_without_paging),
		cmocka_unit_test(test_low_and_high_bits_of_cr3_are_no_address),
		cmocka_unit_test(test_page_table_isolation),
		cmocka_unit_test(test_encryption_bit),
		cmocka_unit_test(test_encryption_and_isolation),
		cmocka_unit_test(test_entries_lead_to_tables_or_pages),
		cmocka_unit_test(test_addresses_of_large_pages),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_kernel_space),
		cmocka_unit_test(test_prstatus),
		cmocka_unit_test(test_cpu_state),
		cmocka_unit_test(test_order_of_the_notes),
		cmocka_unit_test(test_missing_is_named),
		cmocka_unit_test(test_a_stub_with_little_to_say),
		cmocka_unit_test(test_missing_is_cut_between_names),
		cmocka_unit_test(test_sources_that_stand_in),
	};

	return cmocka_run_group_tests(tests, find_x86_64, NULL);
}
