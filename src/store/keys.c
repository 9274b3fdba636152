/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "store/internal.h"

void api_key_release(struct api_key *key)
{
    free(key->name);
    *key = (struct api_key){0};
}

/* The columns of key_by_hash and key_all. */
static void read_key(struct store *store, struct db_query *query, struct api_key *ret_key)
{
    *ret_key = (struct api_key){
        .key = db_column_int(query, 0),
        .name = db_column_dup(query, 2),
        .weight = db_column_double(query, 3),
        .created_at = db_column_int(query, 4),
        .revoked_at = db_column_int(query, 5),
    };
    store_read_standing(store, query, 6, &ret_key->standing);
    db_column_copy(query, 1, ret_key->key_id, sizeof ret_key->key_id);
}

int key_create(struct store *store, const struct key_request *request, struct api_key *ret_key,
               struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_key_insert);
    cleanup(api_key_release) struct api_key key = {
        .name = strdup(request->name), .weight = request->weight, .created_at = store_now(store)};
    size_t sealed;
    int r;

    if (key.name == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    r = store_settle_secrets(store, &sealed, err);
    if (r < 0)
        return r;
    memcpy(key.key_id, "key_", 4);
    id_random(key.key_id + 4, sizeof key.key_id - 5);
    db_bind_text(query, 1, key.key_id);
    db_bind_text(query, 2, request->name);
    db_bind_blob(query, 3, request->hash, KEY_HASH_SIZE);
    db_bind_double(query, 4, request->weight);
    db_bind_int(query, 5, key.created_at);
    db_bind_int_or_null(query, 6, request->limits.requests_per_second);
    for (int i = 0; i < LIMIT_COUNT; i++)
        db_bind_int_or_null(query, 7 + i, request->limits.most[i]);
    r = db_run(query, err);
    key.key = db_last_insert(store->db);
    if (r == 0)
        r = store_add_secret(store, key.key, request->secret, err);
    if (r < 0)
        return r;
    *ret_key = key;
    key.name = NULL;
    return 0;
}

int key_find(struct store *store, const unsigned char hash[KEY_HASH_SIZE], struct api_key *ret_key,
             struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_key_by_hash);
    cleanup(api_key_release) struct api_key key = {0};
    int r;

    db_bind_blob(query, 1, hash, KEY_HASH_SIZE);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_NOT_FOUND;
    read_key(store, query, &key);
    if (db_query_failed(query))
        return error_set(err, -ENOMEM, "out of memory");
    *ret_key = key;
    key.name = NULL;
    return 0;
}

int key_list(struct store *store, struct api_key **ret_keys, size_t *ret_count, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_key_all);
    struct api_key *keys = NULL;
    size_t count = 0;
    int r;

    while ((r = db_step(query, err)) == DB_ROW) {
        struct api_key *grown = reallocarray(keys, count + 1, sizeof *keys);

        if (grown == NULL)
            break;
        keys = grown;
        read_key(store, query, &keys[count++]);
    }
    if (r == DB_ROW || db_query_failed(query))
        r = r < 0 ? r : error_set(err, -ENOMEM, "out of memory");
    if (r < 0) {
        while (count > 0)
            api_key_release(&keys[--count]);
        free(keys);
        return r;
    }
    *ret_keys = keys;
    *ret_count = count;
    return 0;
}

/* Below 0 leaves a limit as it is, and 0 as the settings have it. */
static void bind_change(struct db_query *query, int parameter, int64_t limit)
{
    if (limit >= 0)
        db_bind_int(query, parameter, limit);
    else
        db_bind_null(query, parameter);
}

int key_change(struct store *store, const char *key_id, const struct key_request *change, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_key_change);
    int r;

    db_bind_text(query, 1, key_id);
    db_bind_text(query, 2, change->name);
    if (change->weight > 0)
        db_bind_double(query, 3, change->weight);
    else
        db_bind_null(query, 3);
    bind_change(query, 4, change->limits.requests_per_second);
    for (int i = 0; i < LIMIT_COUNT; i++)
        bind_change(query, 5 + i, change->limits.most[i]);
    r = db_run(query, err);
    if (r < 0)
        return r;
    return db_changes(store->db) > 0 ? 0 : STORE_NOT_FOUND;
}

int key_revoke(struct store *store, const char *key_id, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_key_revoke);
    int r;

    db_bind_text(query, 1, key_id);
    db_bind_int(query, 2, store_now(store));
    r = db_run(query, err);
    if (r < 0)
        return r;
    return db_changes(store->db) > 0 ? 0 : STORE_NOT_FOUND;
}
