/* SPDX-License-Identifier: Apache-2.0 */
/* When a receiver is due: what the outbox plans, what a receiver asks for, and what is given up. */
#include "store/receivers.h"

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "support/database.h"

static struct database database;
static int64_t worker;

static void setup(void)
{
    database_open(&database);
    worker = database_join(&database);
}

static void teardown(void)
{
    database_close(&database);
}

TestSuite(receivers, .init = setup, .fini = teardown);

/* A job that has ended and owes a webhook. */
static struct job finish_job(void)
{
    return database_end_job(&database, worker, database.key, &outcome_failed);
}

static int64_t now_ms(void)
{
    return database.clock.wall_us / 1000;
}

/* The same to another receiver. */
static struct job finish_job_for(const char *url)
{
    struct job job = database_add_job(&database, database.key, "Hello.", url);
    cleanup(job_release) struct job claim = {0};

    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_assert_eq(database_finish(&database, &claim, &outcome_failed), 0);
    return job;
}

static size_t count_due_of(int class, int64_t at, const struct due_receiver *after)
{
    struct due_receiver receivers[4];
    size_t count;

    cr_assert_eq(receiver_due(database.store, class, at, after, receivers, 4, &count, NULL), 0);
    due_receivers_free(receivers, count);
    return count;
}

/* How many receivers are due at that time. */
static size_t count_due(int64_t at)
{
    return count_due_of(RECEIVER_CLASS_NEW, at, NULL);
}

/* The one whose turn it is; the caller frees its string. */
static struct due_receiver first_due(int class)
{
    struct due_receiver receiver;
    size_t count;

    cr_assert_eq(receiver_due(database.store, class, now_ms(), NULL, &receiver, 1, &count, NULL), 0);
    cr_assert_eq(count, 1);
    return receiver;
}

static void release_due(struct due_receiver *receiver)
{
    due_receivers_free(receiver, 1);
}

static int64_t next_due(int64_t at)
{
    int64_t due_at;

    cr_assert_eq(receiver_next_due(database.store, RECEIVER_CLASS_NEW, at, &due_at, NULL), 0);
    return due_at;
}

Test(receivers, due_receivers_come_in_order_and_the_next_time_is_told)
{
    cleanup(job_release) struct job job = finish_job();
    cleanup(webhook_release) struct webhook webhook = database_take_webhook(&database);

    cr_assert_eq(count_due(now_ms() - 1), 0);
    cr_assert_eq(next_due(now_ms() - 1), now_ms());
    cr_assert_eq(count_due(now_ms()), 1);
    cr_assert_eq(next_due(now_ms()), 0);
    cleanup(release_due) struct due_receiver due = first_due(RECEIVER_CLASS_NEW);
    cr_assert_str_eq(due.receiver, webhook.receiver);
    cr_assert_eq(count_due_of(RECEIVER_CLASS_NEW, now_ms(), &due), 0, "the caller goes on behind the last");
}

Test(receivers, a_receiver_is_due_when_its_next_webhook_is)
{
    cleanup(job_release) struct job job = finish_job();
    cleanup(webhook_release) struct webhook webhook = database_take_webhook(&database);
    const struct attempt_result failure = {
        .error_code = "timeout", .status = WEBHOOK_PENDING, .next_attempt_at = now_ms() + 5000};
    int64_t attempt = database_begin_attempt(&database, webhook.webhook);

    cr_assert_eq(count_due(now_ms()), 0, "its only webhook is under way");
    database_end_attempt(&database, webhook.webhook, attempt, &failure);
    cr_assert_eq(count_due(now_ms() + 4999), 0);
    cr_assert_eq(next_due(now_ms()), now_ms() + 5000);
    cr_assert_eq(count_due(now_ms() + 5000), 1);
}

Test(receivers, a_receiver_that_asks_for_a_pause_is_not_due_before_its_end)
{
    cleanup(job_release) struct job job = finish_job(), another = {0};
    cleanup(webhook_release) struct webhook webhook = database_take_webhook(&database);
    const struct attempt_result failure = {.error_code = "http_status",
                                           .status_code = 503,
                                           .status = WEBHOOK_PENDING,
                                           .next_attempt_at = now_ms() + 5000,
                                           .pause_until = now_ms() + 60000};
    int64_t attempt = database_begin_attempt(&database, webhook.webhook);

    database_end_attempt(&database, webhook.webhook, attempt, &failure);
    cr_assert_eq(count_due(now_ms() + 59999), 0);
    another = finish_job(); /* another webhook of the same receiver, owed at once */
    cr_assert_eq(count_due(now_ms() + 59999), 0, "what is owed meanwhile waits, too");
    cr_assert_eq(next_due(now_ms()), now_ms() + 60000);
    cr_assert_eq(count_due(now_ms() + 60000), 1);
}

