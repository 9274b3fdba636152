/* SPDX-License-Identifier: Apache-2.0 */
/* Afaan Oromoo as it is heard; tests/engine/oromo/ has the tables of how it is read. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <flite/flite.h>

#include "base/cleanup.h"
#include "engine/engine.h"
#include "engine/language.h"
#include "engine/oromo/phonemes.h"
#include "engine/phones.h"

TestSuite(oromo);

/* ---- length ---- */

/* Two words that differ in the length of one sound, which is the n-th of both, from 0. */
struct pair {
    const char *plain;
    const char *lengthened;
    size_t sound;
};

static const struct pair long_vowels[] = {
    {"laga", "laagaa", 1},          {"lafa", "laafa", 1},         {"soda", "sooda", 1}, {"mura", "muura", 1},
    {"dera", "deera", 1},           {"bita", "biita", 1},         {"hara", "haara", 1}, {"boru", "booru", 1},
    {"lafa kana", "lafaa kana", 3}, {"mana kee", "manaa kee", 3},
};

static const struct pair geminates[] = {
    {"bitaa", "bittaa", 2},     {"badaa", "baddaa", 2},       {"buqaa", "buqqaa", 2},
    {"mana", "manna", 2},       {"hara", "harra", 2},         {"lafa", "laffa", 2},
    {"nama", "namma", 2},       {"lixa", "lixxa", 2},         {"mijuu", "mijjuu", 2},
    {"qopha", "qoppha", 2},     {"gacha", "gachcha", 2},      {"ilaa", "illaa", 1},
    {"dhiba", "dhibba", 2},     {"miseensa", "misseensa", 2}, {"nyaanya", "nyaannya", 2},
    {"kisa", "kissa", 2},       {"bashaa", "basshaa", 2},     {"micii", "miccii", 2},
    {"sagal", "saggal", 2},     {"dukaa", "dukkaa", 2},       {"awaa", "awwaa", 1},
    {"dhadhaa", "dhaddhaa", 2},
};

/* Seconds that the n-th sound of a text lasts. */
static double testcase_seconds(cst_voice *voice, const char *text, size_t sound)
{
    cst_utterance *utterance;
    const cst_item *segment;
    double seconds;

    srand(1);
    utterance = flite_synth_text(text, voice);
    segment = relation_head(utt_relation(utterance, "Segment")); /* the silence in front */
    for (size_t i = 0; i <= sound; i++)
        segment = item_next(segment);
    seconds = (double)item_feat_float(segment, "end") - (double)item_feat_float(item_prev(segment), "end");
    delete_utterance(utterance);
    return seconds;
}

static void testcase_lasts_longer(const struct pair *pairs, size_t count, double ratio)
{
    flite_init();
    for (size_t v = 0; v < engine_oromo.voice_count; v++) {
        cst_voice *voice = engine_oromo.voices[v].load();

        cr_assert_not_null(voice);
        for (size_t i = 0; i < count; i++) {
            double plain = testcase_seconds(voice, pairs[i].plain, pairs[i].sound);
            double lengthened = testcase_seconds(voice, pairs[i].lengthened, pairs[i].sound);

            cr_expect_geq(lengthened, ratio * plain, "%s: %s %.0f ms, %s %.0f ms", engine_oromo.voices[v].id,
                          pairs[i].plain, 1000 * plain, pairs[i].lengthened, 1000 * lengthened);
        }
        engine_oromo.voices[v].unload(voice);
    }
}

Test(oromo, a_long_vowel_lasts_half_as_long_again_as_a_short_one)
{
    testcase_lasts_longer(long_vowels, array_length(long_vowels), 1.5);
}

Test(oromo, a_geminate_lasts_longer_than_a_single_consonant)
{
    testcase_lasts_longer(geminates, array_length(geminates), 1.4);
}

/* ---- the voices ---- */

struct heard {
    struct engine_sink sink;
    double energy;
    size_t samples;
};

static int hear(struct engine_sink *sink, const int16_t *samples, size_t count)
{
    struct heard *heard = container_of(sink, struct heard, sink);

    for (size_t i = 0; i < count; i++)
        heard->energy += (double)samples[i] * samples[i];
    heard->samples += count;
    return 0;
}

static struct heard testcase_speak(struct engine *engine, const char *voice, const char *text,
                                   struct engine_result *ret_result)
{
    struct heard heard = {.sink = {.audio = hear}};
    const struct engine_request request = {
        .language = "oromo",
        .voice = voice,
        .speed = 1,
        .pitch = 1,
        .text = text,
        .text_bytes = strlen(text),
        .samples_max = frame_samples_max(strlen(text), 1, 16000),
    };
    struct error err = {.text = ""};

    cr_assert_eq(engine_speak(engine, &request, &heard.sink, ret_result, &err), 0, "%s", err.text);
    return heard;
}

