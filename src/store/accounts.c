/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counters of API keys: read once in a transaction, changed in memory, written back before its commit.
 * So a group of a hundred creations writes its key's row once.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "store/internal.h"

/* The columns from rate_limit_requests to stored_bytes, the same in every statement that has them. */
void store_read_standing(struct store *store, struct db_query *query, int column,
                         struct key_standing *ret_standing)
{
    const struct key_limits *settings = &store->limits;
    struct key_standing standing = {.limits = *settings};
    int64_t own = db_column_int(query, column);

    if (own > 0)
        standing.limits.requests_per_second = own;
    for (int i = 0; i < LIMIT_COUNT; i++) {
        own = db_column_int(query, column + 1 + i);
        if (own > 0)
            standing.limits.most[i] = own;
    }
    column += 1 + LIMIT_COUNT;
    standing.usage.at = db_column_int(query, column);
    standing.usage.used[LIMIT_BURST] = db_column_double(query, column + 1);
    for (int i = LIMIT_PENDING_JOBS; i < LIMIT_COUNT; i++)
        standing.usage.used[i] = (double)db_column_int(query, column + 1 + i);
    usage_refresh(&standing, store_now(store));
    *ret_standing = standing;
}

static int load(struct store *store, int64_t key, struct account *ret_account, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_key_account);
    struct account account = {.key = key};
    int r;

    db_bind_int(query, 1, key);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : error_set(err, -ENOKEY, "the API key was removed meanwhile");
    account.weight = db_column_double(query, 1);
    account.vt = db_column_double(query, 2);
    account.created_jobs = db_column_int(query, 3);
    store_read_standing(store, query, 4, &account.standing);
    /* A clock that was set back is followed: else the bucket would not fill until the old time comes again.
     */
    account.changed = db_column_int(query, 10) > account.standing.usage.at;
    *ret_account = account;
    return 0;
}

int key_standing_read(struct store *store, int64_t key, struct key_standing *ret_standing, struct error *err)
{
    struct account account;
    int r = load(store, key, &account, err);

    if (r == 0)
        *ret_standing = account.standing;
    return r;
}

static int write_back(struct store *store, struct account *account, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = NULL;
    const struct key_usage *usage = &account->standing.usage;

    if (account->key == 0 || !account->changed)
        return 0;
    query = db_query(store->db, STATEMENT_key_account_write);
    db_bind_int(query, 1, account->key);
    db_bind_double(query, 2, account->vt);
    db_bind_int(query, 3, account->created_jobs);
    db_bind_int(query, 4, usage->at);
    db_bind_double(query, 5, usage->used[LIMIT_BURST]);
    for (int i = LIMIT_PENDING_JOBS; i < LIMIT_COUNT; i++)
        db_bind_int(query, 5 + i, (int64_t)usage->used[i]);
    account->changed = false;
    return db_run(query, err);
}

int store_account(struct store *store, int64_t key, struct account **ret_account, struct error *err)
{
    struct account *account;
    int r;

    assert(db_in_transaction(store->db));
    for (size_t i = 0; i < ACCOUNTS_MAX; i++)
        if (store->accounts[i].key == key) {
            *ret_account = &store->accounts[i];
            return 0;
        }
    account = &store->accounts[store->next_account];
    r = write_back(store, account, err);
    if (r == 0)
        r = load(store, key, account, err);
    if (r < 0)
        return r;
    store->next_account = (store->next_account + 1) % ACCOUNTS_MAX;
    *ret_account = account;
    return 0;
}

/* The most that any key has reached. */
static int raise_virtual_time(struct store *store, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = NULL;

    if (store->virtual_time == 0)
        return 0;
    query = db_query(store->db, STATEMENT_metric_raise);
    db_bind_text(query, 1, METRIC_VIRTUAL_TIME);
    db_bind_double(query, 2, store->virtual_time);
    store->virtual_time = 0;
    return db_run(query, err);
}

int store_write_accounts(struct store *store, struct error *err)
{
    int r = 0;

    for (size_t i = 0; i < ACCOUNTS_MAX && r == 0; i++)
        r = write_back(store, &store->accounts[i], err);
    return r == 0 ? raise_virtual_time(store, err) : r;
}

void store_forget_accounts(struct store *store)
{
    memset(store->accounts, 0, sizeof store->accounts);
    store->next_account = 0;
    store->virtual_time = 0;
}

/*
 * An idle key starts from the least virtual time of those that wait and, where none does, from the most that
 * any has reached: or it would have saved up the time of its idleness.
 */
static int catch_up(struct store *store, struct account *account, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = NULL;
    double least = 0;
    int r = store_write_accounts(store, err);

    if (r < 0)
        return r;
    query = db_query(store->db, STATEMENT_key_least_vt);
    r = db_step(query, err);
    if (r == DB_ROW)
        least = db_column_double(query, 0);
    else if (r == 0)
        r = metric_get(store, METRIC_VIRTUAL_TIME, &least, err);
    if (r >= 0 && least > account->vt)
        account->vt = least;
    return r < 0 ? r : 0;
}

int account_wait(struct store *store, struct account *account, int64_t characters, struct error *err)
{
    int r = account->standing.usage.used[LIMIT_PENDING_JOBS] > 0 ? 0 : catch_up(store, account, err);

    if (r < 0)
        return r;
    usage_wait(&account->standing, characters);
    account->changed = true;
    metric_add(store, METRIC_QUEUE_LENGTH, 1);
    return 0;
}

void account_waited(struct store *store, struct account *account, int64_t characters, int64_t cost)
{
    usage_waited(&account->standing, characters);
    account->vt += (double)cost / account->weight;
    if (cost > 0 && account->vt > store->virtual_time)
        store->virtual_time = account->vt;
    account->changed = true;
    metric_add(store, METRIC_QUEUE_LENGTH, -1);
}

void account_refund(struct account *account, int64_t cost)
{
    double vt = account->vt - (double)cost / account->weight;

    account->vt = vt > 0 ? vt : 0;
    account->changed = true;
}

void account_store_bytes(struct account *account, int64_t bytes)
{
    double *used = &account->standing.usage.used[LIMIT_STORED_BYTES];

    *used = *used + (double)bytes > 0 ? *used + (double)bytes : 0;
    account->changed = true;
}
