// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64.h"

#include <elf.h>

#include "arch/i386.h"
#include "arch/x86.h"
#include "arch/x86_monitor.h"

#define BIT(n) ((uint64_t)1 << (n))

enum { PAGE_SHIFT = 12, LEVEL_BITS = 9, LEVELS = 4, LEVELS_LA57 = 5, TOP_LEAF_LEVEL = 2 };

#define CR4_LA57 BIT(12)

#define ENTRY_PRESENT    BIT(0)
#define ENTRY_WRITABLE   BIT(1)
#define ENTRY_USER       BIT(2)
#define ENTRY_PAGE_SIZE  BIT(7) /* at level 0 this bit is part of the memory type */
#define ENTRY_NO_EXECUTE BIT(63)
#define ADDRESS_MASK     UINT64_C(0x000ffffffffff000)

/* gdb's own layout, which the stubs of the Rust crate gdbstub rely on without naming it. */
static const struct arch_register default_registers[] = {
	{ "rax", 64 },
	{ "rbx", 64 },
	{ "rcx", 64 },
	{ "rdx", 64 },
	{ "rsi", 64 },
	{ "rdi", 64 },
	{ "rbp", 64 },
	{ "rsp", 64 },
	{ "r8", 64 },
	{ "r9", 64 },
	{ "r10", 64 },
	{ "r11", 64 },
	{ "r12", 64 },
	{ "r13", 64 },
	{ "r14", 64 },
	{ "r15", 64 },
	{ "rip", 64 },
	{ "eflags", 32 },
	{ "cs", 32 },
	{ "ss", 32 },
	{ "ds", 32 },
	{ "es", 32 },
	{ "fs", 32 },
	{ "gs", 32 },
	{ "st0", 80 },
	{ "st1", 80 },
	{ "st2", 80 },
	{ "st3", 80 },
	{ "st4", 80 },
	{ "st5", 80 },
	{ "st6", 80 },
	{ "st7", 80 },
	{ "fctrl", 32 },
	{ "fstat", 32 },
	{ "ftag", 32 },
	{ "fiseg", 32 },
	{ "fioff", 32 },
	{ "foseg", 32 },
	{ "fooff", 32 },
	{ "fop", 32 },
	{ "xmm0", 128 },
	{ "xmm1", 128 },
	{ "xmm2", 128 },
	{ "xmm3", 128 },
	{ "xmm4", 128 },
	{ "xmm5", 128 },
	{ "xmm6", 128 },
	{ "xmm7", 128 },
	{ "xmm8", 128 },
	{ "xmm9", 128 },
	{ "xmm10", 128 },
	{ "xmm11", 128 },
	{ "xmm12", 128 },
	{ "xmm13", 128 },
	{ "xmm14", 128 },
	{ "xmm15", 128 },
	{ "mxcsr", 32 },
	{ NULL, 0 },
};

static const char *const stub_names[] = { "i386:x86-64", "i386:x86-64:intel", NULL };

/* As QEMU decides, too: by the first vCPU. Stubs that show no EFER are believed. */
static const struct arch *variant(struct registers *cpus, size_t count)
{
	uint64_t efer;

	if (count && registers_get_u64(&cpus[0], "efer", &efer) && !(efer & X86_EFER_LMA))
		return &arch_i386;
	return &arch_x86_64;
}

/*
 * AMD's memory encryption marks an encrypted page by an address bit that no RAM reaches (CPUID
 * 0x8000001f tells which; a stub does not). The kernel's root is encrypted as well.
 */
static uint64_t encryption_bits(uint64_t root, uint64_t ram_end)
{
	uint64_t bits = 0;

	for (unsigned bit = 32; ram_end && bit < 52; bit++)
		if (BIT(bit) >= ram_end)
			bits |= root & BIT(bit);
	return bits;
}

static void describe(struct page_table *table, uint64_t root, uint64_t mask, unsigned levels)
{
	*table = (struct page_table){
		.arch = &arch_x86_64,
		.root = root,
		.levels = levels,
		.page_shift = PAGE_SHIFT,
		.level_bits = { LEVEL_BITS, LEVEL_BITS, LEVEL_BITS, LEVEL_BITS, LEVEL_BITS },
		.entry_size = 8,
		.order = LITTLE,
		.address_mask = mask,
	};
	page_table_set_halves(table, PAGE_SHIFT + levels * LEVEL_BITS);
}

