// SPDX-License-Identifier: GPL-2.0-or-later
/* The text in which a monitor shows registers, for every CPU that has one; and notes of those. */
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "tests/fuzz/fuzz.h"

enum { CPUS = 3 };

static void check_registers(const struct registers *cpu)
{
	CHECK(cpu->count <= REGISTERS_MAX && cpu->count <= cpu->capacity);
	CHECK(cpu->used <= cpu->room);
	for (size_t i = 0; i < cpu->count; i++) {
		const struct register_value *value = &cpu->values[i];
		size_t size;

		CHECK(value->name[0] && memchr(value->name, '\0', sizeof(value->name)));
		CHECK(value->size && value->size <= REGISTER_SIZE_MAX);
		CHECK(value->offset <= cpu->used && value->size <= cpu->used - value->offset);
		/* There is but one of the name. */
		CHECK(registers_find(cpu, value->name, &size) == cpu->bytes + value->offset);
	}
}

static void check_notes(const struct arch *arch, const struct registers *cpus)
{
	struct notes notes;
	struct note note;
	size_t offset = 0, count = 0;
	char missing[256] = "";

	notes_init(&notes, arch->order);
	arch->write_notes(cpus, CPUS, &notes, missing, sizeof(missing));
	CHECK(!notes.failed && memchr(missing, '\0', sizeof(missing)));
	while (notes_next(notes.bytes, notes.size, arch->order, &offset, &note))
		count++;
	CHECK(offset == notes.size && count >= CPUS);
	notes_deinit(&notes);
}

static void try_arch(const struct arch *arch, const char *text)
{
	struct registers cpus[CPUS];
	struct error error;

	for (unsigned i = 0; i < CPUS; i++) {
		registers_init(&cpus[i], i, arch->order);
		/* What the stub has told already stays. */
		CHECK(registers_set_u64(&cpus[i], "cr0", UINT64_C(0x123456789abcdef0) + i) == 0);
	}
	CHECK(arch->read_monitor(text, cpus, CPUS) <= CPUS * strlen(text));
	for (unsigned i = 0; i < CPUS; i++) {
		CHECK(registers_u64(&cpus[i], "cr0") == UINT64_C(0x123456789abcdef0) + i);
		check_registers(&cpus[i]);
	}
	/* The second time may know more, by the mode that the first one told; then there is no
	 * more. */
	arch->read_monitor(text, cpus, CPUS);
	CHECK(arch->read_monitor(text, cpus, CPUS) == 0);
	arch->read_monitor(text, cpus, 1);
	if (arch->check(cpus, CPUS, &error))
		fuzz_check_line(error.text, sizeof(error.text));
	check_notes(arch, cpus);
	for (unsigned i = 0; i < CPUS; i++)
		registers_deinit(&cpus[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	for (size_t i = 0; arch_all[i]; i++)
		if (arch_all[i]->read_monitor)
			try_arch(arch_all[i], text);
	free(text);
	return 0;
}
