/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compressors of kdump's pages, one file each. A library may be missing from a build: its codec
 * is there all the same, with a name and the package that would bring it, and no functions.
 *
 * A context belongs to one thread at a time and is used again for page after page; what comes out
 * of a page depends on the page and the level alone, not on the pages before it.
 */
#ifndef LAYOUT_CODEC_H
#define LAYOUT_CODEC_H

#include <stdbool.h>
#include <stddef.h>

struct codec {
	const char *name;    /* "zlib" */
	const char *library; /* as configure --with-NAME calls it */
	const char *package; /* of Debian, that brings it */
	/* From 1, fast, to the smallest that is worth it, and what is used if none is asked for. */
	unsigned level_max, level; /* 0 without levels */

	/* All NULL in a build without the library. */
	void *(*create)(unsigned level); /* NULL without memory */
	void (*destroy)(void *context);
	/* The room that compress() wants for size bytes. */
	size_t (*bound)(size_t size);
	/*
	 * Returns the size of what was written to `to`. 0 if it failed or, in some, if the bytes
	 * would not become fewer; others then return a size that is not smaller.
	 */
	size_t (*compress)(void *context, const void *from, size_t size, void *to);
};

extern const struct codec codec_zlib, codec_lzo, codec_snappy, codec_zstd;

/* Whether this build can compress with it. */
static inline bool codec_is_built(const struct codec *codec)
{
	return codec->compress != NULL;
}

#endif
