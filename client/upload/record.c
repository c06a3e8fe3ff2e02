// SPDX-License-Identifier: GPL-2.0-or-later
/* How an upload begins, or goes on after it broke off, by the record of how far it came. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/tell.h"
#include "client/upload/store.h"

void record_forget(struct upload *upload)
{
	if (upload->record_path)
		unlink(upload->record_path);
	if (upload->record >= 0)
		close(upload->record);
	upload->record = -1;
}

static int name_record(struct upload *upload, const char *path)
{
	if (!upload->record_path)
		upload->record_path = text_make("%s.upload", path);
	return upload->record_path ? 0 : -1;
}

/* That it cannot be continued is no reason to fail. */
static void keep_record(struct upload *upload, uint64_t part_size, const struct stat *core)
{
	struct resume resume = {
		.size = (uint64_t)core->st_size,
		.mtime_seconds = (uint64_t)core->st_mtim.tv_sec,
		.mtime_nanoseconds = (uint64_t)core->st_mtim.tv_nsec,
		.part_size = part_size,
	};
	struct error error;

	if (strlen(upload->shown) >= sizeof(resume.url))
		return;
	snprintf(resume.store, sizeof(resume.store), "%s", upload->store->name);
	snprintf(resume.url, sizeof(resume.url), "%s", upload->shown);
	snprintf(resume.id, sizeof(resume.id), "%s", upload->id);
	pthread_mutex_lock(&upload->lock);
	upload->record = resume_write(&resume, upload->record_path, &error);
	if (upload->record < 0)
		tell(upload->options, TELL_WARNING, "cannot write %s: %s", upload->record_path,
			error.text);
	for (unsigned i = 0; upload->record >= 0 && i < parts_count(upload->parts); i++)
		if (part_is_done(upload->parts, i))
			resume_add(upload->record, i, part_tag(upload->parts, i));
	pthread_mutex_unlock(&upload->lock);
}

void record_part(struct upload *upload, unsigned part)
{
	pthread_mutex_lock(&upload->lock);
	parts_done(upload->parts, part);
	resume_add(upload->record, part, part_tag(upload->parts, part));
	pthread_mutex_unlock(&upload->lock);
}

/* Returns the size of its parts, with upload->id and tags as they were; 0 if there is nothing. */
static uint64_t read_record(struct upload *upload, struct resume *resume, const struct stat *core)
{
	struct error error;
	int rc = resume_read(resume, upload->record_path, &error);

	if (rc < 0)
		tell(upload->options, TELL_WARNING, "%s is not used: %s", upload->record_path,
			error.text);
	if (rc)
		return 0;
	if (!resume_fits(resume, upload->store->name, upload->shown, core)) {
		tell(upload->options, TELL_WARNING,
			"%s is of another upload, or the core has changed: beginning anew",
			upload->record_path);
		return 0;
	}
	snprintf(upload->id, sizeof(upload->id), "%s", resume->id);
	return resume->part_size;
}

void record_begin(struct upload *upload, const char *path, uint64_t part_size)
{
	struct stat core;

	if (upload->store->resumes && !name_record(upload, path) && fstat(upload->fd, &core) == 0)
		keep_record(upload, part_size, &core);
}

int upload_begin(struct upload *upload, struct failure *failure)
{
	upload->id[0] = '\0';
	if (upload->store->begin &&
		upload_try(upload, upload->http, upload->store->begin, 0, failure))
		return -1;
	upload->begun = true;
	return 0;
}

/* What need not be sent again. */
static void count_parts(struct upload *upload)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < parts_count(upload->parts); i++)
		if (part_is_done(upload->parts, i))
			bytes += part_size(upload->parts, i);
	__atomic_store_n(&upload->sent, bytes, __ATOMIC_RELAXED);
}

/* Goes on where a record says that it broke off. */
int upload_begin_or_continue(
	struct upload *upload, const struct upload_source *source, struct failure *failure)
{
	struct resume resume = { .size = 0 };
	struct stat core;
	uint64_t part_size = 0;
	int rc = -1;

	if (fstat(source->fd, &core))
		return fail(failure, STATUS_FAILED, "%s: %s", source->path, strerror(errno));
	if (name_record(upload, source->path))
		return fail(failure, STATUS_FAILED, "no memory");
	if (upload->store->hashes_first && upload->store->hashes_first(upload) &&
		upload_hash_file(upload, NULL, failure))
		return -1;
	if (upload->store->resumes)
		part_size = read_record(upload, &resume, &core);
	if (upload_make_parts(
		    upload, source, part_size ? part_size : part_size_for(source->most), failure))
		goto out;
	parts_complete(upload->parts, source->size);
	for (unsigned i = 0; part_size && i < parts_count(upload->parts); i++)
		snprintf(part_tag(upload->parts, i), PART_TAG_SIZE, "%s", resume.tags[i]);
	if (part_size && upload_try(upload, upload->http, upload->store->recover, 0, failure))
		goto out;
	upload->begun = part_size && upload->id[0];
	if (upload->begun) {
		char amount[AMOUNT_TEXT_SIZE];

		tell(upload->options, TELL_RESULT, "continuing: %s is at the store already",
			amount_text(amount, (double)upload->resumed_at));
		count_parts(upload);
	} else {
		if (part_size)
			tell(upload->options, TELL_WARNING,
				"the store no longer knows the upload that broke off: beginning anew");
		parts_forget(upload->parts);
		if (upload_begin(upload, failure))
			goto out;
	}
	if (upload->store->resumes)
		keep_record(upload, part_size ? part_size : part_size_for(source->most), &core);
	rc = 0;
out:
	resume_deinit(&resume);
	return rc;
}
