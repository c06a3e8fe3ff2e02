/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of one vCPU, by name: what a stub sent, completed by what a monitor told. A value
 * is a run of bytes in the guest's byte order, 1 to REGISTER_SIZE_MAX of them. A name that is not
 * there is a register that nobody could read; the _u64 readers then give 0 or false, so that a
 * core can be written all the same.
 */
#ifndef ARCH_REGISTERS_H
#define ARCH_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/bytes.h"

enum {
	REGISTER_NAME_MAX = 32,    /* with the NUL; longer names are refused */
	REGISTER_SIZE_MAX = 65536, /* an Arm SME ZA of 256-byte vectors */
	REGISTERS_MAX = 4096,      /* names in one set */
};

struct register_value {
	char name[REGISTER_NAME_MAX];
	size_t offset; /* into registers.bytes */
	size_t size;
};

struct registers {
	unsigned cpu; /* vCPU index, from 0 */
	enum byte_order order;
	struct register_value *values;
	size_t count, capacity;
	uint8_t *bytes;
	size_t used, room;
};

void registers_init(struct registers *registers, unsigned cpu, enum byte_order order);
void registers_deinit(struct registers *registers);

/*
 * Stores size bytes under a name, copied; a value of that name that is there already is replaced.
 * Returns 0, or -1 for a name or size beyond the caps above or when memory is short.
 */
int registers_set(struct registers *registers, const char *name, const void *bytes, size_t size);

/* Stores an 8-byte value in the set's byte order; errors as registers_set(). */
int registers_set_u64(struct registers *registers, const char *name, uint64_t value);

/* The bytes of a register, or NULL. The pointer lives until the next registers_set(). */
const uint8_t *registers_find(const struct registers *registers, const char *name, size_t *size);

/* The low 64 bits of a register of any size; false if there is none of that name. */
bool registers_get_u64(const struct registers *registers, const char *name, uint64_t *value);

/* The same, with 0 for a register that is not there. */
uint64_t registers_u64(const struct registers *registers, const char *name);

/*
 * Writes the low bytes of a register, which may be of another size and byte order, as an integer
 * of `size` bytes. One that is not there leaves the bytes as they are.
 */
void registers_put(const struct registers *registers, const char *name, void *to, size_t size,
	enum byte_order order);

#endif
