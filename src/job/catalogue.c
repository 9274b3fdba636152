/* SPDX-License-Identifier: Apache-2.0 */
#include "job/catalogue.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

static const char *const english_aliases[] = {"english", "en", "eng", "en-us", "en-gb", NULL};
static const char *const oromo_aliases[] = {
    "oromo", "om", "orm", "gaz", "hae", "om-et", "om-ke", "afaan oromoo", "afaan oromo", "oromiffa", NULL};

static const struct language languages[] = {
    {.name = "english", .code = "en", .aliases = english_aliases},
    {.name = "oromo", .code = "om", .aliases = oromo_aliases},
};

static const struct voice voices[] = {
    {"slt", "SLT", "english", "female", 16000, "flite"},
    {"rms", "RMS", "english", "male", 16000, "flite"},
    {"awb", "AWB", "english", "male", 16000, "flite"},
    {"kal16", "KAL, 16 kHz", "english", "male", 16000, "flite"},
    {"kal", "KAL, 8 kHz", "english", "male", 8000, "flite"},
    {"slt", "SLT, an American voice", "oromo", "female", 16000, "flite"},
    {"rms", "RMS, an American voice", "oromo", "male", 16000, "flite"},
    {"awb", "AWB, a Scottish voice of American phones", "oromo", "male", 16000, "flite"},
};

const struct language *catalogue_find_language(const char *name)
{
    for (size_t i = 0; i < array_length(languages); i++)
        for (const char *const *alias = languages[i].aliases; *alias != NULL; alias++)
            if (strcasecmp(*alias, name) == 0)
                return &languages[i];
    return NULL;
}

const struct voice *catalogue_find_voice(const struct language *language, const char *voice)
{
    for (size_t i = 0; i < array_length(voices); i++)
        if (strcmp(voices[i].language, language->name) == 0 &&
            (voice == NULL || strcmp(voices[i].id, voice) == 0))
            return &voices[i];
    return NULL;
}

const struct language *catalogue_languages(size_t *ret_count)
{
    *ret_count = array_length(languages);
    return languages;
}

const struct voice *catalogue_voices(size_t *ret_count)
{
    *ret_count = array_length(voices);
    return voices;
}
