/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648): the standard alphabet of section 4 with padding, the URL alphabet of section 5 without.
 */
#ifndef CRYPTO_BASE64_H
#define CRYPTO_BASE64_H

#include <stddef.h>

/* Room for the text of size bytes and its NUL. */
#define BASE64_SIZE(size) (((size) + 2) / 3 * 4 + 1)

/* The most bytes that length characters can stand for. */
#define BASE64_DECODED_MAX(length) ((length) / 4 * 3)

void base64_encode(const void *bytes, size_t size, char *ret_text);
void base64url_encode(const void *bytes, size_t size, char *ret_text);

/*
 * Reads length characters of the standard alphabet, strictly: padded, no white space, and the bits that the
 * last character does not use are zero (RFC 4648 section 3.5), so that two texts never stand for the same
 * bytes. ret_bytes has room for BASE64_DECODED_MAX(length).  -EINVAL where the text is anything else.
 */
int base64_decode(const char *text, size_t length, void *ret_bytes, size_t *ret_size);

#endif
