// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "layout/kernel.h"

static const struct arch *s390x;

static int find_s390x(void **state)
{
	(void)state;
	s390x = arch_find("s390:64-bit");
	return s390x ? 0 : -1;
}

static void test_row(void **state)
{
	struct registers cpu;
	struct error error;

	(void)state;
	assert_string_equal(s390x->name, "s390x");
	assert_int_equal(s390x->elf_machine, 22);
	assert_int_equal(s390x->elf_class, ELFCLASS64);
	assert_int_equal(s390x->order, BIG);
	assert_int_equal(s390x->page_shift, 12);
	registers_init(&cpu, 0, BIG);
	assert_int_equal(s390x->check(&cpu, 0, &error), -1);
	/* Fresh from reset. */
	assert_int_equal(s390x->check(&cpu, 1, &error), 0);
}

static void test_registers_without_a_description(void **state)
{
	size_t count = 0, bits = 0;

	(void)state;
	for (; s390x->default_registers[count].name; count++)
		bits += s390x->default_registers[count].bits;
	assert_int_equal(count, 2 + 16 + 16 + 1 + 16);
	assert_int_equal(bits / 8, 16 + 16 * 8 + 16 * 4 + 4 + 16 * 8);
	assert_string_equal(s390x->default_registers[1].name, "pswa");
	assert_string_equal(s390x->default_registers[17].name, "r15");
	assert_string_equal(s390x->default_registers[33].name, "acr15");
	assert_string_equal(s390x->default_registers[34].name, "fpc");
	assert_string_equal(s390x->default_registers[50].name, "f15");
}

/* ---- notes ---- */

/* The bytes of a register are this number, that of the register, and then zeros. */
enum { PSW = 1, GPR, ACR, FPR, CR, VECTOR_LOW, VECTOR, STORAGE, FPC, PREFIX, CPUTM, CKC };

static void set_register(
	struct registers *cpu, const char *name, uint8_t kind, unsigned number, size_t size)
{
	uint8_t bytes[16] = { kind, (uint8_t)(number + 0x10 * cpu->cpu) };

	assert_int_equal(registers_set(cpu, name, bytes, size), 0);
}

static void set_numbered(struct registers *cpu, const char *prefix, const char *suffix,
	unsigned first, uint8_t kind, size_t size)
{
	char name[REGISTER_NAME_MAX];

	for (unsigned n = first; n < first + 16; n++) {
		snprintf(name, sizeof(name), "%s%u%s", prefix, n, suffix);
		set_register(cpu, name, kind, n, size);
	}
}

static struct registers stub_cpu(unsigned index)
{
	struct registers cpu;

	registers_init(&cpu, index, BIG);
	set_register(&cpu, "pswm", PSW, 0, 8);
	set_register(&cpu, "pswa", PSW, 1, 8);
	set_numbered(&cpu, "r", "", 0, GPR, 8);
	set_numbered(&cpu, "acr", "", 0, ACR, 4);
	set_register(&cpu, "fpc", FPC, 0, 4);
	set_numbered(&cpu, "f", "", 0, FPR, 8);
	set_numbered(&cpu, "v", "l", 0, VECTOR_LOW, 8);
	set_numbered(&cpu, "v", "", 16, VECTOR, 16);
	set_numbered(&cpu, "cr", "", 0, CR, 8);
	set_register(&cpu, "gs_reserved", STORAGE, 0, 8);
	set_register(&cpu, "gsd", STORAGE, 1, 8);
	set_register(&cpu, "gssm", STORAGE, 2, 8);
	set_register(&cpu, "gsepla", STORAGE, 3, 8);
	return cpu;
}

/* Writes into an expected descriptor `count` registers of this size. */
static void expect(uint8_t *desc, size_t offset, uint8_t kind, unsigned first, unsigned count,
	size_t size, unsigned cpu)
{
	for (unsigned n = 0; n < count; n++) {
		desc[offset + n * size] = kind;
		desc[offset + n * size + 1] = (uint8_t)(first + n + 0x10 * cpu);
	}
}

