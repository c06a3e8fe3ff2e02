// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ceiling: how fast a stub gives memory to somebody who does nothing with it.
 *
 *	ceiling [-s SIZE] [-w BYTES] TARGET START-END...
 *
 * Asks for the ranges (hexadecimal; END is the first byte behind) by reads of SIZE bytes, by
 * default what QEMU takes at most, with up to BYTES of memory on their way, and throws the answers
 * away. Prints how many seconds that took, and how many bytes of memory came. TARGET is HOST:PORT
 *or unix:PATH. A QEMU reads physical memory meanwhile; its guest stands still before and
 *afterwards.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/connect.h"

enum {
	READ_MAX = 64 << 10,
	WINDOW_DEFAULT = 4 << 20,
	WINDOW_MAX = 64 << 20,
	REQUESTS_MAX = 16384, /* on their way */
	REQUEST_SIZE = 48,
	INPUT_SIZE = 256 << 10,
	ENOUGH = 128 << 10, /* to be woken for */
	SHORT_MS = 200,
	PATIENCE_MS = 30000,
};

struct range {
	uint64_t start, end;
};

/* Where in an answer we are: what is thrown away is not looked at but for its frame. */
enum place { BEFORE, DIGITS, HASH, SUM, ERROR };

struct ceiling {
	int fd;
	size_t read_size, window;
	const struct range *ranges; /* what is left to be asked for */
	size_t range_count;
	uint64_t addr; /* ... in the first of them */

	size_t lens[REQUESTS_MAX]; /* a ring: of requests without an answer yet */
	size_t first, count;
	size_t bytes; /* of memory, on their way */
	char output[REQUESTS_MAX * REQUEST_SIZE];
	size_t out_start, out_end;

	int enough; /* the socket wakes us for so many bytes */
	enum place place;
	size_t left; /* to be skipped there */
	uint64_t got;
	bool failed;
};

