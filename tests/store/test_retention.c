/* SPDX-License-Identifier: Apache-2.0 */
/* What is removed with time, and what stays a while longer. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "store/receivers.h"
#include "store/retention.h"
#include "support/database.h"

#define HOUR INT64_C(3600000)

static struct database database;

static void setup(void)
{
    database_open(&database);
    store_close(database.store);
    database.options.retention_audio = HOUR;
    cr_assert_eq(store_open(&database.options, &database.store, NULL), 0);
}

static void teardown(void)
{
    database_close(&database);
}

TestSuite(retention, .init = setup, .fini = teardown);

static void testcase_completed(const char *webhook_url, char ret_job_id[JOB_ID_SIZE])
{
    static int64_t worker;
    struct job job = database_add_job(&database, database.key, "Hello.", webhook_url), claim;

    if (worker == 0)
        worker = database_join(&database);
    memcpy(ret_job_id, job.job_id, JOB_ID_SIZE);
    job_release(&job);
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_assert_eq(database_finish(&database, &claim, &outcome_completed), 0);
    job_release(&claim);
}

static int64_t now(void)
{
    return clock_wall_ms(&database.clock.clock);
}

/* The only webhook that is owed. */
static void testcase_delivered(void)
{
    cleanup(webhook_release) struct webhook webhook = database_take_webhook(&database);

    database_end_attempt(&database, webhook.webhook, database_begin_attempt(&database, webhook.webhook),
                         &(struct attempt_result){.status_code = 204, .status = WEBHOOK_DELIVERED});
}

/* One call; the jobs whose files go. */
static size_t testcase_remove(const struct retention_times *until, struct retention_cursor *cursor)
{
    struct retention_batch *batch = calloc(1, sizeof *batch);
    struct error err = {""};
    size_t count;

    cr_assert_not_null(batch);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(retention_remove(database.store, until, cursor, batch, &err), 0, "%s", err.text);
    cr_assert_eq(store_commit(database.store, &err), 0, "%s", err.text);
    count = batch->count;
    retention_batch_release(batch);
    free(batch);
    return count;
}

Test(retention, audio_goes_at_its_time_and_the_job_stays)
{
    struct retention_times until = {.audio = 0};
    struct retention_cursor cursor = {0};
    char job_id[JOB_ID_SIZE];
    struct key_standing standing;
    struct job job;

    testcase_completed(NULL, job_id);
    cr_assert_eq(job_get(database.store, 0, job_id, &job, NULL), 0);
    cr_assert_eq(job.expires_at, now() + HOUR);
    job_release(&job);
    until.audio = now() + HOUR - 1;
    cr_assert_eq(retention_is_due(database.store, &until, &cursor, NULL), STORE_NOT_FOUND);
    cr_assert_eq(testcase_remove(&until, &cursor), 0);
    until.audio = now() + HOUR;
    cr_assert_eq(retention_is_due(database.store, &until, &cursor, NULL), 0);
    cr_assert_eq(testcase_remove(&until, &cursor), 1);
    cr_assert_eq(testcase_remove(&until, &cursor), 0, "once");
    cr_assert_eq(job_get(database.store, 0, job_id, &job, NULL), 0);
    cr_assert_eq(job.status, JOB_COMPLETED);
    cr_assert_eq(job.audio_removed_at, now());
    job_release(&job);
    cr_assert_eq(key_standing_read(database.store, database.key, &standing, NULL), 0);
    cr_assert_eq(standing.usage.used[LIMIT_STORED_BYTES], 0);
}

Test(retention, a_job_goes_with_all_that_belongs_to_it)
{
    struct retention_cursor cursor = {0};
    struct retention_times until = {0};
    char job_id[JOB_ID_SIZE];
    struct job job;

    testcase_completed("http://127.0.0.1:9/hook", job_id);
    until.jobs = now();
    cr_assert_eq(testcase_remove(&until, &cursor), 0, "its webhook is still owed");
    cr_assert_eq(job_get(database.store, 0, job_id, &job, NULL), 0);
    job_release(&job);
    testcase_delivered();
    cr_assert_eq(testcase_remove(&until, &cursor), 1);
    cr_assert_eq(job_get(database.store, 0, job_id, &job, NULL), STORE_NOT_FOUND);
    cr_assert_eq(database_count(&database,
                                "SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM webhooks)"
                                " + (SELECT count(*) FROM deliveries)"
                                " + (SELECT count(*) FROM job_texts)"),
                 0);
    cr_assert_eq(database_count(&database, "SELECT stored_bytes FROM api_keys"), 0);
}