static void assert_next(const struct notes *notes, size_t *offset, const char *name, uint32_t type,
	const uint8_t *desc, size_t size)
{
	struct note note;

	assert_true(notes_next(notes->bytes, notes->size, BIG, offset, &note));
	assert_string_equal(note.name, name);
	assert_int_equal(note.type, type);
	assert_int_equal(note.desc_size, size);
	assert_memory_equal(note.desc, desc, size);
}

static void assert_notes_of(const struct notes *notes, size_t *offset, unsigned cpu, bool virt)
{
	uint8_t prstatus[336] = { 0 }, fpregs[136] = { 0 }, prefix[4] = { 0 }, ctrs[128] = { 0 };
	uint8_t timer[8] = { 0 }, todcmp[8] = { 0 }, todpreg[4] = { 0 };
	uint8_t low[128] = { 0 }, high[256] = { 0 }, storage[32] = { 0 };

	prstatus[0x23] = (uint8_t)(cpu + 1);
	expect(prstatus, 0x70, PSW, 0, 2, 8, cpu);
	expect(prstatus, 0x80, GPR, 0, 16, 8, cpu);
	expect(prstatus, 0x100, ACR, 0, 16, 4, cpu);
	expect(fpregs, 0, FPC, 0, 1, 4, cpu);
	expect(fpregs, 8, FPR, 0, 16, 8, cpu);
	if (virt) {
		expect(prefix, 0, PREFIX, 0, 1, 4, cpu);
		expect(timer, 0, CPUTM, 0, 1, 8, cpu);
		expect(todcmp, 0, CKC, 0, 1, 8, cpu);
	}
	expect(ctrs, 0, CR, 0, 16, 8, cpu);
	expect(low, 0, VECTOR_LOW, 0, 16, 8, cpu);
	expect(high, 0, VECTOR, 16, 16, 16, cpu);
	expect(storage, 0, STORAGE, 0, 4, 8, cpu);
	assert_next(notes, offset, "CORE", 1, prstatus, 336);
	assert_next(notes, offset, "CORE", 2, fpregs, 136);
	assert_next(notes, offset, "LINUX", 0x305, prefix, 4);
	assert_next(notes, offset, "LINUX", 0x304, ctrs, 128);
	assert_next(notes, offset, "LINUX", 0x301, timer, 8);
	assert_next(notes, offset, "LINUX", 0x302, todcmp, 8);
	assert_next(notes, offset, "LINUX", 0x303, todpreg, 4);
	assert_next(notes, offset, "LINUX", 0x309, low, 128);
	assert_next(notes, offset, "LINUX", 0x30a, high, 256);
	assert_next(notes, offset, "LINUX", 0x30b, storage, 32);
}

static void test_notes(void **state)
{
	struct registers cpus[2] = { stub_cpu(0), stub_cpu(1) };
	struct notes notes;
	char missing[200] = "x";
	size_t offset = 0;

	(void)state;
	/* Under TCG, QEMU 7.2 does not show these. */
	notes_init(&notes, BIG);
	s390x->write_notes(cpus, 2, &notes, missing, sizeof(missing));
	assert_false(notes.failed);
	assert_notes_of(&notes, &offset, 0, false);
	assert_notes_of(&notes, &offset, 1, false);
	assert_int_equal(offset, notes.size);
	assert_string_equal(missing, "prefix, cputm, ckc, todpr");
	notes_deinit(&notes);

	for (unsigned i = 0; i < 2; i++) {
		set_register(&cpus[i], "prefix", PREFIX, 0, 4);
		set_register(&cpus[i], "cputm", CPUTM, 0, 8);
		set_register(&cpus[i], "ckc", CKC, 0, 8);
	}
	offset = 0;
	notes_init(&notes, BIG);
	s390x->write_notes(cpus, 2, &notes, missing, sizeof(missing));
	assert_notes_of(&notes, &offset, 0, true);
	assert_notes_of(&notes, &offset, 1, true);
	assert_string_equal(missing, "todpr");
	notes_deinit(&notes);
	registers_deinit(&cpus[0]);
	registers_deinit(&cpus[1]);
}

