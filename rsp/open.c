// SPDX-License-Identifier: GPL-2.0-or-later
/* The first words with a stub, and the first after a connection was lost. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rsp/ahead.h"
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
	rsp->will = options->will ? options->will : &rsp->own_will;
	*rsp->will = (struct rsp_will){ .memory_mode = -1 };
	rsp->quirks = &rsp_quirks_unknown;
	rsp->stub.name = rsp->quirks->name;
	rsp_window_init(&rsp->window, 0);
	rsp_link_init(&rsp->link);
	rsp->link.holder = (struct rsp_link_holder){ options->hold, options->hold_ctx };
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
	rsp_ahead_drop(rsp, NULL);
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

bool rsp_answered(const struct rsp *rsp)
{
	return rsp->answered;
}

const struct rsp_stub *rsp_stub(const struct rsp *rsp)
{
	return &rsp->stub;
}

static int connect_link(struct rsp *rsp, unsigned retry_ms)
{
	uint64_t deadline = rsp_clock_now() + retry_ms;
	char why[256] = "";

	for (;;) {
		struct pollfd cancel = { .fd = rsp->options.cancel_fd, .events = POLLIN };
		bool again = false;

		if (rsp_link_open(&rsp->link, &rsp->target, rsp->options.connect_timeout_ms,
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

static const char features_request[] =
	"qSupported:multiprocess+;xmlRegisters=i386;vContSupported+;binary-upload+";

static int learn_features(struct rsp *rsp)
{
	struct rsp_stub *stub = &rsp->stub;
	struct rsp_reply reply;

	if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "%s", features_request))
		return -1;
	if (strncmp(reply.text, features_request, strlen("qSupported")) == 0)
		return rsp_fail(rsp, RSP_UNREACHABLE,
			"what answers there is no gdb stub: it repeats what it hears");
	snprintf(stub->features, sizeof(stub->features), "%s", reply.text);
	rsp->features_known = true;

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

int rsp_greet(struct rsp *rsp)
{
	struct rsp_reply reply;

	if (learn_features(rsp) || rsp_request(rsp, RSP_EXPECT_STOP, &reply, "?"))
		return -1;
	if (reply.text[0] == 'W' || reply.text[0] == 'X')
		return rsp_fail(rsp, RSP_REFUSED, "the stub says that its guest has ended");
	return rsp_recognise(rsp);
}

static int connect_and_greet(struct rsp *rsp, unsigned retry_ms)
{
	/* Settles what a client that died before us left without one. */
	static const char sign = '+';

	if (connect_link(rsp, retry_ms))
		return -1;
	rsp->output[rsp->out_end++] = (uint8_t)sign;
	return rsp_greet(rsp);
}

int rsp_open(struct rsp *rsp, const char *target)
{
	char why[256];

	if (rsp_target_parse(target, &rsp->target, why, sizeof(why)))
		return rsp_fail(rsp, RSP_BAD_TARGET, "%s", why);
	return connect_and_greet(rsp, rsp->options.retry_ms);
}

void rsp_forget(struct rsp *rsp)
{
	struct rsp_stub *stub = &rsp->stub;

	rsp->in_start = rsp->in_end = rsp->out_start = rsp->out_end = 0;
	rsp->scan = (struct rsp_scan){ 0 };
	rsp->step = (struct rsp_step){ 0 };
	rsp_ahead_drop(rsp, NULL);
	rsp->ahead.off = false;
	rsp->due = rsp->chatter = rsp->junk_size = 0;
	rsp->damaged = 0;
	rsp->answered = rsp->repeat = rsp->streaming = rsp->junk_line_ended = false;
	rsp->features_known = false;
	rsp->read_size_proven = rsp->general_is_all = false;
	rsp->will->said_farewell = rsp->will->heard_farewell = false;
	rsp->quirks = &rsp_quirks_unknown;
	*stub = (struct rsp_stub){ .name = rsp_quirks_unknown.name,
		.ever_announced = stub->ever_announced };
	rsp_window_init(&rsp->window, 0);
}

/* Whatever it was set to before is put back in the end, not what it is found at now. */
static int set_memory_mode_again(struct rsp *rsp, bool physical)
{
	if (rsp->will->switched)
		return rsp_recognise_by_monitor(rsp) ? -1 : rsp_use_physical_memory(rsp);
	return physical && rsp->memory_mode ? rsp_use_physical_memory(rsp) : 0;
}

int rsp_reopen(struct rsp *rsp)
{
	bool physical = rsp->will->memory_mode >= 0;

	rsp_link_close(&rsp->link);
	rsp_forget(rsp);
	return connect_and_greet(rsp, 0) || (rsp->attached_all && rsp_attach_processes(rsp)) ||
	                       set_memory_mode_again(rsp, physical)
	               ? -1
	               : 0;
}

bool rsp_can_reopen(const struct rsp *rsp)
{
	return rsp->target.kind != RSP_TARGET_FD;
}

void rsp_set_recovery(struct rsp *rsp, int (*recover)(void *ctx), void *ctx)
{
	rsp->recover = recover;
	rsp->recover_ctx = ctx;
}

int rsp_recover(struct rsp *rsp)
{
	int (*recover)(void *ctx) = rsp->recover;
	int rc;

	if (!recover || (rsp->failure != RSP_LOST && rsp->failure != RSP_CONFUSED))
		return -1;
	rsp->recover = NULL;
	rc = recover(rsp->recover_ctx);
	rsp->recover = recover;
	return rc;
}

int rsp_check_in_step(struct rsp *rsp)
{
	const char *features = rsp->stub.features;
	struct rsp_reply reply;

	if (!*features)
		return 0;
	if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "%s", features_request))
		return -1;
	/* They may be cut. */
	if (strncmp(reply.text, features, strlen(features)) != 0)
		return rsp_fail(rsp, RSP_CONFUSED,
			"an answer came twice or was lost: memory may be in the wrong place");
	return 0;
}
