/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is written in digits, in words: numbers with decimals, times, dates, fractions, telephone numbers.
 * Private to engine/.
 */
#ifndef OROMO_VALUES_H
#define OROMO_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * Puts what the digits at the front of a token ("5", ".5") stand for behind words, and returns how much of
 * the token it was.  previous is the token before it, or NULL; of a sum of money two decimals are hundredths.
 */
size_t value_put(struct buf *words, const char *at, const char *previous, bool money);

/* Of a telephone number at the front, or 0. */
size_t value_telephone_length(const char *at);

#endif
