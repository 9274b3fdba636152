/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WAV: mono, 16 bits, the plain form of PCM that every reader takes; RF64 past 4 GiB (EBU Tech 3306).  A file
 * under construction has a whole header but for the lengths, so that it can be gone on with after a crash.
 */
#ifndef SPEECH_WAV_H
#define SPEECH_WAV_H

#include <stddef.h>
#include <stdint.h>

#include "speech/encoder.h"

/* RIFF, room for RF64's lengths, the format, the tags, and the head of the data. */
#define WAV_HEADER_SIZE (12 + 36 + 24 + 70 + 8)

/* The header of a file with so many samples. */
void wav_header(int sample_rate, int64_t samples, unsigned char ret_header[WAV_HEADER_SIZE]);

/*
 * Goes on with a file, completed or not: cuts it to so many samples, behind which sink then starts (it is not
 * yet initialised). -EBADMSG where the file is not one of ours at that rate, or has fewer samples.
 */
int wav_encoder_reopen(struct sink *sink, int fd, const char *path, int sample_rate, int64_t samples,
                       struct encoder **ret_encoder, struct error *err);

#endif
