// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A plain PUT: WebDAV servers, artifact stores, presigned URLs. Artifact stores are known by their
 * paths and only treated to what they know: a checksum beforehand, a token, a record afterwards.
 */
#include <stdlib.h>
#include <string.h>

#include "client/upload/store.h"

struct put_state {
	bool gitlab, artifactory;
	const char *job_token; /* NULL if it is not for this host */
	char *address;         /* where to PUT */
};

static struct put_state *state_of(const struct upload *upload)
{
	return upload->state;
}

/* The token of a CI job goes to the CI's own host and to no other. */
static const char *find_job_token(const struct upload *upload, const char *own)
{
	const char *token = getenv("CI_JOB_TOKEN");
	const char *api = getenv("CI_API_V4_URL");
	bool known = token && *token && api && url_same_host(api, own);

	for (size_t i = 0; i < upload->headers.count; i++)
		known = known && strncasecmp(upload->headers.items[i], "PRIVATE-TOKEN:", 14) != 0 &&
		        strncasecmp(upload->headers.items[i], "DEPLOY-TOKEN:", 13) != 0 &&
		        strncasecmp(upload->headers.items[i], "Authorization:", 14) != 0;
	return known ? token : NULL;
}

static int put_init(struct upload *upload, struct failure *failure)
{
	struct put_state *state = state_of(upload);
	const char *path = upload->url.path;
	char *own;

	if (strcmp(upload->url.scheme, "http") != 0 && strcmp(upload->url.scheme, "https") != 0)
		return fail(failure, STATUS_USAGE, "--upload-as put wants a URL of http or https");
	state->gitlab = strstr(path, "/api/v4/projects/") && strstr(path, "/packages/generic/");
	state->artifactory = strstr(path, "/artifactory/") ||
	                     lines_value(&upload->headers, "X-JFrog-Art-Api");
	own = url_text(&upload->url, NULL);
	if (!own)
		return fail(failure, STATUS_FAILED, "no memory");
	state->job_token = state->gitlab ? find_job_token(upload, own) : NULL;
	free(own);
	/* GitLab then answers with its record of the file, which has a checksum. */
	state->address = url_with_query(&upload->url, NULL,
		state->gitlab && !upload->url.query ? "select=package_file" : NULL);
	return state->address ? 0 : fail(failure, STATUS_FAILED, "no memory");
}

static void put_deinit(struct upload *upload)
{
	free(state_of(upload)->address);
}

static bool put_hashes_first(const struct upload *upload)
{
	return state_of(upload)->artifactory;
}

static void add_token(const struct upload *upload, struct lines *headers)
{
	if (state_of(upload)->job_token)
		lines_add(headers, "JOB-TOKEN: %s", state_of(upload)->job_token);
}

/* A signature for PUT is none for HEAD. */
static enum outcome put_look(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	struct lines headers = { .count = 0 };
	char *url;
	enum outcome outcome;

	if (upload->is_signed)
		return OUTCOME_DONE;
	url = url_text(&upload->url, NULL);
	if (!url)
		return attempt_fail(attempt, STATUS_FAILED, "no memory");
	add_token(upload, &headers);
	outcome = attempt_look(attempt, url, &headers);
	free(url);
	return outcome;
}

/* The string value of a name in JSON, of which no more is understood. */
static void json_find(const char *body, const char *name, char *text, size_t room)
{
	const char *at = strstr(body, name);

	text[0] = '\0';
	if (!at)
		return;
	at += strlen(name);
	at += strspn(at, " \t\r\n");
	if (*at++ != ':')
		return;
	at += strspn(at, " \t\r\n");
	if (*at++ == '"' && strcspn(at, "\"\\") < room)
		snprintf(text, room, "%.*s", (int)strcspn(at, "\"\\"), at);
}

/* What the store says that it got. Anything else than a checksum is nothing. */
static void take_checksum(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	const struct put_state *state = state_of(upload);
	const struct response *response = http_response(attempt->http);
	uint8_t digest[SHA256_SIZE];
	char text[DIGEST_HEX_SIZE] = "";

	if (state->gitlab)
		json_find(response->body, "\"file_sha256\"", text, sizeof(text));
	else if (!http_header(response, "X-Checksum-Sha256", text, sizeof(text)) &&
		 strstr(response->body, "\"checksums\""))
		json_find(
			strstr(response->body, "\"checksums\""), "\"sha256\"", text, sizeof(text));
	if (hex_bytes(text, digest, sizeof(digest)) == 0)
		hex_text(upload->answered, digest, sizeof(digest));
}

static enum outcome put_put(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	const struct put_state *state = state_of(upload);
	struct lines headers = { .count = 0 };
	struct part_body body;
	enum outcome outcome;

	/* Object stores refuse what comes in chunks, after the whole way of it. */
	if (upload->is_signed && upload->total == BODY_UNKNOWN)
		return attempt_fail(attempt, STATUS_UPLOAD,
			"a presigned URL wants to know the length beforehand: -F elf, or a local "
			"file by -o");
	add_token(upload, &headers);
	/* Which headers there may be is part of some signatures. */
	if (!upload->is_signed) {
		lines_add(&headers, "Content-Type: application/octet-stream");
		add_condition(upload, &headers);
	}
	if (upload->is_signed || strstr(upload->url.authority, ".blob.core.windows.net")) {
		size_t size;

		if (url_query_value(&upload->url, "sig", &size))
			lines_add(&headers, "x-ms-blob-type: BlockBlob");
	}
	if (state->artifactory && upload->sha256[0])
		lines_add(&headers, "X-Checksum-Sha256: %s", upload->sha256);
	stream_body_init(&body, upload);
	outcome = attempt_send(attempt, "PUT", state->address, &headers, &body.body);
	if (outcome == OUTCOME_DONE) {
		take_checksum(attempt);
		return outcome;
	}
	part_body_undo(&body);
	if (attempt_status(attempt) == 412)
		return attempt_exists(attempt);
	if (attempt_status(attempt) == 501 && !upload->unconditional && !upload->options->force) {
		upload->unconditional = true;
		return OUTCOME_AGAIN;
	}
	return outcome;
}

/* A server that cut it short, and does not know it, knows how much it has. */
static enum outcome put_finish(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	struct lines headers = { .count = 0 };
	char length[32];
	char *url;
	enum outcome outcome;

	if (upload->is_signed || upload->answered[0])
		return OUTCOME_DONE;
	url = url_text(&upload->url, NULL);
	if (!url)
		return attempt_fail(attempt, STATUS_FAILED, "no memory");
	add_token(upload, &headers);
	outcome = attempt_send(attempt, "HEAD", url, &headers, NULL);
	free(url);
	if (outcome == OUTCOME_DONE &&
		http_header(
			http_response(attempt->http), "Content-Length", length, sizeof(length)) &&
		strtoull(length, NULL, 10) != upload->total)
		return attempt_fail(attempt, STATUS_UPLOAD,
			"the store has %s bytes of %llu that were sent", length,
			(unsigned long long)upload->total);
	return OUTCOME_DONE;
}

const struct store put_store = {
	.name = "put",
	.title = "plain PUT",
	.whole = true,
	.state_size = sizeof(struct put_state),
	.init = put_init,
	.deinit = put_deinit,
	.hashes_first = put_hashes_first,
	.look = put_look,
	.put = put_put,
	.finish = put_finish,
};
