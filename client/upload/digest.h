/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Digests by nettle, and how they are written. Where rspdump was built without it, all are zero. */
#ifndef CLIENT_UPLOAD_DIGEST_H
#define CLIENT_UPLOAD_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"

#if HAVE_NETTLE
#include <nettle/md5.h>
#include <nettle/sha2.h>
#endif

enum {
	SHA256_SIZE = 32,
	MD5_SIZE = 16,
	DIGEST_HEX_SIZE = 2 * SHA256_SIZE + 1, /* with the NUL, of the longest of them */
};

struct sha256 {
#if HAVE_NETTLE
	struct sha256_ctx ctx;
#else
	char none;
#endif
};

struct md5 {
#if HAVE_NETTLE
	struct md5_ctx ctx;
#else
	char none;
#endif
};

void sha256_begin(struct sha256 *sha256);
void sha256_add(struct sha256 *sha256, const void *bytes, size_t size);
void sha256_end(struct sha256 *sha256, uint8_t digest[SHA256_SIZE]);
void sha256_of(const void *bytes, size_t size, uint8_t digest[SHA256_SIZE]);

void md5_begin(struct md5 *md5);
void md5_add(struct md5 *md5, const void *bytes, size_t size);
void md5_end(struct md5 *md5, uint8_t digest[MD5_SIZE]);

void hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
	uint8_t digest[SHA256_SIZE]);

/* Lower case; text has room for 2 * size + 1. Returns text. */
char *hex_text(char *text, const void *bytes, size_t size);

/* Bytes of 2 * size hexadecimal digits. Returns 0, or -1 if they are not, or something follows. */
int hex_bytes(const char *text, uint8_t *bytes, size_t size);

/* base64 with padding; text has room for BASE64_SIZE(size). Returns text. */
#define BASE64_SIZE(size) (((size) + 2) / 3 * 4 + 1)
char *base64_text(char *text, const void *bytes, size_t size);

#endif
