// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * S3 and what speaks its language: multipart uploads, signed by SigV4. Described at
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html and its
 * neighbours.
 */
#include <stdlib.h>
#include <string.h>

#include "client/upload/sigv4.h"
#include "client/upload/store.h"
#include "client/upload/xml.h"

enum { READ_AT_ONCE = 1 << 20, SECRET_MAX = 200, LIST_PAGES_MAX = PARTS_MAX };

struct s3_state {
	struct sigv4 sigv4;
	char *origin;    /* "https://host:port" */
	char *authority; /* "host:port" */
	char *path;      /* percent-encoded, with the bucket where it belongs there */
};

static struct s3_state *state_of(const struct upload *upload)
{
	return upload->state;
}

static const char *first_of(const char *const *names)
{
	for (; *names; names++) {
		const char *value = getenv(*names);

		if (value && *value)
			return value;
	}
	return NULL;
}

/* ---- where and who --------------------------------------------------------------------------- */

/* The bucket in front of the path, as every endpoint takes it that is not Amazon's. */
static int use_endpoint(struct s3_state *state, const char *endpoint, const char *bucket,
	const char *key, struct failure *failure)
{
	struct url url;
	struct error error;
	int rc = url_parse(&url, endpoint, &error);

	if (rc)
		return fail(failure, STATUS_USAGE, "the S3 endpoint of the environment: %s",
			error.text);
	if (strcmp(url.scheme, "http") != 0 && strcmp(url.scheme, "https") != 0)
		rc = fail(failure, STATUS_USAGE, "the S3 endpoint %s is none of http or https",
			endpoint);
	else if (!(state->origin = text_make("%s://%s", url.scheme, url.authority)) ||
		 !(state->authority = strdup(url.authority)) ||
		 !(state->path = text_make("%s%s%s%s", url.path,
			   url.path[strlen(url.path) - 1] == '/' ? "" : "/", bucket, key)))
		rc = fail(failure, STATUS_FAILED, "no memory");
	url_deinit(&url);
	return rc;
}

static int use_amazon(struct s3_state *state, const char *bucket, const char *key)
{
	/* No certificate is for a name with more dots. */
	if (strchr(bucket, '.')) {
		state->authority = text_make("s3.%s.amazonaws.com", state->sigv4.region);
		state->path = text_make("/%s%s", bucket, key);
	} else {
		state->authority = text_make("%s.s3.%s.amazonaws.com", bucket, state->sigv4.region);
		state->path = strdup(key);
	}
	if (!state->authority || !state->path)
		return -1;
	state->origin = text_make("https://%s", state->authority);
	return state->origin ? 0 : -1;
}

/*
 * s3://bucket/key goes to the endpoint of the environment or to Amazon, its key as it stands there;
 * https://endpoint/bucket/key of --upload-as s3 is percent-encoded already.
 */
static int find_place(struct upload *upload, struct failure *failure)
{
	static const char *const endpoints[] = { "RSPDUMP_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3",
		"AWS_ENDPOINT_URL", NULL };
	struct s3_state *state = state_of(upload);
	const struct url *url = &upload->url;
	const char *endpoint = first_of(endpoints);
	char *key;
	int rc;

	if (url->query)
		return fail(failure, STATUS_USAGE, "%s: an S3 URL has no query", upload->shown);
	if (strcmp(url->scheme, "s3") != 0) {
		const char *slash = strchr(url->path + 1, '/');

		if (!slash || !slash[1])
			return fail(failure, STATUS_USAGE,
				"%s: a URL of S3 is https://ENDPOINT/BUCKET/KEY", upload->shown);
		state->authority = strdup(url->authority);
		state->path = strdup(url->path);
		state->origin = text_make("%s://%s", url->scheme, url->authority);
		return state->authority && state->path && state->origin
		               ? 0
		               : fail(failure, STATUS_FAILED, "no memory");
	}
	if (!url->path[1] || url->path[strlen(url->path) - 1] == '/')
		return fail(
			failure, STATUS_USAGE, "%s: a URL of S3 is s3://BUCKET/KEY", upload->shown);
	key = url_encode(url->path, true);
	if (!key)
		return fail(failure, STATUS_FAILED, "no memory");
	if (endpoint)
		rc = use_endpoint(state, endpoint, url->authority, key, failure);
	else if (use_amazon(state, url->authority, key))
		rc = fail(failure, STATUS_FAILED, "no memory");
	else
		rc = 0;
	free(key);
	return rc;
}

