/* SPDX-License-Identifier: Apache-2.0 */
/* What is removed with time: the row says so first, and the caller removes the files once that is committed.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "store/internal.h"
#include "store/retention.h"

void retention_batch_release(struct retention_batch *batch)
{
    while (batch->count > 0)
        job_release(&batch->jobs[--batch->count]);
}

/* Batches of jobs that stay which one look goes past: a thousand rows, a few milliseconds. */
#define LOOK_ROUNDS 16

/* ---- audio ---- */

static int find_audio(struct store *store, int64_t until, int64_t *ret_ids, size_t max, size_t *ret_count,
                      struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_retention_audio);
    size_t count = 0;
    int r = 0;

    db_bind_int(query, 1, until);
    db_bind_int(query, 2, (int64_t)max);
    while (count < max && (r = db_step(query, err)) == DB_ROW)
        ret_ids[count++] = db_column_int(query, 0);
    *ret_count = count;
    return r < 0 ? r : 0;
}

static int forget_bytes(struct store *store, const struct job *job, struct error *err)
{
    struct account *account;
    int r = store_account(store, job->key, &account, err);

    if (r == 0)
        account_store_bytes(account, -job->audio.bytes);
    return r;
}

static int mark_removed(struct store *store, int64_t id, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_audio_removed);

    db_bind_int(query, 1, id);
    db_bind_int(query, 2, store_now(store));
    return db_run(query, err);
}

int store_remove_audio(struct store *store, const struct job *job, struct error *err)
{
    int r = forget_bytes(store, job, err);

    return r == 0 ? mark_removed(store, job->id, err) : r;
}

static int remove_audio(struct store *store, int64_t until, struct retention_batch *batch, struct error *err)
{
    int64_t ids[RETENTION_BATCH];
    size_t found = 0;
    int r = find_audio(store, until, ids, RETENTION_BATCH - batch->count, &found, err);

    for (size_t i = 0; r == 0 && i < found; i++) {
        struct job *job = &batch->jobs[batch->count];

        r = store_read_job(store, ids[i], job, err);
        if (r != 0)
            break;
        batch->count++;
        r = store_remove_audio(store, job, err);
    }
    return r;
}

/* ---- jobs ---- */

struct ended_job {
    struct retention_cursor place;
    bool stays;
};

static int find_ended(struct store *store, int64_t until, const struct retention_cursor *cursor,
                      struct ended_job *ret_ended, size_t max, size_t *ret_count, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_retention_jobs);
    size_t count = 0;
    int r = 0;

    db_bind_int(query, 1, until);
    db_bind_int(query, 2, cursor->completed_at);
    db_bind_int(query, 3, (int64_t)max);
    db_bind_int(query, 4, (store_now(store) - REPEATABLE_KEPT_MS) * 1000);
    db_bind_int(query, 5, cursor->id);
    while (count < max && (r = db_step(query, err)) == DB_ROW)
        ret_ended[count++] = (struct ended_job){
            .place = {.completed_at = db_column_int(query, 1), .id = db_column_int(query, 0)},
            .stays = db_column_int(query, 2) != 0,
        };
    *ret_count = count;
    return r < 0 ? r : 0;
}

/*
 * A receiver outlives its jobs by half of the time for which they are kept.  Its row goes by paused_until,
 * which is as far back, so that a clock that is set back makes no pause of it.
 */
static int outlive(struct store *store, int64_t id, int64_t until, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_receiver_outlive);

    db_bind_int(query, 1, id);
    db_bind_int(query, 2, until + (store_now(store) - until) / 2);
    return db_run(query, err);
}

int store_remove_job(struct store *store, const struct job *job, int64_t until, struct error *err)
{
    /* In this order: what refers to another row goes before it. */
    static const enum statement statements[] = {
        STATEMENT_deliveries_delete_of_job, STATEMENT_webhook_delete, STATEMENT_idempotency_delete,
        STATEMENT_job_text_delete,          STATEMENT_job_delete,
    };
    int r = 0;

    if (job->status == JOB_COMPLETED && job->audio_removed_at == 0)
        r = forget_bytes(store, job, err);
    if (r == 0 && job->webhook_url != NULL)
        r = outlive(store, job->id, until, err);
    for (size_t i = 0; r == 0 && i < array_length(statements); i++)
        r = store_run_on_row(store, statements[i], job->id, err);
    return r;
}

