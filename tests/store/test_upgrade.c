/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database that the programs of an earlier release made (tests/fixtures/make-database), in the hands of
 * this one: migrated, and everything in it served as before.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "db/copy.h"
#include "db/db.h"
#include "db/migrate.h"
#include "store/outbox.h"
#include "store/statements.h"
#include "support/database.h"

/* Of the fixture: its version, and the key under which its secrets are sealed (secret_key in its .json). */
#define FIXTURE         "database-v8"
#define FIXTURE_VERSION 8

/* Its first API key; the second one is revoked. */
#define OWNER         1
#define JOBS_OF_OWNER 12

/* A few minutes after it was made. */
#define NOW_US INT64_C(1795749600000000)

static struct database database;
static struct sealer sealer;

/* Counts that no migration changes, by an SQL text each. */
static const char *const kept[] = {
    "SELECT count(*) FROM api_keys WHERE revoked_at IS NULL",
    "SELECT count(*) FROM api_keys WHERE revoked_at IS NOT NULL",
    "SELECT sum(pending_jobs * 1000000 + pending_chars) FROM api_keys",
    "SELECT sum(stored_bytes) FROM api_keys",
    "SELECT count(*) FROM api_keys WHERE max_pending_jobs = 5000 AND weight = 2",
    "SELECT count(*) FROM jobs WHERE status = 'pending'",
    "SELECT count(*) FROM jobs WHERE status = 'processing' AND spoken > 0 AND worker IS NOT NULL",
    "SELECT count(*) FROM jobs WHERE status = 'completed'",
    "SELECT count(*) FROM jobs WHERE status = 'failed' AND error_code = 'nothing_to_speak'",
    "SELECT count(*) FROM jobs WHERE status = 'cancelled'",
    "SELECT count(*) FROM jobs WHERE audio_removed_at IS NOT NULL",
    "SELECT sum(length(text)) FROM job_texts",
    "SELECT count(*) FROM idempotency_keys",
    "SELECT count(*) FROM webhook_secrets",
    "SELECT count(*) FROM webhooks WHERE status = 'pending'",
    "SELECT count(*) FROM webhooks WHERE status = 'delivered'",
    "SELECT count(*) FROM webhooks WHERE status = 'failed'",
    "SELECT sum(length(body)) FROM webhooks",
    "SELECT count(*) FROM deliveries WHERE duration_ms IS NULL",
    "SELECT count(*) FROM deliveries",
    "SELECT count(*) FROM receivers",
    "SELECT cast(sum(value) * 1000 AS INTEGER) FROM metrics",
};
static int64_t before[array_length(kept)];

static struct db *open_raw(void)
{
    const struct db_options options = {
        .path = database.path, .statements = store_statements, .statement_count = STATEMENT_COUNT};
    struct error err = {""};
    struct db *db;

    cr_assert_eq(db_open(&options, &db, &err), 0, "%s", err.text);
    return db;
}

static void read_file(const char *name, struct buf *ret_text)
{
    const char *top = getenv("top_srcdir");
    struct error err = {""};
    char path[256];

    snprintf(path, sizeof path, "%s/tests/fixtures/%s", top != NULL ? top : ".", name);
    cr_assert_eq(file_read(path, ret_text, &err), 0, "%s", err.text);
}

/* The text of a member that is a string. */
static void find_fact(const char *name, char *ret_value, size_t size)
{
    cleanup(buf_release) struct buf facts = BUF_INIT(1 << 20);
    const char *at;

    read_file(FIXTURE ".json", &facts);
    at = strstr(buf_str(&facts), name);
    cr_assert_not_null(at, "%s", name);
    at = strstr(at, "\": \"");
    cr_assert_not_null(at);
    snprintf(ret_value, size, "%.*s", (int)strcspn(at + 4, "\""), at + 4);
}

static void read_secret_key(unsigned char ret_key[SEAL_KEY_SIZE])
{
    char hex[2 * SEAL_KEY_SIZE + 1];

    find_fact("\"secret_key\"", hex, sizeof hex);
    for (size_t i = 0; i < SEAL_KEY_SIZE; i++) {
        unsigned int byte = 0;

        cr_assert_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        ret_key[i] = (unsigned char)byte;
    }
}

