/* SPDX-License-Identifier: Apache-2.0 */
#include "store/service.h"

#include <criterion/criterion.h>

#include "base/cleanup.h"
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

TestSuite(pause, .init = setup, .fini = teardown);

static int change(int (*verb)(struct store *, struct error *))
{
    int r;

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    r = verb(database.store, NULL);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    return r;
}

static int64_t paused_since(void)
{
    int64_t since = -1;

    cr_assert_eq(service_paused_since(database.store, &since, NULL), 0);
    return since;
}

static int64_t claimed(void)
{
    int64_t count = -1;

    cr_assert_eq(job_count_claimed(database.store, &count, NULL), 0);
    return count;
}

Test(pause, no_job_is_claimed_while_it_lasts_and_the_oldest_afterwards)
{
    cleanup(job_release) struct job first = database_add_job(&database, database.key, "One.", NULL);
    cleanup(job_release) struct job claim = {0};
    int64_t worker = database_join(&database);

    cr_assert_eq(change(service_pause), 0);
    cr_expect_eq(paused_since(), clock_wall_ms(&database.clock.clock));
    cr_expect_eq(database_claim(&database, worker, &claim), STORE_NOT_FOUND);
    cr_expect_eq(key_waits(database.store, NULL, 0, NULL), STORE_NOT_FOUND);
    cr_assert_eq(change(service_resume), 0);
    cr_expect_eq(paused_since(), 0);
    cr_expect_eq(key_waits(database.store, NULL, 0, NULL), 0);
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_expect_str_eq(claim.job_id, first.job_id);
}

Test(pause, what_was_claimed_goes_on_and_jobs_are_created)
{
    cleanup(job_release) struct job first = database_add_job(&database, database.key, "One.", NULL);
    cleanup(job_release) struct job claim = {0}, second = {0}, read = {0};
    int64_t worker = database_join(&database);

    cr_expect_eq(claimed(), 0);
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_assert_eq(change(service_pause), 0);
    cr_expect_eq(claimed(), 1);
    second = database_add_job(&database, database.key, "Two.", NULL);
    cr_assert_eq(database_finish(&database, &claim, &outcome_completed), 0);
    cr_expect_eq(claimed(), 0);
    cr_assert_eq(job_get(database.store, 0, first.job_id, &read, NULL), 0);
    cr_expect_eq(read.status, JOB_COMPLETED);
}

Test(pause, it_is_the_same_twice_and_keeps_its_beginning)
{
    int64_t since;

    cr_expect_eq(change(service_resume), STORE_CONFLICT);
    cr_expect_eq(change(service_pause), 0);
    since = paused_since();
    database.clock.wall_us += 5000000;
    cr_expect_eq(change(service_pause), STORE_CONFLICT);
    cr_expect_eq(paused_since(), since);
    cr_expect_eq(change(service_resume), 0);
    cr_expect_eq(change(service_resume), STORE_CONFLICT);
}

Test(pause, every_connection_sees_it)
{
    struct store *other;
    int64_t since = 0;

    cr_assert_eq(store_open(&database.options, &other, NULL), 0);
    cr_assert_eq(change(service_pause), 0);
    cr_assert_eq(service_paused_since(other, &since, NULL), 0);
    cr_expect_neq(since, 0);
    store_close(other);
}
