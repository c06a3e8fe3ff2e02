// SPDX-License-Identifier: GPL-2.0-or-later
#include <assert.h>
#include <elf.h>

#include "arch/note_table.h"
#include "arch/riscv.h"

/* struct elf_prstatus of Linux: its pr_reg is pc and the general registers but for x0. */
enum {
	GENERAL_COUNT = 31,
	PID_64 = 0x20,
	REG_64 = 0x70,
	PRSTATUS_SIZE_64 = 376,
	PID_32 = 0x18,
	REG_32 = 0x48,
	PRSTATUS_SIZE_32 = 204,
};

/* pr_fpvalid follows, which is 0: no note of floating-point registers does. */
static_assert(REG_64 + 8 * (1 + GENERAL_COUNT) + 8 == PRSTATUS_SIZE_64, "struct elf_prstatus");
static_assert(REG_32 + 4 * (1 + GENERAL_COUNT) + 4 == PRSTATUS_SIZE_32, "struct elf_prstatus");

/* x1 to x31, by the names that the calling convention gives them. */
#define GENERAL(do, bits)                                                                      \
	do                                                                                     \
	(ra, bits, 0) do(sp, bits, 1) do(gp, bits, 2) do(tp, bits, 3) do(t0, bits, 4) do(      \
		t1, bits, 5) do(t2, bits, 6) do(fp, bits, 7) do(s1, bits, 8) do(a0, bits,      \
		9) do(a1, bits, 10) do(a2, bits, 11) do(a3, bits, 12) do(a4, bits, 13) do(a5,  \
		bits, 14) do(a6, bits, 15) do(a7, bits, 16) do(s2, bits, 17) do(s3, bits,      \
		18) do(s4, bits, 19) do(s5, bits, 20) do(s6, bits, 21) do(s7, bits, 22) do(s8, \
		bits, 23) do(s9, bits, 24) do(s10, bits, 25) do(s11, bits, 26) do(t3, bits,    \
		27) do(t4, bits, 28) do(t5, bits, 29) do(t6, bits, 30)

/* clang-format off */
#define AS_FIELD(reg, bits, nth) \
	{ .offset = REG_##bits + (bits / 8) * (1 + (nth)), .size = bits / 8, .name = #reg },
#define AS_REGISTER(reg, bits, nth) { #reg, bits },

static const struct note_field prstatus_64[] = {
	{ .offset = REG_64, .size = 8, .name = "pc" },
	GENERAL(AS_FIELD, 64)
	{ .name = NULL },
};

static const struct note_field prstatus_32[] = {
	{ .offset = REG_32, .size = 4, .name = "pc" },
	GENERAL(AS_FIELD, 32)
	{ .name = NULL },
};

const struct arch_register riscv64_registers[] = {
	{ "zero", 64 },
	GENERAL(AS_REGISTER, 64)
	{ "pc", 64 },
	{ NULL, 0 },
};

const struct arch_register riscv32_registers[] = {
	{ "zero", 32 },
	GENERAL(AS_REGISTER, 32)
	{ "pc", 32 },
	{ NULL, 0 },
};
/* clang-format on */

void riscv64_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size)
{
	static const struct note_table table = {
		.owner = "CORE",
		.type = NT_PRSTATUS,
		.size = PRSTATUS_SIZE_64,
		.pid = PID_64,
		.fields = prstatus_64,
	};

	note_tables_write(&table, 1, cpus, count, notes, missing, missing_size);
}

void riscv32_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size)
{
	static const struct note_table table = {
		.owner = "CORE",
		.type = NT_PRSTATUS,
		.size = PRSTATUS_SIZE_32,
		.pid = PID_32,
		.fields = prstatus_32,
	};

	note_tables_write(&table, 1, cpus, count, notes, missing, missing_size);
}
