/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64 in 64-bit mode; private to arch/, where arch.c lists it. */
#ifndef ARCH_X86_64_H
#define ARCH_X86_64_H

#include "arch/arch.h"

extern const struct arch arch_x86_64;

/* write_notes of arch_x86_64; see struct arch. */
void x86_64_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size);

#endif
