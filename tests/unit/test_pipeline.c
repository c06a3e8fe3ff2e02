// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pipeline with real formats and with one whose writer stands still until it is let go. Threads
 * of the pipeline only write down what they see; what is wrong with it is told by the test's own.
 */
#include <elf.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "arch/notes.h"
#include "client/interrupt.h"
#include "client/pipeline.h"
#include "layout/core_format.h"
#include "tests/unit/memory_sink.h"
#include "tests/unit/pieces.h"

/* Behind client/status.h: it has a macro of the name of fail(). */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum {
	PIECE = 65536,
	BUFFERS = 256,       /* that the pipeline has */
	RESUMED_AFTER = 192, /* of them have to be free before a reader that waited goes on */
	BATCH = 8,           /* pieces that a worker takes at once */
	PATIENCE = 20,       /* seconds after which a test gives up */
};

static const struct arch toy_arch = {
	.name = "toy",
	.elf_class = ELFCLASS64,
	.order = LITTLE,
	.page_shift = 12,
	.align64 = 8,
};

/* ---- a format that can be held up ------------------------------------------------------------ */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static struct {
	bool closed;              /* puts wait */
	size_t allowed;           /* but so many of them, from the first on */
	bool in_pairs;            /* of two batches, the second is begun first */
	bool gave_up;             /* something did not happen in time */
	unsigned waiting;         /* puts that do */
	size_t puts;              /* pieces that were put */
	size_t packed;            /* pieces that were prepared */
	bool wrong_order;         /* a piece was not behind the one before */
	bool wrong_bytes;         /* or not what the reader filled in */
	bool odd_was_first;       /* the first piece to be prepared was of the second of a pair */
	bool takes_signals;       /* some thread has a signal unblocked */
	bool second_packed[1024]; /* of the pair */
} gate;

/* Under the lock, until something has changed. False if it takes too long. */
static bool wait_for_change(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE;
	if (pthread_cond_timedwait(&changed, &lock, &until))
		gate.gave_up = true;
	return !gate.gave_up;
}

static void look_at_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGALRM };
	sigset_t blocked;

	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (!sigismember(&blocked, signals[i]))
			gate.takes_signals = true;
}

static int gated_begin(struct core *core)
{
	(void)core;
	return 0;
}

