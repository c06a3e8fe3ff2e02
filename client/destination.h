/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a dump's core goes: into a file, to a store, or both. The file is written in any case as if
 * there was no store, and stays if the upload fails.
 */
#ifndef CLIENT_DESTINATION_H
#define CLIENT_DESTINATION_H

#include "client/json.h"
#include "client/output.h"
#include "client/plan.h"
#include "client/progress.h"
#include "client/upload/upload.h"

struct destination {
	const struct options *options;
	struct output *output; /* NULL if there is no file */
	struct upload *upload; /* NULL if there is no store */
	struct output_watcher watcher;
};

/* Opens the file and asks the store, before a guest is stopped for it. Returns 0 or -1. */
int destination_open(
	struct destination *destination, const struct options *options, struct failure *failure);

/* Whether it takes a note that is found late. */
bool destination_takes_late_note(const struct destination *destination);

/* The plan is made: the upload begins. Returns 0 or -1. */
int destination_start(
	struct destination *destination, const struct plan *plan, struct failure *failure);

struct sink *destination_sink(struct destination *destination);

/* The core is whole: the file gets its name. Returns 0 or -1. */
int destination_publish(struct destination *destination, struct failure *failure);

/*
 * A core that is not what it should be, but all that can be had: whether there is a file to keep it
 * in, and keeping it, as FILE.partial. Returns 0 or -1.
 */
bool destination_can_keep(const struct destination *destination);
int destination_keep(struct destination *destination, struct failure *failure);

/* Waits for the upload, if there is one. Returns 0 or -1; the file stays. */
int destination_wait(
	struct destination *destination, struct progress *progress, struct failure *failure);

/* What the dump failed of, if that was the upload. */
void destination_blame(struct destination *destination, struct failure *failure);

/* What it is called: the file, or the URL as it may be shown. */
const char *destination_name(const struct destination *destination);

/* Members of the object that is open: "output" and so on, "upload". */
void destination_json(struct json *json, const struct destination *destination);

void destination_close(struct destination *destination);

#endif
