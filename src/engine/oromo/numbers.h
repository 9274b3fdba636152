/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers in words, put behind what is in a buffer, with single spaces between words.  A comma stands where a
 * listener needs a pause.  Private to engine/.
 */
#ifndef OROMO_NUMBERS_H
#define OROMO_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* The most digits of a number that is said as a quantity: beyond it listeners can follow digits only. */
#define NUMBER_DIGITS_MAX 12

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

void words_put(struct buf *words, const char *text);

/* A pause behind what is there. */
void words_pause(struct buf *words);

/* number is below 10 to the power of NUMBER_DIGITS_MAX. */
void number_put(struct buf *words, uint64_t number);

/* As a quantity where it is one, else (too long, or zeros in front) digit by digit. */
void number_put_digits(struct buf *words, const char *digits, size_t count);

/* Digit by digit, whatever it is. */
void number_spell(struct buf *words, const char *digits, size_t count);

/*
 * Glues an ending in lower case to the last word: "ffaa" makes an ordinal of it; -n and -f lengthen a short
 * vowel; a consonant is kept apart from the word's last one by i; of two vowels one stays.
 */
void words_end_with(struct buf *words, const char *ending, size_t length);

#endif