static bool page_table(
	const struct registers *cpu, uint64_t ram_end, unsigned nth, struct page_table *table)
{
	uint64_t cr0, cr3, efer, root, mask;

	if (!registers_get_u64(cpu, "cr3", &cr3))
		return false;
	if (registers_get_u64(cpu, "cr0", &cr0) && !(cr0 & X86_CR0_PG))
		return false;
	if (registers_get_u64(cpu, "efer", &efer) && !(efer & X86_EFER_LMA))
		return false;

	mask = ADDRESS_MASK & ~encryption_bits(cr3 & ADDRESS_MASK, ram_end);
	root = cr3 & mask;
	if (!x86_choose_root(cpu, nth, &root))
		return false;

	describe(table, root, mask, registers_u64(cpu, "cr4") & CR4_LA57 ? LEVELS_LA57 : LEVELS);
	return true;
}

/* In user mode, the page table need not have the kernel. */
static bool guess_table(const struct registers *cpu, unsigned nth, struct page_table *table)
{
	static const unsigned levels[] = { LEVELS, LEVELS_LA57 };

	if (!(registers_u64(cpu, "rip") & BIT(63)) || nth == sizeof(levels) / sizeof(levels[0]))
		return false;
	describe(table, 0, ADDRESS_MASK, levels[nth]);
	return true;
}

static struct paging_entry paging_entry(
	const struct page_table *table, unsigned level, uint64_t vaddr, uint64_t raw)
{
	bool leaf = level == 0 || (level <= TOP_LEAF_LEVEL && raw & ENTRY_PAGE_SIZE);
	uint64_t offset = BIT(PAGE_SHIFT + (leaf ? level * LEVEL_BITS : 0)) - 1;

	(void)vaddr;
	return (struct paging_entry){
		.present = raw & ENTRY_PRESENT,
		.leaf = leaf,
		.writable = raw & ENTRY_WRITABLE,
		.executable = !(raw & ENTRY_NO_EXECUTE),
		.user = raw & ENTRY_USER,
		/* Bit 12 of a large page is part of its memory type. */
		.address = raw & table->address_mask & ~offset,
	};
}

/* Documentation/arch/x86/x86_64/mm.rst of Linux. */
static struct kernel_space kernel_space(const struct page_table *table)
{
	return (struct kernel_space){
		.text = { 0xffffffff80000000, 0xffffffffbfffffff },
		/*
		 * From where Linux before 4.20 begins it, up to the area that KASLR leaves where
		 * it is. Between them KASLR also shuffles vmalloc and the struct pages.
		 */
		.direct_map = {
			table->levels == LEVELS_LA57 ? 0xff10000000000000 : 0xffff880000000000,
			0xfffffdffffffffff,
		},
		/* KASLR moves it in steps of 1 GiB (arch/x86/mm/kaslr.c); without, it is so too. */
		.direct_map_align = BIT(30),
		.text_base = 0xffffffff80000000,
		/* espfix: a page of stacks for 64 vCPUs, 65536 times (espfix_64.c). */
		.aliased = { 0xffffff0000000000, 0xffffff7fffffffff },
		/* Video memory, and ROM that shows or hides RAM as the chipset is set. */
		.no_ram = { 0xa0000, 0xfffff },
	};
}

const struct arch arch_x86_64 = {
	.name = "x86_64",
	.stub_names = stub_names,
	.elf_machine = EM_X86_64,
	.elf_class = ELFCLASS64,
	.order = LITTLE,
	.page_shift = PAGE_SHIFT,
	.align64 = 8,
	.default_registers = default_registers,
	.variant = variant,
	.check = x86_check,
	.monitor_command = "info registers -a",
	.read_monitor = x86_monitor_read,
	.write_notes = x86_64_write_notes,
	.page_table = page_table,
	.guess_table = guess_table,
	.paging_entry = paging_entry,
	.kernel_space = kernel_space,
};
