/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox as administrators see it, and what failed sent again. */
#include "store/outbox.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/receivers.h"
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

TestSuite(outbox, .init = setup, .fini = teardown);

static int64_t now_ms(void)
{
    return database.clock.wall_us / 1000;
}

static void pass_seconds(int64_t seconds)
{
    database.clock.wall_us += seconds * 1000000;
}

/* A job that has ended and owes a webhook. */
static struct job finish_job(int64_t key)
{
    return database_end_job(&database, worker, key, &outcome_failed);
}

static struct outbox_entry find(const char *id)
{
    struct outbox_entry entry = {0};

    cr_assert_eq(outbox_find(database.store, id, &entry, NULL), 0, "%s", id);
    return entry;
}

/* One attempt at the webhook of a job, which ends as status says. */
static void attempt(const struct job *job, enum webhook_status status)
{
    cleanup(outbox_entry_release) struct outbox_entry entry = find(job->job_id);
    const struct attempt_trace trace = {.peer = "127.0.0.1:9",
                                        .reused = true,
                                        .sends = 2,
                                        .name_lookup_us = -1,
                                        .connect_us = -1,
                                        .tls_us = -1,
                                        .first_byte_us = 1200,
                                        .total_us = 1500};
    const struct attempt_result result = {.duration_ms = 2,
                                          .status = status,
                                          .status_code = status == WEBHOOK_DELIVERED ? 204 : 500,
                                          .error_code = status == WEBHOOK_DELIVERED ? NULL : "http_status",
                                          .error_message = status == WEBHOOK_DELIVERED ? NULL : "why",
                                          .response_excerpt = "said",
                                          .next_attempt_at = now_ms() + 5000,
                                          .pause_until = status == WEBHOOK_PENDING ? now_ms() + 9000 : 0,
                                          .trace = &trace};

    database_end_attempt(&database, entry.webhook, database_begin_attempt(&database, entry.webhook), &result);
}

static struct job fail_job(int64_t key)
{
    struct job job = finish_job(key);

    attempt(&job, WEBHOOK_FAILED);
    return job;
}

static void forget_bodies(void)
{
    database_execute(&database, "UPDATE webhooks SET body = ''");
}

static int redeliver(int64_t webhook, bool failed_only)
{
    int r;

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    r = outbox_redeliver(database.store, webhook, failed_only, NULL);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    return r;
}

/* The jobs of a list, one letter each by their place in jobs: 'a' is the first. */
static void testcase_lists(const char *expected, const struct outbox_filter *filter, size_t max,
                           const struct job *jobs, size_t job_count)
{
    struct outbox_entry *entries;
    char letters[16] = "";
    size_t count;

    cr_assert_eq(outbox_list(database.store, filter, max, &entries, &count, NULL), 0);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < job_count; j++)
            if (strcmp(entries[i].job_id, jobs[j].job_id) == 0)
                letters[i] = (char)('a' + j);
    cr_expect_str_eq(letters, expected);
    outbox_entries_free(entries, count);
}

Test(outbox, a_list_is_of_what_was_asked_for_and_newest_first)
{
    int64_t other = database_add_key(&database, 2), start = now_ms();
    struct job jobs[4];

    jobs[0] = fail_job(database.key);
    pass_seconds(1);
    jobs[1] = finish_job(database.key);
    attempt(&jobs[1], WEBHOOK_DELIVERED);
    pass_seconds(1);
    jobs[2] = fail_job(other);
    jobs[3] = finish_job(other);

#define LISTS(expected, max, ...)                                                                            \
    testcase_lists(expected, &(const struct outbox_filter){__VA_ARGS__}, max, jobs, 4)
    LISTS("dcba", 10, .key = 0);
    LISTS("dc", 2, .key = 0);
    LISTS("ba", 10, .key = database.key);
    LISTS("dc", 10, .key = other);
    LISTS("dcb", 10, .since = start + 1000);
    LISTS("dcba", 10, .receiver = DATABASE_RECEIVER);
    LISTS("", 10, .receiver = "http://127.0.0.1:8");
    LISTS("b", 10, .status = WEBHOOK_DELIVERED);
    LISTS("d", 10, .status = WEBHOOK_PENDING);
    LISTS("ca", 10, .status = WEBHOOK_FAILED);
    LISTS("c", 1, .status = WEBHOOK_FAILED);
    LISTS("a", 10, .status = WEBHOOK_FAILED, .key = database.key);
    LISTS("c", 10, .status = WEBHOOK_FAILED, .since = start + 1);
    LISTS("", 10, .status = WEBHOOK_FAILED, .receiver = "http://127.0.0.1:8");
#undef LISTS
    for (size_t i = 0; i < array_length(jobs); i++)
        job_release(&jobs[i]);
}

