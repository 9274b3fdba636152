/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that clients may repeat without doing anything twice (Idempotency-Key). */
#include <errno.h>
#include <string.h>

#include "store/internal.h"

/* Rows past their time that are removed for each new one: more than one, so that they become fewer. */
#define EXPIRE_PER_INSERT 2

/* A row is as old as its job, whose number is its creation in microseconds. */
static int64_t oldest_kept(const struct store *store)
{
    return (store_now(store) - REPEATABLE_KEPT_MS) * 1000;
}

int repeatable_find(struct store *store, const struct repeatable *request, struct job *ret_job,
                    struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_idempotency_find);
    unsigned char body_hash[SHA256_BYTES];
    int64_t job;
    int r;

    db_bind_int(query, 1, request->key);
    db_bind_text(query, 2, request->name);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_NOT_FOUND;
    job = db_column_int(query, 0);
    if (job < oldest_kept(store))
        return STORE_NOT_FOUND;
    db_column_bytes(query, 1, body_hash, sizeof body_hash);
    if (memcmp(body_hash, request->body_hash, sizeof body_hash) != 0)
        return STORE_CONFLICT;
    if (store->first_job != 0 && job >= store->first_job)
        return STORE_IN_FLIGHT;
    r = store_read_job(store, job, ret_job, err);
    if (r == 0)
        job_as_created(ret_job, db_column_int(query, 2));
    return r;
}

int repeatable_keep(struct store *store, const struct repeatable *request, const struct job *job,
                    struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_idempotency_insert);
    int r;

    db_bind_int(query, 1, job->id);
    db_bind_int(query, 2, request->key);
    db_bind_text(query, 3, request->name);
    db_bind_blob(query, 4, request->body_hash, sizeof request->body_hash);
    db_bind_int(query, 5, job->queue_position);
    r = db_run(query, err);
    store->repeatables += r == 0;
    return r;
}

static int find_oldest(struct store *store, int64_t *ret_job, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_idempotency_oldest);
    int r = db_step(query, err);

    *ret_job = r == DB_ROW ? db_column_int(query, 0) : 0;
    return r < 0 ? r : 0;
}

static int expire(struct store *store, int64_t count, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_idempotency_expire);

    db_bind_int(query, 1, oldest_kept(store));
    db_bind_int(query, 2, count);
    return db_run(query, err);
}

int store_expire_repeatables(struct store *store, struct error *err)
{
    int64_t inserted = store->repeatables, oldest;
    int r;

    if (inserted == 0)
        return 0;
    store->repeatables = 0;
    r = find_oldest(store, &oldest, err);
    return r < 0 || oldest >= oldest_kept(store) ? r : expire(store, inserted * EXPIRE_PER_INSERT, err);
}
