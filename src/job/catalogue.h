/* SPDX-License-Identifier: Apache-2.0 */
/* The languages and voices that a client may name: two tables.  Each voice's engine speaks it (a test asks
 * the engine). */
#ifndef JOB_CATALOGUE_H
#define JOB_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

struct language {
    const char *name;           /* what a job shows: "english" */
    const char *code;           /* BCP 47: "en" */
    const char *const *aliases; /* in lower case, ended by NULL, name and code among them */
};

struct voice {
    const char *id;
    const char *name;
    const char *language; /* a language's name */
    const char *gender;   /* "female", "male" */
    int sample_rate;      /* Hz */
    const char *engine;
};

/* In any case of letters; NULL where there is none. */
const struct language *catalogue_find_language(const char *name);

/* NULL where the language has no such voice.  voice NULL: the language's first. */
const struct voice *catalogue_find_voice(const struct language *language, const char *voice);

/* All of them; a language's first voice is its default. */
const struct language *catalogue_languages(size_t *ret_count);
const struct voice *catalogue_voices(size_t *ret_count);

#endif
