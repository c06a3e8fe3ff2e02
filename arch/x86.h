/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What x86 vCPUs have in common, whatever their mode. Registers go by the names that stubs give
 * them, "rax" and "eax" being the same. Private to arch/.
 */
#ifndef ARCH_X86_H
#define ARCH_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/error.h"
#include "arch/notes.h"
#include "arch/registers.h"

#define X86_CR0_PG   (UINT64_C(1) << 31)
#define X86_EFER_LMA (UINT64_C(1) << 10)

/* check of the struct archs: -1 without any vCPU. */
int x86_check(const struct registers *cpus, size_t count, struct error *error);

/*
 * The nth root, as of page_table, of a kernel that may or may not isolate its page tables; *root is
 * the one that the vCPU shows. False when there are no more.
 */
bool x86_choose_root(const struct registers *cpu, unsigned nth, uint64_t *root);

/* What notes hold, in the words in which a user is told that it is not there. */
struct register_group {
	const char *title; /* NULL behind the last one */
	const char *names[19];
};

/* A struct elf_prstatus of Linux: where in it what lies, in bytes. */
struct x86_prstatus {
	uint16_t size, pr_pid, pr_reg;
	uint16_t register_size;   /* 4 or 8 */
	const char *const *names; /* of pr_reg; NULL for what is no register of the CPU */
	size_t count;
	const struct register_group *groups; /* of all notes */
};

/*
 * write_notes of a struct arch. The "QEMU" notes, which come behind those of this form, are the
 * same in all modes.
 */
void x86_write_notes(const struct x86_prstatus *form, const struct registers *cpus, size_t count,
	struct notes *notes, char *missing, size_t missing_size);

#endif
