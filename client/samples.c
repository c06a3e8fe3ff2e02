// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/samples.h"

void samples_init(struct samples *samples)
{
	*samples = (struct samples){ .stride = 1 };
}

/* FNV-1a */
uint64_t digest_bytes(uint64_t digest, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	digest ^= 0xcbf29ce484222325;
	for (size_t i = 0; i < size; i++)
		digest = (digest ^ at[i]) * 0x100000001b3;
	return digest;
}

/* Every second one goes, and from now on every second one is taken. */
static void thin_out(struct samples *samples)
{
	for (size_t i = 0; i < SAMPLES_MAX / 2; i++)
		samples->items[i] = samples->items[2 * i];
	samples->count = SAMPLES_MAX / 2;
	samples->stride *= 2;
}

void samples_note(struct samples *samples, const struct rsp_read *piece)
{
	size_t size = piece->len < SAMPLE_SIZE ? piece->len : SAMPLE_SIZE;

	if (piece->unreadable || samples->seen++ % samples->stride)
		return;
	if (samples->count == SAMPLES_MAX)
		thin_out(samples);
	samples->items[samples->count++] = (struct sample){
		.addr = piece->addr, .size = size, .digest = digest_bytes(0, piece->buf, size)
	};
}

int samples_check(const struct samples *samples, struct rsp *rsp)
{
	uint8_t bytes[SAMPLE_SIZE];

	for (size_t i = 0; i < samples->count; i++) {
		const struct sample *sample = &samples->items[i];

		if (rsp_read_memory(rsp, sample->addr, bytes, sample->size))
			return -1;
		if (digest_bytes(0, bytes, sample->size) != sample->digest)
			return 1;
	}
	return 0;
}
