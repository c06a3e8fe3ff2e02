// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whole runs of the program, against the scripted stub, while memory or the disk runs out at each
 * place in turn: it says so in one line, lets the guest go as it was asked to, and leaves neither
 * half a core nor anything that was allocated.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/upload/http.h"
#include "client/verbs.h"
#include "config.h"
#include "tests/unit/capture.h"
#include "tests/unit/failing.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/fake_stub.h"
#include "tests/unit/own_directory.h"
#include "tests/unit/small_guest.h"

/* Behind client/status.h: it has a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

const struct verb verbs[] = {
	{ "dump", "", "", dump_run, false },
	{ "info", "", "", info_run, false },
	{ "release", "", "", release_run, false },
	{ "upload", "", "", upload_run, true },
	{ NULL, NULL, NULL, NULL, false },
};

enum { WORDS_MAX = 16, FILE_MAX = 4 << 20 };

#define PAGE_OF_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define WITH_NOTE  SMALL_GUEST SMALL_GUEST_RAN "memory 110000 " SMALL_GUEST_NOTE

/* ---- runs ------------------------------------------------------------------------------------ */

static struct fake_stub stub;

struct run {
	enum status status;
	char *out, *errors;
};

static void parse(struct options *options, const char *line)
{
	static char words[1024];
	char *argv[WORDS_MAX], *rest = words;
	struct failure failure;
	int argc = 0;

	snprintf(words, sizeof(words), "rspdump %s", line);
	while (argc < WORDS_MAX - 1 && (argv[argc] = strsep(&rest, " ")))
		argc++;
	argv[argc] = NULL;
	if (options_parse(options, argc, argv, &failure))
		fail_msg("%s: %s", line, failure.text);
}

/* One run of "VERB OPTION..." against a stub that has just been started. */
static struct run run(const char *description, const char *line)
{
	struct capture out, errors;
	struct options options;
	struct run run;
	struct stat st;

	failing_spare(true);
	fake_stub_start(&stub, description);
	parse(&options, line);
	options.target = stub.target;
	capture_start(&out, STDOUT_FILENO);
	capture_start(&errors, STDERR_FILENO);
	failing_spare(false);
	run.status = options.verb->run(&options);
	failing_spare(true);
	fflush(stdout);
	run.errors = capture_end(&errors);
	run.out = capture_end(&out);
	failing_spare(false);
	/* Where it was never taken up it is still ours. */
	if (fstat(stub.client, &st) == 0 && S_ISSOCK(st.st_mode))
		close(stub.client);
	return run;
}

/* Whether this build has the format that the line names. */
static bool is_built(const char *line)
{
	struct options options;

	parse(&options, line);
	return core_format_is_built(options.format);
}

/* Ends the stub. Whoever was spoken to was said good-bye to, and nothing behind it. */
static void end_run(struct run *run, const char *line, unsigned long nth)
{
	bool stays = strstr(line, "--after stop") != NULL;
	const char *last;

	free(run->out);
	free(run->errors);
	fake_stub_stop(&stub);
	last = fake_stub_last(&stub);
	assert_true(*last || run->status != STATUS_DONE);
	if (*last && (stub.end != WIRE_CLOSED || (strncmp(last, "> D", 3) == 0) == stays))
		fail_msg("%s: call %lu: the last word is %s", line, nth, last);
	fake_stub_deinit(&stub);
}

/* ---- what is expected ------------------------------------------------------------------------ */

static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "r");
	uint8_t *bytes = malloc(FILE_MAX);

	assert_non_null(file);
	assert_non_null(bytes);
	*size = fread(bytes, 1, FILE_MAX, file);
	assert_true(*size < FILE_MAX);
	fclose(file);
	return bytes;
}

/* The core of a run in which nothing fails. */
static uint8_t *core;
static size_t core_size;

static void make_reference(const char *description, const char *line)
{
	struct run r = run(description, line);

	if (r.status != STATUS_DONE)
		fail_msg("%s: %s", line, r.errors);
	core = read_file("core", &core_size);
	unlink("core");
	end_run(&r, line, 0);
}

static bool is_reference(void)
{
	size_t size;
	uint8_t *bytes = read_file("core", &size);
	bool same = size == core_size && memcmp(bytes, core, size) == 0;

	free(bytes);
	return same;
}

/* The last line that is no warning: why it failed. Its end is cut off. */
static const char *last_words(char *errors)
{
	const char *last = "";

	for (char *line = strtok(errors, "\n"); line; line = strtok(NULL, "\n"))
		if (!strstr(line, ": warning: "))
			last = line;
	return last;
}

