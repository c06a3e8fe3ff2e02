// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/arch.h"

#include <string.h>

#include "arch/aarch64.h"
#include "arch/loongarch64.h"
#include "arch/ppc64.h"
#include "arch/riscv.h"
#include "arch/s390x.h"
#include "arch/x86_64.h"

const struct arch *const arch_all[] = {
	&arch_x86_64,
	&arch_aarch64,
	&arch_aarch64_be,
	&arch_riscv64,
	&arch_riscv32,
	&arch_ppc64,
	&arch_ppc64le,
	&arch_s390x,
	&arch_loongarch64,
	NULL,
};

const struct arch *arch_find(const char *name)
{
	for (const struct arch *const *arch = arch_all; *arch; arch++) {
		if (!strcmp((*arch)->name, name))
			return *arch;
		for (const char *const *stub = (*arch)->stub_names; *stub; stub++)
			if (!strcmp(*stub, name))
				return *arch;
	}
	return NULL;
}
