/* SPDX-License-Identifier: Apache-2.0 */
/* From a job's creation to its verified delivery: the real store, committer, dispatcher and sockets. */
#include "webhook/dispatcher.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/repeat.h"
#include "net/url.h"
#include "store/outbox.h"
#include "support/database.h"
#include "support/receiver.h"
#include "webhook/recovery.h"
#include "webhook/report.h"
#include "webhook/schedule.h"
#include "webhook/signature.h"

/* Of the fixture's API key. */
static const char secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/* Long enough for the slowest machine; no test waits for it unless it fails. */
#define PATIENCE_MS 30000

static struct database database;
static struct committer *committer;
static struct dispatcher *dispatcher;
static struct receiver *receiver;
static struct settings settings;
static int64_t worker;

static void set_list(struct string_list *list, const char *item)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    list->count = item != NULL;
    list->items[0] = item != NULL ? strdup(item) : NULL;
}

static void set_schedule(size_t count, const int64_t *delays_ms)
{
    settings.webhook_retry_schedule.count = count;
    memcpy(settings.webhook_retry_schedule.items_ms, delays_ms, count * sizeof *delays_ms);
}

static void setup(void)
{
    static const struct receiver_answer fine = {.status = 200, .body = "thank you"};
    struct error err = {""};

    database_open(&database);
    worker = database_join(&database);
    cr_assert_eq(committer_start(&database.options, "test", 1000, &committer, &err), 0, "%s", err.text);
    cr_assert_eq(settings_load(NULL, &settings, &err), 0, "%s", err.text);
    settings.webhook_allow_http = true;
    settings.webhook_timeout = 20000;
    set_list(&settings.webhook_allow_cidrs, "127.0.0.0/8");
    set_list(&settings.webhook_ports, "all");
    set_schedule(3, (int64_t[]){0, 0, 0});
    receiver = receiver_start(&fine, 1);
}

static void teardown(void)
{
    dispatcher = dispatcher_stop(dispatcher);
    committer = committer_stop(committer);
    receiver = receiver_stop(receiver);
    settings_release(&settings);
    database_close(&database);
}

TestSuite(webhooks, .init = setup, .fini = teardown);

static void start_dispatcher_with(const struct clock *clock, report_log *log)
{
    const struct dispatcher_options options = {&settings, &database.options, committer, clock, log};
    struct error err = {""};

    cr_assert_eq(dispatcher_start(&options, &dispatcher, &err), 0, "%s", err.text);
}

static void start_dispatcher(void)
{
    start_dispatcher_with(&database.clock.clock, NULL);
}

