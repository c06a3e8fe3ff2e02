// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/attach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/clock.h"
#include "client/interrupt.h"
#include "client/let_go.h"
#include "client/tell.h"
#include "client/trace.h"

/* Packets longer than this are cut in the trace: memory is not what it is read for. */
enum { TRACE_LINE_MAX = 512 };

static void trace_packet(void *ctx, bool sent, const char *packet, size_t size)
{
	FILE *to = ctx;
	size_t shown = size < TRACE_LINE_MAX ? size : TRACE_LINE_MAX;

	fputs(sent ? "> " : "< ", to);
	for (size_t i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)packet[i];

		if (c < ' ' || c >= 0x7f || c == '\\')
			fprintf(to, "\\x%02x", c);
		else
			fputc(c, to);
	}
	if (shown < size)
		fprintf(to, "... %zu bytes in all", size);
	fputc('\n', to);
}

static enum status status_of(enum rsp_failure failure)
{
	switch (failure) {
	case RSP_BAD_TARGET:
		return STATUS_USAGE;
	case RSP_UNREACHABLE:
	case RSP_LOST:
		return STATUS_UNREACHABLE;
	case RSP_CONFUSED:
	case RSP_REFUSED:
	case RSP_UNSUPPORTED:
		return STATUS_UNSUPPORTED;
	case RSP_CANCELLED:
		return STATUS_SIGNAL + interrupt_signal();
	default:
		return STATUS_FAILED;
	}
}

int fail_rsp(struct failure *failure, const struct rsp *rsp, const char *what)
{
	return fail(failure, status_of(rsp_failure(rsp)), "%s%s%s", what, *what ? ": " : "",
		rsp_error(rsp));
}

static const char state_command[] = "info status";

/* "VM status: paused (prelaunch)" without what is in front. */
static int ask_run_state(struct attachment *attachment, struct failure *failure)
{
	static const char label[] = "VM status: ";
	char *output = NULL;
	char *state;

	/* That there is no monitor says nothing; that there is no memory would let a guest run. */
	if (rsp_monitor(attachment->rsp, state_command, &output))
		return rsp_failure(attachment->rsp) == RSP_NO_MEMORY
		               ? fail_rsp(failure, attachment->rsp, "asking for the guest's state")
		               : 0;
	state = strstr(output, label);
	if (state)
		snprintf(attachment->run_state, sizeof(attachment->run_state), "%.*s",
			(int)strcspn(state + strlen(label), "\r\n"), state + strlen(label));
	free(output);
	return 0;
}

/*
 * A guest that ran when we came is plainly "paused" now. One that had stopped for a reason of its
 * own keeps it: "paused (guest-panicked)". A guest that somebody had paused looks as one that ran,
 * but to stubs which announce that they stopped it.
 */
static enum found find_state(const struct attachment *attachment)
{
	const struct rsp_stub *stub = rsp_stub(attachment->rsp);

	if (stub->ever_announced)
		return FOUND_RUNNING;
	if (strncmp(attachment->run_state, "paused (", 8) == 0 &&
		strncmp(attachment->run_state, "paused (single step", 19) != 0)
		return FOUND_STOPPED;
	return stub->announces_stop && !attachment->late ? FOUND_STOPPED : FOUND_UNKNOWN;
}

static int fail_open(struct failure *failure, const struct rsp *rsp)
{
	fail_rsp(failure, rsp, "");
	if (rsp_failure(rsp) == RSP_UNREACHABLE && !rsp_connected(rsp))
		return fail(failure, failure->status, "%s (is a stub there? QEMU: -gdb tcp::1234)",
			rsp_error(rsp));
	return -1;
}

/*
 * What the stub will do to the guest when it is left, said before anything is read. It cannot be
 * known before there is a connection; what ends with that then ends in any case.
 */
static int check_leaving(
	const struct rsp *rsp, const struct options *options, struct failure *failure)
{
	const struct rsp_stub *stub = rsp_stub(rsp);

	if (stub->ends_guest && !options->force)
		return fail(failure, STATUS_UNSUPPORTED,
			"%s ends its VM when a debugger goes, and does so now (--force takes what is there before it ends)",
			stub->name);
	if (stub->always_resumes && options->after == AFTER_STOP)
		return fail(failure, STATUS_UNSUPPORTED,
			"--after stop: %s lets its guest run when a debugger goes", stub->name);
	if (stub->ends_guest)
		tell(options, TELL_WARNING, "%s ends its VM when it is left", stub->name);
	return 0;
}

double stopped_seconds(const struct attachment *attachment)
{
	return attachment->left_at - attachment->attached_at;
}

bool leaves_running(const struct attachment *attachment, const struct options *options)
{
	if (rsp_stub(attachment->rsp)->always_resumes)
		return true;
	switch (options->after) {
	case AFTER_RESUME:
		return true;
	case AFTER_STOP:
		return false;
	default:
		return attachment->found != FOUND_STOPPED;
	}
}

struct rsp_options connection_options(const struct options *options)
{
	return (struct rsp_options){
		.connect_timeout_ms = options->connect_timeout * 1000,
		.timeout_ms = options->timeout * 1000,
		.retry_ms = options->retry * 1000,
		.cancel_fd = interrupt_fd(),
	};
}

