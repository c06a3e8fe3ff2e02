// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "tests/unit/fake_stub.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/failing.h"

enum { HANG_SECONDS = 60 };

static void *run(void *data)
{
	struct fake_stub *stub = data;

	failing_spare(true);
	if (stub->script)
		stub->end = replay(stub->script, stub->server, stub->server, stub->log_file);
	else
		stub->end = serve(&stub->machine, stub->server, stub->server, stub->log_file);
	shutdown(stub->server, SHUT_RDWR);
	return NULL;
}

/* Seconds for a test that hangs; more where all is slower, under valgrind for one. */
static unsigned patience(void)
{
	const char *limit = getenv("TEST_TIMEOUT");
	unsigned long seconds = limit ? strtoul(limit, NULL, 10) : 0;

	return seconds > HANG_SECONDS ? (unsigned)seconds : HANG_SECONDS;
}

static void start(struct fake_stub *stub)
{
	int pair[2];

	failing_spare(true);
	alarm(patience());
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	stub->client = pair[0];
	stub->server = pair[1];
	snprintf(stub->target, sizeof(stub->target), "fd:%d", stub->client);
	stub->log_file = tmpfile();
	assert_non_null(stub->log_file);
	assert_int_equal(pthread_create(&stub->thread, NULL, run, stub), 0);
	stub->running = true;
	failing_spare(false);
}

void fake_stub_start(struct fake_stub *stub, const char *description)
{
	char why[256] = "";

	memset(stub, 0, sizeof(*stub));
	failing_spare(true);
	machine_init(&stub->machine);
	if (machine_describe(&stub->machine, description, ".", why, sizeof(why)))
		fail_msg("%s", why);
	failing_spare(false);
	start(stub);
}

void fake_stub_replay(struct fake_stub *stub, const char *script)
{
	memset(stub, 0, sizeof(*stub));
	machine_init(&stub->machine);
	stub->script = script;
	start(stub);
}

static void read_log(struct fake_stub *stub)
{
	long size = ftell(stub->log_file);

	assert_true(size >= 0);
	stub->log = calloc(1, (size_t)size + 1);
	assert_non_null(stub->log);
	rewind(stub->log_file);
	assert_int_equal(fread(stub->log, 1, (size_t)size, stub->log_file), size);
}

enum wire_end fake_stub_stop(struct fake_stub *stub)
{
	failing_spare(true);
	if (stub->running) {
		pthread_join(stub->thread, NULL);
		close(stub->server);
		read_log(stub);
		fclose(stub->log_file);
		stub->running = false;
	}
	failing_spare(false);
	return stub->end;
}

void fake_stub_deinit(struct fake_stub *stub)
{
	fake_stub_stop(stub);
	free(stub->log);
	machine_deinit(&stub->machine);
}

size_t fake_stub_count(const struct fake_stub *stub, const char *prefix)
{
	size_t count = 0;

	for (const char *line = stub->log; line && *line;) {
		count += strncmp(line, prefix, strlen(prefix)) == 0;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return count;
}

const char *fake_stub_last(const struct fake_stub *stub)
{
	static char last[512];

	last[0] = '\0';
	for (const char *line = stub->log; line && *line;) {
		if (strncmp(line, "> ", 2) == 0)
			snprintf(last, sizeof(last), "%.*s", (int)strcspn(line, "\n"), line);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return last;
}

struct rsp_options fake_stub_options(int cancel_fd)
{
	return (struct rsp_options){
		.connect_timeout_ms = 1000,
		.timeout_ms = 2000,
		.cancel_fd = cancel_fd,
	};
}

struct rsp *fake_stub_open(const struct fake_stub *stub)
{
	struct rsp_options options = fake_stub_options(-1);
	struct rsp *rsp;

	failing_spare(true);
	rsp = rsp_create(&options);
	assert_non_null(rsp);
	if (rsp_open(rsp, stub->target))
		fail_msg("%s", rsp_error(rsp));
	failing_spare(false);
	return rsp;
}

void fake_stub_assert_detached(const struct fake_stub *stub)
{
	assert_int_equal(stub->end, WIRE_CLOSED);
	if (*stub->machine.supported) {
		assert_int_equal(strncmp(fake_stub_last(stub), "> D", 3), 0);
		return;
	}
	assert_non_null(strstr(stub->log, "> D\n< OK\n> +\n"));
	assert_string_equal(fake_stub_last(stub), "> +");
}
