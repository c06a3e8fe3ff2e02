// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/upload/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/clock.h"
#include "client/upload/url.h"
#include "config.h"

bool http_header(const struct response *response, const char *name, char *text, size_t room)
{
	size_t length = strlen(name);

	text[0] = '\0';
	for (const char *line = response->headers; line && *line;) {
		size_t size = strcspn(line, "\n");

		if (size > length && line[length] == ':' && strncasecmp(line, name, length) == 0) {
			const char *value = line + length + 1 + strspn(line + length + 1, " \t");

			/* Nothing of it moves a cursor, or ends a line of ours. */
			snprintf(text, room, "%.*s", (int)strcspn(value, "\r\n"), value);
			for (char *c = text; *c; c++)
				if ((unsigned char)*c < ' ' || *c == 0x7f)
					*c = '?';
			return true;
		}
		line += size + (line[size] == '\n');
	}
	return false;
}

#if HAVE_CURL

#include <curl/curl.h>

enum {
	UPLOAD_BUFFER = 1 << 20,
	/* What a server does with all that it was sent, it does in silence. */
	ANSWER_PATIENCE = 10,
};

struct http {
	const struct http_options *options;
	CURL *curl;
	char error[CURL_ERROR_SIZE];
	struct response response;

	/* Of the request under way. */
	const struct body *body;
	uint64_t at; /* in the body */
	bool body_failed, body_short;
	bool incomplete;  /* libcurl had no memory for what it was told */
	double active_at; /* when bytes last went either way */
	curl_off_t sent, received;
	bool stalled;
};

int http_init(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

bool http_is_built(void)
{
	return true;
}

struct http *http_create(const struct http_options *options)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return NULL;
	http->options = options;
	http->curl = curl_easy_init();
	http->response.headers = malloc(HTTP_HEADERS_MAX);
	http->response.body = malloc(HTTP_BODY_MAX);
	if (http->curl && http->response.headers && http->response.body) {
		http_forget(http);
		return http;
	}
	http_destroy(http);
	return NULL;
}

void http_destroy(struct http *http)
{
	if (!http)
		return;
	if (http->curl)
		curl_easy_cleanup(http->curl);
	free(http->response.headers);
	free(http->response.body);
	free(http);
}

const struct response *http_response(const struct http *http)
{
	return &http->response;
}

void http_forget(struct http *http)
{
	struct response *response = &http->response;

	response->headers[0] = response->body[0] = '\0';
	response->headers_size = response->body_size = 0;
	response->status = 0;
	response->retry_after = 0;
	response->again = false;
}

/* ---- what libcurl calls ---------------------------------------------------------------------- */

/* Never more than was announced: libcurl would send it, and the server take it for a request. */
static size_t read_body(char *to, size_t size, size_t count, void *ctx)
{
	struct http *http = ctx;
	size_t room = size * count;
	ssize_t n;

	if (http->body->size != BODY_UNKNOWN && http->body->size - http->at < room)
		room = (size_t)(http->body->size - http->at);
	if (!room)
		return 0;
	n = http->body->read(http->body->ctx, http->at, to, room);
	http->active_at = monotonic_seconds();
	if (n > 0) {
		http->at += (uint64_t)n;
		return (size_t)n;
	}
	/* An early end would make libcurl wait for ever. */
	http->body_short = n == 0 && http->body->size != BODY_UNKNOWN;
	http->body_failed = n < 0;
	return n < 0 || http->body_short ? CURL_READFUNC_ABORT : 0;
}

