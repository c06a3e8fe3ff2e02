// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Translation at PL1, stage 1, as the Arm Architecture Reference Manual for ARMv7-A has it: short
 * descriptors, those of ARMv5 with rights for a quarter of a page among them, and long ones (LPAE).
 * Domains are not looked at, nor is the access flag: what a manager's domain allows or an access
 * would first have to flag is mapped all the same. Fine tables of ARMv5 are taken for not present.
 */
#include "arch/arm.h"

#define BIT(n)             ((uint64_t)1 << (n))
#define BITS(value, at, n) (((value) >> (at)) & (BIT(n) - 1))

enum {
	PAGE_SHIFT = 12,
	ADDRESS_BITS = 32,    /* of virtual addresses */
	LONG_BITS = 9,        /* of an address that a table of long descriptors takes */
	LONG_BLOCK_BITS = 30, /* of an address that are left when the first level took its own */
	SHORT_BITS = 8,
	SHORT_ROOT_BITS = 12,
};

#define SCTLR_M   BIT(0)
#define SCTLR_XP  BIT(23) /* entries as of ARMv6; in ARMv7, always */
#define SCTLR_EE  BIT(25)
#define SCTLR_AFE BIT(29)

#define TTBCR_EAE BIT(31)

#define CPSR_MODE_MASK 0x1f
enum { MODE_MONITOR = 0x16 };

#define SCR_NS BIT(0)

/* flavor of a page_table */
enum { SHORT, SHORT_AFE, SHORT_V5, LONG };

/* ---- registers ---- */

/* The registers of a security state; QEMU names both where a CPU has both. */
struct bank {
	const char *sctlr, *ttbcr;
	const char *ttbr[2];      /* 32 bits, of short descriptors */
	const char *ttbr_long[2]; /* 64 bits, which only CPUs with long descriptors have */
};

static const struct bank non_secure = { "SCTLR", "TTBCR", { "TTBR0_EL1", "TTBR1_EL1" },
	{ "TTBR0", "TTBR1" } };
static const struct bank secure = { "SCTLR_S", "TTBCR_S", { "TTBR0_EL1_S", "TTBR1_EL1_S" },
	{ "TTBR0_S", "TTBR1_S" } };

static bool has(const struct registers *cpu, const char *name)
{
	size_t size;

	return registers_find(cpu, name, &size) != NULL;
}

/* The banks that a vCPU has, the one that it is in first. Returns how many. */
static unsigned list_banks(const struct registers *cpu, const struct bank *list[2])
{
	bool monitor = (registers_u64(cpu, "cpsr") & CPSR_MODE_MASK) == MODE_MONITOR;
	bool both = has(cpu, secure.sctlr);
	bool is_secure = both && (monitor || !(registers_u64(cpu, "SCR") & SCR_NS));

	list[0] = is_secure ? &secure : &non_secure;
	list[1] = is_secure ? &non_secure : &secure;
	return both ? 2 : 1;
}

static enum byte_order bank_order(const struct registers *cpu, const struct bank *bank)
{
	return registers_u64(cpu, bank->sctlr) & SCTLR_EE ? BIG : LITTLE;
}

bool arm_data_order(const struct registers *cpu, enum byte_order *order)
{
	const struct bank *banks[2];

	list_banks(cpu, banks);
	if (!has(cpu, banks[0]->sctlr))
		return false;
	*order = bank_order(cpu, banks[0]);
	return true;
}

/* ---- roots ---- */

static void set_order(struct page_table *table, enum byte_order order)
{
	table->order = order;
	table->arch = order == BIG ? &arch_armeb : &arch_arm;
}

static void set_root(struct page_table *table, uint64_t ttbr, uint64_t address_mask)
{
	table->root = ttbr & address_mask &
	              ~((uint64_t)page_table_size(table, table->levels - 1) - 1);
}

/* An address whose upper n bits are zero is TTBR0's; if n is 0, none is TTBR1's. */
static bool describe_short(const struct registers *cpu, const struct bank *bank, uint64_t ttbcr,
	bool high, struct page_table *table)
{
	unsigned n = (unsigned)BITS(ttbcr, 0, 3);
	uint64_t ttbr, sctlr, split = BIT(ADDRESS_BITS - n);
	bool disabled = high ? n && ttbcr & BIT(5) : ttbcr & BIT(4);

	if (disabled || !registers_get_u64(cpu, bank->ttbr[high], &ttbr))
		return false;
	*table = (struct page_table){
		.levels = 2,
		.page_shift = PAGE_SHIFT,
		.level_bits = { SHORT_BITS,
			(uint8_t)(high ? SHORT_ROOT_BITS : SHORT_ROOT_BITS - n) },
		.entry_size = 4,
		.address_mask = UINT32_MAX & ~(BIT(PAGE_SHIFT) - 1),
		.flavor = SHORT,
		.regions = { { .range = { 0, split - 1 } } },
		.region_count = 1,
	};
	if (high && n)
		table->regions[0].range = (struct address_range){ split, UINT32_MAX };
	if (registers_get_u64(cpu, bank->sctlr, &sctlr)) {
		/* ARMv8 has another bit there. It and CPUs with long descriptors are above ARMv5.
		 */
		if (!(sctlr & SCTLR_XP) && !has(cpu, bank->ttbr_long[0]))
			table->flavor = SHORT_V5;
		else if (sctlr & SCTLR_AFE)
			table->flavor = SHORT_AFE;
	}
	set_root(table, ttbr, UINT32_MAX);
	return true;
}

