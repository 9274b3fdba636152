/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the audio file of a job, piece by piece: mono, 16 bits, as long as it takes.
 *
 * Memory is the same for a second and for a day of audio.  A writer belongs to one thread at a time, and may
 * change hands: it can be opened on one and finished on another.
 */
#ifndef SPEECH_AUDIO_H
#define SPEECH_AUDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "job/job.h"

struct audio_writer;

/* Whether files of this format can be written. */
bool audio_format_is_writable(enum audio_format format);

/*
 * Creates path, which must not exist (-EEXIST), mode 0644 less the umask.  A WAV that outgrows 4 GiB becomes
 * RF64 by itself. -ENOTSUP for a format that cannot be written; sample_rate in Hz.  On failure there is no
 * file.
 */
int audio_writer_open(const char *path, enum audio_format format, int sample_rate,
                      struct audio_writer **ret_writer, struct error *err);

/* After a failure (-ENOSPC among them) the writer can only be abandoned. */
int audio_writer_append(struct audio_writer *writer, const int16_t *samples, size_t count, struct error *err);
int audio_writer_silence(struct audio_writer *writer, uint64_t samples, struct error *err);

/* Samples written so far. */
int64_t audio_writer_samples(const struct audio_writer *writer);

/*
 * Completes the header, makes the bytes durable (not the folder's entry), and reads the file once to hash it.
 * Frees the writer always; on failure the file is gone, too.
 */
int audio_writer_finish(struct audio_writer *writer, struct audio_facts *ret_facts, struct error *err);

/* Closes and removes the file, frees the writer, returns NULL; takes NULL. */
struct audio_writer *audio_writer_abandon(struct audio_writer *writer);

#endif