static int s3_init(struct upload *upload, struct failure *failure)
{
	static const char *const regions[] = { "AWS_REGION", "AWS_DEFAULT_REGION", NULL };
	static const char *const access[] = { "AWS_ACCESS_KEY_ID", NULL };
	static const char *const secret[] = { "AWS_SECRET_ACCESS_KEY", NULL };
	static const char *const session[] = { "AWS_SESSION_TOKEN", NULL };
	struct sigv4 *sigv4 = &state_of(upload)->sigv4;

	*sigv4 = (struct sigv4){
		.access_key = first_of(access),
		.secret_key = first_of(secret),
		.session_token = first_of(session),
		.region = first_of(regions),
		.service = "s3",
	};
	if (!sigv4->region)
		sigv4->region = "us-east-1";
	if (!sigv4->access_key || !sigv4->secret_key)
		return fail(failure, STATUS_USAGE,
			"%s: S3 needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the "
			"environment",
			upload->shown);
	if (strlen(sigv4->secret_key) > SECRET_MAX)
		return fail(failure, STATUS_USAGE, "AWS_SECRET_ACCESS_KEY is too long to be one");
	return find_place(upload, failure);
}

static void s3_deinit(struct upload *upload)
{
	struct s3_state *state = state_of(upload);

	free(state->origin);
	free(state->authority);
	free(state->path);
}

/* ---- requests -------------------------------------------------------------------------------- */

/* body NULL: none. payload_hash NULL: that of nothing. */
static enum outcome send_signed(struct attempt *attempt, const char *method, const char *query,
	struct lines *headers, const struct body *body, const char *payload_hash)
{
	const struct upload *upload = attempt->upload;
	const struct s3_state *state = state_of(upload);
	struct lines none = { .count = 0 };
	char when[SIGV4_TIME_SIZE], hex[DIGEST_HEX_SIZE];
	uint8_t digest[SHA256_SIZE];
	char *url;
	enum outcome outcome;

	if (!headers)
		headers = &none;
	if (!payload_hash) {
		sha256_of("", 0, digest);
		payload_hash = hex_text(hex, digest, sizeof(digest));
	}
	url = text_make(
		"%s%s%s%s", state->origin, state->path, query ? "?" : "", query ? query : "");
	if (!url) {
		lines_deinit(headers);
		return attempt_fail(attempt, STATUS_FAILED, "no memory");
	}
	lines_add(headers, "Host: %s", state->authority);
	lines_add(headers, "x-amz-date: %s", sigv4_time(when, time(NULL)));
	lines_add(headers, "x-amz-content-sha256: %s", payload_hash);
	if (state->sigv4.session_token)
		lines_add(headers, "x-amz-security-token: %s", state->sigv4.session_token);
	sigv4_sign(&state->sigv4, when, method, state->path, query, headers, payload_hash);
	outcome = attempt_send(attempt, method, url, headers, body);
	free(url);
	return outcome;
}

/* S3 closes slow connections with a 400 of this name, and knows other errors that pass. */
static enum outcome judge(struct attempt *attempt, enum outcome outcome)
{
	char code[64];

	if (outcome == OUTCOME_FAILED &&
		xml_text(http_response(attempt->http)->body, "Code", code, sizeof(code)) &&
		(strcmp(code, "RequestTimeout") == 0 || strcmp(code, "InternalError") == 0 ||
			strcmp(code, "SlowDown") == 0))
		return OUTCOME_AGAIN;
	return outcome;
}

static enum outcome s3_look(struct attempt *attempt)
{
	enum outcome outcome = send_signed(attempt, "HEAD", NULL, NULL, NULL, NULL);

	attempt->upload->exists = outcome == OUTCOME_DONE;
	/* What is wrong will be told with words when the upload is created. */
	return outcome == OUTCOME_FAILED && attempt_status(attempt) ? OUTCOME_DONE : outcome;
}

