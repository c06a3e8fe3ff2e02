// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registers of a thread. `g` first, always: on KVM, QEMU fetches a vCPU's state from the kernel for
 * `g` but not for `p`, which before it gives the values of reset.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rsp/ahead.h"
#include "rsp/connection.h"
#include "rsp/hex.h"

/* QEMU's AArch64 and RISC-V have hundreds that `g` lacks, for every vCPU. */
enum { AHEAD_MAX = 64 /* requests on their way */ };

enum { SELECTION_MAX = 48 };

static const char selection[] = "Hg", general[] = "g", single[] = "p";

/* The request that selects a thread; returns its size. */
static int put_selection(const struct rsp_thread *thread, char select[SELECTION_MAX])
{
	unsigned long long process = thread->process, id = thread->id;

	return process ? snprintf(select, SELECTION_MAX, "Hgp%llx.%llx", process, id)
	               : snprintf(select, SELECTION_MAX, "Hg%llx", id);
}

int rsp_select_thread(struct rsp *rsp, const struct rsp_thread *thread)
{
	char select[SELECTION_MAX];
	struct rsp_reply reply;

	if (rsp->threadless)
		return 0;
	put_selection(thread, select);
	return rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "%s", select) ||
	                       rsp_check(rsp, &reply, "select a thread")
	               ? -1
	               : 0;
}

static void forget_foreseen(struct rsp *rsp)
{
	rsp_ahead_drop(rsp, selection);
	rsp_ahead_drop(rsp, general);
	rsp_ahead_drop(rsp, single);
}

static void foresee_general(struct rsp *rsp, const struct rsp_thread *thread)
{
	char select[SELECTION_MAX];

	put_selection(thread, select);
	if (!rsp->threadless)
		rsp_ahead_add(rsp, RSP_EXPECT_ANSWER, "%s", select);
	rsp_ahead_add(rsp, RSP_EXPECT_ANSWER, general);
}

bool rsp_foresee_registers(struct rsp *rsp, const struct rsp_thread *thread)
{
	/* Else others are asked for in between, and of the thread that is selected last. */
	if (!rsp->stub.pipelines || !rsp->general_is_all)
		return false;
	foresee_general(rsp, thread);
	return true;
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
static ssize_t visit_general(struct rsp *rsp, const struct rsp_thread *thread,
	const struct rsp_description *description, uint8_t *bytes, rsp_register_visit visit,
	void *ctx)
{
	struct rsp_reply reply;
	size_t at = 0, i = 0;

	if (rsp->stub.pipelines && !rsp_ahead_has(rsp, general))
		foresee_general(rsp, thread);
	if (rsp_select_thread(rsp, thread) ||
		rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, general) ||
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

/* Where those of other threads were foreseen, one of them is selected by now. */
static int select_again(struct rsp *rsp, const struct rsp_thread *thread)
{
	if (!rsp_ahead_has(rsp, selection))
		return 0;
	forget_foreseen(rsp);
	return rsp_select_thread(rsp, thread);
}

/* Foresees registers that are asked for one by one. */
static void foresee_single(struct rsp *rsp, const struct rsp_register *registers, size_t count)
{
	for (size_t i = 0; i < count && i < AHEAD_MAX; i++)
		rsp_ahead_add(rsp, RSP_EXPECT_ANSWER, "p%x", registers[i].number);
}

/* Visits registers one by one, from the first that `g` did not hold. */
static int visit_single(struct rsp *rsp, const struct rsp_description *description, size_t first,
	uint8_t *bytes, rsp_register_visit visit, void *ctx)
{
	const struct rsp_register *registers = description->registers;
	size_t count = description->count;

	for (size_t i = first; i < count; i++) {
		struct rsp_reply reply;

		if (rsp->stub.pipelines && !rsp_ahead_has(rsp, single))
			foresee_single(rsp, registers + i, count - i);
		if (rsp_request(rsp, RSP_EXPECT_ANSWER, &reply, "p%x", registers[i].number))
			return -1;
		/* A register that this CPU lacks is refused: RISC-V CSRs, for one. */
		if (!rsp_is_error(&reply))
			visit_hex(&registers[i], reply.text, reply.size, bytes, visit, ctx);
	}
	return 0;
}

int rsp_read_registers(struct rsp *rsp, const struct rsp_thread *thread,
	const struct rsp_description *description, rsp_register_visit visit, void *ctx)
{
	uint8_t *bytes = malloc(RSP_REGISTER_BITS_MAX / 8);
	ssize_t in_general;
	int rc = -1;

	if (!bytes)
		return rsp_fail(rsp, RSP_NO_MEMORY, "no memory");
	in_general = visit_general(rsp, thread, description, bytes, visit, ctx);
	rsp->general_is_all = in_general == (ssize_t)description->count;
	if (in_general >= 0 && (rsp->general_is_all || select_again(rsp, thread) == 0))
		rc = visit_single(rsp, description, (size_t)in_general, bytes, visit, ctx);
	if (rc)
		forget_foreseen(rsp);
	free(bytes);
	return rc;
}
