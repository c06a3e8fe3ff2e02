// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/hex.h"

#include <string.h>

static const char digits[16] = "0123456789abcdef";

/* The value of each digit, 0xff for what is none. */
/* clang-format off */
static const uint8_t values[256] = {
	[0 ... '0' - 1] = 0xff, ['9' + 1 ... 'A' - 1] = 0xff, ['F' + 1 ... 'a' - 1] = 0xff,
	['f' + 1 ... 255] = 0xff,
	['0'] = 0, ['1'] = 1, ['2'] = 2, ['3'] = 3, ['4'] = 4,
	['5'] = 5, ['6'] = 6, ['7'] = 7, ['8'] = 8, ['9'] = 9,
	['a'] = 10, ['b'] = 11, ['c'] = 12, ['d'] = 13, ['e'] = 14, ['f'] = 15,
	['A'] = 10, ['B'] = 11, ['C'] = 12, ['D'] = 13, ['E'] = 14, ['F'] = 15,
};
/* clang-format on */

const struct rsp_hex_engine *const rsp_hex_engines[] = {
#ifdef __x86_64__
	&rsp_hex_avx2,
	&rsp_hex_sse2,
#endif
#ifdef __aarch64__
	&rsp_hex_neon,
#endif
	&rsp_hex_portable,
	NULL,
};

/* The last one runs everywhere. */
static const struct rsp_hex_engine *best(void)
{
	const struct rsp_hex_engine *const *engine = rsp_hex_engines;

	while (engine[1] && (*engine)->usable && !(*engine)->usable())
		engine++;
	return *engine;
}

int rsp_hex_digit(uint8_t c)
{
	return values[c] == 0xff ? -1 : values[c];
}

size_t rsp_hex_decode(const uint8_t *hex, size_t size, uint8_t *to, size_t room)
{
	return best()->decode(hex, size / 2 < room ? size / 2 : room, to);
}

size_t rsp_hex_scan(const uint8_t *bytes, size_t size, uint8_t *sum)
{
	return best()->scan(bytes, size, sum);
}

void rsp_hex_encode(const void *bytes, size_t size, char *to)
{
	const uint8_t *from = bytes;

	for (size_t i = 0; i < size; i++) {
		to[2 * i] = digits[from[i] >> 4];
		to[2 * i + 1] = digits[from[i] & 15];
	}
}

size_t rsp_hex_number(uint64_t number, char *to)
{
	size_t count = 1;

	while (count < RSP_HEX_NUMBER_MAX && number >> 4 * count)
		count++;
	for (size_t i = count; i-- > 0; number >>= 4)
		to[i] = digits[number & 15];
	return count;
}

static size_t decode(const uint8_t *hex, size_t pairs, uint8_t *to)
{
	for (size_t i = 0; i < pairs; i++) {
		unsigned high = values[hex[2 * i]];
		unsigned low = values[hex[2 * i + 1]];

		if ((high | low) & 0xf0)
			return i;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return pairs;
}

/* The same byte in all eight places of a word. */
#define ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Not 0 if one of the bytes is 0. */
static uint64_t zeros(uint64_t bytes)
{
	return (bytes - ALL(1)) & ~bytes & ALL(0x80);
}

static size_t scan(const uint8_t *bytes, size_t size, uint8_t *sum)
{
	uint64_t sums = 0; /* eight of them, modulo 256 */
	size_t i = 0;

	for (; size - i >= sizeof(sums); i += sizeof(sums)) {
		uint64_t word;

		memcpy(&word, bytes + i, sizeof(word));
		if (zeros(word ^ ALL('#')) | zeros(word ^ ALL('*')))
			break;
		sums = ((sums & ALL(0x7f)) + (word & ALL(0x7f))) ^ ((sums ^ word) & ALL(0x80));
	}
	for (size_t byte = 0; byte < sizeof(sums); byte++)
		*sum += (uint8_t)(sums >> 8 * byte);
	for (; i < size && bytes[i] != '#' && bytes[i] != '*'; i++)
		*sum += bytes[i];
	return i;
}

const struct rsp_hex_engine rsp_hex_portable = {
	.name = "portable",
	.decode = decode,
	.scan = scan,
};
