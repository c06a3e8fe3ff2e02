// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout/kernel.h"
#include "tests/unit/failing.h"

/*
 * A guest of 32 MiB with the page tables of an x86_64 Linux of four levels, built by hand:
 *
 *	0x100000  page tables, one after the other
 *	0x800000  kernel image: 2 MiB of text, 2 MiB of read-only data, a hole, 2 MiB of data
 *	0x1400000 pages that the kernel has allocated
 */
#define MIB(n)     ((uint64_t)(n) << 20)
#define TEXT_BASE  0xffffffff80000000
#define IMAGE      0xffffffff9a000000
#define DIRECT_MAP 0xffff9a4000000000
#define LDT        0xffff880000000000

enum {
	MEMORY_SIZE = 32 << 20,
	TABLES = 0x100000,
	IMAGE_PADDR = 0x800000,
	RODATA_PADDR = IMAGE_PADDR + 0x200000,
	DATA_PADDR = IMAGE_PADDR + 0x600000,
	UTS_PADDR = DATA_PADDR + 0x1100,
	NOTE_PAGE = 0x1400000,
	BARE_PAGE = 0x1401000,
	STALE_PAGE = 0x1402000,
	OTHER_PAGE = 0x1403000,
	FAR_PAGE = 0x1f00000,
	NOTE_HEAD = 24,
	SCAN_STEP = (1 << 20) - 4096, /* of kernel_scan.c */

	P = 1,
	W = 2,
	U = 4,
	LARGE = 0x80,
};
#define NX          (UINT64_C(1) << 63)
#define NOT_PRESENT UINT64_MAX

static const char release[] = "6.1.0-56-cloud-amd64";

struct guest {
	uint8_t *bytes;
	uint64_t next_table, root;
	uint64_t unreadable;     /* a page that no read may touch */
	unsigned reads, batches; /* single ones, and of many at once */
	struct ranges ram;
	struct registers cpus[2];
	struct guest_memory memory;
	struct kernel kernel;
	struct error error;
};

static int read_guest(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct guest *guest = ctx;

	guest->reads++;
	if (!ranges_contain(&guest->ram, paddr, len))
		return -1;
	if (guest->unreadable && paddr <= guest->unreadable && guest->unreadable - paddr < len)
		return -1;
	memcpy(buf, guest->bytes + paddr, len);
	return 0;
}

static void read_guest_many(void *ctx, struct guest_read_request *requests, size_t count)
{
	struct guest *guest = ctx;

	guest->batches++;
	for (size_t i = 0; i < count; i++)
		requests[i].failed = read_guest(ctx, requests[i].paddr, requests[i].buf,
					     requests[i].len) != 0;
	guest->reads -= (unsigned)count;
}

static unsigned round_trips(const struct guest *guest)
{
	return guest->reads + guest->batches;
}

static uint64_t new_table(struct guest *guest)
{
	uint64_t table = guest->next_table;

	guest->next_table += 4096;
	assert_true(guest->next_table <= IMAGE_PADDR);
	return table;
}

/* Maps one page of level 0 (4 KiB) or 1 (2 MiB). */
static void map(struct guest *guest, uint64_t root, uint64_t vaddr, uint64_t paddr, unsigned level,
	uint64_t flags)
{
	uint64_t table = root;
	uint8_t *entry;

	for (unsigned at = 3;; at--) {
		entry = guest->bytes + table + 8 * ((vaddr >> (12 + 9 * at)) & 511);
		if (at == level)
			break;
		if (!get_le64(entry))
			put_le64(entry, new_table(guest) | P | W | U);
		table = get_le64(entry) & 0xffffffffff000;
	}
	put_le64(entry, flags == NOT_PRESENT ? 0 : paddr | flags | P | (level ? LARGE : 0));
}

static void map_image(struct guest *guest, uint64_t root)
{
	map(guest, root, IMAGE, IMAGE_PADDR, 1, 0);
	map(guest, root, IMAGE + MIB(2), RODATA_PADDR, 1, NX);
	map(guest, root, IMAGE + MIB(6), DATA_PADDR, 1, NX | W);
	/* Too far behind to be a part of it. */
	map(guest, root, IMAGE + MIB(256), IMAGE_PADDR + MIB(256), 1, NX | W);
}

static void map_ldt(struct guest *guest, uint64_t root)
{
	map(guest, root, LDT, 0x1abc000, 0, NX | U);
}

