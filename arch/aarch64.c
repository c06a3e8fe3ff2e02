// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The address translation is that of the Arm Architecture Reference Manual, "The AArch64 Virtual
 * Memory System Architecture": stage 1, granules of 4, 16 and 64 KiB, FEAT_LPA and FEAT_LPA2.
 */
#include "arch/aarch64.h"

#include <elf.h>

#define BIT(n)             ((uint64_t)1 << (n))
#define BITS(value, at, n) (((value) >> (at)) & (BIT(n) - 1))
#define ADDRESS_48         (BIT(48) - 1)
#define ADDRESS_50         (BIT(50) - 1)

enum { PAGE_SHIFT_4K = 12, PAGE_SHIFT_16K = 14, PAGE_SHIFT_64K = 16 };

/* Of the PSTATE, which stubs call cpsr. */
#define PSTATE_AARCH32  BIT(4)
#define PSTATE_EL(cpsr) BITS(cpsr, 2, 2)

#define HCR_TGE      BIT(27)
#define HCR_E2H      BIT(34)
#define SCTLR_M      BIT(0)
#define SCTLR_EE     BIT(25)
#define TCR_DS       BIT(59)
#define TCR_IPS(tcr) BITS(tcr, 32, 3)
enum { IPS_52_BITS = 6 };

#define ENTRY_VALID     BIT(0)
#define ENTRY_TABLE     BIT(1) /* of smallest pages: always */
#define ENTRY_USER      BIT(6)
#define ENTRY_READ_ONLY BIT(7)
#define ENTRY_PXN       BIT(53)
#define ENTRY_UXN       BIT(54)
#define TABLE_PXN       BIT(59)
#define TABLE_UXN       BIT(60)
#define TABLE_NO_USER   BIT(61)
#define TABLE_READ_ONLY BIT(62)

/* flavor of a page_table */
enum {
	EARLY_LAYOUT = 1, /* the kernel has the direct map in the upper half of its addresses */
	LPA = 2,          /* bits 51:48 of an address are in 15:12 of an entry */
	LPA2 = 4,         /* bits 51:50 are in 9:8 */
	USER_HALF = 8,
};

/* Of both byte orders. */
static const char *const stub_names[] = { "aarch64", NULL };

/* ---- which exception level's registers ---- */

/* A translation regime with two halves. */
struct regime {
	const char *ttbr0, *ttbr1, *tcr;
	const char *sctlr, *sctlr_too; /* a second name that stubs have for it */
};

static const struct regime regime_el1 = { "TTBR0_EL1", "TTBR1_EL1", "TCR_EL1", "SCTLR_EL1",
	"SCTLR" };
/* With virtualization host extensions, where the kernel of a host runs. */
static const struct regime regime_el2 = { "TTBR0_EL2", "TTBR1_EL2", "TCR_EL2", "SCTLR_EL2",
	"SCTLR_EL2" };

static unsigned exception_level(const struct registers *cpu)
{
	return (unsigned)PSTATE_EL(registers_u64(cpu, "cpsr"));
}

/*
 * The regimes that a kernel may be in, the one of what runs now first: at EL1, a host with KVM has
 * left the vCPU to a guest of its own. Returns how many.
 */
static unsigned list_regimes(const struct registers *cpu, const struct regime *list[2])
{
	uint64_t hcr = registers_u64(cpu, "HCR_EL2");
	bool host = hcr & HCR_E2H;
	bool in_host = host && (hcr & HCR_TGE || exception_level(cpu) >= 2);

	list[0] = in_host ? &regime_el2 : &regime_el1;
	list[1] = in_host ? &regime_el1 : &regime_el2;
	return host ? 2 : 1;
}

static bool get_sctlr(const struct registers *cpu, const struct regime *regime, uint64_t *sctlr)
{
	return registers_get_u64(cpu, regime->sctlr, sctlr) ||
	       registers_get_u64(cpu, regime->sctlr_too, sctlr);
}

static enum byte_order data_order(const struct registers *cpu, const struct regime *regime)
{
	uint64_t sctlr;

	return get_sctlr(cpu, regime, &sctlr) && sctlr & SCTLR_EE ? BIG : LITTLE;
}

/* QEMU's stub sends registers as little-endian integers, whatever the guest's data are. */
static const struct arch *variant(struct registers *cpus, size_t count)
{
	const struct regime *regimes[2];

	for (size_t i = 0; i < count; i++)
		cpus[i].order = LITTLE;
	if (!count)
		return &arch_aarch64;
	list_regimes(&cpus[0], regimes);
	return data_order(&cpus[0], regimes[0]) == BIG ? &arch_aarch64_be : &arch_aarch64;
}

static int check(const struct registers *cpus, size_t count, struct error *error)
{
	(void)cpus;
	return count ? 0 : error_set(error, "no vCPU");
}

