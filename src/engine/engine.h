/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speaks one segment at a time with flite.
 *
 * Flite keeps its state in globals, so that a process holds one engine and one thread uses it.  The same
 * request gives the same samples in every process: nothing random is left over from the segment before.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "frame/frame.h"

/*
 * The longest text.  Flite's memory grows with it (850 KB a second of audio with the statistical voices), and
 * the worker's segments (CLEAN_BYTES_MAX in text/clean.h) are shorter.
 */
#define ENGINE_TEXT_MAX 768

/*
 * The longest run of bytes without a blank.  Flite 2.2 corrupts its heap where 307 or more marks follow a
 * token (get_token_postpunctuation), and its time grows with the square of a token's length.
 */
#define ENGINE_TOKEN_MAX 256

/* "flite": what READY says. */
#define ENGINE_NAME "flite"

struct engine;

struct engine_request {
    const char *language;
    const char *voice;
    double speed;
    double pitch;
    const char *text; /* printable ASCII and blanks; NUL ends it */
    size_t text_bytes;
    uint32_t samples_max; /* more are a flood: frame_samples_max() */
};

/* Takes the audio as it is made, up to FRAME_PIECE_MAX samples at a time; a negative result stops the engine.
 */
struct engine_sink {
    int (*audio)(struct engine_sink *sink, const int16_t *samples, size_t count);
};

struct engine_result {
    uint32_t sample_rate;
    uint32_t samples; /* handed to the sink; 0 where the text has nothing that can be spoken */
    size_t word_count;
    struct frame_word words[ENGINE_TEXT_MAX / 2]; /* one for each run of bytes between blanks */
};

/* Builds all voices: a few hundred kilobytes, since their data is mapped with the program. */
int engine_new(struct engine **ret_engine, struct error *err);
struct engine *engine_free(struct engine *engine);

/* What the engine speaks, for READY. */
void engine_describe(struct frame_ready *ret_ready);

/* The rate at which a voice speaks, or 0 where the language has none of that name. */
uint32_t engine_sample_rate(const struct engine *engine, const char *language, const char *voice);

/*
 * Speaks.  Positive results are enum frame_error_code; after FRAME_ENGINE_FAILED flite's memory is in doubt,
 * and the process should end.  Negative: what the sink said.
 */
int engine_speak(struct engine *engine, const struct engine_request *request, struct engine_sink *sink,
                 struct engine_result *ret_result, struct error *err);

#endif