/* The addresses that are looked up from TTBR0 or TTBR1, and how many of their bits it covers. */
static bool long_range(uint64_t ttbcr, bool high, struct address_range *range, unsigned *bits)
{
	unsigned t0 = (unsigned)BITS(ttbcr, 0, 3), t1 = (unsigned)BITS(ttbcr, 16, 3);

	*bits = ADDRESS_BITS - (high ? t1 : t0);
	*range = (struct address_range){ 0, UINT32_MAX };
	if (high) {
		if (t1)
			range->first = BIT(ADDRESS_BITS) - BIT(*bits);
		else if (t0)
			range->first = BIT(ADDRESS_BITS - t0);
	} else if (t0) {
		range->last = BIT(*bits) - 1;
	} else if (t1) {
		range->last = BIT(ADDRESS_BITS) - BIT(ADDRESS_BITS - t1) - 1;
	}
	return !(ttbcr & (high ? BIT(23) : BIT(7)));
}

static bool describe_long(const struct registers *cpu, const struct bank *bank, uint64_t ttbcr,
	bool high, struct page_table *table)
{
	const uint64_t address_mask = BIT(40) - BIT(PAGE_SHIFT);
	struct address_range range;
	uint64_t ttbr;
	unsigned bits;

	if (!long_range(ttbcr, high, &range, &bits) ||
		!registers_get_u64(cpu, bank->ttbr_long[high], &ttbr))
		return false;
	*table = (struct page_table){
		.levels = bits > LONG_BLOCK_BITS ? 3 : 2,
		.page_shift = PAGE_SHIFT,
		.level_bits = { LONG_BITS, LONG_BITS },
		.entry_size = 8,
		.address_mask = address_mask,
		.flavor = LONG,
		.regions = { { .range = range } },
		.region_count = 1,
	};
	table->level_bits[table->levels - 1] = (uint8_t)(bits - PAGE_SHIFT -
							 LONG_BITS * (table->levels - 1));
	set_root(table, ttbr, BIT(40) - 1);
	return true;
}

static bool is_long(const struct registers *cpu, const struct bank *bank, uint64_t ttbcr)
{
	return ttbcr & TTBCR_EAE && has(cpu, bank->ttbr_long[0]);
}

static bool describe(
	const struct registers *cpu, const struct bank *bank, bool high, struct page_table *table)
{
	uint64_t sctlr, ttbcr = registers_u64(cpu, bank->ttbcr);

	if (registers_get_u64(cpu, bank->sctlr, &sctlr) && !(sctlr & SCTLR_M))
		return false;
	if (!(is_long(cpu, bank, ttbcr) ? describe_long(cpu, bank, ttbcr, high, table)
					: describe_short(cpu, bank, ttbcr, high, table)))
		return false;
	set_order(table, bank_order(cpu, bank));
	return true;
}

/* Whether there are addresses that are TTBR1's. */
static bool is_split(const struct registers *cpu, const struct bank *bank)
{
	uint64_t ttbcr = registers_u64(cpu, bank->ttbcr);

	return ttbcr & (is_long(cpu, bank, ttbcr) ? UINT64_C(0x70007) : UINT64_C(7));
}

/*
 * The kernel is in the upper part. Where TTBR0 has all, TTBR1 is not used, but Linux keeps the
 * kernel's own root in there, without that of a process.
 */
bool arm_page_table(
	const struct registers *cpu, uint64_t ram_end, unsigned nth, struct page_table *table)
{
	const struct bank *banks[2];
	unsigned count = list_banks(cpu, banks);

	(void)ram_end;
	for (unsigned i = 0; i < count; i++) {
		for (unsigned n = 0; n < 2; n++) {
			bool high = is_split(cpu, banks[i]) == (n == 0);

			if (describe(cpu, banks[i], high, table) && nth-- == 0)
				return true;
		}
	}
	return false;
}