static int seek_body(void *ctx, curl_off_t offset, int origin)
{
	struct http *http = ctx;

	if (origin != SEEK_SET || offset < 0)
		return CURL_SEEKFUNC_CANTSEEK;
	http->at = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static size_t keep(char *kept, size_t *kept_size, size_t max, const char *bytes, size_t size)
{
	size_t room = max - 1 - *kept_size;
	size_t part = size < room ? size : room;

	memcpy(kept + *kept_size, bytes, part);
	*kept_size += part;
	kept[*kept_size] = '\0';
	return size;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *ctx)
{
	struct response *response = &((struct http *)ctx)->response;

	/* Those of "100 Continue" are none of the answer's. */
	if (size * count >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
		response->headers_size = 0;
	return keep(
		response->headers, &response->headers_size, HTTP_HEADERS_MAX, bytes, size * count);
}

static size_t take_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct response *response = &((struct http *)ctx)->response;

	return keep(response->body, &response->body_size, HTTP_BODY_MAX, bytes, size * count);
}

/* Not a limit of speed: a body may have to wait for the guest. */
static int watch(void *ctx, curl_off_t download_total, curl_off_t downloaded,
	curl_off_t upload_total, curl_off_t uploaded)
{
	struct http *http = ctx;
	double now = monotonic_seconds();
	double patience = http->options->timeout;
	bool all_sent = !http->body || http->at == http->body->size;

	(void)download_total;
	(void)upload_total;
	if (http->options->cancelled(http->options->ctx))
		return 1;
	if (uploaded != http->sent || downloaded != http->received)
		http->active_at = now;
	http->sent = uploaded;
	http->received = downloaded;
	http->stalled = now - http->active_at > (all_sent ? ANSWER_PATIENCE : 1) * patience;
	return http->stalled;
}

/* ---- trace ----------------------------------------------------------------------------------- */

/* A line of it, without what it is not to tell; headers that are not known are secrets. */
static void trace_line(struct http *http, char mark, const char *line, size_t size)
{
	FILE *to = http->options->trace;
	char *text, *shown;

	if (!to)
		return;
	text = strndup(line, size);
	shown = text ? url_redact(text) : NULL;
	if (shown) {
		size_t name = strcspn(shown, ":");
		bool header = size && shown[name] == ':' && name == strcspn(shown, " :/");

		for (char *c = shown; *c; c++)
			if ((unsigned char)*c < ' ' || *c == 0x7f)
				*c = '?';
		if (header && !header_is_harmless(shown))
			fprintf(to, "%c %.*s: (not shown)\n", mark, (int)name, shown);
		else
			fprintf(to, "%c %s\n", mark, shown);
		fflush(to);
	}
	free(text);
	free(shown);
}

static void trace_request(struct http *http, const struct request *request, const char *url,
	const struct lines *headers)
{
	char *line = NULL;

	if (!http->options->trace || asprintf(&line, "%s %s", request->method, url) < 0)
		return;
	trace_line(http, '>', line, strlen(line));
	free(line);
	for (size_t i = 0; i < headers->count; i++)
		trace_line(http, '>', headers->items[i], strlen(headers->items[i]));
}

static void trace_response(struct http *http)
{
	const struct response *response = &http->response;

	if (!http->options->trace)
		return;
	if (!response->status)
		trace_line(http, '<', response->error.text, strlen(response->error.text));
	for (const char *line = response->headers; *line;) {
		size_t size = strcspn(line, "\n");

		if (size > 1)
			trace_line(http, '<', line, size - (line[size - 1] == '\r'));
		line += size + (line[size] == '\n');
	}
}

/* ---- a request ------------------------------------------------------------------------------- */

/* libcurl copies texts; a request that lacks one of them would be another. */
static void set_text(struct http *http, CURLoption option, const char *text)
{
	if (curl_easy_setopt(http->curl, option, text) == CURLE_OUT_OF_MEMORY)
		http->incomplete = true;
}

static void set_trust(struct http *http)
{
	/* In the order of the curl program; libcurl itself looks at none of them. */
	const char *bundle = getenv("CURL_CA_BUNDLE");
	const char *directory = getenv("SSL_CERT_DIR");
	const char *file = getenv("SSL_CERT_FILE");

	if (bundle && *bundle) {
		set_text(http, CURLOPT_CAINFO, bundle);
		return;
	}
	if (directory && *directory)
		set_text(http, CURLOPT_CAPATH, directory);
	if (file && *file)
		set_text(http, CURLOPT_CAINFO, file);
}

static void set_limits(struct http *http)
{
	CURL *curl = http->curl;

	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)http->options->connect_timeout);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER);
	/* By version 1.1 a refusal comes before the body was sent: "Expect: 100-continue". */
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
	set_text(http, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
}

