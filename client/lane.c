// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/lane.h"

#include <string.h>

#include "client/tell.h"

/* A whole page of memory to prove the pipe on: the first one. False if there is none. */
static bool find_page(const struct ranges *memory, uint64_t *addr)
{
	const uint64_t page = RSP_HOSTPIPE_PROOF;

	for (size_t i = 0; i < memory->count; i++) {
		const struct range *range = &memory->items[i];
		uint64_t skip = -range->start % page;

		*addr = range->start + skip;
		if (range->size >= skip + page)
			return true;
	}
	return false;
}

static bool ram_is_told_by_user(const struct options *options)
{
	return strcmp(options->ram, "auto") != 0 && strcmp(options->ram, "all") != 0;
}

/* Why the pipe is not even tried; NULL if it is, on the page at *addr. */
static const char *find_objection(
	const struct guest *guest, const struct options *options, uint64_t *addr)
{
	if (options->lane == LANE_RSP)
		return "--lane rsp";
	/* What of it cannot be read, only ordinary reads tell. */
	if (options->lane == LANE_AUTO && ram_is_told_by_user(options))
		return "what --ram names may be more than RAM";
	if (!find_page(&guest->memory, addr))
		return "there is no whole page of it";
	return NULL;
}

static bool is_about_the_pipe(enum rsp_failure failure)
{
	return failure == RSP_REFUSED || failure == RSP_UNSUPPORTED || failure == RSP_CONFUSED;
}

int lane_choose(struct guest *guest, const struct options *options, struct failure *failure)
{
	uint64_t addr;
	const char *reason = find_objection(guest, options, &addr);

	if (!reason) {
		guest->hostpipe = rsp_hostpipe_open(guest->rsp, addr);
		if (!guest->hostpipe && !is_about_the_pipe(rsp_failure(guest->rsp)))
			return fail_rsp(failure, guest->rsp, "reading memory");
		reason = rsp_error(guest->rsp);
	}
	if (guest->hostpipe)
		tell(options, TELL_DETAIL,
			"memory comes through a pipe from the stub's own process");
	else if (options->lane == LANE_HOSTPIPE)
		return fail(failure, STATUS_UNSUPPORTED, "--lane hostpipe: %s", reason);
	else
		tell(options, TELL_DETAIL, "memory comes by requests of the protocol: %s", reason);
	return 0;
}

const char *lane_name(const struct guest *guest)
{
	return guest->hostpipe ? "hostpipe" : "rsp";
}

int lane_stream(const struct guest *guest, const struct rsp_stream *stream)
{
	return guest->hostpipe ? rsp_hostpipe_stream(guest->hostpipe, stream)
	                       : rsp_stream_memory(guest->rsp, stream);
}
