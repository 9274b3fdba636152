/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/equal.h"

#include <openssl/crypto.h>
#include <string.h>

bool crypto_equal(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}

bool crypto_equal_str(const char *a, const char *b)
{
    size_t length = strlen(a);

    return length == strlen(b) && crypto_equal(a, b, length);
}
