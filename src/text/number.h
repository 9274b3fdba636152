/* SPDX-License-Identifier: Apache-2.0 */
/* How what is set around numbers is read: raised digits, fractions in one character, signs of money. */
#ifndef TEXT_NUMBER_H
#define TEXT_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "text/language.h"

/* The ASCII form of a raised digit, sign or n at code_points[at], or '\0'.  The n of "2ⁿᵈ" is a letter. */
char number_raised(const uint32_t *code_points, size_t count, size_t at);

/*
 * What is said in front of the raised characters that start at `at`: " to the " behind a number or a single
 * letter, " " behind a word, where they are the number of a note.  A sign in front of digits is in it, too.
 */
const char *number_power(const struct text_language *language, const uint32_t *code_points, size_t count,
                         size_t at);

/* The most code points of an amount: what is longer is no sum of money. */
#define NUMBER_AMOUNT_MAX 32

/* An amount of money: the code points behind its sign, and what is said behind them, at most 12 bytes. */
struct number_amount {
    size_t length;
    const char *unit;
};

/*
 * Finds an amount of a currency of the language in English form whose sign is at `at`: "€5", "£1,000", "€2.5
 * million".  Its length is 0 where there is none.
 */
struct number_amount number_amount(const struct text_language *language, const uint32_t *code_points,
                                   size_t count, size_t at);

#endif
