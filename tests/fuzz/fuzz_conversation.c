// SPDX-License-Identifier: GPL-2.0-or-later
/* A whole conversation with a stub, in the order in which a dump has it. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/talk.h"

enum { PIECES = 4, PIECE = 600 };

static void check_name(const char *name)
{
	CHECK(memchr(name, '\0', RSP_NAME_MAX));
}

static void check_stub(const struct rsp_stub *stub)
{
	CHECK(stub->name && stub->name[0]);
	check_name(stub->version);
	CHECK(memchr(stub->features, '\0', sizeof(stub->features)));
	/* A power of two that a piece of memory can be asked for with. */
	CHECK(stub->read_size && (stub->read_size & (stub->read_size - 1)) == 0);
	CHECK(stub->read_size <= RSP_PACKET_MAX / 2);
}

static void check_description(const struct rsp_description *description)
{
	CHECK(description->count <= RSP_REGISTERS_MAX);
	check_name(description->architecture);
	for (size_t i = 0; i < description->count; i++) {
		const struct rsp_register *which = &description->registers[i];

		check_name(which->name);
		CHECK(which->bits && which->bits <= RSP_REGISTER_BITS_MAX);
		CHECK(i == 0 || which[-1].number <= which->number);
	}
}

static void visit_register(
	void *ctx, const struct rsp_register *which, const uint8_t *bytes, size_t size)
{
	unsigned *sum = ctx;

	CHECK(size == ((size_t)which->bits + 7) / 8);
	for (size_t i = 0; i < size; i++)
		*sum += bytes[i];
}

/* ---- memory ---------------------------------------------------------------------------------- */

struct copy {
	uint8_t *buffers[PIECES];
	unsigned given, done;
	size_t unreadable;
};

static bool next_piece(void *ctx, struct rsp_read *piece)
{
	struct copy *copy = ctx;

	if (copy->given == PIECES)
		return false;
	/* The last one ends with the address space. */
	piece->addr = copy->given == PIECES - 1 ? UINT64_MAX - (PIECE - 1)
	                                        : 0xf00 + (uint64_t)copy->given * PIECE;
	piece->len = PIECE;
	piece->buf = copy->buffers[copy->given++];
	return true;
}

static int take_piece(void *ctx, const struct rsp_read *piece)
{
	struct copy *copy = ctx;

	CHECK(copy->done < copy->given);
	CHECK(piece->buf == copy->buffers[copy->done] && piece->len == PIECE);
	CHECK(piece->unreadable <= PIECE && piece->unreadable <= copy->unreadable);
	copy->unreadable -= piece->unreadable;
	copy->done++;
	return 0;
}

static void note_unreadable(void *ctx, uint64_t addr, size_t len)
{
	struct copy *copy = ctx;

	(void)addr;
	CHECK(len && len <= PIECE);
	copy->unreadable += len;
}

static bool copy_memory(struct rsp *rsp)
{
	struct copy copy = { .given = 0 };
	const struct rsp_stream stream = {
		.next = next_piece,
		.done = take_piece,
		.unreadable = note_unreadable,
		.ctx = &copy,
	};
	uint8_t some[100];
	bool usable = true;

	for (size_t i = 0; i < PIECES; i++) {
		copy.buffers[i] = malloc(PIECE);
		CHECK(copy.buffers[i]);
	}
	if (rsp_stream_memory(rsp, &stream))
		usable = fuzz_check_failure(rsp);
	else
		CHECK(copy.done == PIECES && !copy.unreadable);
	for (size_t i = 0; i < PIECES; i++)
		free(copy.buffers[i]);
	if (usable && rsp_read_memory(rsp, 0x1ff0, some, sizeof(some)))
		usable = fuzz_check_failure(rsp);
	return usable;
}

/* ---- the conversation ------------------------------------------------------------------------ */

static bool read_cpus(struct rsp *rsp, const struct rsp_description *description)
{
	struct rsp_thread *threads = NULL;
	size_t count = 0;
	unsigned sum = 0;
	bool usable = true;

	if (rsp_attach_processes(rsp) || rsp_list_threads(rsp, &threads, &count))
		return fuzz_check_failure(rsp);
	CHECK(threads && count && count <= RSP_THREADS_MAX);
	for (size_t i = 0; i < count && i < 3 && usable; i++) {
		for (size_t k = i; i == 1 && k < count && k < 3; k++)
			rsp_foresee_registers(rsp, &threads[k]);
		if (rsp_read_registers(rsp, &threads[i], description, visit_register, &sum))
			usable = fuzz_check_failure(rsp);
	}
	if (usable && rsp_select_thread(rsp, &threads[0]))
		usable = fuzz_check_failure(rsp);
	free(threads);
	return usable;
}

static bool run_command(struct rsp *rsp, const char *command)
{
	char *output = NULL;

	if (rsp_monitor(rsp, command, &output))
		return fuzz_check_failure(rsp);
	CHECK(output && strlen(output) <= RSP_MONITOR_MAX);
	free(output);
	return true;
}

static bool read_map(struct rsp *rsp)
{
	char *text = NULL;
	size_t size = 0;

	if (!rsp_stub(rsp)->memory_map)
		return run_command(rsp, "info mtree -f");
	if (rsp_read_memory_map(rsp, &text, &size))
		return fuzz_check_failure(rsp);
	CHECK(text && size <= RSP_XFER_MAX && text[size] == '\0');
	free(text);
	return true;
}

static bool converse(struct rsp *rsp, const char *target)
{
	struct rsp_description description = { .count = 0 };
	bool usable = true;

	if (rsp_open(rsp, target)) {
		fuzz_check_failure(rsp);
		return false;
	}
	check_stub(rsp_stub(rsp));
	/* It has come along, unless it was refused. */
	if (strcmp(rsp_stub(rsp)->name, "QEMU") == 0 && !run_command(rsp, "info status"))
		return false;
	if (rsp_read_description(rsp, &description))
		usable = fuzz_check_failure(rsp);
	else
		check_description(&description);
	rsp_foresee_processes(rsp);
	rsp_foresee_monitor(rsp, "info registers -a");
	rsp_foresee_physical_memory(rsp);
	rsp_foresee_monitor(rsp, "info mtree -f");
	if (usable)
		usable = read_cpus(rsp, &description);
	rsp_description_deinit(&description);
	if (usable)
		usable = run_command(rsp, "info registers -a") && read_map(rsp);
	if (usable && rsp_use_physical_memory(rsp))
		usable = fuzz_check_failure(rsp);
	return usable && copy_memory(rsp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_talk talk;

	fuzz_talk_start(&talk, data, size);
	converse(talk.rsp, talk.target);
	fuzz_talk_end(&talk, size % 4 == 3 ? RSP_STAY : RSP_RESUME);
	return 0;
}
