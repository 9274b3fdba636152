/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the store share: the connection, the counters of the open transaction, and the reading of
 * rows. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "base/cleanup.h"
#include "db/db.h"
#include "store/statements.h"
#include "store/store.h"

/* Keys whose counters one transaction keeps at hand; a further one sends the longest there back. */
#define ACCOUNTS_MAX 8

/* A key's counters in the open transaction. */
struct account {
    int64_t key; /* 0: free */
    bool changed;
    double weight;
    double vt; /* virtual time */
    int64_t created_jobs;
    struct key_standing standing;
};

/* The name under which the virtual time of the most served key is kept among the metrics.  It is no metric:
 * the scheduler's alone, in units that depend on the keys' weights. */
#define METRIC_VIRTUAL_TIME "scheduler_virtual_time"

struct store {
    struct db *db;
    const struct clock *clock;
    const struct event_renderer *renderer;
    const struct sealer *sealer;
    int64_t webhook_delay;
    int64_t retention_audio;
    struct key_limits limits;     /* of keys that have none of their own */
    double counted[METRIC_COUNT]; /* by metric_add(), in the open transaction, as what follows */
    struct account accounts[ACCOUNTS_MAX];
    size_t next_account; /* the place of the next that is loaded */
    double virtual_time; /* the most that a key has reached by a claim; 0 before */
    int64_t last_job;    /* the newest job's row, once it was asked for; 0 before */
    int64_t first_job;   /* the first that was created; 0 before */
    int64_t repeatables; /* rows of idempotency_keys that were written */
    int64_t rows_before; /* that this connection had written when the transaction began */
};

/* Writes the counters of the open transaction. */
int store_flush_counters(struct store *store, struct error *err);

/* Rows that the open transaction, or the last one, has written. */
int64_t store_rows_written(const struct store *store);

/* One more value of a histogram, in milliseconds; one that a clock that was set back makes negative is 0. */
void store_observe_ms(struct store *store, enum metric histogram, int64_t ms);

int64_t store_now(const struct store *store);

/* Reads a job by its row, whatever its key.  STORE_NOT_FOUND. */
int store_read_job(struct store *store, int64_t id, struct job *ret_job, struct error *err);

/* Runs a statement whose one parameter is a row. */
int store_run_on_row(struct store *store, enum statement statement, int64_t row, struct error *err);

/* The audio of a completed job goes, or is gone: its row says so, and its key is no longer charged for it. */
int store_remove_audio(struct store *store, const struct job *job, struct error *err);

/* The row of a job's webhook.  STORE_NOT_FOUND without such a job; STORE_CONFLICT where it owes none. */
int store_webhook_of_job(struct store *store, int64_t id, int64_t *ret_webhook, struct error *err);

/* Before the commit: removes rows of idempotency_keys that are past their time, in proportion to new ones. */
int store_expire_repeatables(struct store *store, struct error *err);

/* ---- jobs.c: pages of jobs ---- */

/* The contract's largest page, and one more row that tells whether another page follows. */
#define STORE_PAGE_ROWS_MAX 101

/* The ids (both exclusive) between which a filter's jobs lie. */
void store_id_bounds(const struct job_filter *filter, int64_t *ret_above, int64_t *ret_below);

/* Merges a key's newest jobs into the ids, of which there are *count, newest first; limit remain. */
int store_add_ids(struct store *store, int64_t key, const struct job_filter *filter, int64_t *ids,
                  size_t limit, size_t *count, struct error *err);

/* The page of the first limit of so many ids. */
int store_read_page(struct store *store, const int64_t *ids, size_t found, size_t limit,
                    struct job_page *ret_page, struct error *err);

/* ---- ends.c ---- */

/* Where a job's webhook goes; the caller frees it. */
int store_read_receiver(struct store *store, int64_t id, char **ret_receiver, struct error *err);

/* ---- retention.c ---- */

/*
 * A job that has ended goes with all that belongs to it, and its key is no longer charged for its audio.
 * until: its receiver stays as long behind that as that is ago, halved.
 */
int store_remove_job(struct store *store, const struct job *job, int64_t until, struct error *err);

/* ---- secrets.c ---- */

/* Before secrets are added: sees to it that all lie as this store's do.  -EPROTO as secrets_seal(). */
int store_settle_secrets(struct store *store, size_t *ret_count, struct error *err);

int store_add_secret(struct store *store, int64_t key, const char *secret, struct error *err);

/* ---- accounts.c: the counters of keys ---- */

/*
 * The counters of a key, as they stand in the open transaction.  Valid until the next call of this function.
 */
int store_account(struct store *store, int64_t key, struct account **ret_account, struct error *err);

/* Writes all back, for statements that look at them. */
int store_write_accounts(struct store *store, struct error *err);

/* A transaction begins, or was rolled back. */
void store_forget_accounts(struct store *store);

/* The columns of a query from rate_limit_requests to stored_bytes. */
void store_read_standing(struct store *store, struct db_query *query, int column,
                         struct key_standing *ret_standing);

/* A job starts to wait, or waits no longer; cost is what is charged to the key, in characters. */
int account_wait(struct store *store, struct account *account, int64_t characters, struct error *err);
void account_waited(struct store *store, struct account *account, int64_t characters, int64_t cost);

/* A charge is undone. */
void account_refund(struct account *account, int64_t cost);

/* Audio that is kept or owed becomes more or, with a negative value, less. */
void account_store_bytes(struct account *account, int64_t bytes);

/* Ends a job, whoever ends it: its state, its counters, its text's removal, the webhook it owes.  job is as
 * it stands before. */
int store_end_job(struct store *store, const struct job *job, const struct job_outcome *outcome,
                  struct error *err);

/* Undoes a claim: the job waits again, or STORE_CANCELLED: it ends, since that was asked for. */
int store_return_job(struct store *store, const struct job *job, struct error *err);

/* The same with a setback: STORE_GAVE_UP where that was one too many. */
int store_set_back(struct store *store, const struct job *job, const struct setback *setback,
                   struct error *err);

#endif