/* The first 2 MiB in small pages, of which the firmware keeps some. */
static void map_direct(struct guest *guest, uint64_t root, uint64_t base)
{
	for (uint64_t page = 0; page < MIB(2); page += 4096) {
		if (page != 0 && (page < 0x9f000 || page >= 0x100000))
			map(guest, root, base + page, page, 0, NX | W);
	}
	for (uint64_t page = MIB(2); page < MEMORY_SIZE; page += MIB(2))
		map(guest, root, base + page, page, 1, NX | W);
}

static void put_uts(struct guest *guest, uint64_t paddr, const char *its_release)
{
	static const char *const strings[UTSNAME_STRINGS] = { "Linux", "guest", NULL,
		"#1 SMP Debian", "x86_64", "(none)" };

	for (size_t i = 0; i < UTSNAME_STRINGS; i++)
		strcpy((char *)guest->bytes + paddr + i * UTSNAME_STRING_SIZE,
			strings[i] ? strings[i] : its_release);
}

/* Returns the length. */
static size_t format_text(char *text, size_t size, const char *its_release, int64_t phys_base)
{
	return (size_t)snprintf(text, size,
		"OSRELEASE=%s\n"
		"PAGESIZE=4096\n"
		"SYMBOL(init_uts_ns)=%llx\n"
		"OFFSET(uts_namespace.name)=0\n"
		"SYMBOL(_stext)=%llx\n"
		"NUMBER(phys_base)=%lld\n",
		its_release, (unsigned long long)(IMAGE + MIB(6) + 0x1100),
		(unsigned long long)IMAGE, (long long)phys_base);
}

static const int64_t phys_base = (int64_t)IMAGE_PADDR - (int64_t)(IMAGE - TEXT_BASE);

static void put_bare(struct guest *guest, uint64_t paddr)
{
	format_text((char *)guest->bytes + paddr, 1024, release, phys_base);
}

static void put_note(
	struct guest *guest, uint64_t paddr, const char *its_release, int64_t its_phys_base)
{
	char *text = (char *)guest->bytes + paddr + NOTE_HEAD;
	size_t size = format_text(text, 1024, its_release, its_phys_base);

	put_le32(guest->bytes + paddr, 11);
	put_le32(guest->bytes + paddr + 4, (uint32_t)size);
	put_le32(guest->bytes + paddr + 8, 0);
	memcpy(guest->bytes + paddr + 12, "VMCOREINFO\0", 12);
}

/* A static variable of the kernel that points to a page. */
static void put_pointer(struct guest *guest, uint64_t offset, uint64_t paddr)
{
	put_le64(guest->bytes + DATA_PADDR + offset, DIRECT_MAP + paddr);
}

static void set_cpu(struct registers *cpu, uint64_t cr3, uint64_t cs)
{
	registers_set_u64(cpu, "cr0", 0x80050033);
	registers_set_u64(cpu, "cr3", cr3);
	registers_set_u64(cpu, "cr4", 0x6f0);
	registers_set_u64(cpu, "efer", 0xd01);
	registers_set_u64(cpu, "cs", cs);
}

static int setup(void **state)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	if (!guest)
		return -1;
	guest->bytes = calloc(1, MEMORY_SIZE);
	if (!guest->bytes)
		return -1;
	guest->memory = (struct guest_memory){
		.read = read_guest, .ctx = guest, .read_many = read_guest_many
	};
	guest->next_table = TABLES;
	guest->root = new_table(guest);
	new_table(guest); /* a root is two pages when page tables are isolated */
	ranges_init(&guest->ram);
	ranges_add(&guest->ram, 0, 0xa0000);
	ranges_add(&guest->ram, 0xc0000, MEMORY_SIZE - 0xc0000);
	for (unsigned i = 0; i < 2; i++) {
		registers_init(&guest->cpus[i], i, LITTLE);
		set_cpu(&guest->cpus[i], guest->root, 0x10);
	}
	kernel_init(&guest->kernel);
	put_uts(guest, UTS_PADDR, release);
	*state = guest;
	return 0;
}

static int teardown(void **state)
{
	struct guest *guest = *state;

	kernel_deinit(&guest->kernel);
	for (unsigned i = 0; i < 2; i++)
		registers_deinit(&guest->cpus[i]);
	ranges_deinit(&guest->ram);
	free(guest->bytes);
	free(guest);
	return 0;
}

