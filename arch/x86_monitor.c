// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_monitor.h"

#include <stdio.h>
#include <string.h>

#define BLOCK "CPU#"

enum { EFER_LMA = 1 << 10 };

/* The part of the listing that is about one vCPU. */
struct block {
	const char *text, *end;
};

/* A hexadecimal number, with as many digits as it was shown with. */
struct number {
	uint64_t value;
	unsigned digits;
};

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/*
 * The text behind "KEY=". Short keys are padded with blanks ("R8 =", "ES ="). The key must be a
 * word of its own: "CR2" is not in "XCR2=". Returns NULL if it is not there.
 */
static const char *find_key(const struct block *block, const char *key)
{
	size_t length = strlen(key);
	const char *at = block->text;

	while ((at = memmem(at, (size_t)(block->end - at), key, length))) {
		const char *behind = at + length;

		if (at == block->text || !is_word(at[-1])) {
			while (behind < block->end && *behind == ' ')
				behind++;
			if (behind < block->end && *behind == '=')
				return behind + 1;
		}
		at += length;
	}
	return NULL;
}

/*
 * The next number of the line, and *at behind it. QEMU shows 8 digits or 16 by the mode that the
 * vCPU runs in, and 4 for a selector. A number at the very end of the text may have been cut.
 */
static bool read_number(const struct block *block, const char **at, struct number *number)
{
	const char *p = *at;

	*number = (struct number){ 0 };
	while (p < block->end && *p == ' ')
		p++;
	for (; p < block->end && is_word(*p); p++, number->digits++) {
		unsigned digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			digit = (unsigned)(*p - 'a') + 10;
		else if (*p >= 'A' && *p <= 'F')
			digit = (unsigned)(*p - 'A') + 10;
		else
			return false;
		number->value = number->value << 4 | digit;
	}
	*at = p;
	return number->digits > 0 && number->digits <= 16 && p < block->end;
}

static bool add(struct registers *cpu, const char *name, uint64_t value)
{
	size_t size;

	return !registers_find(cpu, name, &size) && !registers_set_u64(cpu, name, value);
}

static bool add_part(struct registers *cpu, const char *name, const char *part, uint64_t value)
{
	char full[REGISTER_NAME_MAX];

	snprintf(full, sizeof(full), "%s.%s", name, part);
	return add(cpu, full, value);
}

static bool read_plain(
	const struct block *block, const char *key, struct registers *cpu, const char *name)
{
	const char *at = find_key(block, key);
	struct number number;

	return at && read_number(block, &at, &number) && add(cpu, name, number.value);
}

/* "CS =0010 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]" */
static bool read_descriptor(const struct block *block, const char *key, struct registers *cpu,
	const char *name, unsigned base_digits)
{
	const char *at = find_key(block, key);
	struct number selector, base, limit, flags;
	bool told;

	if (!at || !read_number(block, &at, &selector) || !read_number(block, &at, &base) ||
		!read_number(block, &at, &limit) || !read_number(block, &at, &flags))
		return false;
	told = add(cpu, name, selector.value);
	if (base.digits >= base_digits)
		told |= add_part(cpu, name, "base", base.value);
	told |= add_part(cpu, name, "limit", limit.value);
	told |= add_part(cpu, name, "flags", flags.value);
	return told;
}

static bool read_segment(
	const struct block *block, const char *key, struct registers *cpu, const char *name)
{
	return read_descriptor(block, key, cpu, name, 0);
}

/*
 * While a vCPU runs a 32-bit process of a 64-bit kernel, QEMU shows 8 digits of all segments'
 * bases. That of the LDT or TSS has 64 bits even then, and none is better than half of one.
 */
static bool read_system_segment(
	const struct block *block, const char *key, struct registers *cpu, const char *name)
{
	uint64_t efer;
	bool narrow = registers_get_u64(cpu, "efer", &efer) && !(efer & EFER_LMA);

	return read_descriptor(block, key, cpu, name, narrow ? 0 : 16);
}

/* "GDT=     fffffe0000001000 0000007f" */
static bool read_table(
	const struct block *block, const char *key, struct registers *cpu, const char *name)
{
	const char *at = find_key(block, key);
	struct number base, limit;
	bool told;

	if (!at || !read_number(block, &at, &base) || !read_number(block, &at, &limit))
		return false;
	told = add_part(cpu, name, "base", base.value);
	told |= add_part(cpu, name, "limit", limit.value);
	return told;
}

static bool read_block(const struct block *block, struct registers *cpu)
{
	static const struct {
		const char *key, *name;
		bool (*read)(const struct block *block, const char *key, struct registers *cpu,
			const char *name);
	} fields[] = {
		{ "RFL", "rflags", read_plain },
		{ "EFL", "rflags", read_plain },
		{ "CR0", "cr0", read_plain },
		{ "CR2", "cr2", read_plain },
		{ "CR3", "cr3", read_plain },
		{ "CR4", "cr4", read_plain },
		{ "EFER", "efer", read_plain }, /* before the system segments, which look at it */
		{ "DR0", "dr0", read_plain },
		{ "DR1", "dr1", read_plain },
		{ "DR2", "dr2", read_plain },
		{ "DR3", "dr3", read_plain },
		{ "DR6", "dr6", read_plain },
		{ "DR7", "dr7", read_plain },
		{ "ES", "es", read_segment },
		{ "CS", "cs", read_segment },
		{ "SS", "ss", read_segment },
		{ "DS", "ds", read_segment },
		{ "FS", "fs", read_segment },
		{ "GS", "gs", read_segment },
		{ "LDT", "ldt", read_system_segment },
		{ "TR", "tr", read_system_segment },
		{ "GDT", "gdt", read_table },
		{ "IDT", "idt", read_table },
	};
	bool told = false;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		told |= fields[i].read(block, fields[i].key, cpu, fields[i].name);
	return told;
}

/* The next line that begins with "CPU#", or the end of the text. */
static const char *find_header(const char *text)
{
	const char *at = text;

	while ((at = strstr(at, BLOCK))) {
		if (at == text || at[-1] == '\n')
			return at;
		at += strlen(BLOCK);
	}
	return text + strlen(text);
}

static struct registers *find_cpu(const char *digits, struct registers *cpus, size_t count)
{
	unsigned cpu = 0;

	if (*digits < '0' || *digits > '9')
		return NULL;
	for (; *digits >= '0' && *digits <= '9'; digits++) {
		if (cpu > 99999)
			return NULL;
		cpu = 10 * cpu + (unsigned)(*digits - '0');
	}
	for (size_t i = 0; i < count; i++)
		if (cpus[i].cpu == cpu)
			return &cpus[i];
	return NULL;
}

size_t x86_monitor_read(const char *text, struct registers *cpus, size_t count)
{
	const char *header = find_header(text);
	size_t told = 0;

	/* Without the header, as QEMU shows a vCPU that was not asked for by number. */
	if (!*header && count == 1)
		return read_block(&(struct block){ text, header }, &cpus[0]);

	while (*header) {
		struct registers *cpu = find_cpu(header + strlen(BLOCK), cpus, count);
		struct block block = { header, find_header(header + strlen(BLOCK)) };

		/* A block that comes again tells nothing new, and so is not counted. */
		if (cpu && read_block(&block, cpu))
			told++;
		header = block.end;
	}
	return told;
}