static void gated_pack(struct core_worker *worker, struct core_piece *piece)
{
	size_t nth = (size_t)(piece->paddr / PIECE / BATCH);

	(void)worker;
	pthread_mutex_lock(&lock);
	look_at_signals();
	if (gate.in_pairs && nth % 2 == 0)
		while (!gate.second_packed[nth / 2] && wait_for_change())
			;
	if (gate.in_pairs && nth % 2 == 1)
		gate.second_packed[nth / 2] = true;
	if (!gate.packed && nth % 2)
		gate.odd_was_first = true;
	gate.packed++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static uint8_t byte_of(uint64_t paddr)
{
	return (uint8_t)(1 + paddr / PIECE % 255);
}

static int gated_put(struct core *core, const struct core_piece *piece)
{
	pthread_mutex_lock(&lock);
	look_at_signals();
	gate.waiting++;
	pthread_cond_broadcast(&changed);
	while (gate.closed && gate.puts >= gate.allowed && wait_for_change())
		;
	gate.waiting--;
	if (piece->paddr != gate.puts * PIECE || piece->size != PIECE)
		gate.wrong_order = true;
	if (piece->bytes[0] != byte_of(piece->paddr) ||
		piece->bytes[PIECE - 1] != byte_of(piece->paddr))
		gate.wrong_bytes = true;
	gate.puts++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return core_append(core, piece->bytes, 1);
}

static int gated_finish(struct core *core, const struct notes *late)
{
	(void)core;
	(void)late;
	return 0;
}

static const struct core_operations gated_operations = {
	.size = sizeof(struct core),
	.begin = gated_begin,
	.pack = gated_pack,
	.put = gated_put,
	.finish = gated_finish,
};

static const struct core_format gated_format = {
	.name = "gated",
	.operations = &gated_operations,
};

static void set_closed(bool closed)
{
	pthread_mutex_lock(&lock);
	gate.closed = closed;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* Lets so many through in all, until the writer stands in front of the closed gate with the next.
 */
static void let_through(size_t pieces)
{
	pthread_mutex_lock(&lock);
	gate.allowed = pieces;
	pthread_cond_broadcast(&changed);
	while ((gate.puts < pieces || !gate.waiting) && wait_for_change())
		;
	pthread_mutex_unlock(&lock);
}

static size_t count_puts(void)
{
	size_t puts;

	pthread_mutex_lock(&lock);
	puts = gate.puts;
	pthread_mutex_unlock(&lock);
	return puts;
}

/* ---- fixture --------------------------------------------------------------------------------- */

struct fixture {
	struct ranges memory;
	struct notes notes;
	struct core_plan plan;
	struct memory_sink sink;
	struct core *core;
	struct pipeline *pipeline;
	struct failure failure;
	uint64_t next; /* address of the piece that is reserved next */
};

static int setup(void **state)
{
	static char utsname[UTSNAME_STRINGS][UTSNAME_STRING_SIZE];
	struct fixture *f = calloc(1, sizeof(*f));

	memset(&gate, 0, sizeof(gate));
	ranges_init(&f->memory);
	notes_init(&f->notes, LITTLE);
	memory_sink_init(&f->sink, true);
	f->plan = (struct core_plan){
		.arch = &toy_arch,
		.memory = &f->memory,
		.notes = &f->notes,
		.page_shift = 12,
		.cpu_count = 1,
		.utsname = utsname,
		.compress_level = 1,
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	set_closed(false);
	pipeline_destroy(f->pipeline);
	core_destroy(f->core);
	ranges_deinit(&f->memory);
	notes_deinit(&f->notes);
	memory_sink_deinit(&f->sink);
	free(f);
	return 0;
}

/* A pipeline into a core of the gated format, of so many pieces. */
static void start(struct fixture *f, size_t pieces, unsigned jobs)
{
	assert_int_equal(ranges_add(&f->memory, 0, (uint64_t)pieces * PIECE), 0);
	f->core = core_create(&gated_format, &f->plan, &f->sink.sink);
	assert_null(core_error(f->core));
	f->pipeline = pipeline_create(f->core, jobs, &f->failure);
	assert_non_null(f->pipeline);
}

/* Reserves the next piece, and fills it. False if there is no buffer. */
static bool reserve(struct fixture *f)
{
	struct core_piece *piece = pipeline_reserve(f->pipeline);

	if (!piece)
		return false;
	piece->paddr = f->next;
	piece->size = PIECE;
	memset(piece->bytes, byte_of(f->next), PIECE);
	f->next += PIECE;
	return true;
}

static void give(struct fixture *f, size_t pieces)
{
	while (pieces--) {
		assert_true(reserve(f));
		pipeline_submit(f->pipeline);
	}
}

static void finishes(struct fixture *f, size_t pieces)
{
	assert_int_equal(pipeline_finish(f->pipeline, &f->failure), 0);
	assert_false(pipeline_failed(f->pipeline));
	assert_int_equal(gate.puts, pieces);
	assert_false(gate.gave_up);
	assert_false(gate.wrong_order);
	assert_false(gate.wrong_bytes);
}

/* Something that another thread does while this one waits in the pipeline. */
static void start_thread(pthread_t *thread, void *(*run)(void *), void *argument)
{
	assert_int_equal(pthread_create(thread, NULL, run, argument), 0);
}

/* Long enough for the test's own thread to come to where it waits, and to be seen if it does not.
 */
static void pause_briefly(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
}

/* ---- order ----------------------------------------------------------------------------------- */

static void test_any_number_of_workers(void **state)
{
	static const unsigned jobs[] = { 1, 2, 8, 32, 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(jobs) / sizeof(*jobs); i++) {
		struct fixture *f;

		setup((void **)&f);
		/* More than there are buffers: they are used again. */
		start(f, 600, jobs[i]);
		give(f, 600);
		finishes(f, 600);
		assert_int_equal(gate.packed, 600);
		assert_int_equal(f->sink.size, 600);
		for (uint64_t j = 0; j < 600; j++)
			assert_int_equal(f->sink.bytes[j], byte_of(j * PIECE));
		assert_int_equal(core_finish(f->core, NULL), 0);
		teardown((void **)&f);
	}
}

/* Two workers, the one of which has to wait for what the other does with the next batch. */
static void test_order_of_preparing(void **state)
{
	struct fixture *f = *state;

	gate.in_pairs = true;
	start(f, 512, 2);
	give(f, 512);
	finishes(f, 512);
	assert_true(gate.odd_was_first);
}

/* The pieces of these ranges, some within pages, through a pipeline into a core of the format. */
static void write_core(
	struct fixture *f, const struct core_format *format, const uint8_t *bytes, unsigned jobs)
{
	struct range_cursor cursor = { 0 };
	struct range range;

	f->core = core_create(format, &f->plan, &f->sink.sink);
	assert_null(core_error(f->core));
	f->pipeline = pipeline_create(f->core, jobs, &f->failure);
	assert_non_null(f->pipeline);
	while (ranges_next(&f->memory, &cursor, CORE_PIECE_MAX, &range)) {
		struct core_piece *piece = pipeline_reserve(f->pipeline);

		assert_non_null(piece);
		piece->paddr = range.start;
		piece->size = (size_t)range.size;
		memcpy(piece->bytes, bytes + range.start, piece->size);
		pipeline_submit(f->pipeline);
	}
	assert_int_equal(pipeline_finish(f->pipeline, &f->failure), 0);
	assert_int_equal(core_finish(f->core, NULL), 0);
	pipeline_destroy(f->pipeline);
	f->pipeline = NULL;
	core_destroy(f->core);
	f->core = NULL;
}

static void check_format(struct fixture *f, const struct core_format *format, const uint8_t *bytes)
{
	static const unsigned jobs[] = { 1, 2, 8 };
	struct memory_sink direct;

	f->core = core_create(format, &f->plan, &f->sink.sink);
	for (size_t i = 0; i < f->memory.count; i++) {
		const struct range *range = &f->memory.items[i];

		assert_int_equal(put_memory(f->core, range->start, bytes + range->start,
					 (size_t)range->size),
			0);
	}
	assert_int_equal(core_finish(f->core, NULL), 0);
	core_destroy(f->core);
	direct = f->sink;
	for (size_t i = 0; i < 3; i++) {
		memory_sink_init(&f->sink, true);
		write_core(f, format, bytes, jobs[i]);
		assert_int_equal(f->sink.size, direct.size);
		assert_memory_equal(f->sink.bytes, direct.bytes, direct.size);
		memory_sink_deinit(&f->sink);
	}
	memory_sink_deinit(&direct);
	memory_sink_init(&f->sink, true);
}

/* Every format makes the same core with one worker, with several and without a pipeline. */
static void test_formats(void **state)
{
	enum { GUEST = 300 * PIECE };
	struct core_mapping mappings[3];
	struct fixture *f = *state;
	uint8_t *guest = calloc(1, GUEST);
	uint32_t seed = 1;

	assert_int_equal(ranges_add(&f->memory, 0x800, 0x9f000), 0);
	assert_int_equal(ranges_add(&f->memory, 0x9fc00, 0x100), 0);
	assert_int_equal(ranges_add(&f->memory, 0x100000, GUEST - 0x100000 - 0x1234), 0);
	for (size_t i = 0; i < 3; i++)
		mappings[i] = (struct core_mapping){
			.paddr = f->memory.items[i].start,
			.size = f->memory.items[i].size,
		};
	f->plan.mappings = mappings;
	f->plan.mapping_count = 3;
	/* Of four pages, one of text, one of noise and two of zeros. */
	for (size_t page = 0; page < GUEST; page += 4 * 4096) {
		memset(guest + page, (int)(page >> 14), 4096);
		for (size_t i = 4096; i < 8192; i++) {
			seed = seed * 1664525 + 1013904223;
			guest[page + i] = (uint8_t)(seed >> 24);
		}
	}
	for (size_t i = 0; core_formats[i]; i++)
		if (core_format_is_built(core_formats[i]))
			check_format(f, core_formats[i], guest);
	free(guest);
}

/* ---- buffers --------------------------------------------------------------------------------- */

/* A reader that has some on their way gets none instead of waiting. */
static void test_all_buffers_reserved(void **state)
{
	struct fixture *f = *state;
	size_t reserved = 0;

	start(f, 1000, 2);
	while (reserve(f))
		reserved++;
	assert_int_equal(reserved, BUFFERS);
	assert_false(pipeline_failed(f->pipeline));
	assert_null(pipeline_reserve(f->pipeline));
	while (reserved--)
		pipeline_submit(f->pipeline);
	give(f, 1000 - BUFFERS);
	finishes(f, 1000);
}

/* Under the lock. */
struct waiting {
	bool reserved;       /* set by the reader when it has got a buffer */
	bool reserved_early; /* while not enough of them were free */
};

static void *let_all_but_one_through(void *argument)
{
	struct waiting *waiting = argument;

	let_through(0);
	pause_briefly();
	let_through(RESUMED_AFTER - 1);
	pause_briefly();
	pthread_mutex_lock(&lock);
	waiting->reserved_early = waiting->reserved;
	pthread_mutex_unlock(&lock);
	let_through(RESUMED_AFTER);
	return NULL;
}

/* A reader that is ahead of the writer by all buffers waits until most of them are written. */
static void test_reader_waits(void **state)
{
	struct fixture *f = *state;
	struct waiting waiting = { 0 };
	pthread_t thread;

	start(f, 1000, 2);
	set_closed(true);
	give(f, BUFFERS);
	assert_int_equal(count_puts(), 0);
	start_thread(&thread, let_all_but_one_through, &waiting);
	assert_true(reserve(f));
	pthread_mutex_lock(&lock);
	waiting.reserved = true;
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	assert_false(waiting.reserved_early);
	assert_int_equal(count_puts(), RESUMED_AFTER);
	set_closed(false);
	pipeline_submit(f->pipeline);
	give(f, 1000 - BUFFERS - 1);
	finishes(f, 1000);
}

/* ---- failures -------------------------------------------------------------------------------- */

static void failed_with_the_sink(struct fixture *f)
{
	assert_true(pipeline_failed(f->pipeline));
	assert_null(pipeline_reserve(f->pipeline));
	assert_int_equal(pipeline_finish(f->pipeline, &f->failure), -1);
	assert_int_equal(f->failure.status, STATUS_OUTPUT);
	assert_string_equal(f->failure.text, MEMORY_SINK_ERROR);
	/* And again. */
	assert_int_equal(pipeline_finish(f->pipeline, &f->failure), -1);
	assert_string_equal(core_error(f->core), MEMORY_SINK_ERROR);
}

/* The nth piece is the last that goes to the sink, and no buffer is given out for long. */
static void check_failing(unsigned nth, unsigned jobs)
{
	struct fixture *f;
	size_t given = 0;

	setup((void **)&f);
	start(f, 10000, jobs);
	f->sink.fail_at = nth;
	while (given < 10000 && reserve(f)) {
		pipeline_submit(f->pipeline);
		given++;
	}
	assert_in_range(given, nth, nth + BUFFERS);
	failed_with_the_sink(f);
	assert_int_equal(f->sink.calls, nth);
	assert_int_equal(gate.puts, nth);
	assert_false(gate.wrong_order);
	teardown((void **)&f);
}

static void test_failing_sink(void **state)
{
	(void)state;
	check_failing(1, 1);
	check_failing(1, 8);
	check_failing(2, 2);
	check_failing(300, 1);
	check_failing(300, 8);
}

static void *open_gate(void *argument)
{
	(void)argument;
	pause_briefly();
	set_closed(false);
	return NULL;
}

/* The reader waits for a buffer when the core fails. */
static void test_failure_while_the_reader_waits(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;

	start(f, 1000, 2);
	f->sink.fail_at = 5;
	set_closed(true);
	give(f, BUFFERS);
	start_thread(&thread, open_gate, NULL);
	assert_false(reserve(f));
	pthread_join(thread, NULL);
	assert_false(gate.gave_up);
	failed_with_the_sink(f);
	assert_int_equal(gate.puts, 5);
}

/* A piece that core_put() does not take. */
static void test_piece_in_the_wrong_place(void **state)
{
	struct fixture *f = *state;

	start(f, 10, 2);
	give(f, 2);
	f->next += PIECE;
	give(f, 1);
	assert_int_equal(pipeline_finish(f->pipeline, &f->failure), -1);
	assert_string_equal(f->failure.text, "memory at 0x30000 came where 0x20000 was due");
	assert_int_equal(gate.puts, 2);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void test_nothing_submitted(void **state)
{
	struct fixture *f = *state;

	start(f, 10, 4);
	finishes(f, 0);
	assert_int_equal(core_finish(f->core, NULL), -1);
	assert_string_equal(core_error(f->core), "memory from 0x0 on was not written");
}

/* What was reserved but not submitted is not waited for. */
static void test_nothing_but_reserved(void **state)
{
	struct fixture *f = *state;

	start(f, 10, 4);
	assert_true(reserve(f));
	assert_true(reserve(f));
	pipeline_submit(f->pipeline);
	finishes(f, 1);
}

static void test_finished_twice(void **state)
{
	struct fixture *f = *state;

	start(f, 3, 2);
	give(f, 3);
	finishes(f, 3);
	finishes(f, 3);
	assert_int_equal(core_finish(f->core, NULL), 0);
}

static void test_destroyed_at_once(void **state)
{
	struct fixture *f = *state;

	pipeline_destroy(NULL);
	start(f, 10, 8);
	pipeline_destroy(f->pipeline);
	f->pipeline = NULL;
	assert_int_equal(gate.puts, 0);
}

/* While the writer is at a piece, and others are prepared, not yet prepared, and not filled. */
static void test_destroyed_on_the_way(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;

	start(f, 1000, 2);
	set_closed(true);
	give(f, 200);
	assert_true(reserve(f));
	let_through(0);
	start_thread(&thread, open_gate, NULL);
	pipeline_destroy(f->pipeline);
	f->pipeline = NULL;
	pthread_join(thread, NULL);
	assert_false(gate.gave_up);
	assert_in_range(gate.puts, 1, 200);
	assert_false(gate.wrong_order);
	assert_null(core_error(f->core));
}

static void test_destroyed_while_preparing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		struct fixture *f;

		setup((void **)&f);
		start(f, 100, 4);
		give(f, i);
		teardown((void **)&f);
		assert_in_range(gate.puts, 0, i);
		assert_false(gate.wrong_order);
	}
}

/* ---- signals --------------------------------------------------------------------------------- */

static volatile sig_atomic_t handled;
static pthread_t handler_thread;

static void note_signal(int number)
{
	(void)number;
	handler_thread = pthread_self();
	handled++;
}

/* They are for the reader: no thread of the pipeline has any unblocked, and it has all that it had.
 */
static void test_signals(void **state)
{
	struct sigaction action = { .sa_handler = note_signal }, before;
	struct fixture *f = *state;
	sigset_t mask_before, mask;

	assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
	pthread_sigmask(SIG_BLOCK, NULL, &mask_before);
	start(f, 1000, 4);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	for (int number = 1; number < 32; number++)
		assert_int_equal(sigismember(&mask, number), sigismember(&mask_before, number));
	set_closed(true);
	give(f, 100);
	handled = 0;
	/* With nobody else to take it, it is handled before kill() returns. */
	for (int i = 1; i <= 100; i++) {
		assert_int_equal(kill(getpid(), SIGUSR1), 0);
		assert_int_equal(handled, i);
		assert_true(pthread_equal(handler_thread, pthread_self()));
	}
	set_closed(false);
	finishes(f, 100);
	assert_false(gate.takes_signals);
	sigaction(SIGUSR1, &before, NULL);
}

/* An output that fails because it was interrupted. The last test: it cannot be taken back. */
static void test_interrupted(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(interrupt_init(), 0);
	start(f, 10, 2);
	f->sink.fail_at = 1;
	set_closed(true);
	give(f, 2);
	assert_int_equal(raise(SIGTERM), 0);
	set_closed(false);
	assert_int_equal(pipeline_finish(f->pipeline, &f->failure), -1);
	assert_int_equal(f->failure.status, 128 + SIGTERM);
	assert_string_equal(f->failure.text, "interrupted");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_number_of_workers),
		TEST(test_order_of_preparing),
		TEST(test_formats),
		TEST(test_all_buffers_reserved),
		TEST(test_reader_waits),
		cmocka_unit_test(test_failing_sink),
		TEST(test_failure_while_the_reader_waits),
		TEST(test_piece_in_the_wrong_place),
		TEST(test_nothing_submitted),
		TEST(test_nothing_but_reserved),
		TEST(test_finished_twice),
		TEST(test_destroyed_at_once),
		TEST(test_destroyed_on_the_way),
		cmocka_unit_test(test_destroyed_while_preparing),
		TEST(test_signals),
		TEST(test_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
