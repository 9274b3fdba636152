/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Afaan Oromoo: its own tokens, words, spelling, syllables and stress (oromo/), spoken by flite's American
 * voices.  docs/LANGUAGES.md says what that costs.
 */
#include <flite/flite.h>
/* After flite.h, which it needs. */
#include <flite/cst_cg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "engine/language.h"
#include "engine/oromo/syllables.h"
#include "engine/oromo/tokens.h"
#include "engine/oromo/values.h"
#include "engine/oromo/voice.h"

/* ---- from tokens to words ---- */

static bool has_text(const cst_item *token, const char *feature)
{
    return item_feat_present(token, feature) && *item_feat_string(token, feature) != '\0';
}

/* With a stop that is part of it. */
static bool is_abbreviated(const cst_item *token)
{
    return token_is_abbreviation(item_feat_string(token, "name")) &&
           strcmp(item_feat_string(token, "punc"), ".") == 0;
}

/* A neighbour that punctuation does not set apart. */
static const char *neighbour(const cst_item *left, const cst_item *right, const cst_item *wanted)
{
    if (left == NULL || right == NULL || has_text(right, "prepunctuation") ||
        (has_text(left, "punc") && !is_abbreviated(left)))
        return NULL;
    return item_feat_string(wanted, "name");
}

/* How many tokens from one on are a telephone number with blanks in it. */
static size_t telephone_groups(const cst_item *start)
{
    const char *texts[TELEPHONE_GROUPS_MAX] = {item_feat_string(start, "name")};
    size_t count = 1;

    for (const cst_item *item = item_next(start); count < TELEPHONE_GROUPS_MAX; item = item_next(item)) {
        const char *text = neighbour(item_prev(item), item, item);

        if (text == NULL)
            break;
        texts[count++] = text;
    }
    return value_telephone_groups(texts, count);
}

static bool is_in_telephone(const cst_item *token)
{
    const cst_item *start = token;

    for (size_t before = 0; before < TELEPHONE_GROUPS_MAX; before++) {
        size_t groups = telephone_groups(start);

        if (groups > before)
            return groups > 1;
        if (neighbour(item_prev(start), start, start) == NULL)
            return false;
        start = item_prev(start);
    }
    return false;
}

/* A word, and behind it the end of a phrase where a comma follows it. */
static cst_val *make_word(char *word)
{
    size_t length = strlen(word);
    cst_features *features;

    if (word[length - 1] != ',')
        return string_val(word);
    word[length - 1] = '\0';
    features = new_features();
    feat_set_string(features, "break", "1");
    return cons_val(string_val(word), features_val(features));
}

