// SPDX-License-Identifier: GPL-2.0-or-later
#include <assert.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86_64.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* struct elf_prstatus of Linux for x86_64. */
enum {
	PR_PID = 0x20,
	PR_REG = 0x70,
	PR_FPVALID = 0x148, /* stays 0: no note of floating-point registers follows */
	PRSTATUS_SIZE = 336,
};

/* struct QEMUCPUState of QEMU's target/i386/arch_dump.c, version 1. */
enum {
	CPU_VERSION = 0x0,
	CPU_SIZE = 0x4,
	CPU_GENERAL = 0x8,
	CPU_SEGMENTS = 0x98,
	CPU_CONTROL = 0x188,
	CPU_NOTE_SIZE = 440,
};

enum {
	SEGMENT_SELECTOR = 0,
	SEGMENT_LIMIT = 4,
	SEGMENT_FLAGS = 8,
	SEGMENT_BASE = 16,
	SEGMENT_SIZE = 24,
};

/* struct user_regs_struct of Linux; orig_rax is not a register of the CPU. */
static const char *const prstatus_names[] = { "r15", "r14", "r13", "r12", "rbp", "rbx", "r11",
	"r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi", NULL, "rip", "cs", "eflags", "rsp",
	"ss", "fs_base", "gs_base", "ds", "es", "fs", "gs" };

static const char *const general_names[] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "eflags" };

static const char *const segment_names[] = { "cs", "ds", "es", "fs", "gs", "ss", "ldt", "tr", "gdt",
	"idt" };

/* CR1 does not exist, but has its place. */
static const char *const control_names[] = { "cr0", NULL, "cr2", "cr3", "cr4", "k_gs_base" };

static_assert(PR_REG + 8 * ARRAY_SIZE(prstatus_names) == PR_FPVALID, "pr_reg");
static_assert(PR_FPVALID + 8 == PRSTATUS_SIZE, "struct elf_prstatus");
static_assert(CPU_GENERAL + 8 * ARRAY_SIZE(general_names) == CPU_SEGMENTS, "general registers");
static_assert(CPU_SEGMENTS + SEGMENT_SIZE * ARRAY_SIZE(segment_names) == CPU_CONTROL, "segments");
static_assert(CPU_CONTROL + 8 * ARRAY_SIZE(control_names) == CPU_NOTE_SIZE, "control registers");

/* What the notes hold, in the words in which a user is told that it is not there. */
static const struct {
	const char *title;
	const char *names[17];
} groups[] = {
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
};

/* Two names of one register, the better source first. */
static const struct {
	const char *better, *other;
} twins[] = {
	/*
	 * With TCG, the stub's eflags (and those of QEMU's own dumps) lack the arithmetic flags
	 * that nobody has needed yet; the monitor works them out.
	 */
	{ "rflags", "eflags" },
	/* While the code segment is a 32-bit one, the monitor cuts bases to 32 bits. */
	{ "fs_base", "fs.base" },
	{ "gs_base", "gs.base" },
};

static bool get(const struct registers *cpu, const char *name, uint64_t *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(twins); i++)
		if (!strcmp(name, twins[i].better) || !strcmp(name, twins[i].other))
			return registers_get_u64(cpu, twins[i].better, value) ||
			       registers_get_u64(cpu, twins[i].other, value);
	return registers_get_u64(cpu, name, value);
}

static uint64_t get_or_zero(const struct registers *cpu, const char *name)
{
	uint64_t value;

	return get(cpu, name, &value) ? value : 0;
}

static void put_values(
	uint8_t *to, const struct registers *cpu, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (names[i])
			put_le64(to + 8 * i, get_or_zero(cpu, names[i]));
}

static uint64_t segment_part(const struct registers *cpu, const char *segment, const char *part)
{
	char name[REGISTER_NAME_MAX];

	snprintf(name, sizeof(name), "%s.%s", segment, part);
	return get_or_zero(cpu, name);
}

/*
 * The flags are the upper half of the descriptor. QEMU's own dump may have bits of the base and
 * limit in there too, which its monitor does not show; readers take them from base and limit.
 */
static void put_segment(uint8_t *to, const struct registers *cpu, const char *name)
{
	put_le32(to + SEGMENT_SELECTOR, (uint32_t)get_or_zero(cpu, name));
	put_le32(to + SEGMENT_LIMIT, (uint32_t)segment_part(cpu, name, "limit"));
	put_le32(to + SEGMENT_FLAGS, (uint32_t)segment_part(cpu, name, "flags"));
	put_le64(to + SEGMENT_BASE, segment_part(cpu, name, "base"));
}

static void write_prstatus(const struct registers *cpu, struct notes *notes)
{
	uint8_t desc[PRSTATUS_SIZE] = { 0 };

	/* As the stub numbers its threads; drgn counts on it. */
	put_le32(desc + PR_PID, cpu->cpu + 1);
	put_values(desc + PR_REG, cpu, prstatus_names, ARRAY_SIZE(prstatus_names));
	notes_append(notes, "CORE", NT_PRSTATUS, desc, sizeof(desc));
}

static void write_cpu_state(const struct registers *cpu, struct notes *notes)
{
	uint8_t desc[CPU_NOTE_SIZE] = { 0 };

	put_le32(desc + CPU_VERSION, 1);
	put_le32(desc + CPU_SIZE, CPU_NOTE_SIZE);
	put_values(desc + CPU_GENERAL, cpu, general_names, ARRAY_SIZE(general_names));
	for (size_t i = 0; i < ARRAY_SIZE(segment_names); i++)
		put_segment(desc + CPU_SEGMENTS + i * SEGMENT_SIZE, cpu, segment_names[i]);
	put_values(desc + CPU_CONTROL, cpu, control_names, ARRAY_SIZE(control_names));
	notes_append(notes, "QEMU", 0, desc, sizeof(desc));
}

static bool lacks_any(const struct registers *cpus, size_t count, const char *const *names)
{
	uint64_t value;

	for (size_t i = 0; i < count; i++)
		for (const char *const *name = names; *name; name++)
			if (!get(&cpus[i], *name, &value))
				return true;
	return false;
}

static void name_missing(
	const struct registers *cpus, size_t count, char *missing, size_t missing_size)
{
	size_t used = 0;

	if (!missing_size)
		return;
	missing[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		const char *title = groups[i].title;
		size_t length = strlen(title) + (used ? 2 : 0);

		if (!lacks_any(cpus, count, groups[i].names) || length >= missing_size - used)
			continue;
		snprintf(missing + used, missing_size - used, "%s%s", used ? ", " : "", title);
		used += length;
	}
}

void x86_64_write_notes(const struct registers *cpus, size_t count, struct notes *notes,
	char *missing, size_t missing_size)
{
	/* crash pairs the nth note of a kind with the nth vCPU, so they come kind by kind. */
	for (size_t i = 0; i < count; i++)
		write_prstatus(&cpus[i], notes);
	for (size_t i = 0; i < count; i++)
		write_cpu_state(&cpus[i], notes);
	name_missing(cpus, count, missing, missing_size);
}
