/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs as workers see them while they have them: claims, texts, progress, cancellations. */
#include <errno.h>

#include "store/internal.h"

/* The first column of a statement's first row; STORE_NOT_FOUND where it has none. */
static int read_row_number(struct store *store, enum statement statement, int64_t argument,
                           int64_t *ret_number, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, statement);
    int r;

    if (argument != 0)
        db_bind_int(query, 1, argument);
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

int job_claim(struct store *store, int64_t worker, struct job *ret_job, struct error *err)
{
    cleanup(job_release) struct job job = {0};
    struct account *account;
    int64_t key, id;
    int r = store_write_accounts(store, err); /* it is by them that the next key is found */

    if (r == 0)
        r = read_row_number(store, STATEMENT_key_next, 0, &key, err);
    if (r == 0)
        r = read_row_number(store, STATEMENT_key_first_job, key, &id, err);
    if (r == 0)
        r = mark_processing(store, id, worker, err);
    if (r == 0)
        r = store_read_job(store, id, &job, err);
    if (r == 0)
        r = store_account(store, job.key, &account, err);
    if (r != 0)
        return r;
    account_waited(store, account, job.characters, job.characters);
    store_count(store, METRIC_JOBS_PROCESSING, 1);
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
