/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/random.h"

#include <stdlib.h>
#include <unistd.h>

/* The most that getentropy(3) gives in one call. */
#define ENTROPY_MAX 256

void crypto_random(void *ret_bytes, size_t size)
{
    unsigned char *to = ret_bytes;

    while (size > 0) {
        size_t part = size < ENTROPY_MAX ? size : ENTROPY_MAX;

        if (getentropy(to, part) < 0)
            abort();
        to += part;
        size -= part;
    }
}
