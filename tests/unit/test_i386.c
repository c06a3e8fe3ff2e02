// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/arch.h"

static const struct arch *i386;

static int find_i386(void **state)
{
	(void)state;
	i386 = arch_find("i386");
	return i386 ? 0 : -1;
}

static void test_check_wants_a_vcpu(void **state)
{
	struct registers cpu;
	struct error error;

	(void)state;
	registers_init(&cpu, 0, LITTLE);
	assert_int_equal(i386->check(&cpu, 1, &error), 0);
	assert_int_equal(i386->check(&cpu, 0, &error), -1);
	registers_deinit(&cpu);
}

/* ---- roots of page tables ---- */

#define PG UINT64_C(0x80050033)

enum { EFER_LMA = 0x400, CR4_PSE = 0x10, CR4_PAE = 0x20, KERNEL = 0x60, USER = 0x73, NONE = 1 };

static struct registers paging_cpu(uint64_t cs, uint64_t cr3, uint64_t cr4)
{
	struct registers cpu;

	registers_init(&cpu, 0, LITTLE);
	registers_set_u64(&cpu, "cs", cs);
	registers_set_u64(&cpu, "cr0", PG);
	registers_set_u64(&cpu, "cr3", cr3);
	registers_set_u64(&cpu, "cr4", cr4);
	return cpu;
}

/* Expects these roots and no third; NONE is no root. */
static void expect_roots(struct registers cpu, uint64_t first, uint64_t second)
{
	struct page_table table;

	assert_int_equal(i386->page_table(&cpu, 0x40000000, 0, &table), first != NONE);
	if (first != NONE)
		assert_int_equal(table.root, first);
	assert_int_equal(i386->page_table(&cpu, 0x40000000, 1, &table), second != NONE);
	if (second != NONE)
		assert_int_equal(table.root, second);
	assert_false(i386->page_table(&cpu, 0x40000000, 2, &table));
	registers_deinit(&cpu);
}

static void test_table_of_two_levels(void **state)
{
	struct registers cpu = paging_cpu(KERNEL, 0x26b6018, CR4_PSE);
	struct page_table table;

	(void)state;
	assert_true(i386->page_table(&cpu, 0x40000000, 0, &table));
	assert_ptr_equal(table.arch, i386);
	assert_int_equal(table.root, 0x26b6000);
	assert_int_equal(table.levels, 2);
	assert_int_equal(table.page_shift, 12);
	assert_int_equal(table.level_bits[0], 10);
	assert_int_equal(table.level_bits[1], 10);
	assert_int_equal(table.entry_size, 4);
	assert_int_equal(page_table_size(&table, 0), 4096);
	assert_int_equal(page_table_size(&table, 1), 4096);
	assert_int_equal(table.order, LITTLE);
	assert_int_equal(table.region_count, 1);
	assert_int_equal(table.regions[0].range.first, 0);
	assert_int_equal(table.regions[0].range.last, 0xffffffff);
	assert_false(table.regions[0].linear);
	registers_deinit(&cpu);
}

static void test_table_of_three_levels(void **state)
{
	/* Four entries of 8 bytes, aligned to their size; above them are flags of caches. */
	struct registers cpu = paging_cpu(KERNEL, 0x26b6cb8, CR4_PAE);
	struct page_table table;

	(void)state;
	assert_true(i386->page_table(&cpu, 0x40000000, 0, &table));
	assert_int_equal(table.root, 0x26b6ca0);
	assert_int_equal(table.levels, 3);
	assert_int_equal(table.level_bits[0], 9);
	assert_int_equal(table.level_bits[1], 9);
	assert_int_equal(table.level_bits[2], 2);
	assert_int_equal(table.entry_size, 8);
	assert_int_equal(page_table_size(&table, 2), 32);
	assert_int_equal(page_table_size(&table, 1), 4096);
	assert_int_equal(table.regions[0].range.last, 0xffffffff);
	registers_deinit(&cpu);
}

