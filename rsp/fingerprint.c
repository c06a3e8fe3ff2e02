// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/fingerprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rsp/ahead.h"
#include "rsp/connection.h"
#include "rsp/hex.h"

/* ---- by questions of their own --------------------------------------------------------------- */

static const char version_request[] = "qGDBServerVersion";

/* "name:qemu-system-x86_64;version:10.2.2;", from QEMU 10.2 on; empty before. */
static int ask_version(struct rsp *rsp)
{
	struct rsp_reply reply;

	if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, version_request))
		return -1;

	const char *version = strstr(reply.text, "version:");

	if (version) {
		version += strlen("version:");
		snprintf(rsp->stub.version, sizeof(rsp->stub.version), "%.*s",
			(int)strcspn(version, "; "), version);
	}
	return 0;
}

static const char version_command[] = "info version";

static int ask_monitor_version(struct rsp *rsp)
{
	char *output = NULL;

	if (rsp_monitor(rsp, version_command, &output)) {
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
	char *rest;
	unsigned long major = strtoul(version, &rest, 10), minor;

	if (rest == version || *rest != '.')
		return false;
	minor = strtoul(rest + 1, NULL, 10);
	return major < 8 || (major == 8 && minor < 1);
}

/* Its version, and what the caller of rsp_open() is going to ask. */
static void foresee_questions(struct rsp *rsp)
{
	const struct rsp_options *options = &rsp->options;

	rsp_ahead_add(rsp, RSP_EXPECT_ANSWER, version_request);
	rsp_ahead_add_command(rsp, version_command);
	if (options->first_command)
		rsp_ahead_add_command(rsp, options->first_command);
	if (options->asks_for_cpus) {
		rsp_ahead_add_description(rsp);
		rsp_ahead_add_threads(rsp);
	}
}

int rsp_is_qemu(struct rsp *rsp)
{
	struct rsp_reply reply;

	if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "qqemu.PhyMemMode"))
		return -1;
	if (!rsp_is(&reply, "0") && !rsp_is(&reply, "1"))
		return 0;
	rsp->stub.physical_memory = true;
	rsp->memory_mode = true;
	rsp->physical = rsp_is(&reply, "1");
	foresee_questions(rsp);
	if (ask_version(rsp) || (!rsp->stub.version[0] && ask_monitor_version(rsp)))
		return -1;
	/* On a serial line it may have come before we did. */
	rsp->stub.announces_stop = announces_stop(rsp->stub.version) && !rsp->link.serial;
	return 1;
}

/* CPU 0 is thread -2, in 32 bits. */
int rsp_lists_as_kgdb(struct rsp *rsp, const struct rsp_reply *reply)
{
	(void)rsp;
	return strncmp(reply->text, "mfffffffe", 9) == 0;
}

/* Counts threads from 0, and has the end of the list in the same packet: "m0,1,2l". */
int rsp_lists_as_gdbsx(struct rsp *rsp, const struct rsp_reply *reply)
{
	(void)rsp;
	return reply->size > 2 && strncmp(reply->text, "m0", 2) == 0 &&
	       reply->text[reply->size - 1] == 'l';
}

/* Lists none, and calls the current one "1", not "QC1". */
int rsp_lists_as_bochs(struct rsp *rsp, const struct rsp_reply *reply)
{
	struct rsp_reply current;

	if (reply->size)
		return 0;
	return rsp_request(rsp, RSP_EXPECT_ANSWER, &current, "qC") ? -1 : rsp_is(&current, "1");
}

int rsp_is_vmware(struct rsp *rsp)
{
	char *help = NULL;
	int rc;

	if (rsp_monitor(rsp, "help", &help))
		return rsp->failure == RSP_UNSUPPORTED || rsp->failure == RSP_REFUSED ? 0 : -1;
	rc = strstr(help, "Supported monitor commands:") && strstr(help, "phys") &&
	     strstr(help, "virt");
	free(help);
	return rc;
}

