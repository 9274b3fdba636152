/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/tokens.h"

#include <errno.h>
#include <string.h>

static const char replacement[] = "\xEF\xBF\xBD";

void tokenizer_init(struct tokenizer *tokenizer, next_word *next, void *words, take_token *take,
                    void *context)
{
    memset(tokenizer, 0, sizeof *tokenizer);
    tokenizer->next = next;
    tokenizer->words = words;
    tokenizer->take = take;
    tokenizer->context = context;
    tokenizer->token.text = tokenizer->text;
    tokenizer->input = BUF_INIT(TOKENIZER_FEED_MAX + UTF8_SEQUENCE_MAX);
}

void tokenizer_release(struct tokenizer *tokenizer)
{
    buf_release(&tokenizer->input);
}

/* True where there is a word that begins before so many code points. */
static int look_for_word(struct tokenizer *tokenizer, int64_t before, bool *ret_found, struct error *err)
{
    if (!tokenizer->has_word && !tokenizer->no_more_words) {
        int r = tokenizer->next(tokenizer->words, &tokenizer->word, err);

        if (r < 0)
            return r;
        tokenizer->no_more_words = r == WORDS_NONE_LEFT;
        tokenizer->has_word = r == 0;
    }
    *ret_found = tokenizer->has_word && tokenizer->word.source_start < before;
    return 0;
}

/* The token is heard from its first word that is heard to its last one. */
static void add_word(struct tokenizer *tokenizer, bool *heard)
{
    const struct timed_word *word = &tokenizer->word;
    struct timed_token *token = &tokenizer->token;

    tokenizer->has_word = false;
    if (word->sample_end <= word->sample_start)
        return;
    if (!*heard)
        token->sample_start = word->sample_start;
    token->sample_end = word->sample_end;
    tokenizer->heard_until = word->sample_end;
    *heard = true;
}

/* Gives the token in hand, if there is one. */
static int give_token(struct tokenizer *tokenizer, struct error *err)
{
    struct timed_token *token = &tokenizer->token;
    bool heard = false, found = false;
    int r;

    if (token->bytes == 0)
        return 0;
    token->source_end = tokenizer->position;
    token->sample_start = token->sample_end = tokenizer->heard_until;
    while ((r = look_for_word(tokenizer, token->source_end, &found, err)) == 0 && found)
        add_word(tokenizer, &heard);
    if (r < 0)
        return r;
    tokenizer->text[token->bytes] = '\0';
    r = tokenizer->take(tokenizer->context, token, err);
    token->bytes = 0;
    token->starts_paragraph = false;
    return r;
}

static void begin_token(struct tokenizer *tokenizer)
{
    struct timed_token *token = &tokenizer->token;

    token->source_start = tokenizer->position;
    token->starts_paragraph = tokenizer->breaks.count >= 2;
    tokenizer->breaks = (struct line_breaks){0};
}

static int take_code_point(struct tokenizer *tokenizer, const char *bytes, size_t size, uint32_t code_point,
                           struct error *err)
{
    struct timed_token *token = &tokenizer->token;
    int r = 0;

    if (boundary_is_white(code_point)) {
        r = give_token(tokenizer, err);
        line_breaks_add(&tokenizer->breaks, code_point);
    } else {
        if (token->bytes > 0 && tokenizer->position - token->source_start == TOKEN_CHARS_MAX)
            r = give_token(tokenizer, err);
        if (token->bytes == 0)
            begin_token(tokenizer);
        memcpy(tokenizer->text + token->bytes, bytes, size);
        token->bytes += size;
    }
    tokenizer->position++;
    return r;
}

/* Takes all of the input but, before the end of the text, a sequence whose rest may come. */
static int take_input(struct tokenizer *tokenizer, bool is_end, struct error *err)
{
    struct buf *input = &tokenizer->input;
    const char *bytes = buf_str(input);
    size_t at = 0;
    int r = 0;

    while (r == 0 && at < input->length) {
        size_t left = input->length - at;
        uint32_t code_point = UTF8_REPLACEMENT;
        size_t used = utf8_decode(bytes + at, left, &code_point);

        if (used == 0 && left < UTF8_SEQUENCE_MAX && !is_end)
            break;
        if (used > 0)
            r = take_code_point(tokenizer, bytes + at, used, code_point, err);
        else
            r = take_code_point(tokenizer, replacement, sizeof replacement - 1, code_point, err);
        at += used > 0 ? used : 1;
    }
    buf_consume(input, at);
    return r;
}

int tokenizer_feed(struct tokenizer *tokenizer, const char *bytes, size_t size, struct error *err)
{
    buf_append(&tokenizer->input, bytes, size);
    if (!buf_ok(&tokenizer->input))
        return error_set(err, -ENOMEM, "no memory for the tokens of a text");
    return take_input(tokenizer, false, err);
}

int tokenizer_end(struct tokenizer *tokenizer, struct error *err)
{
    int r = take_input(tokenizer, true, err);

    return r == 0 ? give_token(tokenizer, err) : r;
}