static void find_mappings(struct guest *guest)
{
	kernel_find_mappings(
		&guest->kernel, arch_find("x86_64"), guest->cpus, 2, &guest->ram, &guest->memory);
}

static int find_vmcoreinfo(struct guest *guest)
{
	return kernel_find_vmcoreinfo(&guest->kernel, &guest->ram, &guest->memory, &guest->error);
}

static void map_kernel(struct guest *guest)
{
	map_image(guest, guest->root);
	map_ldt(guest, guest->root);
	map_direct(guest, guest->root, DIRECT_MAP);
}

static void assert_found(const struct guest *guest, uint64_t root)
{
	const struct kernel *kernel = &guest->kernel;

	assert_true(kernel->mapped);
	assert_int_equal(kernel->table.root, root);
	assert_int_equal(kernel->table.levels, 4);
	assert_true(kernel->text.vaddr == IMAGE);
	assert_int_equal(kernel->text.paddr, IMAGE_PADDR);
	assert_int_equal(kernel->text.size, MIB(8));
	assert_true(kernel->direct_map == DIRECT_MAP);
	assert_int_equal(kernel->phys_base, phys_base);
	assert_true(kernel->phys_base < 0);
}

static void test_mappings(void **state)
{
	struct guest *guest = *state;

	map_kernel(guest);
	find_mappings(guest);
	assert_found(guest, guest->root);
	/*
	 * Root, two tables, three small ones for the image, three and one for the direct map: all
	 * of them are neighbours.
	 */
	assert_int_equal(round_trips(guest), 1);
}

static void test_image_ends_at_other_memory(void **state)
{
	struct guest *guest = *state;

	map_kernel(guest);
	map(guest, guest->root, IMAGE + MIB(8), 0x1500000, 0, 0);
	find_mappings(guest);
	assert_found(guest, guest->root);
}

static void test_no_kernel(void **state)
{
	struct guest *guest = *state;

	find_mappings(guest);
	assert_false(guest->kernel.mapped);
	assert_int_equal(find_vmcoreinfo(guest), -1);
	assert_string_equal(guest->error.text, "no vCPU's page tables show a kernel");
}

static void test_no_direct_map(void **state)
{
	struct guest *guest = *state;

	map_image(guest, guest->root);
	map_ldt(guest, guest->root);
	find_mappings(guest);
	assert_false(guest->kernel.mapped);
}

static void test_direct_map_not_aligned(void **state)
{
	struct guest *guest = *state;

	map_image(guest, guest->root);
	map_direct(guest, guest->root, DIRECT_MAP + MIB(512));
	find_mappings(guest);
	assert_false(guest->kernel.mapped);
}

/* One page that looks like the start of a direct map, as anything in vmalloc's area might. */
static void test_decoys(void **state)
{
	struct guest *guest = *state;

	for (uint64_t i = 0; i < 8; i++)
		map(guest, guest->root, 0xffff890000000000 + (i << 30), 0, 0, NX | W);
	map_kernel(guest);
	find_mappings(guest);
	assert_found(guest, guest->root);
}

static void test_too_many_decoys(void **state)
{
	struct guest *guest = *state;

	for (uint64_t i = 0; i < 33; i++)
		map(guest, guest->root, 0xffff890000000000 + (i << 30), 0, 0, NX | W);
	map_kernel(guest);
	find_mappings(guest);
	assert_false(guest->kernel.mapped);
}

/* The image and the root lie as in a direct map, but nothing else does. */
static void test_direct_map_elsewhere(void **state)
{
	struct guest *guest = *state;

	map_kernel(guest);
	for (uint64_t page = MIB(2); page < MEMORY_SIZE; page += MIB(2)) {
		if (page != IMAGE_PADDR)
			map(guest, guest->root, DIRECT_MAP + page, page ^ MIB(2), 1, NX | W);
	}
	find_mappings(guest);
	assert_false(guest->kernel.mapped);
}

static void test_direct_map_without_image(void **state)
{
	struct guest *guest = *state;

	map_kernel(guest);
	map(guest, guest->root, DIRECT_MAP + IMAGE_PADDR, 0, 1, NOT_PRESENT);
	find_mappings(guest);
	assert_false(guest->kernel.mapped);
}

static void test_direct_map_without_root(void **state)
{
	struct guest *guest = *state;

	map_kernel(guest);
	map(guest, guest->root, DIRECT_MAP + guest->root, 0, 0, NOT_PRESENT);
	find_mappings(guest);
	assert_false(guest->kernel.mapped);
}

