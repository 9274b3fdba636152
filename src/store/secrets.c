/* SPDX-License-Identifier: Apache-2.0 */
/* Webhook secrets: either all of them lie in plain text, or all are sealed under one key.  Whoever adds one
 * sees to that first, so that any row tells how all lie. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "crypto/secret.h"
#include "store/internal.h"
#include "store/service.h"

/* A sealed secret is bound to the row of its API key. */
#define PLACE_SIZE sizeof "webhook_secrets of api_keys -9223372036854775808"

static void place_of(int64_t key, char ret_place[PLACE_SIZE])
{
    snprintf(ret_place, PLACE_SIZE, "webhook_secrets of api_keys %lld", (long long)key);
}

/* A sealed secret as it lies in a row. */
struct sealed {
    unsigned char bytes[WEBHOOK_SECRET_SIZE_MAX + SEAL_OVERHEAD];
    size_t size;
};

static int seal(const struct store *store, int64_t key, const char *secret, struct sealed *ret_sealed,
                struct error *err)
{
    char place[PLACE_SIZE];
    size_t size = strlen(secret);

    if (size >= WEBHOOK_SECRET_SIZE_MAX)
        return error_set(err, -EINVAL, "a webhook secret is too long");
    place_of(key, place);
    sealer_seal(store->sealer, place, secret, size, ret_sealed->bytes);
    ret_sealed->size = size + SEAL_OVERHEAD;
    return 0;
}

/* ---- how they lie ---- */

int secrets_look(struct store *store, bool *ret_plain, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_secret_newest);
    const void *sealed;
    size_t size;
    int r = db_step(query, err);

    *ret_plain = false;
    if (r != DB_ROW)
        return r;
    sealed = db_column_blob(query, 0, &size);
    if (sealed == NULL) {
        *ret_plain = store->sealer != NULL;
        return 0;
    }
    if (store->sealer == NULL)
        return error_set(
            err, -EPROTO,
            "the webhook secrets in %s are encrypted, and no key is configured: name its file in the setting "
            "`secret_key_file`",
            db_path(store->db));
    r = sealer_check(store->sealer, sealed, size, err);
    return r < 0 ? error_prefix(err, r, "a webhook secret in %s cannot be decrypted", db_path(store->db)) : 0;
}

/* Seals the first plain one behind a row.  *ret_row is where it is; 0 where there is none. */
static int seal_next(struct store *store, int64_t behind, int64_t *ret_row, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_secret_plain);
    cleanup(db_query_end) struct db_query *update = db_query(store->db, STATEMENT_secret_seal);
    struct sealed sealed = {.size = 0};
    int64_t row;
    int r;

    db_bind_int(query, 1, behind);
    r = db_step(query, err);
    if (r != DB_ROW) {
        *ret_row = 0;
        return r;
    }
    row = db_column_int(query, 0);
    r = seal(store, db_column_int(query, 1), db_column_text(query, 2), &sealed, err);
    if (r < 0)
        return r;
    db_bind_int(update, 1, row);
    db_bind_blob(update, 2, sealed.bytes, sealed.size);
    r = db_run(update, err);
    if (r == 0)
        *ret_row = row;
    return r;
}

int store_settle_secrets(struct store *store, size_t *ret_count, struct error *err)
{
    int64_t row = 0;
    size_t count = 0;
    bool plain;
    int r = secrets_look(store, &plain, err);

    assert(db_in_transaction(store->db));
    if (r == 0 && plain)
        while ((r = seal_next(store, row, &row, err)) == 0 && row != 0)
            count++;
    if (r == 0)
        *ret_count = count;
    return r;
}

int secrets_seal(struct store *store, size_t *ret_count, struct error *err)
{
    size_t count;
    int r = store_begin(store, "the encryption of webhook secrets", err);

    if (r < 0)
        return r;
    r = store_settle_secrets(store, &count, err);
    if (r < 0) {
        store_rollback(store);
        return r;
    }
    r = store_commit(store, err);
    if (r == 0)
        *ret_count = count;
    return r;
}

int secrets_wipe(struct store *store, struct error *err)
{
    int r = db_empty_wal(store->db, err);

    return r < 0 ? error_prefix(err, r,
                                "webhook secrets are encrypted, and older plain text of them may be left")
                 : 0;
}

/* ---- to add, rotate and read ---- */

