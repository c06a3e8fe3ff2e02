// SPDX-License-Identifier: GPL-2.0-or-later
#include <assert.h>
#include <elf.h>
#include <stdio.h>

#include "arch/aarch64.h"
#include "arch/note_table.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

const struct arch_register aarch64_registers[] = {
	{ "x0", 64 },
	{ "x1", 64 },
	{ "x2", 64 },
	{ "x3", 64 },
	{ "x4", 64 },
	{ "x5", 64 },
	{ "x6", 64 },
	{ "x7", 64 },
	{ "x8", 64 },
	{ "x9", 64 },
	{ "x10", 64 },
	{ "x11", 64 },
	{ "x12", 64 },
	{ "x13", 64 },
	{ "x14", 64 },
	{ "x15", 64 },
	{ "x16", 64 },
	{ "x17", 64 },
	{ "x18", 64 },
	{ "x19", 64 },
	{ "x20", 64 },
	{ "x21", 64 },
	{ "x22", 64 },
	{ "x23", 64 },
	{ "x24", 64 },
	{ "x25", 64 },
	{ "x26", 64 },
	{ "x27", 64 },
	{ "x28", 64 },
	{ "x29", 64 },
	{ "x30", 64 },
	{ "sp", 64 },
	{ "pc", 64 },
	{ "cpsr", 32 },
	{ "v0", 128 },
	{ "v1", 128 },
	{ "v2", 128 },
	{ "v3", 128 },
	{ "v4", 128 },
	{ "v5", 128 },
	{ "v6", 128 },
	{ "v7", 128 },
	{ "v8", 128 },
	{ "v9", 128 },
	{ "v10", 128 },
	{ "v11", 128 },
	{ "v12", 128 },
	{ "v13", 128 },
	{ "v14", 128 },
	{ "v15", 128 },
	{ "v16", 128 },
	{ "v17", 128 },
	{ "v18", 128 },
	{ "v19", 128 },
	{ "v20", 128 },
	{ "v21", 128 },
	{ "v22", 128 },
	{ "v23", 128 },
	{ "v24", 128 },
	{ "v25", 128 },
	{ "v26", 128 },
	{ "v27", 128 },
	{ "v28", 128 },
	{ "v29", 128 },
	{ "v30", 128 },
	{ "v31", 128 },
	{ "fpsr", 32 },
	{ "fpcr", 32 },
	{ NULL, 0 },
};

/* struct elf_prstatus of Linux for arm64, with its user_pt_regs. */
enum {
	PR_PID = 0x20,
	PR_REG = 0x70,
	PR_SP = PR_REG + 31 * 8,
	PR_PC = PR_SP + 8,
	PR_PSTATE = PR_PC + 8,
	PR_FPVALID = 0x180,
	PRSTATUS_SIZE = 392,
};

/* struct user_fpsimd_state of Linux. */
enum {
	FP_STATUS = 32 * 16,
	FP_CONTROL = FP_STATUS + 4,
	PRFPREG_SIZE = 528,
};

static_assert(PR_PSTATE + 8 == PR_FPVALID, "pr_reg");
static_assert(PR_FPVALID + 8 == PRSTATUS_SIZE, "struct elf_prstatus");
static_assert(FP_CONTROL + 4 + 8 == PRFPREG_SIZE, "struct user_fpsimd_state");
static_assert((int)PRFPREG_SIZE <= (int)NOTE_TABLE_SIZE_MAX, "notes");

static const struct note_field prstatus[] = {
	{ .offset = PR_REG, .size = 8, .name = "x", .count = 31 },
	{ .offset = PR_SP, .size = 8, .name = "sp" },
	{ .offset = PR_PC, .size = 8, .name = "pc" },
	{ .offset = PR_PSTATE, .size = 8, .name = "cpsr" },
	{ .offset = PR_FPVALID, .size = 4, .name = "", .first = 1 },
	{ .name = NULL },
};

static const struct note_field prfpreg[] = {
	{ .offset = 0, .size = 16, .name = "v", .count = 32 },
	{ .offset = FP_STATUS, .size = 4, .name = "fpsr" },
	{ .offset = FP_CONTROL, .size = 4, .name = "fpcr" },
	{ .name = NULL },
};

/* The stub of a CPU with SVE has vectors as the low bytes of those. */
static const struct note_field prfpreg_of_sve[] = {
	{ .offset = 0, .size = 16, .name = "z", .count = 32 },
	{ .offset = FP_STATUS, .size = 4, .name = "fpsr" },
	{ .offset = FP_CONTROL, .size = 4, .name = "fpcr" },
	{ .name = NULL },
};

static const struct note_table tables[] = {
	{ "CORE", NT_PRSTATUS, PRSTATUS_SIZE, PR_PID, prstatus },
	{ "CORE", NT_PRFPREG, PRFPREG_SIZE, 0, prfpreg },
};

