/* SPDX-License-Identifier: Apache-2.0 */
/* What a key has used, as jobs are created, spoken, cancelled and put back; and requests that are repeated.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "support/database.h"

static struct database database;

/* Every key: two jobs at once and one more each second; the other limits are far away. */
static const struct key_limits narrow = {
    .requests_per_second = 1,
    .most = {[LIMIT_BURST] = 2,
             [LIMIT_PENDING_JOBS] = 10,
             [LIMIT_PENDING_CHARS] = 1000,
             [LIMIT_DAY_CHARS] = 1000,
             [LIMIT_STORED_BYTES] = 10000000},
};

static void setup(void)
{
    database_open(&database);
    store_close(database.store);
    database.options.limits = narrow;
    cr_assert_eq(store_open(&database.options, &database.store, NULL), 0);
}

static void teardown(void)
{
    database_close(&database);
}

TestSuite(limits, .init = setup, .fini = teardown);
TestSuite(repeatable, .init = setup, .fini = teardown);

static struct job_request testcase_request(const char *text)
{
    return (struct job_request){
        .key = database.key,
        .text = text,
        .text_bytes = strlen(text),
        .characters = (int64_t)strlen(text),
        .language = "english",
        .voice = "slt",
        .speed = 1,
        .pitch = 1,
    };
}

/* Creates in a transaction of its own; the result of job_create(). */
static int testcase_create(const char *text, struct key_standing *ret_standing)
{
    const struct job_request request = testcase_request(text);
    struct error err = {""};
    struct job job = {0};
    int r;

    cr_assert_eq(store_begin(database.store, "test", &err), 0, "%s", err.text);
    r = job_create(database.store, &request, &job, ret_standing, &err);
    cr_assert_geq(r, 0, "%s", err.text);
    cr_assert_eq(store_commit(database.store, &err), 0, "%s", err.text);
    job_release(&job);
    return r;
}

static struct key_standing testcase_standing(void)
{
    struct key_standing standing;

    cr_assert_eq(key_standing_read(database.store, database.key, &standing, NULL), 0);
    return standing;
}

static void testcase_left(enum key_limit limit, int64_t left)
{
    struct key_standing standing = testcase_standing();

    cr_assert_eq(usage_left(&standing, limit), left, "%s: %lld", limit_name(limit),
                 (long long)usage_left(&standing, limit));
}

Test(limits, a_job_past_a_limit_changes_nothing)
{
    struct key_standing standing;

    cr_assert_eq(testcase_create("one", &standing), 0);
    cr_assert_eq(usage_left(&standing, LIMIT_BURST), 1);
    cr_assert_eq(testcase_create("two", &standing), 0);
    cr_assert_eq(usage_left(&standing, LIMIT_BURST), 0);
    cr_assert_eq(testcase_create("three", &standing), STORE_LIMITED);
    testcase_left(LIMIT_PENDING_JOBS, 8);
    testcase_left(LIMIT_DAY_CHARS, 994);
    fake_clock_advance(&database.clock, 1000);
    cr_assert_eq(testcase_create("three", &standing), 0);
}

Test(limits, a_clock_that_was_set_back_is_followed_even_by_what_is_refused)
{
    struct key_standing standing;

    cr_assert_eq(testcase_create("one", &standing), 0);
    cr_assert_eq(testcase_create("two", &standing), 0);
    fake_clock_advance(&database.clock, -24 * 3600 * 1000);
    cr_assert_eq(testcase_create("three", &standing), STORE_LIMITED);
    fake_clock_advance(&database.clock, 1000);
    cr_assert_eq(testcase_create("three", &standing), 0);
}

Test(limits, two_processes_agree)
{
    struct store *first = database.store, *other;
    struct key_standing standing;

    cr_assert_eq(testcase_create("one", &standing), 0);
    cr_assert_eq(store_open(&database.options, &other, NULL), 0);
    database.store = other;
    cr_assert_eq(testcase_create("two", &standing), 0);
    database.store = first;
    cr_assert_eq(testcase_create("three", &standing), STORE_LIMITED);
    store_close(other);
}

