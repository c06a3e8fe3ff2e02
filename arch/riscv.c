// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The address translation is that of the RISC-V privileged architecture: Sv32, Sv39, Sv48 and Sv57
 * with Svnapot and Svpbmt. Cores are little-endian: so are the accesses of all kernels that there
 * are. QEMU would turn to big-endian by mstatus.UBE, which is of user mode only and which none of
 * its CPUs lets anybody set.
 */
#include "arch/riscv.h"

#include <elf.h>

#define BIT(n) ((uint64_t)1 << (n))

enum { PAGE_SHIFT = 12, LEVEL_BITS_64 = 9, LEVEL_BITS_32 = 10, LEVELS_SV32 = 2 };

#define ENTRY_VALID      BIT(0)
#define ENTRY_READABLE   BIT(1)
#define ENTRY_WRITABLE   BIT(2)
#define ENTRY_EXECUTABLE BIT(3)
#define ENTRY_LEAF       (ENTRY_READABLE | ENTRY_WRITABLE | ENTRY_EXECUTABLE)
#define ENTRY_USER       BIT(4)
#define ENTRY_NAPOT      BIT(63)
#define ENTRY_PPN_SHIFT  10

/* Of an entry; above it are Svpbmt's memory type and what some CPUs have of their own instead. */
#define PPN_MASK_64 (BIT(54) - BIT(ENTRY_PPN_SHIFT))
#define PPN_MASK_32 (BIT(32) - BIT(ENTRY_PPN_SHIFT))

/* The one size that Svnapot has so far: 16 pages, told by the lowest bits of the page number. */
#define NAPOT_PAGES      UINT64_C(16)
#define NAPOT_PPN        UINT64_C(8)
#define NAPOT_PAGES_MASK ((NAPOT_PAGES - 1) << PAGE_SHIFT)

#define SATP64_MODE(satp) ((satp) >> 60)
#define SATP64_PPN(satp)  ((satp) & (BIT(44) - 1))
#define SATP32_MODE       BIT(31)
#define SATP32_PPN(satp)  ((satp) & (BIT(22) - 1))

/* How the address space is shared out: flavor of a page_table. */
enum layout {
	IMAGE_APART,         /* Linux 5.13 and later, 64 bits */
	IMAGE_IN_DIRECT_MAP, /* before that; with 32 bits always */
};

static const char *const stub_names_64[] = { "riscv:rv64", "riscv", NULL };
static const char *const stub_names_32[] = { "riscv:rv32", NULL };

/* Some stubs have one name for both. */
static const struct arch *variant(struct registers *cpus, size_t count)
{
	size_t size;

	return count && registers_find(&cpus[0], "pc", &size) && size == 4 ? &arch_riscv32
	                                                                   : &arch_riscv64;
}

static int check(const struct registers *cpus, size_t count, struct error *error)
{
	(void)cpus;
	return count ? 0 : error_set(error, "no vCPU");
}

/* satp is of supervisor mode, and shows the kernel's root while firmware runs as well. */
static bool page_table_64(
	const struct registers *cpu, uint64_t ram_end, unsigned nth, struct page_table *table)
{
	static const struct {
		uint8_t mode, levels, layouts;
	} modes[] = { { 8, 3, 2 }, { 9, 4, 1 }, { 10, 5, 1 } };
	uint64_t satp = registers_u64(cpu, "satp");

	(void)ram_end;
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (SATP64_MODE(satp) != modes[i].mode || nth >= modes[i].layouts)
			continue;
		*table = (struct page_table){
			.arch = &arch_riscv64,
			.root = SATP64_PPN(satp) << PAGE_SHIFT,
			.levels = modes[i].levels,
			.page_shift = PAGE_SHIFT,
			.level_bits = { LEVEL_BITS_64, LEVEL_BITS_64, LEVEL_BITS_64, LEVEL_BITS_64,
				LEVEL_BITS_64 },
			.entry_size = 8,
			.order = LITTLE,
			.address_mask = PPN_MASK_64,
			.flavor = nth == 0 ? IMAGE_APART : IMAGE_IN_DIRECT_MAP,
		};
		page_table_set_halves(table, PAGE_SHIFT + table->levels * LEVEL_BITS_64);
		return true;
	}
	return false;
}

static bool page_table_32(
	const struct registers *cpu, uint64_t ram_end, unsigned nth, struct page_table *table)
{
	uint64_t satp = registers_u64(cpu, "satp");

	(void)ram_end;
	if (nth || !(satp & SATP32_MODE))
		return false;
	*table = (struct page_table){
		.arch = &arch_riscv32,
		.root = SATP32_PPN(satp) << PAGE_SHIFT,
		.levels = LEVELS_SV32,
		.page_shift = PAGE_SHIFT,
		.level_bits = { LEVEL_BITS_32, LEVEL_BITS_32 },
		.entry_size = 4,
		.order = LITTLE,
		.address_mask = PPN_MASK_32,
		.flavor = IMAGE_IN_DIRECT_MAP,
		.regions = { { .range = { 0, UINT32_MAX } } },
		.region_count = 1,
	};
	return true;
}

