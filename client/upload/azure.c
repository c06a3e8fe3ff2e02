// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Azure's block blobs, by a SAS, which is the query of the URL or AZURE_STORAGE_SAS_TOKEN.
 * Described at https://learn.microsoft.com/rest/api/storageservices/put-block and its neighbours.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "client/upload/store.h"
#include "client/upload/xml.h"

enum {
	/* All block ids of a blob have to be of one length; a multiple of 3, so without padding. */
	ID_SIZE = 24,
	NONCE_SIZE = 16,
	READ_AT_ONCE = 1 << 20,
};

struct azure_state {
	char *sas;
};

static struct azure_state *state_of(const struct upload *upload)
{
	return upload->state;
}

static int azure_init(struct upload *upload, struct failure *failure)
{
	const char *token = getenv("AZURE_STORAGE_SAS_TOKEN");

	if (strcmp(upload->url.scheme, "http") != 0 && strcmp(upload->url.scheme, "https") != 0)
		return fail(failure, STATUS_USAGE, "--upload-as azure wants a URL of https");
	if (upload->url.query)
		token = upload->url.query;
	if (!token || !*token)
		return fail(failure, STATUS_USAGE,
			"%s: Azure needs a SAS: AZURE_STORAGE_SAS_TOKEN in the environment, or the "
			"whole URL in a file for --upload @FILE",
			upload->shown);
	if (*token == '?')
		token++;
	upload->is_signed = true;
	state_of(upload)->sas = strdup(token);
	return state_of(upload)->sas ? 0 : fail(failure, STATUS_FAILED, "no memory");
}

static void azure_deinit(struct upload *upload)
{
	free(state_of(upload)->sas);
}

static char *make_url(const struct upload *upload, const char *more)
{
	return text_make("%s?%s%s%s", upload->shown, more ? more : "", more ? "&" : "",
		state_of(upload)->sas);
}

static enum outcome send_to(struct attempt *attempt, const char *method, const char *more,
	struct lines *headers, const struct body *body)
{
	char *url = make_url(attempt->upload, more);
	enum outcome outcome;

	if (!url) {
		lines_deinit(headers);
		return attempt_fail(attempt, STATUS_FAILED, "no memory");
	}
	outcome = attempt_send(attempt, method, url, headers, body);
	free(url);
	return outcome;
}

static enum outcome azure_look(struct attempt *attempt)
{
	char *url = make_url(attempt->upload, NULL);
	enum outcome outcome;

	if (!url)
		return attempt_fail(attempt, STATUS_FAILED, "no memory");
	outcome = attempt_look(attempt, url, NULL);
	free(url);
	return outcome;
}

/* Blocks of another upload that broke off are not taken for ours. */
static enum outcome azure_begin(struct attempt *attempt)
{
	uint8_t nonce[NONCE_SIZE / 2];

	if (getrandom(nonce, sizeof(nonce), 0) != (ssize_t)sizeof(nonce))
		return attempt_fail(attempt, STATUS_FAILED, "no random numbers");
	hex_text(attempt->upload->id, nonce, sizeof(nonce));
	return OUTCOME_DONE;
}

static void block_id(const struct upload *upload, unsigned part, char text[BASE64_SIZE(ID_SIZE)])
{
	char id[ID_SIZE + 1];

	snprintf(id, sizeof(id), "%.*s%08u", NONCE_SIZE, upload->id, part + 1);
	base64_text(text, id, strlen(id));
}

/* Returns 0; 1 without memory; -1 if it cannot be read. */
static int hash_part(struct upload *upload, unsigned part, char text[BASE64_SIZE(MD5_SIZE)])
{
	uint64_t size = part_size(upload->parts, part), at = 0;
	uint8_t *bytes = malloc(READ_AT_ONCE);
	uint8_t digest[MD5_SIZE];
	struct md5 md5;

	if (!bytes)
		return 1;
	md5_begin(&md5);
	while (at < size) {
		ssize_t n = part_read(upload->parts, part, at, bytes, READ_AT_ONCE);

		if (n <= 0)
			break;
		md5_add(&md5, bytes, (size_t)n);
		at += (uint64_t)n;
	}
	free(bytes);
	md5_end(&md5, digest);
	base64_text(text, digest, sizeof(digest));
	return at == size ? 0 : -1;
}

