// SPDX-License-Identifier: GPL-2.0-or-later
/* Hexadecimal with NEON, which every aarch64 has. */
#include "rsp/hex.h"

#ifdef __aarch64__
#include <arm_neon.h>

/* As in hex_x86.c: the smaller of two that are above 15 unless they are values. */
static inline uint8x16_t values(uint8x16_t c)
{
	uint8x16_t figures = vaddq_u8(c, vdupq_n_u8(0xff - '9'));
	uint8x16_t letters = vsubq_u8(vandq_u8(c, vdupq_n_u8(0xdf)), vdupq_n_u8('A'));

	figures = vsubq_u8(vqsubq_u8(figures, vdupq_n_u8(6)), vdupq_n_u8(0xf0));
	letters = vqaddq_u8(letters, vdupq_n_u8(10));
	return vminq_u8(figures, letters);
}

static size_t decode(const uint8_t *hex, size_t pairs, uint8_t *to)
{
	size_t i = 0;

	for (; pairs - i >= 16; i += 16) {
		uint8x16x2_t pair = vld2q_u8(hex + 2 * i);
		uint8x16_t high = values(pair.val[0]);
		uint8x16_t low = values(pair.val[1]);

		if (vmaxvq_u8(vorrq_u8(high, low)) > 15)
			break;
		vst1q_u8(to + i, vsliq_n_u8(low, high, 4));
	}
	return i + rsp_hex_portable.decode(hex + 2 * i, pairs - i, to + i);
}

static size_t scan(const uint8_t *bytes, size_t size, uint8_t *sum)
{
	uint8x16_t sums = vdupq_n_u8(0);
	size_t i = 0;

	for (; size - i >= 32; i += 32) {
		uint8x16_t first = vld1q_u8(bytes + i);
		uint8x16_t second = vld1q_u8(bytes + i + 16);
		uint8x16_t marks = vorrq_u8(vorrq_u8(vceqq_u8(first, vdupq_n_u8('#')),
						    vceqq_u8(first, vdupq_n_u8('*'))),
			vorrq_u8(vceqq_u8(second, vdupq_n_u8('#')),
				vceqq_u8(second, vdupq_n_u8('*'))));

		if (vmaxvq_u8(marks))
			break;
		sums = vaddq_u8(sums, vaddq_u8(first, second));
	}
	*sum += vaddvq_u8(sums);
	return i + rsp_hex_portable.scan(bytes + i, size - i, sum);
}

const struct rsp_hex_engine rsp_hex_neon = {
	.name = "NEON",
	.decode = decode,
	.scan = scan,
};

#endif