Test(outbox, a_list_goes_back_past_any_number_of_others)
{
    struct job jobs[2] = {finish_job(database.key), finish_job(database.key)};
    const struct outbox_filter filter = {.status = WEBHOOK_PENDING};
    char sql[128];

    /* Two steps and a half between the two, and nothing in between. */
    snprintf(sql, sizeof sql,
             "UPDATE webhooks SET webhook = webhook + %d WHERE webhook > 1; "
             "UPDATE jobs SET webhook = webhook + %d WHERE webhook > 1",
             5 * OUTBOX_STEP / 2, 5 * OUTBOX_STEP / 2);
    database_execute(&database, sql);
    testcase_lists("ba", &filter, 10, jobs, 2);
    job_release(&jobs[0]);
    job_release(&jobs[1]);
}

Test(outbox, a_webhook_is_found_by_its_id_and_by_its_jobs)
{
    cleanup(job_release) struct job job = finish_job(database.key);
    cleanup(job_release) struct job silent = database_add_job(&database, database.key, "Hi.", NULL);
    cleanup(outbox_entry_release) struct outbox_entry of_job = find(job.job_id), by_id = {0}, none = {0};

    attempt(&job, WEBHOOK_PENDING);
    by_id = find(of_job.webhook_id);
    cr_expect_str_eq(by_id.job_id, job.job_id);
    cr_expect_str_eq(by_id.url, DATABASE_RECEIVER "/x");
    cr_expect_str_eq(by_id.receiver, DATABASE_RECEIVER);
    cr_expect_str_eq(by_id.last_error, "http_status");
    cr_expect_eq(by_id.last_status_code, 500);
    cr_expect_eq(by_id.attempts, 1);
    cr_expect_eq(by_id.next_attempt_at, now_ms() + 5000);
    cr_expect_eq(by_id.paused_until, now_ms() + 9000);
    cr_expect(by_id.has_body);
    cr_expect_eq(outbox_find(database.store, silent.job_id, &none, NULL), STORE_CONFLICT);
    cr_expect_eq(outbox_find(database.store, "msg_0123456789abcdefghijklmno", &none, NULL), STORE_NOT_FOUND);
    cr_expect_eq(outbox_find(database.store, "whatever", &none, NULL), STORE_NOT_FOUND);
}

Test(outbox, an_attempt_tells_all_that_is_recorded_of_it)
{
    cleanup(job_release) struct job job = fail_job(database.key);
    cleanup(outbox_entry_release) struct outbox_entry entry = find(job.job_id);
    struct delivery *attempts;
    size_t count;

    cr_assert_eq(outbox_attempts(database.store, entry.webhook, &attempts, &count, NULL), 0);
    cr_assert_eq(count, 1);
    cr_expect_str_eq(attempts[0].peer, "127.0.0.1:9");
    cr_expect(attempts[0].traced);
    cr_expect(attempts[0].trace.reused);
    cr_expect_eq(attempts[0].trace.sends, 2);
    cr_expect_eq(attempts[0].trace.connect_us, -1);
    cr_expect_eq(attempts[0].trace.first_byte_us, 1200);
    cr_expect_eq(attempts[0].trace.total_us, 1500);
    cr_expect_str_eq(attempts[0].error_message, "why");
    cr_expect_str_eq(attempts[0].response_excerpt, "said");
    deliveries_free(attempts, count);
}

/* How many failures a walk meets, and how many of them have their body. */
static void testcase_walk(size_t expected, size_t expected_bodies, struct outbox_walk walk)
{
    struct outbox_failure failures[2];
    size_t count, all = 0, bodies = 0;

    do {
        cr_assert_eq(outbox_failures(database.store, &walk, failures, 2, &count, NULL), 0);
        for (size_t i = 0; i < count; i++)
            bodies += failures[i].has_body;
        all += count;
    } while (count > 0);
    cr_expect_eq(all, expected, "%zu instead of %zu", all, expected);
    cr_expect_eq(bodies, expected_bodies, "%zu instead of %zu", bodies, expected_bodies);
}

Test(outbox, a_walk_meets_each_failure_of_its_time_once)
{
    int64_t start = now_ms(), end;

    for (int i = 0; i < 5; i++) {
        cleanup(job_release) struct job job = fail_job(database.key);
    }
    forget_bodies();
    pass_seconds(1);
    for (int i = 0; i < 3; i++) {
        cleanup(job_release) struct job job = fail_job(database.key);
    }
    end = now_ms();
    testcase_walk(8, 3, (struct outbox_walk){.filter.since = start, .until = end});
    testcase_walk(3, 3, (struct outbox_walk){.filter.since = start + 1, .until = end});
    testcase_walk(5, 0, (struct outbox_walk){.filter.since = start, .until = end - 1});
    testcase_walk(0, 0, (struct outbox_walk){.filter.key = 77, .until = end});
    testcase_walk(0, 0, (struct outbox_walk){.filter.receiver = "https://x:443", .until = end});
}

static int hasten(int64_t webhook)
{
    int condition;

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    condition = outbox_hasten(database.store, webhook, NULL);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    return condition;
}