/* The way to a table says nothing of rights; a leaf says them all. */
static struct paging_entry table_entry(unsigned level, uint64_t raw, uint64_t address)
{
	return (struct paging_entry){
		.present = level && raw & ENTRY_VALID && !(raw & ENTRY_NAPOT),
		.writable = true,
		.executable = true,
		.user = true,
		.address = address,
	};
}

/* What the architecture reserves is a page fault, and here not present. */
static struct paging_entry paging_entry(
	const struct page_table *table, unsigned level, uint64_t vaddr, uint64_t raw)
{
	uint64_t address = (raw & table->address_mask) << (PAGE_SHIFT - ENTRY_PPN_SHIFT);
	bool readable = raw & ENTRY_READABLE, napot = raw & ENTRY_NAPOT, fits;

	if (!(raw & ENTRY_LEAF))
		return table_entry(level, raw, address);
	if (napot) {
		fits = level == 0 && (address & NAPOT_PAGES_MASK) == NAPOT_PPN << PAGE_SHIFT;
		address = (address & ~NAPOT_PAGES_MASK) | (vaddr & NAPOT_PAGES_MASK);
	} else {
		fits = !(address & (BIT(PAGE_SHIFT + level * table->level_bits[0]) - 1));
	}
	return (struct paging_entry){
		.present = raw & ENTRY_VALID && fits && (readable || !(raw & ENTRY_WRITABLE)),
		.leaf = true,
		.writable = raw & ENTRY_WRITABLE,
		.executable = raw & ENTRY_EXECUTABLE,
		.user = raw & ENTRY_USER,
		.address = address,
	};
}

/*
 * Documentation/arch/riscv/vm-layout.rst of Linux. KASLR moves the image within its 2 GiB. With
 * Sv39 the direct map began at 0xffffffe000000000 before 5.17, at 0xffffffd800000000 until 6.1. It
 * maps RAM from its start on, which is rounded down to what an entry of level 1 spans.
 */
static struct kernel_space kernel_space_64(const struct page_table *table)
{
	static const struct address_range direct_maps[] = {
		[3] = { 0xffffffd600000000, 0xfffffffeffffffff },
		[4] = { 0xffffaf8000000000, 0xffffef7fffffffff },
		[5] = { 0xff60000000000000, 0xffdeffffffffffff },
	};
	/* Also that of kernels for at most 2 GiB, whose direct map is the last 2 GiB. */
	const struct address_range early = { 0xffffffe000000000, UINT64_MAX };
	bool apart = table->flavor == IMAGE_APART;

	return (struct kernel_space){
		.text = apart ? (struct address_range){ 0xffffffff80000000, UINT64_MAX } : early,
		.direct_map = apart ? direct_maps[table->levels] : early,
		.direct_map_align = BIT(PAGE_SHIFT + LEVEL_BITS_64),
	};
}

/* PAGE_OFFSET of Linux; what follows the direct map there is nothing. */
static struct kernel_space kernel_space_32(const struct page_table *table)
{
	const struct address_range direct_map = { 0xc0000000, UINT32_MAX };

	(void)table;
	return (struct kernel_space){
		.text = direct_map,
		.direct_map = direct_map,
		.direct_map_align = BIT(PAGE_SHIFT + LEVEL_BITS_32),
	};
}

const struct arch arch_riscv64 = {
	.name = "riscv64",
	.stub_names = stub_names_64,
	.elf_machine = EM_RISCV,
	.elf_class = ELFCLASS64,
	.order = LITTLE,
	.page_shift = PAGE_SHIFT,
	.align64 = 8,
	.default_registers = riscv64_registers,
	.variant = variant,
	.check = check,
	.write_notes = riscv64_write_notes,
	.page_table = page_table_64,
	.paging_entry = paging_entry,
	.kernel_space = kernel_space_64,
	/* makedumpfile takes NUMBER(phys_ram_base) for it. */
	.phys_base_is_ram_start = true,
};

const struct arch arch_riscv32 = {
	.name = "riscv32",
	.stub_names = stub_names_32,
	.elf_machine = EM_RISCV,
	.elf_class = ELFCLASS32,
	.order = LITTLE,
	.page_shift = PAGE_SHIFT,
	/*
	 * C has 8, but no crash or makedumpfile is of this CPU. QEMU writes the packed headers, and
	 * libkdumpfile 0.5.1 reads no others.
	 */
	.align64 = 4,
	.default_registers = riscv32_registers,
	.check = check,
	.write_notes = riscv32_write_notes,
	.page_table = page_table_32,
	.paging_entry = paging_entry,
	.kernel_space = kernel_space_32,
	.phys_base_is_ram_start = true,
};
