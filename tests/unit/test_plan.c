// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "client/plan.h"
#include "layout/core_format.h"
#include "tests/unit/failing.h"

/* Behind client/status.h: it has a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define DIRECT_MAP UINT64_C(0xffff888000000000)
#define TEXT       UINT64_C(0xffffffff81000000)

static const struct options automatic = {
	.format = &elf_format, .ram = "auto", .vmcoreinfo = "auto"
};

static struct guest guest;
static struct plan plan;
static struct failure failure;

static void add(struct ranges *ranges, uint64_t start, uint64_t size)
{
	assert_int_equal(ranges_add(ranges, start, size), 0);
}

/* A guest of one vCPU without a register, with RAM below 640 KiB and from 1 to 128 MiB. */
static int make_guest(void **state)
{
	(void)state;
	memset(&guest, 0, sizeof(guest));
	guest.arch = arch_find("x86_64");
	assert_non_null(guest.arch);
	guest.cpus = calloc(1, sizeof(*guest.cpus));
	assert_non_null(guest.cpus);
	registers_init(&guest.cpus[0], 0, LITTLE);
	guest.cpu_count = 1;
	ranges_init(&guest.ram);
	ranges_init(&guest.memory);
	kernel_init(&guest.kernel);
	add(&guest.ram, 0, 0xa0000);
	add(&guest.ram, 0x100000, 0x7f00000);
	return 0;
}

static int end_guest(void **state)
{
	(void)state;
	plan_deinit(&plan);
	guest_deinit(&guest);
	return 0;
}

static void have_kernel(uint64_t paddr, uint64_t size)
{
	guest.kernel.mapped = true;
	guest.kernel.direct_map = DIRECT_MAP;
	guest.kernel.direct_map_end = UINT64_MAX;
	guest.kernel.text = (struct mapping){ .vaddr = TEXT, .paddr = paddr, .size = size };
}

static void have_vmcoreinfo(void)
{
	static const char text[] = "OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(x)=1\n";
	struct error error;

	if (vmcoreinfo_parse(&guest.kernel.vmcoreinfo, text, strlen(text), &error))
		fail_msg("%s", error.text);
}

static void make(const struct options *options, bool can_write_at)
{
	if (guest.memory.count == 0)
		assert_int_equal(ranges_copy(&guest.memory, &guest.ram), 0);
	if (plan_make(&plan, &guest, options, can_write_at, &failure))
		fail_msg("%s", failure.text);
	assert_ptr_equal(plan.core.arch, guest.arch);
	assert_ptr_equal(plan.core.memory, &plan.memory);
	assert_ptr_equal(plan.core.mappings, plan.mappings);
	assert_ptr_equal(plan.core.notes, &plan.notes);
}

/* The list ends with a mapping of size 0. */
static void assert_mappings(const struct core_mapping *expected)
{
	size_t count = 0;

	for (; expected[count].size; count++) {
		assert_in_range(count, 0, plan.core.mapping_count - 1);
		assert_int_equal(plan.mappings[count].vaddr, expected[count].vaddr);
		assert_int_equal(plan.mappings[count].paddr, expected[count].paddr);
		assert_int_equal(plan.mappings[count].size, expected[count].size);
	}
	assert_int_equal(plan.core.mapping_count, count);
}

static void test_without_kernel(void **state)
{
	static const struct core_mapping expected[] = {
		{ 0, 0, 0xa0000 },
		{ 0x100000, 0x100000, 0x7f00000 },
		{ 0 },
	};

	(void)state;
	make(&automatic, true);
	assert_mappings(expected);
}

/* The image comes first: makedumpfile takes phys_base from it. */
static void test_with_kernel(void **state)
{
	static const struct core_mapping expected[] = {
		{ TEXT, 0x1000000, 0x2000000 },
		{ DIRECT_MAP, 0, 0xa0000 },
		{ DIRECT_MAP + 0x100000, 0x100000, 0x7f00000 },
		{ 0 },
	};

	(void)state;
	have_kernel(0x1000000, 0x2000000);
	make(&automatic, true);
	assert_mappings(expected);
}

