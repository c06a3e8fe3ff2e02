// SPDX-License-Identifier: GPL-2.0-or-later
/* Lets a guest run again that stands still behind a client that died. */
#include "client/attach.h"
#include "client/report.h"
#include "client/tell.h"
#include "client/verbs.h"

static int release(
	struct attachment *attachment, const struct options *options, struct failure *failure)
{
	attachment_init(attachment, options);
	if (attach_to(attachment, options, failure))
		return -1;
	if (rsp_use_virtual_memory(attachment->rsp))
		return fail_rsp(failure, attachment->rsp, "setting the memory mode back");
	return detach_from(attachment, options, failure);
}

enum status release_run(const struct options *options)
{
	struct options resume = *options;
	struct attachment attachment = { .rsp = NULL };
	struct failure failure = { .status = STATUS_DONE };
	struct json json;

	resume.after = AFTER_RESUME;
	if (release(&attachment, &resume, &failure)) {
		leave_after_failure(&attachment, &resume, &failure);
		tell(options, TELL_ERROR, "%s", failure.text);
	} else {
		tell(options, TELL_RESULT, "the guest runs");
	}
	if (options->json) {
		json_init(&json, stdout);
		json_open(&json, NULL, '{');
		report_failure_json(&json, &failure);
		json_string(&json, "target", options->target);
		if (attachment.rsp)
			report_stub_json(&json, &attachment);
		json_close(&json, '}');
		fputc('\n', stdout);
	}
	attachment_deinit(&attachment);
	return failure.status;
}
