// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/quirks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rsp/connection.h"

/* "name:qemu-system-x86_64;version:10.2.2;", from QEMU 10.2 on; empty before. */
static int ask_version(struct rsp *rsp)
{
	struct rsp_reply reply;

	if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "qGDBServerVersion"))
		return -1;

	const char *version = strstr(reply.text, "version:");

	if (version) {
		version += strlen("version:");
		snprintf(rsp->stub.version, sizeof(rsp->stub.version), "%.*s",
			(int)strcspn(version, "; "), version);
	}
	return 0;
}

static int ask_monitor_version(struct rsp *rsp)
{
	char *output = NULL;

	if (rsp_monitor(rsp, "info version", &output)) {
		/* A QEMU without a human monitor is no less a QEMU. */
		bool connected = rsp->failure == RSP_UNSUPPORTED || rsp->failure == RSP_REFUSED;

		return connected ? 0 : -1;
	}
	/* The packager's words may follow at once: "7.2.22Debian 1:7.2+dfsg-7+deb12u18". */
	snprintf(rsp->stub.version, sizeof(rsp->stub.version), "%.*s",
		(int)strspn(output, "0123456789."), output);
	free(output);
	return 0;
}

/*
 * QEMU up to 8.0 tells a client that connects that it has stopped the guest, by a stop packet that
 * nobody asked for. Later ones send none, so that a guest which had been paused looks the same.
 */
static bool announces_stop(const char *version)
{
	int major, minor;

	return sscanf(version, "%d.%d", &major, &minor) == 2 && major * 100 + minor < 801;
}

static int recognise_qemu(struct rsp *rsp)
{
	struct rsp_reply reply;

	if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "qqemu.PhyMemMode"))
		return -1;
	if (!rsp_is(&reply, "0") && !rsp_is(&reply, "1"))
		return 0;
	rsp->stub.physical_memory = true;
	rsp->physical = rsp_is(&reply, "1");
	if (ask_version(rsp) || (!rsp->stub.version[0] && ask_monitor_version(rsp)))
		return -1;
	/* On a serial line it may have come before we did. */
	rsp->stub.announces_stop = announces_stop(rsp->stub.version) && !rsp->link.serial;
	return 1;
}

static int recognise_any(struct rsp *rsp)
{
	(void)rsp;
	return 1;
}

static const struct rsp_quirks rows[] = {
	{
		.name = "QEMU",
		.recognise = recognise_qemu,
		/* 7.2, 10.0 and 11.1: 2000 requests in one write came back in order. */
		.pipelines = true,
		/* 7.2 */
		.answers_past_end = true,
		.closing_leaves_stopped = true,
		.has_host_commands = true,
	},
	{
		.name = "unknown",
		.recognise = recognise_any,
	},
};

int rsp_recognise(struct rsp *rsp)
{
	for (size_t i = 0;; i++) {
		int rc = rows[i].recognise(rsp);

		if (rc < 0)
			return -1;
		if (rc > 0) {
			rsp->quirks = &rows[i];
			return 0;
		}
	}
}
