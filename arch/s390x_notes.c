// SPDX-License-Identifier: GPL-2.0-or-later
#include <assert.h>
#include <elf.h>

#include "arch/note_table.h"
#include "arch/s390x.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

const struct arch_register s390x_registers[] = {
	{ "pswm", 64 },
	{ "pswa", 64 },
	{ "r0", 64 },
	{ "r1", 64 },
	{ "r2", 64 },
	{ "r3", 64 },
	{ "r4", 64 },
	{ "r5", 64 },
	{ "r6", 64 },
	{ "r7", 64 },
	{ "r8", 64 },
	{ "r9", 64 },
	{ "r10", 64 },
	{ "r11", 64 },
	{ "r12", 64 },
	{ "r13", 64 },
	{ "r14", 64 },
	{ "r15", 64 },
	{ "acr0", 32 },
	{ "acr1", 32 },
	{ "acr2", 32 },
	{ "acr3", 32 },
	{ "acr4", 32 },
	{ "acr5", 32 },
	{ "acr6", 32 },
	{ "acr7", 32 },
	{ "acr8", 32 },
	{ "acr9", 32 },
	{ "acr10", 32 },
	{ "acr11", 32 },
	{ "acr12", 32 },
	{ "acr13", 32 },
	{ "acr14", 32 },
	{ "acr15", 32 },
	{ "fpc", 32 },
	{ "f0", 64 },
	{ "f1", 64 },
	{ "f2", 64 },
	{ "f3", 64 },
	{ "f4", 64 },
	{ "f5", 64 },
	{ "f6", 64 },
	{ "f7", 64 },
	{ "f8", 64 },
	{ "f9", 64 },
	{ "f10", 64 },
	{ "f11", 64 },
	{ "f12", 64 },
	{ "f13", 64 },
	{ "f14", 64 },
	{ "f15", 64 },
	{ NULL, 0 },
};

/* struct elf_prstatus of Linux for s390x, with its s390_regs. */
enum {
	PR_PID = 0x20,
	PR_PSW = 0x70,
	PR_GPRS = 0x80,
	PR_ACRS = 0x100,
	PR_ORIG_GPR2 = 0x140, /* no register of the CPU */
	PRSTATUS_SIZE = 336,
};

static_assert(PR_PSW + 16 == PR_GPRS, "psw");
static_assert(PR_GPRS + 16 * 8 == PR_ACRS, "general registers");
static_assert(PR_ACRS + 16 * 4 == PR_ORIG_GPR2, "access registers");
static_assert(PR_ORIG_GPR2 + 8 + 8 == PRSTATUS_SIZE, "struct elf_prstatus");

static const struct note_field prstatus[] = {
	{ .offset = PR_PSW, .size = 8, .name = "pswm" },
	{ .offset = PR_PSW + 8, .size = 8, .name = "pswa" },
	{ .offset = PR_GPRS, .size = 8, .name = "r", .count = 16 },
	{ .offset = PR_ACRS, .size = 4, .name = "acr", .count = 16 },
	{ .name = NULL },
};

static const struct note_field fpregs[] = {
	{ .offset = 0, .size = 4, .name = "fpc" },
	{ .offset = 8, .size = 8, .name = "f", .count = 16 },
	{ .name = NULL },
};

static const struct note_field prefix[] = {
	{ .size = 4, .name = "prefix" },
	{ .name = NULL },
};

static const struct note_field control[] = {
	{ .size = 8, .name = "cr", .count = 16 },
	{ .name = NULL },
};

static const struct note_field timer[] = {
	{ .size = 8, .name = "cputm" },
	{ .name = NULL },
};

static const struct note_field clock_comparator[] = {
	{ .size = 8, .name = "ckc" },
	{ .name = NULL },
};

/* No stub has it. */
static const struct note_field tod_programmable[] = {
	{ .size = 4, .name = "todpr" },
	{ .name = NULL },
};

/* The upper halves of these are the floating-point registers. */
static const struct note_field vector_low[] = {
	{ .size = 8, .name = "v", .count = 16, .suffix = "l" },
	{ .name = NULL },
};

static const struct note_field vector_high[] = {
	{ .size = 16, .name = "v", .count = 16, .first = 16 },
	{ .name = NULL },
};

static const struct note_field guarded_storage[] = {
	{ .offset = 0, .size = 8, .name = "gs_reserved" },
	{ .offset = 8, .size = 8, .name = "gsd" },
	{ .offset = 16, .size = 8, .name = "gssm" },
	{ .offset = 24, .size = 8, .name = "gsepla" },
	{ .name = NULL },
};

/* In the order of target/s390x/arch_dump.c of QEMU. */
static const struct note_table tables[] = {
	{ "CORE", NT_PRSTATUS, PRSTATUS_SIZE, PR_PID, prstatus },
	{ "CORE", NT_FPREGSET, 8 + 16 * 8, 0, fpregs },
	{ "LINUX", NT_S390_PREFIX, 4, 0, prefix },
	{ "LINUX", NT_S390_CTRS, 16 * 8, 0, control },
	{ "LINUX", NT_S390_TIMER, 8, 0, timer },
	{ "LINUX", NT_S390_TODCMP, 8, 0, clock_comparator },
	{ "LINUX", NT_S390_TODPREG, 4, 0, tod_programmable },
	{ "LINUX", NT_S390_VXRS_LOW, 16 * 8, 0, vector_low },
	{ "LINUX", NT_S390_VXRS_HIGH, 16 * 16, 0, vector_high },
	{ "LINUX", NT_S390_GS_CB, 4 * 8, 0, guarded_storage },
};

void s390x_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size)
{
	note_tables_write(tables, ARRAY_SIZE(tables), cpus, count, notes, missing, missing_size);
}
