/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How words and cues are written: JSON as the API describes it, SubRip (.srt), and WebVTT (W3C).  All times
 * are whole milliseconds, rounded down from samples: they do not drift, and the three files agree.
 */
#ifndef SPEECH_SUBTITLES_H
#define SPEECH_SUBTITLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "speech/cues.h"
#include "speech/tokens.h"

void json_words_begin(struct buf *out, const char *job_id, int sample_rate);
void json_words_add(struct buf *out, bool is_first, const struct timed_token *token, int sample_rate);
void json_words_end(struct buf *out);

/* Cues count from 1. */
void srt_add(struct buf *out, int64_t number, const struct cue *cue, int sample_rate);

void vtt_begin(struct buf *out);
void vtt_add(struct buf *out, const struct cue *cue, int sample_rate);

#endif
