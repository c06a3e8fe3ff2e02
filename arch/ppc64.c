// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PowerPC of 64 bits, of the server kind (Power ISA, Book III). No register of a guest shows the
 * page tables: the hypervisor keeps them, or the process table that leads to them. So a kernel is
 * first read through its linear map, which Linux has at a fixed address, and with radix tables
 * through those that its VMCOREINFO tells of. With a hash table, nothing but the linear map can be
 * translated: neither modules nor what is in vmalloc'ed memory.
 */
#include "arch/ppc64.h"

#include <elf.h>

#define BIT(n) ((uint64_t)1 << (n))

#define MSR_HV UINT64_C(0x1000000000000000)
#define MSR_LE BIT(0)

#define LPCR_ILE       BIT(25)
#define HID0_ILE       BIT(44) /* POWER8 */
#define HID0_ILE_ISA_3 BIT(59) /* POWER9 and later */

enum { PVR_POWER8E = 0x4b, PVR_POWER8NVL = 0x4c, PVR_POWER8 = 0x4d };

/* The quadrant of the kernel, and the linear map in it; arch/powerpc/include/asm/book3s/64/. */
#define KERNEL_BASE UINT64_C(0xc000000000000000)
#define LINEAR_LAST UINT64_C(0xc007ffffffffffff)
#define RADIX_LAST  UINT64_C(0xc00fffffffffffff) /* 52 bits are translated */

/* Far more than an image takes, which begins at 0, or at 32 MiB if it is a kdump kernel. */
#define IMAGE_MAX (UINT64_C(128) << 20)

enum { RADIX_LEVELS = 4, TOP_LEAF_LEVEL = 2, SMALLEST_PAGE_SHIFT = 12, LARGE_PAGE_SHIFT = 16 };

/* Of radix entries; Power ISA 3.0, Book III, 5.7.10. Big-endian whatever the kernel is. */
#define ENTRY_VALID      BIT(63)
#define ENTRY_LEAF       BIT(62)
#define ENTRY_PRIVILEGED BIT(3)
#define ENTRY_WRITE      BIT(1)
#define ENTRY_EXECUTE    BIT(0)
#define PAGE_ADDRESS     UINT64_C(0x01fffffffffff000)
#define TABLE_ADDRESS    UINT64_C(0x0fffffffffffff00)
#define TABLE_BITS       UINT64_C(0x1f)

static const char *const stub_names[] = { "powerpc:common64", NULL };

/* QEMU's stub sends registers in the byte order that the vCPU itself is in at the moment. */
static enum byte_order stub_order(const struct registers *cpu)
{
	size_t size;
	const uint8_t *msr = registers_find(cpu, "msr", &size);

	/* Sent big-endian, the first byte has only the flags above HV: of an odd one, none. */
	return msr && msr[0] & MSR_LE ? LITTLE : BIG;
}

/* As QEMU's dump decides: how interrupts are taken, for a vCPU may be in firmware's order. */
static bool interrupts_little_endian(const struct registers *cpu)
{
	uint64_t version = registers_u64(cpu, "pvr") >> 16, hid0, lpcr;
	bool power8 = version == PVR_POWER8 || version == PVR_POWER8E || version == PVR_POWER8NVL;
	uint64_t msr = registers_u64(cpu, "msr");

	if (msr & MSR_HV && registers_get_u64(cpu, "hid0", &hid0))
		return hid0 & (power8 ? HID0_ILE : HID0_ILE_ISA_3);
	if (registers_get_u64(cpu, "lpcr", &lpcr))
		return lpcr & LPCR_ILE;
	return msr & MSR_LE;
}

static const struct arch *variant(struct registers *cpus, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cpus[i].order = stub_order(&cpus[i]);
	return count && interrupts_little_endian(&cpus[0]) ? &arch_ppc64le : &arch_ppc64;
}

static int check(const struct registers *cpus, size_t count, struct error *error)
{
	(void)cpus;
	return count ? 0 : error_set(error, "no vCPU");
}

/*
 * Whether a kernel runs that has the linear map: in it are its code and its per-CPU structure,
 * to which r13 points in the kernel, and one of these special registers always.
 */
static bool shows_linear_map(const struct registers *cpu)
{
	static const char *const names[] = { "pc", "r13", "sprg1", "hsprg0" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t value = registers_u64(cpu, names[i]);

		if (value >= KERNEL_BASE && value <= LINEAR_LAST)
			return true;
	}
	return false;
}

static bool linear_table(const struct arch *arch, const struct registers *cpu, unsigned nth,
	struct page_table *table)
{
	if (nth || !shows_linear_map(cpu))
		return false;
	*table = (struct page_table){
		.arch = arch,
		.page_shift = SMALLEST_PAGE_SHIFT,
		.entry_size = 8,
		.order = BIG,
		.address_mask = UINT64_MAX,
		.regions = { { .range = { KERNEL_BASE, LINEAR_LAST }, .linear = true } },
		.region_count = 1,
	};
	return true;
}

