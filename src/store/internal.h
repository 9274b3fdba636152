/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the store share: the connection, the counters of the open transaction, and the reading of
 * rows. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "base/cleanup.h"
#include "db/db.h"
#include "store/statements.h"
#include "store/store.h"

/* Counters that the verbs keep.  They gather in memory during a transaction and are written once, before its
 * commit. */
enum metric {
    METRIC_JOBS_PENDING, /* job_status_total: entries into a status, in the order of enum job_status */
    METRIC_JOBS_PROCESSING,
    METRIC_JOBS_COMPLETED,
    METRIC_JOBS_FAILED,
    METRIC_JOBS_CANCELLED,
    METRIC_QUEUE_LENGTH,
    METRIC_DELIVERIES_SUCCEEDED,
    METRIC_DELIVERIES_FAILED,
    METRIC_RETRIES,
    METRIC_LEASES_LOST,
    METRIC_COUNT
};

struct store {
    struct db *db;
    const struct clock *clock;
    const struct event_renderer *renderer;
    int64_t webhook_delay;
    double counted[METRIC_COUNT]; /* in the open transaction */
    int64_t last_job;             /* the newest job's row, once the open transaction has asked; 0 before */
};

/* Adds to a counter of the open transaction. */
void store_count(struct store *store, enum metric metric, double amount);

/* Writes the counters of the open transaction. */
int store_flush_counters(struct store *store, struct error *err);

int64_t store_now(const struct store *store);

/* Reads a job by its row, whatever its key.  STORE_NOT_FOUND. */
int store_read_job(struct store *store, int64_t id, struct job *ret_job, struct error *err);

/* Runs a statement whose one parameter is a row. */
int store_run_on_row(struct store *store, enum statement statement, int64_t row, struct error *err);

/* A job starts to wait (created: for the first time), or waits no longer (cost: characters charged to its
 * key). */
int store_job_waits(struct store *store, int64_t key, int64_t characters, bool created, int64_t *ret_ordinal,
                    int64_t *ret_position, struct error *err);
int store_job_waited(struct store *store, int64_t key, int64_t characters, int64_t cost, struct error *err);

/* Ends a job, whoever ends it: its state, its counters, its text's removal, the webhook it owes.  job is as
 * it stands before. */
int store_end_job(struct store *store, const struct job *job, const struct job_outcome *outcome,
                  struct error *err);

/* Undoes a claim: the job waits again, or STORE_CANCELLED: it ends, since that was asked for. */
int store_return_job(struct store *store, const struct job *job, struct error *err);

#endif