bool arm_user_table(const struct registers *cpu, uint64_t ram_end, struct page_table *table)
{
	const struct bank *banks[2];

	(void)ram_end;
	list_banks(cpu, banks);
	return is_split(cpu, banks[0]) && describe(cpu, banks[0], false, table);
}

/* ---- entries ---- */

/* What is executable is so by whom the page is for. */
static bool is_executable(bool user, bool xn, bool pxn)
{
	return !xn && (user || !pxn);
}

/* access: AP[2:0]. */
static void set_rights(struct paging_entry *entry, unsigned flavor, unsigned access)
{
	entry->user = access & 2;
	if (flavor == SHORT_V5) /* without AP[2]; 0 leaves what is read-only to other registers */
		entry->writable = access & 3;
	else
		entry->writable = !(access & 4) && (flavor == SHORT_AFE || access & 3);
}

static uint64_t supersection(uint64_t raw, uint64_t vaddr)
{
	return (raw & 0xff000000) | BITS(raw, 20, 4) << 32 | BITS(raw, 5, 4) << 36 |
	       (vaddr & 0x00f00000);
}

static struct paging_entry section_entry(unsigned flavor, uint64_t vaddr, uint64_t raw)
{
	unsigned type = (unsigned)BITS(raw, 0, 2);
	bool v5 = flavor == SHORT_V5;
	struct paging_entry entry = {
		/* In ARMv7, the lower bit is PXN where the CPU has that. */
		.present = type == 2 || (type == 3 && !v5),
		.leaf = true,
		.address = !v5 && raw & BIT(18) ? supersection(raw, vaddr) : raw & 0xfff00000,
	};

	set_rights(&entry, flavor, (unsigned)(BITS(raw, 10, 2) | (v5 ? 0 : BITS(raw, 15, 1) << 2)));
	entry.executable = v5 || is_executable(entry.user, raw & BIT(4), raw & BIT(0));
	return entry;
}

static struct paging_entry short_page(unsigned flavor, uint64_t vaddr, uint64_t raw)
{
	unsigned type = (unsigned)BITS(raw, 0, 2);
	bool v5 = flavor == SHORT_V5, large = type == 1;
	struct paging_entry entry = {
		/* In ARMv6 and later, the lower bit of a small page is XN. */
		.present = type && !(v5 && type == 3),
		.leaf = true,
		.address = large ? (raw & 0xffff0000) | (vaddr & 0xf000) : raw & 0xfffff000,
	};

	/* Of four pairs of bits, ARMv5 takes the first for the first quarter of the page. */
	set_rights(&entry, flavor, (unsigned)(BITS(raw, 4, 2) | (v5 ? 0 : BITS(raw, 9, 1) << 2)));
	entry.executable = v5 || !(raw & (large ? BIT(15) : BIT(0)));
	return entry;
}

static struct paging_entry short_entry(
	unsigned flavor, unsigned level, uint64_t vaddr, uint64_t raw)
{
	if (level == 0)
		return short_page(flavor, vaddr, raw);
	if (BITS(raw, 0, 2) != 1)
		return section_entry(flavor, vaddr, raw);
	return (struct paging_entry){
		.present = true,
		.writable = true,
		.executable = true,
		.user = true,
		.address = raw & 0xfffffc00,
	};
}

/* That nothing below is PXN at least does not concern the pages of user mode, so it is left out. */
static struct paging_entry long_table(uint64_t address, uint64_t raw)
{
	return (struct paging_entry){
		.present = true,
		.writable = !(raw & BIT(62)),
		.executable = !(raw & BIT(60)),
		.user = !(raw & BIT(61)),
		.address = address,
	};
}

static struct paging_entry long_entry(uint64_t address_mask, unsigned level, uint64_t raw)
{
	uint64_t address = raw & address_mask;
	uint64_t offset = BIT(PAGE_SHIFT + level * LONG_BITS) - 1;
	unsigned type = (unsigned)BITS(raw, 0, 2);
	bool user = raw & BIT(6);

	if (level && type == 3)
		return long_table(address, raw);
	return (struct paging_entry){
		/* Of what is no table, smallest pages have type 3 and larger ones type 1. */
		.present = type == (level ? 1 : 3),
		.leaf = true,
		.writable = !(raw & BIT(7)),
		.executable = is_executable(user, raw & BIT(54), raw & BIT(53)),
		.user = user,
		.address = address & ~offset,
	};
}

struct paging_entry arm_paging_entry(
	const struct page_table *table, unsigned level, uint64_t vaddr, uint64_t raw)
{
	return table->flavor == LONG ? long_entry(table->address_mask, level, raw)
	                             : short_entry(table->flavor, level, vaddr, raw);
}