/* ---- page tables ---- */

/* Where TCR_ELx has what it has for the half of TTBR0 and for that of TTBR1. */
static const struct half {
	unsigned size_at, disable_at, granule_at;
	unsigned granules[4]; /* page shifts; what is reserved is what QEMU takes it for */
} halves[2] = {
	{ 0, 7, 14, { PAGE_SHIFT_4K, PAGE_SHIFT_64K, PAGE_SHIFT_16K, PAGE_SHIFT_4K } },
	{ 16, 23, 30, { PAGE_SHIFT_4K, PAGE_SHIFT_16K, PAGE_SHIFT_4K, PAGE_SHIFT_64K } },
};

static uint64_t root_address(const struct page_table *table, uint64_t ttbr, bool wide)
{
	uint64_t size = page_table_size(table, table->levels - 1);
	/* Whatever the size, bits below 6 are no part of an address. */
	uint64_t root = ttbr & ADDRESS_48 & ~((size > 64 ? size : 64) - 1);

	return wide ? root | BITS(ttbr, 2, 4) << 48 : root;
}

static void set_levels(struct page_table *table, unsigned address_bits)
{
	unsigned step = table->page_shift - 3, left = address_bits - table->page_shift;

	for (table->levels = 0; left; table->levels++) {
		unsigned bits = left < step ? left : step;

		table->level_bits[table->levels] = (uint8_t)bits;
		left -= bits;
	}
}

static bool describe(const struct registers *cpu, const struct regime *regime, bool high,
	struct page_table *table)
{
	const struct half *half = &halves[high];
	uint64_t tcr, ttbr, sctlr;
	unsigned address_bits, most;
	bool wide, lpa2;

	if (!registers_get_u64(cpu, regime->tcr, &tcr) ||
		!registers_get_u64(cpu, high ? regime->ttbr1 : regime->ttbr0, &ttbr))
		return false;
	if (tcr & BIT(half->disable_at) || (get_sctlr(cpu, regime, &sctlr) && !(sctlr & SCTLR_M)))
		return false;

	*table = (struct page_table){
		.arch = &arch_aarch64,
		.page_shift = half->granules[BITS(tcr, half->granule_at, 2)],
		.entry_size = 8,
		.order = data_order(cpu, regime),
		.region_count = 1,
	};
	if (table->order == BIG)
		table->arch = &arch_aarch64_be;
	lpa2 = tcr & TCR_DS && table->page_shift != PAGE_SHIFT_64K;
	most = lpa2 || table->page_shift == PAGE_SHIFT_64K ? 52 : 48;
	address_bits = 64 - (unsigned)BITS(tcr, half->size_at, 6);
	if (address_bits > most)
		address_bits = most;
	if (address_bits <= table->page_shift)
		return false;
	set_levels(table, address_bits);

	wide = most == 52 && TCR_IPS(tcr) == IPS_52_BITS;
	table->root = root_address(table, ttbr, wide);
	table->address_mask = (lpa2 ? ADDRESS_50 : ADDRESS_48) & ~(BIT(table->page_shift) - 1);
	table->flavor = lpa2 ? LPA2 : wide ? LPA : 0;
	if (!high)
		table->flavor |= USER_HALF;
	table->regions[0].range = high ? (struct address_range){ ~(BIT(address_bits) - 1),
		UINT64_MAX }
	                               : (struct address_range){ 0, BIT(address_bits) - 1 };
	return true;
}

/*
 * With page-table isolation, TTBR1 has the trampoline's root in user mode. The kernel's is two
 * pages behind it; before Linux 5.11, in front of it (arch/arm64/kernel/vmlinux.lds.S).
 */
static const int isolation_pages[] = { 0, 2, -2 };

enum { ISOLATION_ROOTS = 3, LAYOUTS = 2 };

static bool page_table(
	const struct registers *cpu, uint64_t ram_end, unsigned nth, struct page_table *table)
{
	unsigned roots = exception_level(cpu) == 0 ? ISOLATION_ROOTS : 1;
	const struct regime *regimes[2];
	unsigned count = list_regimes(cpu, regimes);

	(void)ram_end;
	for (unsigned i = 0; i < count; i++) {
		if (!describe(cpu, regimes[i], true, table))
			continue;
		if (nth < roots * LAYOUTS) {
			int pages = isolation_pages[nth / LAYOUTS];

			table->root += (uint64_t)((int64_t)pages * (1 << table->page_shift));
			table->flavor |= nth % LAYOUTS ? EARLY_LAYOUT : 0;
			return true;
		}
		nth -= roots * LAYOUTS;
	}
	return false;
}

