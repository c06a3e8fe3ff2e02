// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/decompress.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"

#if HAVE_ZLIB
#include <zlib.h>
#elif HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif
#if HAVE_LZO2
#include <lzo/lzo1x.h>
#endif
#if HAVE_SNAPPY
#include <snappy-c.h>
#endif
#if HAVE_ZSTD
#include <zstd.h>
#endif

/* Returns the number of bytes that came out, at most size; 0 if it failed. */
static size_t decompress(
	const struct codec *codec, const void *from, size_t from_size, void *to, size_t size)
{
#if HAVE_ZLIB
	if (codec == &codec_zlib) {
		uLongf written = size;

		return uncompress(to, &written, from, from_size) == Z_OK ? written : 0;
	}
#elif HAVE_LIBDEFLATE
	if (codec == &codec_zlib) {
		struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
		size_t written = 0;

		if (libdeflate_zlib_decompress(decompressor, from, from_size, to, size, &written))
			written = 0;
		libdeflate_free_decompressor(decompressor);
		return written;
	}
#endif
#if HAVE_LZO2
	if (codec == &codec_lzo) {
		lzo_uint written = size;

		return lzo1x_decompress_safe(from, from_size, to, &written, NULL) == LZO_E_OK
		               ? written
		               : 0;
	}
#endif
#if HAVE_SNAPPY
	if (codec == &codec_snappy) {
		size_t written = size;

		return snappy_uncompress(from, from_size, to, &written) == SNAPPY_OK ? written : 0;
	}
#endif
#if HAVE_ZSTD
	if (codec == &codec_zstd) {
		size_t written = ZSTD_decompress(to, size, from, from_size);

		return ZSTD_isError(written) ? 0 : written;
	}
#endif
	(void)codec;
	(void)from;
	(void)from_size;
	(void)to;
	(void)size;
	return 0;
}

bool decompresses_to(const struct codec *codec, const void *from, size_t from_size,
	const void *expected, size_t size)
{
	/* One byte more: what is too long is noticed. */
	void *to = calloc(1, size + 1);
	bool same;

	if (!to)
		abort();
	same = decompress(codec, from, from_size, to, size + 1) == size &&
	       memcmp(to, expected, size) == 0;
	free(to);
	return same;
}
