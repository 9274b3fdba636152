/* SPDX-License-Identifier: Apache-2.0 */
/* One segment through flite.  Private to engine/. */
#ifndef ENGINE_UTTERANCE_H
#define ENGINE_UTTERANCE_H

#include "engine/engine.h"

struct cst_voice_struct;
struct cst_utterance_struct;

/* engine_speak() for a request that was checked; *ret_result has its sample_rate. */
int utterance_speak(struct cst_voice_struct *voice, const struct engine_request *request,
                    struct engine_sink *sink, struct engine_result *ret_result, struct error *err);

/*
 * Up to phones and syllables, without audio.  The caller deletes it; NULL where flite gave up: its memory is
 * then in doubt, and the utterance is lost.
 */
struct cst_utterance_struct *utterance_analyse(struct cst_voice_struct *voice, const char *text);

/*
 * When each token of text (bytes between blanks) is heard in an utterance that is complete, into up to
 * maximum words.  A token that flite does not speak gets no time, at where it would be.
 */
size_t utterance_words(const struct cst_utterance_struct *utterance, const char *text, uint32_t sample_rate,
                       uint32_t samples, struct frame_word *ret_words, size_t maximum);

#endif