Test(outbox, what_waits_for_a_later_attempt_is_due_at_once_and_met_once)
{
    cleanup(job_release) struct job first = finish_job(database.key), second = finish_job(database.key);
    cleanup(outbox_entry_release) struct outbox_entry waiting = {0}, after = {0};
    struct outbox_walk walk = {.filter.receiver = DATABASE_RECEIVER, .waiting = true};
    struct outbox_walk start;

    attempt(&first, WEBHOOK_PENDING);
    attempt(&second, WEBHOOK_PENDING);
    pass_seconds(1);
    walk.until = now_ms();
    start = walk;
    testcase_walk(2, 2, walk);
    walk.filter.key = 77;
    testcase_walk(0, 0, walk);
    waiting = find(first.job_id);
    cr_assert_gt(waiting.next_attempt_at, now_ms());
    cr_expect_eq(hasten(waiting.webhook), 0);
    after = find(first.job_id);
    cr_expect_eq(after.next_attempt_at, now_ms());
    cr_expect_eq(after.attempts, waiting.attempts);
    cr_expect_eq(hasten(waiting.webhook), STORE_CONFLICT, "it is due as it is");
    testcase_walk(1, 1, start);
    pass_seconds(1);
    attempt(&first, WEBHOOK_PENDING);
    testcase_walk(1, 1, start); /* it has failed once more since, and waits for its own time */
}

Test(outbox, a_failure_is_due_again_at_once_and_its_client_can_tell)
{
    cleanup(job_release) struct job job = fail_job(database.key), after = {0};
    cleanup(outbox_entry_release) struct outbox_entry failed = find(job.job_id), again = {0};
    cleanup(job_release) struct job before = {0};
    struct webhook *due;
    size_t count;

    cr_assert_eq(job_get(database.store, database.key, job.job_id, &before, NULL), 0);
    pass_seconds(60);
    cr_assert_eq(redeliver(failed.webhook, true), 0);
    again = find(job.job_id);
    cr_expect_eq(again.status, WEBHOOK_PENDING);
    cr_expect_eq(again.next_attempt_at, now_ms());
    cr_expect_str_eq(again.webhook_id, failed.webhook_id);
    cr_assert_eq(job_get(database.store, database.key, job.job_id, &after, NULL), 0);
    cr_expect_gt(after.revision, before.revision);
    cr_assert_eq(webhook_due(database.store, DATABASE_RECEIVER, now_ms(), 9, &due, &count, NULL), 0);
    cr_expect_eq(count, 1);
    webhooks_free(due, count);
    cr_expect_eq(redeliver(failed.webhook, true), STORE_CONFLICT, "it is owed as it is");
}

Test(outbox, what_was_delivered_or_removed_is_no_failure_to_send_again)
{
    cleanup(job_release) struct job delivered = finish_job(database.key), removed = {0};
    cleanup(outbox_entry_release) struct outbox_entry first = find(delivered.job_id), second = {0};

    attempt(&delivered, WEBHOOK_DELIVERED);
    cr_expect_eq(redeliver(first.webhook, true), STORE_CONFLICT);
    cr_expect_eq(redeliver(first.webhook, false), 0, "it is sent again where that one was asked for");
    removed = fail_job(database.key);
    second = find(removed.job_id);
    forget_bodies();
    cr_expect_eq(redeliver(second.webhook, true), STORE_CONFLICT);
    cr_expect_eq(redeliver(12345, false), STORE_CONFLICT);
}

Test(outbox, a_pause_is_ended_by_hand_for_all_that_waits)
{
    cleanup(job_release) struct job job = finish_job(database.key), other = finish_job(database.key);
    cleanup(outbox_entry_release) struct outbox_entry before = find(job.job_id), after = {0};
    struct due_receiver due;
    size_t count;

    attempt(&job, WEBHOOK_FAILED);
    database_execute(&database,
                     "UPDATE receivers SET paused_until = due_at + 60000, due_at = due_at + 60000");
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_expect_eq(outbox_redeliver(database.store, before.webhook, true, NULL), 0);
    cr_assert_eq(receiver_due(database.store, RECEIVER_CLASS_NEW, now_ms(), NULL, &due, 1, &count, NULL), 0);
    cr_expect_eq(count, 0, "a redelivery alone ends no pause");
    cr_expect_eq(outbox_resume(database.store, DATABASE_RECEIVER, NULL), 0);
    cr_expect_eq(outbox_resume(database.store, DATABASE_RECEIVER, NULL), STORE_CONFLICT,
                 "it has none any more");
    cr_assert_eq(store_commit(database.store, NULL), 0);
    cr_assert_eq(receiver_due(database.store, RECEIVER_CLASS_NEW, now_ms(), NULL, &due, 1, &count, NULL), 0);
    cr_assert_eq(count, 1);
    due_receivers_free(&due, 1);
    after = find(other.job_id);
    cr_expect_eq(after.paused_until, 0);
}
