/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 64-bit Arm in both byte orders; private to arch/, where arch.c lists them. */
#ifndef ARCH_AARCH64_H
#define ARCH_AARCH64_H

#include "arch/arch.h"

extern const struct arch arch_aarch64, arch_aarch64_be;

/* gdb's own layout, which stubs without a register list rely on. */
extern const struct arch_register aarch64_registers[];

/* write_notes of both; see struct arch. */
void aarch64_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size);

#endif