static void test_no_table_without_paging(void **state)
{
	struct registers cpu = paging_cpu(KERNEL, 0x26b6000, 0);
	struct page_table table;

	(void)state;
	registers_set_u64(&cpu, "cr0", 0x60000010);
	assert_false(i386->page_table(&cpu, 0x40000000, 0, &table));
	registers_set_u64(&cpu, "cr0", PG);
	assert_true(i386->page_table(&cpu, 0x40000000, 0, &table));
	/* A vCPU that has gone on to 64-bit mode. */
	registers_set_u64(&cpu, "efer", EFER_LMA);
	assert_false(i386->page_table(&cpu, 0x40000000, 0, &table));
	registers_deinit(&cpu);

	registers_init(&cpu, 0, LITTLE);
	assert_false(i386->page_table(&cpu, 0x40000000, 0, &table));
	registers_deinit(&cpu);
}

static void test_page_table_isolation(void **state)
{
	(void)state;
	expect_roots(paging_cpu(USER, 0x2641000, CR4_PAE), 0x2640000, 0x2641000);
	expect_roots(paging_cpu(KERNEL, 0x2641000, CR4_PAE), 0x2641000, 0x2640000);
	expect_roots(paging_cpu(USER, 0x2640000, CR4_PAE), 0x2640000, NONE);
	/* Roots of 32 bytes that share a page. */
	expect_roots(paging_cpu(USER, 0x2641020, CR4_PAE), 0x2641020, NONE);
	/* Never without PAE. */
	expect_roots(paging_cpu(USER, 0x2641000, CR4_PSE), 0x2641000, NONE);
}

/* ---- entries ---- */

static struct paging_entry entry(uint64_t cr4, unsigned level, uint64_t raw)
{
	struct registers cpu = paging_cpu(KERNEL, 0x1000, cr4);
	struct page_table table;

	assert_true(i386->page_table(&cpu, 0x40000000, 0, &table));
	registers_deinit(&cpu);
	return i386->paging_entry(&table, level, 0, raw);
}

static void test_entries_of_two_levels(void **state)
{
	(void)state;
	assert_int_equal(entry(0, 0, 0xffffffff).address, 0xfffff000);
	assert_true(entry(0, 0, 0x5001).leaf);
	assert_false(entry(0, 0, 0xfffffffe).present);
	assert_false(entry(0, 1, 0x5001).leaf);
	assert_int_equal(entry(0, 1, 0x12345067).address, 0x12345000);
	/* Without PSE, bit 7 says nothing. */
	assert_false(entry(0, 1, 0x12345081).leaf);
	assert_int_equal(entry(0, 1, 0x12345081).address, 0x12345000);
	/* At the lowest level it is of the memory type. */
	assert_int_equal(entry(CR4_PSE, 0, 0x12345081).address, 0x12345000);
}

static void test_pages_of_4_mib(void **state)
{
	(void)state;
	assert_true(entry(CR4_PSE, 1, 0xc0400081).leaf);
	assert_int_equal(entry(CR4_PSE, 1, 0xc0400081).address, 0xc0400000);
	/* Bit 12 is of the memory type, 13 to 20 are bits 32 to 39 of the address. */
	assert_int_equal(entry(CR4_PSE, 1, 0xc0401081).address, 0xc0400000);
	assert_int_equal(entry(CR4_PSE, 1, 0xc0402081).address, 0x1c0400000);
	assert_int_equal(entry(CR4_PSE, 1, 0xffdfefff).address, 0xffffc00000);
	assert_false(entry(CR4_PSE, 1, 0xc0400001).leaf);
}

static void test_entries_of_three_levels(void **state)
{
	(void)state;
	assert_int_equal(entry(CR4_PAE, 0, 0xffffffffffffffff).address, 0x000ffffffffff000);
	assert_true(entry(CR4_PAE, 0, 0x5001).leaf);
	assert_false(entry(CR4_PAE, 1, 0x5001).leaf);
	/* Pages of 2 MiB need no PSE. */
	assert_true(entry(CR4_PAE, 1, 0x123456781).leaf);
	assert_int_equal(entry(CR4_PAE, 1, 0x1234567e1).address, 0x123400000);
	assert_int_equal(entry(CR4_PAE, 1, 0xffffffffffffffff).address, 0x000fffffffe00000);
	/* What would be the size of a page in the root is reserved. */
	assert_false(entry(CR4_PAE, 2, 0x5081).leaf);
	assert_int_equal(entry(CR4_PAE, 2, 0x5001).address, 0x5000);
	assert_false(entry(CR4_PAE, 2, 0x5000).present);
}