/* With 32 bits, the direct map has an end. What is behind it must not answer to its addresses. */
static void test_highmem(void **state)
{
	static const struct core_mapping expected[] = {
		{ 0xc0000000, 0, 0xa0000 },
		{ 0xc0100000, 0x100000, 0x37efe000 },
		{ 0x37ffe000, 0x37ffe000, 0x48002000 },
		{ 0x90000000, 0x90000000, 0x1000 },
		{ 0, 0xa0000000, 0x30000000 },
		{ 0xff000000, 0xff000000, 0x1000 },
		{ 0x100000000, 0x100000000, 0x10000000 },
		{ 0 },
	};

	(void)state;
	add(&guest.ram, 0x8000000, 0x78000000);
	add(&guest.ram, 0x90000000, 0x1000);
	add(&guest.ram, 0xa0000000, 0x30000000);
	add(&guest.ram, 0xff000000, 0x1000);
	add(&guest.ram, 0x100000000, 0x10000000);
	guest.kernel.mapped = true;
	guest.kernel.direct_map = 0xc0000000;
	guest.kernel.direct_map_end = 0x37ffe000;
	/* The image is a part of the direct map. */
	guest.kernel.text = (struct mapping){
		.vaddr = 0xc1000000, .paddr = 0x1000000, .size = 0x36ffe000
	};
	make(&automatic, true);
	assert_mappings(expected);
}

/* Page tables may map more than there is of RAM, large pages being what they are. */
static void test_image_over_end_of_ram(void **state)
{
	static const struct core_mapping expected[] = {
		{ TEXT, 0x7e00000, 0x200000 },
		{ DIRECT_MAP, 0, 0xa0000 },
		{ DIRECT_MAP + 0x100000, 0x100000, 0x7f00000 },
		{ 0 },
	};

	(void)state;
	have_kernel(0x7e00000, 0x200001);
	make(&automatic, true);
	assert_mappings(expected);
}

static void test_image_to_end_of_ram(void **state)
{
	(void)state;
	have_kernel(0x7e00000, 0x200000);
	make(&automatic, true);
	assert_int_equal(plan.mappings[0].size, 0x200000);
}

/* A range of --ram that leaves the image out. */
static void test_image_outside(void **state)
{
	static const struct core_mapping expected[] = {
		{ DIRECT_MAP, 0, 0xa0000 },
		{ DIRECT_MAP + 0x100000, 0x100000, 0x7f00000 },
		{ 0 },
	};

	(void)state;
	have_kernel(0x8000000, 0x2000000);
	make(&automatic, true);
	assert_mappings(expected);
}

/*
 * --ram all on a pc with 6 GiB: ROM touches RAM on either side, so that they are one range each,
 * but the kernel maps only RAM.
 */
static void test_all(void **state)
{
	static const struct core_mapping expected[] = {
		{ TEXT, 0x1000000, 0x2000000 },
		{ DIRECT_MAP, 0, 0xa0000 },
		{ 0xc0000, 0xc0000, 0x40000 },
		{ DIRECT_MAP + 0x100000, 0x100000, 0xbff00000 },
		{ 0xfd000000, 0xfd000000, 0x1000000 },
		{ 0xfffc0000, 0xfffc0000, 0x40000 },
		{ DIRECT_MAP + 0x100000000, 0x100000000, 0xc0000000 },
		{ 0x1c0000000, 0x1c0000000, 0x1000 },
		{ 0 },
	};

	(void)state;
	ranges_deinit(&guest.ram);
	add(&guest.ram, 0, 0xa0000);
	add(&guest.ram, 0x100000, 0xbff00000);
	add(&guest.ram, 0x100000000, 0xc0000000);
	ranges_copy(&guest.memory, &guest.ram);
	add(&guest.memory, 0xc0000, 0x40000);
	add(&guest.memory, 0xfd000000, 0x1000000);
	add(&guest.memory, 0xfffc0000, 0x40000);
	add(&guest.memory, 0x1c0000000, 0x1000);
	assert_int_equal(guest.memory.count, 4);
	have_kernel(0x1000000, 0x2000000);
	make(&automatic, true);
	assert_mappings(expected);
}

static void test_all_without_kernel(void **state)
{
	static const struct core_mapping expected[] = {
		{ 0, 0, 0xa0000 },
		{ 0xc0000, 0xc0000, 0x7f40000 },
		{ 0 },
	};

	(void)state;
	ranges_copy(&guest.memory, &guest.ram);
	add(&guest.memory, 0xc0000, 0x40000);
	make(&automatic, true);
	assert_mappings(expected);
}