/* A kdump kernel maps its own piece of RAM and no other. */
static void test_direct_map_of_a_part(void **state)
{
	struct guest *guest = *state;

	map_image(guest, guest->root);
	map(guest, guest->root, DIRECT_MAP + 0x100000, 0x100000, 0, NX | W);
	for (uint64_t page = IMAGE_PADDR; page < IMAGE_PADDR + MIB(8); page += MIB(2))
		map(guest, guest->root, DIRECT_MAP + page, page, 1, NX | W);
	find_mappings(guest);
	assert_found(guest, guest->root);
}

static void test_image_must_be_executable(void **state)
{
	struct guest *guest = *state;

	map_kernel(guest);
	map(guest, guest->root, IMAGE, IMAGE_PADDR, 1, NX);
	find_mappings(guest);
	assert_false(guest->kernel.mapped);
}

static void test_image_must_be_large(void **state)
{
	struct guest *guest = *state;

	map_direct(guest, guest->root, DIRECT_MAP);
	for (uint64_t page = 0; page < MIB(2) - 4096; page += 4096)
		map(guest, guest->root, IMAGE + page, IMAGE_PADDR + page, 0, 0);
	find_mappings(guest);
	assert_false(guest->kernel.mapped);
	map(guest, guest->root, IMAGE + MIB(2) - 4096, IMAGE_PADDR + MIB(2) - 4096, 0, 0);
	find_mappings(guest);
	assert_true(guest->kernel.mapped);
	assert_int_equal(guest->kernel.text.size, MIB(2));
}

/* The first vCPU is still in firmware, with tables of its own. */
static void test_second_cpu(void **state)
{
	struct guest *guest = *state;
	uint64_t firmware = new_table(guest);

	map(guest, firmware, 0, 0, 1, W);
	map_kernel(guest);
	set_cpu(&guest->cpus[0], firmware, 0x10);
	find_mappings(guest);
	assert_found(guest, guest->root);
}

/* Stopped in a user process, a vCPU shows a root with no more of the kernel than its entry. */
static void test_isolated_page_tables(void **state)
{
	struct guest *guest = *state;
	uint64_t user = guest->root + 4096;

	map(guest, user, IMAGE + 0x100000, IMAGE_PADDR + 0x100000, 0, 0);
	map_ldt(guest, user);
	map_kernel(guest);
	for (unsigned i = 0; i < 2; i++)
		set_cpu(&guest->cpus[i], user, 0x33);
	find_mappings(guest);
	assert_found(guest, guest->root);
}

/* Tables that name themselves: the walk must not cost more than its bound. */
static void test_looping_tables(void **state)
{
	struct guest *guest = *state;

	for (unsigned i = 0; i < 512; i++)
		put_le64(guest->bytes + guest->root + 8 * i, guest->root | P | W | U);
	find_mappings(guest);
	assert_false(guest->kernel.mapped);
	assert_in_range(round_trips(guest), 1, 1024);
}

static void test_random_tables(void **state)
{
	struct guest *guest = *state;
	uint32_t random = 1;

	for (size_t i = 0; i < MEMORY_SIZE; i += 8) {
		random = random * 1664525 + 1013904223;
		put_le64(guest->bytes + i, (random & 0x1fff000) | (random >> 28 & (W | U | P)) |
						   (random >> 25 & 1) * LARGE);
	}
	find_mappings(guest);
	assert_in_range(round_trips(guest), 1, 1024);
	if (guest->kernel.mapped)
		find_vmcoreinfo(guest);
}

static void assert_vmcoreinfo_at(const struct guest *guest, uint64_t paddr)
{
	const struct kernel *kernel = &guest->kernel;

	assert_non_null(kernel->vmcoreinfo.text);
	assert_int_equal(kernel->vmcoreinfo.paddr, paddr);
	assert_string_equal(kernel->vmcoreinfo.release, release);
	assert_string_equal(kernel->utsname[UTS_SYSNAME], "Linux");
	assert_string_equal(kernel->utsname[UTS_NODENAME], "guest");
	assert_string_equal(kernel->utsname[UTS_RELEASE], release);
	assert_string_equal(kernel->utsname[UTS_VERSION], "#1 SMP Debian");
	assert_string_equal(kernel->utsname[UTS_MACHINE], "x86_64");
	assert_string_equal(kernel->utsname[UTS_DOMAINNAME], "(none)");
}