static void set_body(struct http *http, const struct request *request)
{
	CURL *curl = http->curl;

	if (!request->body) {
		if (strcmp(request->method, "HEAD") == 0)
			curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
		else if (strcmp(request->method, "GET") == 0)
			curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
		else
			set_text(http, CURLOPT_CUSTOMREQUEST, request->method);
		return;
	}
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	set_text(http, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->body->size != BODY_UNKNOWN)
		curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body->size);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_body);
	curl_easy_setopt(curl, CURLOPT_READDATA, http);
	curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, seek_body);
	curl_easy_setopt(curl, CURLOPT_SEEKDATA, http);
}

static void set_passwords(struct http *http, const struct request *request)
{
	const char *file = getenv("NETRC");

	if (request->no_passwords)
		return;
	curl_easy_setopt(http->curl, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	if (file && *file)
		set_text(http, CURLOPT_NETRC_FILE, file);
}

/* Those that another host may see, if it is another. */
static struct curl_slist *make_headers(const struct lines *headers, bool stranger, bool *failed)
{
	struct curl_slist *list = NULL;

	for (size_t i = 0; i < headers->count && !*failed; i++) {
		struct curl_slist *longer;

		if (stranger && !header_is_harmless(headers->items[i]))
			continue;
		/* The one of the first host. */
		if (stranger && strncasecmp(headers->items[i], "Host:", 5) == 0)
			continue;
		longer = curl_slist_append(list, headers->items[i]);
		*failed = !longer;
		list = longer ? longer : list;
	}
	return list;
}

static bool worth_another_try(CURLcode code)
{
	static const CURLcode codes[] = {
		CURLE_COULDNT_RESOLVE_PROXY,
		CURLE_COULDNT_RESOLVE_HOST,
		CURLE_COULDNT_CONNECT,
		CURLE_PARTIAL_FILE,
		CURLE_OPERATION_TIMEDOUT,
		CURLE_SSL_CONNECT_ERROR,
		CURLE_GOT_NOTHING,
		CURLE_SEND_ERROR,
		CURLE_RECV_ERROR,
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (code == codes[i])
			return true;
	return false;
}

static void explain(struct http *http, CURLcode code)
{
	struct response *response = &http->response;

	response->again = worth_another_try(code) || http->stalled;
	if (http->stalled)
		error_set(&response->error, "the server took nothing for %u s",
			http->options->timeout);
	else if (http->body_short)
		error_set(&response->error, "the core is shorter than it was");
	else if (http->body_failed)
		error_set(&response->error,
			"what was sent already is not held any more, so it cannot be sent again");
	else if (code == CURLE_OUT_OF_MEMORY)
		error_no_memory(&response->error);
	else if (code == CURLE_ABORTED_BY_CALLBACK)
		error_set(&response->error, "interrupted");
	else if (code == CURLE_SSL_CACERT_BADFILE)
		error_set(&response->error,
			"the CA file (CURL_CA_BUNDLE or SSL_CERT_FILE) cannot be used: %s",
			http->error);
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		error_set(&response->error, "%s (CURL_CA_BUNDLE names a file with another CA)",
			http->error[0] ? http->error : curl_easy_strerror(code));
	else
		error_set(&response->error, "%s",
			http->error[0] ? http->error : curl_easy_strerror(code));
}

/* One request to one host. Returns 0 if an answer came. */
static int send_once(
	struct http *http, const struct request *request, const char *url, bool stranger)
{
	static const struct lines none = { .count = 0 };
	const struct lines *headers = request->headers ? request->headers : &none;
	struct response *response = &http->response;
	bool failed = false;
	struct curl_slist *list = make_headers(headers, stranger, &failed);
	curl_off_t retry_after = 0;
	CURLcode code;

	/* Keeps the connection. */
	curl_easy_reset(http->curl);
	http_forget(http);
	http->error[0] = '\0';
	http->body = request->body;
	http->at = 0;
	http->body_failed = http->body_short = http->stalled = http->incomplete = false;
	http->sent = http->received = 0;
	http->active_at = monotonic_seconds();
	set_limits(http);
	set_trust(http);
	set_passwords(http, request);
	set_body(http, request);
	set_text(http, CURLOPT_URL, url);
	set_text(http, CURLOPT_USERAGENT, "rspdump/" VERSION);
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(http->curl, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	curl_easy_setopt(http->curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(http->curl, CURLOPT_HEADERDATA, http);
	curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, http);
	curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, http->error);
	if (failed || headers->failed || http->incomplete) {
		curl_slist_free_all(list);
		error_no_memory(&response->error);
		return -1;
	}
	trace_request(http, request, url, headers);
	code = curl_easy_perform(http->curl);
	curl_slist_free_all(list);
	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &response->status);
	curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &retry_after);
	response->retry_after = retry_after > 0 && retry_after < 1 << 20 ? (unsigned)retry_after
	                                                                 : 0;
	/* A refusal counts, also if the server then cut off the rest of the body. */
	if (code != CURLE_OK && response->status < 400) {
		response->status = 0;
		explain(http, code);
	}
	trace_response(http);
	return response->status ? 0 : -1;
}