static const struct note_table tables_of_sve[] = {
	{ "CORE", NT_PRSTATUS, PRSTATUS_SIZE, PR_PID, prstatus },
	{ "CORE", NT_PRFPREG, PRFPREG_SIZE, 0, prfpreg_of_sve },
};

/* struct user_sve_header of Linux, and what follows it (Documentation/arch/arm64/sve.rst). */
enum {
	SVE_SIZE = 0,
	SVE_MAX_SIZE = 4,
	SVE_VL = 8,
	SVE_MAX_VL = 10,
	SVE_FLAGS = 12,
	SVE_VECTORS = 16,
	SVE_FLAG_SVE = 1, /* vectors, not those of floating point alone */
	SVE_ALIGN = 16,
	VL_MAX = 256, /* bytes of a vector */
	VECTORS = 32,
	PREDICATES = 16,
};

/* All behind the vectors: a predicate, and FFR, has a bit for a byte of a vector. */
static size_t sve_predicates(size_t vl)
{
	return SVE_VECTORS + VECTORS * vl;
}

static size_t sve_status(size_t vl)
{
	size_t end = sve_predicates(vl) + (PREDICATES + 1) * (vl / 8);

	return (end + SVE_ALIGN - 1) / SVE_ALIGN * SVE_ALIGN;
}

static size_t sve_size(size_t vl)
{
	return sve_status(vl) + SVE_ALIGN;
}

enum { SVE_SIZE_MAX = SVE_VECTORS + VECTORS * VL_MAX + (PREDICATES + 1) * VL_MAX / 8 + 32 };

static bool is_vector_length(size_t size)
{
	return size >= 16 && size <= VL_MAX && size % 16 == 0;
}

/* In bytes: what the CPU can have, 0 if it has no SVE. */
static size_t max_vector_length(const struct registers *cpu)
{
	size_t size;

	return registers_find(cpu, "z0", &size) && is_vector_length(size) ? size : 0;
}

/* vg counts 64-bit granules. */
static size_t vector_length(const struct registers *cpu)
{
	size_t max = max_vector_length(cpu);
	uint64_t granules = registers_u64(cpu, "vg");

	return granules <= max / 8 && is_vector_length(granules * 8) ? granules * 8 : max;
}

static void copy_low(const struct registers *cpu, const char *name, uint8_t *to, size_t size)
{
	/* As bytes, lowest first, in cores of either byte order; so Linux and QEMU have them. */
	registers_put(cpu, name, to, size, LITTLE);
}

static void write_sve(const struct registers *cpu, struct notes *notes)
{
	uint8_t desc[SVE_SIZE_MAX] = { 0 };
	size_t vl = vector_length(cpu), max = max_vector_length(cpu);
	uint8_t *predicates = desc + sve_predicates(vl);
	char name[REGISTER_NAME_MAX];

	static_assert(SVE_SIZE_MAX >= 16 + 32 * 256 + 17 * 32 + 15 + 16, "the largest");
	put_u32(desc + SVE_SIZE, (uint32_t)sve_size(vl), notes->order);
	put_u32(desc + SVE_MAX_SIZE, (uint32_t)sve_size(max), notes->order);
	put_u16(desc + SVE_VL, (uint16_t)vl, notes->order);
	put_u16(desc + SVE_MAX_VL, (uint16_t)max, notes->order);
	put_u16(desc + SVE_FLAGS, SVE_FLAG_SVE, notes->order);
	for (unsigned i = 0; i < VECTORS; i++) {
		snprintf(name, sizeof(name), "z%u", i);
		copy_low(cpu, name, desc + SVE_VECTORS + i * vl, vl);
	}
	for (unsigned i = 0; i < PREDICATES; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		copy_low(cpu, name, predicates + i * (vl / 8), vl / 8);
	}
	copy_low(cpu, "ffr", predicates + PREDICATES * (vl / 8), vl / 8);
	registers_put(cpu, "fpsr", desc + sve_status(vl), 4, notes->order);
	registers_put(cpu, "fpcr", desc + sve_status(vl) + 4, 4, notes->order);
	notes_append(notes, "LINUX", NT_ARM_SVE, desc, sve_size(vl));
}

void aarch64_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size)
{
	/* Cores of one machine may differ in what they have, not in whether they have SVE. */
	bool sve = count && max_vector_length(&cpus[0]);
	const struct note_table *of = sve ? tables_of_sve : tables;

	for (size_t i = 0; i < count; i++) {
		note_tables_write(of, ARRAY_SIZE(tables), &cpus[i], 1, notes, NULL, 0);
		if (max_vector_length(&cpus[i]))
			write_sve(&cpus[i], notes);
	}
	note_tables_name_missing(of, ARRAY_SIZE(tables), cpus, count, missing, missing_size);
}
