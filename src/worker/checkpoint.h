/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a long job is spoken, kept on disk for whoever claims the job after us.
 *
 * A file of marks, each of which vouches for the samples and words before it; the last one counts.  Marks
 * need no sync: they survive the death of the process.  After a crash of the machine only that one counts of
 * which it was known by then that what it vouches for is durable: each mark tells which was the last such
 * one.
 */
#ifndef WORKER_CHECKPOINT_H
#define WORKER_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct checkpoint_mark {
    int64_t source_end;   /* code points of the text that are in the audio */
    int64_t source_bytes; /* their bytes */
    int64_t samples;
    int64_t sample_rate;
    int64_t words; /* of the timings */
    int64_t lost;  /* code points that could not be spoken, and where */
    int64_t lost_start;
    int64_t lost_end;
};

struct checkpoint;

/* Creates the file, which must not exist.  boot_id is the machine's (36 characters). */
int checkpoint_create(const char *path, const char *boot_id, struct checkpoint **ret_checkpoint,
                      struct error *err);

/*
 * Goes on with the file that a dead process left.  *ret_mark is the last mark that can be trusted.
 * CHECKPOINT_NONE where there is no file or no such mark.
 */
#define CHECKPOINT_NONE 1
int checkpoint_reopen(const char *path, const char *boot_id, struct checkpoint **ret_checkpoint,
                      struct checkpoint_mark *ret_mark, struct error *err);

/* Adds a mark; durable: what it vouches for is on disk, and so is the mark when this returns. */
int checkpoint_add(struct checkpoint *checkpoint, const struct checkpoint_mark *mark, bool durable,
                   struct error *err);

/* How many marks there are; 0 is none. */
int64_t checkpoint_count(const struct checkpoint *checkpoint);

/* So many marks and what they vouch for are durable, says whoever synced them; the next mark tells it on. */
void checkpoint_vouch(struct checkpoint *checkpoint, int64_t count);

/* Closes; the file stays.  Takes NULL. */
struct checkpoint *checkpoint_close(struct checkpoint *checkpoint);

#endif
