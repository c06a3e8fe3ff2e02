// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/stub/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENT_PACKET_MAX = 1 << 20, LOGGED_MAX = 400, CAREFUL_WAIT_MS = 2 };

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

void wire_init(struct wire *wire, int in, int out, FILE *log, const struct faults *faults)
{
	memset(wire, 0, sizeof(*wire));
	wire->in = in;
	wire->out = out;
	wire->log = log;
	wire->faults = faults;
	wire->input = must(malloc(CLIENT_PACKET_MAX));
	wire->last = must(malloc(2 * WIRE_PACKET_MAX + 8));
}

void wire_deinit(struct wire *wire)
{
	free(wire->input);
	free(wire->last);
}

void wire_log(struct wire *wire, char side, const void *body, size_t size)
{
	const uint8_t *bytes = body;

	static const char digits[] = "0123456789abcdef";
	char text[4 * LOGGED_MAX];
	size_t used = 0;

	for (size_t i = 0; i < size && i < LOGGED_MAX; i++) {
		if (bytes[i] >= ' ' && bytes[i] < 0x7f) {
			text[used++] = (char)bytes[i];
			continue;
		}
		text[used++] = '\\';
		text[used++] = 'x';
		text[used++] = digits[bytes[i] >> 4];
		text[used++] = digits[bytes[i] & 15];
	}
	fprintf(wire->log, "%c %.*s", side, (int)used, text);
	if (size > LOGGED_MAX)
		fprintf(wire->log, "... (%zu bytes)", size);
	fputc('\n', wire->log);
	fflush(wire->log);
}

static void note(struct wire *wire, const char *words)
{
	wire_log(wire, '=', words, strlen(words));
}

/* ---- out ------------------------------------------------------------------------------------- */

static enum wire_end send_all(struct wire *wire, const uint8_t *bytes, size_t size)
{
	size_t step = wire->faults->one_byte ? 1 : size;

	while (size) {
		size_t part = step < size ? step : size;
		ssize_t n = send(wire->out, bytes, part, MSG_NOSIGNAL);

		if (n < 0 && errno == ENOTSOCK)
			n = write(wire->out, bytes, part);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			note(wire, "closed while answering");
			return WIRE_CLOSED;
		}
		bytes += n;
		size -= (size_t)n;
	}
	return WIRE_GOES_ON;
}

enum wire_end wire_put_raw(struct wire *wire, const void *bytes, size_t size)
{
	wire_log(wire, '<', bytes, size);
	return send_all(wire, bytes, size);
}

/* A count that is printable and none of the characters with a meaning of their own. */
static bool may_count(const struct faults *faults, size_t run)
{
	int c = (int)run - 1 + 29;

	if (run < 4 || c > 126)
		return false;
	return faults->run_lengths_of_8 || !strchr("#$+-*", c);
}

/* Encodes runs; the result is never longer. */
static size_t encode_runs(
	const struct faults *faults, const uint8_t *body, size_t size, uint8_t *to)
{
	size_t used = 0;

	for (size_t i = 0; i < size;) {
		size_t run = 1;

		while (i + run < size && body[i + run] == body[i] && run < 98)
			run++;
		while (run > 1 && !may_count(faults, run))
			run--;
		to[used++] = body[i];
		if (run > 1) {
			to[used++] = '*';
			to[used++] = (uint8_t)(run - 1 + 29);
		}
		i += run;
	}
	return used;
}

static size_t frame(struct wire *wire, char first, const uint8_t *body, size_t size, uint8_t *to)
{
	static const char digits[] = "0123456789abcdef";
	const struct faults *faults = wire->faults;
	unsigned sum = 0;

	to[0] = (uint8_t)first;
	if ((faults->run_lengths || faults->run_lengths_of_8) && !memchr(body, '}', size))
		size = encode_runs(faults, body, size, to + 1);
	else
		memcpy(to + 1, body, size);
	/* Behind text; what begins so may be binary. */
	if (faults->trailing_nul && !(size && strchr("blm", to[1])))
		to[++size] = '\0';
	for (size_t i = 1; i <= size; i++)
		sum += to[i];
	to[size + 1] = '#';
	to[size + 2] = (uint8_t)digits[sum >> 4 & 15];
	to[size + 3] = (uint8_t)digits[sum & 15];
	return size + 4;
}

