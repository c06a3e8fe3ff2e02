/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PowerPC of 64 bits in both byte orders; private to arch/, where arch.c lists them. */
#ifndef ARCH_PPC64_H
#define ARCH_PPC64_H

#include "arch/arch.h"

extern const struct arch arch_ppc64, arch_ppc64le;

/* default_registers of both: gdb's own layout. */
extern const struct arch_register ppc64_registers[];

/* write_notes of both; see struct arch. */
void ppc64_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size);

#endif
