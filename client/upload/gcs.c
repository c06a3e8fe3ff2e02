// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Google Cloud Storage, by resumable uploads:
 * https://cloud.google.com/storage/docs/performing-resumable-uploads
 * gs://bucket/name with a token of the environment, or a URL that was signed for
 * x-goog-resumable: start. The address of a session carries its own authority.
 */
#include <stdlib.h>
#include <string.h>

#include "client/upload/store.h"

struct gcs_state {
	char *address;     /* what a session is asked for */
	const char *token; /* NULL if there is none */
	bool xml;          /* by the older of the two interfaces, as signed URLs have it */
	bool whole;        /* the last answer said that it is */
};

static struct gcs_state *state_of(const struct upload *upload)
{
	return upload->state;
}

static const char *from_environment(const char *const *names)
{
	for (; *names; names++) {
		const char *value = getenv(*names);

		if (value && *value)
			return value;
	}
	return NULL;
}

/* An endpoint is given as "https://host" or, to an emulator, as "host:port". */
static char *make_address(const struct upload *upload)
{
	static const char *const names[] = { "RSPDUMP_GCS_ENDPOINT", "STORAGE_EMULATOR_HOST",
		NULL };
	const char *endpoint = from_environment(names);
	char *name = url_encode(upload->url.path + 1, false);
	char *address = NULL;

	if (!endpoint)
		endpoint = "https://storage.googleapis.com";
	if (name)
		address = text_make(
			"%s%.*s/upload/storage/v1/b/%s/o?uploadType=resumable%s&name=%s",
			strstr(endpoint, "://") ? "" : "http://",
			(int)(strlen(endpoint) - (endpoint[strlen(endpoint) - 1] == '/')), endpoint,
			upload->url.authority, upload->options->force ? "" : "&ifGenerationMatch=0",
			name);
	free(name);
	return address;
}

/* Nothing is to be replaced, where a URL that is not signed may say so. */
static const char *condition(const struct upload *upload)
{
	size_t size;

	if (state_of(upload)->xml || upload->is_signed || upload->options->force ||
		url_query_value(&upload->url, "ifGenerationMatch", &size))
		return NULL;
	return "ifGenerationMatch=0";
}

static int gcs_init(struct upload *upload, struct failure *failure)
{
	static const char *const names[] = { "GOOGLE_OAUTH_ACCESS_TOKEN",
		"CLOUDSDK_AUTH_ACCESS_TOKEN", NULL };
	struct gcs_state *state = state_of(upload);

	state->token = from_environment(names);
	if (strcmp(upload->url.scheme, "gs") == 0) {
		if (!upload->url.path[1])
			return fail(failure, STATUS_USAGE, "%s: a URL of GCS is gs://BUCKET/NAME",
				upload->shown);
		if (!state->token && !lines_value(&upload->headers, "Authorization"))
			return fail(failure, STATUS_USAGE,
				"%s: GCS needs GOOGLE_OAUTH_ACCESS_TOKEN in the environment",
				upload->shown);
		state->address = make_address(upload);
	} else if (strcmp(upload->url.scheme, "http") == 0 ||
		   strcmp(upload->url.scheme, "https") == 0) {
		state->xml = strncmp(upload->url.path, "/upload/storage/v1/", 19) != 0;
		state->address = url_with_query(&upload->url, NULL, condition(upload));
	} else {
		return fail(failure, STATUS_USAGE, "--upload-as gcs wants a URL of gs or https");
	}
	return state->address ? 0 : fail(failure, STATUS_FAILED, "no memory");
}

static void gcs_deinit(struct upload *upload)
{
	free(state_of(upload)->address);
}

static enum outcome gcs_begin(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	const struct gcs_state *state = state_of(upload);
	struct lines headers = { .count = 0 };
	struct text_body empty;
	char location[URL_SIZE_MAX + 1];
	enum outcome outcome;

	if (state->token && !upload->is_signed)
		lines_add(&headers, "Authorization: Bearer %s", state->token);
	if (state->xml)
		lines_add(&headers, "x-goog-resumable: start");
	if (strcmp(upload->url.scheme, "gs") == 0)
		for (size_t i = 0; i < upload->headers.count; i++)
			lines_add(&headers, "%s", upload->headers.items[i]);
	text_body_init(&empty, "");
	outcome = attempt_send(attempt, "POST", state->address, &headers, &empty.body);
	if (attempt_status(attempt) == 412)
		return attempt_exists(attempt);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!http_header(http_response(attempt->http), "Location", location, sizeof(location)) ||
		strncmp(location, "http", 4) != 0 || strpbrk(location, " \t"))
		return attempt_fail(
			attempt, STATUS_UPLOAD, "%s: no session in the answer", upload->shown);
	snprintf(upload->id, sizeof(upload->id), "%s", location);
	return OUTCOME_DONE;
}

/* "bytes=0-K": K + 1 of them; without it there are none. */
static int take_range(struct attempt *attempt, uint64_t *there)
{
	char range[64], *end;

	*there = 0;
	if (!http_header(http_response(attempt->http), "Range", range, sizeof(range)))
		return 0;
	if (strncmp(range, "bytes=0-", 8) != 0 || range[8] < '0' || range[8] > '9')
		return -1;
	*there = strtoull(range + 8, &end, 10) + 1;
	return *end || !*there ? -1 : 0;
}

