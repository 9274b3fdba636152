/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that administrators have tried again, removed and listed; and what 'db check' counts. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "store/manage.h"
#include "store/upkeep.h"
#include "support/database.h"

#define HOUR INT64_C(3600000)

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

TestSuite(manage, .init = setup, .fini = teardown);

static void fail_on_miscount(void *context, const struct miscount *miscount)
{
    (void)context;
    cr_expect_null(miscount, "%s of %s is %lld and should be %lld", miscount->what, miscount->key_id,
                   (long long)miscount->kept, (long long)miscount->real);
}

static void testcase_counters_are_right(void)
{
    cr_expect_eq(counters_check(database.store, fail_on_miscount, NULL, NULL), 0);
}

static double metric(enum metric which)
{
    double values[METRIC_COUNT];

    cr_assert_eq(metrics_read(database.store, values, NULL), 0);
    return values[which];
}

static int retry(int64_t id, bool drop_webhook)
{
    struct error err = {""};
    int r;

    cr_assert_eq(store_begin(database.store, "test", &err), 0, "%s", err.text);
    r = manage_retry(database.store, id, drop_webhook, &err);
    cr_assert_geq(r, 0, "%s", err.text);
    cr_assert_eq(store_commit(database.store, &err), 0, "%s", err.text);
    return r;
}

static int purge(int64_t id, bool drop_webhook)
{
    struct job job = {0};
    struct error err = {""};
    int r;

    cr_assert_eq(store_begin(database.store, "test", &err), 0, "%s", err.text);
    r = manage_purge(database.store, id, drop_webhook, &job, &err);
    cr_assert_geq(r, 0, "%s", err.text);
    cr_assert_eq(store_commit(database.store, &err), 0, "%s", err.text);
    job_release(&job);
    return r;
}

static struct job get(int64_t id)
{
    struct job_page page = {0};
    const struct job_filter filter = {.limit = 100};
    struct job job = {0};

    cr_assert_eq(job_list(database.store, database.key, &filter, &page, NULL), 0);
    for (size_t i = 0; i < page.count; i++)
        if (page.jobs[i].id == id)
            cr_assert_eq(job_get(database.store, 0, page.jobs[i].job_id, &job, NULL), 0);
    job_page_release(&page);
    cr_assert_eq(job.id, id);
    return job;
}

/* The next webhook is sent, and its receiver has answered so. */
static void settle(enum webhook_status status)
{
    struct webhook webhook = database_take_webhook(&database);
    int64_t attempt = database_begin_attempt(&database, webhook.webhook);
    const struct attempt_result result = {.duration_ms = 5,
                                          .status_code = status == WEBHOOK_DELIVERED ? 204 : 500,
                                          .error_code = status == WEBHOOK_DELIVERED ? NULL : "http_status",
                                          .status = status};

    database_end_attempt(&database, webhook.webhook, attempt, &result);
    webhook_release(&webhook);
}

Test(manage, a_failed_job_waits_again_under_its_id_and_completes)
{
    struct job failed = database_end_job(&database, worker, database.key, &outcome_failed), claim, job;
    int64_t revision;

    settle(WEBHOOK_DELIVERED);
    job = get(failed.id);
    revision = job.revision;
    job_release(&job);

    cr_assert_eq(retry(failed.id, false), 0);
    testcase_counters_are_right();
    job = get(failed.id);
    cr_expect_eq(job.status, JOB_PENDING);
    cr_expect_null(job.error_code);
    cr_expect_eq(job.started_at, 0);
    cr_expect_eq(job.completed_at, 0);
    cr_expect_eq(job.webhook_status, WEBHOOK_PENDING, "it owes one when it ends");
    cr_expect_eq(job.webhook_attempts, 0);
    cr_expect_gt(job.revision, revision, "whoever has seen a revision sees another one");
    cr_expect_eq(job.queue_position, 1);
    job_release(&job);
    cr_expect_eq(metric(METRIC_JOBS_PENDING), 2);
    cr_expect_eq(metric(METRIC_QUEUE_LENGTH), 1);

    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_expect_str_eq(claim.job_id, failed.job_id);
    cr_expect_eq(claim.epoch, 2, "a stale result of the first claim is refused");
    cr_assert_eq(database_finish(&database, &claim, &outcome_completed), 0);
    testcase_counters_are_right();
    job = get(failed.id);
    cr_expect_eq(job.status, JOB_COMPLETED);
    job_release(&job);
    job_release(&claim);
    job_release(&failed);
    cr_expect_eq(metric(METRIC_JOBS_COMPLETED), 1);
    cr_expect_eq(metric(METRIC_JOBS_FAILED), 1);
    cr_expect_eq(metric(METRIC_QUEUE_LENGTH), 0);
}

