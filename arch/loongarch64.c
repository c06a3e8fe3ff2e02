// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The address translation is that of the LoongArch Reference Manual, volume 1, with the address
 * space as Linux shares it out (arch/loongarch/include/asm/addrspace.h): two direct-mapped windows
 * that show all of physical memory, the kernel image in one of them, and at the end what page
 * tables map.
 */
#include "arch/loongarch64.h"

#include <elf.h>

#define BIT(n) ((uint64_t)1 << (n))

enum { PAGE_SHIFT = 12, PHYSICAL_BITS = 48, VIRTUAL_BITS = 48, ENTRY_BITS = 3 };

#define PHYSICAL_MASK (BIT(PHYSICAL_BITS) - 1)

#define UNCACHED_WINDOW UINT64_C(0x8000000000000000)
#define CACHED_WINDOW   UINT64_C(0x9000000000000000)
/* The kernel's half of what page tables map. */
#define TABLE_RANGE (-BIT(VIRTUAL_BITS))

/* Of pages, and of directory entries that are a page: BASIC and HUGE page table entries. */
#define ENTRY_VALID      BIT(0)
#define ENTRY_DIRTY      BIT(1) /* without it, a write is an exception */
#define ENTRY_PLV(raw)   ((raw) >> 2 & 3)
#define ENTRY_HUGE       BIT(6) /* in a directory; elsewhere it means global */
#define ENTRY_NO_EXECUTE BIT(62)

enum { PLV_USER = 3 };

static const char *const stub_names[] = { "loongarch64", NULL };

static const struct arch *variant(struct registers *cpus, size_t count)
{
	for (size_t i = 0; i < count; i++)
		loongarch64_split_fcc(&cpus[i]);
	return &arch_loongarch64;
}

static int check(const struct registers *cpus, size_t count, struct error *error)
{
	(void)cpus;
	return count ? 0 : error_set(error, "no vCPU");
}

static unsigned address_bits(const struct page_table *table)
{
	unsigned bits = table->page_shift;

	for (unsigned level = 0; level < table->levels; level++)
		bits += table->level_bits[level];
	return bits;
}

static void add_region(struct page_table *table, uint64_t first, uint64_t last, bool linear)
{
	table->regions[table->region_count++] = (struct paging_region){
		.range = { first, last },
		.linear = linear,
	};
}

/*
 * Linux fills what page tables map from both ends. Tables that reach less far than addresses do
 * show the same at every multiple of their reach; what is between the ends is left out.
 */
static void set_regions(struct page_table *table)
{
	table->region_count = 0;
	add_region(table, UNCACHED_WINDOW, UNCACHED_WINDOW | PHYSICAL_MASK, true);
	add_region(table, CACHED_WINDOW, CACHED_WINDOW | PHYSICAL_MASK, true);
	if (!table->levels)
		return;
	if (address_bits(table) >= VIRTUAL_BITS) {
		add_region(table, TABLE_RANGE, UINT64_MAX, false);
	} else {
		uint64_t reach = BIT(address_bits(table));

		add_region(table, TABLE_RANGE, TABLE_RANGE + (reach - 1), false);
		add_region(table, -reach, UINT64_MAX, false);
	}
}

/*
 * What a table of each level spans, from CSR.PWCL and CSR.PWCH: a base and a width. Levels that
 * are not in use have no width. False for what no table is like.
 */
static bool read_geometry(uint64_t pwcl, uint64_t pwch, struct page_table *table)
{
	const struct {
		unsigned base, width;
	} fields[] = {
		{ pwcl & 0x1f, pwcl >> 5 & 0x1f },
		{ pwcl >> 10 & 0x1f, pwcl >> 15 & 0x1f },
		{ pwcl >> 20 & 0x1f, pwcl >> 25 & 0x1f },
		{ pwch & 0x3f, pwch >> 6 & 0x3f },
		{ pwch >> 12 & 0x3f, pwch >> 18 & 0x3f },
	};
	unsigned end = fields[0].base;

	table->levels = 0;
	table->page_shift = end;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (!fields[i].width)
			continue;
		/* Each level goes on where the one below ends. */
		if (fields[i].base != end || fields[i].width > 16)
			return false;
		table->level_bits[table->levels++] = (uint8_t)fields[i].width;
		end += fields[i].width;
	}
	return table->levels && table->page_shift >= PAGE_SHIFT && end <= 63;
}

