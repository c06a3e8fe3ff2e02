// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/stub/faults.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TO_REQUESTS = 1 << THERE, TO_REPLIES = 1 << BACK };

static const struct kind {
	const char *name;
	unsigned directions;
	bool of_connection;
} kinds_table[FAULT_KINDS] = {
	[FAULT_CUT] = { "cut", TO_REQUESTS | TO_REPLIES, true },
	[FAULT_CUT_CLIENT] = { "cut-client", TO_REQUESTS | TO_REPLIES, true },
	[FAULT_CUT_STUB] = { "cut-stub", TO_REQUESTS | TO_REPLIES, true },
	[FAULT_FIN] = { "fin", TO_REQUESTS | TO_REPLIES, true },
	[FAULT_STALL] = { "stall", TO_REQUESTS | TO_REPLIES, true },
	[FAULT_HOLE] = { "hole", TO_REQUESTS | TO_REPLIES, true },
	[FAULT_DELAY] = { "delay", TO_REQUESTS | TO_REPLIES, true },
	[FAULT_CORRUPT_BODY] = { "corrupt-body", TO_REQUESTS | TO_REPLIES, false },
	[FAULT_CORRUPT_SUM] = { "corrupt-sum", TO_REQUESTS | TO_REPLIES, false },
	[FAULT_CORRUPT_FRAME] = { "corrupt-frame", TO_REQUESTS | TO_REPLIES, false },
	[FAULT_DROP] = { "drop", TO_REQUESTS | TO_REPLIES, false },
	[FAULT_TRUNCATE] = { "truncate", TO_REQUESTS | TO_REPLIES, false },
	[FAULT_NACK] = { "nack", TO_REQUESTS, false },
	[FAULT_DUPLICATE] = { "duplicate", TO_REPLIES, false },
	[FAULT_SWAP] = { "swap", TO_REPLIES, false },
	[FAULT_LONGER] = { "longer", TO_REPLIES, false },
	[FAULT_ENDLESS] = { "endless", TO_REPLIES, false },
	[FAULT_UNASKED] = { "unasked", TO_REPLIES, false },
	[FAULT_NOTIFICATION] = { "notification", TO_REPLIES, false },
	[FAULT_CONSOLE] = { "console", TO_REPLIES, false },
};

static const char *const direction_names[DIRECTIONS] = { "there", "back" };

bool fault_kind_by_name(const char *name, enum fault_kind *kind)
{
	for (unsigned i = 0; i < FAULT_KINDS; i++)
		if (strcmp(kinds_table[i].name, name) == 0) {
			*kind = (enum fault_kind)i;
			return true;
		}
	return false;
}

bool fault_is_of_connection(enum fault_kind kind)
{
	return kinds_table[kind].of_connection;
}

/* splitmix64: any seed is as good as any other, also 0, 1, 2... */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t fault_choose(const struct fault *fault, uint64_t limit)
{
	uint64_t state = fault->detail;

	return limit ? draw(&state) % limit : 0;
}

/*
 * Half of the offsets are anywhere, and half of them favour the beginning, where all that is not
 * memory is said: as many below 100 bytes as between 100 and 10000.
 */
static uint64_t draw_offset(uint64_t *state, uint64_t reach)
{
	uint64_t limit = reach;

	if (draw(state) % 2)
		for (uint64_t halvings = draw(state) % 16; halvings && limit > 64; halvings--)
			limit /= 2;
	return draw(state) % (limit ? limit : 1);
}

static enum direction draw_direction(uint64_t *state, enum fault_kind kind)
{
	unsigned directions = kinds_table[kind].directions;

	if (directions == (TO_REQUESTS | TO_REPLIES))
		return draw(state) % 2 ? BACK : THERE;
	return directions == TO_REQUESTS ? THERE : BACK;
}

void fault_plan_draw(struct fault_plan *plan, uint64_t seed, const bool kinds[FAULT_KINDS],
	size_t count, uint64_t reach)
{
	uint64_t state = seed, last[DIRECTIONS] = { 0, 0 };

	while (plan->count < count && plan->count < FAULTS_MAX) {
		struct fault fault = { .kind = (enum fault_kind)(draw(&state) % FAULT_KINDS) };

		if (!kinds[fault.kind])
			continue;
		fault.direction = draw_direction(&state, fault.kind);
		/* A request is less than a hundredth of what comes for it. */
		last[fault.direction] += draw_offset(
			&state, fault.direction == THERE ? reach / 128 + 64 : reach);
		fault.offset = last[fault.direction];
		fault.detail = (uint32_t)draw(&state);
		if (fault_is_of_connection(fault.kind) && draw(&state) % 4 == 0) {
			fault.due_ms = draw(&state) % (reach / 65536 + 1);
			fault.offset = UINT64_MAX;
		}
		plan->faults[plan->count++] = fault;
	}
}

bool fault_plan_add(struct fault_plan *plan, const char *text)
{
	char name[32], direction[16];
	struct fault fault = { .offset = 0 };

	if (plan->count == FAULTS_MAX ||
		sscanf(text, "%31s %15s %" SCNu64 " %" SCNx32, name, direction, &fault.offset,
			&fault.detail) != 4 ||
		!fault_kind_by_name(name, &fault.kind))
		return false;
	while (strcmp(direction_names[fault.direction], direction) != 0)
		if (++fault.direction == DIRECTIONS)
			return false;
	if (!(kinds_table[fault.kind].directions & 1u << fault.direction))
		return false;
	plan->faults[plan->count++] = fault;
	return true;
}

struct fault *fault_plan_next(struct fault_plan *plan, enum direction direction, uint64_t now_ms)
{
	struct fault *next = NULL;

	for (size_t i = 0; i < plan->count; i++) {
		struct fault *fault = &plan->faults[i];

		if (fault->committed || fault->direction != direction)
			continue;
		if (fault->offset == UINT64_MAX && fault->due_ms > now_ms)
			continue;
		if (fault->offset == UINT64_MAX)
			return fault;
		if (!next || fault->offset < next->offset)
			next = fault;
	}
	return next;
}

void fault_text(const struct fault *fault, uint64_t passed, char text[FAULT_TEXT_SIZE])
{
	snprintf(text, FAULT_TEXT_SIZE, "%s %s %" PRIu64 " %" PRIx32, kinds_table[fault->kind].name,
		direction_names[fault->direction], passed, fault->detail);
}