static int remove_job(struct store *store, int64_t id, int64_t until, struct retention_batch *batch,
                      struct error *err)
{
    struct job *job = &batch->jobs[batch->count];
    int r = store_read_job(store, id, job, err);

    if (r != 0)
        return r;
    batch->count++;
    return store_remove_job(store, job, until, err);
}

static int remove_jobs(struct store *store, int64_t until, struct retention_cursor *cursor,
                       struct retention_batch *batch, struct error *err)
{
    struct ended_job ended[RETENTION_BATCH];
    size_t room = RETENTION_BATCH - batch->count;
    size_t found = 0;
    int r = find_ended(store, until, cursor, ended, room, &found, err);

    for (size_t i = 0; r == 0 && i < found; i++) {
        *cursor = ended[i].place;
        if (!ended[i].stays)
            r = remove_job(store, ended[i].place.id, until, batch, err);
    }
    if (found < room) /* all were seen: the next pass begins anew */
        *cursor = (struct retention_cursor){0};
    return r;
}

/* ---- receivers ---- */

/* Those that nothing was owed to since their last job went, and whose pause was over by then. */
static int remove_receivers(struct store *store, int64_t until, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_receiver_expire);

    db_bind_int(query, 1, until);
    db_bind_int(query, 2, RETENTION_BATCH);
    return db_run(query, err);
}

/* ---- attempts ---- */

static int remove_deliveries(struct store *store, int64_t until, size_t *ret_count, struct error *err)
{
    int64_t webhooks[RETENTION_BATCH];
    size_t count = 0;
    int r = 0;

    {
        cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_retention_deliveries);

        db_bind_int(query, 1, until);
        db_bind_int(query, 2, RETENTION_BATCH);
        while (count < RETENTION_BATCH && (r = db_step(query, err)) == DB_ROW)
            webhooks[count++] = db_column_int(query, 0);
    }
    for (size_t i = 0; r >= 0 && i < count; i++) {
        r = store_run_on_row(store, STATEMENT_deliveries_delete, webhooks[i], err);
        if (r == 0)
            r = store_run_on_row(store, STATEMENT_webhook_forget, webhooks[i], err);
    }
    *ret_count = count;
    return r < 0 ? r : 0;
}

/* ---- all of it ---- */

int retention_remove(struct store *store, const struct retention_times *until,
                     struct retention_cursor *cursor, struct retention_batch *ret_batch, struct error *err)
{
    int r = remove_audio(store, until->audio, ret_batch, err);

    assert(db_in_transaction(store->db));
    if (r == 0)
        r = remove_jobs(store, until->jobs, cursor, ret_batch, err);
    if (r == 0)
        r = remove_receivers(store, until->jobs, err);
    if (r == 0)
        r = remove_deliveries(store, until->deliveries, &ret_batch->deliveries, err);
    return r;
}

static int has_delivery(struct store *store, int64_t until, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_retention_deliveries);
    int r;

    db_bind_int(query, 1, until);
    db_bind_int(query, 2, 1);
    r = db_step(query, err);
    if (r < 0)
        return r;
    return r == DB_ROW ? 0 : STORE_NOT_FOUND;
}

/* 0 where a job behind the cursor can go. */
static int has_job(struct store *store, int64_t until, struct retention_cursor *cursor, struct error *err)
{
    struct ended_job ended[RETENTION_BATCH];
    size_t found = RETENTION_BATCH;

    for (int round = 0; round < LOOK_ROUNDS && found == RETENTION_BATCH; round++) {
        int r = find_ended(store, until, cursor, ended, RETENTION_BATCH, &found, err);

        if (r < 0)
            return r;
        for (size_t i = 0; i < found; i++) {
            if (!ended[i].stays)
                return 0;
            *cursor = ended[i].place;
        }
    }
    if (found < RETENTION_BATCH)
        *cursor = (struct retention_cursor){0};
    return STORE_NOT_FOUND;
}

int retention_is_due(struct store *store, const struct retention_times *until,
                     struct retention_cursor *cursor, struct error *err)
{
    int64_t id;
    size_t count = 0;
    int r = find_audio(store, until->audio, &id, 1, &count, err);

    if (r < 0 || count > 0)
        return r;
    r = has_job(store, until->jobs, cursor, err);
    return r == STORE_NOT_FOUND ? has_delivery(store, until->deliveries, err) : r;
}
