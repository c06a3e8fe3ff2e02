// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/stub/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/stub/damage.h"

enum {
	COMPANY_MS = 10, /* that a packet waits for another one */
	STALL_MIN_MS = 200,
	STALL_MAX_MS = 1500,
	DELAY_MAX_MS = 300,
};

void flow_init(struct flow *flow, enum direction direction)
{
	*flow = (struct flow){ .direction = direction, .from = -1, .to = -1 };
	flow->in = malloc(FLOW_IN_SIZE);
	flow->out = malloc(FLOW_OUT_SIZE);
	if (!flow->in || !flow->out)
		abort();
}

void flow_deinit(struct flow *flow)
{
	free(flow->in);
	free(flow->out);
}

void flow_start(struct flow *flow, int from, int to)
{
	struct flow fresh = { .direction = flow->direction,
		.from = from,
		.to = to,
		.in = flow->in,
		.out = flow->out,
		.passed = flow->passed };

	*flow = fresh;
}

bool flow_wants_in(const struct flow *flow)
{
	return !flow->ended && (flow->endless || flow->in_size < FLOW_IN_SIZE - DAMAGE_GROWTH);
}

bool flow_wants_out(const struct flow *flow)
{
	return flow->out_end > flow->out_start;
}

void flow_take_in(struct flow *flow)
{
	ssize_t n;

	/* Behind the beginning of a packet without end nobody hears what the stub says. */
	if (flow->endless)
		flow->in_size = 0;
	n = recv(flow->from, flow->in + flow->in_size, FLOW_IN_SIZE - DAMAGE_GROWTH - flow->in_size,
		MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		flow->ended = true;
	else
		flow->in_size += (size_t)n;
}

void flow_let_out(struct flow *flow)
{
	ssize_t n;

	if (flow_wants_out(flow)) {
		n = send(flow->to, flow->out + flow->out_start, flow->out_end - flow->out_start,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			flow->out_start += (size_t)n;
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			/* Nobody wants it any more. */
			flow->out_start = flow->out_end;
			flow->ended = true;
			flow->in_size = 0;
		}
	}
	if (!flow_wants_out(flow)) {
		flow->out_start = flow->out_end = 0;
		if (flow->ended && flow->in_size == 0 && !flow->finished) {
			flow->finished = true;
			shutdown(flow->to, SHUT_WR);
		}
	}
}

static size_t room(struct flow *flow)
{
	memmove(flow->out, flow->out + flow->out_start, flow->out_end - flow->out_start);
	flow->out_end -= flow->out_start;
	flow->out_start = 0;
	return FLOW_OUT_SIZE - flow->out_end;
}

static void put(struct flow *flow, const void *bytes, size_t size)
{
	memcpy(flow->out + flow->out_end, bytes, size);
	flow->out_end += size;
}

static void drop_in(struct flow *flow, size_t size)
{
	memmove(flow->in, flow->in + size, flow->in_size - size);
	flow->in_size -= size;
	flow->passed += size;
}

/* Goes on to behind the next byte that changes the place; false if there is none. */
static bool move_on(const struct flow *flow, enum place *place, size_t *at)
{
	const uint8_t *found;

	switch (*place) {
	case BETWEEN:
	case IN_BODY:
		found = memchr(flow->in + *at, *place == BETWEEN ? '$' : '#', flow->in_size - *at);
		if (!found)
			return false;
		*at = (size_t)(found - flow->in) + 1;
		*place = *place == BETWEEN ? IN_BODY : IN_SUM_1;
		return true;
	case IN_SUM_1:
	case IN_SUM_2:
		if (*at == flow->in_size)
			return false;
		++*at;
		*place = *place == IN_SUM_1 ? IN_SUM_2 : BETWEEN;
		return true;
	}
	return false;
}

/* Lets so many bytes pass, or fewer if there is no room. True if they did. */
static bool pass_bytes(struct flow *flow, size_t size)
{
	size_t space = room(flow), n = size < space ? size : space, at = 0;
	struct flow part = *flow;

	if (n == 0)
		return size == 0;
	part.in_size = n;
	while (move_on(&part, &flow->place, &at))
		;
	put(flow, flow->in, n);
	drop_in(flow, n);
	return n == size;
}

static void tell(FILE *log, struct fault *fault, uint64_t passed)
{
	char text[FAULT_TEXT_SIZE];

	fault->committed = true;
	fault_text(fault, passed, text);
	fprintf(log, "%s\n", text);
	fflush(log);
}

/* Two packets with nothing between them but signs change places, if that can be told at all. */
static bool swap(struct flow *flow, size_t first, uint64_t now_ms, bool *wait)
{
	size_t between = first, second = 0;
	uint8_t *start;

	while (between < flow->in_size && flow->in[between] == '+')
		between++;
	if (between < flow->in_size && flow->in[between] == '$')
		second = packet_size(flow->in + between, flow->in_size - between);
	start = flow->in + between;
	if (!second) {
		if (!flow->alone_since)
			flow->alone_since = now_ms;
		*wait = now_ms - flow->alone_since < COMPANY_MS;
		return false;
	}
	if (first == second || !is_reply(flow->in, first) || !is_reply(start, second))
		return false;
	put(flow, start, second);
	put(flow, flow->in + first, between - first);
	put(flow, flow->in, first);
	drop_in(flow, between + second);
	return true;
}

/*
 * Does to the packet at the start of the input what is due. Returns whether it was done; if *wait
 * is set the packet has to wait, else it passes unharmed.
 */
static bool commit_to_packet(struct flow *flow, struct flow *other, const struct fault *fault,
	size_t size, uint64_t now_ms, bool *wait)
{
	uint8_t *packet = flow->out + flow->out_end;
	size_t damaged;

	switch (fault->kind) {
	case FAULT_NACK:
		other->owes_nack = true;
		drop_in(flow, size);
		return true;
	case FAULT_ENDLESS:
		flow->endless = true;
		put(flow, "$", 1);
		return true;
	case FAULT_SWAP:
		return swap(flow, size, now_ms, wait);
	case FAULT_DUPLICATE:
		if (!is_reply(flow->in, size))
			return false;
		put(flow, flow->in, size);
		put(flow, flow->in, size);
		drop_in(flow, size);
		return true;
	default:
		memcpy(packet, flow->in, size);
		damaged = damage(fault, packet, size);
		flow->out_end += damaged;
		if (damaged)
			drop_in(flow, size);
		return damaged > 0;
	}
}

/* True if something passed or was done, so that there may be more to do. */
static bool pass_packet(
	struct flow *flow, struct flow *other, struct fault *fault, uint64_t now_ms, FILE *log)
{
	uint64_t passed = flow->passed;
	bool wait = false;
	size_t at = 0, size;
	enum place place = flow->place;

	if (flow->in_size == 0)
		return false;
	/* To the beginning of a packet */
	if (place != BETWEEN || flow->in[0] != '$') {
		do
			if (!move_on(flow, &place, &at))
				return pass_bytes(flow, flow->in_size) && flow->in_size;
		while (place != BETWEEN && place != IN_BODY);
		return pass_bytes(flow, place == IN_BODY && at ? at - 1 : at);
	}
	size = packet_size(flow->in, flow->in_size);
	if (size == 0 && !flow->ended)
		return false;
	if (size == 0)
		return pass_bytes(flow, flow->in_size);
	if (room(flow) < 2 * size + DAMAGE_GROWTH)
		return false;
	if (commit_to_packet(flow, other, fault, size, now_ms, &wait)) {
		tell(log, fault, passed);
		flow->alone_since = 0;
		return true;
	}
	if (wait)
		return false;
	flow->alone_since = 0;
	return pass_bytes(flow, size);
}

/* True if the connection does not survive it. */
static bool commit_to_connection(
	struct flow *flow, struct flow *other, struct fault *fault, uint64_t now_ms, FILE *log)
{
	tell(log, fault, flow->passed);
	switch (fault->kind) {
	case FAULT_DELAY:
		flow->held_until = now_ms + 1 + fault_choose(fault, DELAY_MAX_MS);
		return false;
	case FAULT_STALL:
		flow->held_until = now_ms + STALL_MIN_MS +
		                   fault_choose(fault, STALL_MAX_MS - STALL_MIN_MS);
		other->held_until = flow->held_until;
		return false;
	default:
		return true;
	}
}

static void go_on_without_end(struct flow *flow)
{
	size_t space = room(flow);

	memset(flow->out + flow->out_end, '0', space);
	flow->out_end += space;
}

const struct fault *flow_pass(
	struct flow *flow, struct flow *other, struct fault_plan *plan, uint64_t now_ms, FILE *log)
{
	for (;;) {
		struct fault *fault = fault_plan_next(plan, flow->direction, now_ms);
		bool by_time = fault && fault->offset == UINT64_MAX;

		if (flow->owes_nack && flow->place == BETWEEN && room(flow)) {
			put(flow, "-", 1);
			flow->owes_nack = false;
		}
		if (flow->endless) {
			go_on_without_end(flow);
			return NULL;
		}
		if (now_ms < flow->held_until)
			return NULL;
		if (!fault || (!by_time && fault->offset > flow->passed)) {
			uint64_t left = fault ? fault->offset - flow->passed : UINT64_MAX;
			size_t size = left < flow->in_size ? (size_t)left : flow->in_size;

			if (size == 0 || !pass_bytes(flow, size))
				return NULL;
		} else if (fault_is_of_connection(fault->kind)) {
			if (commit_to_connection(flow, other, fault, now_ms, log))
				return fault;
		} else if (!pass_packet(flow, other, fault, now_ms, log)) {
			return NULL;
		}
	}
}
