/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers in base 36, digits before lower-case letters, so that they sort as their numbers do. */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters that carry at least 128 random bits: 36^25 is 2^129.2. */
#define ID_RANDOM_CHARS 25

/* The most characters that a 64-bit number takes, and so a width at which equal widths compare as numbers. */
#define ID_NUMBER_CHARS 13

/* Fills ret_text with count random characters from the kernel, each equally likely, and a NUL behind them. */
void id_random(char *ret_text, size_t count);

/* Writes number in exactly width characters (at most ID_NUMBER_CHARS; it must fit) and a NUL behind them. */
void id_format_number(uint64_t number, char *ret_text, size_t width);

/* Reads exactly width characters; false where one is not of the alphabet or the number passes 64 bits. */
bool id_parse_number(const char *text, size_t width, uint64_t *ret_number);

#endif
