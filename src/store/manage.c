/* SPDX-License-Identifier: Apache-2.0 */
#include "store/manage.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "store/internal.h"
#include "store/receivers.h"

/* ---- lists ---- */

static int newest_ids(struct store *store, const struct job_filter *filter, int64_t *ret_ids, size_t limit,
                      size_t *ret_count, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_manage_newest);
    size_t count = 0;
    int64_t above, below;
    int r = 0;

    store_id_bounds(filter, &above, &below);
    db_bind_int(query, 1, below);
    db_bind_int(query, 2, above);
    db_bind_int(query, 3, (int64_t)limit);
    while (count < limit && (r = db_step(query, err)) == DB_ROW)
        ret_ids[count++] = db_column_int(query, 0);
    *ret_count = count;
    return r < 0 ? r : 0;
}

int manage_list(struct store *store, const int64_t *keys, size_t key_count, const struct job_filter *filter,
                struct job_page *ret_page, struct error *err)
{
    int64_t ids[STORE_PAGE_ROWS_MAX];
    size_t count = 0;
    int r = 0;

    assert(filter->limit >= 1 && filter->limit < STORE_PAGE_ROWS_MAX);
    if (keys == NULL) {
        assert(filter->statuses == 0);
        r = newest_ids(store, filter, ids, filter->limit + 1, &count, err);
    }
    for (size_t i = 0; r == 0 && keys != NULL && i < key_count; i++)
        r = store_add_ids(store, keys[i], filter, ids, filter->limit + 1, &count, err);
    return r < 0 ? r : store_read_page(store, ids, count, filter->limit, ret_page, err);
}

int manage_inside(struct store *store, int64_t id, struct job_inside *ret_inside, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_manage_inside);
    int r;

    db_bind_int(query, 1, id);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_NOT_FOUND;
    db_column_copy(query, 0, ret_inside->key_id, sizeof ret_inside->key_id);
    ret_inside->worker = db_column_int(query, 1);
    ret_inside->setbacks = db_column_int(query, 2);
    ret_inside->text_bytes = db_column_is_null(query, 3) ? -1 : db_column_int(query, 3);
    return 0;
}

/* ---- the webhook of before ---- */

struct owed {
    int64_t webhook; /* 0: there is none */
    bool pending;
    bool under_way;
};

static int find_owed(struct store *store, int64_t id, struct owed *ret_owed, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_manage_webhook);
    int r;

    db_bind_int(query, 1, id);
    r = db_step(query, err);
    if (r < 0)
        return r;
    *ret_owed = r == DB_ROW ? (struct owed){.webhook = db_column_int(query, 0),
                                            .pending = db_column_int(query, 1) != 0,
                                            .under_way = db_column_int(query, 2) != 0}
                            : (struct owed){0};
    return 0;
}

/* Whoever sends it would find it gone; and what is still owed is owed. */
static int judge_owed(const struct owed *owed, bool drop_webhook)
{
    if (owed->under_way)
        return MANAGE_UNDER_WAY;
    return owed->pending && !drop_webhook ? MANAGE_OWED : 0;
}

/* The webhook goes with its attempts, and the job's receiver is not due for it. */
static int forget_webhook(struct store *store, int64_t id, const struct owed *owed, struct error *err)
{
    cleanup(free_ptr) char *receiver = NULL;
    int r;

    if (owed->webhook == 0)
        return 0;
    r = store_read_receiver(store, id, &receiver, err);
    if (r == 0)
        r = store_run_on_row(store, STATEMENT_deliveries_delete, owed->webhook, err);
    if (r == 0)
        r = store_run_on_row(store, STATEMENT_manage_webhook_delete, owed->webhook, err);
    return r == 0 && owed->pending ? receiver_mend(store, receiver, err) : r;
}

/* ---- again ---- */

static int has_text(struct store *store, int64_t id, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_manage_has_text);
    int r;

    db_bind_int(query, 1, id);
    r = db_step(query, err);
    if (r < 0)
        return r;
    return r == DB_ROW ? 0 : MANAGE_NO_TEXT;
}

static int charge_anew(struct store *store, const struct job *job, struct error *err)
{
    struct account *account;
    int r = store_account(store, job->key, &account, err);

    if (r < 0)
        return r;
    account_store_bytes(account, job->owed_bytes);
    return account_wait(store, account, job->characters, err);
}