Test(receivers, what_was_owed_to_a_dead_receiver_for_too_long_is_given_up)
{
    cleanup(job_release) struct job job = finish_job(), old = {0}, young = {0}, seen = {0};
    cleanup(webhook_release) struct webhook webhook = database_take_webhook(&database);
    struct attempt_result failure = {.error_code = "timeout", .status = WEBHOOK_FAILED};
    int64_t attempt = database_begin_attempt(&database, webhook.webhook);

    old = finish_job();
    failure.give_up_until = now_ms();
    database.clock.wall_us += 1000000;
    young = finish_job();
    database_end_attempt(&database, webhook.webhook, attempt, &failure);
    cr_assert_eq(job_get(database.store, database.key, old.job_id, &seen, NULL), 0);
    cr_assert_eq(seen.webhook_status, WEBHOOK_FAILED);
    cr_assert_str_eq(seen.webhook_last_error, "timeout");
    cr_assert_gt(seen.revision, old.revision, "a client that waits for a change hears of it");
    job_release(&seen);
    cr_assert_eq(job_get(database.store, database.key, young.job_id, &seen, NULL), 0);
    cr_assert_eq(seen.webhook_status, WEBHOOK_PENDING);
    cr_assert_eq(count_due(now_ms()), 1);
}

Test(receivers, one_that_was_served_goes_behind_those_that_wait)
{
    cleanup(job_release) struct job first = finish_job(), second = finish_job(), other = {0};
    cleanup(webhook_release) struct webhook webhook = database_take_webhook(&database);

    database.clock.wall_us += 1000;
    other = finish_job_for("http://127.0.0.1:10/x");
    database.clock.wall_us += 1000;
    {
        cleanup(release_due) struct due_receiver due = first_due(RECEIVER_CLASS_NEW);

        cr_expect_str_eq(due.receiver, DATABASE_RECEIVER, "it has waited for longest");
    }
    database_begin_attempt(&database, webhook.webhook);
    cleanup(release_due) struct due_receiver due = first_due(RECEIVER_CLASS_NEW);
    cr_expect_str_eq(due.receiver, "http://127.0.0.1:10");
    cr_expect_eq(count_due(now_ms()), 2, "its second webhook is due as well");
}

Test(receivers, what_attempts_have_shown_is_kept_and_those_of_a_class_are_found_without_others)
{
    static const struct receiver_standing slow = {.class = 2, .failing_since = 77};
    cleanup(job_release) struct job job = finish_job(), other = finish_job_for("http://127.0.0.1:10/x");
    cleanup(webhook_release) struct webhook webhook = database_take_webhook(&database);
    const struct attempt_result failure = {.error_code = "timeout",
                                           .status = WEBHOOK_PENDING,
                                           .next_attempt_at = now_ms() + 5000,
                                           .standing = &slow};

    database_end_attempt(&database, webhook.webhook, database_begin_attempt(&database, webhook.webhook),
                         &failure);
    database.clock.wall_us += 5000000;
    cr_expect_eq(count_due(now_ms()), 1);
    cr_expect_eq(count_due_of(slow.class, now_ms(), NULL), 1);
    cleanup(release_due) struct due_receiver due = first_due(slow.class);
    cr_expect_str_eq(due.receiver, DATABASE_RECEIVER);
    cr_expect_eq(due.standing.class, slow.class);
    cr_expect_eq(due.standing.failing_since, slow.failing_since);
}

static size_t mend_all(void)
{
    char *wrong[8];
    size_t count;

    cr_assert_eq(receiver_wrong(database.store, wrong, 8, &count, NULL), 0);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(receiver_mend(database.store, wrong[i], NULL), 0);
        free(wrong[i]);
    }
    cr_assert_eq(store_commit(database.store, NULL), 0);
    return count;
}

Test(receivers, what_a_program_that_knows_no_such_table_left_is_put_right)
{
    cleanup(job_release) struct job late = finish_job(), missing = finish_job_for("http://127.0.0.1:10/x"),
                                    none = finish_job_for("http://127.0.0.1:11/x"),
                                    right = finish_job_for("http://127.0.0.1:12/x"),
                                    paused = finish_job_for("http://127.0.0.1:13/x");

    cr_expect_eq(mend_all(), 0);
    database_execute(
        &database, "UPDATE receivers SET due_at = due_at + 60000 WHERE receiver LIKE '%:9';"
                   "DELETE FROM receivers WHERE receiver LIKE '%:10';"
                   "UPDATE webhooks SET next_attempt_at = NULL, status = 'failed' WHERE receiver LIKE '%:11';"
                   "UPDATE receivers SET paused_until = due_at + 60000, due_at = due_at + 60000"
                   " WHERE receiver LIKE '%:13';");
    cr_expect_eq(mend_all(), 3);
    cr_expect_eq(mend_all(), 0);
    cr_expect_eq(count_due(now_ms()), 3, "9, 10 and 12");
    cr_expect_eq(count_due(now_ms() + 60000), 4, "11 is owed nothing");
}

Test(receivers, a_webhook_that_an_older_program_made_is_not_given_up_before_its_time)
{
    cleanup(job_release) struct job job = finish_job(), old = {0}, seen = {0};
    cleanup(webhook_release) struct webhook webhook = database_take_webhook(&database);
    struct attempt_result failure = {.error_code = "timeout", .status = WEBHOOK_FAILED};
    int64_t attempt = database_begin_attempt(&database, webhook.webhook);

    failure.give_up_until = now_ms();
    database.clock.wall_us += 1000000;
    old = finish_job();
    database_execute(&database, "UPDATE webhooks SET owed_at = 0");
    database_end_attempt(&database, webhook.webhook, attempt, &failure);
    cr_assert_eq(job_get(database.store, database.key, old.job_id, &seen, NULL), 0);
    cr_expect_eq(seen.webhook_status, WEBHOOK_PENDING);
}
