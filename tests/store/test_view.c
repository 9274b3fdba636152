/* SPDX-License-Identifier: Apache-2.0 */
#include "store/view.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "store/service.h"
#include "support/database.h"

static struct database database;

static void setup(void)
{
    database_open(&database);
}

static void teardown(void)
{
    database_close(&database);
}

TestSuite(view, .init = setup, .fini = teardown);

static struct service_view view(void)
{
    struct service_view view;
    struct error err = {""};

    cr_assert_eq(service_view_read(database.store, &view, &err), 0, "%s", err.text);
    return view;
}

Test(view, an_empty_service_is_all_zeros_but_for_its_key)
{
    struct service_view seen = view();

    cr_expect_eq(seen.paused_since, 0);
    cr_expect_eq(seen.claimed + seen.created_lately + seen.ended_lately, 0);
    cr_expect_eq(seen.oldest_pending_at, 0);
    cr_expect_eq(seen.webhooks_planned + seen.webhooks_open + seen.webhooks_failed_in_a_day, 0);
    cr_expect_eq(seen.receiver_count, 0);
    cr_expect_eq(seen.keys, 1);
    service_view_release(&seen);
}

Test(view, jobs_are_counted_as_they_are)
{
    cleanup(job_release) struct job first = database_add_job(&database, database.key, "One.", NULL);
    cleanup(job_release) struct job second = {0}, claim = {0};
    int64_t worker = database_join(&database);
    struct service_view seen;

    fake_clock_advance(&database.clock, 5000);
    second = database_add_job(&database, database.key, "Two.", NULL);
    seen = view();
    cr_expect_eq(seen.oldest_pending_at, first.created_at);
    cr_expect_eq(seen.created_lately, 2);
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_assert_eq(database_finish(&database, &claim, &outcome_completed), 0);
    job_release(&claim);
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    seen = view();
    cr_expect_eq(seen.oldest_pending_at, 0);
    cr_expect_eq(seen.claimed, 1);
    cr_expect_eq(seen.ended_lately, 1);
    cr_expect_eq(seen.metrics[METRIC_JOBS_COMPLETED], 1);
    fake_clock_advance(&database.clock, VIEW_LATELY_MS + 1000);
    seen = view();
    cr_expect_eq(seen.ended_lately + seen.created_lately, 0);
}

Test(view, webhooks_and_receivers_in_trouble_are_told)
{
    int64_t worker = database_join(&database);
    cleanup(job_release) struct job job =
        database_end_job(&database, worker, database.key, &outcome_completed);
    cleanup(webhook_release) struct webhook webhook = database_take_webhook(&database);
    int64_t now = clock_wall_ms(&database.clock.clock);
    struct service_view seen = view();
    int64_t attempt;

    cr_expect_eq(seen.webhooks_planned, 1);
    cr_expect_eq(seen.receiver_count, 0);
    attempt = database_begin_attempt(&database, webhook.webhook);
    seen = view();
    cr_expect_eq(seen.webhooks_open, 1);
    database_end_attempt(&database, webhook.webhook, attempt,
                         &(struct attempt_result){.error_code = "timeout",
                                                  .status = WEBHOOK_PENDING,
                                                  .next_attempt_at = now + 1000,
                                                  .pause_until = now + 60000});
    seen = view();
    cr_expect_eq(seen.receivers_paused, 1);
    cr_assert_eq(seen.receiver_count, 1);
    cr_expect_str_eq(seen.receivers[0].receiver, DATABASE_RECEIVER);
    cr_expect_eq(seen.receivers[0].paused_until, now + 60000);
    service_view_release(&seen);
}

/* ---- looking without changing ---- */

Test(view, to_look_makes_no_database)
{
    struct store_options options = database.options;
    struct store *store = NULL;
    char path[128];
    int version;

    snprintf(path, sizeof path, "%s/none.db", database.folder);
    options.path = path;
    cr_expect_eq(store_look(&options, &store, &version, NULL), -ENOENT);
    cr_expect_neq(access(path, F_OK), 0);
}

Test(view, a_store_to_look_at_sees_what_is_committed)
{
    cleanup(job_release) struct job job = database_add_job(&database, database.key, "One.", NULL);
    struct store *store = NULL;
    struct service_view seen;
    bool is_wal = false;
    int version = 0;

    cr_assert_eq(store_look(&database.options, &store, &version, NULL), 0);
    cr_expect_eq(version, store_version());
    cr_assert_eq(service_view_read(store, &seen, NULL), 0);
    cr_expect_eq(seen.created_lately, 1);
    cr_assert_eq(store_is_wal(store, &is_wal, NULL), 0);
    cr_expect(is_wal);
    store_close(store);
}

Test(view, a_database_of_another_version_is_told_and_left_alone)
{
    struct store *store = NULL;
    int version = 0;

    database_execute(&database, "PRAGMA user_version = 8");
    cr_expect_eq(store_look(&database.options, &store, &version, NULL), STORE_CONFLICT);
    cr_expect_eq(version, 8);
    cr_expect_eq(database_count(&database, "PRAGMA user_version"), 8);
}