/* What is there. On unix sockets, the wait for enough would be here, not in poll(). */
static size_t receive(int fd, char *to, size_t size)
{
	ssize_t n = recv(fd, to, size, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		die(strerror(errno), "the stub");
	if (n == 0)
		die("closed the connection", "the stub");
	return (size_t)n;
}

static size_t frame(char *to, const char *body)
{
	uint8_t sum = 0;

	for (const char *at = body; *at; at++)
		sum = (uint8_t)(sum + *at);
	return (size_t)sprintf(to, "$%s#%02x", body, sum);
}

/* ---- one thing after the other --------------------------------------------------------------- */

/* A request and its answer, which is kept until the next one. */
static const char *ask(int fd, const char *body)
{
	static char answer[16384];
	char packet[REQUEST_SIZE];
	size_t size = frame(packet, body), used = 0;

	if (send(fd, packet, size, MSG_NOSIGNAL) != (ssize_t)size)
		die(strerror(errno), "the stub");
	for (;;) {
		char *start = memchr(answer, '$', used);
		char *end = start ? memchr(start, '#', used - (size_t)(start - answer)) : NULL;

		if (!end || end + 3 > answer + used) {
			struct pollfd wait = { .fd = fd, .events = POLLIN };

			if (poll(&wait, 1, PATIENCE_MS) == 0)
				die("no answer", "the stub");
			used += receive(fd, answer + used, sizeof(answer) - used);
			continue;
		}
		*end = '\0';
		/* QEMU before 8.1 tells whoever connects that it has stopped a running guest. */
		if (start[1] != 'T')
			return start + 1;
		used -= (size_t)(end + 3 - answer);
		memmove(answer, end + 3, used);
	}
}

static size_t choose_read_size(const char *features)
{
	const char *text = strstr(features, "PacketSize=");
	size_t packet = text ? strtoul(text + strlen("PacketSize="), NULL, 16) : 0;
	size_t size = 64;

	while (size < READ_MAX && 2 * size <= packet / 2)
		size *= 2;
	return size;
}

/* Returns the mode that it had. */
static bool set_physical(int fd, bool physical)
{
	bool before = strcmp(ask(fd, "qqemu.PhyMemMode"), "1") == 0;

	if (strcmp(ask(fd, physical ? "Qqemu.PhyMemMode:1" : "Qqemu.PhyMemMode:0"), "OK") != 0)
		die("has no physical memory mode", "the stub");
	return before;
}

/* ---- many at once ---------------------------------------------------------------------------- */

static bool next_read(struct ceiling *ceiling, uint64_t *addr, size_t *len)
{
	uint64_t end;

	if (ceiling->range_count == 0 || ceiling->failed)
		return false;
	*addr = ceiling->addr;
	/* Aligned from the second one on */
	end = (*addr / ceiling->read_size + 1) * ceiling->read_size;
	if (end > ceiling->ranges->end)
		end = ceiling->ranges->end;
	*len = (size_t)(end - *addr);
	ceiling->addr = end;
	if (end == ceiling->ranges->end && --ceiling->range_count)
		ceiling->addr = (++ceiling->ranges)->start;
	return true;
}

static void add_requests(struct ceiling *ceiling)
{
	uint64_t addr;
	size_t len;

	/* In batches: a write for each answer would cost more than the answer. */
	if (ceiling->out_end || ceiling->bytes > ceiling->window / 8 * 7)
		return;
	while (ceiling->bytes < ceiling->window && ceiling->count < REQUESTS_MAX &&
		next_read(ceiling, &addr, &len)) {
		char body[REQUEST_SIZE];

		snprintf(body, sizeof(body), "m%" PRIx64 ",%zx", addr, len);
		ceiling->out_end += frame(ceiling->output + ceiling->out_end, body);
		ceiling->lens[(ceiling->first + ceiling->count++) % REQUESTS_MAX] = len;
		ceiling->bytes += len;
	}
}

static void send_some(struct ceiling *ceiling)
{
	ssize_t n = send(ceiling->fd, ceiling->output + ceiling->out_start,
		ceiling->out_end - ceiling->out_start, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN)
		die(strerror(errno), "the stub");
	if (n > 0)
		ceiling->out_start += (size_t)n;
	if (ceiling->out_start == ceiling->out_end)
		ceiling->out_start = ceiling->out_end = 0;
}

static void finish_answer(struct ceiling *ceiling)
{
	size_t len = ceiling->lens[ceiling->first];

	ceiling->first = (ceiling->first + 1) % REQUESTS_MAX;
	ceiling->count--;
	ceiling->bytes -= len;
	ceiling->got += ceiling->failed ? 0 : len;
	ceiling->place = BEFORE;
}

/* Goes on by what can be skipped at once. */
static size_t skip(struct ceiling *ceiling, size_t there)
{
	size_t part = ceiling->left < there ? ceiling->left : there;

	ceiling->left -= part;
	return part;
}

static const char *take_some(struct ceiling *ceiling, const char *at, const char *end)
{
	switch (ceiling->place) {
	case BEFORE:
		if (*at == '$' && ceiling->count) {
			ceiling->place = DIGITS;
			ceiling->left = 2 * ceiling->lens[ceiling->first];
		} else if (*at != '+') {
			die("says what is no answer", "the stub");
		}
		return at + 1;
	case DIGITS:
		/* Digits are small letters. */
		if (*at == 'E' && ceiling->left == 2 * ceiling->lens[ceiling->first]) {
			ceiling->place = ERROR;
			return at;
		}
		at += skip(ceiling, (size_t)(end - at));
		if (ceiling->left == 0)
			ceiling->place = HASH;
		return at;
	case ERROR:
		ceiling->failed = true;
		if (*at != '#')
			return at + 1;
		ceiling->place = HASH;
		return at;
	case HASH:
		if (*at != '#')
			die("an answer of another size than was asked for", "the stub");
		ceiling->place = SUM;
		ceiling->left = 2;
		return at + 1;
	case SUM:
		at += skip(ceiling, (size_t)(end - at));
		if (ceiling->left == 0)
			finish_answer(ceiling);
		return at;
	}
	return end;
}

static void wake_at(struct ceiling *ceiling, int enough)
{
	if (enough != ceiling->enough &&
		setsockopt(ceiling->fd, SOL_SOCKET, SO_RCVLOWAT, &enough, sizeof(enough)) == 0)
		ceiling->enough = enough;
}

/*
 * Until something can be received, or sent. A stub sends each answer by itself: to wake us for
 * every one would cost both of us more than the answer.
 */
static bool wait_for_some(struct ceiling *ceiling)
{
	struct pollfd wait = { .fd = ceiling->fd, .events = POLLIN };

	if (ceiling->out_end)
		wait.events |= POLLOUT;
	wake_at(ceiling, ceiling->bytes > ENOUGH + READ_MAX ? ENOUGH : 1);
	if (poll(&wait, 1, SHORT_MS) == 0) {
		/* Errors are short, and may never be enough. */
		wake_at(ceiling, 1);
		if (poll(&wait, 1, PATIENCE_MS) == 0)
			die("no answer", "the stub");
	}
	return wait.revents & ~POLLOUT;
}

/* Until every answer has come: whatever was asked for is taken in, also after an error. */
static void read_all(struct ceiling *ceiling)
{
	static char input[INPUT_SIZE];

	for (;;) {
		add_requests(ceiling);
		if (ceiling->count == 0)
			return;
		if (ceiling->out_end)
			send_some(ceiling);
		if (!wait_for_some(ceiling))
			continue;

		const char *at = input, *end = input + receive(ceiling->fd, input, sizeof(input));

		while (at < end)
			at = take_some(ceiling, at, end);
	}
}

/* ---- the program ----------------------------------------------------------------------------- */

static struct range parse_range(const char *text)
{
	struct range range;
	char *end;

	range.start = strtoull(text, &end, 16);
	range.end = *end == '-' ? strtoull(end + 1, &end, 16) : 0;
	if (*end || range.start >= range.end)
		die("no START-END", text);
	return range;
}

static size_t parse_size(const char *text, size_t max)
{
	size_t size = strtoul(text, NULL, 0);

	if (size == 0 || size > max)
		die("too small or too large", text);
	return size;
}

int main(int argc, char **argv)
{
	struct ceiling *ceiling = calloc(1, sizeof(*ceiling));
	struct range *ranges = calloc((size_t)argc, sizeof(*ranges));
	size_t read_size = 0;
	uint64_t start;
	bool before;
	int option;

	if (!ceiling || !ranges)
		return EXIT_FAILURE;
	ceiling->window = WINDOW_DEFAULT;
	while ((option = getopt(argc, argv, "s:w:")) != -1) {
		if (option == 's')
			read_size = parse_size(optarg, READ_MAX);
		else if (option == 'w')
			ceiling->window = parse_size(optarg, WINDOW_MAX);
		else
			return EXIT_USAGE;
	}
	if (argc - optind < 2)
		return EXIT_USAGE;
	for (int i = optind + 1; i < argc; i++)
		ranges[ceiling->range_count++] = parse_range(argv[i]);
	ceiling->ranges = ranges;
	ceiling->addr = ranges->start;
	ceiling->fd = connect_to(argv[optind]);
	ceiling->read_size = choose_read_size(ask(ceiling->fd, "qSupported"));
	if (read_size)
		ceiling->read_size = read_size;
	before = set_physical(ceiling->fd, true);

	start = now();
	read_all(ceiling);
	printf("%.3f %" PRIu64 "\n", (double)(now() - start) / NS_PER_MS / 1000, ceiling->got);

	set_physical(ceiling->fd, before);
	if (ceiling->failed)
		die("refuses to read", "the stub");
	close(ceiling->fd);
	free(ranges);
	free(ceiling);
	return EXIT_SUCCESS;
}
