// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * WebDAV servers that take a part of a file, as Apache's mod_dav does: PUT with Content-Range.
 * Parts are written in place, so they go to NAME.partial, which is moved to NAME when it is whole,
 * and tells its length when an upload is to be continued. Only by --upload-as dav: others answer
 * 501, or make the part the whole file.
 */
#include <stdlib.h>
#include <string.h>

#include "client/upload/store.h"

struct dav_state {
	char *place;   /* where the object is to be */
	char *partial; /* where it is made */
};

static struct dav_state *state_of(const struct upload *upload)
{
	return upload->state;
}

static int dav_init(struct upload *upload, struct failure *failure)
{
	struct dav_state *state = state_of(upload);

	if (strcmp(upload->url.scheme, "http") != 0 && strcmp(upload->url.scheme, "https") != 0)
		return fail(failure, STATUS_USAGE, "--upload-as dav wants a URL of http or https");
	if (upload->url.query)
		return fail(failure, STATUS_USAGE, "--upload-as dav wants a URL without a query");
	state->place = url_text(&upload->url, NULL);
	state->partial = state->place ? text_make("%s.partial", state->place) : NULL;
	return state->partial ? 0 : fail(failure, STATUS_FAILED, "no memory");
}

static void dav_deinit(struct upload *upload)
{
	free(state_of(upload)->place);
	free(state_of(upload)->partial);
}

static enum outcome dav_look(struct attempt *attempt)
{
	return attempt_look(attempt, state_of(attempt->upload)->place, NULL);
}

/* How much is there; nothing if it is not. */
static enum outcome ask_length(struct attempt *attempt, const char *url, uint64_t *length)
{
	char text[32];
	enum outcome outcome = attempt_send(attempt, "HEAD", url, NULL, NULL);

	*length = 0;
	if (outcome == OUTCOME_FAILED && attempt_status(attempt) == 404)
		return OUTCOME_DONE;
	if (outcome == OUTCOME_DONE &&
		http_header(http_response(attempt->http), "Content-Length", text, sizeof(text)))
		*length = strtoull(text, NULL, 10);
	return outcome;
}

/* What another upload has left there would stay behind the end of a shorter one. */
static enum outcome dav_begin(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	enum outcome outcome = attempt_send(
		attempt, "DELETE", state_of(upload)->partial, NULL, NULL);

	if (outcome == OUTCOME_FAILED && attempt_status(attempt) == 404)
		outcome = OUTCOME_DONE;
	snprintf(upload->id, sizeof(upload->id), "%s.partial", upload->shown);
	return outcome;
}

static enum outcome dav_put(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	struct lines headers = { .count = 0 };
	uint64_t start = part_offset(upload->parts, attempt->part), there = start, total;
	uint64_t end = start + part_size(upload->parts, attempt->part);
	struct part_body body;
	enum outcome outcome = OUTCOME_DONE;

	if (attempt->number || upload->resumed_at > start)
		outcome = ask_length(attempt, state_of(upload)->partial, &there);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (there < start || there > end)
		return attempt_fail(attempt, STATUS_UPLOAD,
			"%s: the server has %llu bytes where it should have %llu to %llu",
			upload->shown, (unsigned long long)there, (unsigned long long)start,
			(unsigned long long)end);
	part_body_init(&body, upload, attempt->part, there - start);
	if (there == end)
		return OUTCOME_DONE;
	lines_add(&headers, "Content-Type: application/octet-stream");
	if (parts_are_complete(upload->parts, &total))
		lines_add(&headers, "Content-Range: bytes %llu-%llu/%llu",
			(unsigned long long)there, (unsigned long long)end - 1,
			(unsigned long long)total);
	else
		lines_add(&headers, "Content-Range: bytes %llu-%llu/*", (unsigned long long)there,
			(unsigned long long)end - 1);
	outcome = attempt_send(attempt, "PUT", state_of(upload)->partial, &headers, &body.body);
	if (outcome != OUTCOME_DONE)
		part_body_undo(&body);
	return outcome;
}

static enum outcome dav_finish(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	const struct dav_state *state = state_of(upload);
	struct lines headers = { .count = 0 };
	uint64_t there;
	enum outcome outcome = ask_length(attempt, state->partial, &there);

	if (outcome != OUTCOME_DONE)
		return outcome;
	/* The answer to an earlier try may have been lost. */
	if (!there && attempt->number) {
		outcome = ask_length(attempt, state->place, &there);
		if (outcome != OUTCOME_DONE || there == upload->total)
			return outcome;
	}
	if (there != upload->total)
		return attempt_fail(attempt, STATUS_UPLOAD,
			"%s: the server has %llu bytes of %llu that were sent", upload->shown,
			(unsigned long long)there, (unsigned long long)upload->total);
	lines_add(&headers, "Destination: %s", state->place);
	lines_add(&headers, "Overwrite: %s", upload->options->force ? "T" : "F");
	outcome = attempt_send(attempt, "MOVE", state->partial, &headers, NULL);
	return outcome == OUTCOME_FAILED && attempt_status(attempt) == 412 ? attempt_exists(attempt)
	                                                                   : outcome;
}

static enum outcome dav_recover(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	uint64_t there;
	enum outcome outcome = ask_length(attempt, state_of(upload)->partial, &there);

	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!there || there > upload->total)
		upload->id[0] = '\0';
	else
		parts_have_up_to(upload, there);
	return OUTCOME_DONE;
}

static enum outcome dav_give_up(struct attempt *attempt)
{
	return attempt_send(attempt, "DELETE", state_of(attempt->upload)->partial, NULL, NULL);
}

const struct store dav_store = {
	.name = "dav",
	.title = "WebDAV, in parts",
	.resumes = true,
	.state_size = sizeof(struct dav_state),
	.init = dav_init,
	.deinit = dav_deinit,
	.look = dav_look,
	.begin = dav_begin,
	.recover = dav_recover,
	.put = dav_put,
	.finish = dav_finish,
	.give_up = dav_give_up,
};
