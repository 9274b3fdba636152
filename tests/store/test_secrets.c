/* SPDX-License-Identifier: Apache-2.0 */
/* Webhook secrets: encrypted or not, and while they rotate. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "crypto/secret.h"
#include "support/database.h"

/* More than one page of the table holds, and than fit in its root. */
#define KEYS 200

#define HOUR (INT64_C(60) * 60 * 1000)

static struct database database;
static struct sealer sealer, other;

/* Of KEYS keys. */
static char secrets[KEYS][WEBHOOK_SECRET_SIZE];
static int64_t rows[KEYS];

static void set_up(void)
{
    unsigned char key[SEAL_KEY_SIZE] = "a key of the tests";

    database_open(&database);
    sealer_init(&sealer, key);
    key[0] = 'b';
    sealer_init(&other, key);
}

static void tear_down(void)
{
    database_close(&database);
}

TestSuite(secrets, .init = set_up, .fini = tear_down);

/* Goes on with another connection. */
static void reopen(const struct sealer *with)
{
    struct error err = {""};

    database.store = store_close(database.store);
    database.options.sealer = with;
    cr_assert_eq(store_open(&database.options, &database.store, &err), 0, "%s", err.text);
}

static size_t seal(void)
{
    struct error err = {""};
    size_t count = 0;

    cr_assert_eq(secrets_seal(database.store, &count, &err), 0, "%s", err.text);
    return count;
}

/* 0, or why it could not be made. */
static int add_key(int number, struct error *err)
{
    unsigned char hash[KEY_HASH_SIZE] = "of key number";
    cleanup(api_key_release) struct api_key key = {0};
    struct key_request request = {.name = "many", .weight = 1, .hash = hash, .secret = secrets[number]};
    int r;

    memcpy(hash + 16, &number, sizeof number);
    secret_make_webhook(secrets[number]);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    r = key_create(database.store, &request, &key, err);
    if (r == 0)
        r = store_commit(database.store, err);
    else
        store_rollback(database.store);
    rows[number] = key.key;
    return r;
}

static void add_keys(int count)
{
    for (int i = 0; i < count; i++)
        cr_assert_eq(add_key(i, NULL), 0);
}

/* The live secrets of a key, newest first, are these (up to a NULL). */
static void testcase_live(int64_t key, const char *const *expected)
{
    char *live[KEY_SECRETS_MAX] = {NULL};
    struct error err = {""};
    size_t count = 0;

    cr_assert_eq(key_secrets(database.store, key, live, &count, &err), 0, "%s", err.text);
    for (size_t i = 0; i < count; i++) {
        cr_expect(expected[i] != NULL && strcmp(expected[i], live[i]) == 0, "place %zu is wrong", i);
        free(live[i]);
    }
    cr_expect_null(expected[count], "there are only %zu", count);
}

#define LIVE(key, ...) testcase_live(key, (const char *const[]){__VA_ARGS__, NULL})

static void testcase_no_secrets_of(int64_t key, int expected, const char *hint)
{
    char *live[KEY_SECRETS_MAX] = {NULL};
    struct error err = {""};
    size_t count = 99;

    cr_expect_eq(key_secrets(database.store, key, live, &count, &err), expected, "%s", err.text);
    cr_expect_eq(count, 99);
    cr_expect_not_null(strstr(err.text, hint), "%s lacks %s", err.text, hint);
    cr_expect_null(strstr(err.text, WEBHOOK_SECRET_PREFIX), "%s", err.text);
}

/* How many of the secrets any file of the database holds. */
static int count_in_files(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-turnstile"};
    int count = 0;

    for (size_t f = 0; f < array_length(suffixes); f++) {
        cleanup(buf_release) struct buf bytes = BUF_INIT(64 << 20);
        char path[128];

        snprintf(path, sizeof path, "%s%s", database.path, suffixes[f]);
        if (access(path, F_OK) != 0)
            continue;
        cr_assert_eq(file_read(path, &bytes, NULL), 0);
        for (int i = 0; i < KEYS; i++)
            /* Neither as a whole nor in a good part: an old page may be overwritten from one side. */
            count += memmem(buf_str(&bytes), bytes.length, secrets[i], 24) != NULL ||
                     memmem(buf_str(&bytes), bytes.length, secrets[i] + 24, 24) != NULL;
    }
    return count;
}

