// SPDX-License-Identifier: GPL-2.0-or-later
/* The life of an upload; what is asked of the store is in its own file. */
#include "client/upload/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/interrupt.h"
#include "client/tell.h"
#include "client/upload/address.h"
#include "client/upload/store.h"
#include "layout/flat.h"

enum {
	HASH_AT_ONCE = 1 << 20,
	LOOK_EVERY_US = 50000,
	/* What a growing file's writer may hold back; twice that. */
	BEHIND = 2 << 20,
};

bool upload_is_built(void)
{
	return http_is_built() && HAVE_NETTLE;
}

static bool is_cancelled(void *ctx)
{
	const struct upload *upload = ctx;

	return __atomic_load_n(&upload->cancelled, __ATOMIC_RELAXED) ||
	       (interrupt_signal() && !upload->closing);
}

/* The first failure is the one that counts. */
static void note_failure(struct upload *upload, const struct failure *failure)
{
	pthread_mutex_lock(&upload->lock);
	if (!upload->failed)
		upload->failure = *failure;
	upload->failed = true;
	pthread_mutex_unlock(&upload->lock);
	if (upload->parts)
		parts_fail(upload->parts);
}

bool upload_failed(struct upload *upload, struct failure *failure)
{
	bool failed;

	pthread_mutex_lock(&upload->lock);
	failed = upload->failed;
	if (failed)
		*failure = upload->failure;
	pthread_mutex_unlock(&upload->lock);
	return failed;
}

uint64_t upload_sent(void *upload)
{
	return __atomic_load_n(&((struct upload *)upload)->sent, __ATOMIC_RELAXED);
}

/* ---- opening --------------------------------------------------------------------------------- */

static int choose_store(struct upload *upload, struct failure *failure)
{
	const char *name = upload->options->upload_as;

	upload->store = name ? store_find(name) : store_for(&upload->url);
	if (upload->store)
		return 0;
	if (name)
		return fail(failure, STATUS_USAGE, "--upload-as does not know %s", name);
	return fail(failure, STATUS_USAGE,
		"%s: rspdump cannot upload to %s:// (http, https, s3, gs, tus+http, tus+https)",
		upload->shown, upload->url.scheme);
}

static int read_address(struct upload *upload, const char *url, struct failure *failure)
{
	struct error error;
	char *text = address_read(url, &error);
	int rc = text ? url_parse(&upload->url, text, &error) : -1;

	free(text);
	if (rc)
		return fail(failure, STATUS_USAGE, "--upload: %s", error.text);
	upload->shown = url_shown(&upload->url);
	upload->is_signed = url_is_signed(&upload->url);
	return upload->shown ? 0 : fail(failure, STATUS_FAILED, "no memory");
}

static int read_headers(struct upload *upload, struct failure *failure)
{
	const struct options *options = upload->options;
	struct error error;

	for (unsigned i = 0; i < options->header_count; i++)
		if (headers_read(options->headers[i], &upload->headers, &error))
			return fail(failure, STATUS_USAGE, "--header: %s", error.text);
	return 0;
}

static int look(struct upload *upload, struct failure *failure)
{
	if (!upload->store->look)
		return 0;
	if (upload_try(upload, upload->http, upload->store->look, 0, failure))
		return -1;
	if (upload->exists && !upload->options->force)
		return fail(
			failure, STATUS_EXISTS, "%s exists (--force replaces it)", upload->shown);
	return 0;
}