/* Waits for the end of a connection on which nothing is said any more. */
static enum wire_end fall_silent(struct wire *wire)
{
	uint8_t bytes[4096];

	note(wire, "silent from here on");
	while (read(wire->in, bytes, sizeof(bytes)) > 0)
		;
	return WIRE_CLOSED;
}

/* Sends digits until nobody takes them any more. */
static enum wire_end go_on_for_ever(struct wire *wire)
{
	uint8_t digits[4096];
	enum wire_end end = send_all(wire, (const uint8_t *)"$", 1);

	note(wire, "a packet without end instead");
	memset(digits, '0', sizeof(digits));
	while (end == WIRE_GOES_ON)
		end = send_all(wire, digits, sizeof(digits));
	return end;
}

/* Sends the last packet's frame, as it is or damaged. */
static enum wire_end transmit(struct wire *wire)
{
	const struct faults *faults = wire->faults;
	long nth = ++wire->replies;
	bool damage = nth == faults->bad_checksum ||
	              (faults->bad_checksums >= 0 && nth >= faults->bad_checksums);
	uint8_t *digit = &wire->last[wire->last_size - 1];
	enum wire_end end;

	wire->unacknowledged++;
	if (nth == faults->close) {
		note(wire, "the end instead");
		return WIRE_CLOSED;
	}
	if (faults->silent >= 0 && nth >= faults->silent)
		return fall_silent(wire);
	if (nth == faults->truncate) {
		note(wire, "half of that, then the end");
		send_all(wire, wire->last, wire->last_size / 2);
		return WIRE_CLOSED;
	}
	if (nth == faults->endless)
		return go_on_for_ever(wire);
	if (damage) {
		note(wire, "with a wrong checksum");
		*digit ^= 1;
	}
	if (nth == faults->duplicate) {
		note(wire, "and once more");
		send_all(wire, wire->last, wire->last_size);
	}
	end = send_all(wire, wire->last, wire->last_size);
	if (damage)
		*digit ^= 1;
	return end;
}

enum wire_end wire_put(struct wire *wire, const void *body, size_t size)
{
	wire_log(wire, '<', body, size);
	wire->last_size = frame(wire, '$', body, size, wire->last);
	return transmit(wire);
}

static enum wire_end put_console(struct wire *wire, const char *text)
{
	char body[512] = "O";
	size_t used = 1;

	for (; *text && used + 3 < sizeof(body); text++)
		used += (size_t)sprintf(body + used, "%02x", (unsigned char)*text);
	return wire_put(wire, body, used);
}

static enum wire_end put_notification(struct wire *wire, const char *text)
{
	uint8_t bytes[512];
	size_t size = frame(wire, '%', (const uint8_t *)text, strlen(text), bytes);

	return wire_put_raw(wire, bytes, size);
}

enum wire_end wire_answer(struct wire *wire, const void *body, size_t size)
{
	static char long_line[241];

	const struct faults *faults = wire->faults;
	long nth = wire->replies + 1;
	enum wire_end end = WIRE_GOES_ON;

	memset(long_line, '.', sizeof(long_line) - 1);
	if (faults->delay > 0)
		poll(NULL, 0, (int)faults->delay);
	while (faults->flood > 0 && nth >= faults->flood && end == WIRE_GOES_ON)
		end = put_notification(wire, "Flood:of notifications that never ends");
	while (faults->chatter > 0 && nth >= faults->chatter && end == WIRE_GOES_ON)
		end = put_console(wire, long_line);
	if (end == WIRE_GOES_ON && faults->junk)
		end = wire_put_raw(wire, faults->junk, strlen(faults->junk));
	if (end == WIRE_GOES_ON && faults->notification)
		end = put_notification(wire, faults->notification);
	if (end == WIRE_GOES_ON && faults->console)
		end = put_console(wire, faults->console);
	if (end == WIRE_GOES_ON)
		end = wire_put(wire, body, size);
	if (end == WIRE_GOES_ON && faults->unasked)
		end = wire_put(wire, faults->unasked, strlen(faults->unasked));
	return end;
}