static void count_all(int64_t *ret_counts)
{
    for (size_t i = 0; i < array_length(kept); i++)
        ret_counts[i] = database_count(&database, kept[i]);
}

/* The fixture as it is, its counts, and then the same file opened as this program does. */
static void set_up(void)
{
    cleanup(buf_release) struct buf sql = BUF_INIT(1 << 22);
    unsigned char key[SEAL_KEY_SIZE];
    struct error err = {""};
    struct db *db;

    database_open(&database);
    database.store = store_close(database.store);
    database.clock.wall_us = NOW_US;
    cr_assert_lt(snprintf(database.path, sizeof database.path, "%s/old.db", database.folder),
                 (int)sizeof database.path);
    read_file(FIXTURE ".sql", &sql);
    db = open_raw();
    cr_assert_eq(db_execute(db, buf_str(&sql), &err), 0, "%s", err.text);
    db_close(db);
    count_all(before);
    read_secret_key(key);
    sealer_init(&sealer, key);
    database.options.sealer = &sealer;
    cr_assert_eq(store_open(&database.options, &database.store, &err), 0, "%s", err.text);
}

static void tear_down(void)
{
    database_close(&database);
}

TestSuite(upgrade, .init = set_up, .fini = tear_down);

static struct job get(const char *name)
{
    struct job job = {0};
    struct error err = {""};
    char quoted[64], job_id[JOB_ID_SIZE];

    snprintf(quoted, sizeof quoted, "\"%s\"", name);
    find_fact(quoted, job_id, sizeof job_id);
    cr_assert_eq(job_get(database.store, 0, job_id, &job, &err), 0, "%s: %s", name, err.text);
    return job;
}

