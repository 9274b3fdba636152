/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics change with what they count, and only with it. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "store/committer.h"
#include "store/gauges.h"
#include "store/retention.h"
#include "support/database.h"

#define RECEIVER_URL "http://127.0.0.1:9/x"

static struct database database;

static void setup(void)
{
    database_open(&database);
}

static void teardown(void)
{
    database_close(&database);
}

TestSuite(metrics, .init = setup, .fini = teardown);

static double value(enum metric metric)
{
    double values[METRIC_COUNT];
    struct error err = {""};

    cr_assert_eq(metrics_read(database.store, values, &err), 0, "%s", err.text);
    return values[metric];
}

/* The five of job_status_total, and job_queue_length. */
static void testcase_jobs(double pending, double processing, double done, double ended_badly,
                          double cancelled, double waiting)
{
    cr_assert_eq(value(METRIC_JOBS_PENDING), pending);
    cr_assert_eq(value(METRIC_JOBS_PROCESSING), processing);
    cr_assert_eq(value(METRIC_JOBS_COMPLETED), done);
    cr_assert_eq(value(METRIC_JOBS_FAILED), ended_badly);
    cr_assert_eq(value(METRIC_JOBS_CANCELLED), cancelled);
    cr_assert_eq(value(METRIC_QUEUE_LENGTH), waiting);
}

static void begin(void)
{
    struct error err = {""};

    cr_assert_eq(store_begin(database.store, "test", &err), 0, "%s", err.text);
}

static void commit(void)
{
    struct error err = {""};

    cr_assert_eq(store_commit(database.store, &err), 0, "%s", err.text);
}

static struct job claim_new(const char *webhook_url)
{
    cleanup(job_release) struct job job = database_add_job(&database, database.key, "Hello.", webhook_url);
    struct job claim = {0};

    cr_assert_eq(database_claim(&database, database_join(&database), &claim), 0);
    return claim;
}

/* ---- jobs ---- */

Test(metrics, all_are_there_and_zero_in_a_new_database)
{
    double values[METRIC_COUNT];

    cr_assert_eq(metrics_read(database.store, values, NULL), 0);
    for (int i = 0; i < METRIC_COUNT; i++)
        cr_assert_eq(values[i], 0.0);
}

Test(metrics, a_job_counts_in_each_status_that_it_enters)
{
    cleanup(job_release) struct job other = database_add_job(&database, database.key, "Wait.", NULL);
    struct job claim = {0}, asked = {0};
    int64_t worker = database_join(&database);

    testcase_jobs(1, 0, 0, 0, 0, 1);
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    testcase_jobs(1, 1, 0, 0, 0, 0);
    cr_assert_eq(database_finish(&database, &claim, &outcome_completed), 0);
    testcase_jobs(1, 1, 1, 0, 0, 0);
    job_release(&claim);

    claim = claim_new(NULL);
    cr_assert_eq(database_finish(&database, &claim, &outcome_failed), 0);
    testcase_jobs(2, 2, 1, 1, 0, 0);
    job_release(&claim);

    job_release(&other);
    other = database_add_job(&database, database.key, "Never mind.", NULL);
    begin();
    cr_assert_eq(job_cancel(database.store, database.key, other.job_id, &asked, NULL), 0);
    commit();
    testcase_jobs(3, 2, 1, 1, 1, 0);
    job_release(&asked);
}

Test(metrics, a_job_that_is_put_back_enters_pending_again)
{
    cleanup(job_release) struct job claim = claim_new(NULL);

    begin();
    cr_assert_eq(job_put_back(database.store, claim.id, claim.epoch, NULL, NULL), 0);
    commit();
    testcase_jobs(2, 1, 0, 0, 0, 1);
}

