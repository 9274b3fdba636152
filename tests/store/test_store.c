/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <pthread.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "store/committer.h"
#include "store/receivers.h"
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

TestSuite(store, .init = setup, .fini = teardown);

static struct job get(const char *job_id)
{
    struct job job = {0};

    cr_assert_eq(job_get(database.store, 0, job_id, &job, NULL), 0);
    return job;
}

static double metric(const char *name)
{
    double value = -1;

    cr_assert_eq(metric_get(database.store, name, &value, NULL), 0);
    return value;
}

static int64_t pending_jobs(void)
{
    unsigned char hash[KEY_HASH_SIZE];
    struct api_key key = {0};
    int64_t pending;

    memset(hash, 1, sizeof hash);
    cr_assert_eq(key_find(database.store, hash, &key, NULL), 0);
    pending = (int64_t)key.standing.usage.used[LIMIT_PENDING_JOBS];
    api_key_release(&key);
    return pending;
}

static size_t take_back_as(const struct take_back *how, int expected)
{
    struct job jobs[WORKER_TAKE_BACK_MAX];
    size_t count = 0;
    bool gone = false;

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(worker_take_back(database.store, how, jobs, &count, &gone, NULL), expected);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    cr_assert_eq(gone, expected == 0);
    for (size_t i = 0; i < count; i++)
        job_release(&jobs[i]);
    return count;
}

static size_t take_back(int64_t worker, int64_t lease_until, int expected)
{
    return take_back_as(&(struct take_back){.worker = worker, .lease_until = lease_until}, expected);
}

