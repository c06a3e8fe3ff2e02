// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/i386.h"

#include <elf.h>

#include "arch/x86.h"
#include "arch/x86_monitor.h"

#define BIT(n) ((uint64_t)1 << (n))

enum { PAGE_SHIFT = 12 };

/* The root of PAE has 4 entries of its own form, of the other 1024 like any. */
enum { LEVELS = 2, LEVEL_BITS = 10, LEVELS_PAE = 3, LEVEL_BITS_PAE = 9, ROOT_BITS_PAE = 2 };

#define CR4_PSE BIT(4)
#define CR4_PAE BIT(5)

/* Of CR3 */
#define ROOT_MASK     UINT64_C(0xfffff000)
#define ROOT_MASK_PAE UINT64_C(0xffffffe0)

#define ENTRY_PRESENT    BIT(0)
#define ENTRY_WRITABLE   BIT(1)
#define ENTRY_USER       BIT(2)
#define ENTRY_PAGE_SIZE  BIT(7) /* at level 0 this bit is part of the memory type */
#define ENTRY_NO_EXECUTE BIT(63)
#define ADDRESS_MASK     UINT64_C(0xfffff000)
#define ADDRESS_MASK_PAE UINT64_C(0x000ffffffffff000)

/* PSE-36: an entry for 4 MiB has bits 32 to 39 of the address in its bits 13 to 20. */
enum { PSE36_FROM = 13, PSE36_TO = 32, PSE36_MASK = 0xff };

/* The kinds of entries, as struct page_table's flavor. */
enum flavor { PLAIN, PSE, PAE };

/* gdb's own layout. */
static const struct arch_register default_registers[] = {
	{ "eax", 32 },
	{ "ecx", 32 },
	{ "edx", 32 },
	{ "ebx", 32 },
	{ "esp", 32 },
	{ "ebp", 32 },
	{ "esi", 32 },
	{ "edi", 32 },
	{ "eip", 32 },
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
	{ "mxcsr", 32 },
	{ NULL, 0 },
};

/* All but the first two are of uname(2), which names the CPU that the kernel runs on. */
static const char *const stub_names[] = { "i386:intel", "i8086", "i486", "i586", "i686", NULL };

static bool page_table(
	const struct registers *cpu, uint64_t ram_end, unsigned nth, struct page_table *table)
{
	uint64_t cr0, cr3, cr4 = registers_u64(cpu, "cr4"), efer;

	(void)ram_end; /* No kernel of 32 bits has its memory encrypted. */
	if (!registers_get_u64(cpu, "cr3", &cr3))
		return false;
	if (registers_get_u64(cpu, "cr0", &cr0) && !(cr0 & X86_CR0_PG))
		return false;
	if (registers_get_u64(cpu, "efer", &efer) && efer & X86_EFER_LMA)
		return false;

	*table = (struct page_table){
		.arch = &arch_i386,
		.page_shift = PAGE_SHIFT,
		.order = LITTLE,
		.regions = { { .range = { 0, UINT32_MAX } } },
		.region_count = 1,
	};
	if (!(cr4 & CR4_PAE)) {
		table->flavor = cr4 & CR4_PSE ? PSE : PLAIN;
		table->root = cr3 & ROOT_MASK;
		table->levels = LEVELS;
		table->level_bits[0] = table->level_bits[1] = LEVEL_BITS;
		table->entry_size = 4;
		table->address_mask = ADDRESS_MASK;
		return nth == 0;
	}
	table->flavor = PAE;
	table->root = cr3 & ROOT_MASK_PAE;
	table->levels = LEVELS_PAE;
	table->level_bits[0] = table->level_bits[1] = LEVEL_BITS_PAE;
	table->level_bits[2] = ROOT_BITS_PAE;
	table->entry_size = 8;
	table->address_mask = ADDRESS_MASK_PAE;
	/* Linux isolates page tables with PAE only; its roots are then aligned to pages. */
	if (table->root & ~ADDRESS_MASK_PAE)
		return nth == 0;
	return x86_choose_root(cpu, nth, &table->root);
}

static struct paging_entry paging_entry(
	const struct page_table *table, unsigned level, uint64_t vaddr, uint64_t raw)
{
	struct paging_entry entry = {
		.present = raw & ENTRY_PRESENT,
		.leaf = level == 0,
		.writable = raw & ENTRY_WRITABLE,
		.executable = !(raw & ENTRY_NO_EXECUTE),
		.user = raw & ENTRY_USER,
		.address = raw & table->address_mask,
	};

	(void)vaddr;
	if (level == LEVELS_PAE - 1) {
		/* The processor keeps no rights in the root. */
		entry.writable = entry.executable = entry.user = true;
	} else if (level == 1 && raw & ENTRY_PAGE_SIZE && table->flavor != PLAIN) {
		uint64_t offset = BIT(PAGE_SHIFT + table->level_bits[0]) - 1;

		entry.leaf = true;
		entry.address &= ~offset;
		if (table->flavor == PSE)
			entry.address |= (raw >> PSE36_FROM & PSE36_MASK) << PSE36_TO;
	}
	return entry;
}

/*
 * The image lies in the direct map, which begins at PAGE_OFFSET: 0xc0000000, or as low as
 * 0x40000000, by the kernel's configuration (arch/x86/Kconfig, VMSPLIT_*). It goes on for 896 MiB
 * at most with the usual one; the rest of RAM is highmem.
 */
static struct kernel_space kernel_space(const struct page_table *table)
{
	(void)table;
	return (struct kernel_space){
		.text = { 0x40000000, UINT32_MAX },
		.direct_map = { 0x40000000, UINT32_MAX },
		/* VMSPLIT_2G_OPT has 0x78000000. */
		.direct_map_align = BIT(27),
	};
}

const struct arch arch_i386 = {
	.name = "i386",
	.stub_names = stub_names,
	.elf_machine = EM_386,
	.elf_class = ELFCLASS32,
	.order = LITTLE,
	.page_shift = PAGE_SHIFT,
	.align64 = 4,
	.default_registers = default_registers,
	.check = x86_check,
	.monitor_command = "info registers -a",
	.read_monitor = x86_monitor_read,
	.write_notes = i386_write_notes,
	.page_table = page_table,
	.paging_entry = paging_entry,
	.kernel_space = kernel_space,
};
