/* SPDX-License-Identifier: Apache-2.0 */
/* From a word to its sounds, syllables and stress.  Pure functions, private to engine/. */
#ifndef OROMO_SYLLABLES_H
#define OROMO_SYLLABLES_H

#include "engine/oromo/phonemes.h"

/* The most phonemes of a word: no token is longer (ENGINE_TOKEN_MAX), nor any word that one becomes. */
#define WORD_PHONEMES_MAX 256

struct word_sounds {
    size_t count;
    struct {
        const struct phoneme *phoneme;
        bool geminate;
        bool stressed; /* a vowel that bears the word's stress */
    } sounds[WORD_PHONEMES_MAX];
};

/*
 * Reads a word in lower case: letters, and apostrophes within it.  What is no letter is passed over, and what
 * is past WORD_PHONEMES_MAX is left out.
 *
 * Stress is on one syllable at most (Dejene 2010): the last one where the word ends in a long vowel, the one
 * before it where it ends in a short one; where it ends in a consonant, the last one with a long vowel, else
 * the last.  Clitics have none.
 */
void word_read(const char *word, struct word_sounds *ret_sounds);

/*
 * Whether a syllable that has its vowel ends in front of these two phonemes (NULL: the word ends before
 * them): a consonant goes with the vowel behind it, and no syllable has two vowels.
 */
bool syllable_ends_before(const char *next, const char *second);

#endif
