/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From Unicode to text that a speech engine can take whatever the client wrote: printable ASCII, single
 * spaces, short tokens, short runs of punctuation.
 *
 * Typography and accents become their plain forms (NFKD, Unicode Standard Annex #15, and a table for what
 * that does not take apart); symbols with a name in speech become that name (text/symbols.h).  Numbers and
 * addresses are put in the words that a listener needs (text/number.h, text/address.h).  What has no form in
 * ASCII leaves a space and is counted.
 */
#ifndef TEXT_CLEAN_H
#define TEXT_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/language.h"

/*
 * The most bytes without a space.  Flite 2.2 needs more than linear time for a long token (4,000 letters: ten
 * seconds); at 64 a token costs no more a letter than an ordinary word does, and the longest words and most
 * addresses stay whole.
 */
#define CLEAN_TOKEN_MAX 64

/*
 * The most of one punctuation mark in a row, and of any marks.  Flite 2.2 overflows its heap at about 308
 * marks behind a token (get_token_postpunctuation); an ellipsis has three, and a sentence that ends within
 * brackets and quotes fewer than eight.  What is cut off has no sound.
 */
#define CLEAN_SAME_MARK_MAX 3
#define CLEAN_MARKS_MAX     8

/*
 * The most bytes that one clean text takes: 51 KB of memory a character is what flite's statistical voices
 * need, so this is 31 MB.
 */
#define CLEAN_BYTES_MAX 600

/* Source code points that have no form in ASCII. */
struct clean_losses {
    int64_t count;
    int64_t start; /* the first of them */
    int64_t end;   /* behind the last of them */
};

struct clean_text {
    size_t bytes;
    char text[CLEAN_BYTES_MAX + 1]; /* a NUL follows it */
    uint32_t
        origins[CLEAN_BYTES_MAX]; /* of each byte: the index of the source code point that it came from */
    bool speakable;               /* a letter, a digit or a named symbol is in it */
    struct clean_losses losses;   /* indices */
};

/*
 * Cleans code points.  Returns how many of them it took: all, unless CLEAN_BYTES_MAX was reached, and at
 * least one where there is one.  Code points may be any numbers.
 */
size_t clean_code_points(const struct text_language *language, const uint32_t *code_points, size_t count,
                         struct clean_text *ret_text);

#endif
