/* SPDX-License-Identifier: Apache-2.0 */
/* The pitch of one utterance.  Private to engine/. */
#ifndef ENGINE_PITCH_H
#define ENGINE_PITCH_H

struct cst_utterance_struct;
struct cst_voice_struct;

/* What an utterance borrows for its pitch. */
struct pitch;

/*
 * Makes an utterance that is not synthesized yet higher than its voice by factor.  The voice, which later
 * ones share, stays as it is.  *ret_pitch, which may become NULL, is freed after the utterance.  -ENOMEM.
 */
int pitch_set(struct cst_utterance_struct *utterance, const struct cst_voice_struct *voice, double factor,
              struct pitch **ret_pitch);
struct pitch *pitch_free(struct pitch *pitch);

#endif