static void test_rights(void **state)
{
	(void)state;
	for (unsigned level = 0; level < 2; level++) {
		for (unsigned pae = 0; pae < 2; pae++) {
			uint64_t cr4 = pae ? CR4_PAE : CR4_PSE;

			assert_true(entry(cr4, level, 0x5003).writable);
			assert_false(entry(cr4, level, 0x5001).writable);
			assert_true(entry(cr4, level, 0x5005).user);
			assert_false(entry(cr4, level, 0x5003).user);
			assert_true(entry(cr4, level, 0x5001).executable);
		}
		assert_false(entry(CR4_PAE, level, 0x8000000000005001).executable);
	}
	/* The root gives all of them and takes none. */
	assert_true(entry(CR4_PAE, 2, 0x5001).writable);
	assert_true(entry(CR4_PAE, 2, 0x5001).user);
	assert_true(entry(CR4_PAE, 2, 0x5001).executable);
}

/* ---- walks ---- */

struct memory {
	uint8_t bytes[0x8000];
};

static int read_memory(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct memory *memory = ctx;

	if (paddr > sizeof(memory->bytes) || len > sizeof(memory->bytes) - paddr)
		return -1;
	memcpy(buf, memory->bytes + paddr, len);
	return 0;
}

/* vaddr lies at paddr, or nowhere if that is NONE. */
static void expect_at(
	uint64_t cr3, uint64_t cr4, struct memory *memory, uint64_t vaddr, uint64_t paddr)
{
	const struct guest_memory reader = { .read = read_memory, .ctx = memory };
	struct registers cpu = paging_cpu(KERNEL, cr3, cr4);
	struct page_table table;
	uint64_t found;

	assert_true(i386->page_table(&cpu, 0x40000000, 0, &table));
	registers_deinit(&cpu);
	assert_int_equal(paging_translate(&table, &reader, vaddr, &found), paddr != NONE);
	if (paddr != NONE)
		assert_int_equal(found, paddr);
}

static void test_walk_of_two_levels(void **state)
{
	static struct memory memory;

	(void)state;
	put_le32(memory.bytes + 0x1000 + 4 * 0x300, 0x2003);     /* 0xc0000000 */
	put_le32(memory.bytes + 0x1000 + 4 * 0x301, 0x00c000e3); /* 0xc0400000: 4 MiB */
	put_le32(memory.bytes + 0x1000 + 4 * 0x3ff, 0x2003);     /* 0xffc00000 */
	put_le32(memory.bytes + 0x2000 + 4 * 0x001, 0x0abcd003);
	put_le32(memory.bytes + 0x2000 + 4 * 0x3ff, 0x0dcba003);
	expect_at(0x1000, CR4_PSE, &memory, 0xc0001234, 0x0abcd234);
	expect_at(0x1000, CR4_PSE, &memory, 0xc0000234, NONE);
	expect_at(0x1000, CR4_PSE, &memory, 0xc07fffff, 0x00ffffff);
	expect_at(0x1000, CR4_PSE, &memory, 0xffffffff, 0x0dcbafff);
	expect_at(0x1000, CR4_PSE, &memory, 0x100001234, NONE);
	expect_at(0x1000, CR4_PSE, &memory, 0xffffffffc0001234, NONE);
}

