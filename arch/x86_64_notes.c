// SPDX-License-Identifier: GPL-2.0-or-later
#include <assert.h>

#include "arch/x86.h"
#include "arch/x86_64.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* struct elf_prstatus of Linux for x86_64. */
enum {
	PR_PID = 0x20,
	PR_REG = 0x70,
	PR_FPVALID = 0x148, /* stays 0: no note of floating-point registers follows */
	PRSTATUS_SIZE = 336,
};

/* struct user_regs_struct of Linux; orig_rax is not a register of the CPU. */
static const char *const prstatus_names[] = { "r15", "r14", "r13", "r12", "rbp", "rbx", "r11",
	"r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi", NULL, "rip", "cs", "eflags", "rsp",
	"ss", "fs_base", "gs_base", "ds", "es", "fs", "gs" };

static_assert(PR_REG + 8 * ARRAY_SIZE(prstatus_names) == PR_FPVALID, "pr_reg");
static_assert(PR_FPVALID + 8 == PRSTATUS_SIZE, "struct elf_prstatus");

static const struct register_group groups[] = {
	{ "general registers", { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8", "r9",
				       "r10", "r11", "r12", "r13", "r14", "r15" } },
	{ "rip", { "rip" } },
	{ "eflags", { "eflags" } },
	{ "segment selectors", { "cs", "ds", "es", "fs", "gs", "ss" } },
	{ "fs_base", { "fs_base" } },
	{ "gs_base", { "gs_base" } },
	{ "k_gs_base", { "k_gs_base" } },
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
			"es.limit", "es.flags", "ss.base", "ss.limit", "ss.flags", "fs.limit",
			"fs.flags", "gs.limit", "gs.flags" } },
	{ .title = NULL },
};

static const struct x86_prstatus form = {
	.size = PRSTATUS_SIZE,
	.pr_pid = PR_PID,
	.pr_reg = PR_REG,
	.register_size = 8,
	.names = prstatus_names,
	.count = ARRAY_SIZE(prstatus_names),
	.groups = groups,
};

void x86_64_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size)
{
	x86_write_notes(&form, cpus, count, notes, missing, missing_size);
}
