// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/registers.h"

#include <stdlib.h>

void registers_init(struct registers *registers, unsigned cpu, enum byte_order order)
{
	*registers = (struct registers){ .cpu = cpu, .order = order };
}

void registers_deinit(struct registers *registers)
{
	free(registers->values);
	free(registers->bytes);
	*registers = (struct registers){ .cpu = registers->cpu, .order = registers->order };
}

static struct register_value *find(const struct registers *registers, const char *name)
{
	for (size_t i = 0; i < registers->count; i++)
		if (!strcmp(registers->values[i].name, name))
			return &registers->values[i];
	return NULL;
}

static int make_room(struct registers *registers, size_t size)
{
	if (registers->count == registers->capacity) {
		size_t capacity = registers->capacity ? 2 * registers->capacity : 64;
		struct register_value *values = realloc(
			registers->values, capacity * sizeof(*values));

		if (!values)
			return -1;
		registers->values = values;
		registers->capacity = capacity;
	}
	if (size > registers->room - registers->used) {
		size_t room = 2 * registers->room + size + 512;
		uint8_t *bytes = realloc(registers->bytes, room);

		if (!bytes)
			return -1;
		registers->bytes = bytes;
		registers->room = room;
	}
	return 0;
}

/* Closes the gap, so that a stub that sends a name again and again cannot fill memory. */
static void forget(struct registers *registers, struct register_value *value)
{
	size_t offset = value->offset, size = value->size;

	memmove(registers->bytes + offset, registers->bytes + offset + size,
		registers->used - offset - size);
	registers->used -= size;
	*value = registers->values[--registers->count];
	for (size_t i = 0; i < registers->count; i++)
		if (registers->values[i].offset > offset)
			registers->values[i].offset -= size;
}

int registers_set(struct registers *registers, const char *name, const void *bytes, size_t size)
{
	size_t length = strnlen(name, REGISTER_NAME_MAX);
	struct register_value *value = find(registers, name);

	if (!length || length == REGISTER_NAME_MAX || !size || size > REGISTER_SIZE_MAX)
		return -1;
	if (value && value->size == size) {
		memcpy(registers->bytes + value->offset, bytes, size);
		return 0;
	}
	if (!value && registers->count == REGISTERS_MAX)
		return -1;
	if (make_room(registers, size))
		return -1;
	value = find(registers, name); /* make_room() may have moved it */
	if (value)
		forget(registers, value);

	value = &registers->values[registers->count++];
	memcpy(value->name, name, length + 1);
	value->offset = registers->used;
	value->size = size;
	memcpy(registers->bytes + registers->used, bytes, size);
	registers->used += size;
	return 0;
}

int registers_set_u64(struct registers *registers, const char *name, uint64_t value)
{
	uint8_t bytes[8];

	put_u64(bytes, value, registers->order);
	return registers_set(registers, name, bytes, sizeof(bytes));
}

const uint8_t *registers_find(const struct registers *registers, const char *name, size_t *size)
{
	const struct register_value *value = find(registers, name);

	if (!value)
		return NULL;
	*size = value->size;
	return registers->bytes + value->offset;
}

bool registers_get_u64(const struct registers *registers, const char *name, uint64_t *value)
{
	size_t size;
	const uint8_t *bytes = registers_find(registers, name, &size);
	uint8_t low[8] = { 0 };

	if (!bytes)
		return false;
	if (registers->order == BIG) {
		size_t taken = size < sizeof(low) ? size : sizeof(low);

		memcpy(low + sizeof(low) - taken, bytes + size - taken, taken);
	} else {
		memcpy(low, bytes, size < sizeof(low) ? size : sizeof(low));
	}
	*value = get_u64(low, registers->order);
	return true;
}

uint64_t registers_u64(const struct registers *registers, const char *name)
{
	uint64_t value;

	return registers_get_u64(registers, name, &value) ? value : 0;
}

void registers_put(const struct registers *registers, const char *name, void *to, size_t size,
	enum byte_order order)
{
	size_t found;
	const uint8_t *bytes = registers_find(registers, name, &found);
	uint8_t *out = to;

	/* The nth byte from the low end of both. */
	for (size_t n = 0; bytes && n < size; n++) {
		uint8_t byte = 0;

		if (n < found)
			byte = bytes[registers->order == BIG ? found - 1 - n : n];
		out[order == BIG ? size - 1 - n : n] = byte;
	}
}
