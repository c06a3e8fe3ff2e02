/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86 in every mode but the 64-bit one; private to arch/, where arch.c lists it. */
#ifndef ARCH_I386_H
#define ARCH_I386_H

#include "arch/arch.h"

extern const struct arch arch_i386;

/* write_notes of arch_i386; see struct arch. */
void i386_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size);

#endif
