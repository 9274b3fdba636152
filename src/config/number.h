/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers with a suffix: counts, sizes and durations. */
#ifndef CONFIG_NUMBER_H
#define CONFIG_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum number_kind {
    NUMBER_COUNT,    /* K M G are powers of 1000; a suffix may be left out */
    NUMBER_SIZE,     /* bytes: K M G are powers of 1024; a suffix may be left out */
    NUMBER_DURATION, /* milliseconds: ms s m h d; the suffix must be there, since a bare number says too
                        little */
};

/* Decimal digits and at most one suffix, nothing else.  -EINVAL where it is malformed or outside of min to
 * max. */
int number_parse(enum number_kind kind, const char *text, int64_t min, int64_t max, int64_t *ret_number,
                 struct error *err);

/* Writes number (not negative) so that number_parse() reads it again, with the largest suffix that divides
 * it. */
#define NUMBER_TEXT_SIZE 24
void number_format(enum number_kind kind, int64_t number, char ret_text[NUMBER_TEXT_SIZE]);

/* "1s to 1h". */
void number_describe_range(enum number_kind kind, int64_t min, int64_t max, char *ret_text, size_t size);

#endif
