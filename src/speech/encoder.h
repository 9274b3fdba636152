/* SPDX-License-Identifier: Apache-2.0 */
/* What turns samples into the bytes of a format.  An encoder belongs to the writer of speech/audio.h. */
#ifndef SPEECH_ENCODER_H
#define SPEECH_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "job/job.h"
#include "speech/sink.h"

/*
 * What the file says of itself, in every format.  Nothing of the job is in it: the same request gives the
 * same bytes.  Whoever meets the file later should know that nobody said this.
 */
#define TAG_TITLE   "Speech"
#define TAG_COMMENT "Synthetic speech made by Sayhook"

struct encoder {
    /* Samples are mono, 16 bits.  Failures of the sink are seen by whoever asks the sink. */
    int (*write)(struct encoder *encoder, const int16_t *samples, size_t count, struct error *err);

    /* A piece of piece.h that was encoded apart, of so many samples; NULL for a format that has none. */
    int (*add)(struct encoder *encoder, const struct buf *packets, size_t samples, struct error *err);

    /* Writes what is held back, and completes the headers.  Once. */
    int (*complete)(struct encoder *encoder, struct error *err);

    /* Frees the encoder; what it writes then is of no use, but may be written. */
    void (*free)(struct encoder *encoder);
};

/* Begins a file in a sink that stays the caller's and outlives the encoder. */
typedef int encoder_open(struct sink *sink, enum audio_format format, int sample_rate,
                         struct encoder **ret_encoder, struct error *err);

encoder_open wav_encoder_open;
encoder_open opus_encoder_open;
encoder_open sound_encoder_open; /* flac, mp3, vorbis */

#endif
