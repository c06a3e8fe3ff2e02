// SPDX-License-Identifier: GPL-2.0-or-later
/* The story of a dump, from the first packet to the file's name. */
#include "client/verbs.h"

#include <string.h>

#include "client/attach.h"
#include "client/clock.h"
#include "client/copy.h"
#include "client/destination.h"
#include "client/guest.h"
#include "client/lane.h"
#include "client/measure.h"
#include "client/pipeline.h"
#include "client/plan.h"
#include "client/progress.h"
#include "client/report.h"
#include "client/tell.h"

/* Of a link that breaks each time before the guest is known. */
enum { BEGINNINGS_MAX = 8 };

struct dump {
	const struct options *options;
	struct destination destination; /* nowhere in a dry run */
	struct attachment attachment;
	struct guest guest;
	struct plan plan;
	struct core *core;
	struct pipeline *pipeline;
	struct recovery recovery;
	struct copy_result copied;
	struct progress progress;
	double copy_seconds;
	unsigned beginnings; /* after connections that broke */
	double rate;         /* measured in a dry run */
	bool finished;       /* the core is whole and has its name */
};

static int create_core(struct dump *dump, struct failure *failure)
{
	dump->core = core_create(
		dump->options->format, &dump->plan.core, destination_sink(&dump->destination));
	if (!dump->core)
		return fail(failure, STATUS_FAILED, "no memory");
	if (core_error(dump->core))
		return fail_core(failure, dump->core);
	dump->pipeline = pipeline_create(dump->core, dump->options->jobs, failure);
	return dump->pipeline ? 0 : -1;
}

static int copy_memory(struct dump *dump, struct failure *failure)
{
	double started = monotonic_seconds();
	int rc;

	if (dump->destination.upload)
		progress_watch_upload(&dump->progress, upload_sent, dump->destination.upload);
	progress_start(&dump->progress, dump->plan.bytes);
	recovery_init(&dump->recovery, &dump->attachment, &dump->guest, dump->options);
	rc = copy_pages(&dump->guest, &dump->plan, dump->pipeline, &dump->progress, &dump->recovery,
		destination_can_keep(&dump->destination), &dump->copied, failure);
	progress_clear(&dump->progress);
	dump->copy_seconds = monotonic_seconds() - started;
	return rc;
}

static void settle_vmcoreinfo(struct dump *dump)
{
	struct candidates *candidates = &dump->copied.candidates;

	candidates_settle(candidates, &dump->guest, dump->plan.late_vmcoreinfo_max);
	if (dump->plan.late_vmcoreinfo_max && !dump->guest.kernel.vmcoreinfo.text)
		tell(dump->options, TELL_WARNING, "no VMCOREINFO in the core: %s",
			dump->guest.vmcoreinfo_missing);
	for (size_t i = 0; i < candidates->other_count; i++)
		tell(dump->options, TELL_DETAIL,
			"VMCOREINFO of another kernel, %s, is in memory: --vmcoreinfo 0x%llx takes it",
			candidates->others[i].release,
			(unsigned long long)candidates->others[i].paddr);
}

/* All that will be read of it has been: the core becomes whole. */
static int complete_core(struct dump *dump, struct failure *failure)
{
	struct notes late;
	int rc = 0;

	if (pipeline_finish(dump->pipeline, failure))
		return -1;
	notes_init(&late, dump->guest.arch->order);
	plan_add_late(&dump->plan, &dump->guest, &late);
	/* One that could not be kept is no reason to leave it out in silence. */
	if (core_finish(dump->core, late.size || late.failed ? &late : NULL))
		rc = fail_core(failure, dump->core);
	notes_deinit(&late);
	return rc;
}

static int finish_core(struct dump *dump, struct failure *failure)
{
	return complete_core(dump, failure) || destination_publish(&dump->destination, failure) ? -1
	                                                                                        : 0;
}

/* What was read of a guest that is out of reach now may be all that will ever be known of it. */
static int keep_what_there_is(struct dump *dump, struct failure *failure)
{
	char amount[AMOUNT_TEXT_SIZE], total[AMOUNT_TEXT_SIZE];
	size_t used = strlen(failure->text);
	struct failure second;

	if (dump->copied.filled && complete_core(dump, &second) == 0 &&
		destination_keep(&dump->destination, &second) == 0)
		snprintf(failure->text + used, sizeof(failure->text) - used,
			"; %s.partial has %s of %s, and zeros for the rest", dump->options->output,
			amount_text(amount, (double)dump->copied.bytes),
			amount_text(total, (double)dump->plan.bytes));
	return -1;
}

