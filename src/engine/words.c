/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the words of an utterance are heard.
 *
 * Flite's Token relation does not tell where in the text a token was: file_pos is not its start, and the
 * analysis of abbreviations takes marks away.  But each run of bytes between blanks makes one token, unless
 * it is of opening marks alone, so that the text is walked along with the relation.
 */
#include <flite/flite.h>
#include <stdbool.h>
#include <string.h>

#include "engine/utterance.h"

/* From the end of the segment before a token's first one to the end of its last one, in seconds. */
#define TOKEN_START "R:Token.daughter1.R:SylStructure.daughter1.daughter1.R:Segment.p.end"
#define TOKEN_END   "R:Token.daughtern.R:SylStructure.daughtern.daughtern.R:Segment.end"

static const char blanks[] = " \t\n\r";

/* Flite makes no token of opening marks alone. */
static bool makes_token(const char *text, size_t length, const char *opening_marks)
{
    return strspn(text, opening_marks) < length;
}

static uint32_t to_sample(const cst_item *token, const char *path, uint32_t sample_rate, uint32_t least,
                          uint32_t most)
{
    double sample = (double)flite_ffeature_float(token, path) * sample_rate + 0.5;

    if (!(sample > least))
        return least;
    return sample < most ? (uint32_t)sample : most;
}

size_t utterance_words(const struct cst_utterance_struct *utterance, const char *text, uint32_t sample_rate,
                       uint32_t samples, struct frame_word *ret_words, size_t maximum)
{
    const cst_item *token = relation_head(utt_relation(utterance, "Token"));
    const char *opening_marks =
        get_param_string(utterance->features, "text_prepunctuation", cst_ts_default_prepunctuationsymbols);
    uint32_t heard = 0; /* no word begins before the one before it ended */
    size_t count = 0;
    size_t at = strspn(text, blanks);

    for (; text[at] != '\0' && count < maximum; count++) {
        size_t length = strcspn(text + at, blanks);
        struct frame_word *word = &ret_words[count];

        *word = (struct frame_word){(uint32_t)at, (uint32_t)(at + length), heard, heard};
        if (token != NULL && makes_token(text + at, length, opening_marks)) {
            /* A token without a sound has no end: then neither moves. */
            uint32_t end = to_sample(token, TOKEN_END, sample_rate, heard, samples);

            if (end > heard) {
                word->sample_start = to_sample(token, TOKEN_START, sample_rate, heard, end);
                word->sample_end = heard = end;
            }
            token = item_next(token);
        }
        at += length;
        at += strspn(text + at, blanks);
    }
    return count;
}
