// SPDX-License-Identifier: GPL-2.0-or-later
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "client/interrupt.h"
#include "client/tell.h"
#include "client/upload/retry.h"
#include "client/upload/store.h"
#include "client/upload/xml.h"

enum { EXCERPT_SIZE = 200 };

/* What usually is behind an answer. */
static const struct {
	long status;
	const char *advice;
} advices[] = {
	{ 401, "the credentials are missing or wrong" },
	{ 403, "the credentials may not do this, or have expired" },
	{ 404, "there is no such place" },
	{ 405, "nothing can be uploaded there" },
	{ 409, "the directory may be missing, or the object exists" },
	{ 411, "the store wants to know the length beforehand: -F elf, or a local file by -o" },
	{ 413, "larger than the server, or a proxy in front of it, takes" },
	{ 415, "--upload-as may name another kind of store" },
	{ 501, "the server lacks something that this needs" },
	{ 507, "the store is full" },
};

static const char *advice_for(long status)
{
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (advices[i].status == status)
			return advices[i].advice;
	return NULL;
}

/* What the answer says, in a line: S3's and Azure's own words, or the beginning without tags. */
static void excerpt(const struct response *response, char *text, size_t room)
{
	char code[64], message[EXCERPT_SIZE];
	size_t size = 0;
	bool tag = false, blank = false;

	text[0] = '\0';
	if (xml_text(response->body, "Code", code, sizeof(code)) &&
		xml_text(response->body, "Message", message, sizeof(message))) {
		snprintf(text, room, "%s: %.*s", code, (int)strcspn(message, "\n"), message);
		return;
	}
	for (const char *c = response->body; *c && size + 2 < room && size < EXCERPT_SIZE; c++) {
		tag = *c == '<' || (tag && *c != '>' && c[-1] != '>');
		if (tag || *c == '>' || (unsigned char)*c <= ' ') {
			blank = size > 0;
			continue;
		}
		if (blank)
			text[size++] = ' ';
		blank = false;
		text[size++] = *c;
	}
	text[size] = '\0';
}

/* The answers of servers that forbid quoting bits of a request do quote them. */
static void redact_in_place(char *text, size_t room)
{
	char *shown = url_redact(text);

	if (shown)
		snprintf(text, room, "%s", shown);
	free(shown);
}

static void explain(struct attempt *attempt, const char *method, const char *url)
{
	const struct response *response = http_response(attempt->http);
	const char *advice = advice_for(response->status);
	char text[2 * EXCERPT_SIZE];
	char *shown = url_redact(url);

	excerpt(response, text, sizeof(text));
	redact_in_place(text, sizeof(text));
	fail(&attempt->failure, STATUS_UPLOAD, "%s %s: %ld%s%s%s%s%s", method, shown ? shown : "",
		response->status, *text ? " " : "", text, advice ? " (" : "", advice ? advice : "",
		advice ? ")" : "");
	free(shown);
}