Test(limits, of_several_jobs_in_one_transaction_each_counts)
{
    const struct job_request request = testcase_request("one");
    static const int expected[] = {0, 0, STORE_LIMITED, STORE_LIMITED};
    struct key_standing standing;

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    for (size_t i = 0; i < array_length(expected); i++) {
        struct job job = {0};

        cr_assert_eq(job_create(database.store, &request, &job, &standing, NULL), expected[i]);
        job_release(&job);
    }
    cr_assert_eq(store_commit(database.store, NULL), 0);
    testcase_left(LIMIT_PENDING_JOBS, 8);
    testcase_left(LIMIT_BURST, 0);
}

Test(limits, what_was_rolled_back_was_not_used)
{
    const struct job_request request = testcase_request("one");
    struct key_standing standing;
    struct job job = {0};

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(job_create(database.store, &request, &job, &standing, NULL), 0);
    store_rollback(database.store);
    job_release(&job);
    testcase_left(LIMIT_BURST, 2);
    testcase_left(LIMIT_PENDING_JOBS, 10);
    cr_assert_eq(testcase_create("two", &standing), 0);
    testcase_left(LIMIT_BURST, 1);
}

Test(limits, keys_do_not_share_what_they_use)
{
    struct job_request request = testcase_request("one");
    int64_t keys[12];
    struct key_standing standing;

    for (size_t i = 0; i < array_length(keys); i++)
        keys[i] = database_add_key(&database, (unsigned char)(10 + i));
    /* More keys in a transaction than are kept at hand. */
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < array_length(keys); i++) {
            struct job job = {0};

            request.key = keys[i];
            cr_assert_eq(job_create(database.store, &request, &job, &standing, NULL),
                         round < 2 ? 0 : STORE_LIMITED);
            job_release(&job);
        }
    cr_assert_eq(store_commit(database.store, NULL), 0);
    for (size_t i = 0; i < array_length(keys); i++) {
        cr_assert_eq(key_standing_read(database.store, keys[i], &standing, NULL), 0);
        cr_assert_eq(usage_left(&standing, LIMIT_PENDING_JOBS), 8);
    }
    testcase_left(LIMIT_PENDING_JOBS, 10);
}

Test(limits, audio_that_is_owed_becomes_audio_that_is_kept)
{
    int64_t worker = database_join(&database);
    struct key_standing standing;
    struct job claim;

    cr_assert_eq(testcase_create("one hundred", &standing), 0);
    testcase_left(LIMIT_STORED_BYTES, 10000000 - job_audio_estimate(11, AUDIO_WAV, 1));
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    testcase_left(LIMIT_PENDING_JOBS, 10);
    testcase_left(LIMIT_PENDING_CHARS, 1000);
    testcase_left(LIMIT_DAY_CHARS, 989);
    cr_assert_eq(database_finish(&database, &claim, &outcome_completed), 0);
    testcase_left(LIMIT_STORED_BYTES, 10000000 - 1044);
    job_release(&claim);
}

