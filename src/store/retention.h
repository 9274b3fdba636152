/* SPDX-License-Identifier: Apache-2.0 */
/* What is removed with time: audio, jobs, and the record of webhooks.  Marks as in store/store.h. */
#ifndef STORE_RETENTION_H
#define STORE_RETENTION_H

#include "store/store.h"

/* What one transaction removes at most: deletes of more hold up other writers. */
#define RETENTION_BATCH 64

struct retention_batch {
    struct job jobs[RETENTION_BATCH]; /* whose files are to be removed after the commit */
    size_t count;
    size_t deliveries; /* webhooks whose attempts were removed */
};
void retention_batch_release(struct retention_batch *batch);

/* How far a pass over the jobs that ended has come; zero is its beginning. */
struct retention_cursor {
    int64_t completed_at;
    int64_t id;
};

/*
 * Whether anything is to be done: 0, or STORE_NOT_FOUND.  The cursor goes past jobs that stay, so that they
 * cost no transaction; at the end of a pass it is zero again.
 */
struct retention_times {
    int64_t audio;      /* audio whose time of expiry is up to this is removed */
    int64_t jobs;       /* jobs that ended up to this */
    int64_t deliveries; /* attempts of webhooks that were settled up to this */
};
int retention_is_due(struct store *store, const struct retention_times *until,
                     struct retention_cursor *cursor, struct error *err);

/*
 * [write] Marks audio as removed, removes jobs with all that belongs to them, and attempts with what was
 * sent: each kind at most RETENTION_BATCH a call.  A job whose webhook is still owed, or whose request may
 * still be repeated, stays until the next pass; the cursor goes past it.
 */
int retention_remove(struct store *store, const struct retention_times *until,
                     struct retention_cursor *cursor, struct retention_batch *ret_batch, struct error *err);

#endif
