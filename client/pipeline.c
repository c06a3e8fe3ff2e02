// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/pipeline.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "client/interrupt.h"

enum {
	/*
	 * More than a connection ever has on its way, and enough for a disk that pauses for as
	 * long as 16 MiB take to arrive.
	 */
	SLOTS = 256,
	/* A reader that had to wait goes on when it can do so for a while. */
	RESUME_AT = SLOTS * 3 / 4,
	/* Pieces that change hands at once: from a fast lane, being woken for each costs more. */
	BATCH = 8,
};

struct slot {
	struct core_piece piece;
	bool prepared;
};

struct pipeline {
	struct core *core;
	uint8_t *buffers;
	struct slot slots[SLOTS];

	pthread_mutex_t lock;
	pthread_cond_t
		work; /* for workers: a batch was submitted, or no more is to be waited for */
	pthread_cond_t ready; /* for the writer: the next piece is prepared, or the end */
	pthread_cond_t room;  /* for the reader: RESUME_AT buffers are left, or it failed */
	/* Pieces so far. Each is a step behind the one before, and none ever by more than SLOTS. */
	size_t reserved, submitted, taken, written;
	bool reader_waits;
	bool closed; /* nothing more will be submitted */
	bool failed; /* nothing more will be written */

	struct core_worker *workers[PIPELINE_JOBS_MAX]; /* given to the threads one by one */
	pthread_t threads[1 + PIPELINE_JOBS_MAX];       /* the writer and the workers */
	size_t thread_count, worker_count, workers_given;
};

static struct slot *slot_of(struct pipeline *pipeline, size_t index)
{
	return &pipeline->slots[index % SLOTS];
}

static struct core_worker *take_worker(struct pipeline *pipeline)
{
	struct core_worker *worker;

	pthread_mutex_lock(&pipeline->lock);
	worker = pipeline->workers[pipeline->workers_given++];
	pthread_mutex_unlock(&pipeline->lock);
	return worker;
}

/* How many pieces a worker is to take: a whole batch, or what there is if no more will come. */
static size_t batch_to_prepare(const struct pipeline *pipeline)
{
	size_t count = pipeline->submitted - pipeline->taken;

	if (count >= BATCH)
		return BATCH;
	return pipeline->closed || pipeline->reader_waits ? count : 0;
}

/* How many pieces the writer is to put into the core. */
static size_t batch_to_write(struct pipeline *pipeline)
{
	size_t count = 0;

	while (count < BATCH && pipeline->written + count < pipeline->submitted &&
		slot_of(pipeline, pipeline->written + count)->prepared)
		count++;
	return count;
}

static void *work(void *argument)
{
	struct pipeline *pipeline = argument;
	struct core_worker *worker = take_worker(pipeline);

	pthread_mutex_lock(&pipeline->lock);
	for (;;) {
		while (!batch_to_prepare(pipeline) && !pipeline->closed && !pipeline->failed)
			pthread_cond_wait(&pipeline->work, &pipeline->lock);

		size_t first = pipeline->taken, count = batch_to_prepare(pipeline);

		if (pipeline->failed || !count)
			break;
		pipeline->taken += count;
		pthread_mutex_unlock(&pipeline->lock);
		for (size_t i = 0; i < count; i++)
			core_prepare(worker, &slot_of(pipeline, first + i)->piece);
		pthread_mutex_lock(&pipeline->lock);
		for (size_t i = 0; i < count; i++)
			slot_of(pipeline, first + i)->prepared = true;
		if (first == pipeline->written)
			pthread_cond_signal(&pipeline->ready);
	}
	pthread_mutex_unlock(&pipeline->lock);
	return NULL;
}

/* Puts pieces into the core up to one that fails. Returns what core_put() did of the last. */
static int put_batch(struct pipeline *pipeline, size_t count)
{
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++)
		result = core_put(pipeline->core, &slot_of(pipeline, pipeline->written + i)->piece);
	return result;
}

static bool all_is_written(const struct pipeline *pipeline)
{
	return pipeline->closed && pipeline->written == pipeline->submitted;
}

static void *write_pieces(void *argument)
{
	struct pipeline *pipeline = argument;

	pthread_mutex_lock(&pipeline->lock);
	for (;;) {
		while (!batch_to_write(pipeline) && !pipeline->failed && !all_is_written(pipeline))
			pthread_cond_wait(&pipeline->ready, &pipeline->lock);

		size_t count = batch_to_write(pipeline);
		int result;

		if (!count || pipeline->failed)
			break;
		pthread_mutex_unlock(&pipeline->lock);
		result = put_batch(pipeline, count);
		pthread_mutex_lock(&pipeline->lock);
		for (size_t i = 0; i < count; i++)
			slot_of(pipeline, pipeline->written + i)->prepared = false;
		pipeline->written += count;
		if (result) {
			pipeline->failed = true;
			pthread_cond_broadcast(&pipeline->work);
		}
		if (pipeline->reader_waits &&
			(result || pipeline->reserved - pipeline->written <= SLOTS - RESUME_AT))
			pthread_cond_signal(&pipeline->room);
	}
	pthread_mutex_unlock(&pipeline->lock);
	return NULL;
}

struct core_piece *pipeline_reserve(struct pipeline *pipeline)
{
	struct core_piece *piece = NULL;

