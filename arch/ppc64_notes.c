// SPDX-License-Identifier: GPL-2.0-or-later
#include <assert.h>
#include <elf.h>

#include "arch/note_table.h"
#include "arch/ppc64.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

const struct arch_register ppc64_registers[] = {
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
	{ "r16", 64 },
	{ "r17", 64 },
	{ "r18", 64 },
	{ "r19", 64 },
	{ "r20", 64 },
	{ "r21", 64 },
	{ "r22", 64 },
	{ "r23", 64 },
	{ "r24", 64 },
	{ "r25", 64 },
	{ "r26", 64 },
	{ "r27", 64 },
	{ "r28", 64 },
	{ "r29", 64 },
	{ "r30", 64 },
	{ "r31", 64 },
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
	{ "f16", 64 },
	{ "f17", 64 },
	{ "f18", 64 },
	{ "f19", 64 },
	{ "f20", 64 },
	{ "f21", 64 },
	{ "f22", 64 },
	{ "f23", 64 },
	{ "f24", 64 },
	{ "f25", 64 },
	{ "f26", 64 },
	{ "f27", 64 },
	{ "f28", 64 },
	{ "f29", 64 },
	{ "f30", 64 },
	{ "f31", 64 },
	{ "pc", 64 },
	{ "msr", 64 },
	{ "cr", 32 },
	{ "lr", 64 },
	{ "ctr", 64 },
	{ "xer", 32 },
	{ "fpscr", 32 },
	{ NULL, 0 },
};

/* struct elf_prstatus of Linux for ppc64, with its pt_regs. */
enum {
	PR_PID = 0x20,
	PR_GPRS = 0x70,
	PR_NIP = 0x170,
	PR_MSR = 0x178,
	PR_ORIG_GPR3 = 0x180, /* no register of the CPU, nor are softe and what is behind ccr */
	PR_CTR = 0x188,
	PR_LINK = 0x190,
	PR_XER = 0x198,
	PR_CCR = 0x1a0,
	PR_SOFTE = 0x1a8,
	PR_FPVALID = 0x1d0, /* 48 registers have room, 44 are used */
	PRSTATUS_SIZE = 504,
};

static_assert(PR_GPRS + 32 * 8 == PR_NIP, "general registers");
static_assert(PR_GPRS + 44 * 8 == PR_FPVALID, "struct pt_regs");
static_assert(PR_GPRS + 48 * 8 + 8 == PRSTATUS_SIZE, "struct elf_prstatus");

static const struct note_field prstatus[] = {
	{ .offset = PR_GPRS, .size = 8, .name = "r", .count = 32 },
	{ .offset = PR_NIP, .size = 8, .name = "pc" },
	{ .offset = PR_MSR, .size = 8, .name = "msr" },
	{ .offset = PR_CTR, .size = 8, .name = "ctr" },
	{ .offset = PR_LINK, .size = 8, .name = "lr" },
	{ .offset = PR_XER, .size = 8, .name = "xer" },
	{ .offset = PR_CCR, .size = 8, .name = "cr" },
	{ .name = NULL },
};

static const struct note_field fpregs[] = {
	{ .offset = 0, .size = 8, .name = "f", .count = 32 },
	{ .offset = 32 * 8, .size = 8, .name = "fpscr" },
	{ .name = NULL },
};

/*
 * vscr is the last word of 16 bytes in either byte order, as QEMU writes it. What follows is
 * vrsave, which QEMU leaves zero.
 */
static const struct note_field vmx[] = {
	{ .offset = 0, .size = 16, .name = "vr", .count = 32 },
	{ .offset = 32 * 16 + 12, .size = 4, .name = "vscr" },
	{ .name = NULL },
};

/* The lower halves; the upper ones are the floating-point registers. */
static const struct note_field vsx[] = {
	{ .offset = 0, .size = 8, .name = "vs", .count = 32, .suffix = "h" },
	{ .name = NULL },
};

static const struct note_field nothing[] = { { .name = NULL } };

/* In the order of target/ppc/arch_dump.c of QEMU. No 64-bit CPU has what NT_PPC_SPE is for. */
static const struct note_table tables[] = {
	{ "CORE", NT_PRSTATUS, PRSTATUS_SIZE, PR_PID, prstatus },
	{ "CORE", NT_PRFPREG, 33 * 8, 0, fpregs },
	{ "CORE", NT_PPC_VMX, 34 * 16, 0, vmx },
	{ "CORE", NT_PPC_VSX, 32 * 8, 0, vsx },
	{ "CORE", NT_PPC_SPE, 35 * 4, 0, nothing },
};

void ppc64_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size)
{
	note_tables_write(tables, ARRAY_SIZE(tables), cpus, count, notes, missing, missing_size);
}