static void test_what_is_missing(void **state)
{
	struct registers cpus[2] = { stub_cpu(0), { 0 } };
	struct notes notes;
	char missing[200], little[8];

	(void)state;
	registers_init(&cpus[1], 1, BIG);
	notes_init(&notes, BIG);
	s390x->write_notes(cpus, 2, &notes, missing, sizeof(missing));
	assert_string_equal(missing,
		"pswm, pswa, r0-r15, acr0-acr15, fpc, f0-f15, prefix, cr0-cr15, cputm, ckc, todpr, "
		"v0l-v15l, v16-v31, gs_reserved, gsd, gssm, gsepla");
	/* What has no room is left out whole; what is shorter may still fit. */
	s390x->write_notes(cpus, 2, &notes, little, sizeof(little));
	assert_string_equal(little, "pswm");
	s390x->write_notes(cpus, 2, &notes, little, 0);
	assert_string_equal(little, "pswm");
	notes_deinit(&notes);
	registers_deinit(&cpus[0]);
	registers_deinit(&cpus[1]);
}

/* ---- roots of page tables ---- */

static struct registers asce_cpu(uint64_t pswm, uint64_t cr1, uint64_t cr7, uint64_t cr13)
{
	struct registers cpu;

	registers_init(&cpu, 0, BIG);
	registers_set_u64(&cpu, "pswm", pswm);
	registers_set_u64(&cpu, "cr1", cr1);
	registers_set_u64(&cpu, "cr7", cr7);
	registers_set_u64(&cpu, "cr13", cr13);
	return cpu;
}

/* Expects these roots and no more; 0 is none. */
static void expect_roots(struct registers cpu, uint64_t first, uint64_t second, uint64_t third)
{
	const uint64_t roots[] = { first, second, third, 0 };
	struct page_table table;

	for (unsigned nth = 0; nth < 4; nth++) {
		assert_int_equal(s390x->page_table(&cpu, 0, nth, &table), roots[nth] != 0);
		if (roots[nth])
			assert_int_equal(table.root, roots[nth]);
	}
	registers_deinit(&cpu);
}

#define IN_KERNEL UINT64_C(0x0404c00180000000)
#define IN_USER   UINT64_C(0x0705000180000000)

static void test_roots(void **state)
{
	(void)state;
	expect_roots(asce_cpu(IN_KERNEL, 0x1290007, 0x5000007, 0x6000007), 0x1290000, 0x6000000,
		0x5000000);
	expect_roots(asce_cpu(IN_USER, 0x1290007, 0x5000007, 0x6000007), 0x6000000, 0x1290000,
		0x5000000);
	expect_roots(asce_cpu(IN_USER, 0x5000007, 0x5000007, 0x1290007), 0x1290000, 0x5000000, 0);
	/* The same origin, designated as another kind of table. */
	expect_roots(asce_cpu(IN_KERNEL, 0x5000007, 0x500000b, 0), 0x5000000, 0x5000000, 0);
	/* After a reset. */
	expect_roots(asce_cpu(0x180000000, 0, 0, 0), 0, 0, 0);
	/* After a panic, with translation off. */
	expect_roots(asce_cpu(0x0002000180000000, 0x1290007, 0, 0x1290007), 0x1290000, 0, 0);
}

static void test_designations(void **state)
{
	static const struct {
		uint64_t asce, last;
		unsigned levels;
	} kinds[] = {
		{ 0x1234567000 | 0x3, 0x7fffffff, 2 },
		{ 0x1234567000 | 0x7, 0x3ffffffffff, 3 },
		{ 0x1234567000 | 0xb, 0x1fffffffffffff, 4 },
		{ 0x1234567000 | 0xfdf, UINT64_MAX, 5 },
	};
	struct page_table table;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct registers cpu = asce_cpu(IN_KERNEL, kinds[i].asce, 0, 0);

		assert_true(s390x->page_table(&cpu, 0, 0, &table));
		assert_ptr_equal(table.arch, s390x);
		assert_int_equal(table.root, 0x1234567000);
		assert_int_equal(table.levels, kinds[i].levels);
		assert_int_equal(table.order, BIG);
		assert_int_equal(table.entry_size, 8);
		assert_int_equal(table.page_shift, 12);
		assert_int_equal(page_table_size(&table, 0), 2048);
		assert_int_equal(page_table_size(&table, table.levels - 1), 16384);
		assert_int_equal(table.region_count, 1);
		assert_false(table.regions[0].linear);
		assert_int_equal(table.regions[0].range.first, 0);
		assert_int_equal(table.regions[0].range.last, kinds[i].last);
		registers_deinit(&cpu);
	}
}

