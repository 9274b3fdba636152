/* SPDX-License-Identifier: Apache-2.0 */
/* How Afaan Oromoo reads abbreviations, units, signs and letters: tables.  Private to engine/. */
#ifndef OROMO_VOCABULARY_H
#define OROMO_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>

/* The words that an abbreviation stands for, without its last stop: "obb", "A.L.I"; or NULL.  Some are in
 * capitals only ("WD"). */
const char *vocabulary_abbreviation(const char *text, size_t length);

/* The name of a month by its short form ("Onk"), which is one beside a number alone; or NULL. */
const char *vocabulary_month(const char *token);

/* The half of the day that "am", "p.m" and the like are behind a time; or NULL. */
const char *vocabulary_half_day(const char *token);

/* The unit or the currency that is written behind a number and said in front of it, "km", "%", "ETB"; or
 * NULL.
 */
const char *vocabulary_unit(const char *text, size_t length);

/* What is said for a raised sign behind anything but a number, "^2" or "^oC", and how much of the text that
 * is; or NULL. */
const char *vocabulary_raised(const char *text, size_t *ret_length);

/* A sign of ASCII that is said by its name, or NULL for one that is silent. */
const char *vocabulary_sign(char sign);

/* Whether letters are an ending even where a space or a hyphen sets them apart: "24 f", "2016-tti". */
bool vocabulary_is_ending(const char *token);

/* "st" of "1st" and the like. */
bool vocabulary_is_english_ordinal(const char *letters);

/* Whether a word says that a time of the day follows, or a sum of money. */
bool vocabulary_is_hour(const char *token);
bool vocabulary_is_money(const char *token);

#endif
