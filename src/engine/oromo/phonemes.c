/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/oromo/phonemes.h"

#include <string.h>

#include "base/cleanup.h"

/*
 * Vowels keep their quality when they are long: what an American diphthong begins with serves for ee and oo,
 * and the open aa leans on the short vowel, since American aa is very short in some places.
 * Ejectives and the implosive are the nearest plain stops, an ejective with a longer closure, which is the
 * first state of the model.  States that come more than once make a sound longer in the measure that its
 * place in the sentence gives it: so a geminate or a long vowel is longer than its partner in every place.
 */
const struct phoneme phonemes[] = {
    {"a", "ah", "ah1 ah2 ah3", NULL},
    {"aa", "aa", "ah1 ah2 aa2 aa2 aa3 ah3", NULL},
    {"e", "eh", "eh1 eh2 eh3", NULL},
    {"ee", "ey", "ey1 ey1 ey1 ey2 ey2", NULL},
    {"i", "ih", "ih1 ih2 ih3", NULL},
    {"ii", "iy", "iy1 iy1 iy2 iy2 iy3 iy3", NULL},
    {"o", "ao", "ao1 ao2 ao3", NULL},
    {"oo", "ow", "ow1 ow1 ow1 ow1 ow2 ow2", NULL},
    {"u", "uh", "uh1 uh2 uh3", NULL},
    {"uu", "uw", "uw1 uw1 uw2 uw2 uw3 uw3", NULL},

    {"b", "b", "b1 b2 b3", "b1 b1 b1 b2 b2 b3"},
    {"c", "ch", "ch1 ch1 ch2 ch3", "ch1 ch1 ch1 ch1 ch2 ch2 ch3"},
    {"ch", "ch", "ch1 ch2 ch3", "ch1 ch1 ch1 ch2 ch2 ch3"},
    {"d", "d", "d1 d2 d3", "d1 d1 d1 d2 d2 d3"},
    {"dh", "d", "d1 d2 d3", "d1 d1 d1 d2 d2 d3"},
    {"f", "f", "f1 f2 f3", "f1 f1 f2 f2 f3 f3"},
    {"g", "g", "g1 g2 g3", "g1 g1 g1 g2 g2 g3"},
    {"h", "hh", "hh1 hh2 hh3", "hh1 hh1 hh2 hh2 hh3 hh3"},
    {"j", "jh", "jh1 jh2 jh3", "jh1 jh1 jh1 jh2 jh2 jh3"},
    {"k", "k", "k1 k2 k3", "k1 k1 k1 k2 k2 k3"},
    {"kh", "k", "k1 k2 hh2 hh3", "k1 k1 k2 hh2 hh2 hh3"},
    {"l", "l", "l1 l2 l3", "l1 l1 l2 l2 l3 l3"},
    {"m", "m", "m1 m2 m3", "m1 m1 m2 m2 m3 m3"},
    {"n", "n", "n1 n2 n3", "n1 n1 n2 n2 n3 n3"},
    {"ny", "n", "n1 n2 y2 y3", "n1 n1 n1 n2 n2 n2 y2 y3"},
    {"p", "p", "p1 p2 p3", "p1 p1 p1 p2 p2 p3"},
    {"ph", "p", "p1 p1 p2 p3", "p1 p1 p1 p1 p2 p2 p3"},
    {"q", "k", "k1 k1 k2 k3", "k1 k1 k1 k1 k2 k2 k3"},
    {"r", "r", "r1 r2 r3", "r1 r1 r2 r2 r3 r3"},
    {"s", "s", "s1 s2 s3", "s1 s1 s2 s2 s3 s3"},
    {"sh", "sh", "sh1 sh2 sh3", "sh1 sh1 sh2 sh2 sh3 sh3"},
    {"t", "t", "t1 t2 t3", "t1 t1 t1 t2 t2 t3"},
    {"ts", "t", "t1 t2 s2 s3", "t1 t1 t1 t2 s2 s2 s3"},
    {"v", "v", "v1 v2 v3", "v1 v1 v2 v2 v3 v3"},
    {"w", "w", "w1 w2 w3", "w1 w1 w2 w2 w3 w3"},
    {"x", "t", "t1 t1 t2 t3", "t1 t1 t1 t1 t2 t2 t3"},
    {"y", "y", "y1 y2 y3", "y1 y1 y2 y2 y3 y3"},
    {"z", "z", "z1 z2 z3", "z1 z1 z2 z2 z3 z3"},
    {"zy", "zh", "zh1 zh2 zh3", "zh1 zh1 zh2 zh2 zh3 zh3"},

    /* The glottal stop: a short silence. */
    {"'", "hh", "ssil1 k1", NULL},
};

const size_t phoneme_count = array_length(phonemes);

/* By the first letters of a name. */
static const struct phoneme *find(const char *name, size_t length)
{
    for (size_t i = 0; i < array_length(phonemes); i++)
        if (strncmp(phonemes[i].name, name, length) == 0 && phonemes[i].name[length] == '\0')
            return &phonemes[i];
    return NULL;
}

const struct phoneme *phoneme_find(const char *name)
{
    const struct phoneme *found = find(name, strlen(name));

    return found != NULL ? found : find(name, strlen(name) / 2);
}

bool phoneme_is_vowel(const char *name)
{
    return *name != '\0' && strchr("aeiou", *name) != NULL;
}

bool phoneme_is_long_vowel(const char *name)
{
    return phoneme_is_vowel(name) && name[1] == name[0];
}

/* The longest spelling at the front. */
static const struct phoneme *read_single(const char *word)
{
    for (size_t length = strnlen(word, PHONEME_NAME_MAX); length > 0; length--) {
        const struct phoneme *found = find(word, length);

        if (found != NULL)
            return found;
    }
    return NULL;
}

/* How often the first letter is there in a row. */
static size_t count_same(const char *word)
{
    size_t count = 0;

    while (word[count] != '\0' && word[count] == word[0])
        count++;
    return count;
}

/* What a writer stretches further than twice ("baaay'ee", "hinnn", "acchchaa") is no longer than long. */
const struct phoneme *phoneme_read(const char *word, size_t *ret_length, bool *ret_geminate)
{
    const struct phoneme *found = read_single(word);
    size_t same = count_same(word), length;
    const struct phoneme *last = same > 1 ? read_single(word + same - 1) : NULL;

    *ret_geminate = false;
    if (found == NULL)
        return NULL;
    length = strlen(found->name);
    if (found->geminate != NULL && last != NULL) {
        found = last;
        length = same - 1 + strlen(found->name);
        *ret_geminate = true;
    } else if (same > length) {
        length = same;
    }
    while (found->geminate != NULL && strlen(found->name) == 2 &&
           strncmp(word + length, found->name, 2) == 0) {
        length += 2;
        *ret_geminate = true;
    }
    *ret_length = length;
    return found;
}