int store_add_secret(struct store *store, int64_t key, const char *secret, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_secret_insert);
    struct sealed sealed = {.size = 0};
    int r = store->sealer != NULL ? seal(store, key, secret, &sealed, err) : 0;

    if (r < 0)
        return r;
    db_bind_int(query, 1, key);
    db_bind_text(query, 2, store->sealer != NULL ? "" : secret);
    if (store->sealer != NULL)
        db_bind_blob(query, 3, sealed.bytes, sealed.size);
    db_bind_int(query, 4, store_now(store));
    return db_run(query, err);
}

/* STORE_NOT_FOUND, or STORE_CONFLICT where it is revoked. */
static int find_owner(struct store *store, const char *key_id, int64_t *ret_key, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_secret_owner);
    int r;

    db_bind_text(query, 1, key_id);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_NOT_FOUND;
    if (!db_column_is_null(query, 1))
        return STORE_CONFLICT;
    *ret_key = db_column_int(query, 0);
    return 0;
}

/* For the two that say to a key's secrets when they end. */
static int run_until(struct store *store, enum statement statement, int64_t key, int64_t until,
                     struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, statement);

    db_bind_int(query, 1, key);
    db_bind_int(query, 2, until);
    return db_run(query, err);
}

/* STORE_LIMITED where a key has no place for another; *ret_ends_at is when it will have one. */
static int check_count(struct store *store, int64_t key, int64_t *ret_ends_at, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_secret_count);
    int r;

    db_bind_int(query, 1, key);
    r = db_step(query, err);
    if (r < 0)
        return r;
    if (db_column_int(query, 0) < KEY_SECRETS_MAX)
        return 0;
    *ret_ends_at = db_column_int(query, 1);
    return STORE_LIMITED;
}

int secret_rotate(struct store *store, const char *key_id, const char *secret, int64_t overlap,
                  int64_t *ret_ends_at, struct error *err)
{
    int64_t now = store_now(store);
    int64_t key = 0;
    size_t sealed;
    int r = store_settle_secrets(store, &sealed, err);

    if (r == 0)
        r = find_owner(store, key_id, &key, err);
    if (r == 0)
        r = run_until(store, STATEMENT_secret_delete_ended, key, now, err);
    if (r == 0 && overlap > 0)
        r = check_count(store, key, ret_ends_at, err);
    if (r == 0)
        r = run_until(store, STATEMENT_secret_end, key, now + overlap, err);
    if (r == 0)
        r = run_until(store, STATEMENT_secret_delete_ended, key, now, err);
    if (r == 0)
        r = store_add_secret(store, key, secret, err);
    if (r == 0)
        *ret_ends_at = now + overlap;
    return r;
}

/* The secret of a row of secret_live. */
static int read_secret(struct store *store, struct db_query *query, int64_t key, char **ret_secret,
                       struct error *err)
{
    char place[PLACE_SIZE];
    char *secret;
    size_t size;
    const void *sealed = db_column_blob(query, 1, &size);
    int r;

    if (sealed == NULL) {
        *ret_secret = db_column_dup(query, 0);
        return *ret_secret != NULL ? 0 : error_set(err, -ENOMEM, "out of memory");
    }
    if (store->sealer == NULL)
        return error_set(err, -EPROTO,
                         "a webhook secret is encrypted, and this program was started without the key");
    secret = calloc(1, size + 1); /* longer than what is sealed, so that it ends with a NUL */
    if (secret == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    place_of(key, place);
    r = sealer_open(store->sealer, place, sealed, size, secret, err);
    if (r < 0) {
        free(secret);
        return error_prefix(err, r, "a webhook secret");
    }
    *ret_secret = secret;
    return 0;
}

void key_secrets_free(char **secrets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (secrets[i] != NULL)
            explicit_bzero(secrets[i], strlen(secrets[i]));
        free(secrets[i]);
    }
}

int key_secrets(struct store *store, int64_t key, char *ret_secrets[KEY_SECRETS_MAX], size_t *ret_count,
                struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_secret_live);
    char *secrets[KEY_SECRETS_MAX] = {NULL};
    size_t count = 0;
    int r;

    db_bind_int(query, 1, key);
    db_bind_int(query, 2, store_now(store));
    while ((r = db_step(query, err)) == DB_ROW && count < KEY_SECRETS_MAX) {
        r = read_secret(store, query, key, &secrets[count], err);
        if (r < 0)
            break;
        count++;
    }
    if (r < 0) {
        key_secrets_free(secrets, count);
        return r;
    }
    memcpy(ret_secrets, secrets, count * sizeof secrets[0]);
    *ret_count = count;
    return 0;
}
