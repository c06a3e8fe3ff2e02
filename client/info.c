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
	if (attach_to(&info->attachment, options, failure) ||
		guest_learn(&info->guest, info->attachment.rsp, options, failure) ||
		plan_make(&info->plan, &info->guest, options, true, failure) ||
		measure_rate(&info->guest, &info->rate, failure))
		return -1;
	return detach_from(&info->attachment, options, failure);
}

static double seconds_expected(const struct info *info)
{
	return info->rate > 0 ? (double)ranges_total(&info->guest.memory) / info->rate : 0;
}

static void print_text(const struct info *info, const struct options *options)
{
	char size[AMOUNT_TEXT_SIZE], rate[AMOUNT_TEXT_SIZE];

	report_stub_text(&info->attachment);
	report_guest_text(&info->guest);
	printf("a core      %s, %s at most, in about %.0f s at %s/s\n", options->format->title,
		amount_text(size, (double)core_expected_size(options->format, &info->plan.core)),
		seconds_expected(info) + 0.5, amount_text(rate, info->rate));
}

static void print_json(
	const struct info *info, const struct options *options, const struct failure *failure)
{
	struct json json;

	json_init(&json, stdout);
	json_open(&json, NULL, '{');
	report_failure_json(&json, failure);
	json_string(&json, "target", options->target);
	if (info->attachment.rsp)
		report_stub_json(&json, &info->attachment);
	if (info->plan.core.arch) {
		report_guest_json(&json, &info->guest);
		json_number(&json, "memory_bytes", ranges_total(&info->guest.memory));
		json_number(&json, "file_bytes_expected",
			core_expected_size(options->format, &info->plan.core));
		json_real(&json, "bytes_per_second", info->rate);
		json_real(&json, "seconds_expected", seconds_expected(info));
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