Test(metrics, a_job_that_is_taken_back_counts_as_such_and_its_stale_end_as_nothing)
{
    cleanup(job_release) struct job stale = claim_new(NULL);
    cleanup(job_release) struct job fresh = {0};
    struct job jobs[WORKER_TAKE_BACK_MAX];
    size_t count;
    bool gone;

    begin();
    cr_assert_eq(
        worker_take_back(database.store, &(struct take_back){.worker = 1}, jobs, &count, &gone, NULL), 0);
    commit();
    cr_assert_eq(count, 1);
    job_release(&jobs[0]);
    cr_assert_eq(value(METRIC_JOBS_TAKEN_BACK), 1.0);
    testcase_jobs(2, 1, 0, 0, 0, 1);

    cr_assert_eq(database_claim(&database, database_join(&database), &fresh), 0);
    cr_assert_eq(database_finish(&database, &stale, &outcome_completed), STORE_STALE);
    testcase_jobs(2, 2, 0, 0, 0, 0);
    cr_assert_eq(value(metric_sum(METRIC_DURATION)), 0.0);
    cr_assert_eq(database_finish(&database, &fresh, &outcome_completed), 0);
    testcase_jobs(2, 2, 1, 0, 0, 0);
}

/* ---- durations ---- */

static void finish_after(int64_t milliseconds, const struct job_outcome *outcome)
{
    cleanup(job_release) struct job claim = claim_new(NULL);

    fake_clock_advance(&database.clock, milliseconds);
    cr_assert_eq(database_finish(&database, &claim, outcome), 0);
}

Test(metrics, the_time_that_a_completed_job_took_falls_in_one_bucket)
{
    finish_after(50, &outcome_completed);
    finish_after(51, &outcome_completed);
    finish_after(100000000, &outcome_completed);
    finish_after(1000, &outcome_failed);
    cr_assert_eq(value(METRIC_DURATION), 1.0, "a bound is in its bucket");
    cr_assert_eq(value((enum metric)(METRIC_DURATION + 1)), 1.0);
    cr_assert_eq(value(metric_bucket(METRIC_DURATION, INT64_MAX)), 1.0);
    cr_assert_eq(value(metric_bucket(METRIC_DURATION, METRIC_MILLIONTHS)), 0.0,
                 "a job that failed has no duration");
    cr_assert_float_eq(value(metric_sum(METRIC_DURATION)), 100000.101, 1e-6);
}

Test(metrics, a_clock_that_is_set_back_makes_no_negative_duration)
{
    finish_after(-5000, &outcome_completed);
    cr_assert_eq(value(METRIC_DURATION), 1.0);
    cr_assert_eq(value(metric_sum(METRIC_DURATION)), 0.0);
}

Test(metrics, the_wait_for_the_first_claim_counts_and_no_later_one)
{
    cleanup(job_release) struct job job = database_add_job(&database, database.key, "Hello.", NULL);
    struct job claim = {0};
    int64_t worker = database_join(&database);

    fake_clock_advance(&database.clock, 700);
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    begin();
    cr_assert_eq(job_put_back(database.store, claim.id, claim.epoch, NULL, NULL), 0);
    commit();
    job_release(&claim);
    fake_clock_advance(&database.clock, 5000);
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    job_release(&claim);
    cr_assert_eq(value(metric_bucket(METRIC_WAIT, 700000)), 1.0);
    cr_assert_eq(value(metric_bucket(METRIC_WAIT, 5700000)), 0.0);
    cr_assert_float_eq(value(metric_sum(METRIC_WAIT)), 0.7, 1e-9);
}

Test(metrics, audio_is_that_of_jobs_that_completed)
{
    struct job_outcome outcome = outcome_completed;

    outcome.audio.samples = 24000;
    outcome.audio.sample_rate = 16000;
    finish_after(10, &outcome);
    finish_after(10, &outcome);
    finish_after(10, &outcome_failed);
    cr_assert_float_eq(value(METRIC_AUDIO_SECONDS), 3.0, 1e-9);
}

/* ---- the queue and workers ---- */

static int64_t oldest_pending(void)
{
    int64_t created_at = -1;

    cr_assert_eq(job_oldest_pending(database.store, &created_at, NULL), 0);
    return created_at;
}

Test(metrics, the_oldest_job_that_waits_is_found_among_those_of_all_keys)
{
    int64_t other = database_add_key(&database, 2);
    struct job first, second, claim = {0};

    cr_assert_eq(oldest_pending(), 0);
    first = database_add_job(&database, other, "first", NULL);
    fake_clock_advance(&database.clock, 1000);
    second = database_add_job(&database, database.key, "second", NULL);
    cr_assert_eq(oldest_pending(), first.created_at);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(database_claim(&database, database_join(&database), &claim), 0);
        cr_assert_eq(oldest_pending(), i == 1                 ? 0
                                       : claim.id == first.id ? second.created_at
                                                              : first.created_at);
        job_release(&claim);
    }
    job_release(&first);
    job_release(&second);
}