static void test_real_space(void **state)
{
	struct registers cpu = asce_cpu(IN_KERNEL, 0x20, 0, 0);
	struct kernel_space space;
	struct page_table table;
	uint64_t paddr;

	(void)state;
	assert_true(s390x->page_table(&cpu, 0, 0, &table));
	assert_int_equal(table.levels, 0);
	assert_true(paging_translate(&table, NULL, 0x123456789abc, &paddr));
	assert_int_equal(paddr, 0x123456789abc);
	assert_true(paging_translate(&table, NULL, UINT64_MAX, &paddr));
	assert_int_equal(paddr, UINT64_MAX);
	/* No kernel lives there. */
	space = s390x->kernel_space(&table);
	assert_true(space.text.first > space.text.last);
	registers_deinit(&cpu);
}

/* ---- entries ---- */

static struct paging_entry entry(unsigned level, uint64_t raw)
{
	static const struct page_table table = { .levels = 5 };

	return s390x->paging_entry(&table, level, 0, raw);
}

static void test_pages(void **state)
{
	struct paging_entry page = entry(0, 0x123456789abcd000);

	(void)state;
	assert_true(page.present && page.leaf && page.writable && page.executable && !page.user);
	assert_int_equal(page.address, 0x123456789abcd000);
	assert_false(entry(0, 0x5200).writable);
	assert_true(entry(0, 0x5200).executable);
	assert_false(entry(0, 0x5100).executable);
	assert_true(entry(0, 0x5100).writable);
	assert_false(entry(0, 0x5400).present);
	assert_false(entry(0, 0x5800).present); /* a bit that must be zero */
	/* What Linux keeps in the low bits. */
	assert_int_equal(entry(0, 0x50ff).address, 0x5000);
}

static void test_segments(void **state)
{
	(void)state;
	assert_true(entry(1, 0x5800).present);
	assert_false(entry(1, 0x5800).leaf);
	assert_int_equal(entry(1, 0x5bff & ~0x42c).address, 0x5800);
	assert_false(entry(1, 0x5a00).writable);
	assert_false(entry(1, 0x5820).present);
	/* The bit forbids execution in entries of pages only. */
	assert_true(entry(1, 0x5900).executable);

	assert_true(entry(1, 0x12345fffff0400 & ~UINT64_C(0x2c)).leaf);
	assert_int_equal(entry(1, 0x123456700400).address, 0x123456700000);
	assert_int_equal(entry(1, 0x1234567fe400).address, 0x123456700000);
	assert_true(entry(1, 0x700400).writable);
	assert_true(entry(1, 0x700400).executable);
	assert_false(entry(1, 0x700600).writable);
	assert_false(entry(1, 0x700500).executable);
	assert_false(entry(1, 0x700420).present);
}

static void test_regions(void **state)
{
	(void)state;
	for (unsigned level = 2; level < 5; level++) {
		uint64_t type = (level - 1) << 2;

		assert_true(entry(level, 0x123456789abcd003 | type).present);
		assert_false(entry(level, 0x5003 | type).leaf);
		assert_int_equal(entry(level, 0x123456789abcdfff & ~UINT64_C(0x420)).address,
			0x123456789abcd000);
		assert_false(entry(level, 0x5023 | type).present);
		assert_false(entry(level, 0x5203 | type).writable);
		assert_int_equal(entry(level, 0x5403 | type).leaf, level == 2);
	}
	assert_int_equal(entry(2, 0x1234ffff8407).address, 0x123480000000);
	assert_false(entry(2, 0x80000507).executable);
	assert_false(entry(2, 0x80000607).writable);
}