	pthread_mutex_lock(&pipeline->lock);
	if (pipeline->reserved - pipeline->written == SLOTS &&
		pipeline->reserved == pipeline->submitted) {
		pipeline->reader_waits = true;
		pthread_cond_broadcast(&pipeline->work);
		while (pipeline->reserved - pipeline->written > SLOTS - RESUME_AT &&
			!pipeline->failed)
			pthread_cond_wait(&pipeline->room, &pipeline->lock);
		pipeline->reader_waits = false;
	}
	if (pipeline->reserved - pipeline->written < SLOTS && !pipeline->failed)
		piece = &slot_of(pipeline, pipeline->reserved++)->piece;
	pthread_mutex_unlock(&pipeline->lock);
	return piece;
}

struct core_piece *pipeline_reserved(struct pipeline *pipeline)
{
	struct core_piece *piece = NULL;

	pthread_mutex_lock(&pipeline->lock);
	if (pipeline->submitted < pipeline->reserved)
		piece = &slot_of(pipeline, pipeline->submitted)->piece;
	pthread_mutex_unlock(&pipeline->lock);
	return piece;
}

void pipeline_submit(struct pipeline *pipeline)
{
	pthread_mutex_lock(&pipeline->lock);
	pipeline->submitted++;
	if (batch_to_prepare(pipeline))
		pthread_cond_signal(&pipeline->work);
	pthread_mutex_unlock(&pipeline->lock);
}

bool pipeline_failed(struct pipeline *pipeline)
{
	bool failed;

	pthread_mutex_lock(&pipeline->lock);
	failed = pipeline->failed;
	pthread_mutex_unlock(&pipeline->lock);
	return failed;
}

static void join_all(struct pipeline *pipeline)
{
	pthread_mutex_lock(&pipeline->lock);
	pipeline->closed = true;
	pthread_cond_broadcast(&pipeline->work);
	pthread_cond_broadcast(&pipeline->ready);
	pthread_mutex_unlock(&pipeline->lock);
	while (pipeline->thread_count)
		pthread_join(pipeline->threads[--pipeline->thread_count], NULL);
}

int fail_core(struct failure *failure, const struct core *core)
{
	return fail(failure, core_lacks_memory(core) ? STATUS_FAILED : STATUS_OUTPUT, "%s",
		core_error(core));
}

int pipeline_finish(struct pipeline *pipeline, struct failure *failure)
{
	join_all(pipeline);
	if (!pipeline->failed)
		return 0;
	if (interrupt_signal())
		return fail(failure, STATUS_SIGNAL + interrupt_signal(), "interrupted");
	return fail_core(failure, pipeline->core);
}

void pipeline_destroy(struct pipeline *pipeline)
{
	if (!pipeline)
		return;
	pthread_mutex_lock(&pipeline->lock);
	pipeline->failed = true;
	pthread_mutex_unlock(&pipeline->lock);
	join_all(pipeline);
	for (size_t i = 0; i < pipeline->worker_count; i++)
		core_worker_destroy(pipeline->workers[i]);
	pthread_mutex_destroy(&pipeline->lock);
	pthread_cond_destroy(&pipeline->work);
	pthread_cond_destroy(&pipeline->ready);
	pthread_cond_destroy(&pipeline->room);
	free(pipeline->buffers);
	free(pipeline);
}

static unsigned cpus_here(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return CPU_COUNT(&set) < PIPELINE_JOBS_MAX ? (unsigned)CPU_COUNT(&set) : PIPELINE_JOBS_MAX;
}

static bool start_thread(struct pipeline *pipeline, void *(*run)(void *))
{
	if (pthread_create(&pipeline->threads[pipeline->thread_count], NULL, run, pipeline))
		return false;
	pipeline->thread_count++;
	return true;
}

/* Signals are for the reader, who has the guest to let go. */
static bool start_threads(struct pipeline *pipeline)
{
	sigset_t all, before;
	bool started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = start_thread(pipeline, write_pieces);
	for (size_t i = 0; i < pipeline->worker_count; i++)
		started = started && start_thread(pipeline, work);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

struct pipeline *pipeline_create(struct core *core, unsigned jobs, struct failure *failure)
{
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	bool complete;

	if (!pipeline) {
		fail(failure, STATUS_FAILED, "no memory");
		return NULL;
	}
	if (!jobs)
		jobs = cpus_here();
	pipeline->core = core;
	pthread_mutex_init(&pipeline->lock, NULL);
	pthread_cond_init(&pipeline->work, NULL);
	pthread_cond_init(&pipeline->ready, NULL);
	pthread_cond_init(&pipeline->room, NULL);
	pipeline->buffers = malloc((size_t)SLOTS * CORE_PIECE_MAX);
	complete = pipeline->buffers != NULL;
	for (size_t i = 0; complete && i < SLOTS; i++)
		pipeline->slots[i].piece.bytes = pipeline->buffers + i * CORE_PIECE_MAX;
	while (complete && pipeline->worker_count < jobs) {
		struct core_worker *worker = core_worker_create(core);

		complete = worker != NULL;
		if (worker)
			pipeline->workers[pipeline->worker_count++] = worker;
	}
	if (complete && start_threads(pipeline))
		return pipeline;
	fail(failure, STATUS_FAILED, complete ? "cannot start a thread" : "no memory");
	pipeline_destroy(pipeline);
	return NULL;
}