/* It failed as documented, for one of these reasons. */
static void assert_failed(
	struct run *r, const struct failing *failing, const char *line, const char *const *reasons)
{
	const char *words = last_words(r->errors);

	if (r->status != (failing->what == FAILING_ALLOCATIONS ? STATUS_FAILED : STATUS_OUTPUT))
		fail_msg("%s: call %lu: status %d: %s", line, failing->nth, r->status, words);
	for (; *reasons; reasons++)
		if (strstr(words, *reasons))
			return;
	fail_msg("%s: call %lu: %s", line, failing->nth, words);
}

/* Dumps again and again. Returns in how many rounds there was a core all the same. */
static unsigned dump_in_rounds(struct failing *failing, const char *description, const char *line,
	const char *const *reasons)
{
	unsigned cores = 0;

	make_reference(description, line);
	while (failing_next(failing)) {
		struct run r = run(description, line);
		bool hit = failing_end(failing);

		if (exists("core.partial"))
			fail_msg("%s: call %lu: core.partial is left", line, failing->nth);
		if (r.status == STATUS_DONE) {
			/* A VMCOREINFO that could not be kept is told of. */
			if (!is_reference() && !(hit && strstr(r.errors, "no memory")))
				fail_msg("%s: call %lu: another core", line, failing->nth);
			unlink("core");
			cores++;
		} else {
			assert_true(hit);
			assert_failed(&r, failing, line, reasons);
			assert_false(exists("core"));
		}
		end_run(&r, line, failing->nth);
	}
	free(core);
	return cores;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static const char *const no_memory[] = { "no memory", "cannot start a thread", NULL };

static void test_dump_without_memory(void **state)
{
	static const char *const lines[] = {
		"dump -o core x",
		"dump -o core --flat --json --progress json x",
		"dump -o core -F kdump-zlib -j 2 --trace trace x",
		"dump -o core -F kdump-lzo -j 1 x",
		"dump -o core -F kdump-zstd -j 2 --flat x",
		"dump -o core --after stop --lane rsp x",
		"dump -o core --ram all -d 1 x",
		"dump -o core --ram 0-0x1ffff,0x100000-0x12ffff --vmcoreinfo 0x110000 x",
		"dump -o core --paging --begin 0x1000 --length 0x8000 x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		/* For all behind it to fail as well the first one will do. */
		struct failing failing = { .what = FAILING_ALLOCATIONS, .passes = i > 0 };

		if (!is_built(lines[i]))
			continue;
		dump_in_rounds(&failing, WITH_NOTE, lines[i], no_memory);
		/* Far less would mean that nothing was made to fail. */
		assert_true(failing.nth > 30);
	}
}

/* Pages that cannot be read are listed, which takes memory as well; the pieces are asked again. */
static void test_unreadable_without_memory(void **state)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS };
	static const char description[] = SMALL_GUEST SMALL_GUEST_RAN
		"memory 4000 1000 unreadable\nmemory 8000 1000 unreadable\n";
	bool incomplete = false;

	(void)state;
	while (failing_next(&failing)) {
		struct run r = run(description, "dump -o core x");

		failing_end(&failing);
		incomplete = r.status == STATUS_INCOMPLETE;
		if (!incomplete)
			assert_failed(&r, &failing, "unreadable", no_memory);
		assert_int_equal(exists("core"), incomplete);
		assert_false(exists("core.partial"));
		unlink("core");
		end_run(&r, "unreadable", failing.nth);
	}
	assert_true(incomplete);
}

static void without_memory(const char *line)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS, .passes = true };
	enum status status = STATUS_FAILED;

	while (failing_next(&failing)) {
		struct run r = run(WITH_NOTE, line);
		bool hit = failing_end(&failing);

		status = r.status;
		if (status != STATUS_DONE) {
			assert_true(hit);
			assert_failed(&r, &failing, line, no_memory);
		}
		end_run(&r, line, failing.nth);
	}
	assert_int_equal(status, STATUS_DONE);
}

static void test_others_without_memory(void **state)
{
	(void)state;
	without_memory("info x");
	without_memory("info --json x");
	without_memory("dump --dry-run x");
	without_memory("dump --dry-run --json --paging x");
	without_memory("release x");
}