/*
 * The guest need not wait for the disk. All memory is read by now: the core becomes whole, also if
 * the stub then does not let us go in good order.
 */
static int leave_and_finish(struct dump *dump, struct failure *failure)
{
	struct failure second;
	int left = detach_from(&dump->attachment, dump->options, failure);
	int finished = finish_core(dump, left ? &second : failure);

	dump->finished = finished == 0;
	return left || finished ? -1 : 0;
}

static int learn_and_plan(struct dump *dump, struct failure *failure)
{
	const struct options *options = dump->options;
	bool late = options->dry_run || destination_takes_late_note(&dump->destination);

	return guest_learn(&dump->guest, dump->attachment.rsp, options, failure) ||
	                       plan_make(&dump->plan, &dump->guest, options, late, failure)
	               ? -1
	               : 0;
}

/* The connection broke before anything was written: all is learned from the beginning. */
static int start_over(struct dump *dump, struct failure *failure)
{
	const struct options *options = dump->options;

	if (rsp_failure(dump->attachment.rsp) != RSP_LOST ||
		!may_attach_again(&dump->attachment, options) ||
		dump->beginnings++ == BEGINNINGS_MAX)
		return -1;
	plan_deinit(&dump->plan);
	guest_deinit(&dump->guest);
	*failure = (struct failure){ .status = STATUS_DONE };
	if (attach_again(&dump->attachment, options, failure))
		return -1;
	/* It may have broken before the guest's state was known. */
	if (!dump->attachment.run_state[0] && find_out_state(&dump->attachment, options, failure))
		return -1;
	return guest_prepare(&dump->guest, options, failure);
}

static int take_core(struct dump *dump, struct failure *failure)
{
	const struct options *options = dump->options;

	attachment_init(&dump->attachment, options);
	/* What cannot be done without it is known before the guest is stopped for it. */
	if (guest_prepare(&dump->guest, options, failure) ||
		(!options->dry_run && destination_open(&dump->destination, options, failure)))
		return -1;
	if (attach_to(&dump->attachment, options, failure))
		return -1;
	while (learn_and_plan(dump, failure))
		if (start_over(dump, failure))
			return -1;
	report_gaps(options, &dump->guest, &dump->plan);
	if (options->dry_run)
		return measure_rate(&dump->guest, &dump->rate, failure) ||
		                       detach_from(&dump->attachment, options, failure)
		               ? -1
		               : 0;
	if (destination_start(&dump->destination, &dump->plan, failure) ||
		create_core(dump, failure))
		return -1;
	if (copy_memory(dump, failure))
		return keep_what_there_is(dump, failure);
	settle_vmcoreinfo(dump);
	return leave_and_finish(dump, failure);
}

static void tell_result(const struct dump *dump)
{
	const struct options *options = dump->options;
	char memory[AMOUNT_TEXT_SIZE], zero[AMOUNT_TEXT_SIZE], rate[AMOUNT_TEXT_SIZE];
	double bytes = (double)dump->copied.bytes;

	tell(options, TELL_RESULT, "%s: %s of memory, %s of it zero, at %s/s",
		destination_name(&dump->destination), amount_text(memory, bytes),
		amount_text(zero, (double)core_zero_bytes(dump->core)),
		amount_text(rate, dump->copy_seconds > 0 ? bytes / dump->copy_seconds : 0));
	report_pages_left_out(options, &dump->plan);
}

static struct forecast forecast_of(const struct dump *dump)
{
	return (struct forecast){
		.plan = &dump->plan, .options = dump->options, .rate = dump->rate
	};
}

static void print_dry_run(const struct dump *dump)
{
	const struct forecast forecast = forecast_of(dump);

	report_guest_text(&dump->guest);
	report_forecast_text(&forecast);
}

/* What has become of the guest. */
static const char *state_afterwards(const struct dump *dump)
{
	if (rsp_stub(dump->attachment.rsp)->ends_guest)
		return "ended";
	return leaves_running(&dump->attachment, dump->options) ? "running" : "stopped";
}