Test(oromo, each_voice_says_a_sentence_aloud)
{
    static const char *const names[] = {"slt", "rms", "awb"};
    static struct engine_result result;
    struct engine *engine = NULL;

    cr_assert_eq(engine_new(&engine, NULL), 0);
    for (size_t i = 0; i < array_length(names); i++) {
        struct heard heard =
            testcase_speak(engine, names[i], "Akkam jirtu? Bal'inni isaa 1,500 dha.", &result);

        cr_expect_gt(heard.samples, 2 * 16000, "%s", names[i]);
        cr_expect_gt(sqrt(heard.energy / (double)heard.samples), 300, "%s", names[i]);
    }
    cr_assert_eq(engine_sample_rate(engine, "oromo", "kal16"), 0, "it lacks sounds that Oromo needs");
    engine_free(engine);
}

Test(oromo, every_word_has_its_time_and_a_unit_is_said_with_its_number)
{
    static struct engine_result result;
    struct engine *engine = NULL;

    cr_assert_eq(engine_new(&engine, NULL), 0);
    testcase_speak(engine, "slt", "Karaan 10 km dheerata", &result);
    cr_assert_eq(result.word_count, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct frame_word *word = &result.words[i];

        cr_expect_eq(word->sample_end > word->sample_start, i != 2, "word %zu", i);
        if (i > 0)
            cr_expect_geq(word->sample_start, result.words[i - 1].sample_end, "word %zu", i);
    }
    engine_free(engine);
}

Test(oromo, english_sounds_as_it_did_beside_it)
{
    static struct engine_result result;
    struct engine *engine = NULL;
    size_t samples[2];

    cr_assert_eq(engine_new(&engine, NULL), 0);
    for (size_t i = 0; i < 2; i++) {
        struct heard heard = {.sink = {.audio = hear}};
        const struct engine_request request = {
            .language = "english",
            .voice = "slt",
            .speed = 1,
            .pitch = 1,
            .text = "Hello there.",
            .text_bytes = 12,
            .samples_max = frame_samples_max(12, 1, 16000),
        };

        cr_assert_eq(engine_speak(engine, &request, &heard.sink, &result, NULL), 0);
        samples[i] = heard.samples;
        testcase_speak(engine, "slt", "Akkam jirta", &result);
    }
    cr_assert_eq(samples[0], samples[1]);
    engine_free(engine);
}

/* ---- real prose ---- */

/* What phones_print() has for a file of texts, which the caller frees. */
static char *testcase_phones_of_file(const char *name)
{
    char path[4096];
    char *phones = NULL;
    size_t size = 0;
    FILE *in, *out;
    struct error err = {.text = ""};

    snprintf(path, sizeof path, "%s/tests/engine/oromo/%s",
             getenv("top_srcdir") != NULL ? getenv("top_srcdir") : ".", name);
    in = fopen(path, "re");
    cr_assert_not_null(in, "%s", path);
    out = open_memstream(&phones, &size);
    cr_assert_not_null(out);
    cr_assert_eq(phones_print("oromo", in, out, &err), 0, "%s", err.text);
    fclose(in);
    fclose(out);
    return phones;
}

static bool has_letter_or_digit(const char *token)
{
    return strpbrk(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != NULL;
}

/* Every phone is one of Oromo's; vowels have their stress behind them. */
static void testcase_all_are_phonemes(const char *token, char *phones)
{
    char *rest = NULL;

    for (char *phone = strtok_r(phones, " ", &rest); phone != NULL; phone = strtok_r(NULL, " ", &rest)) {
        size_t length = strlen(phone);

        if (strcmp(phone, ".") == 0 || strcmp(phone, "|") == 0)
            continue;
        if (phoneme_is_vowel(phone)) {
            cr_assert(phone[length - 1] == '0' || phone[length - 1] == '1', "%s: %s", token, phone);
            phone[length - 1] = '\0';
        }
        cr_assert_not_null(phoneme_find(phone), "%s: %s", token, phone);
    }
}

Test(oromo, all_of_real_prose_has_phones_of_oromo)
{
    char *all = testcase_phones_of_file("prose.txt");
    char *rest = NULL;
    size_t words = 0;

    for (char *token = strtok_r(all, "\n", &rest); token != NULL; token = strtok_r(NULL, "\n", &rest)) {
        char *phones = strchr(token, '\t');

        *phones++ = '\0';
        if (!has_letter_or_digit(token))
            continue;
        words++;
        /* An ending of the number before it is said with that. */
        cr_expect(*phones != '\0' || strcmp(token, "s") == 0, "%s is silent", token);
        testcase_all_are_phonemes(token, phones);
    }
    cr_assert_gt(words, 2000);
    free(all);
}
