/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The models of flite's statistical voices (CG) are of American phones, in three states each.  Nothing in
 * them says that a phone must be American: which states make up a phone is a table of the voice's data, and
 * which phones there are is another.  A copy of both, with the phonemes of Oromo as rows, is all that is
 * changed: a long vowel is one phone with some states more than once.
 *
 * The models ask for the names and features of the phones around, and know the American ones.  The set of
 * phones has the features of the phone that each is taken for, and the feature "name" of a segment, which the
 * models ask for by a function, is that phone's.
 */
#include "engine/oromo/voice.h"

#include <flite/flite.h>
/* After flite.h, which it needs. */
#include <flite/cst_cg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/oromo/phonemes.h"

/* Sets up what all voices of English share; flite's headers do not declare it. */
void usenglish_init(cst_voice *voice);

/* The silence between phrases, which flite puts in by itself. */
static const struct phoneme silence = {"pau", "pau", "pau1 pau2 pau3", NULL};

/* The phone that a segment is taken for: a feature of its own. */
#define MODEL_PHONE "model_phone"

/* States of a phoneme, its name in front and NULL behind. */
#define STATES_MAX 10

#define PHONES_MAX 96

struct oromo_voice {
    cst_cg_db data;
    const char *const *phone_states[PHONES_MAX + 1]; /* ended by NULL */
    const char *states[PHONES_MAX][STATES_MAX];
    char geminate_names[PHONES_MAX][2 * PHONEME_NAME_MAX + 1];
    cst_phoneset *phones;
    const char *phone_names[PHONES_MAX + 1];
    const int *phone_features[PHONES_MAX + 1];
    size_t count;
};

/* The state of the voice's data that "ah2" stands for, or NULL. */
static const char *find_state(const cst_cg_db *data, const char *spec, size_t length)
{
    size_t index = (size_t)(spec[length - 1] - '0');

    for (const char *const *const *row = data->phone_states; *row != NULL; row++)
        if (strncmp((*row)[0], spec, length - 1) == 0 && (*row)[0][length - 1] == '\0')
            for (size_t i = 1; (*row)[i] != NULL; i++)
                if (i == index)
                    return (*row)[i];
    return NULL;
}

static bool add_phone(struct oromo_voice *voice, const cst_cg_db *data, const cst_phoneset *american,
                      const char *name, const struct phoneme *phoneme, const char *wanted)
{
    const char **states = voice->states[voice->count];
    size_t count = 0;

    states[count++] = name;
    for (const char *spec = wanted; *spec != '\0'; spec += strspn(spec, " ")) {
        size_t length = strcspn(spec, " ");

        states[count] = count + 1 < STATES_MAX ? find_state(data, spec, length) : NULL;
        if (states[count++] == NULL)
            return false;
        spec += length;
    }
    voice->phone_states[voice->count] = states;
    voice->phone_names[voice->count] = name;
    voice->phone_features[voice->count] = american->fvtable[phone_id(american, phoneme->phone)];
    voice->count++;
    return true;
}

static bool add_phoneme(struct oromo_voice *voice, const cst_cg_db *data, const cst_phoneset *american,
                        const struct phoneme *phoneme)
{
    char *geminate = voice->geminate_names[voice->count];

    if (voice->count + 2 > PHONES_MAX ||
        !add_phone(voice, data, american, phoneme->name, phoneme, phoneme->states))
        return false;
    if (phoneme->geminate == NULL)
        return true;
    snprintf(geminate, sizeof voice->geminate_names[0], "%s%s", phoneme->name, phoneme->name);
    return add_phone(voice, data, american, geminate, phoneme, phoneme->geminate);
}

static bool add_phones(struct oromo_voice *voice, const cst_cg_db *data, const cst_phoneset *american)
{
    bool complete = add_phoneme(voice, data, american, &silence);

    for (size_t i = 0; complete && i < phoneme_count; i++)
        complete = add_phoneme(voice, data, american, &phonemes[i]);
    return complete;
}

/* ---- what the models ask for ---- */

