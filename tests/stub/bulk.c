// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/stub/bulk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "tests/stub/synthetic.h"

enum {
	/* A read is of so many bytes or a multiple: what QEMU 7.2 serves at most, half a page. */
	UNIT = 2048,
	UNITS = SYNTHETIC_PAGE / UNIT,
	READ_MAX = 64 << 10,
	/* Linux takes no more at once. */
	PARTS_MAX = 1024,
	PARTS_PER_READ = READ_MAX / SYNTHETIC_PAGE + 3,
	/* "$m", two numbers, a comma, and the end */
	REQUEST_MAX = 2 + 16 + 1 + 16 + 3,
};

struct page {
	char digits[2 * SYNTHETIC_PAGE];
	uint8_t sums[UNITS]; /* of each unit's digits */
};

struct bulk {
	struct page pages[SYNTHETIC_KINDS];
	struct iovec parts[PARTS_MAX];
	size_t count;
	char ends[PARTS_MAX][3]; /* of answers; by the number of the part */
};

struct read {
	uint64_t addr;
	size_t len;
};

static const char hex[] = "0123456789abcdef";

static void make_page(struct page *page, unsigned kind)
{
	uint8_t bytes[SYNTHETIC_PAGE];

	synthetic_fill(kind, bytes);
	memset(page->sums, 0, sizeof(page->sums));
	for (size_t i = 0; i < SYNTHETIC_PAGE; i++) {
		char high = hex[bytes[i] >> 4], low = hex[bytes[i] & 15];

		page->digits[2 * i] = high;
		page->digits[2 * i + 1] = low;
		page->sums[i / UNIT] = (uint8_t)(page->sums[i / UNIT] + high + low);
	}
}

struct bulk *bulk_create(void)
{
	struct bulk *bulk = malloc(sizeof(*bulk));

	if (!bulk)
		abort();
	bulk->count = 0;
	for (unsigned kind = 0; kind < SYNTHETIC_KINDS; kind++)
		make_page(&bulk->pages[kind], kind);
	return bulk;
}

void bulk_destroy(struct bulk *bulk)
{
	free(bulk);
}

/* ---- requests -------------------------------------------------------------------------------- */

/* Digits up to `end`. Returns what is behind it, or NULL if that is not what there is. */
static const uint8_t *take_number(const uint8_t *at, char end, uint64_t *number)
{
	*number = 0;
	for (; *at != (uint8_t)end; at++) {
		const char *digit = *at ? strchr(hex, *at) : NULL;

		if (!digit)
			return NULL;
		*number = *number << 4 | (uint64_t)(digit - hex);
	}
	return at + 1;
}

static bool is_ours(const struct machine *machine, const struct read *read)
{
	size_t held = read->len;
	const struct memory_range *range;

	if (read->addr % UNIT || read->len % UNIT || read->len == 0 || read->len > READ_MAX ||
		(machine->faults.limit >= 0 && read->len > (size_t)machine->faults.limit))
		return false;
	range = machine_range(machine, read->addr, &held);
	return range && range->kind == MEMORY_SYNTHETIC && held == read->len;
}

/* Takes the next request if it is whole and a read of ours; else leaves it. */
static bool take_read(struct wire *wire, const struct machine *machine, struct read *read)
{
	const uint8_t *bytes = wire->input + wire->start, *at;
	size_t size = wire_whole_packet(wire);
	uint64_t len;

	if (size == 0 || size > REQUEST_MAX || bytes[0] != '$' || bytes[1] != 'm' ||
		!(at = take_number(bytes + 2, ',', &read->addr)) ||
		!(at = take_number(at, '#', &len)) || !wire_checksum_is_right(bytes, size))
		return false;
	read->len = (size_t)len;
	if (!is_ours(machine, read))
		return false;
	wire->start += size;
	return true;
}

/* Whether it cannot be told yet what comes next. */
static bool must_wait(const struct wire *wire)
{
	return wire->start == wire->end ||
	       (wire->input[wire->start] == '$' && wire_whole_packet(wire) == 0);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void add_part(struct bulk *bulk, char *bytes, size_t size)
{
	bulk->parts[bulk->count++] = (struct iovec){ .iov_base = bytes, .iov_len = size };
}

static void add_answer(struct bulk *bulk, const struct read *read, bool no_ack)
{
	static char start[] = "+$";
	uint64_t end = read->addr + read->len;
	uint8_t sum = 0;
	char *tail;

	add_part(bulk, start + no_ack, 2 - no_ack);
	for (uint64_t addr = read->addr; addr < end;) {
		struct page *page = &bulk->pages[synthetic_kind(addr)];
		size_t first = addr % SYNTHETIC_PAGE / UNIT, unit = first;

		for (; unit < UNITS && addr < end; unit++, addr += UNIT)
			sum = (uint8_t)(sum + page->sums[unit]);
		add_part(bulk, page->digits + first * UNIT * 2, (unit - first) * UNIT * 2);
	}
	tail = bulk->ends[bulk->count];
	tail[0] = '#';
	tail[1] = hex[sum >> 4];
	tail[2] = hex[sum & 15];
	add_part(bulk, tail, 3);
}

static bool send_answers(struct bulk *bulk, int to)
{
	struct iovec *part = bulk->parts, *end = part + bulk->count;

	bulk->count = 0;
	while (part < end) {
		ssize_t n = writev(to, part, (int)(end - part));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		for (; part < end && (size_t)n >= part->iov_len; part++)
			n -= (ssize_t)part->iov_len;
		if (n > 0) {
			part->iov_base = (char *)part->iov_base + n;
			part->iov_len -= (size_t)n;
		}
	}
	return true;
}

enum wire_end bulk_serve(struct bulk *bulk, struct wire *wire, const struct machine *machine)
{
	struct read read;

	do {
		while (take_read(wire, machine, &read)) {
			add_answer(bulk, &read, wire->no_ack);
			if (bulk->count + PARTS_PER_READ > PARTS_MAX &&
				!send_answers(bulk, wire->out))
				return WIRE_CLOSED;
		}
		if (!send_answers(bulk, wire->out))
			return WIRE_CLOSED;
	} while (must_wait(wire) && wire_fill(wire));
	return must_wait(wire) ? WIRE_CLOSED : WIRE_GOES_ON;
}