/* ---- by their features ----------------------------------------------------------------------- */

static bool starts(const struct rsp *rsp, const char *text)
{
	return strncmp(rsp->stub.features, text, strlen(text)) == 0;
}

static bool has(const struct rsp *rsp, const char *feature)
{
	return strstr(rsp->stub.features, feature) != NULL;
}

/* What the crate says of itself whatever it is built into, if that leaves its defaults alone. */
int rsp_is_gdbstub_crate(struct rsp *rsp)
{
	return starts(rsp, "PacketSize=") && has(rsp, ";vContSupported+;multiprocess+") &&
	       has(rsp, ";QStartNoAckMode+");
}

/* The only one of them with both kinds of breakpoints that names its threads so. */
int rsp_is_firecracker(struct rsp *rsp)
{
	static const char name[] = "Vcpu ID: ";
	char hex[2 * sizeof(name)];
	struct rsp_reply reply;

	if (!rsp_is_gdbstub_crate(rsp) || !has(rsp, ";swbreak+;hwbreak+"))
		return 0;
	if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "qThreadExtraInfo,p1.1"))
		return -1;
	rsp_hex_encode(name, strlen(name), hex);
	return strncmp(reply.text, hex, 2 * strlen(name)) == 0;
}

static bool has_hardware_breakpoints_only(struct rsp *rsp)
{
	return rsp_is_gdbstub_crate(rsp) && has(rsp, ";hwbreak+") && !has(rsp, ";swbreak+");
}

static bool is_on_unix_socket(const struct rsp *rsp)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(address);

	return getsockname(rsp->link.fd, (struct sockaddr *)&address, &size) == 0 &&
	       address.ss_family == AF_UNIX;
}

/* These two say the same; but one has a Unix socket only, the other a port. */

int rsp_is_cloud_hypervisor(struct rsp *rsp)
{
	return has_hardware_breakpoints_only(rsp) && is_on_unix_socket(rsp);
}

int rsp_is_crosvm(struct rsp *rsp)
{
	return has_hardware_breakpoints_only(rsp) && !is_on_unix_socket(rsp);
}

/* Without and with a target description (FreeBSD 15) */
int rsp_is_bhyve(struct rsp *rsp)
{
	return strcmp(rsp->stub.features, "PacketSize=4096;swbreak+") == 0 ||
	       strcmp(rsp->stub.features, "PacketSize=4096;swbreak+;qXfer:features:read+") == 0;
}

int rsp_is_virtualbox(struct rsp *rsp)
{
	return strcmp(rsp->stub.features, "qXfer:features:read+;vContSupported+") == 0;
}

int rsp_is_openocd(struct rsp *rsp)
{
	return starts(rsp, "PacketSize=4000;qXfer:memory-map:read") &&
	       has(rsp, ";qXfer:threads:read+;QStartNoAckMode+");
}

int rsp_is_black_magic(struct rsp *rsp)
{
	return starts(rsp, "PacketSize=400;qXfer:memory-map:read+;qXfer:features:read+");
}

int rsp_is_renode(struct rsp *rsp)
{
	return starts(rsp, "PacketSize=1024;") && has(rsp, ";t32extensions+");
}

int rsp_is_gem5(struct rsp *rsp)
{
	return starts(rsp, "PacketSize=1024") && !has(rsp, ";t32extensions+");
}

int rsp_is_rr(struct rsp *rsp)
{
	return starts(rsp, "PacketSize=100000;") && has(rsp, "ReverseContinue+");
}

int rsp_is_valgrind(struct rsp *rsp)
{
	return starts(rsp, "PacketSize=3fff;QStartNoAckMode+") && has(rsp, "QPassSignals+");
}

int rsp_is_gdbserver(struct rsp *rsp)
{
	return has(rsp, ";QPassSignals+;QProgramSignals+");
}