static void bury(struct take_back how)
{
    struct job jobs[WORKER_TAKE_BACK_MAX];
    size_t count = 0;
    bool gone;

    begin();
    cr_assert_eq(worker_take_back(database.store, &how, jobs, &count, &gone, NULL), 0);
    commit();
    cr_assert(gone);
    while (count > 0)
        job_release(&jobs[--count]);
}

Test(metrics, a_worker_that_leaves_has_lost_no_lease_and_one_that_is_buried_has)
{
    bury((struct take_back){.worker = database_join(&database)});
    for (int i = 0; i < LEASE_LOSSES; i++)
        cr_assert_eq(value((enum metric)(METRIC_LEASES_LOST + i)), 0.0);
    bury((struct take_back){.worker = database_join(&database), .is_lost = true, .loss = LEASE_HUNG});
    cr_assert_eq(value((enum metric)(METRIC_LEASES_LOST + LEASE_HUNG)), 1.0);
    cr_assert_eq(value((enum metric)(METRIC_LEASES_LOST + LEASE_PROCESS_ENDED)), 0.0);
}

/* ---- webhooks ---- */

static void attempt(const char *error_code, enum webhook_status status)
{
    const struct attempt_result result = {.error_code = error_code, .status = status, .next_attempt_at = 1};
    cleanup(webhook_release) struct webhook webhook = {0};
    int64_t number;

    fake_clock_advance(&database.clock, 60000);
    webhook = database_take_webhook(&database);
    number = database_begin_attempt(&database, webhook.webhook);
    database_end_attempt(&database, webhook.webhook, number, &result);
    begin();
    cr_assert_eq(webhook_attempt_end(database.store, webhook.webhook, number, &result, NULL), STORE_CONFLICT,
                 "an end comes once");
    commit();
}

Test(metrics, each_attempt_counts_by_its_result_and_as_a_retry_from_the_second_on)
{
    cleanup(job_release) struct job claim = claim_new(RECEIVER_URL);

    cr_assert_eq(database_finish(&database, &claim, &outcome_completed), 0);
    attempt("timeout", WEBHOOK_PENDING);
    cr_assert_eq(value(METRIC_RETRIES), 0.0);
    attempt("http_status", WEBHOOK_PENDING);
    attempt(NULL, WEBHOOK_DELIVERED);
    cr_assert_eq(value(METRIC_DELIVERIES_FAILED), 2.0);
    cr_assert_eq(value(METRIC_DELIVERIES_SUCCEEDED), 1.0);
    cr_assert_eq(value(METRIC_RETRIES), 2.0);
}

static int64_t longest_due(void)
{
    int64_t due_at = -1;

    cr_assert_eq(webhook_longest_due(database.store, &due_at, NULL), 0);
    return due_at;
}

Test(metrics, the_webhook_that_is_due_for_longest_is_found_until_its_attempt_begins)
{
    cleanup(job_release) struct job claim = claim_new(RECEIVER_URL);
    cleanup(webhook_release) struct webhook webhook = {0};

    cr_assert_eq(longest_due(), 0);
    cr_assert_eq(database_finish(&database, &claim, &outcome_completed), 0);
    cr_assert_eq(longest_due(), database.clock.wall_us / 1000);
    fake_clock_advance(&database.clock, 3000);
    cr_assert_eq(longest_due(), database.clock.wall_us / 1000 - 3000);
    webhook = database_take_webhook(&database);
    database_begin_attempt(&database, webhook.webhook);
    cr_assert_eq(longest_due(), 0);
}

static double delays(int64_t milliseconds)
{
    return value(metric_bucket(METRIC_DELIVERY_DELAY, milliseconds * 1000));
}

