// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Snappy, which has no levels. Its C interface keeps no context: each call takes its 12 KiB of
 * working memory for a page of 4 KiB itself, from what malloc() has at hand for the thread.
 */
#include "layout/codec.h"

#include "config.h"

#if HAVE_SNAPPY

#include <snappy-c.h>

static char no_context;

static void *create(unsigned level)
{
	(void)level;
	return &no_context;
}

static void destroy(void *context)
{
	(void)context;
}

static size_t compress_page(void *context, const void *from, size_t size, void *to)
{
	size_t written = snappy_max_compressed_length(size);

	(void)context;
	return snappy_compress(from, size, to, &written) == SNAPPY_OK ? written : 0;
}

#endif

const struct codec codec_snappy = {
	.name = "snappy",
	.library = "snappy",
	.package = "libsnappy-dev",
#if HAVE_SNAPPY
	.create = create,
	.destroy = destroy,
	.bound = snappy_max_compressed_length,
	.compress = compress_page,
#endif
};