static void tell_guest(const struct dump *dump)
{
	if (rsp_stub(dump->attachment.rsp)->ends_guest) {
		tell(dump->options, TELL_RESULT, "the guest is ended");
		return;
	}
	tell(dump->options, TELL_RESULT, "the guest stood still for %.1f s and %s",
		stopped_seconds(&dump->attachment),
		leaves_running(&dump->attachment, dump->options) ? "runs" : "still does");
}

static void write_json(const struct dump *dump, const struct failure *failure)
{
	const struct options *options = dump->options;
	const struct forecast forecast = forecast_of(dump);
	struct json json;

	json_init(&json, stdout);
	json_open(&json, NULL, '{');
	report_failure_json(&json, failure);
	json_string(&json, "target", options->target);
	if (dump->attachment.rsp)
		report_stub_json(&json, &dump->attachment);
	if (dump->plan.core.arch)
		report_guest_json(&json, &dump->guest);
	if (options->dry_run && failure->status == STATUS_DONE)
		report_forecast_json(&json, &forecast);
	if (dump->core) {
		destination_json(&json, &dump->destination);
		json_number(&json, "memory_bytes", dump->copied.bytes);
		json_number(&json, "zero_bytes", core_zero_bytes(dump->core));
		json_number(&json, "unreadable_bytes", ranges_total(&dump->copied.unreadable));
		report_ranges_json(&json, "unreadable", &dump->copied.unreadable);
		report_pages_json(&json, &dump->plan);
		candidates_json(&json, &dump->copied.candidates);
		json_string(&json, "registers_missing", dump->plan.missing);
		json_string(&json, "lane", lane_name(&dump->guest));
		json_real(&json, "copy_seconds", dump->copy_seconds);
	}
	if (dump->attachment.left) {
		json_real(&json, "stopped_seconds", stopped_seconds(&dump->attachment));
		json_string(&json, "after", state_afterwards(dump));
	}
	json_close(&json, '}');
	fputc('\n', stdout);
}

/* A core with zeros in place of memory that nobody could read is not quite done. */
static void judge(const struct dump *dump, struct failure *failure)
{
	const struct ranges *unreadable = &dump->copied.unreadable;
	char amount[AMOUNT_TEXT_SIZE];

	if (unreadable->count == 0)
		return;
	for (size_t i = 0; i < unreadable->count; i++)
		tell(dump->options, TELL_DETAIL, "cannot be read: 0x%llx-0x%llx",
			(unsigned long long)unreadable->items[i].start,
			(unsigned long long)(unreadable->items[i].start +
					     unreadable->items[i].size - 1));
	fail(failure, STATUS_INCOMPLETE,
		"%s could not be read, in %zu places from 0x%llx on, and are zero in the core%s",
		amount_text(amount, (double)ranges_total(unreadable)), unreadable->count,
		(unsigned long long)unreadable->items[0].start,
		dump->options->verbose ? "" : " (-v lists them)");
}

/* What is counted then are bytes of the upload. */
static int wait_for_upload(struct dump *dump, struct failure *failure)
{
	progress_watch_upload(&dump->progress, NULL, NULL);
	return destination_wait(&dump->destination, &dump->progress, failure);
}

enum status dump_run(const struct options *options)
{
	struct dump dump = { .options = options };
	struct failure failure = { .status = STATUS_DONE };

	copy_result_init(&dump.copied);
	progress_init(&dump.progress, options);
	if (take_core(&dump, &failure)) {
		destination_blame(&dump.destination, &failure);
		leave_after_failure(&dump.attachment, options, &failure);
	} else if (options->dry_run && !options->json) {
		print_dry_run(&dump);
	}
	/* After a failure it still works at what was read. */
	pipeline_destroy(dump.pipeline);
	if (dump.finished)
		tell_result(&dump);
	if (dump.finished && failure.status == STATUS_DONE) {
		tell_guest(&dump);
		if (!wait_for_upload(&dump, &failure))
			judge(&dump, &failure);
	}
	if (failure.status != STATUS_DONE)
		tell(options, TELL_ERROR, "%s", failure.text);
	progress_end(&dump.progress, failure.status == STATUS_DONE ? NULL : failure.text);
	if (options->json)
		write_json(&dump, &failure);
	core_destroy(dump.core);
	copy_result_deinit(&dump.copied);
	plan_deinit(&dump.plan);
	guest_deinit(&dump.guest);
	attachment_deinit(&dump.attachment);
	destination_close(&dump.destination);
	return failure.status;
}
