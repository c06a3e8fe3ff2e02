// SPDX-License-Identifier: GPL-2.0-or-later
/* tus 1.0, the protocol of resumable uploads: https://tus.io/protocols/resumable-upload */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/upload/store.h"

struct tus_state {
	bool deferred; /* the length is yet to be told */
};

static struct tus_state *state_of(const struct upload *upload)
{
	return upload->state;
}

/* tus+https:// is https:// but for the choice of the store. */
static const char *plain_scheme(const struct upload *upload)
{
	const char *scheme = upload->url.scheme;

	return strncmp(scheme, "tus+", 4) == 0 ? scheme + 4 : scheme;
}

static int tus_init(struct upload *upload, struct failure *failure)
{
	if (strcmp(plain_scheme(upload), "http") != 0 && strcmp(plain_scheme(upload), "https") != 0)
		return fail(failure, STATUS_USAGE, "--upload-as tus wants a URL of https");
	return 0;
}

/* "vmcore" of ".../vmcore": what most servers show of it. */
static void add_metadata(const struct upload *upload, struct lines *headers)
{
	const char *path = upload->options->output && !is_url(upload->options->output)
	                           ? upload->options->output
	                           : "vmcore";
	const char *slash, *name;
	char text[BASE64_SIZE(255)];

	if (strcmp(upload->options->verb->name, "upload") == 0)
		path = upload->options->target;
	slash = strrchr(path, '/');
	name = slash ? slash + 1 : path;
	if (*name && strlen(name) <= 255)
		lines_add(headers, "Upload-Metadata: filename %s",
			base64_text(text, name, strlen(name)));
}

static enum outcome tus_begin(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	struct lines headers = { .count = 0 };
	struct text_body empty;
	char location[URL_SIZE_MAX + 1];
	char *url = url_text(&upload->url, plain_scheme(upload)), *place;
	enum outcome outcome;

	if (!url)
		return attempt_fail(attempt, STATUS_FAILED, "no memory");
	state_of(upload)->deferred = upload->total == BODY_UNKNOWN;
	lines_add(&headers, "Tus-Resumable: 1.0.0");
	if (state_of(upload)->deferred)
		lines_add(&headers, "Upload-Defer-Length: 1");
	else
		lines_add(&headers, "Upload-Length: %llu", (unsigned long long)upload->total);
	add_metadata(upload, &headers);
	text_body_init(&empty, "");
	outcome = attempt_send(attempt, "POST", url, &headers, &empty.body);
	if (outcome == OUTCOME_DONE) {
		http_header(http_response(attempt->http), "Location", location, sizeof(location));
		errno = 0;
		place = *location ? url_follow(url, location) : NULL;
		if (!place && errno == ENOMEM)
			outcome = attempt_fail(attempt, STATUS_UPLOAD, "no memory");
		else if (!place || strlen(place) >= sizeof(upload->id) || strpbrk(place, " \t"))
			outcome = attempt_fail(attempt, STATUS_UPLOAD,
				"%s: no Location in the answer", upload->shown);
		else
			snprintf(upload->id, sizeof(upload->id), "%s", place);
		free(place);
	}
	free(url);
	return outcome;
}

/* How much is there. 404 and 410: nothing is, not even the upload. */
static enum outcome ask_offset(struct attempt *attempt, uint64_t *offset)
{
	struct lines headers = { .count = 0 };
	char text[32], *end;
	enum outcome outcome;

	lines_add(&headers, "Tus-Resumable: 1.0.0");
	outcome = attempt_send(attempt, "HEAD", attempt->upload->id, &headers, NULL);
	if (outcome != OUTCOME_DONE)
		return outcome;
	http_header(http_response(attempt->http), "Upload-Offset", text, sizeof(text));
	*offset = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end)
		return attempt_fail(attempt, STATUS_UPLOAD, "%s: no Upload-Offset in the answer",
			attempt->upload->shown);
	return OUTCOME_DONE;
}

