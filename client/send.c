// SPDX-License-Identifier: GPL-2.0-or-later
/* The upload of a finished core. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/report.h"
#include "client/tell.h"
#include "client/upload/upload.h"
#include "client/verbs.h"

static int open_core(const struct options *options, struct stat *core, struct failure *failure)
{
	int fd = open(options->target, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, core))
		return fail(failure, STATUS_FAILED, "%s", strerror(errno));
	if (S_ISREG(core->st_mode) && core->st_size > 0)
		return fd;
	close(fd);
	return fail(
		failure, STATUS_USAGE, S_ISREG(core->st_mode) ? "it is empty" : "it is no file");
}

static int send_core(const struct options *options, struct upload **upload, int *fd,
	struct progress *progress, struct failure *failure)
{
	struct stat core;
	struct upload_source source;

	*fd = open_core(options, &core, failure);
	if (*fd < 0)
		return -1;
	*upload = upload_open(options, options->upload, failure);
	if (!*upload)
		return -1;
	source = (struct upload_source){
		.fd = *fd,
		.appended = true,
		.size = (uint64_t)core.st_size,
		.most = (uint64_t)core.st_size,
		.path = options->target,
	};
	if (upload_start(*upload, &source, failure))
		return -1;
	return upload_finish(*upload, progress, failure);
}

static void write_json(
	const struct options *options, const struct upload *upload, const struct failure *failure)
{
	struct json json;

	json_init(&json, stdout);
	json_open(&json, NULL, '{');
	report_failure_json(&json, failure);
	json_string(&json, "target", options->target);
	if (upload)
		upload_json(&json, upload);
	json_close(&json, '}');
	fputc('\n', stdout);
}

/* How it can be gone on with, in words that can be pasted as long as no secret is in them. */
static void add_advice(
	const struct options *options, const struct upload *upload, struct failure *failure)
{
	size_t used = strlen(failure->text);

	if (upload && upload_can_continue(upload))
		snprintf(failure->text + used, sizeof(failure->text) - used,
			"; \"rspdump upload %s %s\" continues", options->target,
			strchr(options->upload, '?') ? "URL" : options->upload);
}

enum status upload_run(const struct options *options)
{
	struct failure failure = { .status = STATUS_DONE };
	struct upload *upload = NULL;
	struct progress progress;
	int fd = -1;

	progress_init(&progress, options);
	if (send_core(options, &upload, &fd, &progress, &failure)) {
		add_advice(options, upload, &failure);
		tell(options, TELL_ERROR, "%s", failure.text);
	} else {
		upload_tell(options, upload);
	}
	progress_end(&progress, failure.status == STATUS_DONE ? NULL : failure.text);
	if (options->json)
		write_json(options, upload, &failure);
	upload_destroy(upload);
	if (fd >= 0)
		close(fd);
	return failure.status;
}
