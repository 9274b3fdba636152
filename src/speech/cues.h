/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subtitles: tokens gathered into cues that can be read while they are heard.  A cue ends where a sentence or
 * a clause ends, else at a word; always where a paragraph ends.  Pauses between cues stay.
 */
#ifndef SPEECH_CUES_H
#define SPEECH_CUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "speech/tokens.h"

/* What subtitlers of films and broadcasts keep to, in code points. */
#define CUE_LINES      2
#define CUE_LINE_CHARS 42

/* Longer, and the eye comes back to read it again; shorter, and it flashes. */
#define CUE_MS_MAX 7000
#define CUE_MS_MIN 1000

#define CUE_LINE_BYTES (CUE_LINE_CHARS * UTF8_SEQUENCE_MAX + 1)

/* Ends are exclusive.  A cue is short of CUE_MS_MIN only where the next one or the end of the audio is near.
 */
struct cue {
    int64_t sample_start;
    int64_t sample_end;
    char lines[CUE_LINES][CUE_LINE_BYTES]; /* UTF-8, NUL-terminated; "" for a second line that is not there */
};

typedef int take_cue(void *context, const struct cue *cue, struct error *err);

/* What ends with a part of a cue. */
enum phrase_end {
    PHRASE_GOES_ON,
    PHRASE_CLAUSE,
    PHRASE_SENTENCE,
};

/* A token, or a piece of one that is too long for a line or for a cue. */
struct cue_part {
    char text[CUE_LINE_BYTES];
    size_t bytes;
    size_t chars;
    bool joined; /* to the one in front, without a space */
    bool heard;
    enum phrase_end end;
    int64_t sample_start;
    int64_t sample_end;
};

/* A part has a character, and a space in front of it: more than these never fit. */
#define CUE_PARTS_MAX (CUE_LINES * (CUE_LINE_CHARS / 2 + 1) * 2)

struct cue_maker {
    take_cue *take;
    void *context;
    int sample_rate;
    size_t count; /* parts, which fit into one cue */
    struct cue_part parts[CUE_PARTS_MAX];
    bool has_held;
    struct cue held; /* complete but for its end, which depends on where the next one starts */
};

void cue_maker_init(struct cue_maker *maker, int sample_rate, take_cue *take, void *context);
int cue_maker_add(struct cue_maker *maker, const struct timed_token *token, struct error *err);

/* There are no more tokens; `samples` is the whole audio. */
int cue_maker_end(struct cue_maker *maker, int64_t samples, struct error *err);

#endif
