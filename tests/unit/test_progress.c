// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/clock.h"
#include "client/interrupt.h"
#include "client/progress.h"
#include "tests/unit/capture.h"

/* Behind client/status.h: it has a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum {
	EVERY = 250,  /* milliseconds between two bars, and two lines of JSON, at least */
	LONG = 20000, /* more than any mode stays quiet */
	MANY = 1000000000,
};

static struct progress progress;

static void begin(enum progress_mode mode, uint64_t total)
{
	const struct options options = { .progress = mode };

	progress_init(&progress, &options);
	progress_start(&progress, total);
}

/* As if nothing had been shown for so long. */
static void pass(uint64_t milliseconds)
{
	progress.shown -= milliseconds;
}

/* What a function of this file leaves on stderr, a file. */
static char *shown(void (*play)(void))
{
	struct capture capture;

	capture_start(&capture, STDERR_FILENO);
	play();
	return capture_end(&capture);
}

static void assert_shown(void (*play)(void), const char *expected)
{
	char *text = shown(play);

	assert_string_equal(text, expected);
	free(text);
}

/* Moves *text behind what it has to begin with. */
static void take(const char **text, const char *expected)
{
	if (strncmp(*text, expected, strlen(expected)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", *text, expected);
	*text += strlen(expected);
}

static void take_digits(const char **text)
{
	size_t digits = strspn(*text, "0123456789");

	assert_int_not_equal(digits, 0);
	*text += digits;
}

static void take_rest_of_line(const char **text)
{
	*text += strcspn(*text, "\n");
	take(text, "\n");
}

/* ---- plain lines ----------------------------------------------------------------------------- */

static void play_percents(void)
{
	begin(PROGRESS_PLAIN, 1000);
	progress_update(&progress, 0);
	progress_update(&progress, 99);
	progress_update(&progress, 100);
	progress_update(&progress, 150);
	progress_update(&progress, 199);
	progress_update(&progress, 555);
	progress_update(&progress, 649);
	progress_update(&progress, 1000);
	progress_end(&progress, NULL);
}

static void test_plain(void **state)
{
	char *text = shown(play_percents);
	const char *at = text;

	(void)state;
	take(&at, "rspdump:  10%  100 bytes of 1000 bytes  ");
	take_rest_of_line(&at);
	take(&at, "rspdump:  55%  555 bytes of 1000 bytes  ");
	take_rest_of_line(&at);
	take(&at, "rspdump: 100%  1000 bytes of 1000 bytes  ");
	/* Nothing is left to wait for. */
	assert_null(strstr(at, "left"));
	take_rest_of_line(&at);
	assert_string_equal(at, "");
	free(text);
}

static void play_slowness(void)
{
	begin(PROGRESS_PLAIN, 1 << 20);
	progress_update(&progress, 1);
	pass(9000);
	progress_update(&progress, 2);
	pass(2000);
	progress_update(&progress, 1024);
	progress_update(&progress, 1025);
}

/* A dump that takes hours tells now and then that it lives. */
static void test_plain_slow(void **state)
{
	char *text = shown(play_slowness);
	const char *at = text;

	(void)state;
	take(&at, "rspdump:   0%  1.0 KiB of 1.0 MiB  ");
	take_rest_of_line(&at);
	assert_string_equal(at, "");
	free(text);
}

static void play_rate(void)
{
	begin(PROGRESS_PLAIN, 8 << 20);
	/* 4 MiB in some 1000 s; the tests that run beside this may add some to it. */
	progress.started -= 1000000;
	progress_update(&progress, 4 << 20);
}

static void test_rate(void **state)
{
	char *text = shown(play_rate);
	unsigned percent, left;
	double rate;

	(void)state;
	assert_int_equal(sscanf(text, "rspdump: %u%% 4.0 MiB of 8.0 MiB %lf KiB/s %u s left\n",
				 &percent, &rate, &left),
		3);
	assert_int_equal(percent, 50);
	assert_in_range((unsigned)rate, 3, 4);
	assert_in_range(left, 1000, 1300);
	free(text);
}

static void play_nothing_to_do(void)
{
	begin(PROGRESS_PLAIN, 0);
	progress_update(&progress, 0);
	progress_end(&progress, NULL);
}

static void test_no_memory_at_all(void **state)
{
	char *text = shown(play_nothing_to_do);
	const char *at = text;

	(void)state;
	take(&at, "rspdump: 100%  0 bytes of 0 bytes  ");
	take_rest_of_line(&at);
	assert_string_equal(at, "");
	free(text);
}

/* ---- modes that are silent ------------------------------------------------------------------- */

static void play_none(void)
{
	begin(PROGRESS_NONE, 100);
	pass(LONG);
	progress_update(&progress, 50);
	progress_end(&progress, "failed");
}

/* stderr is a file: neither is there a bar by itself, nor one that was asked for. */
static void play_auto(void)
{
	begin(PROGRESS_AUTO, 100);
	pass(LONG);
	progress_update(&progress, 50);
	progress_end(&progress, NULL);
}

static void play_bar(void)
{
	begin(PROGRESS_BAR, 100);
	pass(LONG);
	progress_update(&progress, 50);
	progress_end(&progress, NULL);
}

static void test_silent(void **state)
{
	(void)state;
	assert_shown(play_none, "");
	assert_shown(play_auto, "");
	assert_int_equal(progress.mode, PROGRESS_NONE);
	assert_shown(play_bar, "");
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void play_json(void)
{
	begin(PROGRESS_JSON, 4096);
	pass(EVERY);
	progress_update(&progress, 2048);
	pass(EVERY);
	progress_update(&progress, 4096);
	progress_end(&progress, NULL);
}

static void take_timestamp(const char **text)
{
	take(text, ", \"timestamp\": {\"seconds\": ");
	take_digits(text);
	take(text, ", \"microseconds\": ");
	take_digits(text);
	take(text, "}}\n");
}

static void test_json(void **state)
{
	char *text = shown(play_json);
	const char *at = text;

	(void)state;
	take(&at, "{\"status\": \"active\", \"completed\": 0, \"total\": 4096}\n");
	take(&at, "{\"status\": \"active\", \"completed\": 2048, \"total\": 4096}\n");
	take(&at, "{\"status\": \"active\", \"completed\": 4096, \"total\": 4096}\n");
	take(&at, "{\"event\": \"DUMP_COMPLETED\", \"data\": {\"result\": {\"status\": "
		  "\"completed\", \"completed\": 4096, \"total\": 4096}}");
	take_timestamp(&at);
	assert_string_equal(at, "");
	free(text);
}

static void play_json_failure(void)
{
	begin(PROGRESS_JSON, 10);
	progress.completed = 5;
	progress_end(&progress, "the \"stub\"\nis gone");
}

static void test_json_failure(void **state)
{
	char *text = shown(play_json_failure);
	const char *at = text;

	(void)state;
	take(&at, "{\"status\": \"active\", \"completed\": 0, \"total\": 10}\n");
	take(&at,
		"{\"event\": \"DUMP_COMPLETED\", \"data\": {\"result\": {\"status\": \"failed\", "
		"\"completed\": 5, \"total\": 10}, \"error\": \"the \\\"stub\\\"\\u000ais gone\"}");
	take_timestamp(&at);
	assert_string_equal(at, "");
	free(text);
}

static void play_json_never_started(void)
{
	const struct options options = { .progress = PROGRESS_JSON };

	progress_init(&progress, &options);
	progress_end(&progress, "cannot connect");
}

/* Whoever waits for the event gets it, too, if the dump does not come to its memory. */
static void test_json_never_started(void **state)
{
	char *text = shown(play_json_never_started);
	const char *at = text;

	(void)state;
	take(&at, "{\"event\": \"DUMP_COMPLETED\", \"data\": {\"result\": {\"status\": \"failed\", "
		  "\"completed\": 0, \"total\": 0}, \"error\": \"cannot connect\"}");
	take_timestamp(&at);
	free(text);
}

/* ---- SIGUSR1 --------------------------------------------------------------------------------- */

static void play_signal(void)
{
	begin(PROGRESS_NONE, 200);
	raise(SIGUSR1);
	progress_update(&progress, 50);
	progress_update(&progress, 60);
}

static void play_json_signal(void)
{
	begin(PROGRESS_JSON, 200);
	raise(SIGUSR1);
	progress_update(&progress, 50);
}

static void test_signal(void **state)
{
	const char *at;
	char *text;

	(void)state;
	assert_int_equal(interrupt_init(), 0);
	text = shown(play_signal);
	at = text;
	take(&at, "rspdump:  25%  50 bytes of 200 bytes  ");
	take_rest_of_line(&at);
	assert_string_equal(at, "");
	free(text);
	/* Each line of that mode is JSON. */
	text = shown(play_json_signal);
	at = text;
	take(&at, "{\"status\": \"active\", \"completed\": 0, \"total\": 200}\n");
	take(&at, "{\"status\": \"active\", \"completed\": 50, \"total\": 200}\n");
	free(text);
}

/* ---- the bar --------------------------------------------------------------------------------- */

static int open_terminal(unsigned short columns, char *name, size_t name_size)
{
	const struct winsize window = { .ws_row = 24, .ws_col = columns };
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);

	assert_true(terminal >= 0);
	assert_int_equal(grantpt(terminal), 0);
	assert_int_equal(unlockpt(terminal), 0);
	assert_int_equal(ioctl(terminal, TIOCSWINSZ, &window), 0);
	assert_int_equal(ptsname_r(terminal, name, name_size), 0);
	return terminal;
}

/* In a session of its own, whose terminal stderr becomes. */
static void play_there(const char *name, int master, void (*play)(void))
{
	int terminal;

	alarm(30);
	close(master);
	setsid();
	terminal = open(name, O_RDWR);
	if (terminal < 0 || dup2(terminal, STDERR_FILENO) < 0)
		_exit(1);
	close(terminal);
	play();
	_exit(0);
}

/* What comes out of a terminal of so many columns, whose foreground the player is at first. */
static char *drawn(unsigned short columns, void (*play)(void))
{
	char name[64];
	int master = open_terminal(columns, name, sizeof(name));
	size_t size = 0, room = 1 << 16;
	char *text = malloc(room);
	pid_t child;
	int status;
	ssize_t n;

	assert_non_null(text);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		play_there(name, master, play);
	/* Linux fails with EIO once nobody has the terminal any more. */
	while (size < room - 1 && (n = read(master, text + size, room - 1 - size)) > 0)
		size += (size_t)n;
	text[size] = '\0';
	close(master);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return text;
}

static size_t count(const char *text, const char *what)
{
	size_t found = 0;

	while ((text = strstr(text, what))) {
		found++;
		text += strlen(what);
	}
	return found;
}

#define CLEAR "\r\033[K"

static void draw_halves(void)
{
	begin(PROGRESS_AUTO, 100 << 20);
	pass(EVERY);
	progress_update(&progress, 50 << 20);
	pass(EVERY);
	progress_update(&progress, 100 << 20);
	progress_end(&progress, NULL);
}

/* 80 columns leave 24 for the bar beside 52 for the numbers. */
static void test_bar(void **state)
{
	char *text = drawn(80, draw_halves);
	const char *at = text;

	(void)state;
	take(&at, CLEAR "[############............]  50%  50.0 MiB of 100.0 MiB  ");
	at += strcspn(at, "\r");
	take(&at, CLEAR "[########################] 100%  100.0 MiB of 100.0 MiB  ");
	at += strcspn(at, "\r");
	assert_string_equal(at, CLEAR);
	free(text);
}

static void assert_fits(const char *text, size_t columns)
{
	for (const char *at = strstr(text, CLEAR); at; at = strstr(at, CLEAR)) {
		at += strlen(CLEAR);
		assert_in_range(strcspn(at, "\r\n"), 0, columns - 1);
	}
}

static void test_widths(void **state)
{
	static const unsigned short widths[] = { 5, 20, 56, 57, 79, 80, 116, 117, 200 };

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		char *text = drawn(widths[i], draw_halves);

		assert_int_equal(count(text, CLEAR "["), 2);
		assert_fits(text, widths[i]);
		free(text);
	}
}

/* As many updates as fit into more than two pauses, and in the end how long that took. */
static void show_often(enum progress_mode mode)
{
	double started = monotonic_seconds(), elapsed = 0;

	begin(mode, MANY);
	while (elapsed < 2.4 * EVERY) {
		progress_update(&progress, progress.completed + 1);
		elapsed = (monotonic_seconds() - started) * 1000;
	}
	fprintf(stderr, "\n%.0f", elapsed);
}

static void draw_often(void)
{
	show_often(PROGRESS_BAR);
}

static void play_json_often(void)
{
	show_often(PROGRESS_JSON);
}

static size_t most_in_time(const char *text)
{
	const char *line = strrchr(text, '\n');

	assert_non_null(line);
	return (size_t)strtol(line, NULL, 10) / EVERY;
}

static void test_seldom(void **state)
{
	char *text = drawn(80, draw_often);

	(void)state;
	assert_in_range(count(text, CLEAR), 0, most_in_time(text));
	free(text);
	text = shown(play_json_often);
	/* And the one at the start. */
	assert_in_range(count(text, "active"), 1, 1 + most_in_time(text));
	free(text);
}

/* SIGUSR1's line, and messages, go where the bar was. */
static void draw_line(void)
{
	interrupt_init();
	begin(PROGRESS_BAR, 100);
	pass(EVERY);
	progress_update(&progress, 10);
	raise(SIGUSR1);
	progress_update(&progress, 20);
	pass(EVERY);
	progress_update(&progress, 30);
	progress_clear(&progress);
	progress_clear(&progress);
	fputs("message", stderr);
	progress_end(&progress, NULL);
}

static void test_line_over_bar(void **state)
{
	static const char *const order[] = {
		CLEAR "[##......................]  10%  10 bytes of 100 bytes  ",
		CLEAR "rspdump:  20%  20 bytes of 100 bytes  ",
		"\n" CLEAR "[#######.................]  30%  30 bytes of 100 bytes  ",
		CLEAR "message",
	};
	char *text = drawn(80, draw_line);
	const char *at = text;

	(void)state;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		const char *found = strstr(at, order[i]);

		if (found)
			at = found + strlen(order[i]);
		else
			fail_msg("no \"%s\" in its place in \"%s\"", order[i], text);
	}
	/* What is clear is not cleared again. */
	assert_string_equal(at, "");
	free(text);
}