/* ---- in -------------------------------------------------------------------------------------- */

bool wire_fill(struct wire *wire)
{
	ssize_t n;

	memmove(wire->input, wire->input + wire->start, wire->end - wire->start);
	wire->end -= wire->start;
	wire->start = 0;
	if (wire->end == CLIENT_PACKET_MAX)
		return false;
	do
		n = read(wire->in, wire->input + wire->end, CLIENT_PACKET_MAX - wire->end);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	wire->end += (size_t)n;
	return true;
}

size_t wire_whole_packet(const struct wire *wire)
{
	const uint8_t *bytes = wire->input + wire->start;
	const uint8_t *hash = memchr(bytes, '#', wire->end - wire->start);

	if (!hash || wire->end - wire->start < (size_t)(hash - bytes) + 3)
		return 0;
	return (size_t)(hash - bytes) + 3;
}

static void count_window(struct wire *wire)
{
	size_t count = 0;

	for (size_t i = wire->start; i < wire->end; i++)
		count += wire->input[i] == '#';
	if (count > wire->window_max)
		wire->window_max = count;
}

/* What bhyve, kgdb and gem5 cannot bear. */
static enum wire_end check_care(struct wire *wire)
{
	struct pollfd more = { .fd = wire->in, .events = POLLIN };
	uint8_t next[256];
	ssize_t n;

	if (!wire->no_ack && wire->unacknowledged) {
		note(wire, "CARELESS: a packet was not acknowledged exactly once");
		return WIRE_CARELESS;
	}
	if (memchr(wire->input + wire->start, '$', wire->end - wire->start) ||
		(poll(&more, 1, CAREFUL_WAIT_MS) > 0 &&
			(n = recv(wire->in, next, sizeof(next), MSG_PEEK)) > 0 &&
			memchr(next, '$', (size_t)n))) {
		note(wire, "CARELESS: more than one request at a time");
		return WIRE_CARELESS;
	}
	return WIRE_GOES_ON;
}

bool wire_checksum_is_right(const uint8_t *bytes, size_t size)
{
	char digits[3] = { (char)bytes[size - 2], (char)bytes[size - 1], '\0' };
	unsigned sum = 0;

	for (size_t i = 1; i + 3 < size; i++)
		sum += bytes[i];
	return (sum & 0xff) == strtoul(digits, NULL, 16);
}

/* A byte between packets. */
static enum wire_end take_sign(struct wire *wire)
{
	uint8_t c = wire->input[wire->start++];

	wire_log(wire, '>', &c, 1);
	/* The first sign, in front of the first request, is every client's custom. */
	if (c == '+' && wire->replies)
		wire->unacknowledged--;
	if (c == '-' && wire->last_size)
		return transmit(wire);
	return WIRE_GOES_ON;
}

enum wire_end wire_get(struct wire *wire, char **body, size_t *size)
{
	enum wire_end end = WIRE_GOES_ON;

	while (end == WIRE_GOES_ON) {
		if (wire->start == wire->end && !wire_fill(wire))
			break;
		if (wire->input[wire->start] != '$') {
			end = take_sign(wire);
			continue;
		}

		size_t whole = wire_whole_packet(wire);
		uint8_t *bytes = wire->input + wire->start;

		if (whole == 0) {
			if (!wire_fill(wire))
				break;
			continue;
		}
		count_window(wire);
		wire->start += whole;
		wire_log(wire, '>', bytes + 1, whole - 4);
		if (!wire_checksum_is_right(bytes, whole)) {
			note(wire, "which came with a wrong checksum");
			end = wire_put_raw(wire, "-", 1);
			continue;
		}
		if (++wire->requests == wire->faults->nack) {
			end = wire_put_raw(wire, "-", 1);
			continue;
		}
		if (!wire->no_ack)
			end = send_all(wire, (const uint8_t *)"+", 1);
		if (end == WIRE_GOES_ON && wire->faults->careful)
			end = check_care(wire);
		if (end != WIRE_GOES_ON)
			break;
		*body = (char *)bytes + 1;
		*size = whole - 4;
		(*body)[*size] = '\0';
		return WIRE_GOES_ON;
	}
	return end == WIRE_GOES_ON ? WIRE_CLOSED : end;
}
