// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/stub/damage.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { FRAMING = 4, LONG_DIGITS = 64, DROPPED_MAX = 16, TRIES = 4096 };

size_t packet_size(const uint8_t *bytes, size_t size)
{
	const uint8_t *hash = memchr(bytes, '#', size);
	size_t whole = hash ? (size_t)(hash - bytes) + 3 : 0;

	return whole <= size ? whole : 0;
}

static unsigned sum_of(const uint8_t *bytes, size_t size)
{
	unsigned sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
	return sum & 0xff;
}

static int digit(uint8_t c)
{
	return !isxdigit(c) ? -1 : isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

/*
 * Whether a receiver may take what has become of a packet for one that is whole. Without an end it
 * goes on to that of the next packet, maybe over a '+': then its own bytes must not add up to 0.
 */
static bool may_be_taken(const uint8_t *bytes, size_t size)
{
	size_t end = 1;

	if (bytes[0] != '$')
		return false;
	while (end < size && bytes[end] != '#')
		/* The byte behind a '*' is a count. */
		end += bytes[end] == '*' ? 2 : 1;
	if (end + 2 < size) {
		int high = digit(bytes[end + 1]), low = digit(bytes[end + 2]);

		return high >= 0 && low >= 0 &&
		       sum_of(bytes + 1, end - 1) == (unsigned)(high << 4 | low);
	}

	unsigned joined = sum_of(bytes + 1, size - 1) + '$';

	return (joined & 0xff) == 0 || (joined + '+') % 0x100 == 0;
}

static bool is_hex(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!isxdigit(bytes[i]))
			return false;
	return true;
}

bool is_reply(const uint8_t *packet, size_t size)
{
	const uint8_t *body = packet + 1;
	size_t body_size = size - FRAMING;

	if (body_size > 1 && body[0] == 'O' && is_hex(body + 1, body_size - 1))
		return false;
	return !(body_size >= 3 && (body[0] == 'T' || body[0] == 'S') && is_hex(body + 1, 2));
}

/* Flips a bit of the bytes from `first` on, the first of those behind the chosen one that tells. */
static size_t corrupt(
	const struct fault *fault, uint8_t *packet, size_t size, size_t first, size_t count)
{
	uint64_t chosen = fault_choose(fault, 8 * (uint64_t)count);

	for (uint64_t i = 0; i < 8 * (uint64_t)count && i < TRIES; i++) {
		uint64_t bit = (chosen + i) % (8 * (uint64_t)count);
		uint8_t *byte = &packet[first + bit / 8];

		*byte ^= (uint8_t)(1 << bit % 8);
		if (!may_be_taken(packet, size))
			return size;
		*byte ^= (uint8_t)(1 << bit % 8);
	}
	return 0;
}

/* A request without its '$' would be lost whole. */
static size_t corrupt_frame(const struct fault *fault, uint8_t *packet, size_t size)
{
	bool start = fault->direction == BACK && fault->detail % 2;

	return corrupt(fault, packet, size, start ? 0 : size - 3, 1);
}

static size_t drop(const struct fault *fault, uint8_t *packet, size_t size)
{
	size_t count = 1 + (size_t)fault_choose(fault, DROPPED_MAX);
	size_t first = 1 + (size_t)fault_choose(fault, size - 1);

	for (; first < size; first++) {
		uint8_t lost[DROPPED_MAX];
		size_t n = size - first < count ? size - first : count;

		memcpy(lost, packet + first, n);
		memmove(packet + first, packet + first + n, size - first - n);
		if (!may_be_taken(packet, size - n))
			return size - n;
		memmove(packet + first + n, packet + first, size - first - n);
		memcpy(packet + first, lost, n);
	}
	return 0;
}

static size_t truncate_packet(const struct fault *fault, const uint8_t *packet, size_t size)
{
	size_t kept = 1 + (size_t)fault_choose(fault, size - FRAMING + 1);

	while (kept < size - 2 && may_be_taken(packet, kept))
		kept++;
	return kept < size - 2 ? kept : 0;
}

static size_t put_packet(uint8_t *to, char first, const char *body)
{
	unsigned sum = sum_of((const uint8_t *)body, strlen(body));

	return (size_t)sprintf((char *)to, "%c%s#%02x", first, body, sum);
}

/* In front of the packet */
static size_t insert(uint8_t *packet, size_t size, char first, const char *body)
{
	uint8_t inserted[DAMAGE_GROWTH];
	size_t n = put_packet(inserted, first, body);

	memmove(packet + n, packet, size);
	memcpy(packet, inserted, n);
	return size + n;
}

static size_t lengthen(uint8_t *packet, size_t size)
{
	size_t body = size - FRAMING;
	unsigned sum;

	if (body < LONG_DIGITS || !is_hex(packet + 1, body))
		return 0;
	memcpy(packet + 1 + body, "00", 2);
	sum = sum_of(packet + 1, body + 2);
	return 1 + body + 2 + (size_t)sprintf((char *)packet + 1 + body + 2, "#%02x", sum);
}

size_t damage(const struct fault *fault, uint8_t *packet, size_t size)
{
	switch (fault->kind) {
	case FAULT_CORRUPT_BODY:
		return corrupt(fault, packet, size, 1, size - FRAMING);
	case FAULT_CORRUPT_SUM:
		return corrupt(fault, packet, size, size - 2, 2);
	case FAULT_CORRUPT_FRAME:
		return corrupt_frame(fault, packet, size);
	case FAULT_DROP:
		return drop(fault, packet, size);
	case FAULT_TRUNCATE:
		return truncate_packet(fault, packet, size);
	case FAULT_LONGER:
		return lengthen(packet, size);
	case FAULT_UNASKED:
		return insert(packet, size, '$', fault->detail % 2 ? "OK" : "0123456789abcdef");
	case FAULT_NOTIFICATION:
		return insert(packet, size, '%', "Stop:T05thread:p01.01;");
	case FAULT_CONSOLE:
		/* "console" */
		return insert(packet, size, '$', "O636f6e736f6c650d0a");
	default:
		return 0;
	}
}
