/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/phones.h"

#include <errno.h>
#include <flite/flite.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/language.h"
#include "engine/utterance.h"
#include "text/segment.h"

static const struct engine_language *find_language(const char *name)
{
    size_t count;
    const struct engine_language *const *languages = engine_languages(&count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(languages[i]->name, name) == 0)
            return languages[i];
    return NULL;
}

static void print_segment(const cst_item *segment, const char *stress, FILE *out)
{
    const char *name = item_feat_string(segment, "name");
    bool vowel = strcmp(phone_feature_string(item_phoneset(segment), name, "vc"), "+") == 0;

    fprintf(out, "%s%s", name, vowel ? stress : "");
}

static void print_word(const cst_item *word, FILE *out)
{
    for (const cst_item *syllable = item_daughter(item_as(word, "SylStructure")); syllable != NULL;
         syllable = item_next(syllable)) {
        if (item_prev(syllable) != NULL)
            fputs(" . ", out);
        for (const cst_item *segment = item_daughter(syllable); segment != NULL;
             segment = item_next(segment)) {
            if (item_prev(segment) != NULL)
                fputc(' ', out);
            print_segment(segment, item_feat_string(syllable, "stress"), out);
        }
    }
}

static void print_tokens(const cst_utterance *utterance, FILE *out)
{
    for (const cst_item *token = relation_head(utt_relation(utterance, "Token")); token != NULL;
         token = item_next(token)) {
        fprintf(out, "%s\t", item_feat_string(token, "name"));
        for (const cst_item *word = item_daughter(token); word != NULL; word = item_next(word)) {
            if (item_prev(word) != NULL)
                fputs(" | ", out);
            print_word(word, out);
        }
        fputc('\n', out);
    }
}

/* Prints the segments that are ready; SEGMENT_NEEDS_INPUT, SEGMENT_NONE_LEFT or negative. */
static int print_ready(cst_voice *voice, struct segmenter *segmenter, FILE *out, struct error *err)
{
    for (;;) {
        struct segment segment = {0};
        int r = segmenter_next(segmenter, &segment);

        if (r == 0 && segment.bytes > 0) {
            cst_utterance *utterance = utterance_analyse(voice, segment.text);

            if (utterance == NULL)
                r = error_set(err, -EIO, "flite gave up on \"%s\"", segment.text);
            else
                print_tokens(utterance, out);
            if (utterance != NULL)
                delete_utterance(utterance);
        }
        segment_release(&segment);
        if (r != 0)
            return r == -ENOMEM ? error_set(err, r, "out of memory") : r;
    }
}

static int print_all(cst_voice *voice, struct segmenter *segmenter, FILE *in, FILE *out, struct error *err)
{
    char bytes[4096];
    int r;

    while ((r = print_ready(voice, segmenter, out, err)) == SEGMENT_NEEDS_INPUT) {
        size_t size = fread(bytes, 1, sizeof bytes, in);

        if (size == 0)
            segmenter_end(segmenter);
        else if (segmenter_feed(segmenter, bytes, size) < 0)
            return error_set(err, -ENOMEM, "out of memory");
    }
    if (r < 0)
        return r;
    if (ferror(in) != 0)
        return error_set(err, -EIO, "cannot read the text");
    return fflush(out) == 0 ? 0 : error_system(err, errno, "cannot print the phones");
}

int phones_print(const char *language, FILE *in, FILE *out, struct error *err)
{
    const struct engine_language *found = find_language(language);
    struct segmenter *segmenter = segmenter_new(text_language_find(language));
    cst_voice *voice;
    int r;

    if (found == NULL) {
        segmenter_free(segmenter);
        return error_set(err, -EINVAL, "the engine speaks no %s", language);
    }
    flite_init();
    voice = found->voices[0].load();
    if (voice == NULL || segmenter == NULL)
        r = error_set(err, -ENOMEM, "out of memory");
    else
        r = print_all(voice, segmenter, in, out, err);
    if (voice != NULL)
        found->voices[0].unload(voice);
    segmenter_free(segmenter);
    return r;
}