/* As many pieces as two sets can make of each other: neither begins or ends with the other. */
static void test_most_mappings(void **state)
{
	(void)state;
	ranges_deinit(&guest.ram);
	for (uint64_t i = 0; i < 100; i++) {
		add(&guest.ram, i * 0x10000 + 0x4000, 0x8000);
		add(&guest.memory, i * 0x10000, 0x6000);
		add(&guest.memory, i * 0x10000 + 0x7000, 0x1000);
		add(&guest.memory, i * 0x10000 + 0x9000, 0x6000);
	}
	have_kernel(0x4000, 0x1000);
	make(&automatic, true);
	/* Of the first and third a piece on either side of the edge of RAM, and the second whole.
	 */
	assert_int_equal(plan.core.mapping_count, 1 + 100 * 5);
	for (size_t i = 0; i < plan.core.mapping_count; i++)
		assert_true(ranges_contain(
			&guest.memory, plan.mappings[i].paddr, plan.mappings[i].size));
	assert_int_equal(plan.mappings[1].vaddr, 0);
	assert_int_equal(plan.mappings[1].size, 0x4000);
	assert_int_equal(plan.mappings[2].vaddr, DIRECT_MAP + 0x4000);
	assert_int_equal(plan.mappings[2].size, 0x2000);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* To the byte, over the hole; the image begins in front of it. */
static void test_begin_and_length(void **state)
{
	static const struct core_mapping expected[] = {
		{ TEXT + 0x800, 0x90800, 0xf800 },
		{ DIRECT_MAP + 0x90800, 0x90800, 0xf800 },
		{ DIRECT_MAP + 0x100000, 0x100000, 0x123 },
		{ 0 },
	};
	struct options options = automatic;

	(void)state;
	options.begin = 0x90800;
	options.length = 0x6f923;
	have_kernel(0x90000, 0x10000);
	make(&options, true);
	assert_mappings(expected);
	assert_int_equal(plan.core.memory->count, 2);
	assert_int_equal(plan.core.memory->items[0].start, 0x90800);
	assert_int_equal(plan.core.memory->items[1].size, 0x123);
	assert_int_equal(plan.bytes, 0xf923);
	assert_null(plan.core.kept);
	/* The guest is as it was. */
	assert_int_equal(ranges_total(&guest.memory), 0x7fa0000);
}

/* Pages are whole, but no larger than memory. */
static void test_begin_and_length_in_pages(void **state)
{
	struct options options = automatic;

	(void)state;
	options.format = &kdump_zlib_format;
	options.begin = 0x90801;
	options.length = 0xf000;
	make(&options, true);
	assert_int_equal(plan.core.memory->count, 1);
	assert_int_equal(plan.core.memory->items[0].start, 0x90000);
	assert_int_equal(plan.core.memory->items[0].size, 0x10000);
	plan_deinit(&plan);
	options.begin = 0x100fff;
	options.length = 2;
	make(&options, true);
	assert_int_equal(plan.core.memory->items[0].start, 0x100000);
	assert_int_equal(plan.core.memory->items[0].size, 0x2000);
	plan_deinit(&plan);
	options.begin = 0x7fff800;
	options.length = UINT64_MAX;
	make(&options, true);
	assert_int_equal(plan.core.memory->items[0].start, 0x7fff000);
	assert_int_equal(plan.core.memory->items[0].size, 0x1000);
}

static void test_begin_outside(void **state)
{
	struct options options = automatic;

	(void)state;
	options.begin = 0xa0000;
	options.length = 0x60000;
	ranges_copy(&guest.memory, &guest.ram);
	assert_int_equal(plan_make(&plan, &guest, &options, true, &failure), -1);
	assert_int_equal(failure.status, STATUS_UNSUPPORTED);
	assert_string_equal(failure.text,
		"--begin 0xa0000 --length 0x60000: the guest has no memory there, but from 0x0 to 0x7ffffff");
}

/* Zeros are no matter of the kernel's; all else is. */
static void test_dump_level_without_kernel(void **state)
{
	static const char before[] = "--dump-level 2: ", behind[] = " (use -d 0 or 1)";
	struct options options = automatic;

	(void)state;
	options.dump_level = 1;
	make(&options, true);
	assert_int_equal(plan.core.dump_level, 1);
	assert_null(plan.core.kept);
	assert_int_equal(plan.bytes, 0x7fa0000);
	plan_deinit(&plan);
	options.dump_level = 2;
	assert_int_equal(plan_make(&plan, &guest, &options, true, &failure), -1);
	assert_int_equal(failure.status, STATUS_UNSUPPORTED);
	assert_memory_equal(failure.text, before, strlen(before));
	assert_non_null(strstr(failure.text, behind));
}

/* Registers' notes, and behind them VMCOREINFO with its exact size. */
static void test_notes(void **state)
{
	struct note note = { 0 };
	size_t offset = 0, count = 0;

	(void)state;
	have_vmcoreinfo();
	make(&automatic, true);
	while (notes_next(plan.notes.bytes, plan.notes.size, LITTLE, &offset, &note)) {
		count++;
		if (count == 1) {
			assert_string_equal(note.name, "CORE");
			assert_int_equal(note.type, 1);
		}
	}
	assert_int_equal(count, 3);
	assert_string_equal(note.name, "VMCOREINFO");
	assert_int_equal(note.type, 0);
	assert_int_equal(note.desc_size, 40);
	assert_memory_equal(note.desc, guest.kernel.vmcoreinfo.text, 40);
	/* The vCPU has no register at all. */
	assert_non_null(strstr(plan.missing, "rip"));
}

static void test_late_vmcoreinfo(void **state)
{
	(void)state;
	make(&automatic, true);
	assert_int_equal(plan.late_vmcoreinfo_max, 65536);
	/* The header, the padded name, and the largest page that a kernel keeps it in. */
	assert_int_equal(plan.core.late_note_room, 12 + 12 + 65536);
}

static void test_no_late_vmcoreinfo(void **state)
{
	const struct options none = { .format = &elf_format, .ram = "auto", .vmcoreinfo = "none" };

	(void)state;
	/* A pipe cannot take it. */
	make(&automatic, false);
	assert_int_equal(plan.late_vmcoreinfo_max, 0);
	assert_int_equal(plan.core.late_note_room, 0);
	plan_deinit(&plan);
	/* It is not wanted. */
	make(&none, true);
	assert_int_equal(plan.late_vmcoreinfo_max, 0);
	plan_deinit(&plan);
	/* It is there. */
	have_vmcoreinfo();
	make(&automatic, true);
	assert_int_equal(plan.late_vmcoreinfo_max, 0);
	assert_int_equal(plan.core.late_note_room, 0);
}

/* The program does so when it fails before there is a plan. */
static void test_deinit_of_nothing(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	plan_deinit(&plan);
	plan_deinit(&plan);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_guest, end_guest)

/* No register is there, and so no page table: memory is where it is. */
static void test_paging_without_page_tables(void **state)
{
	static const struct options paging = {
		.format = &elf_format, .ram = "auto", .vmcoreinfo = "auto", .paging = true
	};
	static const struct core_mapping expected[] = {
		{ 0, 0, 0xa0000 },
		{ 0x100000, 0x100000, 0x7f00000 },
		{ 0 },
	};

	(void)state;
	make(&paging, true);
	assert_mappings(expected);
	assert_int_equal(plan.page_tables, 0);
}

static int read_nothing(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx;
	(void)paddr;
	(void)buf;
	(void)len;
	return -1;
}

/* A root that cannot be read maps nothing, but it is one. */
static void have_tables(void)
{
	guest.kernel.table = (struct page_table){ .arch = guest.arch, .root = 0x5000, .levels = 4 };
	guest.reader.read = read_nothing;
	registers_set_u64(&guest.cpus[0], "cr3", 0x5000);
}

static void test_paging(void **state)
{
	static const struct options paging = {
		.format = &elf_format, .ram = "auto", .vmcoreinfo = "auto", .paging = true
	};

	(void)state;
	have_kernel(0x1000000, 0x200000);
	have_tables();
	make(&paging, true);
	assert_int_equal(plan.page_tables, 1);
	assert_true(plan.page_tables_whole);
	assert_int_equal(plan.core.mapping_count, 2);
}

/* ---- headers of formats by pages ------------------------------------------------------------ */

static void have_vmcoreinfo_of(const char *text)
{
	struct error error;

	if (vmcoreinfo_parse(&guest.kernel.vmcoreinfo, text, strlen(text), &error))
		fail_msg("%s", error.text);
}

static void test_headers(void **state)
{
	(void)state;
	guest.kernel.phys_base = -4096;
	strcpy(guest.kernel.utsname[UTS_SYSNAME], "Linux");
	make(&automatic, true);
	assert_int_equal(plan.core.page_shift, 12);
	assert_int_equal(plan.core.cpu_count, 1);
	assert_int_equal(plan.core.phys_base, -4096);
	assert_string_equal(plan.core.utsname[UTS_SYSNAME], "Linux");
	assert_string_equal(plan.core.utsname[UTS_RELEASE], "");
}

/* A kernel knows better than its page tables, and than its CPU. */
static void test_headers_by_vmcoreinfo(void **state)
{
	(void)state;
	guest.kernel.phys_base = 4096;
	have_vmcoreinfo_of(
		"OSRELEASE=6.1\nPAGESIZE=65536\nSYMBOL(x)=1\nNUMBER(phys_base)=-2097152\n");
	make(&automatic, true);
	assert_int_equal(plan.core.page_shift, 16);
	assert_int_equal(plan.core.phys_base, -2097152);
}

/* Of 32-bit Arm: where the kernel has its RAM, or the first memory, in steps of 2 MiB. */
static void test_phys_base_where_frames_are_counted_from(void **state)
{
	(void)state;
	guest.arch = arch_find("arm");
	assert_non_null(guest.arch);
	ranges_deinit(&guest.ram);
	add(&guest.ram, 0x48001000, 0x2000000);
	add(&guest.ram, 0x60000000, 0x4000000);
	make(&automatic, true);
	assert_int_equal(plan.core.phys_base, 0x48000000);
	plan_deinit(&plan);

	have_kernel(0x60300000, 0x1000000);
	guest.kernel.direct_map_start = 0x60100000;
	make(&automatic, true);
	assert_int_equal(plan.core.phys_base, 0x60000000);
	plan_deinit(&plan);

	/* Of 64-bit Arm, the first RAM, and not the ROM that may be in front of it */
	guest.arch = arch_find("aarch64");
	ranges_deinit(&guest.memory);
	add(&guest.memory, 0, 0x1000);
	add(&guest.memory, 0x48001000, 0x2000000);
	make(&automatic, true);
	assert_int_equal(plan.core.phys_base, 0x48001000);
}

static void test_compress_level(void **state)
{
	struct options options = automatic;

	(void)state;
	make(&options, true);
	assert_int_equal(plan.core.compress_level, 0);
	plan_deinit(&plan);
	options.format = &kdump_zstd_format;
	make(&options, true);
	assert_int_equal(plan.core.compress_level, codec_zstd.level);
	plan_deinit(&plan);
	options.compress_level = 7;
	make(&options, true);
	assert_int_equal(plan.core.compress_level, 7);
}

static void test_late_vmcoreinfo_tells(void **state)
{
	struct notes late;

	(void)state;
	notes_init(&late, LITTLE);
	make(&automatic, true);
	plan_add_late(&plan, &guest, &late);
	assert_int_equal(late.size, 0);
	have_vmcoreinfo_of("OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(x)=1\nNUMBER(phys_base)=-4096\n");
	plan_add_late(&plan, &guest, &late);
	assert_int_equal(late.size, note_size("VMCOREINFO", guest.kernel.vmcoreinfo.size));
	assert_int_equal(plan.core.phys_base, -4096);
	notes_deinit(&late);
}

/* One that was there before is among the notes already. */
static void test_late_vmcoreinfo_once(void **state)
{
	struct notes late;

	(void)state;
	notes_init(&late, LITTLE);
	have_vmcoreinfo();
	make(&automatic, true);
	plan_add_late(&plan, &guest, &late);
	assert_int_equal(late.size, 0);
	notes_deinit(&late);
}

static void make_without_memory(const struct options *options)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	while (failing_next(&failing)) {
		int rc = plan_make(&plan, &guest, options, true, &failure);

		/* "no memory for notes", for mappings and so on */
		if (failing_end(&failing)) {
			assert_int_equal(rc, -1);
			assert_int_equal(failure.status, STATUS_FAILED);
			assert_non_null(strstr(failure.text, "no memory"));
		} else {
			assert_int_equal(rc, 0);
		}
		plan_deinit(&plan);
	}
	/* Memory, mappings, those that are cut, notes. */
	assert_true(failing.nth > 4);
}

