/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a job with `timings`: words as .json, subtitles as .srt and .vtt.  They are made in one go
 * when the audio is complete, from the text and the words that were kept while it was spoken
 * (speech/words.h): a second for hours of audio, in memory that does not grow with them.
 */
#ifndef SPEECH_TIMINGS_H
#define SPEECH_TIMINGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "job/files.h"

/* Reads up to size bytes of the text from offset on; *ret_size is 0 at its end. */
typedef int timings_read(void *context, int64_t offset, void *buffer, size_t size, size_t *ret_size,
                         struct error *err);

struct timings_source {
    const char *job_id;
    int sample_rate;   /* of the audio, in Hz */
    int64_t samples;   /* of the whole audio */
    const char *words; /* path of the word spool, flushed or closed */
    timings_read *read;
    void *context; /* read's */
};

/*
 * Writes the three files, replacing what is there, mode 0644 less the umask, and makes their bytes durable
 * (not the folder's entries).  On failure none of them is there.  Whatever read returns other than 0 is
 * returned.
 */
int timings_write(const struct timings_source *source, const char *const paths[TIMINGS_FILES],
                  struct error *err);

#endif
