// SPDX-License-Identifier: GPL-2.0-or-later
/* LZO1X-1, the one that QEMU and makedumpfile use too; readers undo any LZO1X. It has no levels. */
#include "layout/codec.h"

#include "config.h"

#if HAVE_LZO2

#include <lzo/lzo1x.h>
#include <stdlib.h>

static void *create(unsigned level)
{
	(void)level;
	return lzo_init() == LZO_E_OK ? malloc(LZO1X_1_MEM_COMPRESS) : NULL;
}

static void destroy(void *context)
{
	free(context);
}

/* What lzo's own documentation says of data that does not compress. */
static size_t bound(size_t size)
{
	return size + size / 16 + 64 + 3;
}

static size_t compress_page(void *context, const void *from, size_t size, void *to)
{
	lzo_uint written = 0;

	return lzo1x_1_compress(from, size, to, &written, context) == LZO_E_OK ? written : 0;
}

#endif

const struct codec codec_lzo = {
	.name = "lzo",
	.library = "lzo",
	.package = "liblzo2-dev",
#if HAVE_LZO2
	.create = create,
	.destroy = destroy,
	.bound = bound,
	.compress = compress_page,
#endif
};