static int setup_mapped(void **state)
{
	struct guest *guest;

	if (setup(state))
		return -1;
	guest = *state;
	map_kernel(guest);
	find_mappings(guest);
	guest->reads = guest->batches = 0;
	return !guest->kernel.mapped;
}

static void test_note(void **state)
{
	struct guest *guest = *state;

	put_note(guest, NOTE_PAGE, release, phys_base);
	put_pointer(guest, 0x12340, NOTE_PAGE);
	assert_int_equal(find_vmcoreinfo(guest), 0);
	assert_vmcoreinfo_at(guest, NOTE_PAGE + NOTE_HEAD);
	/* The data, all pages that they point to, the note, tables to check it. */
	assert_in_range(round_trips(guest), 3, 5);
}

static void test_note_without_read_many(void **state)
{
	struct guest *guest = *state;

	guest->memory.read_many = NULL;
	put_note(guest, NOTE_PAGE, release, phys_base);
	put_pointer(guest, 0x12340, NOTE_PAGE);
	assert_int_equal(find_vmcoreinfo(guest), 0);
	assert_vmcoreinfo_at(guest, NOTE_PAGE + NOTE_HEAD);
	assert_int_equal(guest->batches, 0);
}

static void test_note_at_the_end_of_data(void **state)
{
	struct guest *guest = *state;

	put_note(guest, NOTE_PAGE, release, phys_base);
	put_pointer(guest, MIB(2) - 8, NOTE_PAGE);
	assert_int_equal(find_vmcoreinfo(guest), 0);
	assert_vmcoreinfo_at(guest, NOTE_PAGE + NOTE_HEAD);
}

static void test_bare_text(void **state)
{
	struct guest *guest = *state;

	put_bare(guest, BARE_PAGE);
	put_pointer(guest, 0x12340, BARE_PAGE);
	assert_int_equal(find_vmcoreinfo(guest), 0);
	assert_vmcoreinfo_at(guest, BARE_PAGE);
}

static void test_note_is_preferred(void **state)
{
	struct guest *guest = *state;

	put_bare(guest, BARE_PAGE);
	put_note(guest, NOTE_PAGE, release, phys_base);
	put_pointer(guest, 0x100, BARE_PAGE);
	put_pointer(guest, MIB(1) + 0x8000, NOTE_PAGE);
	assert_int_equal(find_vmcoreinfo(guest), 0);
	assert_vmcoreinfo_at(guest, NOTE_PAGE + NOTE_HEAD);
}

/* Linux before 4.13 has the note among its data, and not at the start of a page. */
static void test_static_note(void **state)
{
	struct guest *guest = *state;

	put_note(guest, DATA_PADDR + 0x4564, release, phys_base);
	assert_int_equal(find_vmcoreinfo(guest), 0);
	assert_vmcoreinfo_at(guest, DATA_PADDR + 0x4564 + NOTE_HEAD);
}

static void test_static_note_between_two_reads(void **state)
{
	struct guest *guest = *state;

	for (unsigned before = 4; before <= 40; before += 4) {
		uint64_t paddr = DATA_PADDR + SCAN_STEP - before;

		memset(guest->bytes + paddr - 8, 0, 2048);
		put_note(guest, paddr, release, phys_base);
		vmcoreinfo_deinit(&guest->kernel.vmcoreinfo);
		assert_int_equal(find_vmcoreinfo(guest), 0);
		assert_vmcoreinfo_at(guest, paddr + NOTE_HEAD);
	}
}

/* Read-only data holds the format string; what points to it, and is no pointer, is passed over. */
static void test_false_trails(void **state)
{
	struct guest *guest = *state;

	put_note(guest, NOTE_PAGE, release, phys_base);
	put_le64(guest->bytes + RODATA_PADDR, DIRECT_MAP + NOTE_PAGE); /* not writable */
	strcpy((char *)guest->bytes + RODATA_PADDR + 0x1000,
		"OSRELEASE=%s\nBUILD-ID=%20phN\nPAGESIZE=%ld\n");
	put_pointer(guest, 0x100, RODATA_PADDR + 0x1000);
	put_pointer(guest, 0x200, NOTE_PAGE + 8);               /* not page aligned */
	put_pointer(guest, 0x304, NOTE_PAGE);                   /* not 8-byte aligned */
	put_pointer(guest, 0x400, 0xa0000);                     /* not RAM */
	put_pointer(guest, 0x500, MEMORY_SIZE);                 /* behind RAM */
	put_le64(guest->bytes + DATA_PADDR + 0x600, NOTE_PAGE); /* not in the direct map */
	assert_int_equal(find_vmcoreinfo(guest), -1);
	assert_non_null(strstr(guest->error.text,
		"no VMCOREINFO in 2048 KiB of the kernel's data (0 of them unreadable), nor in the "
		"1 pages"));
	assert_null(guest->kernel.vmcoreinfo.text);
	assert_string_equal(guest->kernel.utsname[UTS_RELEASE], "");
}