Test(manage, the_webhook_of_the_new_end_is_another_one_and_the_only_one)
{
    struct job failed = database_end_job(&database, worker, database.key, &outcome_failed), claim;
    struct webhook first = database_take_webhook(&database), second;

    settle(WEBHOOK_DELIVERED);
    cr_assert_eq(retry(failed.id, false), 0);
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_assert_eq(database_finish(&database, &claim, &outcome_completed), 0);
    second = database_take_webhook(&database);
    cr_expect_eq(second.event, EVENT_JOB_COMPLETED);
    cr_expect_str_eq(second.job_id, failed.job_id);
    cr_expect_str_neq(second.webhook_id, first.webhook_id, "receivers drop what they have seen");
    cr_expect_eq(second.attempts, 0);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM webhooks"), 1);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM deliveries"), 0);
    webhook_release(&first);
    webhook_release(&second);
    job_release(&claim);
    job_release(&failed);
}

Test(manage, what_is_owed_of_a_failure_comes_first_or_is_dropped)
{
    struct job failed = database_end_job(&database, worker, database.key, &outcome_failed);
    struct webhook webhook = database_take_webhook(&database);
    int64_t attempt;
    const struct attempt_result later = {.duration_ms = 5,
                                         .status_code = 500,
                                         .error_code = "http_status",
                                         .status = WEBHOOK_PENDING,
                                         .next_attempt_at = 1795507200000 + HOUR};

    cr_expect_eq(retry(failed.id, false), MANAGE_OWED);
    attempt = database_begin_attempt(&database, webhook.webhook);
    cr_expect_eq(retry(failed.id, true), MANAGE_UNDER_WAY, "its sender would find it gone");
    database_end_attempt(&database, webhook.webhook, attempt, &later);
    cr_expect_eq(retry(failed.id, false), MANAGE_OWED);
    cr_expect_eq(retry(failed.id, true), 0);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM webhooks"), 0);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM receivers WHERE due_at IS NOT NULL"), 0,
                 "nothing is due there");
    testcase_counters_are_right();
    webhook_release(&webhook);
    job_release(&failed);
}

Test(manage, only_a_failed_job_with_its_text_is_tried_again)
{
    struct job pending = database_add_job(&database, database.key, "Hello.", NULL), claim;

    cr_expect_eq(retry(pending.id, false), STORE_CONFLICT);
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_expect_eq(retry(pending.id, false), STORE_CONFLICT);
    cr_assert_eq(database_finish(&database, &claim, &outcome_failed), 0);
    database_execute(&database, "DELETE FROM job_texts");
    cr_expect_eq(retry(pending.id, false), MANAGE_NO_TEXT);
    cr_expect_eq(retry(12345, false), STORE_NOT_FOUND);
    testcase_counters_are_right();
    job_release(&claim);
    job_release(&pending);
}

Test(manage, an_ended_job_is_purged_with_all_that_belongs_to_it)
{
    struct job done = database_end_job(&database, worker, database.key, &outcome_completed);

    cr_expect_eq(purge(done.id, false), MANAGE_OWED);
    settle(WEBHOOK_DELIVERED);
    cr_expect_eq(purge(done.id, false), 0);
    cr_expect_eq(purge(done.id, false), STORE_NOT_FOUND);
    for (size_t i = 0; i < 4; i++) {
        static const char *const left[] = {"SELECT count(*) FROM jobs", "SELECT count(*) FROM job_texts",
                                           "SELECT count(*) FROM webhooks",
                                           "SELECT count(*) FROM deliveries"};

        cr_expect_eq(database_count(&database, left[i]), 0, "%s", left[i]);
    }
    testcase_counters_are_right();
    cr_expect_eq(database_count(&database, "SELECT stored_bytes FROM api_keys"), 0);
    cr_expect_eq(metric(METRIC_JOBS_COMPLETED), 1, "what has happened has happened");
    job_release(&done);
}

Test(manage, a_purge_drops_a_webhook_only_when_told_and_a_receiver_is_forgotten_in_time)
{
    struct job done = database_end_job(&database, worker, database.key, &outcome_failed);

    cr_expect_eq(purge(done.id, true), 0);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM webhooks"), 0);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM receivers WHERE due_at IS NOT NULL"), 0);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM receivers WHERE paused_until = 0"), 0,
                 "retention finds it");
    testcase_counters_are_right();
    job_release(&done);
}

Test(manage, what_has_not_ended_is_not_purged)
{
    struct job pending = database_add_job(&database, database.key, "Hello.", NULL), claim;

    cr_expect_eq(purge(pending.id, true), STORE_CONFLICT);
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_expect_eq(purge(pending.id, true), STORE_CONFLICT);
    job_release(&claim);
    job_release(&pending);
}

/* The jobs of a list of that page size, as letters: the first that was created is a. */
static void list(const int64_t *keys, size_t key_count, unsigned int statuses, size_t limit,
                 const int64_t *ids, size_t count, char *ret_letters)
{
    struct job_filter filter = {.statuses = statuses, .limit = limit};
    size_t shown = 0;

    do {
        cleanup(job_page_release) struct job_page page = {0};

        cr_assert_eq(manage_list(database.store, keys, key_count, &filter, &page, NULL), 0);
        for (size_t i = 0; i < page.count; i++)
            for (size_t j = 0; j < count; j++)
                if (page.jobs[i].id == ids[j])
                    ret_letters[shown++] = (char)('a' + j);
        filter.before = page.next;
    } while (filter.before != 0);
    ret_letters[shown] = '\0';
}

