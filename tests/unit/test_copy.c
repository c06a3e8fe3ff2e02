// SPDX-License-Identifier: GPL-2.0-or-later
#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/copy.h"
#include "client/interrupt.h"
#include "client/lane.h"
#include "layout/core_format.h"
#include "tests/unit/fake_stub.h"
#include "tests/unit/memory_sink.h"
#include "tests/unit/small_guest.h"

/* Behind client/status.h: it has a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { TOTAL = SMALL_GUEST_LOW + SMALL_GUEST_HIGH_SIZE };

/* All that a copy needs. */
static struct fake_stub stub;
static struct rsp *rsp;
static struct guest guest;
static struct plan plan;
static struct memory_sink sink;
static struct core *core;
static struct pipeline *pipeline;
static struct progress progress;
static struct copy_result result;
static struct failure failure;

static const struct options automatic = {
	.format = &elf_format, .ram = "auto", .vmcoreinfo = "auto", .progress = PROGRESS_NONE
};

static void learn(const char *more, const struct options *options, bool can_rewrite)
{
	static char description[32768];

	snprintf(description, sizeof(description), "%s%s", SMALL_GUEST, more);
	fake_stub_start(&stub, description);
	rsp = fake_stub_open(&stub);
	memory_sink_init(&sink, can_rewrite);
	copy_result_init(&result);
	if (guest_prepare(&guest, options, &failure) ||
		guest_learn(&guest, rsp, options, &failure) ||
		plan_make(&plan, &guest, options, can_rewrite, &failure))
		fail_msg("%s", failure.text);
}

static void create(const struct options *options)
{
	core = core_create(core_formats[0], &plan.core, &sink.sink);
	assert_non_null(core);
	assert_null(core_error(core));
	pipeline = pipeline_create(core, 2, &failure);
	assert_non_null(pipeline);
	progress_init(&progress, options);
	progress_start(&progress, plan.bytes);
}

static void prepare(const char *more, const struct options *options, bool can_rewrite)
{
	learn(more, options, can_rewrite);
	create(options);
}

static int copy(void)
{
	return copy_pages(&guest, &plan, pipeline, &progress, NULL, false, &result, &failure);
}

static void finish(void)
{
	if (pipeline_finish(pipeline, &failure))
		fail_msg("%s", failure.text);
	if (core_finish(core, NULL))
		fail_msg("%s", core_error(core));
}

/* And then the stub's log can be looked at. */
static void leave(void)
{
	pipeline_destroy(pipeline);
	core_destroy(core);
	copy_result_deinit(&result);
	memory_sink_deinit(&sink);
	plan_deinit(&plan);
	guest_deinit(&guest);
	rsp_destroy(rsp);
	fake_stub_stop(&stub);
}

static void end(void)
{
	leave();
	fake_stub_deinit(&stub);
}

/* The byte of the core that stands for physical memory at paddr. */
static uint8_t core_byte(uint64_t paddr)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	memcpy(&header, sink.bytes, sizeof(header));
	for (unsigned i = 0; i < header.e_phnum; i++) {
		memcpy(&segment, sink.bytes + header.e_phoff + i * sizeof(segment),
			sizeof(segment));
		if (segment.p_type == PT_LOAD && paddr >= segment.p_paddr &&
			paddr - segment.p_paddr < segment.p_filesz)
			return sink.bytes[segment.p_offset + (paddr - segment.p_paddr)];
	}
	fail_msg("0x%llx is not in the core", (unsigned long long)paddr);
	return 0;
}

/* Everything is in its place but what could not be read. */
static void assert_memory(void)
{
	for (size_t i = 0; i < plan.core.memory->count; i++) {
		const struct range *range = &plan.core.memory->items[i];

		for (uint64_t at = range->start; at < range->start + range->size; at += 7) {
			uint8_t expected = ranges_find(&result.unreadable, at) ? 0
			                                                       : memory_pattern(at);

			assert_int_equal(core_byte(at), expected);
		}
	}
}

static void test_copy(void **state)
{
	(void)state;
	prepare("", &automatic, true);
	assert_int_equal(copy(), 0);
	finish();
	assert_int_equal(result.bytes, TOTAL);
	assert_int_equal(result.unreadable.count, 0);
	assert_int_equal(result.candidates.count, 0);
	assert_int_equal(progress.completed, TOTAL);
	assert_memory();
	end();
}

/* Ranges that begin and end within a page. */
static void test_odd_ranges(void **state)
{
	const struct options options = { .format = &elf_format,
		.ram = "0x123-0x1f4f1,0x100001-0x100003",
		.vmcoreinfo = "none" };

	(void)state;
	prepare("", &options, false);
	assert_int_equal(copy(), 0);
	finish();
	assert_int_equal(result.bytes, 0x1f4f2 - 0x123 + 3);
	assert_memory();
	assert_int_equal(core_byte(0x123), memory_pattern(0x123));
	assert_int_equal(core_byte(0x1f4f1), memory_pattern(0x1f4f1));
	assert_int_equal(core_byte(0x100003), memory_pattern(0x100003));
	end();
}

