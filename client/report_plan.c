// SPDX-License-Identifier: GPL-2.0-or-later
/* What a plan keeps and leaves out, told. */
#include "client/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/tell.h"

/* Classes of pages, by what decided that they are left out. */
static const struct class_row {
	const char *key, *title;
	size_t offset; /* in struct page_filter_counts */
} classes[] = {
#define CLASS(member, title)                                                \
	{                                                                   \
#member, title, offsetof(struct page_filter_counts, member) \
	}
	CLASS(cache, "cache"),
	CLASS(private_cache, "cache with private data"),
	CLASS(user, "user"),
	CLASS(free, "free"),
	CLASS(unaccepted, "unaccepted"),
	CLASS(hwpoison, "broken"),
	CLASS(offline, "offline"),
#undef CLASS
};

enum { CLASSES = sizeof(classes) / sizeof(*classes) };

static uint64_t count_of(const struct plan *plan, const struct class_row *class)
{
	uint64_t count;

	memcpy(&count, (const char *)&plan->pages + class->offset, sizeof(count));
	return count;
}

static double bytes_of(const struct plan *plan, uint64_t pages)
{
	return (double)pages * (double)(UINT64_C(1) << plan->core.page_shift);
}

/* "user 1.2 GiB, free 300 MiB": those that there are. */
static void list_classes(const struct plan *plan, char *text, size_t size)
{
	char amount[AMOUNT_TEXT_SIZE];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < CLASSES; i++) {
		uint64_t count = count_of(plan, &classes[i]);

		if (!count || used >= size)
			continue;
		used += (size_t)snprintf(text + used, size - used, "%s%s %s", used ? ", " : "",
			classes[i].title, amount_text(amount, bytes_of(plan, count)));
	}
	if (!used)
		snprintf(text, size, "nothing");
}

void report_pages_json(struct json *json, const struct plan *plan)
{
	json_number(json, "dump_level", plan->core.dump_level);
	if (!plan->core.kept)
		return;
	json_open(json, "pages", '{');
	json_number(json, "page_bytes", UINT64_C(1) << plan->core.page_shift);
	json_number(json, "total", plan->pages.total);
	/* Also those that no struct decides on: of undecided ones, and of ROM. */
	json_number(json, "kept", page_set_count(plan->core.kept));
	for (size_t i = 0; i < CLASSES; i++)
		json_number(json, classes[i].key, count_of(plan, &classes[i]));
	json_number(json, "undecided", plan->pages.undecided);
	json_number(json, "struct_bytes", plan->pages.struct_bytes);
	json_close(json, '}');
}

void report_pages_left_out(const struct options *options, const struct plan *plan)
{
	char text[256], amount[AMOUNT_TEXT_SIZE];

	if (!plan->core.kept)
		return;
	list_classes(plan, text, sizeof(text));
	tell(options, TELL_RESULT, "left out by dump level %u: %s", plan->core.dump_level, text);
	if (plan->pages.undecided)
		tell(options, TELL_RESULT, "%s of memory is in no class that is known, and kept",
			amount_text(amount, bytes_of(plan, plan->pages.undecided)));
}

/* ---- before it is taken ---------------------------------------------------------------------- */

/* Structs of pages were read when the plan was made, and would be again. */
static uint64_t bytes_to_read(const struct plan *plan)
{
	return plan->bytes + plan->pages.struct_bytes;
}

/* Of a core whose pages are compressed only that it is not larger than they are. */
static uint64_t bytes_expected(const struct forecast *forecast)
{
	uint64_t size = core_expected_size(forecast->options->format, &forecast->plan->core);

	return size ? size : forecast->plan->bytes;
}

static double seconds_expected(const struct forecast *forecast)
{
	double bytes = (double)bytes_to_read(forecast->plan);

	return forecast->rate > 0 ? bytes / forecast->rate : 0;
}

void report_forecast_text(const struct forecast *forecast)
{
	char size[AMOUNT_TEXT_SIZE], rate[AMOUNT_TEXT_SIZE], left_out[256];
	const struct plan *plan = forecast->plan;

	if (plan->core.kept) {
		list_classes(plan, left_out, sizeof(left_out));
		printf("pages       %" PRIu64 " of %" PRIu64 " kept by dump level %u\n",
			page_set_count(plan->core.kept), plan->pages.total, plan->core.dump_level);
		printf("            left out: %s\n", left_out);
		if (plan->pages.undecided)
			printf("            undecided, and kept: %s\n",
				amount_text(size, bytes_of(plan, plan->pages.undecided)));
	}
	printf("a core      %s, %s at most", forecast->options->format->title,
		amount_text(size, (double)bytes_expected(forecast)));
	printf(", %s to read, in about %.0f s at %s/s\n",
		amount_text(size, (double)bytes_to_read(plan)), seconds_expected(forecast) + 0.5,
		amount_text(rate, forecast->rate));
}

void report_forecast_json(struct json *json, const struct forecast *forecast)
{
	report_pages_json(json, forecast->plan);
	json_number(json, "memory_bytes", forecast->plan->bytes);
	json_number(json, "bytes_to_read", bytes_to_read(forecast->plan));
	json_number(json, "file_bytes_expected", bytes_expected(forecast));
	json_real(json, "bytes_per_second", forecast->rate);
	json_real(json, "seconds_expected", seconds_expected(forecast));
}
