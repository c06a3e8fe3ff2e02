// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/notes.h"

#include <stdlib.h>
#include <string.h>

/* No note comes near it; sums of two such sizes are safe in a size_t of 32 bits. */
enum { PART_SIZE_MAX = 1 << 30 };

static size_t pad(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

void notes_init(struct notes *notes, enum byte_order order)
{
	*notes = (struct notes){ .order = order };
}

void notes_deinit(struct notes *notes)
{
	free(notes->bytes);
	*notes = (struct notes){ .order = notes->order };
}

size_t note_size(const char *name, size_t desc_size)
{
	return NOTE_HEADER_SIZE + pad(strlen(name) + 1) + pad(desc_size);
}

static bool make_room(struct notes *notes, size_t size)
{
	size_t capacity = notes->capacity ? notes->capacity : 1024;
	uint8_t *bytes;

	if (size > SIZE_MAX / 4 - notes->size)
		return false;
	while (capacity - notes->size < size)
		capacity *= 2;
	if (capacity == notes->capacity)
		return true;
	bytes = realloc(notes->bytes, capacity);
	if (!bytes)
		return false;
	notes->bytes = bytes;
	notes->capacity = capacity;
	return true;
}

void notes_append(
	struct notes *notes, const char *name, uint32_t type, const void *desc, size_t desc_size)
{
	size_t name_size = strlen(name) + 1;
	uint8_t *to;

	if (notes->failed)
		return;
	if (name_size > PART_SIZE_MAX || desc_size > PART_SIZE_MAX ||
		!make_room(notes, note_size(name, desc_size))) {
		notes->failed = true;
		return;
	}
	to = notes->bytes + notes->size;
	memset(to, 0, note_size(name, desc_size));
	put_u32(to, (uint32_t)name_size, notes->order);
	put_u32(to + 4, (uint32_t)desc_size, notes->order);
	put_u32(to + 8, type, notes->order);
	memcpy(to + NOTE_HEADER_SIZE, name, name_size);
	if (desc_size)
		memcpy(to + NOTE_HEADER_SIZE + pad(name_size), desc, desc_size);
	notes->size += note_size(name, desc_size);
}

bool notes_next(
	const uint8_t *bytes, size_t size, enum byte_order order, size_t *offset, struct note *note)
{
	uint64_t room, name_size, desc_size, desc_offset, end;
	const uint8_t *header;

	if (*offset > size || size - *offset < NOTE_HEADER_SIZE)
		return false;
	header = bytes + *offset;
	room = size - *offset;
	name_size = get_u32(header, order);
	desc_size = get_u32(header + 4, order);
	desc_offset = NOTE_HEADER_SIZE + ((name_size + 3) & ~(uint64_t)3);
	end = desc_offset + desc_size;
	if (!name_size || end > room || header[NOTE_HEADER_SIZE + name_size - 1])
		return false;

	note->name = (const char *)header + NOTE_HEADER_SIZE;
	note->type = get_u32(header + 8, order);
	note->desc = header + desc_offset;
	note->desc_size = (size_t)desc_size;
	/* The padding of the last note need not be there. */
	end = (end + 3) & ~(uint64_t)3;
	*offset += (size_t)(end < room ? end : room);
	return true;
}
