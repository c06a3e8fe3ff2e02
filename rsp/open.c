// SPDX-License-Identifier: GPL-2.0-or-later
/* Coming and going: the first words with a stub, and the last. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rsp/clock.h"
#include "rsp/connection.h"

enum {
	/* A stub that states no PacketSize may have a buffer of 255 bytes: Bochs. */
	READ_SIZE_UNSTATED = 0x80,
	READ_SIZE_MAX = 0x10000,
	PACKET_SIZE_MIN = 0x40,
	RETRY_PAUSE_MS = 100,
};

struct rsp *rsp_create(const struct rsp_options *options)
{
	struct rsp *rsp = calloc(1, sizeof(*rsp));

	if (!rsp)
		return NULL;
	rsp->options = *options;
	rsp->physical_before = -1;
	rsp->quirks = &rsp_quirks_unknown;
	rsp->stub.name = rsp->quirks->name;
	rsp_window_init(&rsp->window, 0);
	rsp_link_init(&rsp->link);
	rsp->input = malloc(RSP_INPUT_SIZE);
	rsp->output = malloc(RSP_OUTPUT_SIZE);
	rsp->expanded = malloc(RSP_PACKET_MAX + 1);
	if (!rsp->input || !rsp->output || !rsp->expanded) {
		rsp_destroy(rsp);
		return NULL;
	}
	return rsp;
}

void rsp_destroy(struct rsp *rsp)
{
	if (!rsp)
		return;
	rsp_link_close(&rsp->link);
	free(rsp->input);
	free(rsp->output);
	free(rsp->expanded);
	free(rsp);
}

const char *rsp_error(const struct rsp *rsp)
{
	return rsp->error;
}

enum rsp_failure rsp_failure(const struct rsp *rsp)
{
	return rsp->failure;
}

bool rsp_connected(const struct rsp *rsp)
{
	return rsp->link.fd >= 0;
}

const struct rsp_stub *rsp_stub(const struct rsp *rsp)
{
	return &rsp->stub;
}

static int connect_link(struct rsp *rsp, const struct rsp_target *target)
{
	uint64_t deadline = rsp_clock_now() + rsp->options.retry_ms;
	char why[256] = "";

	for (;;) {
		struct pollfd cancel = { .fd = rsp->options.cancel_fd, .events = POLLIN };
		bool again = false;

		if (rsp_link_open(&rsp->link, target, rsp->options.connect_timeout_ms,
			    rsp->options.cancel_fd, &again, why, sizeof(why)) == 0)
			return 0;
		if (poll(&cancel, 1, 0) > 0)
			return rsp_fail(rsp, RSP_CANCELLED, "interrupted");
		if (!again || rsp_clock_now() >= deadline)
			return rsp_fail(rsp, RSP_UNREACHABLE, "cannot connect: %s", why);
		poll(&cancel, 1, RETRY_PAUSE_MS);
	}
}

/* Looks for one feature in an answer to qSupported; what is behind "name=" or "" for "name+". */
static const char *find_feature(const char *features, const char *name)
{
	size_t length = strlen(name);

	while (features) {
		if (strncmp(features, name, length) == 0 &&
			(features[length] == '+' || features[length] == '='))
			return features + length + 1;
		features = strchr(features, ';');
		features = features ? features + 1 : NULL;
	}
	return NULL;
}

/*
 * PacketSize is hexadecimal; some stubs print a decimal number there (bhyve, Renode, gem5), which
 * read as hexadecimal is too large but for those harmless: their buffers grow.
 */
static void choose_read_size(struct rsp_stub *stub)
{
	size_t size = stub->packet_size / 2;

	if (stub->packet_size < PACKET_SIZE_MIN)
		size = READ_SIZE_UNSTATED;
	if (size > READ_SIZE_MAX)
		size = READ_SIZE_MAX;
	/* A power of two, so that reads of aligned memory stay within a page or cover whole ones.
	 */
	for (stub->read_size = 1; stub->read_size <= size / 2;)
		stub->read_size *= 2;
}

static int learn_features(struct rsp *rsp)
{
	static const char request[] =
		"qSupported:multiprocess+;xmlRegisters=i386;vContSupported+;binary-upload+";
	struct rsp_stub *stub = &rsp->stub;
	struct rsp_reply reply;

	if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "%s", request))
		return -1;
	if (strncmp(reply.text, request, strlen("qSupported")) == 0)
		return rsp_fail(rsp, RSP_UNREACHABLE,
			"what answers there is no gdb stub: it repeats what it hears");
	snprintf(stub->features, sizeof(stub->features), "%s", reply.text);

	const char *size = find_feature(stub->features, "PacketSize");

	stub->packet_size = size ? strtoul(size, NULL, 16) : 0;
	stub->multiprocess = find_feature(stub->features, "multiprocess");
	stub->binary_upload = find_feature(stub->features, "binary-upload");
	stub->memory_map = find_feature(stub->features, "qXfer:memory-map:read");
	choose_read_size(stub);
	if (find_feature(stub->features, "QStartNoAckMode")) {
		if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "QStartNoAckMode"))
			return -1;
		stub->no_ack = rsp_is(&reply, "OK");
	}
	return 0;
}