static void test_walk_of_three_levels(void **state)
{
	static struct memory memory;

	(void)state;
	put_le64(memory.bytes + 0x1ca0 + 8 * 3, 0x2001);                 /* 0xc0000000 */
	put_le64(memory.bytes + 0x2000 + 8 * 0x000, 0x3063);             /* 0xc0000000 */
	put_le64(memory.bytes + 0x2000 + 8 * 0x001, 0x80000001234001e3); /* 0xc0200000: 2 MiB */
	put_le64(memory.bytes + 0x2000 + 8 * 0x1ff, 0x3063);             /* 0xffe00000 */
	put_le64(memory.bytes + 0x3000 + 8 * 0x001, 0x800000012abcd163);
	put_le64(memory.bytes + 0x3000 + 8 * 0x1ff, 0x0dcba003);
	expect_at(0x1ca0, CR4_PAE, &memory, 0xc0001234, 0x12abcd234);
	expect_at(0x1ca0, CR4_PAE, &memory, 0xc02fffff, 0x1234fffff);
	expect_at(0x1ca0, CR4_PAE, &memory, 0xffffffff, 0x0dcbafff);
	expect_at(0x1ca0, CR4_PAE, &memory, 0xc0000000, NONE);
	expect_at(0x1ca0, CR4_PAE, &memory, 0x80001234, NONE);
	expect_at(0x1ca0, CR4_PAE, &memory, 0x1c0001234, NONE);
}

static void test_kernel_space(void **state)
{
	static const uint64_t page_offsets[] = { 0xc0000000, 0xb0000000, 0x80000000, 0x78000000,
		0x40000000 };
	const struct page_table table = { .arch = i386 };
	const struct kernel_space space = i386->kernel_space(&table);

	(void)state;
	for (size_t i = 0; i < sizeof(page_offsets) / sizeof(page_offsets[0]); i++) {
		assert_in_range(page_offsets[i], space.text.first, space.text.last);
		assert_in_range(page_offsets[i], space.direct_map.first, space.direct_map.last);
		assert_int_equal(page_offsets[i] % space.direct_map_align, 0);
	}
	assert_int_equal(space.text.last, 0xffffffff);
	assert_int_equal(space.direct_map.last, 0xffffffff);
	assert_int_equal(space.direct_map_align, 0x8000000);
	/* Readers know no phys_base here. */
	assert_int_equal(space.text_base, 0);
}

/* ---- notes ---- */

/* As QEMU's stubs send them; the value of the nth is 0xabcd0000 + n. */
static const char *const names_32[] = { "eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp",
	"eip", "eflags", "cs", "ss", "ds", "es", "fs", "gs", "fs_base", "gs_base", "k_gs_base",
	"cr0", "cr2", "cr3", "cr4" };
static const char *const names_64[] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
	"rip", "eflags", "cs", "ss", "ds", "es", "fs", "gs", "fs_base", "gs_base", "k_gs_base",
	"cr0", "cr2", "cr3", "cr4" };
enum { NAMES = sizeof(names_32) / sizeof(names_32[0]), FIRST_32 = 9, LAST_32 = 15 };

static struct registers stub_cpu(unsigned index, bool of_64_bits)
{
	struct registers cpu;

	registers_init(&cpu, index, LITTLE);
	for (size_t i = 0; i < NAMES; i++) {
		bool wide = of_64_bits && (i < FIRST_32 || i > LAST_32);
		uint8_t bytes[8] = { 0 };

		put_le32(bytes, 0xabcd0000 + (uint32_t)i);
		registers_set(&cpu, (of_64_bits ? names_64 : names_32)[i], bytes, wide ? 8 : 4);
	}
	return cpu;
}

static const char monitor_text[] = "\r\nCPU#0\r\n"
				   "EIP=0000fff0 EFL=00000246 [---Z-P-] CPL=0\r\n"
				   "ES =0e05 e0000001 e0000002 00e00300\r\n"
				   "CS =0e05 c0000001 c0000002 00c00300\r\n"
				   "SS =0e05 50000001 50000002 00500300\r\n"
				   "DS =0e05 d0000001 d0000002 00d00300\r\n"
				   "FS =0e05 f0000001 f0000002 00f00300\r\n"
				   "GS =0e05 90000001 90000002 00900300\r\n"
				   "LDT=1d17 10000001 10000002 00100300\r\n"
				   "TR =7272 20000001 20000002 00200300\r\n"
				   "GDT=     30000001 30000002\r\n"
				   "IDT=     40000001 40000002\r\n"
				   "EFER=0000000000000000\r\n";

