/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The languages that this engine speaks: a file each, with a row in the table of language.c.  Private to
 * engine/.
 */
#ifndef ENGINE_LANGUAGE_H
#define ENGINE_LANGUAGE_H

#include <stddef.h>
#include <stdint.h>

struct cst_voice_struct;

struct engine_voice {
    const char *id;
    uint32_t sample_rate; /* Hz, of all that it says */
    /* Builds the voice from data that is linked in: opens no file.  NULL where memory ran out. */
    struct cst_voice_struct *(*load)(void);
    void (*unload)(struct cst_voice_struct *voice);
};

struct engine_language {
    const char *name; /* as the catalogue of jobs has it */
    const struct engine_voice *voices;
    size_t voice_count;
};

extern const struct engine_language engine_english;
extern const struct engine_language engine_oromo;

/* All rows. */
const struct engine_language *const *engine_languages(size_t *ret_count);

#endif