static void assert_does_not_fit(struct guest *guest, const char *reason)
{
	put_pointer(guest, 0x100, STALE_PAGE);
	assert_int_equal(find_vmcoreinfo(guest), -1);
	assert_ptr_equal(strstr(guest->error.text, "VMCOREINFO found, but"), guest->error.text);
	assert_non_null(strstr(guest->error.text, reason));
	assert_null(guest->kernel.vmcoreinfo.text);

	/* And none of it is in the way of the right one. */
	put_note(guest, NOTE_PAGE, release, phys_base);
	put_pointer(guest, 0x108, NOTE_PAGE);
	assert_int_equal(find_vmcoreinfo(guest), 0);
	assert_vmcoreinfo_at(guest, NOTE_PAGE + NOTE_HEAD);
}

static void test_note_of_another_release(void **state)
{
	put_note(*state, STALE_PAGE, "5.10.0-35-amd64", phys_base);
	assert_does_not_fit(*state, "is of Linux 5.10.0-35-amd64, but Linux 6.1.0-56-cloud-amd64");
}

/* Without KASLR, a kernel and its kdump kernel differ in where they lie, and in nothing else. */
static void test_note_of_the_other_kernel(void **state)
{
	put_note(*state, STALE_PAGE, release, phys_base + (int64_t)MIB(512));
	assert_does_not_fit(*state, "address 0x20800000, but one at 0x800000 runs");
}

static void test_note_cut_off(void **state)
{
	struct guest *guest = *state;
	uint8_t *size = guest->bytes + STALE_PAGE + 4;

	put_note(guest, STALE_PAGE, release, phys_base);
	put_le32(size, get_le32(size) - 1);
	assert_does_not_fit(guest, "cut off");
}

static void test_note_with_garbage(void **state)
{
	struct guest *guest = *state;

	put_note(guest, STALE_PAGE, release, phys_base);
	guest->bytes[STALE_PAGE + 100] = 0x80;
	assert_does_not_fit(guest, "no text at offset 76");
}

static void test_note_beyond_memory(void **state)
{
	struct guest *guest = *state;

	put_note(guest, STALE_PAGE, release, phys_base);
	put_le32(guest->bytes + STALE_PAGE + 4, VMCOREINFO_SIZE_MAX);
	memset(guest->bytes + STALE_PAGE + 512, 'x', 4096 - 512);
	assert_does_not_fit(guest, "no text at offset");
}

static void test_note_too_large(void **state)
{
	struct guest *guest = *state;

	put_note(guest, STALE_PAGE, release, phys_base);
	put_le32(guest->bytes + STALE_PAGE + 4, VMCOREINFO_SIZE_MAX + 1);
	put_pointer(guest, 0x100, STALE_PAGE);
	assert_int_equal(find_vmcoreinfo(guest), -1);
	assert_non_null(strstr(guest->error.text, "nor in the 1 pages"));
}

/* A guest full of copies costs no more than a few of them. */
static void test_many_stale_notes(void **state)
{
	struct guest *guest = *state;

	for (uint64_t i = 0; i < 512; i++) {
		put_note(guest, OTHER_PAGE + i * 4096, "5.10", phys_base);
		put_pointer(guest, i * 8, OTHER_PAGE + i * 4096);
	}
	assert_int_equal(find_vmcoreinfo(guest), -1);
	assert_in_range(round_trips(guest), 1, 64 * 3);
}

static void test_pages_are_looked_at_once(void **state)
{
	struct guest *guest = *state;

	for (uint64_t i = 0; i < MIB(1); i += 8)
		put_pointer(guest, i, OTHER_PAGE + i % 4 * 4096);
	for (uint64_t i = 0; i < 3000; i++)
		put_pointer(guest, MIB(1) + i * 8, 0x200000 + i * 4096);
	assert_int_equal(find_vmcoreinfo(guest), -1);
	assert_non_null(strstr(guest->error.text, "nor in the 3001 pages"));
}

