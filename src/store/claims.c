/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs as workers see them while they have them: claims, texts, progress, cancellations. */
#include <errno.h>

#include "store/internal.h"

static int first_job(struct store *store, int64_t key, int64_t *ret_number, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_key_first_job);
    int r;

    db_bind_int(query, 1, key);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_NOT_FOUND;
    *ret_number = db_column_int(query, 0);
    return 0;
}

static int mark_processing(struct store *store, int64_t id, int64_t worker, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_to_processing);
    int r;

    db_bind_int(query, 1, id);
    db_bind_int(query, 2, worker);
    db_bind_int(query, 3, store_now(store));
    r = db_run(query, err);
    if (r < 0)
        return r;
    return db_changes(store->db) > 0 ? 0 : STORE_STALE;
}

static bool is_among(int64_t key, const int64_t *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i] == key)
            return true;
    return false;
}

/* The waiting key with the least virtual time, those in except left out. */
static int next_key(struct store *store, const int64_t *except, size_t except_count, int64_t *ret_key,
                    struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_key_next);
    int r;

    while ((r = db_step(query, err)) == DB_ROW)
        if (!is_among(db_column_int(query, 0), except, except_count)) {
            *ret_key = db_column_int(query, 0);
            return 0;
        }
    return r < 0 ? r : STORE_NOT_FOUND;
}

int key_waits(struct store *store, const int64_t *except, size_t except_count, struct error *err)
{
    int64_t key;

    return next_key(store, except, except_count, &key, err);
}

int job_claim(struct store *store, int64_t worker, const int64_t *except, size_t except_count,
              struct job *ret_job, struct error *err)
{
    cleanup(job_release) struct job job = {0};
    struct account *account;
    int64_t key, id;
    int r = store_write_accounts(store, err); /* it is by them that the next key is found */

    if (r == 0)
        r = next_key(store, except, except_count, &key, err);
    if (r == 0)
        r = first_job(store, key, &id, err);
    if (r == 0)
        r = mark_processing(store, id, worker, err);
    if (r == 0)
        r = store_read_job(store, id, &job, err);
    if (r == 0)
        r = store_account(store, job.key, &account, err);
    if (r != 0)
        return r;
    account_waited(store, account, job.characters, job.characters);
    job.weight = account->weight;
    metric_add(store, METRIC_JOBS_PROCESSING, 1);
    if (job.epoch == 1)
        store_observe_ms(store, METRIC_WAIT, job.started_at - job.created_at);
    *ret_job = job;
    job = (struct job){0};
    return 0;
}

int job_text_read(struct store *store, int64_t id, int64_t offset, void *buffer, size_t size,
                  size_t *ret_size, struct error *err)
{
    int r = db_blob_read(store->db, "job_texts", "text", id, offset, buffer, size, ret_size, err);

    return r == DB_NO_ROW ? STORE_NOT_FOUND : r;
}

int job_progress_set(struct store *store, int64_t id, int64_t epoch, int64_t spoken, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_set_spoken);
    int r;

    db_bind_int(query, 1, id);
    db_bind_int(query, 2, epoch);
    db_bind_int(query, 3, spoken);
    r = db_run(query, err);
    if (r < 0)
        return r;
    return db_changes(store->db) > 0 ? 0 : STORE_STALE;
}

int job_cancelled_list(struct store *store, int64_t worker, int64_t *ret_ids, size_t max, size_t *ret_count,
                       struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_worker_cancelled_jobs);
    size_t count = 0;
    int r = 0;

    db_bind_int(query, 1, worker);
    db_bind_int(query, 2, (int64_t)max);
    while (count < max && (r = db_step(query, err)) == DB_ROW)
        ret_ids[count++] = db_column_int(query, 0);
    if (r < 0)
        return r;
    *ret_count = count;
    return 0;
}
