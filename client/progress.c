// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "client/clock.h"
#include "client/interrupt.h"
#include "client/json.h"
#include "client/tell.h"

enum {
	BAR_EVERY_MS = 250,
	JSON_EVERY_MS = 250,
	PLAIN_EVERY_MS = 10000,
	PLAIN_EVERY_PERCENT = 10,
	WIDTH_UNKNOWN = 80,
	NUMBERS_WIDTH = 52, /* beside the bar */
	BAR_MAX = 60,
};

static uint64_t now_ms(void)
{
	return (uint64_t)(monotonic_seconds() * 1000);
}

static bool in_foreground(void)
{
	return isatty(STDERR_FILENO) && tcgetpgrp(STDERR_FILENO) == getpgrp();
}

static unsigned percent(const struct progress *progress)
{
	return progress->total
	               ? (unsigned)((double)progress->completed * 100 / (double)progress->total)
	               : 100;
}

static uint64_t elapsed_ms(const struct progress *progress)
{
	return now_ms() - progress->started;
}

/* "37%  189.2 MiB of 511.9 MiB  78.1 MiB/s  4 s left" */
static void format_numbers(const struct progress *progress, char *text, size_t size)
{
	char completed[AMOUNT_TEXT_SIZE], total[AMOUNT_TEXT_SIZE], rate[AMOUNT_TEXT_SIZE];
	uint64_t elapsed = elapsed_ms(progress);
	double per_second = elapsed ? (double)progress->completed * 1000 / (double)elapsed : 0;
	int used = snprintf(text, size, "%3u%%  %s of %s  %s/s", percent(progress),
		amount_text(completed, (double)progress->completed),
		amount_text(total, (double)progress->total), amount_text(rate, per_second));

	if (progress->uploaded && (size_t)used < size)
		used += snprintf(text + used, size - (size_t)used, "  %s uploaded",
			amount_text(rate, (double)progress->uploaded(progress->upload)));
	if (per_second > 0 && progress->completed < progress->total && (size_t)used < size)
		snprintf(text + used, size - (size_t)used, "  %.0f s left",
			(double)(progress->total - progress->completed) / per_second + 0.5);
}

static size_t terminal_width(void)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	return columns && atoi(columns) > 0 ? (size_t)atoi(columns) : WIDTH_UNKNOWN;
}

static void draw_bar(struct progress *progress)
{
	char numbers[160];
	char bar[BAR_MAX + 1];
	size_t width = terminal_width();
	size_t room = width > NUMBERS_WIDTH + 4 ? width - NUMBERS_WIDTH - 4 : 0;
	size_t length = room < BAR_MAX ? room : BAR_MAX;
	size_t full = length * percent(progress) / 100;

	/* Somebody sent us to the background: the terminal is another's now. */
	if (!in_foreground())
		return;
	for (size_t i = 0; i < length; i++)
		bar[i] = i < full ? '#' : '.';
	bar[length] = '\0';
	format_numbers(progress, numbers, sizeof(numbers));
	fprintf(stderr, "\r\033[K[%s] %.*s", bar,
		(int)(width > length + 4 ? width - length - 4 : 0), numbers);
	fflush(stderr);
	progress->on_screen = true;
}

void progress_clear(struct progress *progress)
{
	if (progress->on_screen)
		fputs("\r\033[K", stderr);
	progress->on_screen = false;
}

static void print_line(struct progress *progress)
{
	char numbers[160];

	progress_clear(progress);
	format_numbers(progress, numbers, sizeof(numbers));
	fprintf(stderr, "rspdump: %s\n", numbers);
}

static void write_state(struct json *json, const struct progress *progress, const char *status)
{
	json_string(json, "status", status);
	json_number(json, "completed", progress->completed);
	json_number(json, "total", progress->total);
	if (progress->uploaded)
		json_number(json, "uploaded", progress->uploaded(progress->upload));
}

static void print_json_line(const struct progress *progress)
{
	struct json json;

	json_init(&json, stderr);
	json_open(&json, NULL, '{');
	write_state(&json, progress, "active");
	json_close(&json, '}');
	fputc('\n', stderr);
}

/* In words that whoever reads stderr can take. */
static void show_now(struct progress *progress)
{
	if (progress->mode == PROGRESS_JSON)
		print_json_line(progress);
	else
		print_line(progress);
}

static void print_json_event(const struct progress *progress, const char *error)
{
	struct json json;
	struct timeval now;

	gettimeofday(&now, NULL);
	json_init(&json, stderr);
	json_open(&json, NULL, '{');
	json_string(&json, "event", "DUMP_COMPLETED");
	json_open(&json, "data", '{');
	json_open(&json, "result", '{');
	write_state(&json, progress, error ? "failed" : "completed");
	json_close(&json, '}');
	if (error)
		json_string(&json, "error", error);
	json_close(&json, '}');
	json_open(&json, "timestamp", '{');
	json_number(&json, "seconds", (uint64_t)now.tv_sec);
	json_number(&json, "microseconds", (uint64_t)now.tv_usec);
	json_close(&json, '}');
	json_close(&json, '}');
	fputc('\n', stderr);
}

void progress_init(struct progress *progress, const struct options *options)
{
	*progress = (struct progress){ .mode = options->progress };
	if (progress->mode == PROGRESS_AUTO)
		progress->mode = in_foreground() && !options->quiet ? PROGRESS_BAR : PROGRESS_NONE;
}

void progress_start(struct progress *progress, uint64_t total)
{
	progress->total = total;
	progress->completed = 0;
	progress->shown_percent = 0;
	progress->started = progress->shown = now_ms();
	if (progress->mode == PROGRESS_JSON)
		print_json_line(progress);
}

void progress_watch_upload(struct progress *progress, uint64_t (*uploaded)(void *ctx), void *upload)
{
	progress->uploaded = uploaded;
	progress->upload = upload;
}

void progress_update(struct progress *progress, uint64_t completed)
{
	uint64_t now = now_ms();
	uint64_t quiet_for = now - progress->shown;

	progress->completed = completed;
	if (interrupt_wants_progress())
		show_now(progress);
	switch (progress->mode) {
	case PROGRESS_BAR:
		if (quiet_for < BAR_EVERY_MS)
			return;
		draw_bar(progress);
		break;
	case PROGRESS_JSON:
		if (quiet_for < JSON_EVERY_MS)
			return;
		print_json_line(progress);
		break;
	case PROGRESS_PLAIN:
		if (quiet_for < PLAIN_EVERY_MS &&
			percent(progress) < progress->shown_percent + PLAIN_EVERY_PERCENT)
			return;
		print_line(progress);
		progress->shown_percent = percent(progress);
		break;
	default:
		return;
	}
	progress->shown = now;
}

void progress_end(struct progress *progress, const char *error)
{
	progress_clear(progress);
	if (progress->mode == PROGRESS_JSON)
		print_json_event(progress, error);
}