static void test_unreadable_data(void **state)
{
	struct guest *guest = *state;

	guest->unreadable = DATA_PADDR + 0x8000;
	assert_int_equal(find_vmcoreinfo(guest), -1);
	assert_non_null(strstr(guest->error.text, "(1020 of them unreadable)"));
}

/* 16 MiB of data, of which 8 are read at a time, the last ones first. */
static void grow_data(struct guest *guest)
{
	for (uint64_t at = MIB(2); at < MIB(16); at += MIB(2))
		map(guest, guest->root, IMAGE + MIB(6) + at, DATA_PADDR + at, 1, NX | W);
	kernel_deinit(&guest->kernel);
	find_mappings(guest);
	assert_int_equal(guest->kernel.text.size, MIB(22));
	guest->reads = guest->batches = 0;
}

static void test_data_is_read_ahead(void **state)
{
	struct guest *guest = *state;
	unsigned first;

	grow_data(guest);
	put_note(guest, FAR_PAGE, release, phys_base);
	put_pointer(guest, 10 * SCAN_STEP, FAR_PAGE);
	assert_int_equal(find_vmcoreinfo(guest), 0);
	assert_vmcoreinfo_at(guest, FAR_PAGE + NOTE_HEAD);
	first = round_trips(guest);
	/* Data, what they point to, the note, and tables to check it. */
	assert_in_range(first, 3, 5);

	/*
	 * Further to the front, it costs other reads of data, and of what they point to. The tables
	 * for the walk were at hand before.
	 */
	guest->reads = guest->batches = 0;
	put_pointer(guest, 10 * SCAN_STEP, 0);
	put_pointer(guest, 2 * SCAN_STEP, FAR_PAGE);
	assert_int_equal(find_vmcoreinfo(guest), 0);
	assert_vmcoreinfo_at(guest, FAR_PAGE + NOTE_HEAD);
	assert_int_equal(round_trips(guest), first + 3);
}

/* Of those that are read at once, the others count; so do those that are left over at the end. */
static void test_unreadable_data_among_others(void **state)
{
	struct guest *guest = *state;

	grow_data(guest);
	put_note(guest, FAR_PAGE, release, phys_base);
	guest->unreadable = DATA_PADDR + 9 * SCAN_STEP + 0x8000;
	put_pointer(guest, 9 * SCAN_STEP + 0x100, FAR_PAGE);
	assert_int_equal(find_vmcoreinfo(guest), -1);
	assert_non_null(strstr(guest->error.text,
		"no VMCOREINFO in 16384 KiB of the kernel's data (1020 of them unreadable), nor in "
		"the 0 pages"));
	put_pointer(guest, 10 * SCAN_STEP, FAR_PAGE);
	assert_int_equal(find_vmcoreinfo(guest), 0);
	put_pointer(guest, 10 * SCAN_STEP, 0);
	put_pointer(guest, MIB(16) - 8, FAR_PAGE);
	assert_int_equal(find_vmcoreinfo(guest), 0);
	assert_vmcoreinfo_at(guest, FAR_PAGE + NOTE_HEAD);
}

static void make_candidate(
	struct vmcoreinfo *candidate, const char *its_release, int64_t its_phys_base)
{
	char text[1024];
	size_t size = format_text(text, sizeof(text), its_release, its_phys_base);
	struct error error;

	vmcoreinfo_init(candidate);
	assert_int_equal(vmcoreinfo_parse(candidate, text, size, &error), 0);
}

static void test_accept(void **state)
{
	struct guest *guest = *state;
	struct vmcoreinfo candidate;

	make_candidate(&candidate, release, phys_base);
	assert_int_equal(
		kernel_accept_vmcoreinfo(&guest->kernel, &candidate, &guest->memory, &guest->error),
		0);
	assert_null(candidate.text);
	assert_vmcoreinfo_at(guest, VMCOREINFO_NOWHERE);
	vmcoreinfo_deinit(&candidate);

	make_candidate(&candidate, "5.10", phys_base);
	assert_int_equal(
		kernel_accept_vmcoreinfo(&guest->kernel, &candidate, &guest->memory, &guest->error),
		-1);
	assert_string_equal(candidate.release, "5.10");
	assert_vmcoreinfo_at(guest, VMCOREINFO_NOWHERE); /* what was there stays */
	vmcoreinfo_deinit(&candidate);
}