/* What is known is told where no plan comes of it: this kernel has no struct pages. */
static void test_info_without_plan(void **state)
{
	struct run r = run(WITH_NOTE, "info --json -d 31 x");

	(void)state;
	assert_int_equal(r.status, STATUS_UNSUPPORTED);
	assert_non_null(strstr(r.out, "\"arch\": \"x86_64\""));
	assert_null(strstr(r.out, "\"seconds_expected\""));
	end_run(&r, "info", 0);
}

/* A guest that had panicked is not let run because nobody had the memory to ask. */
static void test_panicked_without_memory(void **state)
{
	static const char panicked[] = SMALL_GUEST
		"monitor info version = 8.1.0\n"
		"monitor info status = VM status: paused (guest-panicked)\n";
	struct failing failing = { .what = FAILING_ALLOCATIONS };
	enum status status = STATUS_FAILED;

	(void)state;
	while (failing_next(&failing)) {
		struct run r = run(panicked, "dump -o core x");

		failing_end(&failing);
		status = r.status;
		if (status != STATUS_DONE)
			assert_failed(&r, &failing, "panicked", no_memory);
		free(r.out);
		free(r.errors);
		fake_stub_stop(&stub);
		if (status == STATUS_DONE)
			assert_int_equal(fake_stub_count(&stub, "> D"), 0);
		fake_stub_deinit(&stub);
		unlink("core");
	}
	assert_int_equal(status, STATUS_DONE);
}

/* ---- uploads --------------------------------------------------------------------------------- */

static char session[128]; /* the answer that has the address of one */

/* What each store answers when all is well. */
static const char *answer_as_stores(const char *method, const char *path)
{
	bool is_dav = strstr(path, ".partial") != NULL;

	if (strcmp(method, "HEAD") == 0 && is_dav)
		return "200 OK\r\n\r\n" PAGE_OF_64;
	if (strcmp(method, "HEAD") == 0)
		return "404 Not Found\r\n\r\n";
	if (strcmp(method, "POST") == 0 && strstr(path, "uploads="))
		return "200 OK\r\n\r\n<X><UploadId>id</UploadId></X>";
	if (strcmp(method, "POST") == 0 && strstr(path, "uploadId="))
		return "200 OK\r\n\r\n<X></X>";
	if (strcmp(method, "POST") == 0)
		return session;
	if (strcmp(method, "PATCH") == 0)
		return "204 No Content\r\nUpload-Offset: 64\r\n\r\n";
	if (strcmp(method, "DELETE") == 0)
		return "404 Not Found\r\n\r\n";
	return "201 Created\r\nETag: \"a\"\r\n\r\n";
}

static void upload_without_memory(const char *path, const char *more)
{
	/* Threads are waited for in steps; twice as many rounds would take twice as long. */
	struct failing failing = { .what = FAILING_ALLOCATIONS, .passes = true };
	struct fake_server server;
	struct options options;
	char line[256];
	bool done = false;

	fake_server_start(&server, answer_as_stores);
	snprintf(line, sizeof(line), "upload core http://127.0.0.1:%u%s %s --header X-A:_b",
		server.port, path, more);
	snprintf(session, sizeof(session),
		"201 Created\r\nLocation: http://127.0.0.1:%u/session\r\n\r\n", server.port);
	while (failing_next(&failing)) {
		struct capture errors;
		enum status status;
		char *said;
		bool hit;

		failing_spare(true);
		parse(&options, line);
		capture_start(&errors, STDERR_FILENO);
		failing_spare(false);
		status = upload_run(&options);
		hit = failing_end(&failing);
		said = capture_end(&errors);
		done = status == STATUS_DONE;
		if (!done && (!hit || (status != STATUS_FAILED && status != STATUS_UPLOAD) ||
				     (!strstr(said, "no memory") &&
					     !strstr(said, "cannot start a thread"))))
			fail_msg("%s: call %lu: %d, %s", more, failing.nth, status, said);
		free(said);
		unlink("core.upload");
		fake_server_settle(&server);
	}
	assert_true(done);
	assert_true(failing.nth > 20);
	fake_server_stop(&server);
}

