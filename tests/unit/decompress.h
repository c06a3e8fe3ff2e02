/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The libraries' own way back from what the codecs make, for tests of what is compressed. */
#ifndef TESTS_UNIT_DECOMPRESS_H
#define TESTS_UNIT_DECOMPRESS_H

#include "layout/codec.h"

/* Whether these bytes are a whole compressed form of the `size` bytes at expected. */
bool decompresses_to(const struct codec *codec, const void *from, size_t from_size,
	const void *expected, size_t size);

#endif
