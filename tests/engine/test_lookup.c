/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/lookup.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <flite/flite.h>

#include "base/cleanup.h"

cst_voice *register_cmu_us_slt(const char *folder);
cst_voice *register_cmu_us_rms(const char *folder);
cst_voice *register_cmu_us_awb(const char *folder);
cst_voice *register_cmu_us_kal16(const char *folder);
cst_voice *register_cmu_us_kal(const char *folder);

static const char *const texts[] = {
    "The quick brown fox jumps over the lazy dog.",
    "Is it you, or was it the neighbour's child who asked for 1,234 apples at 10:30?",
    "Dr. Smith lives at 12 Elm St.; he was born on May 3rd, 1984, in the U.S.A.",
    "Wait! No -- stop. \"Why?\" she said (quietly), and left.",
    "zzxq 3.14159 foo@example.org",
};

static cst_wave *testcase_spoken(cst_voice *voice, const char *text)
{
    cst_wave *wave;

    srand(1); /* the statistical voices draw noise from it */
    wave = flite_text_to_wave(text, voice);
    cr_assert_not_null(wave);
    return wave;
}

static void testcase_same(const cst_wave *left, const cst_wave *right, const char *text)
{
    cr_assert_eq(left->num_samples, right->num_samples, "%s", text);
    cr_assert_eq(memcmp(left->samples, right->samples, (size_t)left->num_samples * sizeof *left->samples), 0,
                 "%s", text);
}

Test(lookup, a_sorted_voice_says_the_same_samples)
{
    static cst_voice *(*const voices[])(const char *) = {
        register_cmu_us_slt,   register_cmu_us_rms, register_cmu_us_awb,
        register_cmu_us_kal16, register_cmu_us_kal,
    };
    cst_wave *before[array_length(texts)];

    flite_init();
    for (size_t v = 0; v < array_length(voices); v++) {
        cst_voice *voice = voices[v](NULL);

        for (size_t t = 0; t < array_length(texts); t++)
            before[t] = testcase_spoken(voice, texts[t]);
        lookup_sort(voice);
        for (size_t t = 0; t < array_length(texts); t++) {
            cst_wave *after = testcase_spoken(voice, texts[t]);

            testcase_same(before[t], after, texts[t]);
            delete_wave(before[t]);
            delete_wave(after);
        }
    }
}

Test(lookup, what_is_asked_for_most_is_found_first)
{
    cst_voice *voice = register_cmu_us_kal16(NULL);

    lookup_sort(voice);
    cr_assert_str_eq(voice->ffunctions->head->name, "stress");
    cr_assert_str_eq(voice->features->head->name, "phoneset");
}