enum outcome attempt_fail(struct attempt *attempt, enum status status, const char *format, ...)
{
	char text[sizeof(attempt->failure.text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fail(&attempt->failure, status, "%s", text);
	return OUTCOME_FAILED;
}

enum outcome attempt_exists(struct attempt *attempt)
{
	attempt->upload->exists = true;
	return attempt_fail(
		attempt, STATUS_EXISTS, "%s exists (--force replaces it)", attempt->upload->shown);
}

long attempt_status(const struct attempt *attempt)
{
	return http_response(attempt->http)->status;
}

static void add_users_headers(const struct upload *upload, const char *url, struct lines *headers)
{
	char *own = url_text(&upload->url,
		upload->url.scheme[0] == 't' ? upload->url.scheme + strlen("tus+") : NULL);

	/* Without them it would be another request. */
	if (!own)
		headers->failed = true;
	else if (url_same_host(own, url))
		for (size_t i = 0; i < upload->headers.count; i++)
			if (!lines_value(headers, upload->headers.items[i]))
				lines_add(headers, "%s", upload->headers.items[i]);
	free(own);
}

enum outcome attempt_send(struct attempt *attempt, const char *method, const char *url,
	struct lines *headers, const struct body *body)
{
	struct lines none = { .count = 0 };
	struct lines *all = headers ? headers : &none;
	const struct response *response;
	struct request request = {
		.method = method,
		.url = url,
		.headers = all,
		.body = body,
	};
	int rc;

	add_users_headers(attempt->upload, url, all);
	request.no_passwords = attempt->upload->is_signed ||
	                       lines_value(all, "Authorization") != NULL;
	rc = http_send(attempt->http, &request);
	lines_deinit(all);
	response = http_response(attempt->http);
	attempt->retry_after = response->retry_after;
	if (rc) {
		char *shown = url_redact(url);

		fail(&attempt->failure, STATUS_UPLOAD, "%s %s: %s", method, shown ? shown : "",
			response->error.text);
		free(shown);
		return response->again ? OUTCOME_AGAIN : OUTCOME_FAILED;
	}
	if (response->status >= 200 && response->status < 300)
		return OUTCOME_DONE;
	explain(attempt, method, url);
	return retry_status(response->status) ? OUTCOME_AGAIN : OUTCOME_FAILED;
}

enum outcome attempt_look(struct attempt *attempt, const char *url, struct lines *headers)
{
	enum outcome outcome = attempt_send(attempt, "HEAD", url, headers, NULL);

	attempt->upload->exists = outcome == OUTCOME_DONE;
	if (outcome == OUTCOME_FAILED && attempt_status(attempt) && attempt_status(attempt) != 401)
		return OUTCOME_DONE;
	return outcome;
}

void parts_have_up_to(struct upload *upload, uint64_t bytes)
{
	struct parts *parts = upload->parts;

	for (unsigned i = 0; i < parts_count(parts); i++)
		if (part_offset(parts, i) + part_size(parts, i) <= bytes)
			parts_have(parts, i);
	upload->resumed_at = bytes;
}

static bool is_called_off(const struct upload *upload)
{
	return __atomic_load_n(&upload->cancelled, __ATOMIC_RELAXED) ||
	       (interrupt_signal() && !upload->closing);
}

/* False if it was called off meanwhile. */
static bool wait_ms(const struct upload *upload, uint64_t ms)
{
	struct pollfd end = { .fd = upload->closing ? -1 : interrupt_fd(), .events = POLLIN };

	while (ms && !is_called_off(upload)) {
		int some = ms < 200 ? (int)ms : 200;

		poll(&end, 1, some);
		ms -= (uint64_t)some;
	}
	return !is_called_off(upload);
}

/* A refusal that better credentials or another day will not turn. */
static bool is_for_good(long status)
{
	return status >= 400 && status < 500 && status != 401 && status != 403;
}

int upload_try(struct upload *upload, struct http *http, enum outcome (*step)(struct attempt *),
	unsigned part, struct failure *failure)
{
	struct attempt attempt = { .upload = upload, .http = http, .part = part };

	for (;;) {
		uint32_t random = 0;
		uint64_t delay;
		enum outcome outcome;

		/* A step that fails by itself is not judged by the answer to another. */
		http_forget(http);
		outcome = step(&attempt);

		if (outcome == OUTCOME_DONE)
			return 0;
		attempt.number++;
		if (outcome == OUTCOME_FAILED && is_for_good(attempt_status(&attempt)))
			upload->hopeless = true;
		if (outcome == OUTCOME_FAILED || attempt.number == RETRY_TRIES ||
			is_called_off(upload))
			break;
		if (getrandom(&random, sizeof(random), 0) < 0)
			random = 0;
		delay = retry_delay_ms(attempt.number, attempt.retry_after, random);
		tell(upload->options, TELL_WARNING, "%s; again in %.1f s", attempt.failure.text,
			(double)delay / 1000);
		__atomic_add_fetch(&upload->retries, 1, __ATOMIC_RELAXED);
		if (!wait_ms(upload, delay))
			break;
	}
	*failure = attempt.failure;
	if (interrupt_signal() && !upload->closing)
		fail(failure, STATUS_SIGNAL + interrupt_signal(), "interrupted");
	return -1;
}

/* ---- bodies ---------------------------------------------------------------------------------- */

/* Counts each byte once, also if it is read again. */
static void count_up_to(struct part_body *body, uint64_t end)
{
	if (end > body->counted) {
		__atomic_add_fetch(&body->upload->sent, end - body->counted, __ATOMIC_RELAXED);
		body->counted = end;
	}
}

static ssize_t read_part(void *ctx, uint64_t offset, void *to, size_t room)
{
	struct part_body *body = ctx;
	ssize_t n = part_read(body->upload->parts, body->part, body->skip + offset, to, room);

	if (n > 0)
		count_up_to(body, offset + (uint64_t)n);
	return n;
}

static ssize_t read_stream(void *ctx, uint64_t offset, void *to, size_t room)
{
	struct part_body *body = ctx;
	ssize_t n = parts_stream(body->upload->parts, body->skip + offset, to, room);

	if (n > 0)
		count_up_to(body, offset + (uint64_t)n);
	return n;
}

void part_body_init(struct part_body *body, struct upload *upload, unsigned part, uint64_t skip)
{
	*body = (struct part_body){
		.body = { .size = part_size(upload->parts, part) - skip, .read = read_part },
		.upload = upload,
		.part = part,
		.skip = skip,
	};
	body->body.ctx = body;
	/* What is skipped is there. */
	__atomic_add_fetch(&upload->sent, skip, __ATOMIC_RELAXED);
}

void stream_body_init(struct part_body *body, struct upload *upload)
{
	*body = (struct part_body){
		.body = { .size = upload->total, .read = read_stream },
		.upload = upload,
	};
	body->body.ctx = body;
}

void part_body_undo(struct part_body *body)
{
	__atomic_sub_fetch(&body->upload->sent, body->skip + body->counted, __ATOMIC_RELAXED);
	body->skip = body->counted = 0;
}

static ssize_t read_text(void *ctx, uint64_t offset, void *to, size_t room)
{
	const struct text_body *body = ctx;
	uint64_t left = body->body.size - offset;
	size_t size = left < room ? (size_t)left : room;

	memcpy(to, body->text + offset, size);
	return (ssize_t)size;
}

void text_body_init(struct text_body *body, const char *text)
{
	*body = (struct text_body){
		.body = { .size = strlen(text), .read = read_text },
		.text = text,
	};
	body->body.ctx = body;
}

void add_condition(const struct upload *upload, struct lines *headers)
{
	if (!upload->options->force && !upload->unconditional)
		lines_add(headers, "If-None-Match: *");
}