static bool user_table(const struct registers *cpu, uint64_t ram_end, struct page_table *table)
{
	const struct regime *regimes[2];

	(void)ram_end;
	list_regimes(cpu, regimes);
	return describe(cpu, regimes[0], false, table);
}

/* The largest block is 1 GiB, 32 MiB or 512 MiB, or a level higher if addresses have 52 bits. */
static unsigned top_block_level(const struct page_table *table)
{
	unsigned level = table->page_shift == PAGE_SHIFT_4K ? 2 : 1;

	return table->flavor & (LPA | LPA2) ? level + 1 : level;
}

static uint64_t entry_address(const struct page_table *table, uint64_t raw)
{
	uint64_t address = raw & table->address_mask;

	if (table->flavor & LPA)
		address |= BITS(raw, 12, 4) << 48;
	if (table->flavor & LPA2)
		address |= BITS(raw, 8, 2) << 50;
	return address;
}

/* What is executable is so by whom the page is for. */
static struct paging_entry paging_entry(
	const struct page_table *table, unsigned level, uint64_t vaddr, uint64_t raw)
{
	bool leaf = level == 0 || !(raw & ENTRY_TABLE);
	uint64_t offset = 0;

	(void)vaddr;
	if (!leaf)
		return (struct paging_entry){
			.present = raw & ENTRY_VALID,
			.writable = !(raw & TABLE_READ_ONLY),
			.executable = !(raw & (table->flavor & USER_HALF ? TABLE_UXN : TABLE_PXN)),
			.user = !(raw & TABLE_NO_USER),
			.address = entry_address(table, raw),
		};
	if (level)
		offset = BIT(table->page_shift + level * (table->page_shift - 3)) - 1;
	return (struct paging_entry){
		.present = raw & ENTRY_VALID &&
		           (level ? level <= top_block_level(table) : raw & ENTRY_TABLE),
		.leaf = true,
		.writable = !(raw & ENTRY_READ_ONLY),
		.executable = !(raw & (raw & ENTRY_USER ? ENTRY_UXN : ENTRY_PXN)),
		.user = raw & ENTRY_USER,
		.address = entry_address(table, raw) & ~offset,
	};
}

/*
 * Where Linux since 5.4 ends the direct map (PAGE_END): at the upper half; with addresses of 52
 * bits, at that of the addresses which the same kernel has on a CPU with fewer.
 */
static uint64_t direct_map_end(const struct page_table *table)
{
	uint64_t first = table->regions[0].range.first;

	if (first >= UINT64_MAX - (BIT(48) - 1))
		return ~(~first >> 1);
	return ~(BIT(table->page_shift == PAGE_SHIFT_16K ? 46 : 47) - 1);
}

/*
 * Documentation/arch/arm64/memory.rst of Linux. Since 5.4 the image is above the direct map.
 * Before, the direct map was the upper half and the image below it, but up to 4.5 in it. The direct
 * map's distance is a multiple of ARM64_MEMSTART_ALIGN, with KASLR as well.
 */
static struct kernel_space kernel_space(const struct page_table *table)
{
	const struct address_range all = table->regions[0].range;
	uint64_t end = direct_map_end(table);

	if (table->flavor & EARLY_LAYOUT)
		return (struct kernel_space){
			.text = all,
			.direct_map = { ~(~all.first >> 1), UINT64_MAX },
			.direct_map_align = BIT(21),
		};
	return (struct kernel_space){
		.text = { end, UINT64_MAX },
		.direct_map = { all.first, end - 1 },
		.direct_map_align = table->page_shift == PAGE_SHIFT_64K ? BIT(29) : BIT(30),
	};
}

const struct arch arch_aarch64 = {
	.name = "aarch64",
	.stub_names = stub_names,
	.elf_machine = EM_AARCH64,
	.elf_class = ELFCLASS64,
	.order = LITTLE,
	.page_shift = PAGE_SHIFT_4K,
	.align64 = 8,
	.default_registers = aarch64_registers,
	.variant = variant,
	.check = check,
	.write_notes = aarch64_write_notes,
	.page_table = page_table,
	.user_table = user_table,
	.paging_entry = paging_entry,
	.kernel_space = kernel_space,
	.phys_base_is_ram_start = true,
};

const struct arch arch_aarch64_be = {
	.name = "aarch64_be",
	.stub_names = stub_names,
	.elf_machine = EM_AARCH64,
	.elf_class = ELFCLASS64,
	.order = BIG,
	.page_shift = PAGE_SHIFT_4K,
	.align64 = 8,
	.default_registers = aarch64_registers,
	.variant = variant,
	.check = check,
	.write_notes = aarch64_write_notes,
	.page_table = page_table,
	.user_table = user_table,
	.paging_entry = paging_entry,
	.kernel_space = kernel_space,
	.phys_base_is_ram_start = true,
};