/* ---- encryption ---- */

Test(secrets, without_a_key_they_stay_as_they_are)
{
    add_keys(1);
    cr_expect_eq(seal(), 0);
    LIVE(rows[0], secrets[0]);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM webhook_secrets WHERE sealed IS NULL"), 2);
}

Test(secrets, those_in_plain_text_are_encrypted_and_gone_from_the_files)
{
    struct error err = {""};

    add_keys(KEYS);
    cr_assert_geq(count_in_files(), KEYS, "they are not found where they should be");
    reopen(&sealer);
    cr_expect_eq(seal(), KEYS + 1);
    cr_assert_eq(secrets_wipe(database.store, &err), 0, "%s", err.text);
    cr_expect_eq(count_in_files(), 0);
    for (int i = 0; i < KEYS; i++)
        LIVE(rows[i], secrets[i]);
    cr_expect_eq(seal(), 0, "some were encrypted twice");
}

Test(secrets, new_ones_are_encrypted_and_never_in_the_files)
{
    reopen(&sealer);
    add_keys(KEYS);
    cr_expect_eq(count_in_files(), 0);
    reopen(&sealer);
    LIVE(rows[0], secrets[0]);
}

Test(secrets, whoever_adds_one_encrypts_those_before_it)
{
    reopen(&sealer);
    add_keys(1);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM webhook_secrets WHERE sealed IS NULL"), 0);
    LIVE(database.key, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
}

static void testcase_refused(const struct sealer *with, const char *hint)
{
    struct error err = {""}, adding = {""};
    size_t count = 99;

    reopen(with);
    cr_expect_eq(secrets_seal(database.store, &count, &err), -EPROTO);
    cr_expect_eq(count, 99);
    cr_expect_not_null(strstr(err.text, hint), "%s lacks %s", err.text, hint);
    cr_expect_eq(add_key(1, &adding), -EPROTO);
    cr_expect_str_eq(adding.text, err.text);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM api_keys"), 2,
                 "a key was made all the same");
}

Test(secrets, encrypted_ones_are_refused_without_their_key)
{
    reopen(&sealer);
    add_keys(1);
    testcase_refused(NULL, "no key is configured");
    testcase_no_secrets_of(rows[0], -EPROTO, "without the key");
    testcase_refused(&other, "under the key with the id");
    testcase_no_secrets_of(rows[0], -EPROTO, "under the key with the id");
    reopen(&sealer);
    LIVE(rows[0], secrets[0]);
}