int rsp_open(struct rsp *rsp, const char *target)
{
	struct rsp_target parsed;
	struct rsp_reply reply;
	char why[256];
	/* Settles what a client that died before us left without one. */
	static const char sign = '+';

	if (rsp_target_parse(target, &parsed, why, sizeof(why)))
		return rsp_fail(rsp, RSP_BAD_TARGET, "%s", why);
	if (connect_link(rsp, &parsed))
		return -1;
	rsp->output[rsp->out_end++] = (uint8_t)sign;
	if (learn_features(rsp))
		return -1;
	if (rsp_request(rsp, RSP_EXPECT_STOP, &reply, "?"))
		return -1;
	if (reply.text[0] == 'W' || reply.text[0] == 'X')
		return rsp_fail(rsp, RSP_REFUSED, "the stub says that its guest has ended");
	return rsp_recognise(rsp);
}

/* Makes rsp->processes known, if they are not. Returns how many: 0 if they cannot be listed. */
static size_t learn_processes(struct rsp *rsp)
{
	struct rsp_thread *threads = NULL;
	size_t count;

	if (!rsp->process_count && rsp_list_threads(rsp, &threads, &count) == 0)
		free(threads);
	return rsp->process_count;
}

/*
 * Nothing may be sent behind the last `D`, not even the acknowledgement of its answer: QEMU 7.2 to
 * 11.1 dies of a request then, and any byte stops the guest again.
 */
static int detach(struct rsp *rsp)
{
	size_t count = rsp->stub.multiprocess ? learn_processes(rsp) : 0;
	struct rsp_reply reply;

	rsp->streaming = true;
	if (rsp->quirks->deaf_to_detach)
		return rsp_send(rsp, "D", 1) || rsp_flush(rsp) ? -1 : 0;
	for (size_t i = 0; i < count; i++)
		if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "D;%llx",
			    (unsigned long long)rsp->processes[i]) ||
			rsp_check(rsp, &reply, "detach"))
			return -1;
	if (count == 0) {
		if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "D"))
			return -1;
		/* QEMU wants a process, of which it has one, if we could not learn which there are.
		 */
		if (rsp_is_error(&reply) && rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "D;1"))
			return -1;
		return rsp_check(rsp, &reply, "detach");
	}
	return 0;
}

static int restore_memory_mode(struct rsp *rsp)
{
	struct rsp_reply reply;

	if (rsp->switched) {
		rsp->switched = false;
		return rsp_run_command(rsp, rsp->quirks->virtual_command);
	}
	if (rsp->physical_before < 0)
		return 0;
	if (rsp_request(
		    rsp, RSP_EXPECT_ANSWER, &reply, "Qqemu.PhyMemMode:%d", rsp->physical_before) ||
		rsp_check(rsp, &reply, "put its memory mode back"))
		return -1;
	rsp->physical_before = -1;
	return 0;
}

/*
 * Nobody has answered, but somebody may when we are gone: QEMU leaves a second client waiting, and
 * when the first one has gone takes up the connection, though it is closed by then, and stops the
 * guest for it. What lies in the connection to be read then lets the guest run.
 */
static void leave_word(struct rsp *rsp)
{
	static const char word[] = "D;1";

	if (rsp_send(rsp, word, strlen(word)) == 0)
		rsp_push(rsp);
}

int rsp_release(struct rsp *rsp, enum rsp_after after)
{
	/* Whoever gave no answer is not waited for again. */
	bool given_up = !rsp->answered && rsp->failure == RSP_UNREACHABLE;
	int rc = -1;

	rsp->uninterrupted = true;
	if (rsp->link.fd < 0) {
		rsp_fail(rsp, RSP_LOST, "not connected");
	} else if (!given_up && rsp_drain(rsp) == 0) {
		rc = restore_memory_mode(rsp);
		/* A stub that keeps its mode can let the guest run all the same. */
		if (after == RSP_RESUME && (rc == 0 || rsp->failure == RSP_REFUSED) && detach(rsp))
			rc = -1;
	} else if (!rsp->answered) {
		if (after == RSP_RESUME && !rsp->junk_size)
			leave_word(rsp);
		rc = 0;
	}
	rsp_link_close(&rsp->link);
	rsp->uninterrupted = false;
	return rc;
}
