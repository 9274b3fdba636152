/* SPDX-License-Identifier: Apache-2.0 */
/* Workers, their leases, and what becomes of their claims when they are gone. */
#include <errno.h>
#include <string.h>

#include "store/internal.h"

int worker_join(struct store *store, const char *lock_path, const char *boot_id, int64_t lease_until,
                int64_t *ret_worker, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_worker_insert);
    int r;

    db_bind_text(query, 1, lock_path);
    db_bind_text(query, 2, boot_id);
    db_bind_int(query, 3, lease_until);
    db_bind_int(query, 4, store_now(store));
    r = db_run(query, err);
    if (r == 0)
        *ret_worker = db_last_insert(store->db);
    return r;
}

int worker_beat(struct store *store, int64_t worker, int64_t lease_until, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_worker_beat);
    int r;

    db_bind_int(query, 1, worker);
    db_bind_int(query, 2, lease_until);
    db_bind_int(query, 3, store_now(store));
    r = db_run(query, err);
    if (r < 0)
        return r;
    return db_changes(store->db) > 0 ? 0 : STORE_STALE;
}

static int claims_of(struct store *store, int64_t worker, int64_t ret_ids[WORKER_TAKE_BACK_MAX],
                     size_t *ret_count, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_worker_jobs);
    size_t count = 0;
    int r = 0;

    db_bind_int(query, 1, worker);
    while (count < WORKER_TAKE_BACK_MAX && (r = db_step(query, err)) == DB_ROW)
        ret_ids[count++] = db_column_int(query, 0);
    if (r < 0)
        return r;
    *ret_count = count;
    return 0;
}

/* 0 where the worker's lease is still the one that was judged. */
static int check_lease(struct store *store, int64_t worker, int64_t lease_until, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_worker_lease);
    int r;

    db_bind_int(query, 1, worker);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_STALE;
    return lease_until == 0 || db_column_int(query, 0) == lease_until ? 0 : STORE_STALE;
}

static int take_back(struct store *store, int64_t id, const struct take_back *how, struct job *ret_job,
                     struct error *err)
{
    static const struct setback crash = {"worker_crashed", "worker after worker crashed at this job"};
    cleanup(job_release) struct job job = {0};
    int r = store_read_job(store, id, &job, err);

    if (r == 0)
        r = how->culprit != NULL && strcmp(how->culprit, job.job_id) == 0
                ? store_set_back(store, &job, &crash, err)
                : store_return_job(store, &job, err);
    if (r < 0)
        return r;
    metric_add(store, METRIC_JOBS_TAKEN_BACK, 1);
    return store_read_job(store, id, ret_job, err);
}

int worker_take_back(struct store *store, const struct take_back *how,
                     struct job ret_jobs[WORKER_TAKE_BACK_MAX], size_t *ret_count, bool *ret_gone,
                     struct error *err)
{
    int64_t ids[WORKER_TAKE_BACK_MAX];
    size_t found = 0, count = 0;
    int r = check_lease(store, how->worker, how->lease_until, err);

    if (r == 0)
        r = claims_of(store, how->worker, ids, &found, err);
    while (r == 0 && count < found) {
        r = take_back(store, ids[count], how, &ret_jobs[count], err);
        count += r == 0;
    }
    if (r == 0 && found < WORKER_TAKE_BACK_MAX)
        r = store_run_on_row(store, STATEMENT_worker_delete, how->worker, err);
    if (r != 0) {
        while (count > 0)
            job_release(&ret_jobs[--count]);
        return r;
    }
    *ret_count = count;
    *ret_gone = found < WORKER_TAKE_BACK_MAX;
    if (*ret_gone && how->is_lost)
        metric_add(store, (enum metric)(METRIC_LEASES_LOST + how->loss), 1);
    return 0;
}

void worker_rows_free(struct worker_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(rows[i].lock_path);
        free(rows[i].boot_id);
    }
    free(rows);
}

int worker_list(struct store *store, struct worker_row **ret_rows, size_t *ret_count, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_worker_all);
    struct worker_row *rows = NULL;
    size_t count = 0;
    int r;

    while ((r = db_step(query, err)) == DB_ROW) {
        struct worker_row *grown = reallocarray(rows, count + 1, sizeof *rows);

        if (grown == NULL)
            break;
        rows = grown;
        rows[count++] = (struct worker_row){
            .worker = db_column_int(query, 0),
            .lock_path = db_column_dup(query, 1),
            .boot_id = db_column_dup(query, 2),
            .lease_until = db_column_int(query, 3),
            .beat_at = db_column_int(query, 4),
            .started_at = db_column_int(query, 5),
        };
    }
    if (r == DB_ROW || (r == 0 && db_query_failed(query)))
        r = error_set(err, -ENOMEM, "out of memory");
    if (r < 0) {
        worker_rows_free(rows, count);
        return r;
    }
    *ret_rows = rows;
    *ret_count = count;
    return 0;
}
