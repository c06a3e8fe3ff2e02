// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/hostmem.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "rsp/connection.h"
#include "rsp/peer.h"

enum {
	PAGE = 4096,
	SAMPLES = 8, /* pages of a region that are compared */
	REGIONS_MAX = 1024,
	POLL_EVERY = 16, /* pieces */
};

struct region {
	uint64_t addr, size;
	uint64_t host; /* address in the process */
};

struct rsp_hostmem {
	struct rsp *rsp;
	pid_t process;
	struct region *regions; /* in the order in which they were added */
	size_t count;
	bool proven;
};

struct rsp_hostmem *rsp_hostmem_open(struct rsp *rsp)
{
	struct rsp_hostmem *hostmem;
	pid_t process = 0;

	if (rsp->quirks->has_host_commands)
		process = rsp_peer_process(&rsp->link);
	if (!process) {
		rsp_fail(rsp, RSP_UNSUPPORTED, "%s",
			rsp->quirks->has_host_commands
				? "the stub is no process of this host that we may look at"
				: "the stub cannot tell where in its process memory is");
		return NULL;
	}
	hostmem = calloc(1, sizeof(*hostmem));
	if (hostmem)
		hostmem->regions = calloc(REGIONS_MAX, sizeof(*hostmem->regions));
	if (!hostmem || !hostmem->regions) {
		free(hostmem);
		rsp_fail(rsp, RSP_NO_MEMORY, "no memory");
		return NULL;
	}
	hostmem->rsp = rsp;
	hostmem->process = process;
	return hostmem;
}

void rsp_hostmem_close(struct rsp_hostmem *hostmem)
{
	if (!hostmem)
		return;
	free(hostmem->regions);
	free(hostmem);
}

/* "Host virtual address for 0x100000 (pc.ram) is 0x7f3e5bf00000", or why not. */
static int ask_address(struct rsp *rsp, uint64_t addr, uint64_t *host)
{
	static const char before[] = " is 0x";
	char command[32], *output = NULL, *at, *end;
	int rc = 0;

	snprintf(command, sizeof(command), "gpa2hva 0x%" PRIx64, addr);
	if (rsp_monitor(rsp, command, &output))
		return -1;
	output[strcspn(output, "\r\n")] = '\0';
	/* The last one: a name in front of it may be anything. */
	at = NULL;
	for (char *next = strstr(output, before); next; next = strstr(next + 1, before))
		at = next + strlen(before);
	errno = 0;
	*host = at ? strtoull(at, &end, 16) : 0;
	if (!at || end == at || *end || errno || !*host)
		rc = rsp_fail(
			rsp, RSP_REFUSED, "to %s the monitor says \"%.100s\"", command, output);
	free(output);
	return rc;
}

static ssize_t read_process(const struct rsp_hostmem *hostmem, uint64_t host, void *buf, size_t len)
{
	struct iovec ours = { .iov_base = buf, .iov_len = len };
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): of another process, and never followed here */
	struct iovec theirs = { .iov_base = (void *)(uintptr_t)host, .iov_len = len };

	return process_vm_readv(hostmem->process, &ours, 1, &theirs, 1, 0);
}

static bool is_zero(const uint8_t *page, size_t size)
{
	return page[0] == 0 && memcmp(page, page + 1, size - 1) == 0;
}

/* Compares a page, or what a small region has of one, with what the stub says. */
static int compare(struct rsp_hostmem *hostmem, const struct region *region, uint64_t offset)
{
	struct rsp *rsp = hostmem->rsp;
	size_t size = region->size < PAGE ? (size_t)region->size : PAGE;
	uint8_t ours[PAGE], theirs[PAGE];
	ssize_t n = read_process(hostmem, region->host + offset, ours, size);

	if (n != (ssize_t)size)
		return rsp_fail(rsp, RSP_REFUSED, "reading the memory of process %ld: %s",
			(long)hostmem->process, n < 0 ? strerror(errno) : "it ends too early");
	if (rsp_read_memory(rsp, region->addr + offset, theirs, size))
		return -1;
	if (memcmp(ours, theirs, size) != 0)
		return rsp_fail(rsp, RSP_REFUSED,
			"process %ld has other memory than the stub at 0x%" PRIx64,
			(long)hostmem->process, region->addr + offset);
	if (!is_zero(ours, size))
		hostmem->proven = true;
	return 0;
}