Test(metrics, the_way_to_the_receiver_is_measured_once_it_is_there)
{
    cleanup(job_release) struct job claim = claim_new(RECEIVER_URL);
    struct job job = {0};

    cr_assert_eq(database_finish(&database, &claim, &outcome_completed), 0);
    attempt("timeout", WEBHOOK_PENDING);
    cr_assert_eq(value(metric_sum(METRIC_DELIVERY_DELAY)), 0.0);
    attempt(NULL, WEBHOOK_DELIVERED);
    cr_assert_eq(delays(120000), 1.0, "two attempts of which each came a minute later");
    fake_clock_advance(&database.clock, 86400000);
    begin();
    cr_assert_eq(webhook_redeliver(database.store, database.key, claim.job_id, &job, NULL), 0);
    commit();
    job_release(&job);
    attempt(NULL, WEBHOOK_DELIVERED);
    cr_assert_eq(delays(60000), 1.0, "from when it was asked for once more");
    cr_assert_float_eq(value(metric_sum(METRIC_DELIVERY_DELAY)), 180.0, 1e-9);
}

/* ---- transactions ---- */

Test(metrics, what_is_rolled_back_was_never_counted)
{
    cleanup(job_release) struct job claim = claim_new(RECEIVER_URL);
    cleanup(job_release) struct job other = {0};

    begin();
    metric_add(database.store, METRIC_ENGINE_CHARACTERS, 6);
    cr_assert_eq(job_finish(database.store, claim.id, claim.epoch, &outcome_completed, NULL), 0);
    store_rollback(database.store);
    testcase_jobs(1, 1, 0, 0, 0, 0);
    cr_assert_eq(value(METRIC_ENGINE_CHARACTERS), 0.0);
    cr_assert_eq(value(METRIC_DURATION), 0.0);

    other = database_add_job(&database, database.key, "Hello.", NULL);
    testcase_jobs(2, 1, 0, 0, 0, 1);
}

Test(metrics, what_is_not_committed_is_not_seen_by_others)
{
    struct store *reader = NULL;
    double values[METRIC_COUNT];

    cr_assert_eq(store_open(&database.options, &reader, NULL), 0);
    begin();
    metric_add(database.store, METRIC_ENGINE_CHARACTERS, 6);
    cr_assert_eq(metrics_read(reader, values, NULL), 0);
    cr_assert_eq(values[METRIC_ENGINE_CHARACTERS], 0.0);
    commit();
    cr_assert_eq(metrics_read(reader, values, NULL), 0);
    cr_assert_eq(values[METRIC_ENGINE_CHARACTERS], 6.0);
    store_close(reader);
}

/* Works of one group: the second fails whenever it runs. */
struct counted_work {
    struct commit_work work;
    bool fails;
};

static int run_counted(struct commit_work *work, struct store *store, struct error *err)
{
    metric_add(store, METRIC_ENGINE_CHARACTERS, 10);
    return container_of(work, struct counted_work, work)->fails ? error_set(err, -EIO, "it fails") : 0;
}

static void ignore(struct commit_work *work)
{
    (void)work;
}

Test(metrics, a_work_of_a_group_counts_once_though_another_failed_and_the_group_ran_anew)
{
    struct committer *committer;
    struct counted_work works[3] = {{.fails = false}, {.fails = true}, {.fails = false}};

    cr_assert_eq(committer_start(&database.options, "test", 10, &committer, NULL), 0);
    begin(); /* holds the committer up until all of them wait; the first may be taken by itself */
    for (size_t i = 0; i < array_length(works); i++) {
        works[i].work = (struct commit_work){.run = run_counted, .done = ignore};
        cr_assert_eq(committer_post(committer, &works[i].work), 0);
    }
    commit();
    committer_stop(committer);
    cr_assert_eq(works[1].work.result, -EIO);
    cr_assert_eq(value(METRIC_ENGINE_CHARACTERS), 20.0);
}

/* ---- what a process counts by itself ---- */

static struct committer *start_committer(const char *who)
{
    struct committer *committer;
    struct error err = {""};

    cr_assert_eq(committer_start(&database.options, who, 10, &committer, &err), 0, "%s", err.text);
    return committer;
}

static void count_request(struct committer *committer)
{
    tally_add(committer_tally(committer), metric_http_requests(HTTP_HEALTHZ, 200), METRIC_MILLIONTHS);
}

static double requests(void)
{
    return value(metric_http_requests(HTTP_HEALTHZ, 200));
}

/* A write that is nobody's. */
static void write_something(struct committer *committer)
{
    struct counted_work counted = {.work = {.run = run_counted}};

    cr_assert_eq(committer_call(committer, &counted.work, NULL), 0);
}

static const int64_t patience_ms = 60000;

