/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/oromo/syllables.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"

static bool is_clitic(const char *word)
{
    static const char *const clitics[] = {"na", "nu", "si", "tu"};

    for (size_t i = 0; i < array_length(clitics); i++)
        if (strcmp(clitics[i], word) == 0)
            return true;
    return false;
}

/* The vowel that bears the stress, or count. */
static size_t stressed_vowel(const struct word_sounds *word)
{
    size_t last = word->count, before = word->count, last_long = word->count;
    const char *end;

    for (size_t i = 0; i < word->count; i++) {
        const char *name = word->sounds[i].phoneme->name;

        if (!phoneme_is_vowel(name))
            continue;
        before = last;
        last = i;
        if (phoneme_is_long_vowel(name))
            last_long = i;
    }
    if (last == word->count)
        return last;
    end = word->sounds[word->count - 1].phoneme->name;
    if (!phoneme_is_vowel(end))
        return last_long != word->count ? last_long : last;
    return phoneme_is_long_vowel(end) || before == word->count ? last : before;
}

static void add(struct word_sounds *word, const struct phoneme *phoneme, bool geminate)
{
    if (word->count == WORD_PHONEMES_MAX)
        return;
    word->sounds[word->count].phoneme = phoneme;
    word->sounds[word->count].geminate = geminate;
    word->sounds[word->count++].stressed = false;
}

void word_read(const char *word, struct word_sounds *ret_sounds)
{
    size_t length, stressed;

    ret_sounds->count = 0;
    for (const char *at = word; *at != '\0'; at += length) {
        bool geminate;
        const struct phoneme *phoneme = phoneme_read(at, &length, &geminate);
        bool inside = at > word && isalpha((unsigned char)at[-1]) && isalpha((unsigned char)at[1]);

        if (phoneme == NULL) {
            length = 1;
            continue;
        }
        if (*at == '\'' && !inside)
            continue;
        add(ret_sounds, phoneme, geminate);
    }
    stressed = stressed_vowel(ret_sounds);
    if (stressed < ret_sounds->count && !is_clitic(word))
        ret_sounds->sounds[stressed].stressed = true;
}

bool syllable_ends_before(const char *next, const char *second)
{
    if (next == NULL)
        return true;
    return phoneme_is_vowel(next) || (second != NULL && phoneme_is_vowel(second));
}
