/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notes as tables: where in a descriptor which register lies. A field is an integer in the core's
 * byte order, whatever the size and byte order in which the stub sent the register.
 */
#ifndef ARCH_NOTE_TABLE_H
#define ARCH_NOTE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "arch/notes.h"
#include "arch/registers.h"

/*
 * One register, or count > 0 of them, one behind the other, whose names are numbers from `first`
 * between name and suffix. With an empty name, the number `first` itself.
 */
struct note_field {
	uint16_t offset;
	uint8_t size; /* bytes of each */
	uint8_t count, first;
	const char *name, *suffix;
};

struct note_table {
	const char *owner;
	uint32_t type;
	uint16_t size;
	uint16_t pid; /* offset of a 32-bit vCPU index + 1, as the stub numbers its threads; or 0 */
	const struct note_field *fields; /* ends with a NULL name */
};

enum { NOTE_TABLE_SIZE_MAX = 1024 };

/*
 * Appends all tables' notes for the first vCPU, then those for the next. Names in missing (a
 * comma-separated list of at most missing_size bytes) the registers that no stub gave for some
 * vCPU, which are zero, those of one field as "r0-r31".
 */
void note_tables_write(const struct note_table *tables, size_t table_count,
	const struct registers *cpus, size_t cpu_count, struct notes *notes, char *missing,
	size_t missing_size);

/* The second half of that alone, for who puts other notes between those of the tables. */
void note_tables_name_missing(const struct note_table *tables, size_t table_count,
	const struct registers *cpus, size_t cpu_count, char *missing, size_t missing_size);

#endif
