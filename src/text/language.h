/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a language brings to the text layer: its words for what is written in signs, and the abbreviations
 * whose stop ends no sentence.  A language is a file, with a row in the table of language.c.
 */
#ifndef TEXT_LANGUAGE_H
#define TEXT_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/symbols.h"

/* A sign of money that is written before the number and said behind it: " pound " behind 1, " pounds ". */
struct text_currency {
    uint32_t sign;
    const char *one;
    const char *many; /* at most 12 bytes */
};

struct text_language {
    const char *name; /* as the catalogue of jobs has it */

    /* The name of a symbol, or NULL: see symbols.h. */
    const char *(*symbol_name)(uint32_t code_point);

    /* Tables of words, ended by a row of zeros, in the order of the code points. */
    const struct symbol *fractions;     /* "one half", for ½ */
    const struct symbol *address_marks; /* "dot", within an address */

    /* Said around numbers, each with a space at either end. */
    const char *squared; /* behind it, for ²; without spaces where the engine reads it with its unit */
    const char *cubed;
    const char *degree;      /* the same for °; NULL where it is a symbol as others are */
    const char *conjunction; /* between a number and a fraction: " and " */
    const char *power;       /* in front of what is raised: " to the " */
    const char *power_minus; /* the same with a sign: " to the minus " */
    const char *power_plus;
    const char *minus;
    const char *plus;

    /* The engine reads " - " between numbers as a range; else a dash there is a pause as it is between words.
     */
    bool spaced_ranges;

    /* Empty where the name of the symbol is said in its place. */
    const struct text_currency *currencies; /* ended by a row of zeros */
    const char *const *scales;              /* behind an amount: " million" */

    /* Words in lower case without their last stop; each list is ended by NULL. */
    const char *const *abbreviations;        /* a capital or a digit may follow within the sentence */
    const char *const *number_abbreviations; /* a digit may */
    const char *const
        *doubtful_abbreviations;          /* with a capital: these end a sentence about as often as not */
    const char *const *sentence_starters; /* words that a sentence starts with more often than a name does */
};

extern const struct text_language text_english;
extern const struct text_language text_oromo;

/* By name; English for one that is not known, so that any text can be taken apart. */
const struct text_language *text_language_find(const char *name);

/* Whether a list that NULL ends has the word. */
bool text_list_has(const char *const *list, const char *word);

/* The text of the row for a code point in a table that a row of zeros ends, or NULL. */
const char *text_table_find(const struct symbol *table, uint32_t code_point);

#endif
