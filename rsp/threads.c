// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stub's threads: plain ("1,2"), or with processes ("p01.02"), one or many to a packet, the end
 * in a packet of its own or, from Xen's gdbsx, fused to the list ("m0,1,2l").
 */
#include <stdlib.h>
#include <string.h>

#include "rsp/ahead.h"
#include "rsp/connection.h"
#include "rsp/hex.h"

enum {
	AHEAD = 16, /* packets asked for at once: QEMU has one for each thread */
	FIRST_PROCESS = 1,
};

static const char first_request[] = "qfThreadInfo", next_request[] = "qsThreadInfo";

/* Parses a hexadecimal number and moves *at behind it; false if there is none. */
static bool parse_number(const char **at, uint64_t *number)
{
	size_t digits = 0;

	*number = 0;
	while (rsp_hex_digit((uint8_t)(*at)[digits]) >= 0 && digits < 16)
		*number = *number << 4 | (unsigned)rsp_hex_digit((uint8_t)(*at)[digits++]);
	*at += digits;
	return digits > 0;
}

static bool parse_thread(const char **at, struct rsp_thread *thread)
{
	thread->process = 0;
	if (**at == 'p') {
		++*at;
		if (!parse_number(at, &thread->process) || **at != '.')
			return false;
		++*at;
	}
	return parse_number(at, &thread->id);
}

struct list {
	struct rsp_thread *threads;
	size_t count, capacity;
};

static int add(struct rsp *rsp, struct list *list, const struct rsp_thread *thread)
{
	if (list->count == RSP_THREADS_MAX)
		return rsp_fail(
			rsp, RSP_CONFUSED, "the stub lists more than %d threads", RSP_THREADS_MAX);
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 16;
		struct rsp_thread *more = realloc(list->threads, capacity * sizeof(*more));

		if (!more)
			return rsp_fail(rsp, RSP_NO_MEMORY, "no memory");
		list->threads = more;
		list->capacity = capacity;
	}
	list->threads[list->count++] = *thread;
	return 0;
}

/* Adds the threads of one packet; sets *last at the end of the whole list. */
static int add_packet(struct rsp *rsp, struct list *list, const struct rsp_reply *reply, bool *last)
{
	const char *at = reply->text;

	*last = *at != 'm';
	if (*at != 'm' && *at != 'l')
		return rsp_fail(rsp, RSP_CONFUSED, "a thread list that begins with '%c'", *at);
	for (at++; *at && *at != 'l';) {
		struct rsp_thread thread;

		if (!parse_thread(&at, &thread))
			return rsp_fail(rsp, RSP_CONFUSED, "a thread list with \"%.20s\"", at);
		if (add(rsp, list, &thread))
			return -1;
		if (*at == ',')
			at++;
	}
	if (*at == 'l')
		*last = true;
	return 0;
}

/* Adds what is in the answer to a request for more of the list. */
static int take_packet(
	struct rsp *rsp, struct list *list, const struct rsp_reply *reply, bool *last)
{
	size_t before = list->count;

	if (rsp_check(rsp, reply, "list its threads") || add_packet(rsp, list, reply, last))
		return -1;
	/* A packet that adds nothing and is not the end would never end. */
	if (!*last && list->count == before)
		return rsp_fail(rsp, RSP_CONFUSED, "an empty packet of threads");
	return 0;
}

enum { SHADOW_MIN = 0x80000000 }; /* as 32 bits, below 0 */

/*
 * kgdb lists its CPUs in its first packet, in front of all the tasks that there are. Those may be
 * thousands, and are no vCPUs.
 */
static void keep_shadows(struct list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->threads[i].id >= SHADOW_MIN)
			list->threads[kept++] = list->threads[i];
	list->count = kept;
}

/* Where there is nothing more, that is said again and again. */
static void foresee_next(struct rsp *rsp)
{
	for (size_t i = 0; i < AHEAD; i++)
		rsp_ahead_add(rsp, RSP_EXPECT_ANSWER, next_request);
}