/* Another process group has the terminal. */
static void draw_from_background(void)
{
	pid_t child = fork();

	if (child == 0) {
		setpgid(0, 0);
		begin(PROGRESS_AUTO, 100);
		if (progress.mode != PROGRESS_NONE)
			_exit(1);
		draw_halves();
		begin(PROGRESS_BAR, 100);
		pass(EVERY);
		progress_update(&progress, 10);
		progress_end(&progress, NULL);
		_exit(0);
	}
	int status;

	if (waitpid(child, &status, 0) != child || status != 0)
		_exit(1);
}

static void test_background(void **state)
{
	char *text = drawn(80, draw_from_background);

	(void)state;
	assert_string_equal(text, "");
	free(text);
}

static void draw_quietly(void)
{
	const struct options options = { .quiet = true };

	progress_init(&progress, &options);
	progress_start(&progress, 100);
	pass(EVERY);
	progress_update(&progress, 10);
	progress_end(&progress, NULL);
}

static void test_quiet(void **state)
{
	char *text = drawn(80, draw_quietly);

	(void)state;
	assert_string_equal(text, "");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_plain_slow),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_no_memory_at_all),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_failure),
		cmocka_unit_test(test_json_never_started),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_bar),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_seldom),
		cmocka_unit_test(test_line_over_bar),
		cmocka_unit_test(test_background),
		cmocka_unit_test(test_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
