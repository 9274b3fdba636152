/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CRYPTO_EQUAL_H
#define CRYPTO_EQUAL_H

#include <stdbool.h>
#include <stddef.h>

/* Compares in a time that depends on size alone, so that a guess learns nothing from how long its answer
 * took. */
bool crypto_equal(const void *a, const void *b, size_t size);

/* The same for strings; the time depends on their lengths. */
bool crypto_equal_str(const char *a, const char *b);

#endif
