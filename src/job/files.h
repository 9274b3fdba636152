/* SPDX-License-Identifier: Apache-2.0 */
/* Where a job's audio lies below downloads_dir, finished and under construction. */
#ifndef JOB_FILES_H
#define JOB_FILES_H

#include <limits.h>

#include "base/error.h"
#include "config/settings.h"
#include "job/job.h"

/*
 * Makes the folders into which audio is spread, and makes them durable: all at once, since making one when it
 * is first needed would cost that job two more syncs.  Those that are there are left alone.
 */
int job_folders_make(const char *downloads_dir, struct error *err);

/*
 * Whether fewer than so many bytes are left where audio, spool or database lie.  A disk that cannot be asked
 * has enough: whoever writes to it finds out.
 */
bool job_space_is_below(const struct settings *settings, int64_t bytes);

/* "DOWNLOADS/ab/job_ab….wav"; false where it does not fit. */
bool job_final_path(const char *downloads_dir, const struct job *job, char ret_path[PATH_MAX]);

/* The path of what lies beside the audio, "DOWNLOADS/ab/job_ab….SUFFIX". */
bool job_beside_path(const char *downloads_dir, const struct job *job, const char *suffix,
                     char ret_path[PATH_MAX]);

/* The same with ".EPOCH.part": a claim's own file, which the file of a stale claim cannot be taken for. */
bool job_part_path(const char *downloads_dir, const struct job *job, const char *suffix, int64_t epoch,
                   char ret_path[PATH_MAX]);

/* What a job with timings has beside its audio. */
enum timings_file {
    TIMINGS_JSON,
    TIMINGS_SRT,
    TIMINGS_VTT,
};
#define TIMINGS_FILES 3

/* "json", "srt", "vtt". */
const char *timings_suffix(enum timings_file file);

/* Whether it is one of them. */
bool timings_is_suffix(const char *suffix);

/* "SPOOL/job_ab….EPOCH.SUFFIX": what a claim keeps so that the next can go on. */
#define SPOOL_MARKS   "marks"
#define SPOOL_SAMPLES "pcm"
#define SPOOL_WORDS   "words"
bool job_spool_path(const char *spool_dir, const struct job *job, int64_t epoch, const char *suffix,
                    char ret_path[PATH_MAX]);

/*
 * Removes what the claims 1 to epochs of a job may have left: their files under construction, what they kept
 * and, where final is set, a finished one that no row speaks of.
 */
void job_files_discard(const struct settings *settings, const struct job *job, int64_t epochs, bool final);

/* Removes all that a job that has ended has: its audio and the timings beside it. */
void job_files_remove(const char *downloads_dir, const struct job *job);

#endif
