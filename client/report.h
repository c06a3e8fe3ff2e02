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

/* Warns of what the core will lack. */
void report_gaps(const struct options *options, const struct guest *guest, const struct plan *plan);

const char *found_text(enum found found);

#endif