/* Of a dump's trace the packets are in another file. */
static int open_trace(struct upload *upload, struct failure *failure)
{
	const struct options *options = upload->options;
	char *path = NULL;
	int fd;

	if (!options->trace)
		return 0;
	if (asprintf(&path, "%s%s", options->trace, options->verb->wants_url ? "" : ".http") < 0)
		return fail(failure, STATUS_FAILED, "no memory");
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	upload->trace = fd < 0 ? NULL : fdopen(fd, "w");
	if (!upload->trace) {
		fail(failure, STATUS_OUTPUT, "cannot write the trace %s: %s", path,
			strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	free(path);
	return upload->trace ? 0 : -1;
}

struct upload *upload_open(const struct options *options, const char *url, struct failure *failure)
{
	struct upload *upload = calloc(1, sizeof(*upload));

	if (!upload || http_init()) {
		free(upload);
		fail(failure, STATUS_FAILED, "no memory");
		return NULL;
	}
	pthread_mutex_init(&upload->lock, NULL);
	upload->options = options;
	upload->record = upload->fd = -1;
	if (open_trace(upload, failure))
		goto fail;
	upload->total = BODY_UNKNOWN;
	upload->http_options = (struct http_options){
		.connect_timeout = options->connect_timeout,
		.timeout = options->timeout,
		.trace = upload->trace,
		.cancelled = is_cancelled,
		.ctx = upload,
	};
	if (read_address(upload, url, failure) || read_headers(upload, failure) ||
		choose_store(upload, failure))
		goto fail;
	upload->state = calloc(1, upload->store->state_size);
	upload->http = http_create(&upload->http_options);
	if (!upload->state || !upload->http) {
		fail(failure, STATUS_FAILED, "no memory");
		goto fail;
	}
	if (upload->store->init(upload, failure) || look(upload, failure))
		goto fail;
	return upload;
fail:
	upload_destroy(upload);
	return NULL;
}

/* ---- the record of how far it came ----------------------------------------------------------- */

static void forget(struct upload *upload)
{
	if (upload->record_path)
		unlink(upload->record_path);
	if (upload->record >= 0)
		close(upload->record);
	upload->record = -1;
}

static int name_record(struct upload *upload, const char *path)
{
	if (upload->record_path)
		return 0;
	return asprintf(&upload->record_path, "%s.upload", path) < 0 ? -1 : 0;
}

/* From here on an upload that breaks off can be continued. That it cannot is no reason to fail. */
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

static void record_part(struct upload *upload, unsigned part)
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

/* ---- sending --------------------------------------------------------------------------------- */

static void send_parts(struct upload *upload, struct http *http)
{
	struct failure failure;
	long part;

	while ((part = parts_claim(upload->parts)) >= 0) {
		if (upload_try(upload, http, upload->store->put, (unsigned)part, &failure)) {
			note_failure(upload, &failure);
			return;
		}
		record_part(upload, (unsigned)part);
	}
}

static void send_all(struct upload *upload, struct http *http)
{
	struct failure failure;

	if (upload_try(upload, http, upload->store->put, 0, &failure))
		note_failure(upload, &failure);
}

static void *run_sender(void *ctx)
{
	struct upload *upload = ctx;
	struct http *http = http_create(&upload->http_options);
	struct failure failure;

	if (!http) {
		fail(&failure, STATUS_FAILED, "no memory");
		note_failure(upload, &failure);
	} else if (upload->store->whole) {
		send_all(upload, http);
	} else {
		send_parts(upload, http);
	}
	http_destroy(http);
	__atomic_add_fetch(&upload->ended, 1, __ATOMIC_RELEASE);
	return NULL;
}

static int start_threads(struct upload *upload, struct failure *failure)
{
	unsigned count = upload->store->any_order ? PARTS_IN_FLIGHT : 1;

	while (upload->thread_count < count) {
		if (pthread_create(
			    &upload->threads[upload->thread_count], NULL, run_sender, upload))
			return fail(failure, STATUS_FAILED, "cannot start a thread");
		upload->thread_count++;
	}
	return 0;
}

static void join_threads(struct upload *upload)
{
	while (upload->thread_count)
		pthread_join(upload->threads[--upload->thread_count], NULL);
}

static int make_parts(struct upload *upload, const struct upload_source *source, uint64_t part_size,
	struct failure *failure)
{
	const struct parts_options options = {
		.part_size = part_size,
		.any_order = upload->store->any_order,
		.rewrites = source->rewrites && upload->store->any_order,
		.fd = source->fd,
		.behind = source->fd >= 0 ? BEHIND : 0,
		.cancelled = is_cancelled,
		.ctx = upload,
	};

	upload->parts = parts_create(&options);
	return upload->parts ? 0 : fail(failure, STATUS_FAILED, "no memory");
}

static int begin(struct upload *upload, struct failure *failure)
{
	upload->id[0] = '\0';
	if (upload->store->begin &&
		upload_try(upload, upload->http, upload->store->begin, 0, failure))
		return -1;
	upload->begun = true;
	return 0;
}

/* Of a file, while the threads send: what was written a moment ago is in memory still. */
static int hash_file(struct upload *upload, struct progress *progress, struct failure *failure)
{
	uint8_t *bytes = malloc(HASH_AT_ONCE);
	uint8_t digest[SHA256_SIZE];
	struct sha256 sha256;
	uint64_t at = 0;

	if (!bytes)
		return fail(failure, STATUS_FAILED, "no memory");
	sha256_begin(&sha256);
	while (at < upload->total && !is_cancelled(upload) &&
		!(upload->parts && parts_failed(upload->parts))) {
		ssize_t n = pread(upload->fd, bytes, HASH_AT_ONCE, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		sha256_add(&sha256, bytes, (size_t)n);
		at += (uint64_t)n;
		if (progress)
			progress_update(progress, upload_sent(upload));
	}
	sha256_end(&sha256, digest);
	free(bytes);
	if (at == upload->total)
		hex_text(upload->sha256, digest, sizeof(digest));
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
static int begin_or_continue(
	struct upload *upload, const struct upload_source *source, struct failure *failure)
{
	struct resume resume = { .size = 0 };
	struct stat core;
	uint64_t part_size = 0;
	int rc = -1;

	if (fstat(source->fd, &core) || name_record(upload, source->path))
		return fail(failure, STATUS_FAILED, "%s: %s", source->path, strerror(errno));
	if (upload->store->hashes_first && upload->store->hashes_first(upload) &&
		hash_file(upload, NULL, failure))
		return -1;
	if (upload->store->resumes)
		part_size = read_record(upload, &resume, &core);
	if (make_parts(
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
		if (begin(upload, failure))
			goto out;
	}
	if (upload->store->resumes)
		keep_record(upload, part_size ? part_size : part_size_for(source->most), &core);
	rc = 0;
out:
	resume_deinit(&resume);
	return rc;
}

/* ---- what of a growing core can be sent at once ---------------------------------------------- */

static bool can_send_at_once(const struct upload *upload, const struct upload_source *source)
{
	if (!source->growing || source->fd < 0 || upload->store->any_order)
		return true;
	return source->appended && source->size;
}

int upload_start(struct upload *upload, const struct upload_source *source, struct failure *failure)
{
	upload->fd = source->fd;
	upload->most = source->most;
	if (source->size)
		upload->total = source->size;
	if (!can_send_at_once(upload, source)) {
		upload->deferred = true;
		return 0;
	}
	if (source->path) {
		if (begin_or_continue(upload, source, failure))
			return -1;
		upload->complete = true;
	} else if (make_parts(upload, source, part_size_for(source->most), failure) ||
		   begin(upload, failure)) {
		return -1;
	}
	upload->started = true;
	return start_threads(upload, failure);
}

void upload_grown(struct upload *upload, uint64_t size, bool zeros)
{
	if (upload->started)
		parts_append(upload->parts, zeros ? NULL : "", size);
}

void upload_replaced(struct upload *upload, uint64_t offset, uint64_t size)
{
	struct failure failure;

	if (!upload->started || !parts_replace(upload->parts, offset, NULL, size))
		return;
	fail(&failure, STATUS_UPLOAD, "%s: a part that was sent already had to change",
		upload->shown);
	note_failure(upload, &failure);
}

static int complete_file(struct upload *upload, const char *path, struct failure *failure)
{
	struct upload_source source = { .fd = upload->fd, .path = path };
	struct stat core;

	if (fstat(upload->fd, &core))
		return fail(failure, STATUS_UPLOAD, "%s: %s", path, strerror(errno));
	source.size = source.most = (uint64_t)core.st_size;
	if (upload->deferred) {
		upload->deferred = false;
		return upload_start(upload, &source, failure);
	}
	if (upload->store->whole && upload->total != source.size)
		return fail(failure, STATUS_UPLOAD, "%s has another size than was announced", path);
	upload->total = source.size;
	parts_complete(upload->parts, source.size);
	if (upload->store->resumes && !name_record(upload, path))
		keep_record(upload, part_size_for(upload->most), &core);
	return 0;
}

int upload_complete(struct upload *upload, const char *path, struct failure *failure)
{
	uint8_t digest[SHA256_SIZE];

	if (path && complete_file(upload, path, failure)) {
		note_failure(upload, failure);
		return -1;
	}
	if (!path) {
		if (upload->flat && flat_finish(upload->flat))
			return fail(failure, STATUS_UPLOAD, "%s", upload->failure.text);
		if (upload->store->whole && upload->total != BODY_UNKNOWN &&
			upload->total != upload->size)
			return fail(failure, STATUS_UPLOAD,
				"%s: the core has another size than was announced", upload->shown);
		if (parts_sha256(upload->parts, digest))
			hex_text(upload->sha256, digest, sizeof(digest));
		upload->total = upload->size;
		parts_complete(upload->parts, upload->size);
	}
	upload->complete = true;
	return 0;
}

/* ---- the sink -------------------------------------------------------------------------------- */

static struct upload *from_sink(struct sink *sink)
{
	return (struct upload *)((char *)sink - offsetof(struct upload, sink));
}

static int sink_failed(struct upload *upload)
{
	struct failure failure;

	if (!upload_failed(upload, &failure)) {
		fail(&failure, STATUS_UPLOAD,
			interrupt_signal()
				? "interrupted"
				: "the core does not fit the parts that it was cut into");
		note_failure(upload, &failure);
	}
	return -1;
}

static int sink_write(struct sink *sink, const void *bytes, size_t size)
{
	struct upload *upload = from_sink(sink);

	upload->size += size;
	return parts_append(upload->parts, bytes, size) ? sink_failed(upload) : 0;
}

static int sink_zero(struct sink *sink, uint64_t size)
{
	struct upload *upload = from_sink(sink);

	upload->size += size;
	return parts_append(upload->parts, NULL, size) ? sink_failed(upload) : 0;
}

static int sink_write_at(struct sink *sink, uint64_t offset, const void *bytes, size_t size)
{
	struct upload *upload = from_sink(sink);

	return parts_replace(upload->parts, offset, bytes, size) ? sink_failed(upload) : 0;
}

static const char *sink_error(struct sink *sink)
{
	return from_sink(sink)->failure.text;
}

bool upload_takes_rewrites(const struct upload *upload, const struct options *options)
{
	return upload->store->any_order || options->flat || options->format->wants_write_at;
}

struct sink *upload_sink(struct upload *upload)
{
	const struct options *options = upload->options;
	bool flat = options->flat || (options->format->wants_write_at && !upload->store->any_order);

	if (!upload->sink.write)
		upload->sink = (struct sink){
			.write = sink_write,
			.zero = sink_zero,
			.write_at = upload->store->any_order && !flat ? sink_write_at : NULL,
			.error = sink_error,
		};
	if (flat && !upload->flat)
		upload->flat = flat_create(&upload->sink);
	if (flat)
		return upload->flat ? flat_sink(upload->flat) : NULL;
	return &upload->sink;
}

bool upload_is_flattened(const struct upload *upload)
{
	return upload->flat != NULL;
}

/* ---- the end --------------------------------------------------------------------------------- */

static int compare(struct upload *upload, struct failure *failure)
{
	if (!upload->answered[0] || !upload->sha256[0])
		return 0;
	if (strcmp(upload->answered, upload->sha256) != 0)
		return fail(failure, STATUS_UPLOAD,
			"%s: the store has something else: its SHA-256 is %s and not %s",
			upload->shown, upload->answered, upload->sha256);
	upload->verified = true;
	return 0;
}

/* The store keeps parts, and asks money for them, until somebody says that they are not wanted. */
static void give_up(struct upload *upload)
{
	struct failure ignored;

	upload->closing = true;
	__atomic_store_n(&upload->cancelled, false, __ATOMIC_RELAXED);
	if (upload->hopeless)
		forget(upload);
	if (upload->begun && !upload->done && upload->record < 0 && upload->store->give_up)
		upload_try(upload, upload->http, upload->store->give_up, 0, &ignored);
}

int upload_finish(struct upload *upload, struct progress *progress, struct failure *failure)
{
	unsigned threads = upload->thread_count;

	progress_start(progress, upload->total);
	if (upload->fd >= 0 && !upload->sha256[0] && hash_file(upload, progress, failure))
		return -1;
	while (__atomic_load_n(&upload->ended, __ATOMIC_ACQUIRE) < threads) {
		progress_update(progress, upload_sent(upload));
		usleep(LOOK_EVERY_US);
	}
	join_threads(upload);
	progress_update(progress, upload_sent(upload));
	progress_clear(progress);
	if (is_cancelled(upload) && !upload->failed) {
		fail(failure, STATUS_SIGNAL + interrupt_signal(), "interrupted");
		note_failure(upload, failure);
	}
	if (upload_failed(upload, failure))
		return -1;
	if ((upload->store->finish &&
		    upload_try(upload, upload->http, upload->store->finish, 0, failure)) ||
		compare(upload, failure)) {
		note_failure(upload, failure);
		return -1;
	}
	upload->done = true;
	forget(upload);
	return 0;
}

void upload_destroy(struct upload *upload)
{
	if (!upload)
		return;
	__atomic_store_n(&upload->cancelled, true, __ATOMIC_RELAXED);
	if (upload->parts)
		parts_fail(upload->parts);
	join_threads(upload);
	if (upload->state)
		give_up(upload);
	if (upload->record >= 0)
		close(upload->record);
	if (upload->state && upload->store->deinit)
		upload->store->deinit(upload);
	flat_destroy(upload->flat);
	parts_destroy(upload->parts);
	http_destroy(upload->http);
	lines_deinit(&upload->headers);
	url_deinit(&upload->url);
	pthread_mutex_destroy(&upload->lock);
	if (upload->trace)
		fclose(upload->trace);
	free(upload->record_path);
	free(upload->shown);
	free(upload->state);
	free(upload);
}

bool upload_can_continue(const struct upload *upload)
{
	return upload->record >= 0 && !upload->done && !upload->hopeless;
}

/* ---- telling --------------------------------------------------------------------------------- */

const char *upload_name(const struct upload *upload)
{
	return upload->shown;
}

uint64_t upload_size(const struct upload *upload)
{
	return upload->size;
}

void upload_json(struct json *json, const struct upload *upload)
{
	json_open(json, "upload", '{');
	json_string(json, "url", upload->shown);
	json_string(json, "store", upload->store->name);
	json_bool(json, "completed", upload->done);
	json_number(json, "bytes",
		upload->done ? upload->total : __atomic_load_n(&upload->sent, __ATOMIC_RELAXED));
	json_number(json, "parts",
		!upload->done          ? 0
		: upload->store->whole ? 1
				       : parts_count(upload->parts));
	json_number(json, "continued_from", upload->resumed_at);
	json_number(json, "retries", __atomic_load_n(&upload->retries, __ATOMIC_RELAXED));
	json_string(json, "sha256", upload->sha256);
	json_bool(json, "verified", upload->verified);
	json_close(json, '}');
}

void upload_tell(const struct options *options, const struct upload *upload)
{
	char amount[AMOUNT_TEXT_SIZE];

	tell(options, TELL_RESULT, "%s: %s uploaded%s%s%s", upload->shown,
		amount_text(amount, (double)upload->total), upload->sha256[0] ? ", SHA-256 " : "",
		upload->sha256, upload->verified ? ", as the store has it" : "");
}
