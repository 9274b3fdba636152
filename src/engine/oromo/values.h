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

/* The most digits between two blanks of a telephone number, and the most groups that blanks set apart. */
#define TELEPHONE_GROUP_DIGITS 7
#define TELEPHONE_GROUPS_MAX   6

/* How many of the tokens, from the first on, are one telephone number: "0911", "23", "45", "67"; or 0. */
size_t value_telephone_groups(const char *const *tokens, size_t count);

/* Puts the digits at the front one by one, maybe with a + before them and hyphens between, at which there are
 * pauses; returns how much of the token that was. */
size_t value_put_grouped(struct buf *words, const char *at);

#endif
