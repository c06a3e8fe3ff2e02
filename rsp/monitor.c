// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of the stub's monitor (qRcmd). Three ways of answering are in use: O packets of hex and
 * then OK (QEMU, one for each line), all the output as one packet of hex (OpenOCD, gdbsx), and OK
 * alone.
 */
#include <stdlib.h>
#include <string.h>

#include "rsp/ahead.h"
#include "rsp/connection.h"
#include "rsp/hex.h"

struct output {
	char *text;
	size_t size, capacity;
};

static int append_hex(struct rsp *rsp, struct output *output, const char *hex, size_t digits)
{
	size_t size = digits / 2;

	if (size > RSP_MONITOR_MAX - output->size)
		return rsp_fail(rsp, RSP_CONFUSED, "a monitor command printed over %d bytes",
			RSP_MONITOR_MAX);
	if (output->size + size + 1 > output->capacity) {
		size_t capacity = 2 * (output->size + size + 1);
		char *more = realloc(output->text, capacity);

		if (!more)
			return rsp_fail(rsp, RSP_NO_MEMORY, "no memory");
		output->text = more;
		output->capacity = capacity;
	}

	char *to = output->text + output->size;

	if (digits % 2 || rsp_hex_decode((const uint8_t *)hex, digits, (uint8_t *)to, size) != size)
		return rsp_fail(rsp, RSP_CONFUSED, "the output of a monitor command is no hex");
	for (size_t i = 0; i < size; i++)
		if (to[i] == '\0')
			to[i] = ' ';
	output->size += size;
	output->text[output->size] = '\0';
	return 0;
}

enum { HEX_MAX = RSP_REQUEST_MAX / 2 };

/* A command as digits, with a NUL behind them. Returns 0 or -1. */
static int put_command(struct rsp *rsp, const char *command, char hex[HEX_MAX])
{
	size_t size = strlen(command);

	if (2 * size >= HEX_MAX)
		return rsp_fail(rsp, RSP_CONFUSED, "a monitor command is too long");
	rsp_hex_encode(command, size, hex);
	hex[2 * size] = '\0';
	return 0;
}

void rsp_ahead_add_command(struct rsp *rsp, const char *command)
{
	char hex[HEX_MAX];

	if (put_command(rsp, command, hex) == 0)
		rsp_ahead_add(rsp, RSP_EXPECT_OUTPUT, "qRcmd,%s", hex);
}

void rsp_foresee_monitor(struct rsp *rsp, const char *command)
{
	if (rsp->stub.pipelines && !rsp->quirks->no_monitor)
		rsp_ahead_add_command(rsp, command);
}

static int collect(struct rsp *rsp, const char *command, struct output *output)
{
	struct rsp_reply reply;
	char hex[HEX_MAX];

	if (put_command(rsp, command, hex) ||
		rsp_request(rsp, RSP_EXPECT_OUTPUT, &reply, "qRcmd,%s", hex))
		return -1;
	for (;;) {
		if (rsp_is(&reply, "OK"))
			return 0;
		if (rsp_check(rsp, &reply, "run monitor commands"))
			return -1;
		if (!rsp_is_output(&reply))
			return append_hex(rsp, output, reply.text, reply.size);
		if (append_hex(rsp, output, reply.text + 1, reply.size - 1))
			return -1;
		if (rsp_receive(rsp, RSP_EXPECT_OUTPUT, &reply))
			return -1;
	}
}

int rsp_monitor(struct rsp *rsp, const char *command, char **output)
{
	struct output collected = { 0 };

	if (rsp->quirks->no_monitor)
		return rsp_fail(rsp, RSP_UNSUPPORTED, "the stub has no monitor to be asked");
	if (append_hex(rsp, &collected, "", 0) || collect(rsp, command, &collected)) {
		free(collected.text);
		return rsp_settle(rsp);
	}
	*output = collected.text;
	return 0;
}

int rsp_run_command(struct rsp *rsp, const char *command)
{
	char *output = NULL;

	if (rsp_monitor(rsp, command, &output))
		return -1;
	free(output);
	return 0;
}