/* Without a file here, each part is in memory until it is sent. */
static void dump_into_store(const char *path, const char *more)
{
	struct failing failing = { .what = FAILING_ALLOCATIONS, .passes = true };
	struct fake_server server;
	enum status status = STATUS_FAILED;
	char line[256];

	fake_server_start(&server, answer_as_stores);
	snprintf(line, sizeof(line), "dump -o http://127.0.0.1:%u%s %s x", server.port, path, more);
	snprintf(session, sizeof(session),
		"201 Created\r\nLocation: http://127.0.0.1:%u/session\r\n\r\n", server.port);
	while (failing_next(&failing)) {
		struct run r = run(WITH_NOTE, line);
		bool hit = failing_end(&failing);
		const char *words = last_words(r.errors);

		status = r.status;
		if (status != STATUS_DONE &&
			(!hit || (status != STATUS_FAILED && status != STATUS_UPLOAD) ||
				(!strstr(words, "no memory") &&
					!strstr(words, "cannot start a thread"))))
			fail_msg("%s: call %lu: %d, %s", line, failing.nth, status, words);
		end_run(&r, line, failing.nth);
		fake_server_settle(&server);
	}
	assert_int_equal(status, STATUS_DONE);
	fake_server_stop(&server);
}

static void test_dump_into_store_without_memory(void **state)
{
	(void)state;
	if (!http_is_built() || !HAVE_NETTLE)
		skip();
	assert_int_equal(http_init(), 0);
	setenv("AWS_ACCESS_KEY_ID", "id", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	dump_into_store("/bucket/key", "--upload-as s3");
}

/* All of its stores; a record of how far it came is kept where it can be. */
static void test_upload_without_memory(void **state)
{
	FILE *file = fopen("core", "w");

	(void)state;
	if (!http_is_built() || !HAVE_NETTLE)
		skip();
	assert_non_null(file);
	assert_int_equal(fwrite(PAGE_OF_64, 1, 64, file), 64);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(http_init(), 0);
	setenv("AWS_ACCESS_KEY_ID", "id", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	setenv("AZURE_STORAGE_SAS_TOKEN", "sig=x", 1);
	setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "token", 1);
	upload_without_memory("/a/core", "--upload-as put --trace trace");
	upload_without_memory("/a/core", "--upload-as dav --force");
	upload_without_memory("/bucket/key", "--upload-as s3");
	upload_without_memory("/container/blob", "--upload-as azure");
	upload_without_memory("/files/", "--upload-as tus");
	upload_without_memory("/upload/storage/v1/b", "--upload-as gcs");
}

/* ---- the disk -------------------------------------------------------------------------------- */

static const struct {
	int error;
	const char *reasons[2];
} faults[] = {
	{ ENOSPC, { "No space left on device", NULL } },
	{ EDQUOT, { "Disk quota exceeded", NULL } },
	{ EIO, { "Input/output error", NULL } },
};

static const char *const output_lines[] = {
	"dump -o core x",
	"dump -o core -F kdump-zlib x",
	"dump -o core -F kdump-zlib --flat x",
	"dump -o core --force x",
};

static void test_dump_onto_broken_disk(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(output_lines) / sizeof(output_lines[0]); i++)
		for (size_t j = 0; j < sizeof(faults) / sizeof(faults[0]); j++) {
			struct failing failing = { .what = FAILING_OUTPUT,
				.error = faults[j].error };

			if (!is_built(output_lines[i]))
				continue;
			/*
			 * In the last round nothing fails. In those before it is the directory that
			 * cannot be synced, when the core has its name.
			 */
			assert_int_equal(dump_in_rounds(&failing, WITH_NOTE, output_lines[i],
						 faults[j].reasons),
				3);
			assert_true(failing.nth >= 5);
		}
}

/* What is written in part, or not because of a signal, is written in the end. */
static void test_dump_in_small_writes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(output_lines) / sizeof(output_lines[0]); i++) {
		struct failing part = { .what = FAILING_WRITES };
		struct failing signal = { .what = FAILING_WRITES, .error = EINTR, .passes = true };
		unsigned cores;

		if (!is_built(output_lines[i]))
			continue;
		cores = dump_in_rounds(&part, WITH_NOTE, output_lines[i], no_memory);
		assert_int_equal(cores, 2 * part.nth - 1);
		cores = dump_in_rounds(&signal, WITH_NOTE, output_lines[i], no_memory);
		assert_int_equal(cores, signal.nth);
		assert_true(part.nth >= 2 && signal.nth >= 2);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_directory, leave_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dump_without_memory),
		TEST(test_unreadable_without_memory),
		TEST(test_others_without_memory),
		TEST(test_panicked_without_memory),
		TEST(test_info_without_plan),
		TEST(test_upload_without_memory),
		TEST(test_dump_into_store_without_memory),
		TEST(test_dump_onto_broken_disk),
		TEST(test_dump_in_small_writes),
	};

	return cmocka_run_group_tests_name("verbs", tests, NULL, NULL);
}