/* Without page tables, the text's own phys_base leads to the kernel's name. */
static void test_accept_unmapped(void **state)
{
	struct guest *guest = *state;
	struct vmcoreinfo candidate;

	make_candidate(&candidate, release, phys_base + 4096);
	assert_int_equal(
		kernel_accept_vmcoreinfo(&guest->kernel, &candidate, &guest->memory, &guest->error),
		-1);
	assert_non_null(strstr(guest->error.text, "no Linux kernel's name"));
	vmcoreinfo_deinit(&candidate);

	make_candidate(&candidate, release, phys_base);
	assert_int_equal(
		kernel_accept_vmcoreinfo(&guest->kernel, &candidate, &guest->memory, &guest->error),
		0);
	assert_vmcoreinfo_at(guest, VMCOREINFO_NOWHERE);
}

/* Nor is there anything to hold this one against. */
static void test_accept_unverifiable(void **state)
{
	static const char text[] = "OSRELEASE=6.6\nPAGESIZE=4096\nSYMBOL(_stext)=100000\n";
	struct guest *guest = *state;
	struct vmcoreinfo candidate;

	vmcoreinfo_init(&candidate);
	assert_int_equal(vmcoreinfo_parse(&candidate, text, sizeof(text) - 1, &guest->error), 0);
	assert_int_equal(
		kernel_accept_vmcoreinfo(&guest->kernel, &candidate, &guest->memory, &guest->error),
		0);
	assert_string_equal(guest->kernel.vmcoreinfo.release, "6.6");
	assert_string_equal(guest->kernel.utsname[UTS_SYSNAME], "");
	assert_int_equal(guest->reads, 0);
}

/* Looking for the kernel, and then for its VMCOREINFO: neither is told to be missing. */
static void test_no_memory(void **state)
{
	struct guest *guest = *state;
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	put_note(guest, NOTE_PAGE, release, phys_base);
	put_pointer(guest, 0x12340, NOTE_PAGE);
	kernel_deinit(&guest->kernel);
	while (failing_next(&failing)) {
		int rc;

		find_mappings(guest);
		rc = find_vmcoreinfo(guest);
		failing_check(&failing, rc, guest->error.text);
		kernel_deinit(&guest->kernel);
	}
	assert_true(failing.nth > 8);
}

int main(void)
{
#define TEST(name)   cmocka_unit_test_setup_teardown(name, setup, teardown)
#define MAPPED(name) cmocka_unit_test_setup_teardown(name, setup_mapped, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_mappings),
		TEST(test_image_ends_at_other_memory),
		TEST(test_no_kernel),
		TEST(test_no_direct_map),
		TEST(test_direct_map_not_aligned),
		TEST(test_decoys),
		TEST(test_too_many_decoys),
		TEST(test_direct_map_elsewhere),
		TEST(test_direct_map_without_image),
		TEST(test_direct_map_without_root),
		TEST(test_direct_map_of_a_part),
		TEST(test_image_must_be_executable),
		TEST(test_image_must_be_large),
		TEST(test_second_cpu),
		TEST(test_isolated_page_tables),
		TEST(test_looping_tables),
		TEST(test_random_tables),
		MAPPED(test_note),
		MAPPED(test_note_without_read_many),
		MAPPED(test_note_at_the_end_of_data),
		MAPPED(test_bare_text),
		MAPPED(test_note_is_preferred),
		MAPPED(test_static_note),
		MAPPED(test_static_note_between_two_reads),
		MAPPED(test_false_trails),
		MAPPED(test_note_of_another_release),
		MAPPED(test_note_of_the_other_kernel),
		MAPPED(test_note_cut_off),
		MAPPED(test_note_with_garbage),
		MAPPED(test_note_beyond_memory),
		MAPPED(test_note_too_large),
		MAPPED(test_many_stale_notes),
		MAPPED(test_pages_are_looked_at_once),
		MAPPED(test_unreadable_data),
		MAPPED(test_data_is_read_ahead),
		MAPPED(test_unreadable_data_among_others),
		MAPPED(test_accept),
		TEST(test_accept_unmapped),
		TEST(test_accept_unverifiable),
		MAPPED(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