static enum outcome patch(struct attempt *attempt, uint64_t offset, const struct body *body)
{
	struct upload *upload = attempt->upload;
	struct tus_state *state = state_of(upload);
	struct lines headers = { .count = 0 };
	uint64_t total;
	bool complete = parts_are_complete(upload->parts, &total);
	enum outcome outcome;

	lines_add(&headers, "Tus-Resumable: 1.0.0");
	lines_add(&headers, "Content-Type: application/offset+octet-stream");
	lines_add(&headers, "Upload-Offset: %llu", (unsigned long long)offset);
	if (state->deferred && complete)
		lines_add(&headers, "Upload-Length: %llu", (unsigned long long)total);
	outcome = attempt_send(attempt, "PATCH", upload->id, &headers, body);
	if (outcome == OUTCOME_DONE && complete)
		state->deferred = false;
	/* Another offset than it has: it will be asked for that. */
	if (outcome == OUTCOME_FAILED && attempt_status(attempt) == 409)
		return OUTCOME_AGAIN;
	return outcome;
}

static enum outcome tus_put(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	uint64_t start = part_offset(upload->parts, attempt->part);
	uint64_t end = start + part_size(upload->parts, attempt->part), there = start;
	struct part_body body;
	enum outcome outcome = OUTCOME_DONE;

	if (attempt->number || upload->resumed_at > start)
		outcome = ask_offset(attempt, &there);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (there < start || there > end)
		return attempt_fail(attempt, STATUS_UPLOAD,
			"%s: the server has %llu bytes where it should have %llu to %llu",
			upload->shown, (unsigned long long)there, (unsigned long long)start,
			(unsigned long long)end);
	part_body_init(&body, upload, attempt->part, there - start);
	if (there < end)
		outcome = patch(attempt, there, &body.body);
	if (outcome != OUTCOME_DONE)
		part_body_undo(&body);
	return outcome;
}

static enum outcome tus_finish(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	uint64_t there = 0;
	struct text_body empty;
	enum outcome outcome = OUTCOME_DONE;

	if (state_of(upload)->deferred) {
		text_body_init(&empty, "");
		outcome = patch(attempt, upload->total, &empty.body);
	}
	if (outcome == OUTCOME_DONE)
		outcome = ask_offset(attempt, &there);
	/* Some servers take an upload away as soon as it is whole. */
	if (outcome == OUTCOME_FAILED && attempt_status(attempt) >= 400)
		return OUTCOME_DONE;
	if (outcome == OUTCOME_DONE && there != upload->total)
		return attempt_fail(attempt, STATUS_UPLOAD,
			"%s: the server has %llu bytes of %llu that were sent", upload->shown,
			(unsigned long long)there, (unsigned long long)upload->total);
	return outcome;
}

static enum outcome tus_recover(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	uint64_t there = 0;
	enum outcome outcome;

	/* A record is no way to send the secrets of one host to another. */
	if (strncmp(upload->id, "http", 4) != 0) {
		upload->id[0] = '\0';
		return OUTCOME_DONE;
	}
	outcome = ask_offset(attempt, &there);
	if (outcome == OUTCOME_FAILED &&
		(attempt_status(attempt) == 404 || attempt_status(attempt) == 410 ||
			attempt_status(attempt) == 403)) {
		upload->id[0] = '\0';
		return OUTCOME_DONE;
	}
	if (outcome != OUTCOME_DONE)
		return outcome;
	parts_have_up_to(upload, there);
	return OUTCOME_DONE;
}

/* Termination is an extension; a server without it answers that it does not know DELETE. */
static enum outcome tus_give_up(struct attempt *attempt)
{
	struct lines headers = { .count = 0 };

	lines_add(&headers, "Tus-Resumable: 1.0.0");
	return attempt_send(attempt, "DELETE", attempt->upload->id, &headers, NULL);
}

const struct store tus_store = {
	.name = "tus",
	.title = "tus 1.0",
	.resumes = true,
	.state_size = sizeof(struct tus_state),
	.init = tus_init,
	.begin = tus_begin,
	.recover = tus_recover,
	.put = tus_put,
	.finish = tus_finish,
	.give_up = tus_give_up,
};
