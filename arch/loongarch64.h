/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LoongArch of 64 bits; private to arch/, where arch.c lists it. */
#ifndef ARCH_LOONGARCH64_H
#define ARCH_LOONGARCH64_H

#include "arch/arch.h"

extern const struct arch arch_loongarch64;

extern const struct arch_register loongarch64_registers[];

/*
 * The eight condition flags as gdb has them, fcc0 to fcc7, from a 64-bit fcc as QEMU up to 8.1
 * has them, if that is there.
 */
void loongarch64_split_fcc(struct registers *cpu);

/* write_notes of arch_loongarch64; see struct arch. */
void loongarch64_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size);

#endif
