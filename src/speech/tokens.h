/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of a text, which are what white space separates, each with the time when it is heard: the text
 * and the timed words of its audio, both read once from start to end, side by side.
 */
#ifndef SPEECH_TOKENS_H
#define SPEECH_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "speech/words.h"
#include "text/boundary.h"
#include "text/utf8.h"

/* A longer token is given in parts: nobody writes such a word, and memory must not grow with it. */
#define TOKEN_CHARS_MAX 1000

/* Ends are exclusive. */
struct timed_token {
    const char *text; /* as in the source, in UTF-8, with a NUL behind it */
    size_t bytes;
    int64_t source_start; /* code points of the whole text */
    int64_t source_end;
    int64_t sample_start; /* samples of the whole audio */
    int64_t sample_end;   /* equal to sample_start where it is silent: then both are where it would be */
    bool starts_paragraph;
};

/* Where the words come from: 0, WORDS_NONE_LEFT, or a failure. */
typedef int next_word(void *context, struct timed_word *ret_word, struct error *err);

/* Where the tokens go; *token lasts for the call.  A failure ends it all. */
typedef int take_token(void *context, const struct timed_token *token, struct error *err);

struct tokenizer {
    next_word *next;
    void *words;
    take_token *take;
    void *context;

    struct buf input; /* what was fed, up to a sequence that is cut in two */
    int64_t position; /* code points so far */
    struct line_breaks breaks;

    struct timed_token token;
    char text[TOKEN_CHARS_MAX * UTF8_SEQUENCE_MAX + 1];
    bool has_word; /* word is one that no token has yet */
    bool no_more_words;
    struct timed_word word;
    int64_t heard_until; /* samples */
};

void tokenizer_init(struct tokenizer *tokenizer, next_word *next, void *words, take_token *take,
                    void *context);
void tokenizer_release(struct tokenizer *tokenizer);

/* The most bytes that are fed at once. */
#define TOKENIZER_FEED_MAX (64 * 1024)

/* Takes the next bytes of the text, which may cut a sequence in two; each byte of a broken one is U+FFFD. */
int tokenizer_feed(struct tokenizer *tokenizer, const char *bytes, size_t size, struct error *err);

/* There is no more text. */
int tokenizer_end(struct tokenizer *tokenizer, struct error *err);

#endif
