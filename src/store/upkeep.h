/* SPDX-License-Identifier: Apache-2.0 */
/* What backups and 'db check' need to know of all jobs.  As in store.h. */
#ifndef STORE_UPKEEP_H
#define STORE_UPKEEP_H

#include "store/store.h"

/* A way through the jobs that have audio; zero is its beginning. */
struct audio_walk {
    int64_t expires_at;
    int64_t id;
};

/* The next ones, at most max, which the caller releases; *ret_count is 0 at the end. */
int audio_walk_next(struct store *store, struct audio_walk *walk, struct job *ret_jobs, size_t max,
                    size_t *ret_count, struct error *err);

/* [write] The audio of a job is gone: its row says so, as if retention had removed it now. */
int audio_lost(struct store *store, const struct job *job, struct error *err);

/* How many jobs there are of each status.  It reads every job. */
int jobs_count(struct store *store, int64_t ret_counts[JOB_STATUS_COUNT], struct error *err);

/* One number of the database that is kept, and what it should be. */
struct miscount {
    int64_t key;              /* the row of the API key; 0: of all together */
    char key_id[KEY_ID_SIZE]; /* "" with it */
    const char *what;         /* "pending_jobs", "job_queue_length" */
    int64_t kept;
    int64_t real;
};

/*
 * Compares the counters of keys, and the length of the queue, with the jobs, as of one moment.  It reads
 * every job.  report is called for each that is wrong.
 */
int counters_check(struct store *store, void (*report)(void *context, const struct miscount *miscount),
                   void *context, struct error *err);

/* [write] The same, and puts the real numbers in their place.  It reads every job inside the transaction. */
int counters_mend(struct store *store, void (*report)(void *context, const struct miscount *miscount),
                  void *context, struct error *err);

#endif