/* Flite's call for each token: a list of words, which it frees. */
static cst_val *words_of(cst_item *item)
{
    const struct token token = {
        .text = item_feat_string(item, "name"),
        .before = neighbour(item_prev(item_prev(item)), item_prev(item), item_prev(item_prev(item))),
        .previous = neighbour(item_prev(item), item, item_prev(item)),
        .next = neighbour(item, item_next(item), item_next(item)),
        .after = neighbour(item_next(item), item_next(item_next(item)), item_next(item_next(item))),
        .in_telephone = is_in_telephone(item),
    };
    cleanup(buf_release) struct buf words = BUF_INIT(TOKEN_WORDS_MAX);
    cst_val *list = NULL;
    char *rest = NULL;

    token_words(&token, &words);
    /* The stop of an abbreviation is no end of a phrase, unless the text ends with it. */
    if (is_abbreviated(item) && item_next(item) != NULL)
        item_set_string(item, "punc", "");
    if (!buf_ok(&words) || words.length == 0)
        return NULL;
    for (char *word = strtok_r(words.data, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        list = cons_val(make_word(word), list);
    return val_reverse(list);
}

/* ---- from words to phonemes and syllables ---- */

/* A vowel's name has its stress behind it: flite's way. */
static cst_val *phonemes_of(const cst_lexicon *lexicon, const char *word, const char *part_of_speech,
                            const cst_features *features)
{
    struct word_sounds sounds;
    cst_val *list = NULL;

    (void)lexicon;
    (void)part_of_speech;
    (void)features;
    word_read(word, &sounds);
    for (size_t i = sounds.count; i > 0; i--) {
        char name[2 * PHONEME_NAME_MAX + 1];
        const char *phoneme = sounds.sounds[i - 1].phoneme->name;
        const char *more = sounds.sounds[i - 1].geminate ? phoneme : "";

        if (phoneme_is_vowel(phoneme))
            more = sounds.sounds[i - 1].stressed ? "1" : "0";
        snprintf(name, sizeof name, "%s%s", phoneme, more);
        list = cons_val(string_val(name), list);
    }
    return list;
}

static bool has_vowel(const cst_item *segment)
{
    for (; segment != NULL; segment = item_prev(segment))
        if (phoneme_is_vowel(item_feat_string(segment, "name")))
            return true;
    return false;
}

/* Flite's call behind each segment: whether its syllable ends with it. */
static int ends_syllable(const cst_item *segment, const cst_val *rest)
{
    const cst_val *after = rest != NULL ? val_cdr(rest) : NULL;

    if (rest == NULL)
        return 1;
    return has_vowel(segment) &&
           syllable_ends_before(val_string(val_car(rest)), after != NULL ? val_string(val_car(after)) : NULL);
}

/* It has no entries: every word is read by its letters. */
static cst_lexicon lexicon = {
    .name = "oromo",
    .lts_function = phonemes_of,
    .syl_boundary = ends_syllable,
};

/* ---- intonation ---- */

/* The classes are those that flite's trees know. */
DEF_STATIC_CONST_VAL_STRING(conjunction, "cc");
DEF_STATIC_CONST_VAL_STRING(adposition, "in");
DEF_STATIC_CONST_VAL_STRING(determiner, "det");
DEF_STATIC_CONST_VAL_STRING(auxiliary, "aux");
DEF_STATIC_CONST_VAL_STRING(pronoun, "pps");
DEF_STATIC_CONST_VAL_STRING(content, "content");

/* Function words bear no accent. */
static const struct {
    const cst_val *class;
    const char *word;
} function_words[] = {
    {&conjunction, "fi"},      {&conjunction, "garuu"}, {&conjunction, "immoo"},  {&conjunction, "yookaan"},
    {&conjunction, "yookiin"}, {&conjunction, "yoo"},   {&adposition, "akka"},    {&adposition, "bira"},
    {&adposition, "booda"},    {&adposition, "dura"},   {&adposition, "gara"},    {&adposition, "hanga"},
    {&adposition, "irra"},     {&adposition, "irraa"},  {&adposition, "irratti"}, {&adposition, "itti"},
    {&adposition, "jala"},     {&adposition, "keessa"}, {&adposition, "keessaa"}, {&adposition, "keessatti"},
    {&adposition, "malee"},    {&adposition, "wajjin"}, {&adposition, "waliin"},  {&determiner, "kan"},
    {&determiner, "kana"},     {&determiner, "kun"},    {&determiner, "sana"},    {&determiner, "sun"},
    {&auxiliary, "dha"},       {&auxiliary, "haa"},     {&auxiliary, "hin"},      {&auxiliary, "jira"},
    {&auxiliary, "miti"},      {&auxiliary, "ni"},      {&auxiliary, "ture"},     {&pronoun, "ana"},
    {&pronoun, "ani"},         {&pronoun, "ati"},       {&pronoun, "inni"},       {&pronoun, "isa"},
    {&pronoun, "isaan"},       {&pronoun, "isheen"},    {&pronoun, "isin"},       {&pronoun, "na"},
    {&pronoun, "nu"},          {&pronoun, "nuti"},      {&pronoun, "si"},
};

static const cst_val *word_class(const cst_item *word)
{
    const char *name = item_feat_string(word, "name");

    for (size_t i = 0; i < array_length(function_words); i++)
        if (strcmp(function_words[i].word, name) == 0)
            return function_words[i].class;
    return &content;
}

/* ---- the voices ---- */

/* An apostrophe around a word is a quote; one within it stays. */
#define OPENING_MARKS "\"'`({[<"
#define CLOSING_MARKS "\"'`.,:;!?(){}[]<>"

static cst_voice *load(const cst_cg_db *data, const char *name)
{
    cst_voice *voice = oromo_voice_new(data, name);

    if (voice == NULL)
        return NULL;
    feat_set_string(voice->features, "text_prepunctuation", OPENING_MARKS);
    feat_set_string(voice->features, "text_postpunctuation", CLOSING_MARKS);
    feat_set(voice->features, "tokentowords_func", itemfunc_val(words_of));
    feat_set(voice->features, "lexicon", lexicon_val(&lexicon));
    ff_register(voice->ffunctions, "gpos", word_class);
    return voice;
}

/* Flite's headers declare none of its voices' data. */
#define FLITE_DATA(id)                                                                                       \
    extern cst_cg_db cmu_us_##id##_cg_db;                                                                    \
    static cst_voice *load_##id(void)                                                                        \
    {                                                                                                        \
        return load(&cmu_us_##id##_cg_db, #id);                                                              \
    }

FLITE_DATA(slt)
FLITE_DATA(rms)
FLITE_DATA(awb)

/* The diphone voices have no sound for many a pair of phones that is common in Oromo. */
static const struct engine_voice voices[] = {
    {"slt", 16000, load_slt, oromo_voice_free},
    {"rms", 16000, load_rms, oromo_voice_free},
    {"awb", 16000, load_awb, oromo_voice_free},
};

const struct engine_language engine_oromo = {
    .name = "oromo",
    .voices = voices,
    .voice_count = array_length(voices),
};
