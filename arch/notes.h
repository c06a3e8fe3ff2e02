/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF notes as they lie in a core, one after the other: header of three 32-bit words, name and
 * descriptor each padded to 4 bytes (in both ELF classes; ELF gABI, and what QEMU, the kernel and
 * every reader of cores do). The caller owns the struct. Appending to a set that has run out of
 * memory does nothing; look at `failed` once, at the end.
 */
#ifndef ARCH_NOTES_H
#define ARCH_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/bytes.h"

enum { NOTE_HEADER_SIZE = 12 };

struct notes {
	enum byte_order order;
	uint8_t *bytes;
	size_t size, capacity;
	bool failed;
};

void notes_init(struct notes *notes, enum byte_order order);
void notes_deinit(struct notes *notes);

/* Appends a note; name without its NUL, which is added and counted. */
void notes_append(
	struct notes *notes, const char *name, uint32_t type, const void *desc, size_t desc_size);

/* The bytes that notes_append() adds for such a note. */
size_t note_size(const char *name, size_t desc_size);

struct note {
	const char *name; /* NUL-terminated */
	uint32_t type;
	const uint8_t *desc;
	size_t desc_size;
};

/*
 * Reads the note at *offset of a run of notes and moves *offset behind it. False at the end, and
 * at a note that is not whole or whose name lacks its NUL.
 */
bool notes_next(const uint8_t *bytes, size_t size, enum byte_order order, size_t *offset,
	struct note *note);

#endif