static void create_job(const char *url, char ret_job_id[JOB_ID_SIZE])
{
    const struct job_request request = {
        .key = database.key,
        .request_id = "req-1",
        .text = "Hello.",
        .text_bytes = 6,
        .characters = 6,
        .language = "english",
        .voice = "slt",
        .speed = 1.0,
        .pitch = 1.0,
        .webhook_url = url,
    };
    struct key_standing standing;
    struct job_request addressed = request;
    cleanup(job_release) struct job job = {0};
    struct url parsed;

    cr_assert_eq(url_parse(url, &parsed, NULL), 0);
    addressed.receiver = parsed.receiver;
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(job_create(database.store, &addressed, &job, &standing, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    memcpy(ret_job_id, job.job_id, JOB_ID_SIZE);
}

/* Creates a job, claims it and completes it, which makes its webhook due. */
static void complete_job(const char *url, char ret_job_id[JOB_ID_SIZE])
{
    const struct job_outcome outcome = {
        .status = JOB_COMPLETED,
        .audio = {.bytes = 1044, .samples = 500, .sample_rate = 16000, .sha256 = "abc"},
        .error_start = -1,
        .error_end = -1};
    cleanup(job_release) struct job claim = {0};

    create_job(url, ret_job_id);
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_assert_str_eq(claim.job_id, ret_job_id);
    cr_assert_eq(database_finish(&database, &claim, &outcome), 0);
}

static struct job get_job(const char *job_id)
{
    struct job job = {0};

    cr_assert_eq(job_get(database.store, database.key, job_id, &job, NULL), 0);
    return job;
}

/* Waits until the job's webhook is settled or has made that many attempts; the caller releases the job. */
static struct job wait_for_webhook(const char *job_id, int64_t attempts)
{
    const struct timespec pause = {.tv_nsec = 2000000};

    for (int waited = 0;; waited += 2) {
        struct job job = get_job(job_id);

        if (job.webhook_status == WEBHOOK_DELIVERED || job.webhook_status == WEBHOOK_FAILED ||
            (attempts > 0 && job.webhook_attempts >= attempts && job.webhook_next_attempt_at != 0))
            return job;
        job_release(&job);
        cr_assert_lt(waited, PATIENCE_MS, "the webhook was not settled");
        nanosleep(&pause, NULL);
    }
}

/* Waits until so many attempts were made and the next is planned. */
static void wait_for_plan(const char *job_id, int64_t attempts)
{
    cleanup(job_release) struct job job = wait_for_webhook(job_id, attempts);

    cr_assert_eq(job.webhook_attempts, attempts);
}

static void testcase_settled(const char *job_id, enum webhook_status status, int64_t attempts,
                             const char *error)
{
    cleanup(job_release) struct job job = wait_for_webhook(job_id, 0);

    cr_expect_eq(job.webhook_status, status, "%s", job.webhook_last_error);
    cr_expect_eq(job.webhook_attempts, attempts, "%lld attempts", (long long)job.webhook_attempts);
    if (error != NULL)
        cr_expect_str_eq(job.webhook_last_error, error);
    else
        cr_expect_null(job.webhook_last_error);
}

static void header(const struct received *received, const char *name, char ret_value[256])
{
    cr_assert(received_header(received, name, ret_value, 256), "%s is missing", name);
}

static void testcase_verified(const struct received *received)
{
    char plain[256], plain_timestamp[256], webhook_id[256], timestamp[256], standard[256];
    const struct signature_claim claim = {plain, plain_timestamp, webhook_id, timestamp, standard};
    struct signature_verdict verdict = {false};

    header(received, "X-Webhook-Signature", plain);
    header(received, "X-Webhook-Timestamp", plain_timestamp);
    header(received, "webhook-id", webhook_id);
    header(received, "webhook-timestamp", timestamp);
    header(received, "webhook-signature", standard);
    cr_assert_eq(signature_verify(&claim, received->body, received->body_size, secret,
                                  clock_wall_ms(&database.clock.clock) / 1000, &verdict, NULL),
                 0);
    cr_expect(verdict.plain_valid);
    cr_expect(verdict.standard_valid);
    cr_expect(verdict.timestamp_fresh);
    cr_expect_eq(strncmp(webhook_id, WEBHOOK_ID_PREFIX, sizeof WEBHOOK_ID_PREFIX - 1), 0);
}

struct deliveries {
    struct delivery *rows;
    size_t count;
};

static void release_deliveries(struct deliveries *deliveries)
{
    deliveries_free(deliveries->rows, deliveries->count);
}

static struct deliveries list(const char *job_id)
{
    struct deliveries deliveries = {0};

    cr_assert_eq(
        delivery_list(database.store, database.key, job_id, &deliveries.rows, &deliveries.count, NULL), 0);
    return deliveries;
}

Test(webhooks, a_completed_job_is_delivered_and_verified)
{
    char job_id[JOB_ID_SIZE];
    const struct received *received;

    start_dispatcher();
    complete_job(receiver_url(receiver), job_id);
    dispatcher_wake(dispatcher);
    testcase_settled(job_id, WEBHOOK_DELIVERED, 1, NULL);
    cr_assert_eq(receiver_wait(receiver, 1, 0), 1);
    received = receiver_request(receiver, 0);
    testcase_verified(received);
    cr_expect_not_null(strstr(received->body, "\"job.completed\""));
    cr_expect_not_null(strstr(received->body, job_id));

    cleanup(release_deliveries) struct deliveries deliveries = list(job_id);
    cr_assert_eq(deliveries.count, 1);
    cr_expect_eq(deliveries.rows[0].attempt, 1);
    cr_expect_eq(deliveries.rows[0].event, EVENT_JOB_COMPLETED);
    cr_expect_eq(deliveries.rows[0].status_code, 200);
    cr_expect_geq(deliveries.rows[0].duration_ms, 0);
    cr_expect_null(deliveries.rows[0].error_code);
    cr_expect_str_eq(deliveries.rows[0].response_excerpt, "thank you");
    cr_expect_eq(deliveries.rows[0].next_attempt_at, 0);
}

Test(webhooks, an_event_of_another_process_is_found_without_a_wake)
{
    char job_id[JOB_ID_SIZE];

    start_dispatcher();
    complete_job(receiver_url(receiver), job_id);
    testcase_settled(job_id, WEBHOOK_DELIVERED, 1, NULL);
}

Test(webhooks, a_cancelled_job_is_told_too)
{
    cleanup(job_release) struct job job = {0};
    char job_id[JOB_ID_SIZE];

    create_job(receiver_url(receiver), job_id);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(job_cancel(database.store, database.key, job_id, &job, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    start_dispatcher();
    testcase_settled(job_id, WEBHOOK_DELIVERED, 1, NULL);
    cr_expect_not_null(strstr(receiver_request(receiver, 0)->body, "\"job.cancelled\""));
}

Test(webhooks, is_tried_again_under_the_same_id_until_it_succeeds)
{
    /* The reset comes first, on a new connection: on a kept one libcurl would send again within the attempt.
     */
    static const struct receiver_answer answers[] = {
        {.conduct = RECEIVER_RESETS}, {.status = 500, .body = "not\nnow"}, {.status = 204}};
    char job_id[JOB_ID_SIZE], first[256], last[256];

    receiver_script(receiver, answers, array_length(answers));
    start_dispatcher();
    complete_job(receiver_url(receiver), job_id);
    testcase_settled(job_id, WEBHOOK_DELIVERED, 3, NULL);
    cr_assert_eq(receiver_wait(receiver, 3, 0), 3);
    header(receiver_request(receiver, 0), "webhook-id", first);
    header(receiver_request(receiver, 2), "webhook-id", last);
    cr_expect_str_eq(first, last);
    cr_expect_str_eq(receiver_request(receiver, 0)->body, receiver_request(receiver, 2)->body);
    testcase_verified(receiver_request(receiver, 2));

    cleanup(release_deliveries) struct deliveries deliveries = list(job_id);
    cr_assert_eq(deliveries.count, 3);
    cr_expect_str_eq(deliveries.rows[1].error_code, "http_status");
    cr_expect_eq(deliveries.rows[1].status_code, 500);
    cr_expect_str_eq(deliveries.rows[1].response_excerpt, "not now");
    cr_expect_eq(deliveries.rows[0].next_attempt_at, clock_wall_ms(&database.clock.clock));
    cr_expect_str_eq(deliveries.rows[0].error_code, "connection_reset");
    cr_expect_eq(deliveries.rows[0].status_code, 0);
    cr_expect_null(deliveries.rows[0].response_excerpt);
    cr_expect_null(deliveries.rows[2].error_code);
    cr_expect_eq(deliveries.rows[2].status_code, 204);
    cr_expect_str_eq(deliveries.rows[0].webhook_id, first);
    cr_expect_str_eq(deliveries.rows[2].webhook_id, first);
}

Test(webhooks, fails_when_the_schedule_is_exhausted)
{
    static const struct receiver_answer wrong = {.status = 503};
    char job_id[JOB_ID_SIZE];

    receiver_script(receiver, &wrong, 1);
    start_dispatcher();
    complete_job(receiver_url(receiver), job_id);
    testcase_settled(job_id, WEBHOOK_FAILED, 3, "http_status");
    cr_expect_eq(receiver_wait(receiver, 3, 0), 3);
}

Test(webhooks, a_receiver_that_is_gone_is_not_tried_again)
{
    static const struct receiver_answer gone = {.status = 410};
    char job_id[JOB_ID_SIZE];

    receiver_script(receiver, &gone, 1);
    start_dispatcher();
    complete_job(receiver_url(receiver), job_id);
    testcase_settled(job_id, WEBHOOK_FAILED, 1, "http_status");
}

/* Of a receiver that was asked once, for first, and wants a minute's pause; other is elsewhere. */
static void testcase_pause_holds(struct receiver *other, const char *first, const char *second)
{
    char elsewhere[JOB_ID_SIZE];

    complete_job(receiver_url(other), elsewhere);
    testcase_settled(elsewhere, WEBHOOK_DELIVERED, 1, NULL);
    cr_expect_eq(receiver_wait(receiver, 2, 0), 1, "nothing goes to it during its pause");
    fake_clock_advance(&database.clock, 61000);
    testcase_settled(first, WEBHOOK_DELIVERED, 2, NULL);
    testcase_settled(second, WEBHOOK_DELIVERED, 1, NULL);
    receiver_stop(other);
}

static void testcase_paused(const char *headers)
{
    const struct receiver_answer answers[] = {{.status = 503, .headers = headers}, {.status = 204}};
    char first[JOB_ID_SIZE], second[JOB_ID_SIZE];
    struct receiver *other = receiver_start(&answers[1], 1);
    cleanup(job_release) struct job job = {0};

    receiver_script(receiver, answers, array_length(answers));
    start_dispatcher();
    complete_job(receiver_url(receiver), first);
    job = wait_for_webhook(first, 1);
    cr_expect_eq(job.webhook_next_attempt_at, clock_wall_ms(&database.clock.clock),
                 "the pause is the receiver's, not the webhook's");
    complete_job(receiver_url(receiver), second);
    testcase_pause_holds(other, first, second);
}

Test(webhooks, a_receiver_may_ask_for_a_pause_in_seconds)
{
    testcase_paused("Retry-After: 60\r\n");
}

Test(webhooks, a_receiver_may_ask_for_a_pause_by_a_date)
{
    time_t until = time(NULL) + 60;
    char header[64];
    struct tm parts;

    strftime(header, sizeof header, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&until, &parts));
    testcase_paused(header);
}

static sem_t held;
static atomic_bool was_held;

static int wait_until_released(struct commit_work *work, struct store *store, struct error *err)
{
    (void)work;
    (void)store;
    (void)err;
    while (sem_wait(&held) < 0)
        ;
    sem_post(&held); /* it may run again */
    return 0;
}

static void ignore(struct commit_work *work)
{
    (void)work;
}

/* Once: what is posted from now on is committed together, when the test says so, and more is due by then. */
static void hold_committer(void *context)
{
    static struct commit_work work = {.run = wait_until_released, .done = ignore};

    if (atomic_exchange(&was_held, true))
        return;
    fake_clock_advance(&database.clock, 5000);
    cr_assert_eq(committer_post(context, &work), 0);
}

/* The dispatcher's thread stands where it next asks for the time. */
static atomic_bool stands;

static void stand(void)
{
    while (atomic_load(&stands))
        poll(NULL, 0, 1);
}

static int64_t wall_us(const struct clock *clock)
{
    (void)clock;
    stand();
    return database.clock.wall_us;
}

static int64_t monotonic_us(const struct clock *clock)
{
    (void)clock;
    stand();
    return database.clock.monotonic_us;
}

/* What the committer has in hand is committed, and the dispatcher hears of all of it at once. */
static void release_committer(const char *job_id)
{
    atomic_store(&stands, true);
    poll(NULL, 0, 100);
    sem_post(&held);
    wait_for_plan(job_id, 1);
    poll(NULL, 0, 100);
    atomic_store(&stands, false);
}

Test(webhooks, what_was_recorded_just_before_a_receiver_asks_for_a_pause_waits_for_its_end_too)
{
    static const struct receiver_answer answers[] = {{.status = 503, .headers = "Retry-After: 60\r\n"},
                                                     {.status = 204}};
    static const struct clock clock = {.wall_us = wall_us, .monotonic_us = monotonic_us};
    char first[JOB_ID_SIZE], second[JOB_ID_SIZE];
    struct receiver *other = receiver_start(&answers[1], 1);

    sem_init(&held, 0, 0);
    committer_on_commit(committer, hold_committer, committer);
    receiver_script(receiver, answers, array_length(answers));
    complete_job(receiver_url(receiver), first);
    fake_clock_advance(&database.clock, 5000);
    complete_job(receiver_url(receiver), second);
    fake_clock_advance(&database.clock, -5000); /* it becomes due once the first attempt is recorded */
    start_dispatcher_with(&clock, NULL);
    cr_assert_eq(receiver_wait(receiver, 1, PATIENCE_MS), 1);
    poll(NULL, 0, 100); /* the second attempt's beginning and the answer wait for the same commit */
    release_committer(first);
    testcase_pause_holds(other, first, second);
}

Test(webhooks, a_pause_survives_its_sender)
{
    static const struct receiver_answer answers[] = {{.status = 503, .headers = "Retry-After: 60\r\n"},
                                                     {.status = 204}};
    char job_id[JOB_ID_SIZE], elsewhere[JOB_ID_SIZE];
    struct receiver *other = receiver_start(&answers[1], 1);
    cleanup(job_release) struct job job = {0};

    receiver_script(receiver, answers, array_length(answers));
    start_dispatcher();
    complete_job(receiver_url(receiver), job_id);
    job = wait_for_webhook(job_id, 1);
    dispatcher = dispatcher_stop(dispatcher);
    start_dispatcher();
    complete_job(receiver_url(other), elsewhere);
    testcase_settled(elsewhere, WEBHOOK_DELIVERED, 1, NULL);
    cr_expect_eq(receiver_wait(receiver, 2, 0), 1);
    fake_clock_advance(&database.clock, 61000);
    testcase_settled(job_id, WEBHOOK_DELIVERED, 2, NULL);
    receiver_stop(other);
}

/* So many in a row that it is tried by one at a time. */
#define FAILURES 5

Test(webhooks, a_receiver_that_keeps_failing_is_tried_by_one_before_the_rest_follow)
{
    static const struct receiver_answer wrong = {.status = 500}, hangs = {.conduct = RECEIVER_HANGS},
                                        fine = {.status = 204};
    char job_ids[FAILURES][JOB_ID_SIZE], elsewhere[JOB_ID_SIZE];
    struct receiver *other = receiver_start(&fine, 1);

    settings.webhook_timeout = 4000;
    set_schedule(2, (int64_t[]){0, 60000});
    receiver_script(receiver, &wrong, 1);
    start_dispatcher();
    for (int i = 0; i < FAILURES; i++) {
        complete_job(receiver_url(receiver), job_ids[i]);
        cleanup(job_release) struct job job = wait_for_webhook(job_ids[i], 1);
    }
    receiver_script(receiver, &hangs, 1);
    for (int i = 0; i < FAILURES; i++)
        complete_job(receiver_url(receiver), job_ids[i]);
    cr_assert_eq(receiver_wait(receiver, FAILURES + 1, PATIENCE_MS), FAILURES + 1);
    complete_job(receiver_url(other), elsewhere);
    testcase_settled(elsewhere, WEBHOOK_DELIVERED, 1, NULL);
    cr_expect_eq(receiver_wait(receiver, FAILURES + 2, 0), FAILURES + 1, "the rest wait for the first");
    receiver_script(receiver, &fine, 1);
    for (int i = 1; i < FAILURES; i++)
        testcase_settled(job_ids[i], WEBHOOK_DELIVERED, 1, NULL);
    receiver_stop(other);
}

static void fail_in_a_row(int count)
{
    static const struct receiver_answer wrong = {.status = 500};
    char job_id[JOB_ID_SIZE];

    receiver_script(receiver, &wrong, 1);
    for (int i = 0; i < count; i++) {
        complete_job(receiver_url(receiver), job_id);
        wait_for_plan(job_id, 1);
    }
}

Test(webhooks, one_that_keeps_failing_is_tried_by_one_at_a_time_by_the_next_sender_too)
{
    static const struct receiver_answer hangs = {.conduct = RECEIVER_HANGS}, fine = {.status = 204};
    char job_id[JOB_ID_SIZE], elsewhere[JOB_ID_SIZE];
    struct receiver *other = receiver_start(&fine, 1);

    settings.webhook_timeout = 4000;
    set_schedule(2, (int64_t[]){0, 60000});
    start_dispatcher();
    fail_in_a_row(FAILURES);
    dispatcher = dispatcher_stop(dispatcher);
    receiver_script(receiver, &hangs, 1);
    for (int i = 0; i < FAILURES; i++)
        complete_job(receiver_url(receiver), job_id);
    start_dispatcher();
    cr_assert_eq(receiver_wait(receiver, FAILURES + 1, PATIENCE_MS), FAILURES + 1);
    complete_job(receiver_url(other), elsewhere);
    testcase_settled(elsewhere, WEBHOOK_DELIVERED, 1, NULL);
    cr_expect_eq(receiver_wait(receiver, FAILURES + 2, 0), FAILURES + 1, "the rest wait for the first");
    receiver_stop(other);
}

Test(webhooks, the_pause_of_a_receiver_that_is_down_is_in_the_database)
{
    cleanup(outbox_entry_release) struct outbox_entry entry = {0};
    char job_id[JOB_ID_SIZE];
    int64_t now;

    set_schedule(2, (int64_t[]){0, 600000});
    start_dispatcher();
    fail_in_a_row(FAILURES);
    fake_clock_advance(&database.clock, 100000);
    complete_job(receiver_url(receiver), job_id);
    wait_for_plan(job_id, 1);
    now = clock_wall_ms(&database.clock.clock);
    cr_assert_eq(outbox_find(database.store, job_id, &entry, NULL), 0);
    cr_expect_eq(entry.paused_until, now + 10000, "a tenth of the time for which it has failed");
    complete_job(receiver_url(receiver), job_id);
    fake_clock_advance(&database.clock, 10000);
    wait_for_plan(job_id, 1);
}

Test(webhooks, what_the_database_has_forgotten_of_a_receiver_is_written_again)
{
    char job_id[JOB_ID_SIZE];

    start_dispatcher();
    complete_job(receiver_url(receiver), job_id);
    testcase_settled(job_id, WEBHOOK_DELIVERED, 1, NULL);
    database_execute(&database, "DELETE FROM receivers");
    complete_job(receiver_url(receiver), job_id);
    testcase_settled(job_id, WEBHOOK_DELIVERED, 1, NULL);
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM receivers WHERE class = 0"), 1,
                 "it is one that works");
}

/* Its length is 67 seconds and the time of two attempts. */
Test(webhooks, what_a_dead_receiver_was_owed_for_as_long_as_the_schedule_lasts_is_given_up)
{
    static const struct receiver_answer wrong = {.status = 500};
    char job_ids[FAILURES + 1][JOB_ID_SIZE], young[JOB_ID_SIZE];
    int64_t attempts = 0;

    set_schedule(2, (int64_t[]){0, 60000});
    receiver_script(receiver, &wrong, 1);
    start_dispatcher();
    for (int i = 0; i <= FAILURES; i++) {
        complete_job(receiver_url(receiver), job_ids[i]);
        wait_for_plan(job_ids[i], 1);
    }
    fake_clock_advance(&database.clock, 200000);
    complete_job(receiver_url(receiver), young);
    for (int i = 0; i <= FAILURES; i++) {
        cleanup(job_release) struct job job = wait_for_webhook(job_ids[i], 0);

        cr_expect_eq(job.webhook_status, WEBHOOK_FAILED);
        cr_expect_str_eq(job.webhook_last_error, "http_status");
        attempts += job.webhook_attempts;
    }
    cr_expect_eq(attempts, FAILURES + 2, "one more showed that it still fails");
    cleanup(job_release) struct job job = get_job(young);
    cr_expect_eq(job.webhook_status, WEBHOOK_PENDING);
    cr_expect_eq(job.webhook_attempts, 0, "it waits for the end of the pause");
}

static int64_t paused_until(const char *job_id)
{
    cleanup(outbox_entry_release) struct outbox_entry entry = {0};

    cr_assert_eq(outbox_find(database.store, job_id, &entry, NULL), 0);
    return entry.paused_until;
}

Test(webhooks, a_backlog_ends_however_often_the_sender_of_a_dead_receiver_is_restarted)
{
    char job_ids[20][JOB_ID_SIZE];
    const char *last = job_ids[array_length(job_ids) - 1];
    size_t probes;

    set_schedule(2, (int64_t[]){0, 60000});
    start_dispatcher();
    fail_in_a_row(FAILURES);
    fake_clock_advance(&database.clock, 100000);
    for (size_t i = 0; i < array_length(job_ids); i++)
        complete_job(receiver_url(receiver), job_ids[i]);
    for (probes = FAILURES + 1; probes < FAILURES + 10; probes++) {
        cr_assert_eq(receiver_wait(receiver, probes, PATIENCE_MS), probes);
        dispatcher = dispatcher_stop(dispatcher);
        fake_clock_advance(&database.clock, paused_until(last) - clock_wall_ms(&database.clock.clock));
        start_dispatcher();
    }
    cleanup(job_release) struct job job = wait_for_webhook(last, 0);
    cr_expect_eq(job.webhook_status, WEBHOOK_FAILED);
    cr_expect_eq(job.webhook_attempts, 0, "there were fewer probes than webhooks");
}

Test(webhooks, those_that_are_due_longest_go_first_however_many_are_recorded_ahead)
{
    char first[JOB_ID_SIZE], job_ids[20][JOB_ID_SIZE];

    settings.webhook_max_per_receiver = 1;
    start_dispatcher();
    complete_job(receiver_url(receiver), first);
    testcase_settled(first, WEBHOOK_DELIVERED, 1,
                     NULL); /* it works: more are recorded than sent from now on */
    for (size_t i = 0; i < array_length(job_ids); i++) {
        fake_clock_advance(&database.clock, 1);
        complete_job(receiver_url(receiver), job_ids[i]);
    }
    dispatcher_wake(dispatcher);
    for (size_t i = 0; i < array_length(job_ids); i++) {
        testcase_settled(job_ids[i], WEBHOOK_DELIVERED, 1, NULL);
        cr_expect_not_null(strstr(receiver_request(receiver, i + 1)->body, job_ids[i]), "number %zu", i);
    }
}

#define HANGING 12

Test(webhooks, many_receivers_that_hang_leave_places_to_one_that_works)
{
    static const struct receiver_answer hangs = {.conduct = RECEIVER_HANGS};
    struct receiver *hanging[HANGING];
    char proof[JOB_ID_SIZE], job_ids[HANGING][2][JOB_ID_SIZE], healthy[JOB_ID_SIZE];

    settings.webhook_max_in_flight = 8;
    settings.webhook_timeout = 6000;
    set_schedule(2, (int64_t[]){0, 60000});
    start_dispatcher();
    complete_job(receiver_url(receiver), proof);
    testcase_settled(proof, WEBHOOK_DELIVERED, 1, NULL);
    for (int i = 0; i < HANGING; i++) {
        hanging[i] = receiver_start(&hangs, 1);
        for (int j = 0; j < 2; j++)
            complete_job(receiver_url(hanging[i]), job_ids[i][j]);
    }
    dispatcher_wake(dispatcher);
    complete_job(receiver_url(receiver), healthy);
    testcase_settled(healthy, WEBHOOK_DELIVERED, 1, NULL);
    for (int i = 0; i < HANGING; i++) {
        for (int j = 0; j < 2; j++) {
            cleanup(job_release) struct job job = get_job(job_ids[i][j]);

            cr_expect_null(job.webhook_last_error, "it did not wait for those that hang to time out");
        }
        receiver_stop(hanging[i]);
    }
}

Test(webhooks, what_was_recorded_ahead_and_not_sent_is_no_attempt)
{
    static const struct receiver_answer hangs = {.conduct = RECEIVER_HANGS}, fine = {.status = 204};
    const struct timespec pause = {.tv_nsec = 2000000};
    char proof[JOB_ID_SIZE], slow[JOB_ID_SIZE], waiting[JOB_ID_SIZE];
    bool begun = false;

    settings.webhook_max_per_receiver = 1;
    settings.webhook_timeout = 1000;
    set_schedule(2, (int64_t[]){0, 60000});
    start_dispatcher();
    complete_job(receiver_url(receiver), proof);
    testcase_settled(proof, WEBHOOK_DELIVERED, 1, NULL);
    receiver_script(receiver, &hangs, 1);
    complete_job(receiver_url(receiver), slow);
    cr_assert_eq(receiver_wait(receiver, 2, PATIENCE_MS), 2);
    complete_job(receiver_url(receiver), waiting);
    for (int waited = 0; !begun && waited < PATIENCE_MS; waited += 2) {
        cleanup(job_release) struct job job = get_job(waiting);

        begun = job.webhook_attempts == 1;
        nanosleep(&pause, NULL);
    }
    cr_assert(begun, "it is recorded while the one before it is sent");
    receiver_script(receiver, &fine, 1);
    testcase_settled(waiting, WEBHOOK_DELIVERED, 1, NULL);
    cleanup(release_deliveries) struct deliveries deliveries = list(waiting);
    cr_expect_eq(deliveries.count, 1);
}

Test(webhooks, the_next_attempt_waits_for_the_schedule)
{
    static const struct receiver_answer wrong = {.status = 503};
    int64_t now = clock_wall_ms(&database.clock.clock);
    cleanup(job_release) struct job job = {0};
    char job_id[JOB_ID_SIZE];

    receiver_script(receiver, &wrong, 1);
    set_schedule(2, (int64_t[]){0, 60000});
    start_dispatcher();
    complete_job(receiver_url(receiver), job_id);
    job = wait_for_webhook(job_id, 1);
    cr_expect_eq(job.webhook_status, WEBHOOK_PENDING);
    cr_expect_geq(job.webhook_next_attempt_at, now + 54000);
    cr_expect_leq(job.webhook_next_attempt_at, now + 66000);
    cr_expect_eq(job.webhook_last_status_code, 503);
}

Test(webhooks, the_first_attempt_has_a_delay_of_its_own)
{
    char early[JOB_ID_SIZE], late[JOB_ID_SIZE];

    /* The programs take it from the schedule's first entry. */
    database.options.webhook_delay = 10000;
    store_close(database.store);
    cr_assert_eq(store_open(&database.options, &database.store, NULL), 0);
    complete_job(receiver_url(receiver), early);
    fake_clock_advance(&database.clock, 11000);
    complete_job(receiver_url(receiver), late);
    start_dispatcher();
    testcase_settled(early, WEBHOOK_DELIVERED, 1, NULL);
    dispatcher = dispatcher_stop(dispatcher);
    cleanup(job_release) struct job job = get_job(late);
    cr_expect_eq(job.webhook_status, WEBHOOK_PENDING);
    cr_expect_eq(job.webhook_attempts, 0);
}

Test(webhooks, a_redirect_is_not_followed)
{
    static const struct receiver_answer redirect = {.status = 302, .headers = "Location: /elsewhere\r\n"};
    char job_id[JOB_ID_SIZE];

    receiver_script(receiver, &redirect, 1);
    set_schedule(1, (int64_t[]){0});
    start_dispatcher();
    complete_job(receiver_url(receiver), job_id);
    testcase_settled(job_id, WEBHOOK_FAILED, 1, "http_status");
    cr_expect_eq(receiver_wait(receiver, 1, 0), 1);
}

Test(webhooks, loopback_is_refused_for_good_unless_it_is_allowed)
{
    char job_id[JOB_ID_SIZE];

    set_list(&settings.webhook_allow_cidrs, NULL);
    start_dispatcher();
    complete_job(receiver_url(receiver), job_id);
    testcase_settled(job_id, WEBHOOK_FAILED, 1, "blocked_address");
    cr_expect_eq(receiver_wait(receiver, 0, 0), 0);
}

Test(webhooks, a_port_that_is_not_listed_is_refused_for_good)
{
    char job_id[JOB_ID_SIZE];

    set_list(&settings.webhook_ports, "443");
    start_dispatcher();
    complete_job(receiver_url(receiver), job_id);
    testcase_settled(job_id, WEBHOOK_FAILED, 1, "blocked_port");
    cr_expect_eq(receiver_wait(receiver, 0, 0), 0);
}

Test(webhooks, a_receiver_that_hangs_delays_no_other)
{
    static const struct receiver_answer hang = {.conduct = RECEIVER_HANGS};
    struct receiver *hanging = receiver_start(&hang, 1);
    char job_id[JOB_ID_SIZE];

    settings.webhook_max_per_receiver = 2;
    settings.webhook_timeout = 500;
    for (int i = 0; i < 6; i++)
        complete_job(receiver_url(hanging), job_id);
    complete_job(receiver_url(receiver), job_id);
    start_dispatcher();
    testcase_settled(job_id, WEBHOOK_DELIVERED, 1, NULL);
    cr_expect_eq(receiver_wait(hanging, 3, PATIENCE_MS) >= 3, true);
    cr_expect_eq(receiver_peak(hanging), 2);
    dispatcher = dispatcher_stop(dispatcher);
    receiver_stop(hanging);
}

#define MANY 100

Test(webhooks, many_go_through_few_places_each_once)
{
    char job_ids[MANY][JOB_ID_SIZE];

    settings.webhook_max_in_flight = 4;
    settings.webhook_max_per_receiver = 3;
    start_dispatcher();
    for (int i = 0; i < MANY; i++) {
        complete_job(receiver_url(receiver), job_ids[i]);
        dispatcher_wake(dispatcher);
    }
    for (int i = 0; i < MANY; i++)
        testcase_settled(job_ids[i], WEBHOOK_DELIVERED, 1, NULL);
    cr_expect_eq(receiver_wait(receiver, MANY, 0), MANY);
    cr_expect_leq(receiver_peak(receiver), 3);
}

/* Records that an attempt began, as a sender does that is killed right afterwards. */
static void begin_and_die(void)
{
    struct webhook *webhooks = NULL;
    struct url url;
    size_t count = 0;

    cr_assert_eq(url_parse(receiver_url(receiver), &url, NULL), 0);
    cr_assert_eq(webhook_due(database.store, url.receiver, clock_wall_ms(&database.clock.clock), 1, &webhooks,
                             &count, NULL),
                 0);
    cr_assert_eq(count, 1);
    database_begin_attempt(&database, webhooks[0].webhook);
    webhooks_free(webhooks, count);
}

Test(webhooks, an_attempt_that_a_crash_cut_off_is_closed_and_tried_again)
{
    char job_id[JOB_ID_SIZE];

    complete_job(receiver_url(receiver), job_id);
    begin_and_die();
    start_dispatcher();
    wait_for_plan(job_id, 1);
    fake_clock_advance(&database.clock, SCHEDULE_REPEAT_MS);
    testcase_settled(job_id, WEBHOOK_DELIVERED, 2, NULL);

    cleanup(release_deliveries) struct deliveries deliveries = list(job_id);
    cr_assert_eq(deliveries.count, 2);
    cr_expect_str_eq(deliveries.rows[0].error_code, "interrupted");
    cr_expect_eq(deliveries.rows[0].status_code, 0);
    cr_expect_geq(deliveries.rows[0].duration_ms, 0);
    cr_expect_null(deliveries.rows[1].error_code);
}

Test(webhooks, what_an_older_program_left_without_its_receiver_is_delivered)
{
    char job_id[JOB_ID_SIZE];

    complete_job(receiver_url(receiver), job_id);
    database_execute(&database, "DELETE FROM receivers");
    start_dispatcher();
    testcase_settled(job_id, WEBHOOK_DELIVERED, 1, NULL);
}

Test(webhooks, more_attempts_than_one_transaction_takes_are_closed)
{
    char job_ids[MANY][JOB_ID_SIZE];

    set_schedule(1, (int64_t[]){0});
    for (int i = 0; i < MANY; i++) {
        complete_job(receiver_url(receiver), job_ids[i]);
        begin_and_die();
    }
    start_dispatcher();
    for (int i = 0; i < MANY; i++)
        wait_for_plan(job_ids[i], 1);
    fake_clock_advance(&database.clock, SCHEDULE_REPEAT_MS);
    for (int i = 0; i < MANY; i++)
        testcase_settled(job_ids[i], WEBHOOK_DELIVERED, 2, NULL);
    cr_expect_eq(receiver_wait(receiver, MANY, 0), MANY);
}

Test(webhooks, the_schedules_last_attempt_is_repeated_where_a_crash_cut_it_off)
{
    static const struct receiver_answer wrong = {.status = 500};
    char job_id[JOB_ID_SIZE];

    set_schedule(1, (int64_t[]){0});
    receiver_script(receiver, &wrong, 1);
    complete_job(receiver_url(receiver), job_id);
    begin_and_die();
    start_dispatcher();
    wait_for_plan(job_id, 1);
    fake_clock_advance(&database.clock, SCHEDULE_REPEAT_MS);
    testcase_settled(job_id, WEBHOOK_FAILED, 2, "http_status");
    cr_expect_eq(receiver_wait(receiver, 1, 0), 1, "the schedule's one attempt was made");
}

Test(webhooks, a_redelivery_that_a_crash_cut_off_is_repeated)
{
    static const struct receiver_answer wrong = {.status = 500}, fine = {.status = 204};
    cleanup(job_release) struct job job = {0};
    char job_id[JOB_ID_SIZE];

    set_schedule(1, (int64_t[]){0});
    receiver_script(receiver, &wrong, 1);
    complete_job(receiver_url(receiver), job_id);
    start_dispatcher();
    testcase_settled(job_id, WEBHOOK_FAILED, 1, "http_status");
    dispatcher = dispatcher_stop(dispatcher);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(webhook_redeliver(database.store, database.key, job_id, &job, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    begin_and_die();
    receiver_script(receiver, &fine, 1);
    start_dispatcher();
    wait_for_plan(job_id, 2);
    fake_clock_advance(&database.clock, SCHEDULE_REPEAT_MS);
    testcase_settled(job_id, WEBHOOK_DELIVERED, 3, NULL);
}

Test(webhooks, a_webhook_whose_every_attempt_is_cut_off_fails_in_the_end)
{
    char job_id[JOB_ID_SIZE];

    set_schedule(1, (int64_t[]){0});
    complete_job(receiver_url(receiver), job_id);
    for (int i = 0; i <= SCHEDULE_INTERRUPTIONS_MAX; i++) {
        int64_t count = 0;
        struct error err = {""};

        begin_and_die();
        cr_assert_eq(recovery_run(database.store, committer, &settings, &database.clock.clock, &count, &err),
                     0, "%s", err.text);
        cr_expect_eq(count, 1);
        fake_clock_advance(&database.clock, SCHEDULE_REPEAT_MS);
    }
    testcase_settled(job_id, WEBHOOK_FAILED, SCHEDULE_INTERRUPTIONS_MAX + 1, "interrupted");
    cr_expect_eq(receiver_wait(receiver, 0, 0), 0);
}

Test(webhooks, stopping_lets_a_running_attempt_end)
{
    static const struct receiver_answer hang = {.conduct = RECEIVER_HANGS};
    char job_id[JOB_ID_SIZE];

    receiver_script(receiver, &hang, 1);
    settings.webhook_timeout = 300;
    set_schedule(2, (int64_t[]){0, 60000});
    start_dispatcher();
    complete_job(receiver_url(receiver), job_id);
    cr_assert_eq(receiver_wait(receiver, 1, PATIENCE_MS), 1);
    dispatcher = dispatcher_stop(dispatcher);
    cleanup(job_release) struct job job = get_job(job_id);
    cr_expect_eq(job.webhook_attempts, 1);
    cr_expect_str_eq(job.webhook_last_error, "timeout");
    cr_expect_neq(job.webhook_next_attempt_at, 0);
}

static atomic_bool stopped;

static void *stop_dispatcher(void *context)
{
    (void)context;
    dispatcher = dispatcher_stop(dispatcher);
    atomic_store(&stopped, true);
    return NULL;
}

Test(webhooks, stopping_does_not_wait_for_an_answer_for_as_long_as_the_longest_timeout)
{
    static const struct receiver_answer hang = {.conduct = RECEIVER_HANGS};
    const struct timespec pause = {.tv_nsec = 2000000};
    char job_id[JOB_ID_SIZE];
    pthread_t thread;

    receiver_script(receiver, &hang, 1);
    settings.webhook_timeout = INT64_C(1000000000);
    start_dispatcher();
    complete_job(receiver_url(receiver), job_id);
    cr_assert_eq(receiver_wait(receiver, 1, PATIENCE_MS), 1);
    cr_assert_eq(pthread_create(&thread, NULL, stop_dispatcher, NULL), 0);
    for (int waited = 0; !atomic_load(&stopped); waited += 2) {
        cr_assert_lt(waited, PATIENCE_MS, "it still waits");
        fake_clock_advance(&database.clock, 1000);
        nanosleep(&pause, NULL);
    }
    pthread_join(thread, NULL);
}

Test(webhooks, the_longest_stop_is_over_before_systemd_kills_the_worker)
{
    const char *folder = getenv("top_srcdir");
    int64_t kills_after = 0;
    char path[4096], line[256];
    FILE *unit;

    snprintf(path, sizeof path, "%s/systemd/sayhook-worker.service.in", folder != NULL ? folder : ".");
    unit = fopen(path, "r");
    cr_assert_not_null(unit, "%s", path);
    while (fgets(line, sizeof line, unit) != NULL)
        sscanf(line, "TimeoutStopSec=%" SCNd64 "s", &kills_after);
    fclose(unit);
    cr_expect_leq(2 * DISPATCHER_DRAIN_MAX_MS, kills_after * 1000, "half of it is for putting jobs back");
}

Test(webhooks, a_wrong_setting_keeps_it_from_starting)
{
    const struct dispatcher_options options = {&settings, &database.options, committer, &database.clock.clock,
                                               NULL};
    struct error err = {""};

    set_list(&settings.webhook_allow_cidrs, "10.0.0.1/8");
    cr_expect_lt(dispatcher_start(&options, &dispatcher, &err), 0);
    cr_expect_null(dispatcher);
    cr_expect_not_null(strstr(err.text, "10.0.0.1/8"));
}

/* ---- a database that takes no writes ---- */

static atomic_int waits_said, ends_said;

static void count_lines(enum log_level level, const struct log_context *context, const char *message)
{
    (void)level;
    (void)context;
    waits_said += strstr(message, "webhooks wait: ") != NULL;
    ends_said += strstr(message, "webhooks go on") != NULL;
}

static void testcase_said(const atomic_int *lines, int count)
{
    int64_t start = clock_monotonic_ms(&clock_system);

    while (*lines < count) {
        cr_assert_lt(clock_monotonic_ms(&clock_system) - start, PATIENCE_MS);
        poll(NULL, 0, 2);
    }
    cr_expect_eq(*lines, count);
}

Test(webhooks, a_database_that_takes_no_writes_is_reported_once_a_minute_and_when_it_does_again)
{
    char job_ids[3][JOB_ID_SIZE];

    for (size_t i = 0; i < array_length(job_ids); i++)
        complete_job(receiver_url(receiver), job_ids[i]);
    database_execute(&database, "CREATE TRIGGER full BEFORE INSERT ON deliveries"
                                " BEGIN SELECT RAISE(ABORT, 'it is full'); END");
    start_dispatcher_with(&database.clock.clock, count_lines);
    testcase_said(&waits_said, 1);
    fake_clock_advance(&database.clock, REPEAT_PAUSE_MS);
    testcase_said(&waits_said, 2);
    cr_expect_eq(ends_said, 0);
    database_execute(&database, "DROP TRIGGER full");
    fake_clock_advance(&database.clock, 2000);
    for (size_t i = 0; i < array_length(job_ids); i++)
        testcase_settled(job_ids[i], WEBHOOK_DELIVERED, 1, NULL);
    testcase_said(&ends_said, 1);
    cr_expect_eq(waits_said, 2, "each of them waited, and more than once");
}