/* More memory than what is handed on at once, at an address of its own. */
#define LARGE_GUEST                                                          \
	"supported PacketSize=20000;QStartNoAckMode+;qXfer:features:read+\n" \
	"thread 1\nmemory 10000000 1000000\n"

static void test_large(void **state)
{
	const struct options options = {
		.format = &elf_format, .ram = "0x10000000+16M", .vmcoreinfo = "none"
	};

	(void)state;
	prepare(LARGE_GUEST, &options, false);
	assert_int_equal(copy(), 0);
	finish();
	assert_int_equal(result.bytes, 16 << 20);
	assert_memory();
	end();
}

static void test_unreadable(void **state)
{
	(void)state;
	prepare("memory 6000 2000 unreadable\nmemory 11f000 1000 unreadable\n"
		"memory 120000 1000 unreadable\nmemory 1f000 1000 unreadable\n",
		&automatic, true);
	assert_int_equal(copy(), 0);
	finish();
	assert_int_equal(result.bytes, TOTAL);
	/* Neighbours are one, also over the edge of a piece of 64 KiB. */
	assert_int_equal(result.unreadable.count, 3);
	assert_int_equal(result.unreadable.items[0].start, 0x6000);
	assert_int_equal(result.unreadable.items[0].size, 0x2000);
	assert_int_equal(result.unreadable.items[1].start, 0x1f000);
	assert_int_equal(result.unreadable.items[1].size, 0x1000);
	assert_int_equal(result.unreadable.items[2].start, 0x11f000);
	assert_int_equal(result.unreadable.items[2].size, 0x2000);
	assert_memory();
	end();
}

/* ---- pages that are left out ------------------------------------------------------------------
 */

/* Page frames 1, and 0x101 to 0x12e, which are 184 KiB. */
static void prepare_left_out(const char *more, struct page_set *kept)
{
	learn(more, &automatic, true);
	assert_int_equal(page_set_init(kept, &plan.memory, 12), 0);
	page_set_remove(kept, 1, 1);
	page_set_remove(kept, 0x101, 0x2e);
	plan.core.kept = kept;
	plan.bytes = core_memory_bytes(&plan.core);
	create(&automatic);
}

static void assert_left_out(const struct page_set *kept)
{
	assert_int_equal(result.bytes, TOTAL - 0x2f000);
	assert_int_equal(progress.completed, result.bytes);
	for (uint64_t at = 0; at < SMALL_GUEST_HIGH + SMALL_GUEST_HIGH_SIZE; at += 7)
		if (ranges_find(&plan.memory, at))
			assert_int_equal(core_byte(at),
				page_set_contains(kept, at >> 12) ? memory_pattern(at) : 0);
}

/* Not a byte of them is asked for. */
static void test_left_out(void **state)
{
	struct page_set kept;

	(void)state;
	prepare_left_out("", &kept);
	assert_string_equal(lane_name(&guest), "rsp");
	assert_int_equal(copy(), 0);
	finish();
	assert_left_out(&kept);
	leave();
	assert_int_equal(fake_stub_count(&stub, "> m2000,"), 1);
	for (unsigned page = 0; page < 0x130; page++) {
		char prefix[32];

		snprintf(prefix, sizeof(prefix), "> m%x,", page << 12);
		if (!page_set_contains(&kept, page))
			assert_int_equal(fake_stub_count(&stub, prefix), 0);
	}
	fake_stub_deinit(&stub);
	page_set_deinit(&kept);
}

/* Where a command costs more than the page in between, it is read, and goes nowhere. */
static void test_left_out_through_pipe(void **state)
{
	struct page_set kept;

	(void)state;
	prepare_left_out("pmemsave right\n", &kept);
	assert_string_equal(lane_name(&guest), "hostpipe");
	assert_int_equal(copy(), 0);
	finish();
	assert_left_out(&kept);
	leave();
	/* The proof, then all of the first range, and both ends of the second one. */
	assert_int_equal(fake_stub_count(&stub, "= pmemsave "), 4);
	assert_int_equal(fake_stub_count(&stub, "= pmemsave 0x0 131072 "), 1);
	assert_int_equal(fake_stub_count(&stub, "= pmemsave 0x100000 4096 "), 1);
	assert_int_equal(fake_stub_count(&stub, "= pmemsave 0x12f000 4096 "), 1);
	fake_stub_deinit(&stub);
	page_set_deinit(&kept);
}

/* ---- VMCOREINFO that is passed by ------------------------------------------------------------ */

#define NOTES                                                             \
	"memory 11000 " SMALL_GUEST_NOTE "memory 12010 " SMALL_GUEST_NOTE \
	"memory 12f000 " SMALL_GUEST_NOTE

