// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/arm.h"

#include <elf.h>

#define BIT(n) ((uint64_t)1 << (n))
#define MIB(n) ((uint64_t)(n) << 20)

enum { PAGE_SHIFT = 12 };

#define CPSR_BIG_ENDIAN BIT(9)
#define CPSR_MODE_MASK  0x1f

/* <architecture> has a name for each version of the architecture, and so has uname(2). */
static const char *const stub_names[] = { "armv2", "armv2a", "armv3", "armv3m", "armv4", "armv4t",
	"armv5", "armv5t", "armv5te", "armv5tej", "armv6", "armv6k", "armv6kz", "armv6t2",
	"armv6-m", "armv6s-m", "armv7", "armv7e-m", "armv8-a", "armv8-r", "armv8-m.base",
	"armv8-m.main", "armv8.1-m.main", "arm_any", "ep9312", "iwmmxt", "iwmmxt2", "xscale",
	"armv4l", "armv4tl", "armv5tl", "armv5tel", "armv5tejl", "armv6l", "armv7l", "armv7ml",
	"armv8l", NULL };
static const char *const stub_names_be[] = { "armv4b", "armv4tb", "armv5tb", "armv5teb",
	"armv5tejb", "armv6b", "armv7b", "armv7mb", "armv8b", NULL };

/* User, FIQ, IRQ, Supervisor, Monitor, Abort, Hyp, Undefined, System. */
static bool is_mode(uint64_t cpsr)
{
	return UINT64_C(0x8ccf0000) >> (cpsr & CPSR_MODE_MASK) & 1;
}

/*
 * QEMU's stub sends registers as little-endian integers, whatever the guest's data are; others may
 * send them in the order of the data. Of a CPSR, only one order has a mode of the CPU's.
 */
static enum byte_order stub_order(struct registers *cpus, size_t count)
{
	size_t modes[2] = { 0 };

	for (int order = LITTLE; order <= BIG; order++) {
		for (size_t i = 0; i < count; i++) {
			cpus[i].order = order == BIG ? BIG : LITTLE;
			modes[order] += is_mode(registers_u64(&cpus[i], "cpsr"));
		}
	}
	return modes[BIG] > modes[LITTLE] ? BIG : LITTLE;
}

static const struct arch *variant(struct registers *cpus, size_t count)
{
	enum byte_order sent = stub_order(cpus, count), data = sent;

	for (size_t i = 0; i < count; i++)
		cpus[i].order = sent;
	if (!count)
		return &arch_arm;
	/* A program may have changed the order for itself, so what the kernel has goes first. */
	if (!arm_data_order(&cpus[0], &data) && registers_u64(&cpus[0], "cpsr") & CPSR_BIG_ENDIAN)
		data = BIG;
	return data == BIG ? &arch_armeb : &arch_arm;
}

static int check(const struct registers *cpus, size_t count, struct error *error)
{
	(void)cpus;
	return count ? 0 : error_set(error, "no vCPU");
}

/*
 * Documentation/arch/arm/memory.rst of Linux: RAM is mapped from PAGE_OFFSET on, which is
 * 0x40000000, 0x80000000, 0xb0000000 or 0xc0000000, as far as there is room; the image lies in
 * there. Where RAM begins is rounded to 2 MiB (ARM_PATCH_PHYS_VIRT; up to Linux 5.10, to 16 MiB).
 */
static struct kernel_space kernel_space(const struct page_table *table)
{
	struct address_range high = { 0x40000000, UINT32_MAX };

	if (high.first < table->regions[0].range.first)
		high.first = table->regions[0].range.first;
	return (struct kernel_space){
		.text = high,
		.direct_map = high,
		.direct_map_align = MIB(2),
	};
}

const struct arch arch_arm = {
	.name = "arm",
	.stub_names = stub_names,
	.elf_machine = EM_ARM,
	.elf_class = ELFCLASS32,
	.order = LITTLE,
	.page_shift = PAGE_SHIFT,
	.align64 = 8,
	.default_registers = arm_registers,
	.variant = variant,
	.check = check,
	.write_notes = arm_write_notes,
	.page_table = arm_page_table,
	.user_table = arm_user_table,
	.paging_entry = arm_paging_entry,
	.kernel_space = kernel_space,
	.frames_from_ram_start = true,
	.phys_base_is_ram_start = true,
};

const struct arch arch_armeb = {
	.name = "armeb",
	.stub_names = stub_names_be,
	.elf_machine = EM_ARM,
	.elf_class = ELFCLASS32,
	.order = BIG,
	.page_shift = PAGE_SHIFT,
	.align64 = 8,
	.default_registers = arm_registers,
	.variant = variant,
	.check = check,
	.write_notes = arm_write_notes,
	.page_table = arm_page_table,
	.user_table = arm_user_table,
	.paging_entry = arm_paging_entry,
	.kernel_space = kernel_space,
	.frames_from_ram_start = true,
	.phys_base_is_ram_start = true,
};