static void expect_32(const uint8_t *desc, size_t offset, uint32_t value)
{
	if (get_le32(desc + offset) != value)
		fail_msg("%#x at %#zx, not %#x", get_le32(desc + offset), offset, value);
}

static void expect_64(const uint8_t *desc, size_t offset, uint64_t value)
{
	if (get_le64(desc + offset) != value)
		fail_msg("%#jx at %#zx, not %#jx", (uintmax_t)get_le64(desc + offset), offset,
			(uintmax_t)value);
}

static void expect_segment(const uint8_t *desc, size_t offset, uint32_t selector, uint32_t limit,
	uint32_t flags, uint64_t base)
{
	expect_32(desc, offset, selector);
	expect_32(desc, offset + 4, limit);
	expect_32(desc, offset + 8, flags);
	expect_32(desc, offset + 12, 0);
	expect_64(desc, offset + 16, base);
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

static void check_prstatus(const uint8_t *d)
{
	const uint32_t n = 0xabcd0000;

	expect_zeros(d, 0, 0x18);
	expect_32(d, 0x18, 1);
	expect_zeros(d, 0x1c, 0x48);
	expect_32(d, 0x48, n + 1);  /* ebx */
	expect_32(d, 0x4c, n + 2);  /* ecx */
	expect_32(d, 0x50, n + 3);  /* edx */
	expect_32(d, 0x54, n + 4);  /* esi */
	expect_32(d, 0x58, n + 5);  /* edi */
	expect_32(d, 0x5c, n + 6);  /* ebp */
	expect_32(d, 0x60, n + 0);  /* eax */
	expect_32(d, 0x64, n + 12); /* ds */
	expect_32(d, 0x68, n + 13); /* es */
	expect_32(d, 0x6c, n + 14); /* fs */
	expect_32(d, 0x70, n + 15); /* gs */
	expect_32(d, 0x74, 0);      /* orig_eax */
	expect_32(d, 0x78, n + 8);  /* eip */
	expect_32(d, 0x7c, n + 10); /* cs */
	expect_32(d, 0x80, 0x246);  /* the monitor's flags */
	expect_32(d, 0x84, n + 7);  /* esp */
	expect_32(d, 0x88, n + 11); /* ss */
	expect_32(d, 0x8c, 0);      /* fpvalid */
}

static void check_cpu_state(const uint8_t *d)
{
	const uint32_t n = 0xabcd0000;

	expect_32(d, 0, 1);
	expect_32(d, 4, 440);
	for (size_t i = 0; i < 6; i++) /* eax ebx ecx edx esi edi */
		expect_64(d, 8 + 8 * i, n + i);
	expect_64(d, 0x38, n + 7); /* esp */
	expect_64(d, 0x40, n + 6); /* ebp */
	expect_zeros(d, 0x48, 0x88);
	expect_64(d, 0x88, n + 8);                                            /* eip */
	expect_64(d, 0x90, 0x246);                                            /* eflags */
	expect_segment(d, 0x98, n + 10, 0xc0000002, 0x00c00300, 0xc0000001);  /* cs */
	expect_segment(d, 0xb0, n + 12, 0xd0000002, 0x00d00300, 0xd0000001);  /* ds */
	expect_segment(d, 0xc8, n + 13, 0xe0000002, 0x00e00300, 0xe0000001);  /* es */
	expect_segment(d, 0xe0, n + 14, 0xf0000002, 0x00f00300, n + 16);      /* fs */
	expect_segment(d, 0xf8, n + 15, 0x90000002, 0x00900300, n + 17);      /* gs */
	expect_segment(d, 0x110, n + 11, 0x50000002, 0x00500300, 0x50000001); /* ss */
	expect_segment(d, 0x128, 0x1d17, 0x10000002, 0x00100300, 0x10000001); /* ldt */
	expect_segment(d, 0x140, 0x7272, 0x20000002, 0x00200300, 0x20000001); /* tr */
	expect_segment(d, 0x158, 0, 0x30000002, 0, 0x30000001);               /* gdt */
	expect_segment(d, 0x170, 0, 0x40000002, 0, 0x40000001);               /* idt */
	expect_64(d, 0x188, n + 19);                                          /* cr0 */
	expect_64(d, 0x190, 0);                                               /* cr1 */
	expect_64(d, 0x198, n + 20);                                          /* cr2 */
	expect_64(d, 0x1a0, n + 21);                                          /* cr3 */
	expect_64(d, 0x1a8, n + 22);                                          /* cr4 */
	expect_64(d, 0x1b0, n + 18);                                          /* kernel_gs_base */
}

static void test_notes(void **state)
{
	(void)state;
	for (unsigned of_64_bits = 0; of_64_bits < 2; of_64_bits++) {
		struct registers cpu = stub_cpu(0, of_64_bits);
		struct notes notes;
		struct note note;
		char missing[200] = "x";
		size_t offset = 0;

		i386->read_monitor(monitor_text, &cpu, 1);
		notes_init(&notes, LITTLE);
		i386->write_notes(&cpu, 1, &notes, missing, sizeof(missing));
		note = next(&notes, &offset);
		assert_string_equal(note.name, "CORE");
		assert_int_equal(note.type, 1);
		assert_int_equal(note.desc_size, 144);
		check_prstatus(note.desc);
		note = next(&notes, &offset);
		assert_string_equal(note.name, "QEMU");
		assert_int_equal(note.type, 0);
		assert_int_equal(note.desc_size, 440);
		check_cpu_state(note.desc);
		assert_int_equal(offset, notes.size);
		assert_string_equal(missing, "");
		notes_deinit(&notes);
		registers_deinit(&cpu);
	}
}

static void test_order_of_the_notes(void **state)
{
	struct registers cpus[2] = { stub_cpu(0, false), stub_cpu(1, false) };
	struct notes notes;
	char missing[200];
	size_t offset = 0;

	(void)state;
	notes_init(&notes, LITTLE);
	i386->write_notes(cpus, 2, &notes, missing, sizeof(missing));
	for (unsigned i = 0; i < 2; i++) {
		struct note note = next(&notes, &offset);

		assert_string_equal(note.name, "CORE");
		expect_32(note.desc, 0x18, i + 1);
	}
	for (unsigned i = 0; i < 2; i++)
		assert_string_equal(next(&notes, &offset).name, "QEMU");
	assert_int_equal(offset, notes.size);
	notes_deinit(&notes);
	registers_deinit(&cpus[0]);
	registers_deinit(&cpus[1]);
}

static void expect_missing(const struct registers *cpu, const char *expected)
{
	struct notes notes;
	char missing[300];

	notes_init(&notes, LITTLE);
	i386->write_notes(cpu, 1, &notes, missing, sizeof(missing));
	assert_string_equal(missing, expected);
	notes_deinit(&notes);
}

static void test_missing_is_named(void **state)
{
	struct registers cpu = stub_cpu(0, false);

	(void)state;
	expect_missing(&cpu, "gdt, idt, ldt, tr, segment descriptors");
	registers_deinit(&cpu);

	registers_init(&cpu, 0, LITTLE);
	expect_missing(&cpu,
		"general registers, eip, eflags, segment selectors, cr0, cr2, cr3, cr4, "
		"gdt, idt, ldt, tr, segment descriptors");
	/* What only 64-bit CPUs have is not missed, nor what the monitor tells of bases. */
	i386->read_monitor(monitor_text, &cpu, 1);
	expect_missing(&cpu, "general registers, eip, cr0, cr2, cr3, cr4");
	registers_deinit(&cpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_wants_a_vcpu),
		cmocka_unit_test(test_table_of_two_levels),
		cmocka_unit_test(test_table_of_three_levels),
		cmocka_unit_test(test_no_table_without_paging),
		cmocka_unit_test(test_page_table_isolation),
		cmocka_unit_test(test_entries_of_two_levels),
		cmocka_unit_test(test_pages_of_4_mib),
		cmocka_unit_test(test_entries_of_three_levels),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_walk_of_two_levels),
		cmocka_unit_test(test_walk_of_three_levels),
		cmocka_unit_test(test_kernel_space),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_order_of_the_notes),
		cmocka_unit_test(test_missing_is_named),
	};

	return cmocka_run_group_tests(tests, find_i386, NULL);
}
