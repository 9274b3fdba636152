/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs as administrators see and mend them: those of every key, failed ones that are tried again, ended ones
 * that are removed before their time.  As in store.h.
 */
#ifndef STORE_MANAGE_H
#define STORE_MANAGE_H

#include "store/store.h"

/* Conditions beside those of store.h: what keeps a job from being retried or purged. */
#define MANAGE_NO_TEXT   101 /* retention has removed its text */
#define MANAGE_OWED      102 /* the webhook of its end is still owed */
#define MANAGE_UNDER_WAY 103 /* an attempt at that webhook is under way: over within webhook_timeout */

/*
 * A page of jobs of those keys, newest first; filter as in job_list().  keys NULL, which takes no statuses,
 * is of all keys, and costs as much as a page of one; else it costs a look at an index for each key and
 * status.
 */
int manage_list(struct store *store, const int64_t *keys, size_t key_count, const struct job_filter *filter,
                struct job_page *ret_page, struct error *err);

/* What an administrator sees of a job beside the job. */
struct job_inside {
    char key_id[KEY_ID_SIZE];
    int64_t worker;     /* whose claim it is; 0 is nobody's */
    int64_t setbacks;   /* as in JOB_SETBACKS_MAX */
    int64_t text_bytes; /* -1: the text is gone */
};

int manage_inside(struct store *store, int64_t id, struct job_inside *ret_inside, struct error *err);

/*
 * [write] A job that has failed waits again, under its id, as if it had not been tried: its key is charged
 * for it as for one that was just created, but for rate and daily characters, and its next end owes a webhook
 * of its own.  The one that its failure owed is forgotten with its attempts, so that no receiver hears of the
 * failure after the success; while it is neither delivered nor given up: MANAGE_OWED, unless drop_webhook.
 * STORE_NOT_FOUND; STORE_CONFLICT where it has not failed; MANAGE_NO_TEXT, MANAGE_UNDER_WAY.
 */
int manage_retry(struct store *store, int64_t id, bool drop_webhook, struct error *err);

/*
 * [write] Removes a job that has ended with all that belongs to it, as retention does, and a request of the
 * same Idempotency-Key creates a new one.  *ret_job, which the caller releases, is the job whose files are to
 * be removed after the commit.  STORE_NOT_FOUND; STORE_CONFLICT where it has not ended; MANAGE_OWED unless
 * drop_webhook; MANAGE_UNDER_WAY.
 */
int manage_purge(struct store *store, int64_t id, bool drop_webhook, struct job *ret_job, struct error *err);

/* Jobs that a walk finds; each at its row. */
struct job_place {
    int64_t id;
    int64_t ended_at;
};

/* A way through a key's failed jobs in the order of their creation. */
struct failed_walk {
    int64_t key;
    int64_t since;          /* they failed then or later... */
    int64_t until;          /* ...and not after this */
    const char *error_code; /* NULL is any */
    int64_t last;           /* 0 at the start */
};

/* The next ones, at most max; *ret_count is 0 at the end. */
int failed_walk_next(struct store *store, struct failed_walk *walk, struct job_place *ret_places, size_t max,
                     size_t *ret_count, struct error *err);

/* A way through the jobs of all keys in the order of their end. */
struct ended_walk {
    int64_t until;         /* they ended then or before */
    int64_t key;           /* 0 is any */
    unsigned int statuses; /* bit 1 << enum job_status; 0 is any that is an end */
    struct job_place last; /* zero at the start */
};

/*
 * The same: it reads as many rows as max, of which some may not be meant.  *ret_count counts those that are;
 * *ret_more is false at the end.
 */
int ended_walk_next(struct store *store, struct ended_walk *walk, struct job_place *ret_places, size_t max,
                    size_t *ret_count, bool *ret_more, struct error *err);

#endif