/* Of a segment the phone that it is taken for, of anything else its name. */
static const cst_val *model_name(const cst_item *item)
{
    const cst_val *phone = item_feat(item, MODEL_PHONE);

    return phone != NULL ? phone : item_feat(item, "name");
}

/*
 * The models have learnt that Americans reduce a vowel without stress to next to nothing, which would undo
 * its length.  Where intonation has been set and nothing but the models asks for it any more, a syllable with
 * a long vowel is a stressed one.
 */
static void set_model_stress(const cst_item *segment)
{
    cst_item *syllable = item_parent(item_as(segment, "SylStructure"));

    if (syllable != NULL)
        item_set_string(syllable, "stress", "1");
}

/* Behind the pauses: all segments are there. */
static cst_utterance *set_model_features(cst_utterance *utterance)
{
    for (cst_item *item = relation_head(utt_relation(utterance, "Segment")); item != NULL;
         item = item_next(item)) {
        const struct phoneme *phoneme = phoneme_find(item_feat_string(item, "name"));

        item_set_string(item, MODEL_PHONE, phoneme != NULL ? phoneme->phone : silence.phone);
        if (phoneme != NULL && phoneme_is_long_vowel(phoneme->name))
            set_model_stress(item);
    }
    return utterance;
}

static void set_up(struct oromo_voice *oromo, cst_voice *voice, const char *name)
{
    const cst_phoneset *american = val_phoneset(feat_val(voice->features, "phoneset"));
    const cst_phoneset phones = {
        .name = "oromo",
        .featnames = american->featnames,
        .featvals = american->featvals,
        .phonenames = oromo->phone_names,
        .silence = silence.name,
        .num_phones = (int)oromo->count,
        .fvtable = oromo->phone_features,
    };

    memcpy(oromo->phones, &phones, sizeof phones);
    voice->name = name;
    feat_set_string(voice->features, "name", name);
    feat_set(voice->features, "phoneset", phoneset_val(oromo->phones));
    feat_set_string(voice->features, "silence", silence.name);
    feat_set(voice->features, "postlex_func", uttfunc_val(set_model_features));
    /* English words are told apart by their names. */
    feat_remove(voice->features, "pos_tagger_cart");
    /* Times and pitch come from the states. */
    feat_set_string(voice->features, "no_segment_duration_model", "1");
    feat_set_string(voice->features, "no_f0_target_model", "1");
    feat_set(voice->features, "wave_synth_func", uttfunc_val(cg_synth));
    feat_set(voice->features, "cg_db", cg_db_val(&oromo->data));
    feat_set_int(voice->features, "sample_rate", oromo->data.sample_rate);
    ff_register(voice->ffunctions, "name", model_name);
}

static void release(struct oromo_voice *oromo)
{
    if (oromo != NULL)
        free(oromo->phones);
    free(oromo);
}

struct cst_voice_struct *oromo_voice_new(const struct cst_cg_db_struct *data, const char *name)
{
    struct oromo_voice *oromo = calloc(1, sizeof *oromo);
    cst_voice *voice = oromo != NULL ? new_voice() : NULL;

    if (voice == NULL) {
        release(oromo);
        return NULL;
    }
    usenglish_init(voice);
    oromo->phones = calloc(1, sizeof *oromo->phones);
    if (oromo->phones == NULL ||
        !add_phones(oromo, data, val_phoneset(feat_val(voice->features, "phoneset")))) {
        delete_voice(voice);
        release(oromo);
        return NULL;
    }
    oromo->data = *data;
    oromo->data.phone_states = oromo->phone_states;
    oromo->data.freeable = 0; /* flite leaves it to us */
    set_up(oromo, voice, name);
    return voice;
}

void oromo_voice_free(struct cst_voice_struct *voice)
{
    cst_cg_db *data;

    if (voice == NULL)
        return;
    data = val_cg_db(feat_val(voice->features, "cg_db"));
    delete_voice(voice);
    release(container_of(data, struct oromo_voice, data));
}