static enum outcome azure_put(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	struct lines headers = { .count = 0 };
	char id[BASE64_SIZE(ID_SIZE)], md5[BASE64_SIZE(MD5_SIZE)], more[64];
	struct part_body body;
	enum outcome outcome;
	int rc = hash_part(upload, attempt->part, md5);

	if (rc)
		return attempt_fail(attempt, STATUS_UPLOAD, "%s",
			rc > 0 ? "no memory" : "the core cannot be read any more");
	block_id(upload, attempt->part, id);
	/* base64 of digits has neither + nor /. */
	snprintf(more, sizeof(more), "comp=block&blockid=%s", id);
	lines_add(&headers, "Content-MD5: %s", md5);
	part_body_init(&body, upload, attempt->part, 0);
	outcome = send_to(attempt, "PUT", more, &headers, &body.body);
	if (outcome != OUTCOME_DONE)
		part_body_undo(&body);
	else
		snprintf(part_tag(upload->parts, attempt->part), PART_TAG_SIZE, "%s", id);
	return outcome;
}

static char *make_list(struct upload *upload)
{
	unsigned count = parts_count(upload->parts);
	char id[BASE64_SIZE(ID_SIZE)];
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	bool failed;

	if (!to)
		return NULL;
	fputs("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>", to);
	for (unsigned i = 0; i < count; i++) {
		block_id(upload, i, id);
		fprintf(to, "<Uncommitted>%s</Uncommitted>", id);
	}
	fputs("</BlockList>", to);
	/* fclose() tells of what it writes itself only. */
	failed = ferror(to);
	if (fclose(to) || failed) {
		free(text);
		return NULL;
	}
	return text;
}

static enum outcome azure_finish(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	struct lines headers = { .count = 0 };
	char *list = make_list(upload);
	struct text_body body;
	enum outcome outcome;

	if (!list)
		return attempt_fail(attempt, STATUS_FAILED, "no memory");
	text_body_init(&body, list);
	lines_add(&headers, "Content-Type: application/xml");
	lines_add(&headers, "x-ms-blob-content-type: application/octet-stream");
	add_condition(upload, &headers);
	outcome = send_to(attempt, "PUT", "comp=blocklist", &headers, &body.body);
	free(list);
	/* An answer that was lost leaves a blob, which then is ours. */
	if (outcome == OUTCOME_FAILED && !upload->options->force && !attempt->number &&
		(attempt_status(attempt) == 409 || attempt_status(attempt) == 412))
		return attempt_exists(attempt);
	return outcome;
}

static enum outcome azure_recover(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	struct lines headers = { .count = 0 };
	unsigned count = parts_count(upload->parts);
	enum outcome outcome = send_to(
		attempt, "GET", "comp=blocklist&blocklisttype=uncommitted", &headers, NULL);
	const char *at = http_response(attempt->http)->body;
	char name[64], text[32], id[BASE64_SIZE(ID_SIZE)];
	unsigned part = 0;

	upload->resumed_at = 0;
	if (strlen(upload->id) != NONCE_SIZE ||
		(outcome == OUTCOME_FAILED && attempt_status(attempt) == 404)) {
		upload->id[0] = '\0';
		return OUTCOME_DONE;
	}
	if (outcome != OUTCOME_DONE)
		return outcome;
	/* They are told in the order of their ids, which is that of parts. */
	while (part < count && (at = xml_text(at, "Name", name, sizeof(name))) &&
		(at = xml_text(at, "Size", text, sizeof(text)))) {
		unsigned found = part;

		for (block_id(upload, found, id); strcmp(id, name) != 0 && ++found < count;)
			block_id(upload, found, id);
		if (found == count)
			continue;
		if (strtoull(text, NULL, 10) == part_size(upload->parts, found)) {
			parts_have(upload->parts, found);
			upload->resumed_at += part_size(upload->parts, found);
		}
		part = found + 1;
	}
	return OUTCOME_DONE;
}

const struct store azure_store = {
	.name = "azure",
	.title = "Azure block blob",
	.any_order = true,
	.resumes = true,
	.state_size = sizeof(struct azure_state),
	.init = azure_init,
	.deinit = azure_deinit,
	.look = azure_look,
	.begin = azure_begin,
	.recover = azure_recover,
	.put = azure_put,
	.finish = azure_finish,
};