static enum outcome s3_begin(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	struct lines headers = { .count = 0 };
	struct text_body empty;
	char *id;
	enum outcome outcome;

	lines_add(&headers, "Content-Type: application/octet-stream");
	/* What is said of the object is said here, and signed. */
	for (size_t i = 0; i < upload->headers.count; i++)
		lines_add(&headers, "%s", upload->headers.items[i]);
	text_body_init(&empty, "");
	outcome = judge(
		attempt, send_signed(attempt, "POST", "uploads=", &headers, &empty.body, NULL));
	if (outcome != OUTCOME_DONE)
		return outcome;
	id = upload->id;
	if (!xml_text(http_response(attempt->http)->body, "UploadId", id, sizeof(upload->id)) ||
		!*id || strpbrk(id, " \t\r\n"))
		return attempt_fail(
			attempt, STATUS_UPLOAD, "%s: no UploadId in the answer", upload->shown);
	return OUTCOME_DONE;
}

static char *make_query(const struct upload *upload, const char *format, unsigned part)
{
	char *id = url_encode(upload->id, false);
	char *query;

	if (!id)
		return NULL;
	query = *format == 'p' ? text_make("partNumber=%u&uploadId=%s", part + 1, id)
	                       : text_make("uploadId=%s", id);
	free(id);
	return query;
}

/* ---- parts ----------------------------------------------------------------------------------- */

/* Returns 0; 1 without memory; -1 if it cannot be read. */
static int hash_part(struct upload *upload, unsigned part, char hex[DIGEST_HEX_SIZE])
{
	uint64_t size = part_size(upload->parts, part), at = 0;
	uint8_t *bytes = malloc(READ_AT_ONCE);
	uint8_t digest[SHA256_SIZE];
	struct sha256 sha256;
	struct md5 md5;

	if (!bytes)
		return 1;
	sha256_begin(&sha256);
	md5_begin(&md5);
	while (at < size) {
		ssize_t n = part_read(upload->parts, part, at, bytes, READ_AT_ONCE);

		if (n <= 0)
			break;
		sha256_add(&sha256, bytes, (size_t)n);
		md5_add(&md5, bytes, (size_t)n);
		at += (uint64_t)n;
	}
	free(bytes);
	sha256_end(&sha256, digest);
	md5_end(&md5, part_md5(upload->parts, part));
	hex_text(hex, digest, sizeof(digest));
	return at == size ? 0 : -1;
}

/* An ETag is an MD5 but where the store encrypts by keys of its own or the user's. */
static bool is_other(const struct response *response, const char *tag, const uint8_t *md5)
{
	uint8_t theirs[MD5_SIZE];
	char bare[2 * MD5_SIZE + 1], encryption[64];

	if (tag[0] != '"' || strlen(tag) != 2 * MD5_SIZE + 2)
		return false;
	snprintf(bare, sizeof(bare), "%s", tag + 1);
	if (hex_bytes(bare, theirs, sizeof(theirs)) ||
		http_header(
			response, "x-amz-server-side-encryption", encryption, sizeof(encryption)) ||
		http_header(response, "x-amz-server-side-encryption-customer-algorithm", encryption,
			sizeof(encryption)))
		return false;
	return memcmp(theirs, md5, sizeof(theirs)) != 0;
}

static enum outcome s3_put(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	char hex[DIGEST_HEX_SIZE], tag[PART_TAG_SIZE];
	struct part_body body;
	char *query;
	enum outcome outcome;
	int rc = hash_part(upload, attempt->part, hex);

	if (rc)
		return attempt_fail(attempt, STATUS_UPLOAD, "%s",
			rc > 0 ? "no memory" : "the core cannot be read any more");
	query = make_query(upload, "part", attempt->part);
	if (!query)
		return attempt_fail(attempt, STATUS_FAILED, "no memory");
	part_body_init(&body, upload, attempt->part, 0);
	outcome = judge(attempt, send_signed(attempt, "PUT", query, NULL, &body.body, hex));
	free(query);
	if (outcome != OUTCOME_DONE) {
		part_body_undo(&body);
		return outcome;
	}
	if (!http_header(http_response(attempt->http), "ETag", tag, sizeof(tag)) ||
		strpbrk(tag, " <&"))
		return attempt_fail(attempt, STATUS_UPLOAD, "%s: no ETag for part %u",
			upload->shown, attempt->part + 1);
	if (is_other(http_response(attempt->http), tag, part_md5(upload->parts, attempt->part))) {
		part_body_undo(&body);
		attempt_fail(attempt, STATUS_UPLOAD,
			"%s: part %u arrived as something else, its ETag being %s", upload->shown,
			attempt->part + 1, tag);
		return OUTCOME_AGAIN;
	}
	snprintf(part_tag(upload->parts, attempt->part), PART_TAG_SIZE, "%s", tag);
	return OUTCOME_DONE;
}

