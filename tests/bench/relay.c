// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * relay: makes a link longer, not narrower.
 *
 *	relay MILLISECONDS TARGET
 *
 * Listens on a free port of the loopback device, which it prints, and takes one connection, which
 * it passes on to TARGET (HOST:PORT or unix:PATH). Every byte arrives half of MILLISECONDS later
 * than it was sent, in either direction, so that a round trip takes MILLISECONDS longer (and some
 * tenths of one, where much is on its way); as many bytes may be on their way as there is room for
 * in a queue. It ends with the connection, or when nothing was said on it for a minute.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/connect.h"

enum {
	QUEUE_SIZE =
		64 << 20, /* more than 1 GB/s for 50 ms; pages that are never used cost nothing */
	READ_MAX = 1 << 20,
	READ_MIN = 1 << 10, /* of bulk */
	MARKS_MAX = 4096,
	MARK_NS = NS_PER_MS / 10, /* what arrives so close together travels together */
	TICK_NS = NS_PER_MS / 4,  /* between two looks at a link on which much is said */
	PATIENCE_MS = 60000,
	DELAY_MAX_MS = 1000,
};

/* Bytes up to `end` may leave at `due`. */
struct mark {
	uint64_t end, due;
};

/* One direction. Counts of bytes are from its beginning; the queue is a ring. */
struct flow {
	int from, to;
	uint8_t *queue;
	uint64_t in, out;
	struct mark marks[MARKS_MAX];
	size_t first, count;
	bool ended;    /* nothing comes any more */
	bool finished; /* nor goes */
	bool blocked;  /* what is due does not fit into the socket */
};

static void flow_init(struct flow *flow, int from, int to)
{
	*flow = (struct flow){ .from = from, .to = to, .queue = malloc(QUEUE_SIZE) };
	if (!flow->queue)
		die("no memory", "queue");
}

static bool has_room(const struct flow *flow)
{
	return !flow->ended && flow->in - flow->out < QUEUE_SIZE && flow->count < MARKS_MAX;
}

static size_t smallest(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t least = a < b ? a : b;

	return (size_t)(least < c ? least : c);
}

static void take_in(struct flow *flow, uint64_t delay)
{
	uint64_t at = flow->in % QUEUE_SIZE, due = now() + delay;
	size_t size = smallest(QUEUE_SIZE - at, QUEUE_SIZE - (flow->in - flow->out), READ_MAX);
	ssize_t n = recv(flow->from, flow->queue + at, size, MSG_DONTWAIT);
	struct mark *last;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		flow->ended = true;
		return;
	}
	flow->in += (uint64_t)n;
	last = &flow->marks[(flow->first + flow->count + MARKS_MAX - 1) % MARKS_MAX];
	if (flow->count == 0 || due - last->due > MARK_NS) {
		last = &flow->marks[(flow->first + flow->count++) % MARKS_MAX];
		last->due = due;
	}
	last->end = flow->in;
}

static void let_out(struct flow *flow)
{
	flow->blocked = false;
	while (flow->count && flow->marks[flow->first].due <= now()) {
		const struct mark *mark = &flow->marks[flow->first];
		uint64_t at = flow->out % QUEUE_SIZE;
		size_t size = smallest(QUEUE_SIZE - at, mark->end - flow->out, UINT64_MAX);
		ssize_t n = send(flow->to, flow->queue + at, size, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN) {
			flow->blocked = true;
			return;
		}
		if (n < 0) {
			/* Nobody wants it any more. */
			flow->ended = true;
			flow->count = 0;
			break;
		}
		flow->out += (uint64_t)n;
		if (flow->out == mark->end) {
			flow->first = (flow->first + 1) % MARKS_MAX;
			flow->count--;
		}
	}
	if (flow->ended && flow->count == 0 && !flow->finished) {
		flow->finished = true;
		shutdown(flow->to, SHUT_WR);
	}
}

/* How long until the next byte may leave, at most `most` */
static uint64_t until_due(const struct flow *flow, uint64_t most)
{
	uint64_t due = flow->count ? flow->marks[flow->first].due : UINT64_MAX;
	uint64_t time = now();

	if (flow->blocked || !flow->count)
		return most;
	if (due <= time)
		return 0;
	return due - time < most ? due - time : most;
}

static short events(const struct flow *reading, const struct flow *writing)
{
	return (short)((has_room(reading) ? POLLIN : 0) | (writing->blocked ? POLLOUT : 0));
}

static void run(int client, int stub, uint64_t delay)
{
	static struct flow there, back;
	const uint64_t patience = (uint64_t)PATIENCE_MS * NS_PER_MS;
	const struct timespec tick = { .tv_nsec = TICK_NS };
	uint64_t taken = 0;

	flow_init(&there, client, stub);
	flow_init(&back, stub, client);
	while (!there.finished || !back.finished) {
		/* A negative one is not polled: its end would be told again and again. */
		struct pollfd fds[2] = { { .fd = client, .events = events(&there, &back) },
			{ .fd = stub, .events = events(&back, &there) } };
		uint64_t wait = until_due(&back, until_due(&there, patience));
		struct timespec time = { .tv_sec = (time_t)(wait / 1000000000),
			.tv_nsec = (long)(wait % 1000000000) };

		for (size_t i = 0; i < 2; i++)
			fds[i].fd = fds[i].events ? fds[i].fd : -1;
		if (ppoll(fds, 2, &time, NULL) == 0 && wait == patience)
			die("nothing was said for a minute", "connection");
		if (has_room(&there) && fds[0].revents & ~POLLOUT)
			take_in(&there, delay);
		if (has_room(&back) && fds[1].revents & ~POLLOUT)
			take_in(&back, delay);
		let_out(&there);
		let_out(&back);
		/*
		 * A stub sends each answer by itself. To be woken for every one would take as much
		 * of a small machine as the stub does, which then would be what is measured.
		 */
		if (back.in - taken > READ_MIN)
			nanosleep(&tick, NULL);
		taken = back.in;
	}
	free(there.queue);
	free(back.queue);
}

int main(int argc, char **argv)
{
	unsigned long delay = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	int listener, client, stub;

	if (argc != 3 || delay > DELAY_MAX_MS)
		return EXIT_USAGE;
	listener = listen_here();
	client = take_connection(listener, PATIENCE_MS);
	if (client < 0)
		die("nobody came for a minute", "accepting");
	close(listener);
	stub = connect_to(argv[2]);
	run(client, stub, (uint64_t)delay * NS_PER_MS / 2);
	close(client);
	close(stub);
	return EXIT_SUCCESS;
}
