// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The address translation is that of the z/Architecture Principles of Operation, "Dynamic Address
 * Translation". Lengths and offsets of tables (TL, TF) are ignored: Linux has whole tables.
 * Prefixing is not undone: where a table says the first 8 KiB of real memory, readers of cores
 * want the absolute ones, and know the lowcore of a vCPU by its NT_S390_PREFIX.
 */
#include "arch/s390x.h"

#include <elf.h>

#define BIT(n) ((uint64_t)1 << (n))

enum { PAGE_SHIFT = 12, PAGE_BITS = 8, UPPER_BITS = 11 };

/* Levels of page_table: of pages, of segments, and of the three kinds of regions. */
enum { PAGE_LEVEL, SEGMENT_LEVEL, REGION_LEVEL, TOP_LEAF_LEVEL = REGION_LEVEL };

#define PSW_PROBLEM_STATE BIT(48)

/* Of an address-space-control element. */
#define ASCE_ORIGIN     (~UINT64_C(0xfff))
#define ASCE_REAL_SPACE BIT(5)
#define ASCE_TYPE(asce) ((unsigned)((asce) >> 2) & 3) /* 0: of segments, 3: of first regions */

/* Of entries of region and segment tables. */
#define UPPER_FORMAT     BIT(10) /* a page of 1 MiB or 2 GiB */
#define UPPER_INVALID    BIT(5)
#define UPPER_TYPE(raw)  ((unsigned)((raw) >> 2) & 3)
#define PAGE_TABLE_ALIGN BIT(11) /* other tables: BIT(12) */

/* Of entries of page tables. */
#define PAGE_INVALID BIT(10)
#define PAGE_ZERO    BIT(11)

/* Of both kinds. */
#define ENTRY_PROTECTED  BIT(9)
#define ENTRY_NO_EXECUTE BIT(8)

/* The lowcore of Linux, at the absolute address 0; struct lowcore's vmcore_info. */
enum { LOWCORE_VMCOREINFO = 0xe0c };

static const char *const stub_names[] = { "s390:64-bit", NULL };

static int check(const struct registers *cpus, size_t count, struct error *error)
{
	(void)cpus;
	return count ? 0 : error_set(error, "no vCPU");
}

static void describe(uint64_t asce, struct page_table *table)
{
	bool real = asce & ASCE_REAL_SPACE;
	unsigned levels = real ? 0 : SEGMENT_LEVEL + ASCE_TYPE(asce) + 1;
	unsigned open_bits = PAGE_SHIFT + PAGE_BITS + UPPER_BITS * (levels - 1);

	*table = (struct page_table){
		.arch = &arch_s390x,
		.root = real ? 0 : asce & ASCE_ORIGIN,
		.levels = levels,
		.page_shift = PAGE_SHIFT,
		.level_bits = { PAGE_BITS, UPPER_BITS, UPPER_BITS, UPPER_BITS, UPPER_BITS },
		.entry_size = 8,
		.order = BIG,
		.address_mask = UINT64_MAX,
		.region_count = 1,
	};
	table->regions[0].linear = real;
	table->regions[0].range.last = real || open_bits >= 64 ? UINT64_MAX : BIT(open_bits) - 1;
}

/*
 * In user mode, Linux has its own address space as the home space only. An ASCE of zero is what a
 * reset leaves. Whether the PSW translates addresses says nothing: after a panic it does not.
 */
static bool page_table(
	const struct registers *cpu, uint64_t ram_end, unsigned nth, struct page_table *table)
{
	static const char *const in_kernel[] = { "cr1", "cr13", "cr7" };
	static const char *const in_user[] = { "cr13", "cr1", "cr7" };
	bool user = registers_u64(cpu, "pswm") & PSW_PROBLEM_STATE;
	const char *const *names = user ? in_user : in_kernel;
	uint64_t seen[3] = { 0 };
	unsigned count = 0;

	(void)ram_end;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t asce = registers_u64(cpu, names[i]);
		bool known = !(asce & (ASCE_ORIGIN | ASCE_REAL_SPACE));

		for (unsigned j = 0; j < count; j++)
			known |= seen[j] == asce;
		if (known)
			continue;
		if (count == nth) {
			describe(asce, table);
			return true;
		}
		seen[count++] = asce;
	}
	return false;
}

static struct paging_entry page_entry(uint64_t raw)
{
	return (struct paging_entry){
		.present = !(raw & (PAGE_INVALID | PAGE_ZERO)),
		.leaf = true,
		.writable = !(raw & ENTRY_PROTECTED),
		.executable = !(raw & ENTRY_NO_EXECUTE),
		.address = raw & ~(BIT(PAGE_SHIFT) - 1),
	};
}

static struct paging_entry paging_entry(
	const struct page_table *table, unsigned level, uint64_t vaddr, uint64_t raw)
{
	static const uint64_t leaf_offset[] = { 0, BIT(20) - 1, BIT(31) - 1 };
	bool leaf = level && level <= TOP_LEAF_LEVEL && raw & UPPER_FORMAT;
	uint64_t offset = (level == SEGMENT_LEVEL ? PAGE_TABLE_ALIGN : BIT(12)) - 1;

	(void)table, (void)vaddr;
	if (level == PAGE_LEVEL)
		return page_entry(raw);
	if (leaf)
		offset = leaf_offset[level];
	return (struct paging_entry){
		.present = !(raw & UPPER_INVALID) && UPPER_TYPE(raw) == level - SEGMENT_LEVEL,
		.leaf = leaf,
		.writable = !(raw & ENTRY_PROTECTED),
		.executable = !(leaf && raw & ENTRY_NO_EXECUTE),
		.address = raw & ~offset,
	};
}

/*
 * Before Linux 6.10 all of RAM is mapped where it is, the kernel image in it. Since then both may
 * be anywhere, RAM at a multiple of what an entry of a region table spans. A real space is nothing
 * that Linux uses.
 */
static struct kernel_space kernel_space(const struct page_table *table)
{
	const struct address_range none = { 1, 0 }, all = { 0, UINT64_MAX };

	return (struct kernel_space){
		.text = table->levels ? all : none,
		.direct_map = table->levels ? all : none,
		.direct_map_align = BIT(31),
	};
}

static bool vmcoreinfo_address(const struct guest_memory *memory, uint64_t *paddr)
{
	uint8_t bytes[8];

	if (guest_read(memory, LOWCORE_VMCOREINFO, bytes, sizeof(bytes)))
		return false;
	*paddr = get_be64(bytes);
	return *paddr != 0;
}

const struct arch arch_s390x = {
	.name = "s390x",
	.stub_names = stub_names,
	.elf_machine = EM_S390,
	.elf_class = ELFCLASS64,
	.order = BIG,
	.page_shift = PAGE_SHIFT,
	.align64 = 8,
	.default_registers = s390x_registers,
	.check = check,
	.write_notes = s390x_write_notes,
	.page_table = page_table,
	.paging_entry = paging_entry,
	.kernel_space = kernel_space,
	.vmcoreinfo_address = vmcoreinfo_address,
};
