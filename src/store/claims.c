/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs as workers see them: leases, claims, texts, ends. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "store/internal.h"

/* ---- workers
 * ------------------------------------------------------------------------------------------------------- */

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

/* A claim is undone: the job waits again. */
static int return_to_queue(struct store *store, const struct job *job, struct error *err)
{
    int64_t ordinal, position;
    int r;

    assert(job_transition_is_legal(job->status, JOB_PENDING));
    r = store_run_on_row(store, STATEMENT_job_to_pending, job->id, err);
    if (r == 0)
        r = store_job_waits(store, job->key, job->characters, false, &ordinal, &position, err);
    store_count(store, METRIC_JOBS_PENDING, 1);
    return r;
}

static int take_back(struct store *store, int64_t id, struct error *err)
{
    cleanup(job_release) struct job job = {0};
    int r = store_read_job(store, id, &job, err);

    if (r == 0)
        r = return_to_queue(store, &job, err);
    store_count(store, METRIC_LEASES_LOST, 1);
    return r < 0 ? r : 0;
}

int job_put_back(struct store *store, int64_t id, int64_t epoch, struct error *err)
{
    cleanup(job_release) struct job job = {0};
    int r = store_read_job(store, id, &job, err);

    if (r != 0)
        return r < 0 ? r : STORE_STALE;
    if (job.status != JOB_PROCESSING || job.epoch != epoch)
        return STORE_STALE;
    return return_to_queue(store, &job, err);
}

/* A worker has a bounded number of claims; one that has more leaves the rest to the next turn of the loop
 * below. */
#define CLAIMS_READ 64

static int claims_of(struct store *store, int64_t worker, int64_t ret_ids[CLAIMS_READ], size_t *ret_count,
                     struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_worker_jobs);
    size_t count = 0;
    int r = 0;

    db_bind_int(query, 1, worker);
    while (count < CLAIMS_READ && (r = db_step(query, err)) == DB_ROW)
        ret_ids[count++] = db_column_int(query, 0);
    if (r < 0)
        return r;
    *ret_count = count;
    return 0;
}

int worker_leave(struct store *store, int64_t worker, struct error *err)
{
    int64_t ids[CLAIMS_READ];
    size_t count;

    do {
        int r = claims_of(store, worker, ids, &count, err);

        for (size_t i = 0; r == 0 && i < count; i++)
            r = take_back(store, ids[i], err);
        if (r < 0)
            return r;
    } while (count > 0);
    return store_run_on_row(store, STATEMENT_worker_delete, worker, err);
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

/* ---- claims
 * -------------------------------------------------------------------------------------------------------- */

bool job_is_pending(struct store *store)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_is_pending);

    return db_step(query, NULL) == DB_ROW;
}

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

    db_bind_int(query, 1, id);
    db_bind_int(query, 2, worker);
    db_bind_int(query, 3, store_now(store));
    return db_run(query, err);
}

int job_claim(struct store *store, int64_t worker, struct job *ret_job, struct error *err)
{
    cleanup(job_release) struct job job = {0};
    int64_t key, id;
    int r = read_row_number(store, STATEMENT_key_next, 0, &key, err);

    if (r == 0)
        r = read_row_number(store, STATEMENT_key_first_job, key, &id, err);
    if (r == 0)
        r = mark_processing(store, id, worker, err);
    if (r == 0)
        r = store_read_job(store, id, &job, err);
    if (r == 0)
        r = store_job_waited(store, job.key, job.characters, job.characters, err);
    if (r != 0)
        return r;
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

/* ---- ends
 * ----------------------------------------------------------------------------------------------------------
 */

static int mark_terminal(struct store *store, int64_t id, const struct job_outcome *outcome,
                         struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_to_terminal);
    const struct audio_facts *audio = &outcome->audio;

    db_bind_int(query, 1, id);
    db_bind_text(query, 2, job_status_name(outcome->status));
    db_bind_int(query, 3, store_now(store));
    if (outcome->status == JOB_COMPLETED) {
        db_bind_int(query, 4, audio->bytes);
        db_bind_int(query, 5, audio->samples);
        db_bind_int(query, 6, audio->sample_rate);
        db_bind_text(query, 7, audio->sha256);
    }
    if (outcome->status == JOB_FAILED) {
        db_bind_text(query, 8, outcome->error_code);
        db_bind_text(query, 9, outcome->error_message);
        if (outcome->error_start >= 0) {
            db_bind_int(query, 10, outcome->error_start);
            db_bind_int(query, 11, outcome->error_end);
        }
    }
    db_bind_text(query, 12, outcome->warnings);
    return db_run(query, err);
}

