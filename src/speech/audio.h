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

#include "base/buf.h"
#include "base/error.h"
#include "job/job.h"

struct audio_writer;

/* Whether files of this format can be written. */
bool audio_format_is_writable(enum audio_format format);

/*
 * Creates path, which must not exist (-EEXIST), mode 0644 less the umask.  A WAV that outgrows 4 GiB becomes
 * RF64 by itself. -ENOTSUP for a format that cannot be written; sample_rate in Hz.  On failure there is no
 * file.  docs/FORMATS.md has what the formats are set to and cost.
 */
int audio_writer_open(const char *path, enum audio_format format, int sample_rate,
                      struct audio_writer **ret_writer, struct error *err);

/*
 * Goes on with a file that a writer of the same format and rate left unfinished when its process died: cuts
 * it to so many samples, which audio_writer_flush() had vouched for.  WAV alone, -ENOTSUP for the rest: they
 * are encoded anew, and the same samples give the same bytes. -EBADMSG where the file is not one, or is
 * shorter; then, as on any failure, it stays as it is.
 */
int audio_writer_reopen(const char *path, enum audio_format format, int sample_rate, int64_t samples,
                        struct audio_writer **ret_writer, struct error *err);

/*
 * Encodes and buffers; pieces of any size, the same file for however they were cut.  After a failure (-ENOSPC
 * among them) the writer can only be abandoned; some failures show at a later append, flush or finish.
 */
int audio_writer_append(struct audio_writer *writer, const int16_t *samples, size_t count, struct error *err);

/* The same for a piece of so many samples that was encoded apart (piece.h); a writer takes these or those. */
int audio_writer_add(struct audio_writer *writer, const struct buf *packets, size_t samples,
                     struct error *err);

/*
 * Hands what is buffered to the kernel, so that it survives this process.  All samples of a WAV so far; of
 * the other formats what is encoded.
 */
int audio_writer_flush(struct audio_writer *writer, struct error *err);

/*
 * Completes the header, makes the bytes durable (not the folder's entry), and reads the file once to hash it.
 * Frees the writer always; on failure the file is gone, too.
 */
int audio_writer_finish(struct audio_writer *writer, struct audio_facts *ret_facts, struct error *err);

/* Closes the file as it is, for audio_writer_reopen(); what was not flushed is lost.  Returns NULL. */
struct audio_writer *audio_writer_leave(struct audio_writer *writer);

/* Closes and removes the file, frees the writer, returns NULL; takes NULL. */
struct audio_writer *audio_writer_abandon(struct audio_writer *writer);

#endif