/* 308 without a Location is GCS's way to say that more is to come. */
static bool is_redirect(const struct response *response, char *location, size_t room)
{
	long status = response->status;

	return (status == 301 || status == 302 || status == 303 || status == 307 ||
		       status == 308) &&
	       http_header(response, "Location", location, room);
}

int http_send(struct http *http, const struct request *request)
{
	struct response *response = &http->response;
	char *url = strdup(request->url);
	char location[URL_SIZE_MAX + 1];
	bool stranger = false;
	int rc = -1;

	if (!url) {
		http_forget(http);
		error_no_memory(&response->error);
	}
	for (unsigned redirects = 0; url; redirects++) {
		char *next;

		rc = send_once(http, request, url, stranger);
		if (rc || !is_redirect(response, location, sizeof(location)))
			break;
		errno = 0;
		next = url_follow(url, location);
		rc = -1;
		response->again = false;
		if (!next && errno == ENOMEM)
			error_no_memory(&response->error);
		else if (!next || response->status == 303)
			error_set(&response->error, "the server answers with a page elsewhere");
		else if (redirects == HTTP_REDIRECTS_MAX)
			error_set(&response->error, "redirected more than %d times",
				HTTP_REDIRECTS_MAX);
		else if (strncasecmp(url, "https:", 6) == 0 && strncasecmp(next, "https:", 6) != 0)
			error_set(&response->error, "redirected from https to http");
		else
			rc = 0;
		response->status = 0;
		if (rc == 0)
			stranger = stranger || !url_same_host(request->url, next);
		free(url);
		url = next;
		if (rc)
			break;
	}
	free(url);
	return rc;
}

#else

int http_init(void)
{
	return -1;
}

bool http_is_built(void)
{
	return false;
}

struct http *http_create(const struct http_options *options)
{
	(void)options;
	return NULL;
}

void http_destroy(struct http *http)
{
	(void)http;
}

void http_forget(struct http *http)
{
	(void)http;
}

int http_send(struct http *http, const struct request *request)
{
	(void)http;
	(void)request;
	return -1;
}

const struct response *http_response(const struct http *http)
{
	static const struct response none = { .status = 0 };

	(void)http;
	return &none;
}

#endif