/* ---- the end --------------------------------------------------------------------------------- */

static char *make_list(struct upload *upload)
{
	unsigned count = parts_count(upload->parts);
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	bool failed;

	if (!to)
		return NULL;
	fputs("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">", to);
	for (unsigned i = 0; i < count; i++)
		fprintf(to, "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>", i + 1,
			part_tag(upload->parts, i));
	fputs("</CompleteMultipartUpload>", to);
	/* fclose() tells of what it writes itself only. */
	failed = ferror(to);
	if (fclose(to) || failed) {
		free(text);
		return NULL;
	}
	return text;
}

/* What S3 makes of the ETags of parts for the whole: the MD5 of their MD5s, and their number. */
static void make_tag(struct upload *upload, char tag[PART_TAG_SIZE])
{
	unsigned count = parts_count(upload->parts);
	uint8_t digest[MD5_SIZE];
	char bare[2 * MD5_SIZE + 1], hex[2 * MD5_SIZE + 1];
	struct md5 md5;

	md5_begin(&md5);
	for (unsigned i = 0; i < count; i++) {
		snprintf(bare, sizeof(bare), "%s", part_tag(upload->parts, i) + 1);
		if (hex_bytes(bare, digest, sizeof(digest))) {
			tag[0] = '\0';
			return;
		}
		md5_add(&md5, digest, sizeof(digest));
	}
	md5_end(&md5, digest);
	snprintf(tag, PART_TAG_SIZE, "\"%s-%u\"", hex_text(hex, digest, sizeof(digest)), count);
}

/* A request to complete may have succeeded though its answer was lost. */
static enum outcome look_at_whole(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	char length[32];
	enum outcome outcome = send_signed(attempt, "HEAD", NULL, NULL, NULL, NULL);

	if (outcome == OUTCOME_DONE &&
		http_header(
			http_response(attempt->http), "Content-Length", length, sizeof(length)) &&
		strtoull(length, NULL, 10) == upload->total)
		return OUTCOME_DONE;
	return outcome == OUTCOME_DONE ? OUTCOME_FAILED : outcome;
}

static enum outcome complete(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	struct lines headers = { .count = 0 };
	char *list = make_list(upload), *query = make_query(upload, "id", 0);
	char hex[DIGEST_HEX_SIZE];
	uint8_t digest[SHA256_SIZE];
	struct text_body body;
	enum outcome outcome;

	if (!list || !query) {
		outcome = attempt_fail(attempt, STATUS_FAILED, "no memory");
		goto out;
	}
	text_body_init(&body, list);
	sha256_of(list, strlen(list), digest);
	hex_text(hex, digest, sizeof(digest));
	lines_add(&headers, "Content-Type: application/xml");
	add_condition(upload, &headers);
	outcome = send_signed(attempt, "POST", query, &headers, &body.body, hex);
out:
	free(list);
	free(query);
	return outcome;
}

static enum outcome s3_finish(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	enum outcome outcome = judge(attempt, complete(attempt));
	long status = attempt_status(attempt);
	char ours[PART_TAG_SIZE], theirs[PART_TAG_SIZE], code[64];

	if (outcome == OUTCOME_FAILED && status == 412)
		return attempt_exists(attempt);
	/* Swift's word for a condition that it does not know. */
	if (outcome == OUTCOME_FAILED && status == 501 && !upload->unconditional) {
		upload->unconditional = true;
		outcome = judge(attempt, complete(attempt));
		status = attempt_status(attempt);
	}
	if (outcome == OUTCOME_FAILED && status == 404 && attempt->number)
		return look_at_whole(attempt);
	if (outcome != OUTCOME_DONE)
		return outcome;
	/* The status is sent before the parts are put together, which may still fail. */
	if (xml_text(http_response(attempt->http)->body, "Code", code, sizeof(code)))
		return judge(attempt,
			attempt_fail(attempt, STATUS_UPLOAD,
				"%s: the parts cannot be put together: %s", upload->shown, code));
	make_tag(upload, ours);
	if (xml_text(http_response(attempt->http)->body, "ETag", theirs, sizeof(theirs)) &&
		strlen(theirs) == strlen(ours) && strchr(theirs, '-')) {
		if (strcmp(theirs, ours) != 0)
			return attempt_fail(attempt, STATUS_UPLOAD,
				"%s: the store has something else: its ETag is %s and not %s",
				upload->shown, theirs, ours);
		upload->verified = ours[0] != '\0';
	}
	return OUTCOME_DONE;
}

static enum outcome s3_give_up(struct attempt *attempt)
{
	char *query = make_query(attempt->upload, "id", 0);
	enum outcome outcome;

	if (!query)
		return OUTCOME_FAILED;
	outcome = send_signed(attempt, "DELETE", query, NULL, NULL, NULL);
	free(query);
	return outcome;
}

/* ---- going on -------------------------------------------------------------------------------- */

/* Takes the parts of one page that are those we sent. */
static void take_page(struct upload *upload, const char *page)
{
	char number[16], tag[PART_TAG_SIZE];

	while ((page = xml_text(page, "PartNumber", number, sizeof(number)))) {
		unsigned long part = strtoul(number, NULL, 10) - 1;

		page = xml_text(page, "ETag", tag, sizeof(tag));
		if (!page)
			return;
		if (part < parts_count(upload->parts) && tag[0] &&
			strcmp(tag, part_tag(upload->parts, (unsigned)part)) == 0 &&
			!part_is_done(upload->parts, (unsigned)part)) {
			parts_have(upload->parts, (unsigned)part);
			upload->resumed_at += part_size(upload->parts, (unsigned)part);
		}
	}
}

static enum outcome s3_recover(struct attempt *attempt)
{
	struct upload *upload = attempt->upload;
	char *id = url_encode(upload->id, false);
	unsigned long marker = 0;
	enum outcome outcome = OUTCOME_DONE;

	upload->resumed_at = 0;
	if (!id)
		return attempt_fail(attempt, STATUS_UPLOAD, "no memory");
	for (int page = 0; page < LIST_PAGES_MAX; page++) {
		const char *body = http_response(attempt->http)->body;
		char text[16];
		unsigned long next;
		/* 100 at once, so that an answer fits what is kept of one. */
		char *query = text_make(
			"max-parts=100&part-number-marker=%lu&uploadId=%s", marker, id);

		if (!query) {
			outcome = attempt_fail(attempt, STATUS_UPLOAD, "no memory");
			break;
		}
		outcome = judge(attempt, send_signed(attempt, "GET", query, NULL, NULL, NULL));
		free(query);
		if (outcome == OUTCOME_FAILED && attempt_status(attempt) == 404) {
			upload->id[0] = '\0';
			outcome = OUTCOME_DONE;
			break;
		}
		if (outcome != OUTCOME_DONE)
			break;
		take_page(upload, body);
		if (!xml_text(body, "IsTruncated", text, sizeof(text)) || strcmp(text, "true") != 0)
			break;
		if (!xml_text(body, "NextPartNumberMarker", text, sizeof(text)))
			break;
		next = strtoul(text, NULL, 10);
		if (next <= marker)
			break;
		marker = next;
	}
	free(id);
	return outcome;
}

const struct store s3_store = {
	.name = "s3",
	.title = "S3 multipart",
	.any_order = true,
	.resumes = true,
	.state_size = sizeof(struct s3_state),
	.init = s3_init,
	.deinit = s3_deinit,
	.look = s3_look,
	.begin = s3_begin,
	.recover = s3_recover,
	.put = s3_put,
	.finish = s3_finish,
	.give_up = s3_give_up,
};
