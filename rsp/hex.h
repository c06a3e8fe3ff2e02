/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hexadecimal, and sums over bytes: what every byte of guest memory passes through. The two loops
 * that do so come in variants, as engines in a table; all of them give the same results.
 */
#ifndef RSP_HEX_H
#define RSP_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of a hex digit in either case, or -1. */
int rsp_hex_digit(uint8_t c);

/*
 * Decodes pairs of hex digits until room bytes are written or a pair is none. Returns the number
 * of bytes written.
 */
size_t rsp_hex_decode(const uint8_t *hex, size_t size, uint8_t *to, size_t room);

/* Writes 2 * size digits, no NUL. */
void rsp_hex_encode(const void *bytes, size_t size, char *to);

enum { RSP_HEX_NUMBER_MAX = 16 };

/* Writes a number without leading zeros and without a NUL; returns its digits, at least 1. */
size_t rsp_hex_number(uint64_t number, char *to);

/* Adds to *sum all bytes in front of the first '#' or '*'; returns how many those are. */
size_t rsp_hex_scan(const uint8_t *bytes, size_t size, uint8_t *sum);

struct rsp_hex_engine {
	const char *name;
	bool (*usable)(void); /* on this machine; NULL for always */
	/* As rsp_hex_decode(), writing nothing behind what it returns. */
	size_t (*decode)(const uint8_t *hex, size_t pairs, uint8_t *to);
	size_t (*scan)(const uint8_t *bytes, size_t size, uint8_t *sum);
};

/* The best one first; NULL ends them. */
extern const struct rsp_hex_engine *const rsp_hex_engines[];

/* Their rows of the table, each where the compiler can make it. */
extern const struct rsp_hex_engine rsp_hex_avx2, rsp_hex_sse2, rsp_hex_neon, rsp_hex_portable;

#endif
