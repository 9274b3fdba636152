/* SPDX-License-Identifier: Apache-2.0 */
/* How fast flite finds the features that its rules ask for.  Private to engine/. */
#ifndef ENGINE_LOOKUP_H
#define ENGINE_LOOKUP_H

struct cst_voice_struct;

/*
 * Puts what flite asks for most to the front of a voice's lists, which it searches from front to back; of no
 * influence on what is spoken.  Once a voice, before its first utterance.
 */
void lookup_sort(struct cst_voice_struct *voice);

#endif
