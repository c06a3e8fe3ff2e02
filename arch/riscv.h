/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RISC-V of 64 and of 32 bits; private to arch/, where arch.c lists it. */
#ifndef ARCH_RISCV_H
#define ARCH_RISCV_H

#include "arch/arch.h"

extern const struct arch arch_riscv64, arch_riscv32;

/* default_registers: the general ones and pc, as gdb's own feature org.gnu.gdb.riscv.cpu. */
extern const struct arch_register riscv64_registers[], riscv32_registers[];

/* write_notes of each; see struct arch. */
void riscv64_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size);
void riscv32_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size);

#endif
