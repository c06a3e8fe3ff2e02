// SPDX-License-Identifier: GPL-2.0-or-later
/* The life of an upload; what is asked of the store is in its own file. */
#include "client/upload/upload.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/interrupt.h"
#include "client/tell.h"
#include "client/trace.h"
#include "client/upload/address.h"
#include "client/upload/store.h"
#include "layout/flat.h"

bool upload_is_built(void)
{
	return http_is_built() && HAVE_NETTLE;
}

bool upload_is_cancelled(void *ctx)
{
	const struct upload *upload = ctx;

	return __atomic_load_n(&upload->cancelled, __ATOMIC_RELAXED) ||
	       (interrupt_signal() && !upload->closing);
}

/* The first failure is the one that counts. */
void upload_note_failure(struct upload *upload, const struct failure *failure)
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
	if (rc && fail_no_memory(failure, &error))
		return -1;
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
		if (headers_read(options->headers[i], &upload->headers, &error)) {
			if (!fail_no_memory(failure, &error))
				fail(failure, STATUS_USAGE, "--header: %s", error.text);
			return -1;
		}
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
	char *path;

	if (!options->trace)
		return 0;
	path = text_make("%s%s", options->trace, options->verb->wants_url ? "" : ".http");
	if (!path)
		return fail(failure, STATUS_FAILED, "no memory");
	upload->trace = trace_open(path, failure);
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
		.cancelled = upload_is_cancelled,
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

/* ---- the end --------------------------------------------------------------------------------- */

void upload_destroy(struct upload *upload)
{
	if (!upload)
		return;
	upload_stop(upload);
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
