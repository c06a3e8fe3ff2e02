// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/ahead.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool begins_with(const struct rsp_foreseen *foreseen, const char *prefix)
{
	return !prefix || strncmp(foreseen->body, prefix, strlen(prefix)) == 0;
}

bool rsp_ahead_has(const struct rsp *rsp, const char *prefix)
{
	for (size_t i = 0; i < rsp->ahead.count; i++)
		if (begins_with(&rsp->ahead.items[i], prefix))
			return true;
	return false;
}

void rsp_ahead_drop(struct rsp *rsp, const char *prefix)
{
	struct rsp_ahead *ahead = &rsp->ahead;
	size_t kept = 0;

	for (size_t i = 0; i < ahead->count; i++) {
		if (begins_with(&ahead->items[i], prefix))
			free(ahead->items[i].text);
		else
			ahead->items[kept++] = ahead->items[i];
	}
	ahead->count = kept;
	if (!prefix) {
		free(ahead->taken);
		ahead->taken = NULL;
	}
}

void rsp_ahead_add(struct rsp *rsp, enum rsp_expect expect, const char *format, ...)
{
	struct rsp_ahead *ahead = &rsp->ahead;
	struct rsp_foreseen *added = &ahead->items[ahead->count];
	va_list args;
	int size;

	if (ahead->off || ahead->count == RSP_AHEAD_MAX)
		return;
	*added = (struct rsp_foreseen){ .expect = expect };
	va_start(args, format);
	size = vsnprintf(added->body, sizeof(added->body), format, args);
	va_end(args);
	if (size > 0 && (size_t)size < sizeof(added->body))
		ahead->count++;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Adds to what is known of an answer. Returns 0 or -1. */
static int keep(struct rsp *rsp, struct rsp_foreseen *foreseen, const char *bytes, size_t size)
{
	if (size > 2 * (size_t)RSP_MONITOR_MAX - foreseen->size)
		return rsp_fail(rsp, RSP_CONFUSED, "a monitor command printed over %d bytes",
			RSP_MONITOR_MAX);
	if (foreseen->size + size + 1 > foreseen->capacity) {
		size_t capacity = foreseen->size ? 2 * (foreseen->size + size + 1) : size + 1;
		char *longer = realloc(foreseen->text, capacity);

		if (!longer)
			return rsp_fail(rsp, RSP_NO_MEMORY, "no memory");
		foreseen->text = longer;
		foreseen->capacity = capacity;
	}
	if (size)
		memcpy(foreseen->text + foreseen->size, bytes, size);
	foreseen->size += size;
	foreseen->text[foreseen->size] = '\0';
	return 0;
}

/* Receives the answer to a request, to be kept with it. */
static int receive(struct rsp *rsp, struct rsp_foreseen *foreseen)
{
	struct rsp_reply reply;

	rsp->expected = foreseen->expect;
	for (;;) {
		if (rsp_receive(rsp, foreseen->expect, &reply))
			return -1;
		/* Output in parts, with "OK" behind the last. */
		if (foreseen->expect != RSP_EXPECT_OUTPUT || !rsp_is_output(&reply))
			break;
		if (keep(rsp, foreseen, reply.text + 1, reply.size - 1))
			return -1;
	}
	foreseen->answered = true;
	if (foreseen->size && rsp_is(&reply, "OK"))
		return 0;
	/* The output of a command that failed is not asked for. */
	foreseen->size = 0;
	return keep(rsp, foreseen, reply.text, reply.size);
}

static int ask(struct rsp *rsp)
{
	struct rsp_ahead *ahead = &rsp->ahead;

	for (size_t i = 0; i < ahead->count; i++) {
		const struct rsp_foreseen *foreseen = &ahead->items[i];

		if (!foreseen->answered && rsp_send(rsp, foreseen->body, strlen(foreseen->body)))
			return -1;
	}
	/* Not waiting until all is sent: the answers to it need not fit into our input. */
	if (rsp_push(rsp))
		return -1;
	for (size_t i = 0; i < ahead->count; i++)
		if (!ahead->items[i].answered && receive(rsp, &ahead->items[i]))
			return -1;
	return 0;
}

/*
 * Asks for all that is foreseen. Returns 1, or 0 if something came damaged: then it is to be asked
 * for one by one, as that can be repeated.
 */
static int ask_at_once(struct rsp *rsp)
{
	int rc;

	rsp->streaming = true;
	rc = ask(rsp);
	/* What was asked for must be taken in before anything else is said. */
	if (rc)
		rsp_settle(rsp);
	rsp->streaming = false;
	if (rc == 0)
		return 1;
	rsp_ahead_drop(rsp, NULL);
	if (rsp->failure != RSP_CONFUSED || rsp->due)
		return -1;
	rsp->ahead.off = true;
	return 0;
}

/* The first of those that are foreseen so, or NULL. */
static struct rsp_foreseen *find(struct rsp *rsp, const char *body)
{
	for (size_t i = 0; i < rsp->ahead.count; i++)
		if (strcmp(rsp->ahead.items[i].body, body) == 0)
			return &rsp->ahead.items[i];
	return NULL;
}

static bool is_any_unanswered(const struct rsp_ahead *ahead)
{
	for (size_t i = 0; i < ahead->count; i++)
		if (!ahead->items[i].answered)
			return true;
	return false;
}

static void take(struct rsp_ahead *ahead, struct rsp_foreseen *foreseen, struct rsp_reply *reply)
{
	size_t behind = ahead->count - (size_t)(foreseen - ahead->items) - 1;

	free(ahead->taken);
	ahead->taken = foreseen->text;
	*reply = (struct rsp_reply){ .text = foreseen->text, .size = foreseen->size };
	memmove(foreseen, foreseen + 1, behind * sizeof(*foreseen));
	ahead->count--;
}

int rsp_ahead_answer(
	struct rsp *rsp, enum rsp_expect expect, const char *body, struct rsp_reply *reply)
{
	struct rsp_foreseen *foreseen = find(rsp, body);
	int rc = 1;

	if (!foreseen && is_any_unanswered(&rsp->ahead)) {
		rsp_ahead_add(rsp, expect, "%s", body);
		foreseen = find(rsp, body);
	}
	if (!foreseen)
		return 0;
	if (!foreseen->answered)
		rc = ask_at_once(rsp);
	if (rc == 1)
		take(&rsp->ahead, foreseen, reply);
	return rc;
}