static bool page_table_big(
	const struct registers *cpu, uint64_t ram_end, unsigned nth, struct page_table *table)
{
	(void)ram_end;
	return linear_table(&arch_ppc64, cpu, nth, table);
}

static bool page_table_little(
	const struct registers *cpu, uint64_t ram_end, unsigned nth, struct page_table *table)
{
	(void)ram_end;
	return linear_table(&arch_ppc64le, cpu, nth, table);
}

/*
 * Before Linux says in VMCOREINFO which kind of tables it uses, they are tried: with a hash table,
 * nothing is in these for the linear map.
 */
static bool kernel_table(const struct kernel_facts *facts, struct page_table *table)
{
	uint64_t root;
	int64_t radix;

	if (facts->number(facts->ctx, "RADIX_MMU", &radix) && !radix)
		return false;
	if (!facts->symbol(facts->ctx, "swapper_pg_dir", &root) || root < KERNEL_BASE ||
		root > LINEAR_LAST)
		return false;
	if (facts->page_size != BIT(SMALLEST_PAGE_SHIFT) &&
		facts->page_size != BIT(LARGE_PAGE_SHIFT))
		return false;
	*table = (struct page_table){
		.arch = table->arch,
		.root = root - KERNEL_BASE,
		.levels = RADIX_LEVELS,
		.page_shift = SMALLEST_PAGE_SHIFT,
		.level_bits = { 9, 9, 9, 13 },
		.entry_size = 8,
		.order = BIG,
		.address_mask = PAGE_ADDRESS,
		.regions = { { .range = { KERNEL_BASE, RADIX_LAST } } },
		.region_count = 1,
	};
	if (facts->page_size == BIT(LARGE_PAGE_SHIFT)) {
		table->page_shift = LARGE_PAGE_SHIFT;
		table->level_bits[0] = 5;
	}
	return true;
}

static struct paging_entry leaf_entry(const struct page_table *table, unsigned level, uint64_t raw)
{
	unsigned shift = table->page_shift;

	for (unsigned below = 0; below < level; below++)
		shift += table->level_bits[below];
	return (struct paging_entry){
		.present = raw & ENTRY_VALID && level <= TOP_LEAF_LEVEL,
		.leaf = true,
		.writable = raw & ENTRY_WRITE,
		.executable = raw & ENTRY_EXECUTE,
		.user = !(raw & ENTRY_PRIVILEGED),
		.address = raw & table->address_mask & ~(BIT(shift) - 1),
	};
}

static struct paging_entry paging_entry(
	const struct page_table *table, unsigned level, uint64_t vaddr, uint64_t raw)
{
	(void)vaddr;
	if (raw & ENTRY_LEAF)
		return leaf_entry(table, level, raw);
	return (struct paging_entry){
		.present = raw & ENTRY_VALID && level &&
		           (raw & TABLE_BITS) == table->level_bits[level - 1],
		.writable = true,
		.executable = true,
		.user = true,
		.address = raw & TABLE_ADDRESS,
	};
}

static struct kernel_space kernel_space(const struct page_table *table)
{
	(void)table;
	return (struct kernel_space){
		.text = { KERNEL_BASE, KERNEL_BASE + IMAGE_MAX - 1 },
		.direct_map = { KERNEL_BASE, LINEAR_LAST },
		.direct_map_align = BIT(60),
	};
}

const struct arch arch_ppc64 = {
	.name = "ppc64",
	.stub_names = stub_names,
	.elf_machine = EM_PPC64,
	.elf_class = ELFCLASS64,
	.order = BIG,
	.page_shift = SMALLEST_PAGE_SHIFT,
	.align64 = 8,
	.default_registers = ppc64_registers,
	.variant = variant,
	.check = check,
	.write_notes = ppc64_write_notes,
	.page_table = page_table_big,
	.paging_entry = paging_entry,
	.kernel_space = kernel_space,
	.kernel_table = kernel_table,
};

const struct arch arch_ppc64le = {
	.name = "ppc64le",
	.stub_names = stub_names,
	.elf_machine = EM_PPC64,
	.elf_class = ELFCLASS64,
	.order = LITTLE,
	.page_shift = SMALLEST_PAGE_SHIFT,
	.align64 = 8,
	.default_registers = ppc64_registers,
	.variant = variant,
	.check = check,
	.write_notes = ppc64_write_notes,
	.page_table = page_table_little,
	.paging_entry = paging_entry,
	.kernel_space = kernel_space,
	.kernel_table = kernel_table,
};