static void test_no_memory(void **state)
{
	struct options paging = automatic;

	(void)state;
	paging.paging = true;
	have_kernel(0x1000000, 0x1000000);
	have_vmcoreinfo();
	assert_int_equal(ranges_copy(&guest.memory, &guest.ram), 0);
	make_without_memory(&automatic);
	have_tables();
	make_without_memory(&paging);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_without_kernel),
		TEST(test_paging_without_page_tables),
		TEST(test_paging),
		TEST(test_headers),
		TEST(test_headers_by_vmcoreinfo),
		TEST(test_phys_base_where_frames_are_counted_from),
		TEST(test_compress_level),
		TEST(test_late_vmcoreinfo_tells),
		TEST(test_late_vmcoreinfo_once),
		TEST(test_with_kernel),
		TEST(test_highmem),
		TEST(test_image_over_end_of_ram),
		TEST(test_image_to_end_of_ram),
		TEST(test_image_outside),
		TEST(test_all),
		TEST(test_all_without_kernel),
		TEST(test_most_mappings),
		TEST(test_begin_and_length),
		TEST(test_begin_and_length_in_pages),
		TEST(test_begin_outside),
		TEST(test_dump_level_without_kernel),
		TEST(test_notes),
		TEST(test_late_vmcoreinfo),
		TEST(test_no_late_vmcoreinfo),
		TEST(test_deinit_of_nothing),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
