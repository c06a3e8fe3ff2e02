// SPDX-License-Identifier: GPL-2.0-or-later
#include <assert.h>
#include <elf.h>
#include <stdio.h>

#include "arch/loongarch64.h"
#include "arch/note_table.h"

enum { GENERAL_COUNT = 32, FLOAT_COUNT = 32, CONDITION_COUNT = 8 };

/* struct elf_prstatus of Linux; its pr_reg is struct user_pt_regs, which ends with 10 reserved. */
enum {
	PID = 0x20,
	REG = 0x70,
	ORIG_A0 = REG + 8 * GENERAL_COUNT,
	ERA = ORIG_A0 + 8,
	BADV = ERA + 8,
	FPVALID = BADV + 8 + 8 * 10,
	PRSTATUS_SIZE = 480,
};

/* struct user_fp_state of Linux. */
enum { FCC = 8 * FLOAT_COUNT, FCSR = FCC + CONDITION_COUNT, FPREG_SIZE = 268 };

static_assert(FPVALID == 0x1d8 && FPVALID + 8 == PRSTATUS_SIZE, "struct elf_prstatus");
static_assert(FCSR + 4 == FPREG_SIZE, "struct user_fp_state");

static const struct note_field prstatus[] = {
	{ .offset = REG, .size = 8, .count = GENERAL_COUNT, .name = "r" },
	{ .offset = ORIG_A0, .size = 8, .name = "orig_a0" },
	/*
	 * Where the CPU was stopped. QEMU's own cores have CSR.ERA here, which says where the last
	 * exception came from.
	 */
	{ .offset = ERA, .size = 8, .name = "pc" },
	{ .offset = BADV, .size = 8, .name = "badv" },
	/* The note of floating-point registers follows. */
	{ .offset = FPVALID, .size = 4, .first = 1, .name = "" },
	{ .name = NULL },
};

static const struct note_field float_registers[] = {
	{ .offset = 0, .size = 8, .count = FLOAT_COUNT, .name = "f" },
	{ .offset = FCC, .size = 1, .count = CONDITION_COUNT, .name = "fcc" },
	{ .offset = FCSR, .size = 4, .name = "fcsr" },
	{ .name = NULL },
};

static const struct note_table tables[] = {
	{
		.owner = "CORE",
		.type = NT_PRSTATUS,
		.size = PRSTATUS_SIZE,
		.pid = PID,
		.fields = prstatus,
	},
	{
		.owner = "CORE",
		.type = NT_PRFPREG,
		.size = FPREG_SIZE,
		.fields = float_registers,
	},
};

/* The feature org.gnu.gdb.loongarch.base. */
const struct arch_register loongarch64_registers[] = { { "r0", 64 }, { "r1", 64 }, { "r2", 64 },
	{ "r3", 64 }, { "r4", 64 }, { "r5", 64 }, { "r6", 64 }, { "r7", 64 }, { "r8", 64 },
	{ "r9", 64 }, { "r10", 64 }, { "r11", 64 }, { "r12", 64 }, { "r13", 64 }, { "r14", 64 },
	{ "r15", 64 }, { "r16", 64 }, { "r17", 64 }, { "r18", 64 }, { "r19", 64 }, { "r20", 64 },
	{ "r21", 64 }, { "r22", 64 }, { "r23", 64 }, { "r24", 64 }, { "r25", 64 }, { "r26", 64 },
	{ "r27", 64 }, { "r28", 64 }, { "r29", 64 }, { "r30", 64 }, { "r31", 64 },
	{ "orig_a0", 64 }, { "pc", 64 }, { "badv", 64 }, { NULL, 0 } };

void loongarch64_split_fcc(struct registers *cpu)
{
	size_t size;
	const uint8_t *found = registers_find(cpu, "fcc", &size);
	uint8_t bytes[CONDITION_COUNT];

	if (!found || size != sizeof(bytes))
		return;
	memcpy(bytes, found, sizeof(bytes));
	for (unsigned i = 0; i < CONDITION_COUNT; i++) {
		char name[REGISTER_NAME_MAX];

		snprintf(name, sizeof(name), "fcc%u", i);
		registers_set(cpu, name, &bytes[i], 1);
	}
}

void loongarch64_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size)
{
	note_tables_write(tables, sizeof(tables) / sizeof(*tables), cpus, count, notes, missing,
		missing_size);
}