/*
 * Sends what may be nothing, with its place; *there becomes how much the store then has. 308 says
 * that it wants more.
 */
static enum outcome put_range(
	struct attempt *attempt, const char *range, const struct body *body, uint64_t *there)
{
	struct upload *upload = attempt->upload;
	struct gcs_state *state = state_of(upload);
	struct lines headers = { .count = 0 };
	char size[32];
	enum outcome outcome;

	lines_add(&headers, "Content-Range: bytes %s", range);
	outcome = attempt_send(attempt, "PUT", upload->id, &headers, body);
	if (attempt_status(attempt) == 308) {
		if (take_range(attempt, there))
			return attempt_fail(attempt, STATUS_UPLOAD,
				"%s: the store answers with a Range that is none", upload->shown);
		return OUTCOME_DONE;
	}
	if (attempt_status(attempt) == 412)
		return attempt_exists(attempt);
	if (outcome != OUTCOME_DONE)
		return outcome;
	state->whole = true;
	*there = upload->total;
	if (http_header(http_response(attempt->http), "x-goog-stored-content-length", size,
		    sizeof(size)) &&
		strtoull(size, NULL, 10) != upload->total)
		return attempt_fail(attempt, STATUS_UPLOAD,
			"%s: the store has %s bytes of %llu that were sent", upload->shown, size,
			(unsigned long long)upload->total);
	return OUTCOME_DONE;
}

/* "*", or the number: what is known by now of how much there will be. */
static void total_text(struct upload *upload, char text[24])
{
	uint64_t total;

	if (parts_are_complete(upload->parts, &total))
		snprintf(text, 24, "%llu", (unsigned long long)total);
	else
		snprintf(text, 24, "*");
}

static enum outcome ask_offset(struct attempt *attempt, uint64_t *there)
{
	char range[32], total[24];
	struct text_body empty;

	total_text(attempt->upload, total);
	snprintf(range, sizeof(range), "*/%s", total);
	text_body_init(&empty, "");
	return put_range(attempt, range, &empty.body, there);
}

static enum outcome gcs_put(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	uint64_t start = part_offset(upload->parts, attempt->part);
	uint64_t end = start + part_size(upload->parts, attempt->part), there = start;
	enum outcome outcome = OUTCOME_DONE;

	if (attempt->number || upload->resumed_at > start)
		outcome = ask_offset(attempt, &there);
	/* It may take less than it was sent, and says so. */
	while (outcome == OUTCOME_DONE && there < end) {
		uint64_t before = there;
		char range[80], total[24];
		struct part_body body;

		if (there < start)
			return attempt_fail(attempt, STATUS_UPLOAD,
				"%s: the store has %llu bytes where it had %llu", upload->shown,
				(unsigned long long)there, (unsigned long long)start);
		total_text(upload, total);
		snprintf(range, sizeof(range), "%llu-%llu/%s", (unsigned long long)there,
			(unsigned long long)end - 1, total);
		part_body_init(&body, upload, attempt->part, there - start);
		outcome = put_range(attempt, range, &body.body, &there);
		if (outcome != OUTCOME_DONE)
			part_body_undo(&body);
		else if (there <= before && !state_of(upload)->whole)
			return attempt_fail(attempt, STATUS_UPLOAD,
				"%s: the store keeps nothing of what it is sent", upload->shown);
	}
	return outcome;
}

static enum outcome gcs_finish(struct attempt *attempt)
{
	uint64_t there = 0;
	enum outcome outcome;

	if (state_of(attempt->upload)->whole)
		return OUTCOME_DONE;
	outcome = ask_offset(attempt, &there);
	if (outcome == OUTCOME_DONE && !state_of(attempt->upload)->whole)
		return attempt_fail(attempt, STATUS_UPLOAD,
			"%s: the store still waits for more than %llu bytes",
			attempt->upload->shown, (unsigned long long)there);
	return outcome;
}

static enum outcome gcs_recover(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	uint64_t there = 0;
	enum outcome outcome = OUTCOME_FAILED;

	if (strncmp(upload->id, "http", 4) == 0)
		outcome = ask_offset(attempt, &there);
	if (outcome == OUTCOME_FAILED && (!upload->id[0] || attempt_status(attempt) >= 400 ||
						 strncmp(upload->id, "http", 4) != 0)) {
		upload->id[0] = '\0';
		return OUTCOME_DONE;
	}
	if (outcome != OUTCOME_DONE)
		return outcome;
	parts_have_up_to(upload, there);
	return OUTCOME_DONE;
}

static enum outcome gcs_give_up(struct attempt *attempt)
{
	struct lines headers = { .count = 0 };

	return attempt_send(attempt, "DELETE", attempt->upload->id, &headers, NULL);
}

const struct store gcs_store = {
	.name = "gcs",
	.title = "GCS resumable",
	.resumes = true,
	.state_size = sizeof(struct gcs_state),
	.init = gcs_init,
	.deinit = gcs_deinit,
	.begin = gcs_begin,
	.recover = gcs_recover,
	.put = gcs_put,
	.finish = gcs_finish,
	.give_up = gcs_give_up,
};
