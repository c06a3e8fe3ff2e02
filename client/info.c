// SPDX-License-Identifier: GPL-2.0-or-later
/* What a stub, or a core, holds; nothing is dumped. */
#include <sys/stat.h>

#include "client/attach.h"
#include "client/guest.h"
#include "client/info_core.h"
#include "client/measure.h"
#include "client/plan.h"
#include "client/report.h"
#include "client/tell.h"
#include "client/verbs.h"

struct info {
	struct attachment attachment;
	struct guest guest;
	struct plan plan;
	double rate; /* bytes a second at which memory comes */
};

static int learn(struct info *info, const struct options *options, struct failure *failure)
{
	attachment_init(&info->attachment, options);
	if (guest_prepare(&info->guest, options, failure) ||
		attach_to(&info->attachment, options, failure) ||
		guest_learn(&info->guest, info->attachment.rsp, options, failure) ||
		plan_make(&info->plan, &info->guest, options, true, failure) ||
		measure_rate(&info->guest, &info->rate, failure))
		return -1;
	return detach_from(&info->attachment, options, failure);
}

static struct forecast forecast_of(const struct info *info, const struct options *options)
{
	return (struct forecast){ .plan = &info->plan, .options = options, .rate = info->rate };
}

static void print_text(const struct info *info, const struct options *options)
{
	const struct forecast forecast = forecast_of(info, options);

	report_stub_text(&info->attachment);
	report_guest_text(&info->guest);
	report_forecast_text(&forecast);
}

static void print_json(
	const struct info *info, const struct options *options, const struct failure *failure)
{
	const struct forecast forecast = forecast_of(info, options);
	struct json json;

	json_init(&json, stdout);
	json_open(&json, NULL, '{');
	report_failure_json(&json, failure);
	json_string(&json, "target", options->target);
	if (info->attachment.rsp)
		report_stub_json(&json, &info->attachment);
	if (info->plan.core.arch) {
		report_guest_json(&json, &info->guest);
		/* There is a part of a plan where it could not be made. */
		if (failure->status == STATUS_DONE)
			report_forecast_json(&json, &forecast);
	}
	json_close(&json, '}');
	fputc('\n', stdout);
}

static enum status info_of_stub(const struct options *options)
{
	struct info info = { .rate = 0 };
	struct failure failure = { .status = STATUS_DONE };

	if (learn(&info, options, &failure)) {
		leave_after_failure(&info.attachment, options, &failure);
		tell(options, TELL_ERROR, "%s", failure.text);
	} else if (!options->json) {
		print_text(&info, options);
	}
	if (options->json)
		print_json(&info, options, &failure);
	plan_deinit(&info.plan);
	guest_deinit(&info.guest);
	attachment_deinit(&info.attachment);
	return failure.status;
}

enum status info_run(const struct options *options)
{
	struct stat st;

	if (stat(options->target, &st) == 0 && S_ISREG(st.st_mode))
		return info_of_core(options);
	return info_of_stub(options);
}
