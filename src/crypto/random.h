/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include <stddef.h>

/* Fills with random bytes from the kernel, fit for keys.  Ends the process where the kernel has none to give.
 */
void crypto_random(void *ret_bytes, size_t size);

#endif
