/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pieces of audio that are encoded apart, several at once, and then added to the file in their order.
 *
 * Opus alone is made of them (docs/FORMATS.md).  Where a piece begins and ends is a matter of the audio and
 * not of who encodes it, so that the same samples give the same bytes on any number of cores.
 */
#ifndef SPEECH_PIECE_H
#define SPEECH_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "job/job.h"

/* The most that a piece can take up when it is encoded: 502 packets of 4,002 bytes; as a rule it is 40 kB. */
#define AUDIO_PIECE_BYTES_MAX ((size_t)2 * 1024 * 1024)

struct audio_piece {
    const int16_t *samples; /* lead more of them stand in front */
    size_t lead;            /* audio_piece_lead(); 0 where the audio begins */
    size_t count;           /* audio_piece_size(); 1 or more where the audio ends */
    int sample_rate;
    bool is_last;
};

/* The samples of a piece and of the lead in front of it; 0 for a format whose samples must be encoded in
 * turn. */
size_t audio_piece_size(enum audio_format format, int sample_rate);
size_t audio_piece_lead(enum audio_format format, int sample_rate);

/* Appends the piece, encoded, to *packets, for audio_writer_add(); from any thread. */
int audio_piece_encode(const struct audio_piece *piece, struct buf *packets, struct error *err);

#endif