Test(limits, a_cancelled_job_gives_back_its_place_and_its_audio)
{
    struct key_standing standing;
    struct job job = database_add_job(&database, database.key, "one hundred", NULL), cancelled;

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(job_cancel(database.store, database.key, job.job_id, &cancelled, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    standing = testcase_standing();
    cr_assert_eq(usage_left(&standing, LIMIT_PENDING_JOBS), 10);
    cr_assert_eq(usage_left(&standing, LIMIT_PENDING_CHARS), 1000);
    cr_assert_eq(usage_left(&standing, LIMIT_STORED_BYTES), 10000000);
    cr_assert_eq(usage_left(&standing, LIMIT_BURST), 1, "a token is gone for good");
    job_release(&job);
    job_release(&cancelled);
}

Test(limits, a_key_may_have_limits_of_its_own_and_give_them_up)
{
    struct key_request change = KEY_UNCHANGED;
    struct key_standing standing;
    struct api_key *keys;
    size_t count;

    cr_assert_eq(key_list(database.store, &keys, &count, NULL), 0);
    cr_assert_eq(count, 1);
    change.limits.most[LIMIT_BURST] = 1;
    change.weight = 3;
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(key_change(database.store, keys[0].key_id, &change, NULL), 0);
    cr_assert_eq(key_change(database.store, "key_unknown", &change, NULL), STORE_NOT_FOUND);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    cr_assert_eq(testcase_create("one", &standing), 0);
    cr_assert_eq(standing.limits.most[LIMIT_BURST], 1);
    cr_assert_eq(standing.limits.most[LIMIT_PENDING_JOBS], 10);
    cr_assert_eq(testcase_create("two", &standing), STORE_LIMITED);
    change = KEY_UNCHANGED;
    change.limits.most[LIMIT_BURST] = 0;
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(key_change(database.store, keys[0].key_id, &change, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    api_key_release(&keys[0]);
    free(keys);
    cr_assert_eq(testcase_create("two", &standing), 0);
    cr_assert_eq(key_list(database.store, &keys, &count, NULL), 0);
    cr_assert_eq(keys[0].weight, 3, "what was not named stays");
    cr_assert_str_eq(keys[0].name, "test");
    api_key_release(&keys[0]);
    free(keys);
}

/* ---- fairness ---- */

static void testcase_claims(int64_t worker, int64_t key, int times)
{
    for (int i = 0; i < times; i++) {
        struct job claim;

        cr_assert_eq(database_claim(&database, worker, &claim), 0);
        cr_assert_eq(claim.key, key, "claim %d", i);
        job_release(&claim);
    }
}

Test(limits, idleness_while_nobody_waits_saves_up_no_turns)
{
    int64_t worker = database_join(&database), other = database_add_key(&database, 7);
    struct key_request change = KEY_UNCHANGED;
    struct api_key *keys;
    struct job job;
    size_t count;

    /* Limits would only be in the way. */
    change.limits.most[LIMIT_BURST] = change.limits.most[LIMIT_PENDING_JOBS] = 1000000;
    cr_assert_eq(key_list(database.store, &keys, &count, NULL), 0);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(key_change(database.store, keys[i].key_id, &change, NULL), 0);
        api_key_release(&keys[i]);
    }
    cr_assert_eq(store_commit(database.store, NULL), 0);
    free(keys);
    /* One key is served for a while, alone, and nothing waits. */
    for (int i = 0; i < 20; i++) {
        job = database_add_job(&database, database.key, "ten chars.", NULL);
        job_release(&job);
        testcase_claims(worker, database.key, 1);
    }
    /* Then another comes with many jobs, and the first with one: they are even, and it is not served last. */
    for (int i = 0; i < 10; i++) {
        job = database_add_job(&database, other, "ten chars.", NULL);
        job_release(&job);
    }
    job = database_add_job(&database, database.key, "ten chars.", NULL);
    job_release(&job);
    testcase_claims(worker, database.key, 1);
    testcase_claims(worker, other, 10);
}

Test(limits, keys_that_are_served_can_be_left_out_of_a_claim)
{
    int64_t worker = database_join(&database), other = database_add_key(&database, 7);
    struct job first = database_add_job(&database, database.key, "one", NULL), claim;

    cr_assert_eq(key_waits(database.store, &database.key, 1, NULL), STORE_NOT_FOUND);
    cr_assert_eq(key_waits(database.store, NULL, 0, NULL), 0);
    job_release(&first);
    first = database_add_job(&database, other, "two", NULL);
    cr_assert_eq(key_waits(database.store, &database.key, 1, NULL), 0);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(job_claim(database.store, worker, &database.key, 1, &claim, NULL), 0);
    cr_assert_eq(claim.key, other);
    job_release(&claim);
    cr_assert_eq(job_claim(database.store, worker, &database.key, 1, &claim, NULL), STORE_NOT_FOUND);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    job_release(&first);
}

/* ---- requests that are repeated ---- */

static struct repeatable testcase_repeatable(const char *name, unsigned char body)
{
    struct repeatable request = {.key = database.key, .name = name};

    memset(request.body_hash, body, sizeof request.body_hash);
    return request;
}

static int testcase_find(const struct repeatable *request, struct job *ret_job)
{
    struct error err = {""};
    int r;

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    r = repeatable_find(database.store, request, ret_job, &err);
    cr_assert_geq(r, 0, "%s", err.text);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    return r;
}

static struct job testcase_keep(const struct repeatable *request)
{
    const struct job_request row = testcase_request("one");
    struct key_standing standing;
    struct error err = {""};
    struct job job = {0};

    fake_clock_advance(&database.clock, 1000); /* for another token */
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(job_create(database.store, &row, &job, &standing, NULL), 0);
    cr_assert_eq(repeatable_keep(database.store, request, &job, &err), 0, "%s", err.text);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    return job;
}

/* What is found is that job. */
static void testcase_same(const struct repeatable *request, const struct job *first)
{
    cleanup(job_release) struct job found = {0};

    cr_assert_eq(testcase_find(request, &found), 0);
    cr_assert_str_eq(found.job_id, first->job_id);
    cr_assert_eq(found.queue_position, first->queue_position);
    cr_assert_eq(found.status, JOB_PENDING);
}

Test(repeatable, the_first_job_is_found_for_a_day)
{
    const struct repeatable request = testcase_repeatable("a", 1);
    cleanup(job_release) struct job first = {0}, second = {0}, none = {0};

    cr_assert_eq(testcase_find(&request, &none), STORE_NOT_FOUND);
    first = testcase_keep(&request);
    fake_clock_advance(&database.clock, REPEATABLE_KEPT_MS);
    testcase_same(&request, &first);
    fake_clock_advance(&database.clock, 1);
    cr_assert_eq(testcase_find(&request, &none), STORE_NOT_FOUND);
    second = testcase_keep(&request); /* in place of the row that is past its time */
    testcase_same(&request, &second);
}

Test(repeatable, what_became_of_the_job_is_not_told)
{
    const struct repeatable request = testcase_repeatable("a", 1);
    cleanup(job_release) struct job first = testcase_keep(&request), cancelled = {0};

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(job_cancel(database.store, database.key, first.job_id, &cancelled, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    cr_assert_eq(cancelled.status, JOB_CANCELLED);
    testcase_same(&request, &first);
}

Test(repeatable, another_body_is_another_request)
{
    const struct repeatable request = testcase_repeatable("a", 1), other = testcase_repeatable("a", 2);
    cleanup(job_release) struct job first = testcase_keep(&request), none = {0};

    cr_assert_eq(testcase_find(&other, &none), STORE_CONFLICT);
}

Test(repeatable, a_name_is_for_its_key_alone)
{
    struct repeatable request = testcase_repeatable("a", 1);
    cleanup(job_release) struct job first = testcase_keep(&request), none = {0};

    request.key = database_add_key(&database, 7);
    cr_assert_eq(testcase_find(&request, &none), STORE_NOT_FOUND);
}

Test(repeatable, in_one_transaction_the_first_is_still_in_flight)
{
    const struct repeatable request = testcase_repeatable("a", 1);
    const struct job_request row = testcase_request("one");
    cleanup(job_release) struct job job = {0}, none = {0};
    struct key_standing standing;

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(job_create(database.store, &row, &job, &standing, NULL), 0);
    cr_assert_eq(repeatable_keep(database.store, &request, &job, NULL), 0);
    cr_assert_eq(repeatable_find(database.store, &request, &none, NULL), STORE_IN_FLIGHT);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    testcase_same(&request, &job);
}

Test(repeatable, rows_past_their_time_are_removed_as_others_come)
{
    struct job job;
    char name[16];

    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "old-%d", i);
        job = testcase_keep(&(struct repeatable){.key = database.key, .name = name});
        job_release(&job);
    }
    fake_clock_advance(&database.clock, REPEATABLE_KEPT_MS + 60000);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "new-%d", i);
        job = testcase_keep(&(struct repeatable){.key = database.key, .name = name});
        job_release(&job);
    }
    cr_assert_eq(database_count(&database, "SELECT count(*) FROM idempotency_keys"), 3);
}
