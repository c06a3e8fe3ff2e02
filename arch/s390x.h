/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s390x; private to arch/, where arch.c lists it. */
#ifndef ARCH_S390X_H
#define ARCH_S390X_H

#include "arch/arch.h"

extern const struct arch arch_s390x;

/* default_registers of arch_s390x: gdb's own layout. */
extern const struct arch_register s390x_registers[];

/* write_notes of arch_s390x; see struct arch. */
void s390x_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size);

#endif
