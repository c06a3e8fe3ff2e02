// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/lane.h"

#include "client/tell.h"

/* A command of QEMU 7.2 for one page takes 0.1 ms, in which 128 KiB come through the pipe. */
enum { HOSTPIPE_GAP = 128 << 10 };

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

static bool is_about_the_lane(enum rsp_failure failure)
{
	return failure == RSP_REFUSED || failure == RSP_UNSUPPORTED || failure == RSP_CONFUSED;
}

/* Each of these sets up a lane, or leaves why there is none with the connection. Returns 0 or -1.
 */

static int open_hostmem(struct guest *guest)
{
	guest->hostmem = rsp_hostmem_open(guest->rsp);
	if (!guest->hostmem)
		return -1;
	for (size_t i = 0; i < guest->region_count; i++) {
		if (rsp_hostmem_add(
			    guest->hostmem, guest->regions[i].start, guest->regions[i].size))
			return -1;
	}
	return rsp_hostmem_prove(guest->hostmem);
}

static int open_hostpipe(struct guest *guest)
{
	uint64_t addr;

	if (find_page(&guest->memory, &addr))
		guest->hostpipe = rsp_hostpipe_open(guest->rsp, addr);
	return guest->hostpipe ? 0 : -1;
}

/* The fastest first. */
static const struct lane_row {
	enum lane lane;
	const char *name, *how;
	int (*open)(struct guest *guest);
	bool needs_regions;
} lanes[] = {
	{ LANE_HOSTMEM, "hostmem", "from the memory of the stub's own process", open_hostmem,
		true },
	{ LANE_HOSTPIPE, "hostpipe", "through a pipe from the stub's own process", open_hostpipe,
		false },
};

static void close_lanes(struct guest *guest)
{
	rsp_hostmem_close(guest->hostmem);
	rsp_hostpipe_close(guest->hostpipe);
	guest->hostmem = NULL;
	guest->hostpipe = NULL;
}

/* Why a lane is not even tried; NULL if it is. */
static const char *find_objection(
	const struct guest *guest, const struct options *options, const struct lane_row *row)
{
	uint64_t addr;

	/* What of it cannot be read, only ordinary reads tell. */
	if (!guest->regions && (row->needs_regions || options->lane != row->lane))
		return "what --ram names may be more than RAM";
	return find_page(&guest->memory, &addr) ? NULL : "there is no whole page of it";
}

/* Returns 1 if the lane is set up, 0 with the reason if not, -1 if the connection failed. */
static int try_lane(struct guest *guest, const struct options *options, const struct lane_row *row,
	const char **reason)
{
	*reason = find_objection(guest, options, row);
	if (*reason)
		return 0;
	if (row->open(guest) == 0)
		return 1;
	close_lanes(guest);
	*reason = rsp_error(guest->rsp);
	return is_about_the_lane(rsp_failure(guest->rsp)) ? 0 : -1;
}

int lane_choose(struct guest *guest, const struct options *options, struct failure *failure)
{
	for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++) {
		const struct lane_row *row = &lanes[i];
		const char *reason;
		int rc;

		if (options->lane != LANE_AUTO && options->lane != row->lane)
			continue;
		rc = try_lane(guest, options, row, &reason);
		if (rc < 0)
			return fail_rsp(failure, guest->rsp, "reading memory");
		if (rc == 0 && options->lane == row->lane)
			return fail(
				failure, STATUS_UNSUPPORTED, "--lane %s: %s", row->name, reason);
		tell(options, TELL_DETAIL, "memory %s %s%s%s", rc ? "comes" : "does not come",
			row->how, rc ? "" : ": ", rc ? "" : reason);
		if (rc)
			return 0;
	}
	tell(options, TELL_DETAIL, "memory comes by requests of the protocol");
	return 0;
}

const char *lane_name(const struct guest *guest)
{
	if (guest->hostmem)
		return "hostmem";
	return guest->hostpipe ? "hostpipe" : "rsp";
}

size_t lane_gap(const struct guest *guest)
{
	return guest->hostpipe ? HOSTPIPE_GAP : 0;
}

int lane_stream(const struct guest *guest, const struct rsp_stream *stream)
{
	if (guest->hostmem)
		return rsp_hostmem_stream(guest->hostmem, stream);
	return guest->hostpipe ? rsp_hostpipe_stream(guest->hostpipe, stream)
	                       : rsp_stream_memory(guest->rsp, stream);
}