Test(secrets, one_that_was_put_into_another_keys_row_is_refused)
{
    reopen(&sealer);
    add_keys(2);
    database_execute(&database, "UPDATE webhook_secrets SET key = key + 1 WHERE secret_id = 2");
    database_execute(&database, "UPDATE webhook_secrets SET key = key - 1 WHERE secret_id = 3");
    testcase_no_secrets_of(rows[0], -EUCLEAN, "belongs elsewhere");
    testcase_no_secrets_of(rows[1], -EUCLEAN, "belongs elsewhere");
    LIVE(database.key, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
}

/* What a lost key leaves: no secrets, and keys that want new ones. */
Test(secrets, where_all_are_deleted_another_key_may_begin)
{
    int64_t ends_at;
    cleanup(api_key_release) struct api_key key = {0};
    unsigned char hash[KEY_HASH_SIZE];

    reopen(&sealer);
    seal();
    database_execute(&database, "DELETE FROM webhook_secrets");
    reopen(&other);
    memset(hash, 1, sizeof hash);
    cr_assert_eq(key_find(database.store, hash, &key, NULL), 0);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(secret_rotate(database.store, key.key_id, "whsec_new", HOUR, &ends_at, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    LIVE(database.key, "whsec_new");
}

/* ---- rotation ---- */

#define FIRST "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

/* Rotates the secret of the database's own key. */
static int rotate(const char *secret, int64_t overlap, int64_t *ret_ends_at)
{
    cleanup(api_key_release) struct api_key key = {0};
    unsigned char hash[KEY_HASH_SIZE];
    struct error err = {""};
    int r;

    memset(hash, 1, sizeof hash);
    cr_assert_eq(key_find(database.store, hash, &key, NULL), 0);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    r = secret_rotate(database.store, key.key_id, secret, overlap, ret_ends_at, &err);
    cr_assert_geq(r, 0, "%s", err.text);
    if (r == 0)
        cr_assert_eq(store_commit(database.store, NULL), 0);
    else
        store_rollback(database.store);
    return r;
}

static int64_t now(void)
{
    return clock_wall_ms(&database.clock.clock);
}

static int64_t kept(void)
{
    return database_count(&database, "SELECT count(*) FROM webhook_secrets");
}

Test(secrets, the_old_one_signs_until_the_overlap_is_over)
{
    int64_t ends_at = 0;

    reopen(&sealer);
    cr_expect_eq(rotate("whsec_2", HOUR, &ends_at), 0);
    cr_expect_eq(ends_at, now() + HOUR);
    LIVE(database.key, "whsec_2", FIRST);
    fake_clock_advance(&database.clock, HOUR - 1);
    LIVE(database.key, "whsec_2", FIRST);
    fake_clock_advance(&database.clock, 1);
    LIVE(database.key, "whsec_2");
}

Test(secrets, no_overlap_ends_all_before_at_once)
{
    int64_t ends_at = 0;

    rotate("whsec_2", HOUR, &ends_at);
    cr_expect_eq(rotate("whsec_3", 0, &ends_at), 0);
    cr_expect_eq(ends_at, now());
    LIVE(database.key, "whsec_3");
    cr_expect_eq(kept(), 1);
}

Test(secrets, a_later_rotation_prolongs_none_and_may_shorten)
{
    int64_t ends_at = 0;

    rotate("whsec_2", 2 * HOUR, &ends_at);
    rotate("whsec_3", 3 * HOUR, &ends_at);
    fake_clock_advance(&database.clock, 2 * HOUR);
    LIVE(database.key, "whsec_3", "whsec_2");
    rotate("whsec_4", HOUR / 2, &ends_at);
    LIVE(database.key, "whsec_4", "whsec_3", "whsec_2");
    fake_clock_advance(&database.clock, HOUR / 2);
    LIVE(database.key, "whsec_4");
}

Test(secrets, past_the_most_that_live_at_once_the_next_end_is_told)
{
    int64_t ends_at = 0, first_end = now() + HOUR;

    rotate("whsec_2", HOUR, &ends_at);
    rotate("whsec_3", 2 * HOUR, &ends_at);
    rotate("whsec_4", 3 * HOUR, &ends_at);
    LIVE(database.key, "whsec_4", "whsec_3", "whsec_2", FIRST);
    cr_expect_eq(rotate("whsec_5", HOUR / 2, &ends_at), STORE_LIMITED);
    cr_expect_eq(ends_at, first_end);
    LIVE(database.key, "whsec_4", "whsec_3", "whsec_2", FIRST);
    fake_clock_advance(&database.clock, HOUR);
    cr_expect_eq(rotate("whsec_5", HOUR, &ends_at), 0);
    LIVE(database.key, "whsec_5", "whsec_4", "whsec_3", "whsec_2");
    cr_expect_eq(rotate("whsec_6", 0, &ends_at), 0);
    LIVE(database.key, "whsec_6");
}

Test(secrets, the_next_rotation_removes_those_that_ended)
{
    int64_t ends_at = 0;

    for (int i = 0; i < 20; i++) {
        cr_expect_eq(rotate("whsec_2", HOUR, &ends_at), 0);
        fake_clock_advance(&database.clock, HOUR);
    }
    cr_expect_eq(kept(), 2);
}

Test(secrets, keys_that_are_unknown_or_revoked_get_none)
{
    cleanup(api_key_release) struct api_key key = {0};
    unsigned char hash[KEY_HASH_SIZE];
    int64_t ends_at = 0;

    memset(hash, 1, sizeof hash);
    cr_assert_eq(key_find(database.store, hash, &key, NULL), 0);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_expect_eq(secret_rotate(database.store, "key_none", "whsec_2", 0, &ends_at, NULL), STORE_NOT_FOUND);
    cr_assert_eq(key_revoke(database.store, key.key_id, NULL), 0);
    cr_expect_eq(secret_rotate(database.store, key.key_id, "whsec_2", 0, &ends_at, NULL), STORE_CONFLICT);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    LIVE(database.key, FIRST);
}
