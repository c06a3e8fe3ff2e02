/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file that a core goes to. It is written as FILE.partial, readable by its owner only, and gets
 * its name when it is whole: a core under its final name is never half a one. Standard output and
 * inherited descriptors are written as they are.
 */
#ifndef CLIENT_OUTPUT_H
#define CLIENT_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "client/options.h"
#include "layout/sink.h"

struct output;

/* Who is told of what is written, in bytes of the file; up to a MiB of it may still be on its way.
 */
struct output_watcher {
	void (*grown)(void *ctx, uint64_t size, bool zeros);
	void (*replaced)(void *ctx, uint64_t offset, uint64_t size);
	void *ctx;
};

/*
 * Opens it, without a byte written. Returns NULL and fills in failure if FILE exists (and may not
 * be replaced) or cannot be made.
 */
struct output *output_open(const struct options *options, struct failure *failure);

/*
 * What a core writes to. write_at is there if the output can seek, or is flattened: because
 * options->flat says so, or because the format needs write_at and the output has none. Lives as
 * long as the output.
 */
struct sink *output_sink(struct output *output);
bool output_is_flattened(const struct output *output);

/* From the next write on. The watcher stays the caller's. */
void output_watch(struct output *output, const struct output_watcher *watcher);

/* For reading what was written. */
int output_fd(const struct output *output);

/* Bytes that were written, holes included, and what the file takes on disk (0 where there is none).
 */
uint64_t output_size(const struct output *output);
uint64_t output_disk_usage(const struct output *output);

/* Brings everything to the disk and gives the file its name. Returns 0 or -1. */
int output_publish(struct output *output, struct failure *failure);

/* Whether there is a FILE.partial that may be kept. */
bool output_can_keep(const struct output *output);

/* Brings everything to the disk, but leaves the file as FILE.partial. Returns 0 or -1. */
int output_keep(struct output *output, struct failure *failure);

/* Closes it; a file that was neither published nor kept is removed. NULL accepted. */
void output_close(struct output *output);

#endif