/* What a worker may do with a job ends with its end; this begins the job anew. */
static int begin_anew(struct store *store, const struct job *job, const struct owed *owed, struct error *err)
{
    int r = store_run_on_row(store, STATEMENT_manage_begin_anew, job->id, err);

    if (r == 0)
        r = forget_webhook(store, job->id, owed, err);
    if (r == 0)
        r = charge_anew(store, job, err);
    if (r == 0)
        metric_add(store, METRIC_JOBS_PENDING, 1);
    return r;
}

int manage_retry(struct store *store, int64_t id, bool drop_webhook, struct error *err)
{
    cleanup(job_release) struct job job = {0};
    struct owed owed = {0};
    int r = store_read_job(store, id, &job, err);

    assert(db_in_transaction(store->db));
    if (r != 0)
        return r;
    if (job.status != JOB_FAILED)
        return STORE_CONFLICT;
    r = has_text(store, id, err);
    if (r == 0)
        r = find_owed(store, id, &owed, err);
    if (r == 0)
        r = judge_owed(&owed, drop_webhook);
    return r == 0 ? begin_anew(store, &job, &owed, err) : r;
}

/* ---- away ---- */

int manage_purge(struct store *store, int64_t id, bool drop_webhook, struct job *ret_job, struct error *err)
{
    cleanup(job_release) struct job job = {0};
    struct owed owed = {0};
    int r = store_read_job(store, id, &job, err);

    assert(db_in_transaction(store->db));
    if (r != 0)
        return r;
    if (!job_status_is_terminal(job.status))
        return STORE_CONFLICT;
    r = find_owed(store, id, &owed, err);
    if (r == 0)
        r = judge_owed(&owed, drop_webhook);
    if (r == 0)
        r = forget_webhook(store, id, &owed, err);
    if (r == 0)
        r = store_remove_job(store, &job, store_now(store), err);
    if (r == 0) {
        *ret_job = job;
        job = (struct job){0};
    }
    return r;
}

/* ---- walks ---- */

int failed_walk_next(struct store *store, struct failed_walk *walk, struct job_place *ret_places, size_t max,
                     size_t *ret_count, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_manage_failed_next);
    size_t count = 0;
    int r = 0;

    db_bind_int(query, 1, walk->key);
    db_bind_int(query, 2, walk->last);
    db_bind_int(query, 3, walk->since);
    db_bind_int(query, 4, walk->until);
    db_bind_text(query, 5, walk->error_code);
    db_bind_int(query, 6, (int64_t)max);
    while (count < max && (r = db_step(query, err)) == DB_ROW)
        ret_places[count++] =
            (struct job_place){.id = db_column_int(query, 0), .ended_at = db_column_int(query, 1)};
    if (r < 0)
        return r;
    if (count > 0)
        walk->last = ret_places[count - 1].id;
    *ret_count = count;
    return 0;
}

/* Whether the row of a query is one that the walk is about. */
static bool is_meant(const struct ended_walk *walk, struct db_query *query)
{
    enum job_status status;

    if (walk->key != 0 && db_column_int(query, 2) != walk->key)
        return false;
    return walk->statuses == 0 ||
           (job_status_parse(db_column_text(query, 3), &status) && (walk->statuses & 1u << status) != 0);
}

int ended_walk_next(struct store *store, struct ended_walk *walk, struct job_place *ret_places, size_t max,
                    size_t *ret_count, bool *ret_more, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_manage_ended_next);
    size_t seen = 0, count = 0;
    int r = 0;

    db_bind_int(query, 1, walk->until);
    db_bind_int(query, 2, walk->last.ended_at);
    db_bind_int(query, 3, walk->last.id);
    db_bind_int(query, 4, (int64_t)max);
    while (seen < max && (r = db_step(query, err)) == DB_ROW) {
        walk->last = (struct job_place){.id = db_column_int(query, 0), .ended_at = db_column_int(query, 1)};
        seen++;
        if (is_meant(walk, query))
            ret_places[count++] = walk->last;
    }
    if (r < 0)
        return r;
    *ret_count = count;
    *ret_more = seen == max;
    return 0;
}