void rsp_ahead_add_threads(struct rsp *rsp)
{
	rsp_ahead_add(rsp, RSP_EXPECT_ANSWER, first_request);
	foresee_next(rsp);
}

static void forget_foreseen(struct rsp *rsp)
{
	rsp_ahead_drop(rsp, first_request);
	rsp_ahead_drop(rsp, next_request);
}

static int list_packets(struct rsp *rsp, struct list *list)
{
	struct rsp_reply reply;
	bool last = false;

	if (rsp->quirks->answers_past_end && !rsp_ahead_has(rsp, first_request))
		rsp_ahead_add_threads(rsp);
	if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "%s", first_request) ||
		rsp_recognise_by_threads(rsp, &reply))
		return -1;
	/* Bochs does not know the request. */
	if (!reply.size && !rsp->quirks->lists_threads)
		return 0;
	if (take_packet(rsp, list, &reply, &last))
		return -1;
	if (rsp->quirks->cpus_are_shadows) {
		keep_shadows(list);
		return 0;
	}
	while (!last) {
		if (rsp->quirks->answers_past_end && !rsp_ahead_has(rsp, next_request))
			foresee_next(rsp);
		if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "%s", next_request) ||
			take_packet(rsp, list, &reply, &last))
			return -1;
	}
	return 0;
}

/*
 * OpenOCD lists the tasks of an operating system, if it knows that, else nothing: then there is one
 * CPU, the one that all is asked of anyhow.
 */
static int take_only_one(struct rsp *rsp, struct list *list)
{
	static const struct rsp_thread only = { 0 };

	rsp->threadless = true;
	return add(rsp, list, &only);
}

/* A stub has few processes: QEMU one for each cluster of CPUs. */
static void note_processes(struct rsp *rsp, const struct list *list)
{
	rsp->process_count = 0;
	for (size_t i = 0; i < list->count && rsp->process_count < RSP_PROCESSES_MAX; i++) {
		size_t known = 0;

		while (known < rsp->process_count &&
			rsp->processes[known] != list->threads[i].process)
			known++;
		if (known == rsp->process_count)
			rsp->processes[rsp->process_count++] = list->threads[i].process;
	}
}

int rsp_list_threads(struct rsp *rsp, struct rsp_thread **threads, size_t *count)
{
	struct list list = { 0 };
	int rc;

	rc = list_packets(rsp, &list);
	forget_foreseen(rsp);
	if (rc == 0 && list.count == 0 && !rsp->quirks->lists_threads)
		rc = take_only_one(rsp, &list);
	if (rc == 0 && list.count == 0)
		rc = rsp_fail(rsp, RSP_CONFUSED, "the stub lists no threads");
	if (rc) {
		free(list.threads);
		return -1;
	}
	note_processes(rsp, &list);
	*threads = list.threads;
	*count = list.count;
	return 0;
}

static bool attaches(const struct rsp *rsp)
{
	return rsp->quirks->clusters && rsp->stub.multiprocess;
}

void rsp_foresee_processes(struct rsp *rsp)
{
	if (attaches(rsp) && rsp->stub.pipelines)
		rsp_ahead_add(rsp, RSP_EXPECT_STOP, "vAttach;%x", FIRST_PROCESS + 1);
}

int rsp_attach_processes(struct rsp *rsp)
{
	struct rsp_reply reply;

	if (!attaches(rsp))
		return 0;
	rsp->attached_all = true;
	/* They cannot be listed: the first number that is refused is behind the last. */
	for (unsigned process = FIRST_PROCESS + 1; process <= RSP_PROCESSES_MAX; process++) {
		if (rsp_request(rsp, RSP_EXPECT_STOP, &reply, "vAttach;%x", process))
			return -1;
		if (!reply.size || rsp_is_error(&reply))
			break;
		/* The list is longer than one that was asked for before. */
		forget_foreseen(rsp);
	}
	return 0;
}
