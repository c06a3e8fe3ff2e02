// SPDX-License-Identifier: GPL-2.0-or-later
#include <assert.h>
#include <elf.h>

#include "arch/arm.h"
#include "arch/note_table.h"

/* What gdb takes the registers of an "arm" to be, with those of the floating-point accelerator. */
const struct arch_register arm_registers[] = {
	{ "r0", 32 },
	{ "r1", 32 },
	{ "r2", 32 },
	{ "r3", 32 },
	{ "r4", 32 },
	{ "r5", 32 },
	{ "r6", 32 },
	{ "r7", 32 },
	{ "r8", 32 },
	{ "r9", 32 },
	{ "r10", 32 },
	{ "r11", 32 },
	{ "r12", 32 },
	{ "sp", 32 },
	{ "lr", 32 },
	{ "pc", 32 },
	{ "f0", 96 },
	{ "f1", 96 },
	{ "f2", 96 },
	{ "f3", 96 },
	{ "f4", 96 },
	{ "f5", 96 },
	{ "f6", 96 },
	{ "f7", 96 },
	{ "fps", 32 },
	{ "cpsr", 32 },
	{ NULL, 0 },
};

/* struct elf_prstatus of Linux for Arm, with its user_regs; the last of them is no register. */
enum {
	PR_PID = 0x18,
	PR_REG = 0x48,
	PR_SP = PR_REG + 13 * 4,
	PR_LR = PR_SP + 4,
	PR_PC = PR_LR + 4,
	PR_CPSR = PR_PC + 4,
	PR_ORIG_R0 = PR_CPSR + 4,
	PR_FPVALID = 0x90,
	PRSTATUS_SIZE = 148,
};

/* struct user_vfp of Linux. */
enum {
	VFP_FPSCR = 32 * 8,
	VFP_SIZE = 260,
	VFP_FEW = 16, /* registers of a CPU that does not have all 32 */
};

static_assert(PR_ORIG_R0 + 4 == PR_FPVALID, "pr_reg");
static_assert(PR_FPVALID + 4 == PRSTATUS_SIZE, "struct elf_prstatus");
static_assert(VFP_FPSCR + 4 == VFP_SIZE, "struct user_vfp");

/* pr_fpvalid says whether a note of floating-point registers follows. */
#define PRSTATUS(status, fpvalid)                                                          \
	{                                                                                  \
		{ .offset = PR_REG, .size = 4, .name = "r", .count = 13 },                 \
			{ .offset = PR_SP, .size = 4, .name = "sp" },                      \
			{ .offset = PR_LR, .size = 4, .name = "lr" },                      \
			{ .offset = PR_PC, .size = 4, .name = "pc" },                      \
			{ .offset = PR_CPSR, .size = 4, .name = (status) },                \
			{ .offset = PR_FPVALID, .size = 4, .name = "", .first = fpvalid }, \
			{ .name = NULL },                                                  \
	}

#define VFP(registers)                                                                         \
	{                                                                                      \
		{ .offset = 0, .size = 8, .name = "d", .count = (registers) },                 \
			{ .offset = VFP_FPSCR, .size = 4, .name = "fpscr" }, { .name = NULL }, \
	}

static const struct note_field prstatus[] = PRSTATUS("cpsr", 0);
static const struct note_field prstatus_of_vfp[] = PRSTATUS("cpsr", 1);
/* The M profile has xPSR, whose flags are where those of a CPSR are. */
static const struct note_field prstatus_m[] = PRSTATUS("xpsr", 0);
static const struct note_field prstatus_m_of_vfp[] = PRSTATUS("xpsr", 1);
static const struct note_field vfp_few[] = VFP(VFP_FEW);
static const struct note_field vfp_all[] = VFP(2 * VFP_FEW);

enum { TABLES_MAX = 2 };

static bool has(const struct registers *cpu, const char *name)
{
	size_t size;

	return registers_find(cpu, name, &size) != NULL;
}

/* Returns how many tables a vCPU like this one has. */
static size_t choose_tables(const struct registers *cpu, struct note_table tables[TABLES_MAX])
{
	bool m_profile = !has(cpu, "cpsr") && has(cpu, "xpsr"), vfp = has(cpu, "d0");
	const struct note_field *status = vfp ? prstatus_of_vfp : prstatus;

	if (m_profile)
		status = vfp ? prstatus_m_of_vfp : prstatus_m;
	tables[0] = (struct note_table){ "CORE", NT_PRSTATUS, PRSTATUS_SIZE, PR_PID, status };
	tables[1] = (struct note_table){ "LINUX", NT_ARM_VFP, VFP_SIZE, 0,
		has(cpu, "d16") ? vfp_all : vfp_few };
	return vfp ? 2 : 1;
}

/* The vCPUs of a machine are of one kind. */
void arm_write_notes(const struct registers *cpus, size_t count, struct notes *notes, char *missing,
	size_t missing_size)
{
	static const struct registers none;
	struct note_table tables[TABLES_MAX];
	size_t table_count = choose_tables(count ? &cpus[0] : &none, tables);

	note_tables_write(tables, table_count, cpus, count, notes, missing, missing_size);
}
