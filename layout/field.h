/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields of headers on disk as data: a format says by tables where each field lies in each of its
 * forms, so that writer and reader know neither word sizes nor byte orders.
 */
#ifndef LAYOUT_FIELD_H
#define LAYOUT_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include "arch/bytes.h"

struct field {
	uint16_t offset;
	uint8_t size; /* 1, 2, 4 or 8 */
};

/* The row of a member of a struct that describes a header. */
#define FIELD(type, member) .member = { offsetof(type, member), sizeof(((type *)NULL)->member) }

/* A field of the header that begins at header. */
static inline uint64_t field_get(const uint8_t *header, struct field field, enum byte_order order)
{
	const uint8_t *from = header + field.offset;

	if (field.size == 1)
		return *from;
	if (field.size == 2)
		return get_u16(from, order);
	return field.size == 4 ? get_u32(from, order) : get_u64(from, order);
}

static inline void field_put(
	uint8_t *header, struct field field, uint64_t value, enum byte_order order)
{
	uint8_t *to = header + field.offset;

	if (field.size == 1)
		*to = (uint8_t)value;
	else if (field.size == 2)
		put_u16(to, (uint16_t)value, order);
	else if (field.size == 4)
		put_u32(to, (uint32_t)value, order);
	else
		put_u64(to, value, order);
}

#endif