static void test_tables_of_another_kind(void **state)
{
	(void)state;
	for (unsigned level = 1; level < 5; level++)
		for (unsigned type = 0; type < 4; type++)
			assert_int_equal(
				entry(level, 0x5000 | type << 2).present, type == level - 1);
}

/* ---- a guest ---- */

/* 32 MiB, big-endian. The tables are hand-made; addresses in comments are virtual. */
enum {
	RAM_SIZE = 32 << 20,
	REGION = 0x1000000,
	SEGMENTS = REGION + 0x4000,
	UPPER_SEGMENTS = SEGMENTS + 0x4000,
	PAGES = UPPER_SEGMENTS + 0x4000,
	NOTE = 0x1100000,
	FC = 0x400,
	PROTECTED = 0x200,
	NX = 0x100,
};

static uint8_t ram[RAM_SIZE];

static int read_ram(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx;
	if (paddr > RAM_SIZE || len > RAM_SIZE - paddr)
		return -1;
	memcpy(buf, ram + paddr, len);
	return 0;
}

static const struct guest_memory memory = { .read = read_ram };

static void set(uint64_t table, unsigned index, uint64_t raw)
{
	put_be64(ram + table + 8 * index, raw);
}

static void clear_tables(void)
{
	memset(ram, 0, sizeof(ram));
	for (unsigned i = 0; i < 2048; i++) {
		set(REGION, i, 0x24);
		set(SEGMENTS, i, 0x20);
		set(UPPER_SEGMENTS, i, 0x20);
	}
	for (unsigned i = 0; i < 256; i++)
		set(PAGES, i, 0x400);
}

static struct page_table three_levels(void)
{
	struct registers cpu = asce_cpu(IN_KERNEL, REGION | 7, 0, 0);
	struct page_table table;

	assert_true(s390x->page_table(&cpu, RAM_SIZE, 0, &table));
	registers_deinit(&cpu);
	return table;
}

static uint64_t translated(const struct page_table *table, uint64_t vaddr)
{
	uint64_t paddr;

	return paging_translate(table, &memory, vaddr, &paddr) ? paddr : UINT64_MAX;
}

static void test_walk(void **state)
{
	struct page_table table = three_levels();

	(void)state;
	clear_tables();
	set(REGION, 0, SEGMENTS | 7);
	set(REGION, 1, 0x180000000 | FC | 7);  /* 0x80000000, 2 GiB */
	set(REGION, 2047, UPPER_SEGMENTS | 7); /* 0x3ff80000000 */
	set(SEGMENTS, 3, 0xa00000 | FC);       /* 0x300000, 1 MiB */
	set(SEGMENTS, 4, PAGES);               /* 0x400000 */
	set(UPPER_SEGMENTS, 2047, 0xb00000 | FC);
	set(PAGES, 255, 0xc000 | PROTECTED); /* 0x4ff000 */
	assert_int_equal(translated(&table, 0x345678), 0xa45678);
	assert_int_equal(translated(&table, 0x4ffabc), 0xcabc);
	assert_int_equal(translated(&table, 0x4fe000), UINT64_MAX);
	assert_int_equal(translated(&table, 0x200000), UINT64_MAX);
	assert_int_equal(translated(&table, 0x80000000), 0x180000000);
	assert_int_equal(translated(&table, 0xffffffff), 0x1ffffffff);
	assert_int_equal(translated(&table, 0x3ffffffffff), 0xbfffff);
	assert_int_equal(translated(&table, 0x40000000000), UINT64_MAX);
}

static void put_note(void)
{
	static const char text[] = "OSRELEASE=6.12\nPAGESIZE=4096\nSYMBOL(_stext)=100000\n";

	put_be32(ram + NOTE, 11);
	put_be32(ram + NOTE + 4, sizeof(text) - 1);
	memcpy(ram + NOTE + 12, "VMCOREINFO\0", 12);
	memcpy(ram + NOTE + 24, text, sizeof(text) - 1);
}

