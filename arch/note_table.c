// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/note_table.h"

#include <stdio.h>
#include <string.h>

static void name_field(const struct note_field *field, unsigned nth, char name[REGISTER_NAME_MAX])
{
	if (field->count)
		snprintf(name, REGISTER_NAME_MAX, "%s%u%s", field->name, field->first + nth,
			field->suffix ? field->suffix : "");
	else
		snprintf(name, REGISTER_NAME_MAX, "%s", field->name);
}

static unsigned field_count(const struct note_field *field)
{
	return field->count ? field->count : 1;
}

static bool is_constant(const struct note_field *field)
{
	return !field->name[0];
}

static void put_constant(const struct note_field *field, uint8_t *desc, enum byte_order order)
{
	uint8_t *low = desc + field->offset + (order == BIG ? field->size - 1 : 0);

	*low = field->first;
}

static void write_note(
	const struct note_table *table, const struct registers *cpu, struct notes *notes)
{
	uint8_t desc[NOTE_TABLE_SIZE_MAX] = { 0 };
	char name[REGISTER_NAME_MAX];

	if (table->pid)
		put_u32(desc + table->pid, cpu->cpu + 1, notes->order);
	for (const struct note_field *field = table->fields; field->name; field++) {
		if (is_constant(field)) {
			put_constant(field, desc, notes->order);
			continue;
		}
		for (unsigned n = 0; n < field_count(field); n++) {
			name_field(field, n, name);
			registers_put(cpu, name, desc + field->offset + n * field->size,
				field->size, notes->order);
		}
	}
	notes_append(notes, table->owner, table->type, desc, table->size);
}

static bool is_missing(
	const struct note_field *field, const struct registers *cpus, size_t cpu_count)
{
	char name[REGISTER_NAME_MAX];
	size_t size;

	if (is_constant(field))
		return false;
	for (unsigned n = 0; n < field_count(field); n++) {
		name_field(field, n, name);
		for (size_t i = 0; i < cpu_count; i++) {
			if (!registers_find(&cpus[i], name, &size))
				return true;
		}
	}
	return false;
}

static void name_missing(const struct note_field *field, char *missing, size_t missing_size)
{
	char first[REGISTER_NAME_MAX], last[REGISTER_NAME_MAX];
	size_t used = strlen(missing);
	int size;

	name_field(field, 0, first);
	name_field(field, field_count(field) - 1, last);
	size = snprintf(missing + used, missing_size - used, "%s%s%s%s", used ? ", " : "", first,
		field->count > 1 ? "-" : "", field->count > 1 ? last : "");
	/* A name that is cut off would be another register's. */
	if (size < 0 || (size_t)size >= missing_size - used)
		missing[used] = '\0';
}

void note_tables_name_missing(const struct note_table *tables, size_t table_count,
	const struct registers *cpus, size_t cpu_count, char *missing, size_t missing_size)
{
	if (!missing_size)
		return;
	missing[0] = '\0';
	for (size_t t = 0; t < table_count; t++)
		for (const struct note_field *field = tables[t].fields; field->name; field++)
			if (is_missing(field, cpus, cpu_count))
				name_missing(field, missing, missing_size);
}

void note_tables_write(const struct note_table *tables, size_t table_count,
	const struct registers *cpus, size_t cpu_count, struct notes *notes, char *missing,
	size_t missing_size)
{
	for (size_t i = 0; i < cpu_count; i++)
		for (size_t t = 0; t < table_count; t++)
			write_note(&tables[t], &cpus[i], notes);
	note_tables_name_missing(tables, table_count, cpus, cpu_count, missing, missing_size);
}