static void test_candidates(void **state)
{
	(void)state;
	prepare(NOTES, &automatic, true);
	assert_int_equal(copy(), 0);
	/* The one within a page is none of a kernel's. */
	assert_int_equal(result.candidates.count, 2);
	assert_int_equal(result.candidates.pages[0], 0x11000);
	assert_int_equal(result.candidates.pages[1], 0x12f000);
	end();
}

/* Also where there is no room for one: it may be worth telling of. */
static void test_candidates_of_no_use(void **state)
{
	(void)state;
	prepare(NOTES, &automatic, false);
	assert_int_equal(copy(), 0);
	assert_int_equal(result.candidates.count, 2);
	end();
}

/* A guest may be full of them. */
static void test_most_candidates(void **state)
{
	static char notes[32768];
	size_t used = 0;

	(void)state;
	for (uint64_t page = 0; page < SMALL_GUEST_LOW; page += 0x1000)
		used += (size_t)snprintf(notes + used, sizeof(notes) - used,
			"memory %llx " SMALL_GUEST_NOTE, (unsigned long long)page);
	for (uint64_t page = 0; page < SMALL_GUEST_HIGH_SIZE; page += 0x1000)
		used += (size_t)snprintf(notes + used, sizeof(notes) - used,
			"memory %llx " SMALL_GUEST_NOTE,
			(unsigned long long)(SMALL_GUEST_HIGH + page));
	prepare(notes, &automatic, true);
	assert_int_equal(copy(), 0);
	assert_int_equal(result.candidates.count, 64);
	assert_int_equal(result.candidates.pages[0], 0);
	assert_int_equal(result.candidates.pages[31], 0x1f000);
	assert_int_equal(result.candidates.pages[32], 0x100000);
	assert_int_equal(result.candidates.pages[63], 0x11f000);
	end();
}

/* ---- failures -------------------------------------------------------------------------------- */

/* The stub is left in order: what was asked for is taken in before anything else is said. */
static void test_output_fails(void **state)
{
	const uint64_t start = 0x10000000;
	const struct options options = {
		.format = &elf_format, .ram = "0x10000000+16M", .vmcoreinfo = "none"
	};
	uint8_t bytes[16];

	(void)state;
	prepare(LARGE_GUEST, &options, true);
	sink.fail_at = sink.calls + 2;
	assert_int_equal(copy(), -1);
	assert_int_equal(failure.status, STATUS_OUTPUT);
	assert_string_equal(failure.text, MEMORY_SINK_ERROR);
	assert_in_range(result.bytes, 0, 16 << 20);
	assert_int_equal(rsp_read_memory(rsp, start, bytes, sizeof(bytes)), 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], memory_pattern(start + i));
	end();
}

static void test_lost(void **state)
{
	(void)state;
	prepare("close 100\n", &automatic, true);
	assert_int_equal(copy(), -1);
	assert_int_equal(failure.status, STATUS_UNREACHABLE);
	assert_string_equal(failure.text, "reading memory: the stub closed the connection");
	assert_in_range(result.bytes, 0, TOTAL - 1);
	assert_int_equal(result.unreadable.count, 0);
	end();
}

/* In a process of its own: signals are. 0 if the copy ended for the signal, and in order. */
static int copy_interrupted(void)
{
	const struct options options = { .format = &elf_format,
		.ram = "auto",
		.vmcoreinfo = "auto",
		.connect_timeout = 5,
		.timeout = 5 };
	struct attachment attachment = { .rsp = NULL };
	struct options target;

	alarm(30);
	if (interrupt_init())
		return 1;
	fake_stub_start(&stub, SMALL_GUEST SMALL_GUEST_RAN);
	target = options;
	target.target = stub.target;
	memory_sink_init(&sink, true);
	copy_result_init(&result);
	if (attach_to(&attachment, &target, &failure) || guest_prepare(&guest, &target, &failure) ||
		guest_learn(&guest, attachment.rsp, &target, &failure) ||
		plan_make(&plan, &guest, &target, true, &failure))
		return 2;
	core = core_create(core_formats[0], &plan.core, &sink.sink);
	pipeline = pipeline_create(core, 2, &failure);
	progress_init(&progress, &target);
	progress_start(&progress, TOTAL);
	raise(SIGINT);
	if (copy() != -1 || failure.status != STATUS_SIGNAL + SIGINT)
		return 3;
	if (detach_from(&attachment, &target, &failure))
		return 4;
	attachment_deinit(&attachment);
	fake_stub_stop(&stub);
	return stub.end == WIRE_CLOSED && fake_stub_count(&stub, "> D;1") == 1 ? 0 : 5;
}

static void test_interrupted(void **state)
{
	int status;
	pid_t child;

	(void)state;
	fflush(NULL);
	child = fork();
	if (child == 0)
		_exit(copy_interrupted());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_odd_ranges),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_left_out_through_pipe),
		cmocka_unit_test(test_candidates),
		cmocka_unit_test(test_candidates_of_no_use),
		cmocka_unit_test(test_most_candidates),
		cmocka_unit_test(test_output_fails),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