int rsp_hostmem_add(struct rsp_hostmem *hostmem, uint64_t addr, uint64_t size)
{
	struct region *region = &hostmem->regions[hostmem->count];
	uint64_t last = size > PAGE ? size - PAGE : 0;

	if (hostmem->count == REGIONS_MAX)
		return rsp_fail(hostmem->rsp, RSP_REFUSED, "more than %d regions", REGIONS_MAX);
	*region = (struct region){ .addr = addr, .size = size };
	if (ask_address(hostmem->rsp, addr, &region->host))
		return -1;
	if (size > UINT64_MAX - addr || size > UINT64_MAX - region->host)
		return rsp_fail(hostmem->rsp, RSP_REFUSED, "a region over the last address");
	for (unsigned i = 0; i < SAMPLES - 1; i++) {
		if (compare(hostmem, region, last / (SAMPLES - 1) * i / PAGE * PAGE))
			return -1;
	}
	if (compare(hostmem, region, last))
		return -1;
	hostmem->count++;
	return 0;
}

int rsp_hostmem_prove(struct rsp_hostmem *hostmem)
{
	if (hostmem->proven)
		return 0;
	return rsp_fail(hostmem->rsp, RSP_REFUSED, "all pages that were compared are zeros");
}

static const struct region *find_region(const struct rsp_hostmem *hostmem, uint64_t addr)
{
	for (size_t i = 0; i < hostmem->count; i++) {
		const struct region *region = &hostmem->regions[i];

		if (addr >= region->addr && addr - region->addr < region->size)
			return region;
	}
	return NULL;
}

int rsp_hostmem_read(struct rsp_hostmem *hostmem, uint64_t addr, void *buf, size_t len)
{
	uint8_t *to = buf;

	while (len) {
		const struct region *region = find_region(hostmem, addr);
		uint64_t offset = region ? addr - region->addr : 0;
		size_t part = len;

		if (region && part > region->size - offset)
			part = (size_t)(region->size - offset);
		if (!region ||
			read_process(hostmem, region->host + offset, to, part) != (ssize_t)part)
			return -1;
		addr += part;
		to += part;
		len -= part;
	}
	return 0;
}

/* A stream that begins with a piece that was taken from another one already. */
struct rest {
	const struct rsp_stream *stream;
	struct rsp_read piece;
	bool given;
};

static bool give_rest(void *ctx, struct rsp_read *piece)
{
	struct rest *rest = ctx;

	if (rest->given)
		return rest->stream->next(rest->stream->ctx, piece);
	rest->given = true;
	*piece = rest->piece;
	return true;
}

static int take_rest(void *ctx, const struct rsp_read *piece)
{
	const struct rest *rest = ctx;

	return rest->stream->done(rest->stream->ctx, piece);
}

static void note_rest(void *ctx, uint64_t addr, size_t len)
{
	const struct rest *rest = ctx;

	if (rest->stream->unreadable)
		rest->stream->unreadable(rest->stream->ctx, addr, len);
}

static int stream_rest(
	struct rsp *rsp, const struct rsp_stream *stream, const struct rsp_read *piece)
{
	struct rest rest = { .stream = stream, .piece = *piece };
	const struct rsp_stream ordinary = {
		.next = give_rest,
		.done = take_rest,
		.unreadable = note_rest,
		.ctx = &rest,
	};

	return rsp_stream_memory(rsp, &ordinary);
}

static bool is_cancelled(const struct rsp *rsp)
{
	struct pollfd cancel = { .fd = rsp->options.cancel_fd, .events = POLLIN };

	return poll(&cancel, 1, 0) > 0;
}

int rsp_hostmem_stream(struct rsp_hostmem *hostmem, const struct rsp_stream *stream)
{
	struct rsp *rsp = hostmem->rsp;
	struct rsp_read piece = { 0 };
	int rc = 0;

	for (unsigned count = 0; rc == 0 && stream->next(stream->ctx, &piece); count++) {
		if (count % POLL_EVERY == 0 && is_cancelled(rsp))
			return rsp_fail(rsp, RSP_CANCELLED, "interrupted");
		if (rsp_hostmem_read(hostmem, piece.addr, piece.buf, piece.len))
			return stream_rest(rsp, stream, &piece);
		rc = stream->done(stream->ctx, &piece);
		piece = (struct rsp_read){ 0 };
	}
	return rc;
}