/* RAM mapped linearly at base, and the image in the last segments, or in RAM itself. */
static void find_kernel(struct kernel *kernel, uint64_t base, bool image)
{
	struct registers cpu = asce_cpu(IN_KERNEL, REGION | 7, 0, 0);
	struct ranges ranges;

	clear_tables();
	set(REGION, (unsigned)(base >> 31), SEGMENTS | 7);
	for (unsigned i = 0; i < RAM_SIZE >> 20; i++)
		set(SEGMENTS, i, (uint64_t)i << 20 | FC | (image ? NX : 0));
	if (image) {
		set(REGION, 2047, UPPER_SEGMENTS | 7);
		for (unsigned i = 0; i < 4; i++)
			set(UPPER_SEGMENTS, 2000 + i,
				(0x400000 + ((uint64_t)i << 20)) | FC | (i < 2 ? PROTECTED : NX));
	}
	ranges_init(&ranges);
	ranges_add(&ranges, 0, RAM_SIZE);
	kernel_init(kernel);
	kernel_find_mappings(kernel, s390x, &cpu, 1, &ranges, &memory);
	ranges_deinit(&ranges);
	registers_deinit(&cpu);
}

static void test_a_kernel_in_ram(void **state)
{
	struct kernel kernel;

	(void)state;
	find_kernel(&kernel, 0, false);
	assert_true(kernel.mapped);
	assert_int_equal(kernel.direct_map, 0);
	assert_int_equal(kernel.text.vaddr, kernel.text.paddr);
	kernel_deinit(&kernel);
}

static void test_a_kernel_on_its_own(void **state)
{
	static const uint64_t bases[] = { 0, 0x10000000000 };
	struct kernel kernel;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		find_kernel(&kernel, bases[i], true);
		assert_true(kernel.mapped);
		assert_int_equal(kernel.direct_map, bases[i]);
		assert_int_equal(kernel.text.vaddr, 0x3fffd000000);
		assert_int_equal(kernel.text.paddr, 0x400000);
		assert_int_equal(kernel.text.size, 0x400000);
		kernel_deinit(&kernel);
	}
}

static void test_place_of_vmcoreinfo(void **state)
{
	struct kernel kernel;
	struct ranges ranges;
	struct error error;
	uint64_t paddr = 0;

	(void)state;
	memset(ram, 0, sizeof(ram));
	assert_false(s390x->vmcoreinfo_address(&memory, &paddr));
	put_be64(ram + 0xe0c, NOTE);
	assert_true(s390x->vmcoreinfo_address(&memory, &paddr));
	assert_int_equal(paddr, NOTE);

	/* No page table shows a kernel, and it is found all the same. */
	ranges_init(&ranges);
	ranges_add(&ranges, 0, RAM_SIZE);
	kernel_init(&kernel);
	kernel_find_mappings(&kernel, s390x, NULL, 0, &ranges, &memory);
	assert_int_equal(kernel_find_vmcoreinfo(&kernel, &ranges, &memory, &error), -1);
	assert_non_null(strstr(error.text, "no vCPU's page tables"));
	put_note();
	assert_int_equal(kernel_find_vmcoreinfo(&kernel, &ranges, &memory, &error), 0);
	assert_false(kernel.mapped);
	assert_string_equal(kernel.vmcoreinfo.release, "6.12");
	kernel_deinit(&kernel);
	ranges_deinit(&ranges);
}

static int read_nothing(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx, (void)paddr, (void)buf, (void)len;
	return -1;
}

static void test_no_lowcore(void **state)
{
	const struct guest_memory nothing = { .read = read_nothing };
	uint64_t paddr;

	(void)state;
	assert_false(s390x->vmcoreinfo_address(&nothing, &paddr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_row),
		cmocka_unit_test(test_registers_without_a_description),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_what_is_missing),
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_designations),
		cmocka_unit_test(test_real_space),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_tables_of_another_kind),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_a_kernel_in_ram),
		cmocka_unit_test(test_a_kernel_on_its_own),
		cmocka_unit_test(test_place_of_vmcoreinfo),
		cmocka_unit_test(test_no_lowcore),
	};

	return cmocka_run_group_tests(tests, find_s390x, NULL);
}