static int open_trace(
	struct attachment *attachment, const struct options *options, struct failure *failure)
{
	if (!options->trace)
		return 0;
	attachment->trace = trace_open(options->trace, failure);
	return attachment->trace ? 0 : -1;
}

static int create_connection(
	struct attachment *attachment, const struct options *options, struct failure *failure)
{
	struct rsp_options rsp_options = connection_options(options);

	if (attachment->trace) {
		rsp_options.trace = trace_packet;
		rsp_options.trace_ctx = attachment->trace;
	}
	if (attachment->guardian) {
		rsp_options.hold = guardian_hold;
		rsp_options.hold_ctx = attachment->guardian;
		rsp_options.will = &guardian_orders(attachment->guardian)->will;
	}
	rsp_options.first_command = state_command;
	rsp_options.asks_for_cpus = true;
	attachment->rsp = rsp_create(&rsp_options);
	return attachment->rsp ? 0 : fail(failure, STATUS_FAILED, "no memory");
}

/* What becomes of the guest is known now. */
static void order_guardian(const struct attachment *attachment, const struct options *options)
{
	struct guardian_orders *orders;

	if (!attachment->guardian)
		return;
	orders = guardian_orders(attachment->guardian);
	orders->runs_afterwards = leaves_running(attachment, options);
	__atomic_store_n(&orders->decided, true, __ATOMIC_RELEASE);
}

int find_out_state(
	struct attachment *attachment, const struct options *options, struct failure *failure)
{
	if (ask_run_state(attachment, failure))
		return -1;
	attachment->found = find_state(attachment);
	order_guardian(attachment, options);
	return 0;
}

/* One that breaks when it is hardly made is followed by another like any other. */
static int open_connection(
	struct attachment *attachment, const struct options *options, struct failure *failure)
{
	if (rsp_open(attachment->rsp, options->target) == 0)
		return 0;
	if (rsp_failure(attachment->rsp) != RSP_LOST || !may_attach_again(attachment, options))
		return fail_open(failure, attachment->rsp);
	attachment->late = !rsp_answered(attachment->rsp);
	return attach_again(attachment, options, failure);
}

int attach_to(struct attachment *attachment, const struct options *options, struct failure *failure)
{
	*attachment = (struct attachment){ .guardian = attachment->guardian,
		.attached_at = monotonic_seconds() };
	if (open_trace(attachment, options, failure) ||
		create_connection(attachment, options, failure))
		return -1;
	if (open_connection(attachment, options, failure))
		return -1;
	return check_leaving(attachment->rsp, options, failure) ||
	                       find_out_state(attachment, options, failure)
	               ? -1
	               : 0;
}

/* ---- leaving --------------------------------------------------------------------------------- */

/* Leaves the stub; on failure the reason is in its rsp_error(). */
static int leave(struct attachment *attachment, const struct options *options)
{
	enum rsp_after after = leaves_running(attachment, options) ? RSP_RESUME : RSP_STAY;
	struct failure second;
	int rc = rsp_release(attachment->rsp, after);

	/* Whether the guest stands still now, only a new connection tells, which stops it for sure.
	 */
	if (rc && after == RSP_RESUME && rsp_failure(attachment->rsp) == RSP_LOST &&
		may_attach_again(attachment, options) &&
		attach_again(attachment, options, &second) == 0)
		rc = rsp_release(attachment->rsp, after);
	attachment->left = true;
	attachment->left_at = monotonic_seconds();
	if (attachment->trace && fflush(attachment->trace))
		tell(options, TELL_WARNING, "the trace is not whole: %s", strerror(errno));
	return rc;
}

/* What it means for the guest, and what to do. */
static void add_advice(struct failure *failure, const struct options *options)
{
	size_t used = strlen(failure->text);

	snprintf(failure->text + used, sizeof(failure->text) - used,
		"; the guest may stand still now (\"rspdump release %s\" lets it run)",
		options->target);
}

int detach_from(
	struct attachment *attachment, const struct options *options, struct failure *failure)
{
	if (leave(attachment, options) == 0)
		return 0;
	fail_rsp(failure, attachment->rsp, "leaving the stub");
	failure->status = STATUS_UNREACHABLE;
	add_advice(failure, options);
	return -1;
}

void leave_after_failure(
	struct attachment *attachment, const struct options *options, struct failure *failure)
{
	if (!attachment->rsp || attachment->left)
		return;
	if (attachment->broken ? leaves_running(attachment, options)
			       : rsp_connected(attachment->rsp) && leave(attachment, options))
		add_advice(failure, options);
}

void attachment_init(struct attachment *attachment, const struct options *options)
{
	*attachment = (struct attachment){ .guardian = guardian_create(let_go, options) };
	if (!attachment->guardian)
		tell(options, TELL_WARNING,
			"no second process: %s; should this one be killed, the guest stands still",
			strerror(errno));
}

void attachment_deinit(struct attachment *attachment)
{
	rsp_destroy(attachment->rsp);
	guardian_destroy(attachment->guardian);
	if (attachment->trace)
		fclose(attachment->trace);
	*attachment = (struct attachment){ .rsp = NULL };
}
