/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 (FIPS 180-4).  Nothing here fails but for memory when a struct is made: a library that cannot hash
 * ends the process, since whatever rests on a hash would rest on nothing.
 */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include <stddef.h>

#define SHA256_SIZE     32 /* bytes of a hash */
#define SHA256_HEX_SIZE 65 /* the hash in lower-case hex and a NUL */

/* A hash under way, for what comes in pieces. */
struct sha256;

/* NULL where memory ran out. */
struct sha256 *sha256_new(void);
struct sha256 *sha256_free(struct sha256 *hash);

void sha256_update(struct sha256 *hash, const void *bytes, size_t size);

/* The hash of all that was given; the struct then starts anew. */
void sha256_final(struct sha256 *hash, unsigned char ret_hash[SHA256_SIZE]);
void sha256_final_hex(struct sha256 *hash, char ret_hex[SHA256_HEX_SIZE]);

/* In one call. */
void sha256(const void *bytes, size_t size, unsigned char ret_hash[SHA256_SIZE]);

/* Writes size bytes as 2 * size lower-case hex digits and a NUL. */
void hex_encode(const void *bytes, size_t size, char *ret_hex);

#endif
