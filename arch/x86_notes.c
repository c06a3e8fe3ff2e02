// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86.h"

#include <assert.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The x86_64 one */
enum { PRSTATUS_SIZE_MAX = 336 };

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

static const char *const general_names[] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "eflags" };

static const char *const segment_names[] = { "cs", "ds", "es", "fs", "gs", "ss", "ldt", "tr", "gdt",
	"idt" };

/* CR1 does not exist, but has its place. */
static const char *const control_names[] = { "cr0", NULL, "cr2", "cr3", "cr4", "k_gs_base" };

static_assert(CPU_GENERAL + 8 * ARRAY_SIZE(general_names) == CPU_SEGMENTS, "general registers");
static_assert(CPU_SEGMENTS + SEGMENT_SIZE * ARRAY_SIZE(segment_names) == CPU_CONTROL, "segments");
static_assert(CPU_CONTROL + 8 * ARRAY_SIZE(control_names) == CPU_NOTE_SIZE, "control registers");

/* Two names of one register, the better source first. */
static const struct {
	const char *better, *other;
} twins[] = {
	/* A stub of a 64-bit CPU in 32-bit mode shows the 32-bit registers as parts of its own. */
	{ "rax", "eax" },
	{ "rbx", "ebx" },
	{ "rcx", "ecx" },
	{ "rdx", "edx" },
	{ "rsi", "esi" },
	{ "rdi", "edi" },
	{ "rsp", "esp" },
	{ "rbp", "ebp" },
	{ "rip", "eip" },
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

/* One behind the other, of size bytes (4 or 8). */
static void put_registers(uint8_t *to, unsigned size, const struct registers *cpu,
	const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = names[i] ? get_or_zero(cpu, names[i]) : 0;

		if (size == 8)
			put_le64(to + 8 * i, value);
		else
			put_le32(to + 4 * i, (uint32_t)value);
	}
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

static void write_prstatus(
	const struct x86_prstatus *form, const struct registers *cpu, struct notes *notes)
{
	uint8_t desc[PRSTATUS_SIZE_MAX] = { 0 };

	/* As the stub numbers its threads; drgn counts on it. */
	put_le32(desc + form->pr_pid, cpu->cpu + 1);
	put_registers(desc + form->pr_reg, form->register_size, cpu, form->names, form->count);
	notes_append(notes, "CORE", NT_PRSTATUS, desc, form->size);
}

static void write_cpu_state(const struct registers *cpu, struct notes *notes)
{
	uint8_t desc[CPU_NOTE_SIZE] = { 0 };

	put_le32(desc + CPU_VERSION, 1);
	put_le32(desc + CPU_SIZE, CPU_NOTE_SIZE);
	put_registers(desc + CPU_GENERAL, 8, cpu, general_names, ARRAY_SIZE(general_names));
	for (size_t i = 0; i < ARRAY_SIZE(segment_names); i++)
		put_segment(desc + CPU_SEGMENTS + i * SEGMENT_SIZE, cpu, segment_names[i]);
	put_registers(desc + CPU_CONTROL, 8, cpu, control_names, ARRAY_SIZE(control_names));
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

/* The titles of all groups that lack a register of some vCPU; missing as of write_notes. */
static void name_missing(const struct register_group *groups, const struct registers *cpus,
	size_t count, char *missing, size_t missing_size)
{
	size_t used = 0;

	if (!missing_size)
		return;
	missing[0] = '\0';
	for (const struct register_group *group = groups; group->title; group++) {
		const char *title = group->title;
		size_t length = strlen(title) + (used ? 2 : 0);

		if (!lacks_any(cpus, count, group->names) || length >= missing_size - used)
			continue;
		snprintf(missing + used, missing_size - used, "%s%s", used ? ", " : "", title);
		used += length;
	}
}

void x86_write_notes(const struct x86_prstatus *form, const struct registers *cpus, size_t count,
	struct notes *notes, char *missing, size_t missing_size)
{
	/* crash pairs the nth note of a kind with the nth vCPU, so they come kind by kind. */
	for (size_t i = 0; i < count; i++)
		write_prstatus(form, &cpus[i], notes);
	for (size_t i = 0; i < count; i++)
		write_cpu_state(&cpus[i], notes);
	name_missing(form->groups, cpus, count, missing, missing_size);
}
