/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 32-bit Arm in both byte orders; private to arch/, where arch.c lists them. */
#ifndef ARCH_ARM_H
#define ARCH_ARM_H

#include "arch/arch.h"

extern const struct arch arch_arm, arch_armeb;

/* gdb's own layout, which stubs without a register list rely on. */
extern const struct arch_register arm_registers[];

/* write_notes of both; see struct arch. */
void arm_write_notes(const struct registers *cpus, size_t count, struct notes *notes, char *missing,
	size_t missing_size);

/* page_table, user_table and paging_entry of both. */
bool arm_page_table(
	const struct registers *cpu, uint64_t ram_end, unsigned nth, struct page_table *table);
bool arm_user_table(const struct registers *cpu, uint64_t ram_end, struct page_table *table);
struct paging_entry arm_paging_entry(
	const struct page_table *table, unsigned level, uint64_t vaddr, uint64_t raw);

/*
 * The byte order of data at PL1, page tables included, in the security state that the vCPU is in;
 * false if the stub does not show the register that tells.
 */
bool arm_data_order(const struct registers *cpu, enum byte_order *order);

#endif