/*
 * QEMU's stub shows no CSRs, so that the windows are all there is, until the kernel tells of its
 * table. Whether it has set up the windows yet shows by the program counter: firmware runs below
 * 4 GiB, Linux in a window, its programs behind 4 GiB.
 */
static bool page_table(
	const struct registers *cpu, uint64_t ram_end, unsigned nth, struct page_table *table)
{
	uint64_t pgdh, pwcl, pwch;

	(void)ram_end;
	if (nth || registers_u64(cpu, "pc") < BIT(32))
		return false;
	*table = (struct page_table){
		.arch = &arch_loongarch64,
		.page_shift = PAGE_SHIFT,
		.entry_size = 1 << ENTRY_BITS,
		.order = LITTLE,
		.address_mask = PHYSICAL_MASK & ~(BIT(PAGE_SHIFT) - 1),
	};
	if (registers_get_u64(cpu, "pgdh", &pgdh) && registers_get_u64(cpu, "pwcl", &pwcl) &&
		registers_get_u64(cpu, "pwch", &pwch) && pgdh && read_geometry(pwcl, pwch, table))
		table->root = pgdh & table->address_mask;
	else
		table->levels = 0;
	set_regions(table);
	return true;
}

/* The kernel writes its own address of the next table, in a window, which the CPU cuts off. */
static struct paging_entry paging_entry(
	const struct page_table *table, unsigned level, uint64_t vaddr, uint64_t raw)
{
	uint64_t address = raw & table->address_mask, offset = BIT(table->page_shift) - 1;

	(void)vaddr;
	if (level && !(raw & ENTRY_HUGE))
		return (struct paging_entry){
			.present = address != 0,
			.writable = true,
			.executable = true,
			.user = true,
			.address = address,
		};
	for (unsigned i = 0; i < level; i++)
		offset = offset << table->level_bits[i] | (BIT(table->level_bits[i]) - 1);
	return (struct paging_entry){
		.present = raw & ENTRY_VALID,
		.leaf = true,
		.writable = raw & ENTRY_DIRTY,
		.executable = !(raw & ENTRY_NO_EXECUTE),
		.user = ENTRY_PLV(raw) == PLV_USER,
		/* Bit 12 of a huge page says that it is global. */
		.address = address & ~offset,
	};
}

/*
 * Linux is loaded to the physical address 2 MiB; KASLR moves it by less than 256 MiB, and machines
 * have no more RAM there than that. All of RAM is in the window.
 */
static struct kernel_space kernel_space(const struct page_table *table)
{
	(void)table;
	return (struct kernel_space){
		.text = { CACHED_WINDOW, CACHED_WINDOW + (BIT(28) - 1) },
		.direct_map = { CACHED_WINDOW, CACHED_WINDOW | PHYSICAL_MASK },
		.direct_map_align = BIT(PHYSICAL_BITS),
	};
}

/*
 * With each page size, the number of levels that kernels are commonly built for, which no fact
 * tells: 16KB_3LEVEL is Linux's default, 4KB_3LEVEL and 64KB_2LEVEL are alike.
 */
static bool kernel_table(const struct kernel_facts *facts, struct page_table *table)
{
	static const struct {
		uint8_t page_shift, levels;
	} geometries[] = { { 12, 3 }, { 14, 3 }, { 16, 2 } };
	uint64_t swapper;

	if (table->levels || !facts->symbol(facts->ctx, "swapper_pg_dir", &swapper) ||
		(swapper & ~PHYSICAL_MASK) != CACHED_WINDOW)
		return false;
	for (size_t i = 0; i < sizeof(geometries) / sizeof(*geometries); i++) {
		if (facts->page_size != BIT(geometries[i].page_shift))
			continue;
		table->root = swapper & table->address_mask;
		table->levels = geometries[i].levels;
		table->page_shift = geometries[i].page_shift;
		for (unsigned level = 0; level < table->levels; level++)
			table->level_bits[level] = (uint8_t)(table->page_shift - ENTRY_BITS);
		set_regions(table);
		return true;
	}
	return false;
}

const struct arch arch_loongarch64 = {
	.name = "loongarch64",
	.stub_names = stub_names,
	.elf_machine = EM_LOONGARCH,
	.elf_class = ELFCLASS64,
	.order = LITTLE,
	.page_shift = PAGE_SHIFT,
	.align64 = 8,
	.default_registers = loongarch64_registers,
	.variant = variant,
	.check = check,
	.write_notes = loongarch64_write_notes,
	.page_table = page_table,
	.paging_entry = paging_entry,
	.kernel_space = kernel_space,
	.kernel_table = kernel_table,
};
