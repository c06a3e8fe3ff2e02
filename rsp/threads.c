// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stub's threads: plain ("1,2"), or with processes ("p01.02"), one or many to a packet, the end
 * in a packet of its own or, from Xen's gdbsx, fused to the list ("m0,1,2l").
 */
#include <stdlib.h>
#include <string.h>

#include "rsp/connection.h"
#include "rsp/hex.h"

enum { AHEAD_MAX = 16 /* requests on their way */ };

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

static int list_one_by_one(struct rsp *rsp, struct list *list)
{
	struct rsp_reply reply;
	bool last = false;

	if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "qfThreadInfo") ||
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
	while (!last)
		if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "qsThreadInfo") ||
			take_packet(rsp, list, &reply, &last))
			return -1;
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

/* QEMU has a packet for each thread. */
static int list_ahead(struct rsp *rsp, struct list *list)
{
	const char *request = "qfThreadInfo";
	struct rsp_reply reply;
	bool last = false;

	while (!last) {
		for (size_t i = 0; i < AHEAD_MAX; i++) {
			if (rsp_send(rsp, request, strlen(request)))
				return -1;
			request = "qsThreadInfo";
		}
		for (size_t i = 0; i < AHEAD_MAX; i++) {
			if (rsp_receive(rsp, RSP_EXPECT_ANSWER, &reply))
				return -1;
			/* Behind the end comes the end, again and again. */
			if (last && reply.text[0] == 'm')
				return rsp_fail(
					rsp, RSP_CONFUSED, "threads behind the end of their list");
			if (!last && take_packet(rsp, list, &reply, &last))
				return -1;
		}
	}
	return 0;
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

	if (rsp->quirks->answers_past_end) {
		rsp->streaming = true;
		rc = list_ahead(rsp, &list);
		/* What was asked for must be taken in before anything else is said. */
		if (rc)
			rsp_settle(rsp);
		rsp->streaming = false;
	} else {
		rc = list_one_by_one(rsp, &list);
		if (rc == 0 && list.count == 0 && !rsp->quirks->lists_threads)
			rc = take_only_one(rsp, &list);
	}
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

int rsp_attach_processes(struct rsp *rsp)
{
	struct rsp_reply reply;

	if (!rsp->quirks->clusters || !rsp->stub.multiprocess)
		return 0;
	rsp->attached_all = true;
	/* They cannot be listed: the first number that is refused is behind the last. */
	for (unsigned process = 2; process <= RSP_PROCESSES_MAX; process++) {
		if (rsp_request(rsp, RSP_EXPECT_STOP, &reply, "vAttach;%x", process))
			return -1;
		if (!reply.size || rsp_is_error(&reply))
			break;
	}
	return 0;
}