Test(retention, a_receiver_outlives_its_last_job_by_its_pause_alone)
{
    const struct attempt_result failure = {.error_code = "http_status",
                                           .status_code = 410,
                                           .status = WEBHOOK_FAILED,
                                           .pause_until = now() + 2 * HOUR};
    struct retention_cursor cursor = {0};
    struct retention_times until = {.jobs = now()};
    struct webhook *webhooks;
    char job_id[JOB_ID_SIZE];
    int64_t attempt;
    size_t count;

    testcase_completed("http://127.0.0.1:9/hook", job_id);
    cr_assert_eq(webhook_due(database.store, "http://127.0.0.1:9", now(), 1, &webhooks, &count, NULL), 0);
    cr_assert_eq(count, 1);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(webhook_attempt_begin(database.store, webhooks[0].webhook, &attempt, NULL), 0);
    cr_assert_eq(webhook_attempt_end(database.store, webhooks[0].webhook, attempt, &failure, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    webhooks_free(webhooks, count);
    cr_assert_eq(testcase_remove(&until, &cursor), 1);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM receivers"), 1,
                 "it has asked to be left alone");
    fake_clock_advance(&database.clock, 2 * HOUR);
    until.jobs = now();
    cr_assert_eq(testcase_remove(&until, &cursor), 0);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM receivers"), 0);
}

Test(retention, what_attempts_have_shown_of_a_receiver_outlives_the_job_that_they_were_for)
{
    static const struct receiver_standing works = {.class = 0};
    const struct attempt_result taken = {.status_code = 204, .status = WEBHOOK_DELIVERED, .standing = &works};
    struct retention_cursor cursor = {0};
    struct retention_times until = {0};
    char job_id[JOB_ID_SIZE];

    testcase_completed(DATABASE_RECEIVER "/hook", job_id);
    cleanup(webhook_release) struct webhook webhook = database_take_webhook(&database);
    database_end_attempt(&database, webhook.webhook, database_begin_attempt(&database, webhook.webhook),
                         &taken);
    fake_clock_advance(&database.clock, 2 * HOUR);
    until.jobs = now() - 2 * HOUR;
    cr_assert_eq(testcase_remove(&until, &cursor), 1);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM receivers WHERE class = 0"), 1);
    testcase_completed(DATABASE_RECEIVER "/hook", job_id);
    cleanup(webhook_release) struct webhook another = database_take_webhook(&database);
    cr_expect_eq(another.due_at, now(), "it has no pause");
    database_end_attempt(&database, another.webhook, database_begin_attempt(&database, another.webhook),
                         &taken);
    fake_clock_advance(&database.clock, 2 * HOUR);
    until.jobs = now() - 2 * HOUR;
    cr_assert_eq(testcase_remove(&until, &cursor), 1);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM receivers"), 1);
    fake_clock_advance(&database.clock, HOUR);
    until.jobs = now() - 2 * HOUR;
    cr_assert_eq(testcase_remove(&until, &cursor), 0);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM receivers"), 0, "nothing came for it since");
}

Test(retention, a_job_whose_request_may_be_repeated_stays_for_a_day)
{
    struct retention_cursor cursor = {0};
    struct retention_times until = {0};
    struct repeatable request = {.key = database.key, .name = "a"};
    struct job job = database_add_job(&database, database.key, "Hello.", NULL), ended;

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(repeatable_keep(database.store, &request, &job, NULL), 0);
    cr_assert_eq(job_cancel(database.store, database.key, job.job_id, &ended, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    until.jobs = now();
    cr_assert_eq(testcase_remove(&until, &cursor), 0);
    fake_clock_advance(&database.clock, REPEATABLE_KEPT_MS + 1);
    cr_assert_eq(testcase_remove(&until, &cursor), 1);
    cr_assert_eq(database_count(&database, "SELECT count(*) FROM idempotency_keys"), 0);
    job_release(&job);
    job_release(&ended);
}

Test(retention, many_go_in_batches_and_those_that_stay_hold_up_no_other)
{
    struct retention_cursor cursor = {0};
    struct retention_times until = {0};
    char job_id[JOB_ID_SIZE];
    size_t removed = 0;

    for (int i = 0; i < RETENTION_BATCH; i++)
        testcase_completed("http://127.0.0.1:9/hook", job_id);
    for (int i = 0; i < 2 * RETENTION_BATCH + 5; i++)
        testcase_completed(NULL, job_id);
    until.jobs = now();
    cr_assert_eq(testcase_remove(&until, &cursor), 0, "the first batch is those that stay");
    for (int i = 0; i < 3; i++)
        removed += testcase_remove(&until, &cursor);
    cr_assert_eq(removed, 2 * RETENTION_BATCH + 5);
    cr_assert_eq(cursor.completed_at, 0, "the pass is over");
}

Test(retention, attempts_go_and_how_they_ended_stays)
{
    struct retention_cursor cursor = {0};
    struct retention_times until = {0};
    char job_id[JOB_ID_SIZE];
    struct job job;

    testcase_completed("http://127.0.0.1:9/hook", job_id);
    testcase_delivered();
    until.deliveries = now() - 1;
    testcase_remove(&until, &cursor);
    cr_assert_eq(database_count(&database, "SELECT count(*) FROM deliveries"), 1);
    until.deliveries = now();
    cr_assert_eq(retention_is_due(database.store, &until, &cursor, NULL), 0);
    testcase_remove(&until, &cursor);
    cr_assert_eq(database_count(&database, "SELECT count(*) FROM deliveries"), 0);
    cr_assert_eq(retention_is_due(database.store, &until, &cursor, NULL), STORE_NOT_FOUND);
    cr_assert_eq(job_get(database.store, 0, job_id, &job, NULL), 0);
    cr_assert_eq(job.webhook_status, WEBHOOK_DELIVERED);
    cr_assert_eq(job.webhook_attempts, 1);
    job_release(&job);
}