Test(manage, jobs_of_all_keys_are_listed_in_one_order)
{
    const int64_t keys[] = {database.key, database_add_key(&database, 2), database_add_key(&database, 3)};
    int64_t ids[9];
    char letters[16];
    struct job claim;

    for (size_t i = 0; i < array_length(ids); i++) {
        struct job job = database_add_job(&database, keys[i % 3], "Hello.", NULL);

        ids[i] = job.id;
        job_release(&job);
        fake_clock_advance(&database.clock, 10);
    }
    for (size_t limit = 1; limit < 12; limit++) {
        list(NULL, 0, 0, limit, ids, 9, letters);
        cr_expect_str_eq(letters, "ihgfedcba", "%zu a page: %s", limit, letters);
        list(keys, 3, 1u << JOB_PENDING, limit, ids, 9, letters);
        cr_expect_str_eq(letters, "ihgfedcba", "%zu a page: %s", limit, letters);
        list(&keys[1], 1, 0, limit, ids, 9, letters);
        cr_expect_str_eq(letters, "heb", "%zu a page: %s", limit, letters);
    }
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_assert_eq(database_finish(&database, &claim, &outcome_failed), 0);
    job_release(&claim);
    list(keys, 3, 1u << JOB_FAILED, 2, ids, 9, letters);
    cr_expect_eq(strlen(letters), 1);
    list(keys, 3, 1u << JOB_FAILED | 1u << JOB_PENDING, 2, ids, 9, letters);
    cr_expect_str_eq(letters, "ihgfedcba");
}

Test(manage, walks_find_what_failed_and_what_ended_in_pieces)
{
    struct failed_walk failed = {.key = database.key, .until = INT64_MAX};
    struct ended_walk ended = {.until = INT64_MAX, .statuses = 1u << JOB_FAILED};
    struct job_place places[2];
    size_t count = 0, found = 0;
    bool more = true;

    for (int i = 0; i < 5; i++) {
        struct job job = database_end_job(&database, worker, database.key,
                                          i % 2 == 0 ? &outcome_failed : &outcome_completed);

        job_release(&job); /* all at one moment: their rows tell them apart */
    }
    do {
        cr_assert_eq(failed_walk_next(database.store, &failed, places, 2, &count, NULL), 0);
        found += count;
    } while (count > 0);
    cr_expect_eq(found, 3);
    found = 0;
    while (more) {
        cr_assert_eq(ended_walk_next(database.store, &ended, places, 2, &count, &more, NULL), 0);
        found += count;
    }
    cr_expect_eq(found, 3);
    failed = (struct failed_walk){.key = database.key, .until = INT64_MAX, .error_code = "another"};
    cr_assert_eq(failed_walk_next(database.store, &failed, places, 2, &count, NULL), 0);
    cr_expect_eq(count, 0);
}

static void note_miscount(void *context, const struct miscount *miscount)
{
    (void)miscount;
    ++*(int *)context;
}

Test(manage, counters_that_are_wrong_are_found_and_mended)
{
    struct job job = database_end_job(&database, worker, database.key, &outcome_completed);
    struct error err = {""};
    int wrong = 0;

    database_execute(&database, "UPDATE api_keys SET pending_jobs = 3, stored_bytes = 1;"
                                "UPDATE metrics SET value = 5 WHERE name = 'job_queue_length'");
    cr_assert_eq(counters_check(database.store, note_miscount, &wrong, &err), 0, "%s", err.text);
    cr_expect_eq(wrong, 3);
    cr_assert_eq(store_begin(database.store, "test", &err), 0);
    cr_assert_eq(counters_mend(database.store, note_miscount, &wrong, &err), 0, "%s", err.text);
    cr_assert_eq(store_commit(database.store, &err), 0);
    cr_expect_eq(wrong, 6);
    testcase_counters_are_right();
    job_release(&job);
}

Test(manage, audio_that_is_lost_is_marked_and_no_longer_counted)
{
    struct job job = database_end_job(&database, worker, database.key, &outcome_completed), seen[4];
    struct audio_walk walk = {0};
    struct error err = {""};
    size_t count = 0;

    cr_assert_eq(audio_walk_next(database.store, &walk, seen, 4, &count, &err), 0, "%s", err.text);
    cr_assert_eq(count, 1);
    cr_expect_str_eq(seen[0].job_id, job.job_id);
    cr_assert_eq(store_begin(database.store, "test", &err), 0);
    cr_assert_eq(audio_lost(database.store, &seen[0], &err), 0, "%s", err.text);
    cr_assert_eq(store_commit(database.store, &err), 0);
    job_release(&seen[0]);
    walk = (struct audio_walk){0};
    cr_assert_eq(audio_walk_next(database.store, &walk, seen, 4, &count, &err), 0, "%s", err.text);
    cr_expect_eq(count, 0);
    testcase_counters_are_right();
    job_release(&job);
}
