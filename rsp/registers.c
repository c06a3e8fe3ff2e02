// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registers of a thread. `g` first, always: on KVM, QEMU fetches a vCPU's state from the kernel for
 * `g` but not for `p`, which before it gives the values of reset.
 */
#include <stdlib.h>

#include "rsp/connection.h"
#include "rsp/hex.h"

static int select_thread(struct rsp *rsp, const struct rsp_thread *thread)
{
	struct rsp_reply reply;
	unsigned long long process = thread->process, id = thread->id;
	int rc = process ? rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "Hgp%llx.%llx", process, id)
	                 : rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "Hg%llx", id);

	return rc || rsp_check(rsp, &reply, "select a thread") ? -1 : 0;
}

/*
 * Visits the register that begins at hex, if all of it is there. Digits of 'x' stand for a value
 * that the stub does not have.
 */
static void visit_hex(const struct rsp_register *which, const char *hex, size_t digits,
	uint8_t *bytes, rsp_register_visit visit, void *ctx)
{
	size_t size = (which->bits + 7) / 8;

	if (digits >= 2 * size &&
		rsp_hex_decode((const uint8_t *)hex, 2 * size, bytes, size) == size)
		visit(ctx, which, bytes, size);
}

/* Visits what `g` holds, registers in a row by number; returns how many that are, or -1. */
static ssize_t visit_general(struct rsp *rsp, const struct rsp_description *description,
	uint8_t *bytes, rsp_register_visit visit, void *ctx)
{
	struct rsp_reply reply;
	size_t at = 0, i = 0;

	if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "g") ||
		rsp_check(rsp, &reply, "read registers"))
		return -1;
	for (; i < description->count; i++) {
		const struct rsp_register *which = &description->registers[i];
		size_t digits = 2 * ((size_t)(which->bits + 7) / 8);

		if (digits > reply.size - at)
			break;
		visit_hex(which, reply.text + at, reply.size - at, bytes, visit, ctx);
		at += digits;
	}
	return (ssize_t)i;
}

int rsp_read_registers(struct rsp *rsp, const struct rsp_thread *thread,
	const struct rsp_description *description, rsp_register_visit visit, void *ctx)
{
	uint8_t *bytes = malloc(RSP_REGISTER_BITS_MAX / 8);
	int rc = -1;

	if (!bytes)
		return rsp_fail(rsp, RSP_NO_MEMORY, "no memory");
	if (select_thread(rsp, thread))
		goto out;

	ssize_t general = visit_general(rsp, description, bytes, visit, ctx);

	if (general < 0)
		goto out;
	for (size_t i = (size_t)general; i < description->count; i++) {
		const struct rsp_register *which = &description->registers[i];
		struct rsp_reply reply;

		if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "p%x", which->number))
			goto out;
		/* A register that this CPU lacks is refused: RISC-V CSRs, for one. */
		if (!rsp_is_error(&reply))
			visit_hex(which, reply.text, reply.size, bytes, visit, ctx);
	}
	rc = 0;
out:
	free(bytes);
	return rc;
}
