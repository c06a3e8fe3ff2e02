// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/upload/digest.h"

#include <string.h>

#include "rsp/hex.h"

#if HAVE_NETTLE

#include <nettle/hmac.h>
#include <nettle/version.h>

/* nettle 4 has no lengths any more: what was the whole digest for us all the time. */
#if NETTLE_VERSION_MAJOR >= 4
#define WHOLE(size)
#else
#define WHOLE(size) (size),
#endif

void sha256_begin(struct sha256 *sha256)
{
	sha256_init(&sha256->ctx);
}

void sha256_add(struct sha256 *sha256, const void *bytes, size_t size)
{
	sha256_update(&sha256->ctx, size, bytes);
}

void sha256_end(struct sha256 *sha256, uint8_t digest[SHA256_SIZE])
{
	sha256_digest(&sha256->ctx, WHOLE(SHA256_SIZE) digest);
}

void md5_begin(struct md5 *md5)
{
	md5_init(&md5->ctx);
}

void md5_add(struct md5 *md5, const void *bytes, size_t size)
{
	md5_update(&md5->ctx, size, bytes);
}

void md5_end(struct md5 *md5, uint8_t digest[MD5_SIZE])
{
	md5_digest(&md5->ctx, WHOLE(MD5_SIZE) digest);
}

void hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
	uint8_t digest[SHA256_SIZE])
{
	struct hmac_sha256_ctx ctx;

	hmac_sha256_set_key(&ctx, key_size, key);
	hmac_sha256_update(&ctx, size, bytes);
	hmac_sha256_digest(&ctx, WHOLE(SHA256_SIZE) digest);
}

#else

void sha256_begin(struct sha256 *sha256)
{
	sha256->none = 0;
}

void sha256_add(struct sha256 *sha256, const void *bytes, size_t size)
{
	(void)sha256;
	(void)bytes;
	(void)size;
}

void sha256_end(struct sha256 *sha256, uint8_t digest[SHA256_SIZE])
{
	(void)sha256;
	memset(digest, 0, SHA256_SIZE);
}

void md5_begin(struct md5 *md5)
{
	md5->none = 0;
}

void md5_add(struct md5 *md5, const void *bytes, size_t size)
{
	(void)md5;
	(void)bytes;
	(void)size;
}

void md5_end(struct md5 *md5, uint8_t digest[MD5_SIZE])
{
	(void)md5;
	memset(digest, 0, MD5_SIZE);
}

void hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
	uint8_t digest[SHA256_SIZE])
{
	(void)key;
	(void)key_size;
	(void)bytes;
	(void)size;
	memset(digest, 0, SHA256_SIZE);
}

#endif

void sha256_of(const void *bytes, size_t size, uint8_t digest[SHA256_SIZE])
{
	struct sha256 sha256;

	sha256_begin(&sha256);
	sha256_add(&sha256, bytes, size);
	sha256_end(&sha256, digest);
}

char *hex_text(char *text, const void *bytes, size_t size)
{
	rsp_hex_encode(bytes, size, text);
	text[2 * size] = '\0';
	return text;
}

int hex_bytes(const char *text, uint8_t *bytes, size_t size)
{
	size_t length = strlen(text);

	if (length != 2 * size ||
		rsp_hex_decode((const uint8_t *)text, length, bytes, size) != size)
		return -1;
	return 0;
}

char *base64_text(char *text, const void *bytes, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *from = bytes;
	char *to = text;

	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		uint32_t three = (uint32_t)from[i] << 16;

		if (left > 1)
			three |= (uint32_t)from[i + 1] << 8;
		if (left > 2)
			three |= from[i + 2];
		*to++ = digits[three >> 18];
		*to++ = digits[three >> 12 & 63];
		*to++ = left > 1 ? digits[three >> 6 & 63] : '=';
		*to++ = left > 2 ? digits[three & 63] : '=';
	}
	*to = '\0';
	return text;
}
