/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was learned and done, told twice: to people in lines, and to programs as one JSON object.
 * Fields of the object may be added, but are never renamed.
 */
#ifndef CLIENT_REPORT_H
#define CLIENT_REPORT_H

#include "client/attach.h"
#include "client/guest.h"
#include "client/json.h"
#include "client/plan.h"

/* "stub", "guest", "kernel", "ram": members of the object that is open. */
void report_stub_json(struct json *json, const struct attachment *attachment);
void report_guest_json(struct json *json, const struct guest *guest);
void report_ranges_json(struct json *json, const char *name, const struct ranges *ranges);
void report_failure_json(struct json *json, const struct failure *failure);

/* The same to stdout, for `info`. */
void report_stub_text(const struct attachment *attachment);
void report_guest_text(const struct guest *guest);
void report_ranges_text(const struct ranges *ranges);

/* The core of a plan: what is in it and what is not, and with a rate how long it would take. */
struct forecast {
	const struct plan *plan;
	const struct options *options;
	double rate; /* bytes a second at which memory comes; 0 if unknown */
};

void report_forecast_text(const struct forecast *forecast);
void report_forecast_json(struct json *json, const struct forecast *forecast);

/* "dump_level" and, if the plan looked at pages, "pages": members of the object that is open. */
void report_pages_json(struct json *json, const struct plan *plan);

/* What was left out, one line; nothing if the plan did not look at pages. */
void report_pages_left_out(const struct options *options, const struct plan *plan);

/* Warns of what the core will lack. */
void report_gaps(const struct options *options, const struct guest *guest, const struct plan *plan);

const char *found_text(enum found found);

#endif
