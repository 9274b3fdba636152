/* SPDX-License-Identifier: Apache-2.0 */
/* Whose webhooks are begun where places are few. */
#include "webhook/due.h"

#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "support/database.h"

#define PLACES         4
#define PER_RECEIVER   4
#define ATTEMPTS_MAX   100
#define BACKLOG        12
#define PROVEN_ONE     "http://127.0.0.1:11"
#define PROVEN_ANOTHER "http://127.0.0.1:12"
#define NEW            "http://127.0.0.1:13"
#define SLOW           "http://127.0.0.1:14"

struct begun {
    struct receiver_state *receiver;
    enum health_class class;
};

static struct database database;
static int64_t worker;
static struct receivers receivers;
static struct begun begun[ATTEMPTS_MAX];
static size_t begun_count, ended_count;

static int begin(struct due_finder *due, struct webhook *webhook, struct receiver_state *receiver,
                 struct error *err)
{
    (void)due;
    (void)err;
    cr_assert_lt(begun_count, ATTEMPTS_MAX);
    database_begin_attempt(&database, webhook->webhook);
    begun[begun_count++] = (struct begun){receiver, receivers_hold(&receivers, receiver)};
    return 0;
}

static struct due_finder due;

static void setup(void)
{
    database_open(&database);
    worker = database_join(&database);
    receivers_init(&receivers, PLACES, PER_RECEIVER);
    due = (struct due_finder){
        .store = database.store, .clock = &database.clock.clock, .receivers = &receivers, .begin = begin};
}

static void teardown(void)
{
    receivers_release(&receivers);
    database_close(&database);
}

TestSuite(due, .init = setup, .fini = teardown);

static void owe(const char *url, int count)
{
    for (int i = 0; i < count; i++) {
        cleanup(job_release) struct job job = database_add_job(&database, database.key, "Hello.", url);
        cleanup(job_release) struct job claim = {0};

        cr_assert_eq(database_claim(&database, worker, &claim), 0);
        cr_assert_eq(database_finish(&database, &claim, &outcome_failed), 0);
    }
}

/* The attempt that has lasted longest ends, and a millisecond passes. */
static void end_one(void)
{
    const struct begun *oldest = &begun[ended_count++];

    receivers_let_go(&receivers, oldest->receiver, oldest->class);
    fake_clock_advance(&database.clock, 1);
}

static bool has_begun(const char *receiver)
{
    for (size_t i = 0; i < begun_count; i++)
        if (strcmp(begun[i].receiver->name, receiver) == 0)
            return true;
    return false;
}

Test(due, receivers_that_work_do_not_keep_every_place_for_themselves)
{
    owe(PROVEN_ONE "/x", BACKLOG);
    owe(PROVEN_ANOTHER "/x", BACKLOG);
    owe(NEW "/x", 1);
    owe(SLOW "/x", 1);
    database_execute(&database, "UPDATE receivers SET class = 0 WHERE receiver IN ('" PROVEN_ONE
                                "', '" PROVEN_ANOTHER "');"
                                "UPDATE receivers SET class = 2 WHERE receiver = '" SLOW "'");
    for (int round = 0; round < 2 * HEALTH_CLASS_COUNT; round++) {
        cr_assert_eq(due_look(&due, NULL), 0);
        cr_assert_eq(places_used(&receivers.places), PLACES, "none is free while something is due");
        end_one();
    }
    cr_expect(has_begun(PROVEN_ONE));
    cr_expect(has_begun(PROVEN_ANOTHER));
    cr_expect(has_begun(NEW), "one that is new has had its turn");
    cr_expect(has_begun(SLOW), "and so has one that is slow");
}
