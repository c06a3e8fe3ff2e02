// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fault-relay: a link on which something goes wrong.
 *
 *	fault-relay [-s SEED] [-f KIND[,KIND]...] [-n FAULTS] [-a BYTES] TARGET
 *	fault-relay -p FAULT [-p FAULT]... TARGET
 *
 * Listens on a free port of the loopback device, which it prints, and passes connections on to
 * TARGET (HOST:PORT or unix:PATH), one after the other; whoever comes in between waits. On them it
 * commits FAULTS faults, 1 by default, of the kinds that -f names, by default of all (faults.h has
 * them), at places that the seed decides, the first within BYTES of what the stub sends, 1 MiB by
 * default. Each is told in a line on standard error when it is committed. Such a line, given by -p,
 * commits the same fault at the same byte. Without faults (-n 0) all passes as it is.
 *
 * It ends by a signal, or when nobody came for two minutes.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/connect.h"
#include "tests/stub/flow.h"

enum {
	PATIENCE_MS = 120000,
	TICK_MS = 10, /* the grain of what happens by time */
	REACH = 1 << 20,
	HOLE_MIN_MS = 500,
	HOLE_MAX_MS = 3000,
	LINGER_MIN_MS = 200, /* until the stub hears that the client's side is gone */
	LINGER_MAX_MS = 1500,
};

struct relay {
	const char *target;
	int listener, client, stub; /* -1 for none */
	struct flow there, back;
	struct fault_plan plan;
	uint64_t started_ms; /* 0 before the first connection */
	uint64_t hole_until_ms;
};

static uint64_t now_ms(void)
{
	return now() / NS_PER_MS;
}

static void end_side(int *fd, bool by_reset)
{
	struct linger at_once = { .l_onoff = 1 };

	if (*fd < 0)
		return;
	/* Not on a unix socket, which knows no reset. */
	if (by_reset)
		setsockopt(*fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(*fd);
	*fd = -1;
}

/* Waits until the client has gone, or until so long. What it says is not heard. */
static void wait_for_end(const struct relay *relay, uint64_t until_ms)
{
	struct pollfd client = { .fd = relay->client, .events = POLLRDHUP };
	uint64_t time = now_ms();

	if (until_ms > time)
		poll(&client, 1, (int)(until_ms - time));
}

/* What a fault does to both sides. Afterwards there is no connection. */
static void suffer(struct relay *relay, const struct fault *fault)
{
	uint64_t time = now_ms();

	switch (fault->kind) {
	case FAULT_CUT_CLIENT:
		end_side(&relay->client, true);
		poll(NULL, 0,
			LINGER_MIN_MS + (int)fault_choose(fault, LINGER_MAX_MS - LINGER_MIN_MS));
		end_side(&relay->stub, true);
		break;
	case FAULT_CUT_STUB:
		end_side(&relay->stub, true);
		wait_for_end(relay, time + PATIENCE_MS);
		end_side(&relay->client, false);
		break;
	case FAULT_HOLE:
		relay->hole_until_ms = time + HOLE_MIN_MS +
		                       fault_choose(fault, HOLE_MAX_MS - HOLE_MIN_MS);
		wait_for_end(relay, time + PATIENCE_MS);
		end_side(&relay->client, false);
		end_side(&relay->stub, false);
		break;
	default:
		end_side(&relay->client, fault->kind == FAULT_CUT);
		end_side(&relay->stub, fault->kind == FAULT_CUT);
		break;
	}
}

static short events(const struct flow *reading, const struct flow *writing)
{
	return (short)((flow_wants_in(reading) ? POLLIN : 0) |
		       (flow_wants_out(writing) ? POLLOUT : 0));
}

static bool is_over(const struct relay *relay)
{
	/* Nobody is left to hear what never ends. */
	if (relay->back.endless && relay->there.ended)
		return true;
	return relay->there.finished && relay->back.finished;
}

static void pass_on(struct relay *relay)
{
	struct flow *there = &relay->there, *back = &relay->back;

	while (!is_over(relay)) {
		struct pollfd fds[2] = { { .fd = relay->client, .events = events(there, back) },
			{ .fd = relay->stub, .events = events(back, there) } };
		uint64_t time = now_ms() - relay->started_ms;
		const struct fault *fault;

		/* A negative one is not polled: its end would be told again and again. */
		for (size_t i = 0; i < 2; i++)
			fds[i].fd = fds[i].events ? fds[i].fd : -1;
		poll(fds, 2, TICK_MS);
		if (fds[0].revents & ~POLLOUT && flow_wants_in(there))
			flow_take_in(there);
		if (fds[1].revents & ~POLLOUT && flow_wants_in(back))
			flow_take_in(back);
		fault = flow_pass(there, back, &relay->plan, time, stderr);
		if (!fault)
			fault = flow_pass(back, there, &relay->plan, time, stderr);
		flow_let_out(there);
		flow_let_out(back);
		if (fault) {
			suffer(relay, fault);
			return;
		}
	}
	end_side(&relay->client, false);
	end_side(&relay->stub, false);
}

/* False if nobody came. */
static bool serve_one(struct relay *relay)
{
	relay->client = take_connection(relay->listener, PATIENCE_MS);
	if (relay->client < 0)
		return false;
	if (!relay->started_ms)
		relay->started_ms = now_ms();
	wait_for_end(relay, relay->hole_until_ms);
	relay->stub = try_to_connect(relay->target);
	if (relay->stub < 0) {
		end_side(&relay->client, false);
		return true;
	}
	flow_start(&relay->there, relay->client, relay->stub);
	flow_start(&relay->back, relay->stub, relay->client);
	pass_on(relay);
	return true;
}

static void choose_kinds(bool kinds[FAULT_KINDS], char *names)
{
	enum fault_kind kind;

	for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		if (!fault_kind_by_name(name, &kind))
			die("no such kind of fault", name);
		kinds[kind] = true;
	}
}

int main(int argc, char **argv)
{
	static struct relay relay = { .client = -1, .stub = -1 };
	bool kinds[FAULT_KINDS] = { false }, chosen = false;
	uint64_t seed = 1, reach = REACH;
	size_t count = 1;
	int option;

	while ((option = getopt(argc, argv, "s:f:n:a:p:")) != -1) {
		switch (option) {
		case 's':
			seed = strtoull(optarg, NULL, 10);
			break;
		case 'f':
			choose_kinds(kinds, optarg);
			chosen = true;
			break;
		case 'n':
			count = strtoul(optarg, NULL, 10);
			break;
		case 'a':
			reach = strtoull(optarg, NULL, 10);
			break;
		case 'p':
			if (!fault_plan_add(&relay.plan, optarg))
				die("no such fault", optarg);
			break;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind + 1 != argc)
		return EXIT_USAGE;
	if (!chosen)
		memset(kinds, true, sizeof(kinds));
	if (relay.plan.count == 0)
		fault_plan_draw(&relay.plan, seed, kinds, count, reach);
	relay.target = argv[optind];
	flow_init(&relay.there, THERE);
	flow_init(&relay.back, BACK);
	relay.listener = listen_here();
	while (serve_one(&relay))
		;
	flow_deinit(&relay.there);
	flow_deinit(&relay.back);
	return EXIT_SUCCESS;
}
