/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sounds of Afaan Oromoo, named as Qubee spells them, so that one table is the inventory, the rules of
 * spelling and the way to an American voice.  Private to engine/.
 *
 * A geminate is one phone, whose name is the spelling twice ("tt", "chch").
 */
#ifndef OROMO_PHONEMES_H
#define OROMO_PHONEMES_H

#include <stdbool.h>
#include <stddef.h>

struct phoneme {
    const char *name; /* no digit in it: behind a vowel flite reads one as its stress */

    /* What a voice that has American phones says instead: the phone that it takes the sound for, and the
     * states of the voice's models in their order, each a phone and which of its states, from 1. */
    const char *phone;
    const char *states;
    const char *geminate; /* the states of its geminate; NULL where there is none */
};

#define PHONEME_NAME_MAX 2 /* twice as much of a geminate */

extern const struct phoneme phonemes[];
extern const size_t phoneme_count;

/* By its name, or that of its geminate; NULL where there is none. */
const struct phoneme *phoneme_find(const char *name);

bool phoneme_is_vowel(const char *name);
bool phoneme_is_long_vowel(const char *name);

/*
 * The phoneme that is spelled at the front of a word in lower case, the letters that spell it, and whether it
 * is a geminate: a letter twice, and of two letters both twice ("chch") or the first one ("cch").  NULL in
 * front of anything but a letter or the apostrophe.
 */
const struct phoneme *phoneme_read(const char *word, size_t *ret_length, bool *ret_geminate);

#endif
