/* SPDX-License-Identifier: Apache-2.0 */
/* A statistical voice of flite's made to say the phonemes of Afaan Oromoo.  Private to engine/. */
#ifndef OROMO_VOICE_H
#define OROMO_VOICE_H

struct cst_voice_struct;
struct cst_cg_db_struct;

/*
 * A voice with the sounds of data, which stays as it is and outlives it, and flite's English rules of
 * phrasing and intonation.  It has no rules for words yet: the caller sets tokentowords_func and lexicon.
 * NULL where memory ran out or the data lacks a sound.
 */
struct cst_voice_struct *oromo_voice_new(const struct cst_cg_db_struct *data, const char *name);
void oromo_voice_free(struct cst_voice_struct *voice);

#endif