/* Claims the only job, says how much of it was spoken, and crashes at it. */
static void crash_at_it(int64_t spoken)
{
    cleanup(job_release) struct job claim = {0};
    int64_t worker = database_join(&database);

    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(job_progress_set(database.store, claim.id, claim.epoch, spoken, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    cr_assert_eq(take_back_as(&(struct take_back){.worker = worker, .culprit = claim.job_id}, 0), 1);
}

static void ask_cancel(const char *job_id)
{
    struct job asked = {0};

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(job_cancel(database.store, database.key, job_id, &asked, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    job_release(&asked);
}

/* ---- keys ---- */

Test(store, a_revoked_key_is_not_found)
{
    cleanup(api_key_release) struct api_key key = {0};
    unsigned char hash[KEY_HASH_SIZE];

    memset(hash, 1, sizeof hash);
    cr_assert_eq(key_find(database.store, hash, &key, NULL), 0);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(key_revoke(database.store, key.key_id, NULL), 0);
    cr_assert_eq(key_revoke(database.store, "key_none", NULL), STORE_NOT_FOUND);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    api_key_release(&key);
    cr_assert_eq(key_find(database.store, hash, &key, NULL), STORE_NOT_FOUND);
}

Test(store, a_keys_secret_is_there_for_signing)
{
    char *secrets[KEY_SECRETS_MAX];
    size_t count;

    cr_assert_eq(key_secrets(database.store, database.key, secrets, &count, NULL), 0);
    cr_assert_eq(count, 1);
    cr_assert_str_eq(secrets[0], "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    free(secrets[0]);
}

/* ---- create, get, list ---- */

Test(store, a_created_job_reads_back_as_it_was_answered)
{
    cleanup(job_release) struct job created =
        database_add_job(&database, database.key, "Hello.", "http://127.0.0.1:9/x");
    cleanup(job_release) struct job read = get(created.job_id);

    cr_assert_eq(read.status, JOB_PENDING);
    cr_assert_eq(read.characters, 6);
    cr_assert_eq(read.created_at, created.created_at);
    cr_assert_eq(read.queue_position, 1);
    cr_assert_eq(created.queue_position, 1);
    cr_assert_eq(read.webhook_status, WEBHOOK_PENDING);
    cr_assert_str_eq(read.webhook_url, "http://127.0.0.1:9/x");
    cr_assert_str_eq(read.request_id, "req-1");
    cr_assert_eq(metric("job_status_total{status=\"pending\"}"), 1.0);
}

Test(store, another_keys_job_and_no_job_look_alike)
{
    int64_t other = database_add_key(&database, 2);
    cleanup(job_release) struct job mine = database_add_job(&database, database.key, "Hello.", NULL);
    cleanup(job_release) struct job job = {0};
    char guess[JOB_ID_SIZE];

    memcpy(guess, mine.job_id, sizeof guess);
    guess[4] = guess[4] == 'a' ? 'b' : 'a';
    cr_assert_eq(job_get(database.store, other, mine.job_id, &job, NULL), STORE_NOT_FOUND);
    cr_assert_eq(job_get(database.store, database.key, guess, &job, NULL), STORE_NOT_FOUND);
    cr_assert_eq(job_get(database.store, database.key, "job_x", &job, NULL), STORE_NOT_FOUND);
    cr_assert_eq(job_get(database.store, database.key, mine.job_id, &job, NULL), 0);
}

Test(store, ids_grow_though_the_clock_stands_still_or_goes_back)
{
    struct job first = database_add_job(&database, database.key, "a", NULL);
    struct job second = database_add_job(&database, database.key, "b", NULL);
    struct job third;

    fake_clock_advance(&database.clock, -3600000);
    third = database_add_job(&database, database.key, "c", NULL);
    cr_assert_lt(first.id, second.id);
    cr_assert_lt(second.id, third.id);
    job_release(&first);
    job_release(&second);
    job_release(&third);
}

Test(store, pages_are_newest_first_and_follow_each_other_without_gap_or_overlap)
{
    struct job_filter filter = {.limit = 3};
    int64_t seen[10];
    size_t count = 0;

    for (int i = 0; i < 10; i++) {
        struct job job = database_add_job(&database, database.key, "text", NULL);

        if (i % 3 == 0) {
            struct job cancelled = {0};

            cr_assert_eq(store_begin(database.store, "test", NULL), 0);
            cr_assert_eq(job_cancel(database.store, database.key, job.job_id, &cancelled, NULL), 0);
            cr_assert_eq(store_commit(database.store, NULL), 0);
            job_release(&cancelled);
        }
        job_release(&job);
    }
    do {
        struct job_page page;

        cr_assert_eq(job_list(database.store, database.key, &filter, &page, NULL), 0);
        for (size_t i = 0; i < page.count; i++)
            seen[count++] = page.jobs[i].id;
        filter.before = page.next;
        job_page_release(&page);
    } while (filter.before != 0);
    cr_assert_eq(count, 10);
    for (size_t i = 1; i < count; i++)
        cr_assert_gt(seen[i - 1], seen[i]);
}

Test(store, a_list_is_filtered_by_status_and_time)
{
    struct job first = database_add_job(&database, database.key, "first", NULL);
    struct job_page page;
    struct job second, cancelled = {0};

    fake_clock_advance(&database.clock, 5000);
    second = database_add_job(&database, database.key, "second", NULL);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(job_cancel(database.store, database.key, first.job_id, &cancelled, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);

    cr_assert_eq(job_list(database.store, database.key,
                          &(struct job_filter){.limit = 10, .statuses = 1u << JOB_CANCELLED}, &page, NULL),
                 0);
    cr_assert_eq(page.count, 1);
    cr_assert_eq(page.jobs[0].id, first.id);
    job_page_release(&page);

    cr_assert_eq(job_list(database.store, database.key,
                          &(struct job_filter){.limit = 10, .created_after = first.created_at}, &page, NULL),
                 0);
    cr_assert_eq(page.count, 1, "the bound itself is excluded");
    cr_assert_eq(page.jobs[0].id, second.id);
    job_page_release(&page);

    cr_assert_eq(job_list(database.store, database.key,
                          &(struct job_filter){.limit = 10, .created_before = second.created_at}, &page,
                          NULL),
                 0);
    cr_assert_eq(page.count, 1);
    cr_assert_eq(page.jobs[0].id, first.id);
    job_page_release(&page);
    job_release(&first);
    job_release(&second);
    job_release(&cancelled);
}

/* ---- cancel ---- */

Test(store, cancelling_a_pending_job_ends_it_and_owes_its_webhook)
{
    cleanup(job_release) struct job job =
        database_add_job(&database, database.key, "Hello.", "http://127.0.0.1:9/x");
    cleanup(job_release) struct job cancelled = {0};
    struct due_receiver receivers[4];
    size_t count;

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(job_cancel(database.store, database.key, job.job_id, &cancelled, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    cr_assert_eq(cancelled.status, JOB_CANCELLED);
    cr_assert_neq(cancelled.completed_at, 0);
    cr_assert_eq(pending_jobs(), 0);
    cr_assert_eq(receiver_due(database.store, RECEIVER_CLASS_NEW, database.clock.wall_us / 1000, NULL,
                              receivers, 4, &count, NULL),
                 0);
    cr_assert_eq(count, 1);
    cr_assert_str_eq(receivers[0].receiver, "http://127.0.0.1:9");
    due_receivers_free(receivers, count);
}

Test(store, cancelling_a_running_job_asks_its_worker)
{
    int64_t worker = database_join(&database);
    cleanup(job_release) struct job job = database_add_job(&database, database.key, "Hello.", NULL);
    cleanup(job_release) struct job claim = {0}, asked = {0};
    int64_t ids[4];
    size_t count;

    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(job_cancel(database.store, database.key, job.job_id, &asked, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    cr_assert_eq(asked.status, JOB_PROCESSING);
    cr_assert(asked.cancel_requested);
    cr_assert_eq(job_cancelled_list(database.store, worker, ids, 4, &count, NULL), 0);
    cr_assert_eq(count, 1);
    cr_assert_eq(ids[0], job.id);
}

Test(store, a_finished_job_cannot_be_cancelled)
{
    int64_t worker = database_join(&database);
    cleanup(job_release) struct job job = database_add_job(&database, database.key, "Hello.", NULL);
    cleanup(job_release) struct job claim = {0}, refused = {0};

    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_assert_eq(database_finish(&database, &claim, &outcome_completed), 0);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(job_cancel(database.store, database.key, job.job_id, &refused, NULL), STORE_CONFLICT);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    cr_assert_eq(refused.status, JOB_COMPLETED);
}

/* ---- claims ---- */

Test(store, claims_take_the_oldest_job_of_a_key)
{
    int64_t worker = database_join(&database);
    struct job first = database_add_job(&database, database.key, "first", NULL);
    struct job second = database_add_job(&database, database.key, "second", NULL);
    struct job claim = {0};

    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_assert_eq(claim.id, first.id);
    cr_assert_eq(claim.epoch, 1);
    cr_assert_eq(claim.status, JOB_PROCESSING);
    job_release(&claim);
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_assert_eq(claim.id, second.id);
    job_release(&claim);
    cr_assert_eq(database_claim(&database, worker, &claim), STORE_NOT_FOUND);
    job_release(&first);
    job_release(&second);
}

Test(store, a_key_with_a_long_queue_does_not_starve_another)
{
    int64_t worker = database_join(&database);
    int64_t other = database_add_key(&database, 2);
    int position = -1;

    for (int i = 0; i < 50; i++) {
        struct job job = database_add_job(&database, database.key, "a text of some length", NULL);
        struct job claim = {0};

        if (i >= 40) { /* the greedy key has been served for a while before the other comes */
            cr_assert_eq(database_claim(&database, worker, &claim), 0);
            job_release(&claim);
        }
        job_release(&job);
    }
    for (int i = 0; i < 5; i++) {
        struct job job = database_add_job(&database, other, "a text of some length", NULL);

        job_release(&job);
    }
    for (int i = 0; i < 10; i++) {
        struct job claim = {0};

        cr_assert_eq(database_claim(&database, worker, &claim), 0);
        if (claim.key == other)
            position = i;
        job_release(&claim);
    }
    cr_assert_geq(position, 8, "the newcomer does not get five in a row");
    cr_assert_leq(position, 9, "five of each in ten claims");
}

Test(store, a_key_of_three_times_the_weight_gets_three_times_as_much)
{
    int64_t worker = database_join(&database);
    int64_t other = database_add_key(&database, 2);
    struct key_request change = KEY_UNCHANGED;
    struct api_key *keys;
    size_t count;
    int heavy = 0;

    cr_assert_eq(key_list(database.store, &keys, &count, NULL), 0);
    change.weight = 3;
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    for (size_t i = 0; i < count; i++)
        if (keys[i].key == database.key)
            cr_assert_eq(key_change(database.store, keys[i].key_id, &change, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    for (size_t i = 0; i < count; i++)
        api_key_release(&keys[i]);
    free(keys);
    for (int i = 0; i < 80; i++) {
        struct job job =
            database_add_job(&database, i % 2 == 0 ? database.key : other, "a text of some length", NULL);

        job_release(&job);
    }
    for (int i = 0; i < 40; i++) {
        struct job claim = {0};

        cr_assert_eq(database_claim(&database, worker, &claim), 0);
        heavy += claim.key == database.key;
        job_release(&claim);
    }
    cr_assert_geq(heavy, 29);
    cr_assert_leq(heavy, 31, "thirty of forty");
}

Test(store, a_stale_workers_result_is_discarded)
{
    int64_t slow = database_join(&database);
    int64_t quick = database_join(&database);
    cleanup(job_release) struct job job =
        database_add_job(&database, database.key, "Hello.", "http://127.0.0.1:9/x");
    cleanup(job_release) struct job stale = {0}, fresh = {0};

    cr_assert_eq(database_claim(&database, slow, &stale), 0);
    cr_assert_eq(take_back(slow, 0, 0), 1);
    cr_assert_eq(pending_jobs(), 1, "the job waits again");
    cr_assert_eq(database_claim(&database, quick, &fresh), 0);
    cr_assert_eq(fresh.id, job.id);
    cr_assert_gt(fresh.epoch, stale.epoch);
    cr_assert_eq(database_finish(&database, &stale, &outcome_completed), STORE_STALE);
    cr_assert_eq(database_finish(&database, &fresh, &outcome_completed), 0);
    cr_assert_eq(database_finish(&database, &fresh, &outcome_completed), STORE_STALE, "an end comes once");
    cr_assert_eq(metric("job_status_total{status=\"completed\"}"), 1.0);
}

Test(store, a_worker_that_was_taken_for_dead_learns_it_at_its_next_beat)
{
    cleanup(job_release) struct job job = database_add_job(&database, database.key, "Hello.", NULL);
    int64_t worker = database_join(&database);
    struct job claim = {0};

    cr_assert_eq(take_back(worker, 0, 0), 0);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(worker_beat(database.store, worker, 5, NULL), STORE_STALE);
    cr_assert_eq(job_claim(database.store, worker, NULL, 0, &claim, NULL), STORE_STALE,
                 "nobody could take it back");
    cr_assert_eq(store_commit(database.store, NULL), 0);
    cr_assert_eq(pending_jobs(), 1);
}

Test(store, a_sign_of_life_saves_a_worker_from_those_who_took_it_for_dead)
{
    int64_t worker = database_join(&database);

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(worker_beat(database.store, worker, 200000, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    take_back(worker, 100000, STORE_STALE);
    take_back(worker, 200000, 0);
}

Test(store, a_job_whose_cancellation_was_asked_for_is_never_completed)
{
    int64_t worker = database_join(&database);
    cleanup(job_release) struct job job = database_add_job(&database, database.key, "Hello.", NULL);
    cleanup(job_release) struct job claim = {0}, read = {0};

    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    ask_cancel(job.job_id);
    cr_assert_eq(database_finish(&database, &claim, &outcome_completed), STORE_CANCELLED);
    read = get(job.job_id);
    cr_assert_eq(read.status, JOB_CANCELLED);
    cr_assert_eq(metric("job_status_total{status=\"cancelled\"}"), 1.0);
}

Test(store, a_job_whose_cancellation_was_asked_for_ends_with_its_worker)
{
    int64_t worker = database_join(&database);
    cleanup(job_release) struct job job = database_add_job(&database, database.key, "Hello.", NULL);
    cleanup(job_release) struct job claim = {0}, read = {0};

    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    ask_cancel(job.job_id);
    cr_assert_eq(take_back(worker, 0, 0), 1);
    read = get(job.job_id);
    cr_assert_eq(read.status, JOB_CANCELLED);
    cr_assert_eq(pending_jobs(), 0);
}

Test(store, a_job_at_which_worker_after_worker_crashes_fails_and_says_so)
{
    cleanup(job_release) struct job created =
        database_add_job(&database, database.key, "A text that no worker survives.", "http://127.0.0.1:9/x");
    cleanup(job_release) struct job last = {0}, job = {0};

    for (int i = 1; i < JOB_SETBACKS_MAX; i++)
        crash_at_it(7);
    last = get(created.job_id);
    cr_assert_eq(last.status, JOB_PENDING, "patience has an end, which is not reached");
    crash_at_it(7);
    job = get(created.job_id);
    cr_assert_eq(job.status, JOB_FAILED);
    cr_assert_str_eq(job.error_code, "worker_crashed");
    cr_assert_not_null(strstr(job.error_message, "7 characters"), "%s", job.error_message);
    cr_assert_eq(job.webhook_status, WEBHOOK_PENDING, "the client is told");
    cr_assert_eq(pending_jobs(), 0);
}

Test(store, workers_that_crash_further_on_each_time_are_not_held_against_a_job)
{
    cleanup(job_release) struct job created =
        database_add_job(&database, database.key, "A text that is spoken bit by bit.", NULL);
    cleanup(job_release) struct job job = {0};

    for (int i = 0; i < 3 * JOB_SETBACKS_MAX; i++)
        crash_at_it(1 + i / (JOB_SETBACKS_MAX - 1));
    job = get(created.job_id);
    cr_assert_eq(job.status, JOB_PENDING);
    cr_assert_eq(job.spoken, 1 + (3 * JOB_SETBACKS_MAX - 1) / (JOB_SETBACKS_MAX - 1));
}

Test(store, workers_that_die_beside_a_job_are_not_held_against_it)
{
    cleanup(job_release) struct job created =
        database_add_job(&database, database.key, "A text that waits its turn.", NULL);
    cleanup(job_release) struct job job = {0};

    for (int i = 0; i < 3 * JOB_SETBACKS_MAX; i++) {
        cleanup(job_release) struct job claim = {0};
        int64_t worker = database_join(&database);

        cr_assert_eq(database_claim(&database, worker, &claim), 0);
        cr_assert_eq(take_back_as(&(struct take_back){.worker = worker, .culprit = "job_another"}, 0), 1);
    }
    job = get(created.job_id);
    cr_assert_eq(job.status, JOB_PENDING);
}

Test(store, a_job_that_fills_the_disk_each_time_fails_in_the_end)
{
    static const struct setback full = {"storage_full", "the disk was full"};
    cleanup(job_release) struct job created =
        database_add_job(&database, database.key, "A text that is too long for the disk.", NULL);
    cleanup(job_release) struct job job = {0};

    for (int i = 1; i <= JOB_SETBACKS_MAX; i++) {
        cleanup(job_release) struct job claim = {0};

        cr_assert_eq(database_claim(&database, database_join(&database), &claim), 0);
        cr_assert_eq(store_begin(database.store, "test", NULL), 0);
        cr_assert_eq(job_put_back(database.store, claim.id, claim.epoch, &full, NULL),
                     i < JOB_SETBACKS_MAX ? 0 : STORE_GAVE_UP);
        cr_assert_eq(store_commit(database.store, NULL), 0);
    }
    job = get(created.job_id);
    cr_assert_eq(job.status, JOB_FAILED);
    cr_assert_str_eq(job.error_code, "storage_full");
    cr_assert_eq(pending_jobs(), 0);
}

Test(store, progress_never_falls)
{
    cleanup(job_release) struct job created =
        database_add_job(&database, database.key, "A text that is begun twice.", NULL);
    cleanup(job_release) struct job job = {0};

    crash_at_it(12);
    crash_at_it(5);
    job = get(created.job_id);
    cr_assert_eq(job.spoken, 12);
}

Test(store, a_text_is_read_in_parts_and_gone_when_the_job_completes)
{
    int64_t worker = database_join(&database);
    cleanup(job_release) struct job job = database_add_job(&database, database.key, "0123456789", NULL);
    cleanup(job_release) struct job claim = {0};
    char part[5] = "";
    size_t size;

    cr_assert_eq(job_text_read(database.store, job.id, 8, part, 4, &size, NULL), 0);
    cr_assert_eq(size, 2);
    cr_assert_str_eq(part, "89");
    cr_assert_eq(job_text_read(database.store, job.id, 10, part, 4, &size, NULL), 0);
    cr_assert_eq(size, 0);
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_assert_eq(database_finish(&database, &claim, &outcome_completed), 0);
    cr_assert_eq(job_text_read(database.store, job.id, 0, part, 4, &size, NULL), STORE_NOT_FOUND);
}

Test(store, a_failed_job_says_what_did_it_and_keeps_its_text)
{
    static const struct job_outcome failed = {.status = JOB_FAILED,
                                              .error_code = "synthesis_crashed",
                                              .error_message = "why",
                                              .error_start = 3,
                                              .error_end = 9};
    int64_t worker = database_join(&database);
    cleanup(job_release) struct job job = database_add_job(&database, database.key, "0123456789", NULL);
    cleanup(job_release) struct job claim = {0}, read = {0};
    char part[4];
    size_t size;

    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_assert_eq(database_finish(&database, &claim, &failed), 0);
    read = get(job.job_id);
    cr_assert_eq(read.status, JOB_FAILED);
    cr_assert_str_eq(read.error_code, "synthesis_crashed");
    cr_assert_eq(read.error_start, 3);
    cr_assert_eq(read.error_end, 9);
    cr_assert_eq(job_text_read(database.store, job.id, 0, part, 4, &size, NULL), 0);
}

/* ---- webhooks ---- */

static struct webhook finish_and_take_webhook(struct job *ret_job)
{
    *ret_job = database_end_job(&database, database_join(&database), database.key, &outcome_completed);
    return database_take_webhook(&database);
}

Test(store, a_finished_job_owes_the_webhook_of_its_final_state)
{
    cleanup(job_release) struct job job = {0};
    cleanup(webhook_release) struct webhook webhook = finish_and_take_webhook(&job);

    cr_assert_not_null(strstr(webhook.body, "\"status\":\"completed\""));
    cr_assert_not_null(strstr(webhook.body, job.job_id));
    cr_assert_eq(webhook.event, EVENT_JOB_COMPLETED);
    cr_assert_str_eq(webhook.job_id, job.job_id);
    cr_assert_eq(strncmp(webhook.webhook_id, "msg_", 4), 0);
}

static int redeliver(const struct job *job)
{
    cleanup(job_release) struct job read = {0};
    int r;

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    r = webhook_redeliver(database.store, database.key, job->job_id, &read, NULL);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    cr_assert(r != 0 || read.webhook_status == WEBHOOK_PENDING);
    return r;
}

Test(store, a_settled_webhook_can_be_owed_again_and_is_the_same)
{
    static const struct attempt_result delivered = {.status_code = 204, .status = WEBHOOK_DELIVERED};
    cleanup(job_release) struct job job = {0}, other = {0};
    cleanup(webhook_release) struct webhook webhook = finish_and_take_webhook(&job), again = {0};
    int64_t attempt;

    cr_assert_eq(redeliver(&job), STORE_CONFLICT, "it is owed as it is");
    attempt = database_begin_attempt(&database, webhook.webhook);
    database_end_attempt(&database, webhook.webhook, attempt, &delivered);
    cr_assert_eq(redeliver(&job), 0);
    again = database_take_webhook(&database);
    cr_assert_str_eq(again.webhook_id, webhook.webhook_id);
    cr_assert_str_eq(again.body, webhook.body);
    cr_assert_eq(again.attempts, 1);

    database_execute(&database, "UPDATE webhooks SET status = 'delivered', attempts = 999");
    cr_assert_eq(redeliver(&job), 0);
    database_execute(&database, "UPDATE webhooks SET status = 'failed', attempts = 1000");
    cr_assert_eq(redeliver(&job), STORE_CONFLICT, "its attempts would be too many for a list");

    other = database_add_job(&database, database.key, "Without one.", NULL);
    cr_assert_eq(redeliver(&other), STORE_CONFLICT);
}

Test(store, each_attempt_is_a_row_and_a_webhook_under_way_is_not_due)
{
    cleanup(job_release) struct job job = {0}, read = {0};
    cleanup(webhook_release) struct webhook webhook = finish_and_take_webhook(&job);
    int64_t now = database.clock.wall_us / 1000;
    struct delivery *deliveries;
    struct webhook *due;
    struct attempt_ref open[4];
    int64_t attempt;
    size_t count;

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(webhook_attempt_begin(database.store, webhook.webhook, &attempt, NULL), 0);
    cr_assert_eq(webhook_attempt_begin(database.store, webhook.webhook, &attempt, NULL), STORE_CONFLICT);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    cr_assert_eq(webhook_due(database.store, "http://127.0.0.1:9", now, 10, &due, &count, NULL), 0);
    cr_assert_eq(count, 0);
    webhooks_free(due, count);
    cr_assert_eq(webhook_open_attempts(database.store, open, 4, &count, NULL), 0);
    cr_assert_eq(count, 1);

    database_end_attempt(&database, webhook.webhook, attempt,
                         &(struct attempt_result){.duration_ms = 12,
                                                  .status_code = 500,
                                                  .error_code = "http_status",
                                                  .status = WEBHOOK_PENDING,
                                                  .next_attempt_at = now + 5000});
    read = get(job.job_id);
    cr_assert_eq(read.webhook_status, WEBHOOK_PENDING);
    cr_assert_eq(read.webhook_attempts, 1);
    cr_assert_eq(read.webhook_last_status_code, 500);
    cr_assert_eq(read.webhook_next_attempt_at, now + 5000);

    fake_clock_advance(&database.clock, 5000);
    attempt = database_begin_attempt(&database, webhook.webhook);
    cr_assert_eq(attempt, 2);
    database_end_attempt(&database, webhook.webhook, attempt,
                         &(struct attempt_result){.status_code = 204, .status = WEBHOOK_DELIVERED});
    cr_assert_eq(delivery_list(database.store, database.key, job.job_id, &deliveries, &count, NULL), 0);
    cr_assert_eq(count, 2);
    cr_assert_str_eq(deliveries[0].error_code, "http_status");
    cr_assert_null(deliveries[1].error_code);
    cr_assert_eq(deliveries[1].status_code, 204);
    deliveries_free(deliveries, count);
    cr_assert_eq(metric("webhook_retry_total"), 1.0);
    cr_assert_eq(metric("webhook_delivery_total{result=\"success\"}"), 1.0);
}

/* ---- the committer ---- */

struct creation {
    struct commit_work work;
    bool fail;
    char job_id[JOB_ID_SIZE];
};

static int create(struct commit_work *work, struct store *store, struct error *err)
{
    struct creation *creation = container_of(work, struct creation, work);
    const struct job_request request = {.key = creation->fail ? 999 : database.key,
                                        .text = "Hello.",
                                        .text_bytes = 6,
                                        .characters = 6,
                                        .language = "english",
                                        .voice = "slt",
                                        .speed = 1.0,
                                        .pitch = 1.0};
    struct key_standing standing;
    struct job job = {0};
    int r = job_create(store, &request, &job, &standing, err);

    if (r == 0)
        memcpy(creation->job_id, job.job_id, sizeof creation->job_id);
    job_release(&job);
    return r;
}

#define CALLERS 16
#define CALLS   20

static void *call(void *argument)
{
    for (int i = 0; i < CALLS; i++) {
        struct creation creation = {.work.run = create, .fail = i % 5 == 4};
        struct error err = {""};
        int r = committer_call(argument, &creation.work, &err);

        cr_assert_eq(r < 0, creation.fail, "%s", err.text);
        if (r == 0) {
            struct store *reader;
            struct job job = {0};

            cr_assert_eq(store_open(&database.options, &reader, &err), 0, "%s", err.text);
            cr_assert_eq(job_get(reader, database.key, creation.job_id, &job, NULL), 0,
                         "an answered job is there");
            job_release(&job);
            store_close(reader);
        }
    }
    return NULL;
}

Test(store, a_failing_write_does_not_fail_the_others_of_its_group)
{
    struct committer *committer;
    struct error err = {""};
    pthread_t threads[CALLERS];

    cr_assert_eq(committer_start(&database.options, "test", 1000, &committer, &err), 0, "%s", err.text);
    for (int i = 0; i < CALLERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, call, committer), 0);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    committer_stop(committer);
    cr_assert_eq(pending_jobs(), CALLERS * CALLS * 4 / 5);
}
