// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hexadecimal with SSE2, which every x86-64 has, and with AVX2 where there is one. What is left
 * behind whole blocks, or lies in a block with something else in it, goes to the next simpler
 * engine.
 */
#include "rsp/hex.h"

#ifdef __x86_64__
#include <immintrin.h>

/*
 * Both kinds of digits are moved, modulo 256 or saturating, to where their values are; whatever is
 * no digit is then above 15, so that the smaller of the two tells: the value, or that there is
 * none.
 */
static inline __m128i values_sse2(__m128i c)
{
	__m128i figures = _mm_add_epi8(c, _mm_set1_epi8((char)(0xff - '9')));
	__m128i letters = _mm_sub_epi8(
		_mm_and_si128(c, _mm_set1_epi8((char)0xdf)), _mm_set1_epi8('A'));

	figures = _mm_sub_epi8(_mm_subs_epu8(figures, _mm_set1_epi8(6)), _mm_set1_epi8((char)0xf0));
	letters = _mm_adds_epu8(letters, _mm_set1_epi8(10));
	return _mm_min_epu8(figures, letters);
}

/* Each pair of values becomes one byte in the low half of 16 bits. */
static inline __m128i join_sse2(__m128i values)
{
	__m128i joined = _mm_or_si128(_mm_slli_epi16(values, 4), _mm_srli_epi16(values, 8));

	return _mm_and_si128(joined, _mm_set1_epi16(0xff));
}

static size_t decode_sse2(const uint8_t *hex, size_t pairs, uint8_t *to)
{
	size_t i = 0;

	for (; pairs - i >= 16; i += 16) {
		const __m128i *from = (const __m128i *)(hex + 2 * i);
		__m128i first = values_sse2(_mm_loadu_si128(from));
		__m128i second = values_sse2(_mm_loadu_si128(from + 1));
		__m128i wrong = _mm_adds_epu8(_mm_or_si128(first, second), _mm_set1_epi8(0x70));

		if (_mm_movemask_epi8(wrong))
			break;
		_mm_storeu_si128(
			(__m128i *)(to + i), _mm_packus_epi16(join_sse2(first), join_sse2(second)));
	}
	return i + rsp_hex_portable.decode(hex + 2 * i, pairs - i, to + i);
}

static inline __m128i marks_sse2(__m128i c)
{
	return _mm_or_si128(
		_mm_cmpeq_epi8(c, _mm_set1_epi8('#')), _mm_cmpeq_epi8(c, _mm_set1_epi8('*')));
}

/* The sum of all bytes, modulo 256. */
static inline uint8_t total_sse2(__m128i sums)
{
	__m128i halves = _mm_sad_epu8(sums, _mm_setzero_si128());

	return (uint8_t)(_mm_cvtsi128_si32(halves) + _mm_extract_epi16(halves, 4));
}

static size_t scan_sse2(const uint8_t *bytes, size_t size, uint8_t *sum)
{
	__m128i sums = _mm_setzero_si128();
	size_t i = 0;

	for (; size - i >= 16; i += 16) {
		__m128i c = _mm_loadu_si128((const __m128i *)(bytes + i));

		if (_mm_movemask_epi8(marks_sse2(c)))
			break;
		sums = _mm_add_epi8(sums, c);
	}
	*sum += total_sse2(sums);
	return i + rsp_hex_portable.scan(bytes + i, size - i, sum);
}

const struct rsp_hex_engine rsp_hex_sse2 = {
	.name = "SSE2",
	.decode = decode_sse2,
	.scan = scan_sse2,
};

#define AVX2 __attribute__((target("avx2")))

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

AVX2 static inline __m256i values_avx2(__m256i c)
{
	__m256i figures = _mm256_add_epi8(c, _mm256_set1_epi8((char)(0xff - '9')));
	__m256i letters = _mm256_sub_epi8(
		_mm256_and_si256(c, _mm256_set1_epi8((char)0xdf)), _mm256_set1_epi8('A'));

	figures = _mm256_sub_epi8(
		_mm256_subs_epu8(figures, _mm256_set1_epi8(6)), _mm256_set1_epi8((char)0xf0));
	letters = _mm256_adds_epu8(letters, _mm256_set1_epi8(10));
	return _mm256_min_epu8(figures, letters);
}

AVX2 static inline __m256i join_avx2(__m256i values)
{
	return _mm256_maddubs_epi16(values, _mm256_set1_epi16(0x0110));
}

AVX2 static size_t decode_avx2(const uint8_t *hex, size_t pairs, uint8_t *to)
{
	size_t i = 0;

	for (; pairs - i >= 32; i += 32) {
		const __m256i *from = (const __m256i *)(hex + 2 * i);
		__m256i first = values_avx2(_mm256_loadu_si256(from));
		__m256i second = values_avx2(_mm256_loadu_si256(from + 1));
		__m256i wrong = _mm256_adds_epu8(
			_mm256_or_si256(first, second), _mm256_set1_epi8(0x70));

		if (_mm256_movemask_epi8(wrong))
			break;

		/* Packing works on each half by itself, and leaves the quarters as 0 2 1 3. */
		__m256i bytes = _mm256_packus_epi16(join_avx2(first), join_avx2(second));

		_mm256_storeu_si256((__m256i *)(to + i), _mm256_permute4x64_epi64(bytes, 0xd8));
	}
	return i + decode_sse2(hex + 2 * i, pairs - i, to + i);
}

AVX2 static inline __m256i marks_avx2(__m256i c)
{
	return _mm256_or_si256(_mm256_cmpeq_epi8(c, _mm256_set1_epi8('#')),
		_mm256_cmpeq_epi8(c, _mm256_set1_epi8('*')));
}

AVX2 static size_t scan_avx2(const uint8_t *bytes, size_t size, uint8_t *sum)
{
	__m256i sums = _mm256_setzero_si256();
	size_t i = 0;

	for (; size - i >= 64; i += 64) {
		const __m256i *from = (const __m256i *)(bytes + i);
		__m256i first = _mm256_loadu_si256(from);
		__m256i second = _mm256_loadu_si256(from + 1);

		if (_mm256_movemask_epi8(_mm256_or_si256(marks_avx2(first), marks_avx2(second))))
			break;
		sums = _mm256_add_epi8(sums, _mm256_add_epi8(first, second));
	}
	*sum += total_sse2(
		_mm_add_epi8(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1)));
	return i + scan_sse2(bytes + i, size - i, sum);
}

const struct rsp_hex_engine rsp_hex_avx2 = {
	.name = "AVX2",
	.usable = has_avx2,
	.decode = decode_avx2,
	.scan = scan_avx2,
};

#endif