static int read_receiver(struct store *store, int64_t id, char **ret_receiver, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_receiver);
    int r;

    db_bind_int(query, 1, id);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_NOT_FOUND;
    *ret_receiver = db_column_dup(query, 0);
    return *ret_receiver != NULL ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int insert_webhook(struct store *store, const struct job *job, const char *receiver, const char *body,
                          struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_webhook_insert);
    char webhook_id[WEBHOOK_ID_SIZE];

    webhook_id_make(webhook_id);
    db_bind_text(query, 1, webhook_id);
    db_bind_int(query, 2, job->key);
    db_bind_int(query, 3, job->id);
    db_bind_text(query, 4, event_type_name(job_terminal_event(job->status)));
    db_bind_text(query, 5, job->webhook_url);
    db_bind_text(query, 6, receiver);
    db_bind_text(query, 7, body);
    db_bind_int(query, 8, store_now(store) + store->webhook_delay);
    db_bind_int(query, 9, store_now(store));
    return db_run(query, err);
}

static int link_webhook(struct store *store, int64_t id, int64_t webhook, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_set_webhook);

    db_bind_int(query, 1, id);
    db_bind_int(query, 2, webhook);
    return db_run(query, err);
}

/* A body is the job's own members and its metadata; both are bounded well below this. */
#define WEBHOOK_BODY_MAX (64 * 1024)

static int owe_webhook(struct store *store, int64_t id, struct error *err)
{
    cleanup(buf_release) struct buf body = BUF_INIT(WEBHOOK_BODY_MAX);
    cleanup(free_ptr) char *receiver = NULL;
    cleanup(job_release) struct job job = {0};
    int r = store_read_job(store, id, &job, err);

    assert(store->renderer != NULL);
    if (r == 0)
        r = read_receiver(store, id, &receiver, err);
    if (r == 0)
        r = store->renderer->render(store->renderer, job_terminal_event(job.status), store_now(store), &job,
                                    &body, err);
    if (r == 0 && !buf_ok(&body))
        r = error_set(err, -ENOMEM, "the webhook of %s is larger than %d bytes", job.job_id,
                      WEBHOOK_BODY_MAX);
    if (r == 0)
        r = insert_webhook(store, &job, receiver, buf_str(&body), err);
    if (r == 0)
        r = link_webhook(store, id, db_last_insert(store->db), err);
    return r;
}

int store_end_job(struct store *store, const struct job *job, const struct job_outcome *outcome,
                  struct error *err)
{
    int r;

    assert(job_transition_is_legal(job->status, outcome->status));
    r = mark_terminal(store, job->id, outcome, err);
    /* A failed job's text stays, so that it can be tried again. */
    if (r == 0 && outcome->status != JOB_FAILED)
        r = store_run_on_row(store, STATEMENT_job_text_delete, job->id, err);
    if (r == 0 && job->webhook_url != NULL)
        r = owe_webhook(store, job->id, err);
    if (r == 0)
        store_count(store, (enum metric)(METRIC_JOBS_PENDING + outcome->status), 1);
    return r;
}

int job_finish(struct store *store, int64_t id, int64_t epoch, const struct job_outcome *outcome,
               struct error *err)
{
    cleanup(job_release) struct job job = {0};
    int r = store_read_job(store, id, &job, err);

    assert(db_in_transaction(store->db));
    if (r != 0)
        return r < 0 ? r : STORE_STALE;
    if (job.status != JOB_PROCESSING || job.epoch != epoch)
        return STORE_STALE;
    return store_end_job(store, &job, outcome, err);
}
