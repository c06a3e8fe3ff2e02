// SPDX-License-Identifier: GPL-2.0-or-later
#include <assert.h>

#include "arch/i386.h"
#include "arch/x86.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* struct elf_prstatus of Linux for i386. It is the same in a core of the 64-bit class. */
enum {
	PR_PID = 0x18,
	PR_REG = 0x48,
	PR_FPVALID = 0x8c, /* stays 0: no note of floating-point registers follows */
	PRSTATUS_SIZE = 144,
};

/* struct user_regs_struct of Linux; orig_eax is not a register of the CPU. */
static const char *const prstatus_names[] = { "ebx", "ecx", "edx", "esi", "edi", "ebp", "eax", "ds",
	"es", "fs", "gs", NULL, "eip", "cs", "eflags", "esp", "ss" };

static_assert(PR_REG + 4 * ARRAY_SIZE(prstatus_names) == PR_FPVALID, "pr_reg");
static_assert(PR_FPVALID + 4 == PRSTATUS_SIZE, "struct elf_prstatus");

static const struct register_group groups[] = {
	{ "general registers", { "eax", "ebx", "ecx", "edx", "esi", "edi", "esp", "ebp" } },
	{ "eip", { "eip" } },
	{ "eflags", { "eflags" } },
	{ "segment selectors", { "cs", "ds", "es", "fs", "gs", "ss" } },
	{ "cr0", { "cr0" } },
	{ "cr2", { "cr2" } },
	{ "cr3", { "cr3" } },
	{ "cr4", { "cr4" } },
	{ "gdt", { "gdt.base", "gdt.limit" } },
	{ "idt", { "idt.base", "idt.limit" } },
	{ "ldt", { "ldt", "ldt.base", "ldt.limit", "ldt.flags" } },
	{ "tr", { "tr", "tr.base", "tr.limit", "tr.flags" } },
	{ "segment descriptors",
		{ "cs.base", "cs.limit", "cs.flags", "ds.base", "ds.limit", "ds.flags", "es.base",
			"es.limit", "es.flags", "ss.base", "ss.limit", "ss.flags", "fs.base",
			"fs.limit", "fs.flags", "gs.base", "gs.limit", "gs.flags" } },
	{ .title = NULL },
};

static const struct x86_prstatus form = {
	.size = PRSTATUS_SIZE,
	.pr_pid = PR_PID,
	.pr_reg = PR_REG,
	.register_size = 4,
	.names = prstatus_names,
	.count = ARRAY_SIZE(prstatus_names),
	.groups = groups,
};

void i386_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size)
{
	x86_write_notes(&form, cpus, count, notes, missing, missing_size);
}
