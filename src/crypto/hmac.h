/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA256 (RFC 2104, FIPS 198-1). */
#ifndef CRYPTO_HMAC_H
#define CRYPTO_HMAC_H

#include <stddef.h>

#include "crypto/sha256.h"

void hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
                 unsigned char ret_mac[SHA256_SIZE]);

struct hmac_part {
    const void *bytes;
    size_t size;
};

/* Over the parts one behind the other, as if they were one. */
void hmac_sha256_parts(const void *key, size_t key_size, const struct hmac_part *parts, size_t count,
                       unsigned char ret_mac[SHA256_SIZE]);

#endif
