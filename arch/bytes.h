/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integers as bytes. Guests, cores and stubs each have a byte order of their own that need not be
 * the host's, so every multi-byte field in this program goes through these helpers; nothing casts
 * a buffer to a wider type. Buffers need no alignment.
 */
#ifndef ARCH_BYTES_H
#define ARCH_BYTES_H

#include <stdint.h>
#include <string.h>

enum byte_order { LITTLE, BIG };

static inline uint16_t get_le16(const void *from)
{
	const uint8_t *b = from;

	return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t get_le32(const void *from)
{
	const uint8_t *b = from;

	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t get_le64(const void *from)
{
	const uint8_t *b = from;

	return get_le32(b) | (uint64_t)get_le32(b + 4) << 32;
}

static inline uint16_t get_be16(const void *from)
{
	return __builtin_bswap16(get_le16(from));
}

static inline uint32_t get_be32(const void *from)
{
	return __builtin_bswap32(get_le32(from));
}

static inline uint64_t get_be64(const void *from)
{
	return __builtin_bswap64(get_le64(from));
}

static inline void put_le16(void *to, uint16_t value)
{
	uint8_t *b = to;

	b[0] = (uint8_t)value;
	b[1] = (uint8_t)(value >> 8);
}

static inline void put_le32(void *to, uint32_t value)
{
	put_le16(to, (uint16_t)value);
	put_le16((uint8_t *)to + 2, (uint16_t)(value >> 16));
}

static inline void put_le64(void *to, uint64_t value)
{
	put_le32(to, (uint32_t)value);
	put_le32((uint8_t *)to + 4, (uint32_t)(value >> 32));
}

static inline void put_be16(void *to, uint16_t value)
{
	put_le16(to, __builtin_bswap16(value));
}

static inline void put_be32(void *to, uint32_t value)
{
	put_le32(to, __builtin_bswap32(value));
}

static inline void put_be64(void *to, uint64_t value)
{
	put_le64(to, __builtin_bswap64(value));
}

static inline uint16_t get_u16(const void *from, enum byte_order order)
{
	return order == BIG ? get_be16(from) : get_le16(from);
}

static inline uint32_t get_u32(const void *from, enum byte_order order)
{
	return order == BIG ? get_be32(from) : get_le32(from);
}

static inline uint64_t get_u64(const void *from, enum byte_order order)
{
	return order == BIG ? get_be64(from) : get_le64(from);
}

static inline void put_u16(void *to, uint16_t value, enum byte_order order)
{
	if (order == BIG)
		put_be16(to, value);
	else
		put_le16(to, value);
}

static inline void put_u32(void *to, uint32_t value, enum byte_order order)
{
	if (order == BIG)
		put_be32(to, value);
	else
		put_le32(to, value);
}

static inline void put_u64(void *to, uint64_t value, enum byte_order order)
{
	if (order == BIG)
		put_be64(to, value);
	else
		put_le64(to, value);
}

#endif
