/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the bytes of a core go. Formats append in sequence; a sink that can also write at an
 * earlier place says so by write_at, and formats that have late headers then use it. The client
 * implements sinks (a file, a pipe, an upload); tests implement one in memory.
 */
#ifndef LAYOUT_SINK_H
#define LAYOUT_SINK_H

#include <stddef.h>
#include <stdint.h>

struct sink {
	/* Appends. Returns 0, or -1 and error() tells why. */
	int (*write)(struct sink *sink, const void *bytes, size_t size);
	/* Appends size zero bytes: a hole where the output can have one. Returns 0 or -1. */
	int (*zero)(struct sink *sink, uint64_t size);
	/* Replaces bytes that were appended before; NULL if the output cannot. Returns 0 or -1. */
	int (*write_at)(struct sink *sink, uint64_t offset, const void *bytes, size_t size);
	/* Why the last call failed, one line. */
	const char *(*error)(struct sink *sink);
};

#endif
