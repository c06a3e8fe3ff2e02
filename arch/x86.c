// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86.h"

enum { CPL_MASK = 3 };

/* With page-table isolation, the kernel's root and the one for user mode differ in this bit. */
#define PTI_USER_ROOT (UINT64_C(1) << 12)

int x86_check(const struct registers *cpus, size_t count, struct error *error)
{
	(void)cpus;
	return count ? 0 : error_set(error, "no vCPU");
}

bool x86_choose_root(const struct registers *cpu, unsigned nth, uint64_t *root)
{
	bool user_mode = registers_u64(cpu, "cs") & CPL_MASK;
	bool isolation = *root & PTI_USER_ROOT;

	if (nth > (isolation ? 1 : 0))
		return false;
	/*
	 * The bit may as well be part of an address. In user mode, isolation is tried first: its
	 * root for user mode maps just enough of the kernel to pass for the kernel's, whereas
	 * without isolation the page next to a root is hardly a table at all.
	 */
	if (isolation && (nth == 0) == user_mode)
		*root &= ~PTI_USER_ROOT;
	return true;
}