Test(upgrade, nothing_is_lost_and_nothing_counted_anew)
{
    int64_t after[array_length(kept)];

    count_all(after);
    for (size_t i = 0; i < array_length(kept); i++)
        cr_expect_eq(after[i], before[i], "%s: %lld before, %lld after", kept[i], (long long)before[i],
                     (long long)after[i]);
    cr_expect_eq(database_count(&database, "PRAGMA user_version"), db_newest_version());
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM migrations"), db_newest_version());
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

Test(upgrade, what_was_before_is_kept_beside_it)
{
    char copy[PATH_MAX];
    struct error err = {""};
    int version = 0;

    if (db_newest_version() == FIXTURE_VERSION)
        cr_skip_test("no migration follows the fixture's version");
    cr_assert_eq(db_path_before(database.path, db_newest_version(), copy, &err), 0);
    cr_assert_eq(db_examine(copy, &version, &err), 0, "%s", err.text);
    cr_expect_eq(version, FIXTURE_VERSION);
}

Test(upgrade, every_job_is_listed_and_shown)
{
    const struct job_filter filter = {.limit = 100};
    cleanup(job_page_release) struct job_page page = {0};
    struct error err = {""};

    cr_assert_eq(job_list(database.store, OWNER, &filter, &page, &err), 0, "%s", err.text);
    cr_expect_eq(page.count, JOBS_OF_OWNER);
    for (size_t i = 0; i < page.count; i++) {
        cleanup(job_release) struct job job = {0};

        cr_expect_eq(job_get(database.store, OWNER, page.jobs[i].job_id, &job, &err), 0);
        cr_expect_eq(job.status, page.jobs[i].status);
        cr_expect_gt(job.characters, 0);
    }
}

Test(upgrade, a_jobs_facts_are_those_of_before)
{
    struct job done = get("completed"), failed = get("failed"), expired = get("expired");

    cr_expect_eq(done.status, JOB_COMPLETED);
    cr_expect_eq(done.webhook_status, WEBHOOK_DELIVERED);
    cr_expect_str_eq(done.metadata, "{\"ticket\":\"17\"}");
    cr_expect_eq(strlen(done.audio.sha256), 64);
    cr_expect_eq(failed.status, JOB_FAILED);
    cr_expect_str_eq(failed.error_code, "nothing_to_speak");
    cr_expect_neq(expired.audio_removed_at, 0);
    job_release(&done);
    job_release(&failed);
    job_release(&expired);
}

Test(upgrade, what_waits_is_claimed_and_spoken)
{
    int64_t worker = database_join(&database);
    struct job claim = {0};
    char text[64] = "";
    struct error err = {""};
    size_t size = 0;

    for (int i = 0; i < 3; i++) {
        cr_assert_eq(database_claim(&database, worker, &claim), 0);
        cr_assert_eq(job_text_read(database.store, claim.id, 0, text, sizeof text - 1, &size, &err), 0, "%s",
                     err.text);
        cr_expect_gt(size, 0);
        cr_expect_eq(database_finish(&database, &claim, &outcome_completed), 0);
        job_release(&claim);
    }
    cr_expect_eq(database_claim(&database, worker, &claim), STORE_NOT_FOUND);
}

Test(upgrade, the_job_of_a_worker_that_died_is_taken_back)
{
    struct job job = get("processing"), back[WORKER_TAKE_BACK_MAX];
    struct worker_row *rows;
    size_t workers = 0, count = 0;
    struct error err = {""};
    bool gone = false;

    cr_assert_eq(worker_list(database.store, &rows, &workers, &err), 0, "%s", err.text);
    cr_assert_eq(workers, 1);
    cr_assert_eq(store_begin(database.store, "test", &err), 0);
    cr_assert_eq(worker_take_back(database.store, &(struct take_back){.worker = rows[0].worker}, back, &count,
                                  &gone, &err),
                 0, "%s", err.text);
    cr_assert_eq(store_commit(database.store, &err), 0, "%s", err.text);
    cr_expect_eq(count, 1);
    cr_expect_str_eq(back[0].job_id, job.job_id);
    cr_expect_eq(back[0].status, JOB_PENDING);
    job_release(&back[0]);
    job_release(&job);
    worker_rows_free(rows, workers);
}

Test(upgrade, a_webhook_of_before_is_sent_again_and_signed)
{
    struct job job = get("completed_not_delivered"), again = {0};
    char *secrets[KEY_SECRETS_MAX];
    size_t count = 0;
    struct error err = {""};

    cr_expect_eq(job.webhook_status, WEBHOOK_FAILED);
    cr_assert_eq(store_begin(database.store, "test", &err), 0);
    cr_assert_eq(webhook_redeliver(database.store, OWNER, job.job_id, &again, &err), 0, "%s", err.text);
    cr_assert_eq(store_commit(database.store, &err), 0, "%s", err.text);
    cr_expect_eq(again.webhook_status, WEBHOOK_PENDING);
    cr_assert_eq(key_secrets(database.store, OWNER, secrets, &count, &err), 0, "%s", err.text);
    cr_expect_geq(count, 1);
    cr_expect_eq(strncmp(secrets[0], "whsec_", 6), 0);
    key_secrets_free(secrets, count);
    job_release(&again);
    job_release(&job);
}

Test(upgrade, an_attempt_that_never_ended_is_found)
{
    struct attempt_ref open[4];
    struct error err = {""};
    size_t count = 0;

    cr_assert_eq(webhook_open_attempts(database.store, open, array_length(open), &count, &err), 0, "%s",
                 err.text);
    cr_expect_eq(count, 1);
}

Test(upgrade, a_request_that_is_repeated_is_known)
{
    struct repeatable request = {.key = OWNER, .name = "fixture-1"};
    struct job job = {0};
    struct error err = {""};

    /* Another body under that name: so the name is known. */
    cr_assert_eq(store_begin(database.store, "test", &err), 0);
    cr_expect_eq(repeatable_find(database.store, &request, &job, &err), STORE_CONFLICT);
    store_rollback(database.store);
}

Test(upgrade, new_jobs_come_behind_the_old_ones)
{
    struct job job = database_add_job(&database, OWNER, "One more.", NULL), last = get("cancelled");

    cr_expect_gt(job.id, last.id);
    job_release(&job);
    job_release(&last);
}
