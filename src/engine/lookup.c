/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/lookup.h"

#include <flite/flite.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

/*
 * The rules (CART) of a voice ask for features by name, about two thousand times a sentence.  Flite 2.2 looks
 * each name up among the voice's functions first (internal_ff() in its cst_ffeature.c), a list of seventy,
 * then among the features of the item itself.  Measured with voice kal16, these comparisons took a third of
 * the time, most of it for names that are no functions at all and so pass the whole list.
 */

/* A function that answers what flite would have found without it. */
#define ITEM_FEATURE(name)                                                                                   \
    static const cst_val *get_##name(const cst_item *item)                                                   \
    {                                                                                                        \
        return item_feat(item, #name);                                                                       \
    }

ITEM_FEATURE(EMPH)
ITEM_FEATURE(accent)
ITEM_FEATURE(break)
ITEM_FEATURE(end)
ITEM_FEATURE(endtone)
ITEM_FEATURE(local_duration_stretch)
ITEM_FEATURE(local_f0_range)
ITEM_FEATURE(local_f0_shift)
ITEM_FEATURE(name)
ITEM_FEATURE(pos)
ITEM_FEATURE(punc)
ITEM_FEATURE(stress)

/* In the order of how often they are asked for in English prose.  NULL: a function that the voice brings, or
 * does not bring. */
static const struct {
    const char *name;
    cst_ffunction plain;
} asked[] = {
    {"stress", get_stress},
    {"ph_ctype", NULL},
    {"old_syl_break", NULL},
    {"accent", get_accent},
    {"endtone", get_endtone},
    {"ph_vlng", NULL},
    {"ph_vc", NULL},
    {"EMPH", get_EMPH},
    {"local_duration_stretch", get_local_duration_stretch},
    {"name", get_name},
    {"end", get_end},
    {"ssyl_in", NULL},
    {"syl_break", NULL},
    {"syl_in", NULL},
    {"ssyl_out", NULL},
    {"accented", NULL},
    {"syl_out", NULL},
    {"pos", get_pos},
    {"gpos", NULL},
    {"break", get_break},
    {"sub_phrases", NULL},
    {"pos_in_syl", NULL},
    {"local_f0_shift", get_local_f0_shift},
    {"local_f0_range", get_local_f0_range},
    {"asyl_in", NULL},
    {"asyl_out", NULL},
    {"position_type", NULL},
    {"lisp_syl_yn_question", NULL},
    {"punc", get_punc},
    {"last_accent", NULL},
    {"next_accent", NULL},
};

/* False where the list does not have it. */
static bool move_to_front(cst_features *list, const char *name)
{
    for (cst_featvalpair **at = &list->head; *at != NULL; at = &(*at)->next) {
        cst_featvalpair *found = *at;

        if (strcmp(found->name, name) == 0) {
            *at = found->next;
            found->next = list->head;
            list->head = found;
            return true;
        }
    }
    return false;
}

void lookup_sort(struct cst_voice_struct *voice)
{
    for (size_t i = array_length(asked); i > 0; i--)
        if (!move_to_front(voice->ffunctions, asked[i - 1].name) && asked[i - 1].plain != NULL)
            feat_set(voice->ffunctions, asked[i - 1].name, ffunc_val(asked[i - 1].plain)); /* at the front */
    /* Of the voice's other features, each phone that is compared asks for this one. */
    move_to_front(voice->features, "phoneset");
}
