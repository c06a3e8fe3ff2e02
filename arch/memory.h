/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one way in which anything below the client reads a guest (or, in a test, a described
 * memory): by guest-physical address. The client owns the struct and what ctx points to.
 */
#ifndef ARCH_MEMORY_H
#define ARCH_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One piece of a batch. */
struct guest_read_request {
	uint64_t paddr;
	void *buf;
	size_t len;
	bool failed; /* set by the read: buf is then undefined */
};

struct guest_memory {
	/*
	 * Reads len bytes at the guest-physical address paddr. Returns 0, or -1 if any of them
	 * could not be read; buf is then undefined. Implementations must refuse addresses that
	 * are not known to be RAM: reading a device has side effects in the guest.
	 */
	int (*read)(void *ctx, uint64_t paddr, void *buf, size_t len);

	void *ctx;

	/*
	 * Does all of the requests, many at a time, so that a batch costs few round trips, and
	 * sets `failed` in each. NULL where a batch would cost a round trip for each of them.
	 */
	void (*read_many)(void *ctx, struct guest_read_request *requests, size_t count);
};

static inline int guest_read(
	const struct guest_memory *memory, uint64_t paddr, void *buf, size_t len)
{
	return memory->read(memory->ctx, paddr, buf, len);
}

static inline void guest_read_many(
	const struct guest_memory *memory, struct guest_read_request *requests, size_t count)
{
	if (memory->read_many) {
		memory->read_many(memory->ctx, requests, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		requests[i].failed = guest_read(memory, requests[i].paddr, requests[i].buf,
					     requests[i].len) != 0;
}

#endif
