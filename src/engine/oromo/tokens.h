/* SPDX-License-Identifier: Apache-2.0 */
/* What is said for a token, a run of characters between blanks.  Private to engine/. */
#ifndef OROMO_TOKENS_H
#define OROMO_TOKENS_H

#include <stdbool.h>

#include "base/buf.h"

/* The most bytes that are said for a token: 16 for each of its own, and the longest name of a sign has 10. */
#define TOKEN_WORDS_MAX 4096

struct token {
    const char *text;   /* printable ASCII, without the punctuation around it; up to ENGINE_TOKEN_MAX bytes */
    const char *before; /* the token before previous */
    const char *previous; /* the token before it, with nothing but blanks between; NULL where there is none */
    const char *next;     /* likewise the one behind it */
    const char *after;    /* and the one behind next */
    bool in_telephone;    /* one group of a telephone number of several tokens */
};

/*
 * The words of a token: lower case, single spaces between them, a comma behind one for a pause.  Nothing for
 * a token that is silent: marks, or what the token before it has said already, such as the unit of a number.
 */
void token_words(const struct token *token, struct buf *ret_words);

/* Whether a stop behind the token belongs to it. */
bool token_is_abbreviation(const char *text);

#endif