Test(metrics, what_processes_count_adds_up_in_the_table)
{
    struct committer *first = start_committer("sayhook-api"), *second = start_committer("sayhook-api");

    for (int i = 0; i < 3; i++)
        count_request(first);
    count_request(second);
    cr_assert_eq(requests(), 0.0, "a request costs no commit");
    cr_assert(committer_flush(first, patience_ms));
    cr_assert_eq(requests(), 3.0);
    cr_assert(committer_flush(second, patience_ms));
    cr_assert_eq(requests(), 4.0);
    count_request(first);
    committer_stop(first);
    committer_stop(second);
    cr_assert_eq(requests(), 5.0, "a clean stop loses nothing");
}

Test(metrics, what_a_process_counts_goes_along_with_a_commit_every_few_seconds)
{
    struct committer *committer = start_committer("sayhook-api");

    count_request(committer);
    write_something(committer);
    cr_assert_eq(requests(), 0.0);
    fake_clock_advance(&database.clock, COMMITTER_TALLY_MS);
    write_something(committer);
    cr_assert_eq(requests(), 1.0);
    committer_stop(committer);
}

Test(metrics, what_could_not_be_committed_is_kept_for_the_next_time)
{
    struct committer *committer = start_committer("sayhook-api");

    count_request(committer);
    database_execute(&database,
                     "CREATE TRIGGER t BEFORE INSERT ON metrics BEGIN SELECT raise(ABORT, 'full'); END");
    cr_assert_not(committer_flush(committer, patience_ms));
    count_request(committer);
    database_execute(&database, "DROP TRIGGER t");
    cr_assert(committer_flush(committer, patience_ms));
    cr_assert_eq(requests(), 2.0);
    committer_stop(committer);
}

static double count_of(enum metric histogram)
{
    double count = 0;

    for (enum metric bucket = histogram; bucket < metric_sum(histogram); bucket++)
        count += value(bucket);
    return count;
}

Test(metrics, commits_are_counted_by_their_works_and_those_that_write_nothing_of_theirs_are_not)
{
    struct committer *committer = start_committer("sayhook-worker");
    struct counted_work works[5] = {0};
    enum metric batch = metric_commit_batch("sayhook-worker");
    double commits;

    begin(); /* holds the committer up until all of them wait; the first few may be taken by themselves */
    for (size_t i = 0; i < array_length(works); i++) {
        works[i].work = (struct commit_work){.run = run_counted, .done = ignore};
        cr_assert_eq(committer_post(committer, &works[i].work), 0);
    }
    commit();
    write_something(committer); /* may still be in one group with them */
    write_something(committer);
    cr_assert(committer_flush(committer, patience_ms));
    cr_assert_eq(value(metric_sum(batch)), 7.0);
    commits = count_of(batch);
    cr_assert(commits >= 2.0 && commits <= 7.0, "%g", commits);
    cr_assert_eq(count_of(metric_commit_duration("sayhook-worker")), commits);
    for (int i = 0; i < 3; i++) {
        count_request(committer);
        cr_assert(committer_flush(committer, patience_ms));
    }
    cr_assert_eq(count_of(batch), commits, "what puts counts away is not counted itself");
    cr_assert_eq(count_of(metric_commit_batch("sayhook-api")), 0.0);
    committer_stop(committer);
}

Test(metrics, a_restart_and_retention_take_nothing_away)
{
    struct retention_cursor cursor = {0};
    struct retention_batch batch = {.count = 0};
    struct retention_times until;
    struct error err = {""};

    finish_after(200, &outcome_completed);
    fake_clock_advance(&database.clock, 3 * REPEATABLE_KEPT_MS);
    until.audio = until.jobs = until.deliveries = database.clock.wall_us / 1000;
    begin();
    cr_assert_eq(retention_remove(database.store, &until, &cursor, &batch, &err), 0, "%s", err.text);
    commit();
    retention_batch_release(&batch);
    cr_assert_eq(database_count(&database, "SELECT count(*) FROM jobs"), 0);
    store_close(database.store);
    cr_assert_eq(store_open(&database.options, &database.store, &err), 0, "%s", err.text);
    testcase_jobs(1, 1, 1, 0, 0, 0);
    cr_assert_eq(value(metric_bucket(METRIC_DURATION, METRIC_MILLIONTHS / 5)), 1.0);
}
