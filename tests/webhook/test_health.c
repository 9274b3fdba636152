/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/receivers.h"

#include <stdio.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"

#define WINDOW_MAX 16

static struct health make(void)
{
    struct health health;

    health_init(&health, WINDOW_MAX);
    return health;
}

static void note(struct health *health, enum health_event event, int count, int64_t now)
{
    for (int i = 0; i < count; i++)
        health_note(health, event, true, now, WINDOW_MAX);
}

Test(health, a_receiver_that_works_gets_more_and_more_up_to_the_limit)
{
    struct health health = make();

    cr_expect_eq(health_window(&health), HEALTH_WINDOW_FIRST);
    note(&health, HEALTH_TAKEN, 5, 0);
    cr_expect_eq(health_window(&health), HEALTH_WINDOW_FIRST + 1, "one more a round");
    note(&health, HEALTH_TAKEN, 1000, 0);
    cr_expect_eq(health_window(&health), WINDOW_MAX);
}

Test(health, the_limit_of_a_receiver_bounds_the_first_window_too)
{
    struct health health;

    health_init(&health, 1);
    cr_expect_eq(health_window(&health), 1);
}

Test(health, too_much_halves_it_down_to_one)
{
    struct health health = make();

    note(&health, HEALTH_TAKEN, 1000, 0);
    note(&health, HEALTH_OVERLOADED, 1, 0);
    cr_expect_eq(health_window(&health), WINDOW_MAX / 2);
    note(&health, HEALTH_TIMED_OUT, 1, 0);
    cr_expect_eq(health_window(&health), WINDOW_MAX / 4);
    note(&health, HEALTH_OVERLOADED, 2, 0);
    cr_expect_eq(health_window(&health), 1);
}

Test(health, one_that_keeps_failing_is_tried_by_one_until_one_is_taken)
{
    struct health health = make();

    note(&health, HEALTH_FAILED, HEALTH_FAILURES_MAX - 1, 0);
    cr_expect_eq(health_window(&health), HEALTH_WINDOW_FIRST, "it may have been a few requests");
    note(&health, HEALTH_FAILED, 1, 0);
    cr_expect_eq(health_window(&health), 1);
    note(&health, HEALTH_TAKEN, 1, 0);
    cr_expect_eq(health_window(&health), HEALTH_WINDOW_FIRST, "the rest follow");
}

Test(health, one_that_is_down_gets_a_pause_that_grows_with_the_time)
{
    struct health health = make();

    note(&health, HEALTH_FAILED, HEALTH_FAILURES_MAX, 1000);
    note(&health, HEALTH_FAILED, 1, 1000 + HEALTH_DOWN_MS - 1);
    cr_expect_eq(health.paused_until, 0, "not for long yet");
    note(&health, HEALTH_FAILED, 1, 1000 + HEALTH_DOWN_MS);
    cr_expect(health_is_down(&health, 1000 + HEALTH_DOWN_MS));
    cr_expect_eq(health.paused_until, 1000 + HEALTH_DOWN_MS + HEALTH_DOWN_MS / 10);
    note(&health, HEALTH_FAILED, 1, 1000 + 100 * HEALTH_DOWN_MS);
    cr_expect_eq(health.paused_until, 1000 + 100 * HEALTH_DOWN_MS + HEALTH_PAUSE_MAX_MS);
    note(&health, HEALTH_TAKEN, 1, 1001 + 100 * HEALTH_DOWN_MS);
    cr_expect_not(health_is_failing(&health));
}

Test(health, a_pause_ends_with_its_time_whatever_other_attempts_meet_meanwhile)
{
    struct health health = make();

    note(&health, HEALTH_FAILED, HEALTH_FAILURES_MAX, 0);
    health_pause(&health, 1000 * HEALTH_DOWN_MS);
    note(&health, HEALTH_FAILED, 1, HEALTH_DOWN_MS);
    cr_expect_eq(health.paused_until, 1000 * HEALTH_DOWN_MS, "that of its failures is shorter");
    note(&health, HEALTH_TAKEN, 1, HEALTH_DOWN_MS);
    cr_expect_eq(health.paused_until, 1000 * HEALTH_DOWN_MS, "it has asked for it");
}

Test(health, an_answer_that_took_long_is_no_proof_though_it_is_taken)
{
    struct health health = make();

    health_note(&health, HEALTH_TAKEN, false, 0, WINDOW_MAX);
    cr_expect_eq(health.class, HEALTH_SLOW);
    cr_expect_geq(health_window(&health), HEALTH_WINDOW_FIRST, "its window grows all the same");
    cr_expect_not(health_is_well(&health));
}

Test(health, an_answer_that_comes_soon_proves_a_receiver_whatever_it_says)
{
    struct health health = make();

    cr_expect_eq(health.class, HEALTH_NEW);
    note(&health, HEALTH_TIMED_OUT, 1, 0);
    cr_expect_eq(health.class, HEALTH_SLOW);
    note(&health, HEALTH_FAILED, 1, 0);
    cr_expect_eq(health.class, HEALTH_PROVEN);
}

Test(places, are_kept_free_for_receivers_that_answer_in_time)
{
    struct places places = {.max = 100};

    places.used[HEALTH_SLOW] = 50;
    cr_expect_eq(places_free(&places, HEALTH_SLOW), 0);
    cr_expect_eq(places_free(&places, HEALTH_NEW), 25);
    places.used[HEALTH_NEW] = 25;
    cr_expect_eq(places_free(&places, HEALTH_NEW), 0);
    cr_expect_eq(places_free(&places, HEALTH_PROVEN), 25);
    places.used[HEALTH_PROVEN] = 25;
    cr_expect_eq(places_free(&places, HEALTH_PROVEN), 0);
    cr_expect_eq(places_used(&places), 100);
}

Test(places, that_good_receivers_have_are_no_others)
{
    struct places places = {.max = 100, .used = {[HEALTH_PROVEN] = 90}};

    cr_expect_eq(places_free(&places, HEALTH_SLOW), 10);
    cr_expect_eq(places_free(&places, HEALTH_NEW), 10);
}

Test(places, there_is_one_for_everybody)
{
    struct places places = {.max = 1};

    for (int class = 0; class < HEALTH_CLASS_COUNT; class ++)
        cr_expect_eq(places_free(&places, (enum health_class) class), 1);
}

/* As the database has one that nothing is known of. */
static struct receiver_state *remember(struct receivers *receivers, const char *name)
{
    static const struct receiver_standing unknown = {.class = RECEIVER_CLASS_NEW};
    struct receiver_state *found = receivers_find(receivers, name);

    return found != NULL ? found : receivers_add(receivers, name, &unknown, 0);
}

Test(receivers, one_is_remembered_by_its_name)
{
    struct receivers receivers;
    struct receiver_state *receiver;

    receivers_init(&receivers, 10, 4);
    receiver = remember(&receivers, "https://a.example:443");
    cr_assert_not_null(receiver);
    cr_expect_eq(remember(&receivers, "https://a.example:443"), receiver);
    cr_expect_neq(remember(&receivers, "https://b.example:443"), receiver);
    cr_expect_eq(receivers_hold(&receivers, receiver), HEALTH_NEW);
    cr_expect_eq(places_used(&receivers.places), 1, "it has a place before it is sent");
    receivers_let_go(&receivers, receiver, HEALTH_NEW);
    cr_expect_eq(places_used(&receivers.places), 0);
    receivers_release(&receivers);
}

Test(receivers, one_that_works_has_more_ready_than_its_window_sends)
{
    struct receivers receivers;
    struct receiver_state *receiver;

    receivers_init(&receivers, 100, 4);
    receiver = remember(&receivers, "a");
    cr_expect_eq(receivers_room(&receivers, receiver, 0), 4, "nothing is known of it yet");
    health_note(&receiver->health, HEALTH_TAKEN, true, 0, 4);
    cr_expect_eq(receivers_room(&receivers, receiver, 0), (1 + RECEIVERS_AHEAD) * 4);
    for (int i = 0; i < 4; i++) {
        receivers_hold(&receivers, receiver);
        cr_expect(receivers_may_send(receiver));
        receiver->sending++;
    }
    cr_expect_eq(receivers_room(&receivers, receiver, 0), RECEIVERS_AHEAD * 4);
    cr_expect_not(receivers_may_send(receiver));
    receiver->sending--;
    cr_expect(receivers_may_send(receiver));
    health_note(&receiver->health, HEALTH_FAILED, true, 0, 4);
    cr_expect_eq(receivers_room(&receivers, receiver, 0), 0, "none beyond its window once it fails");
    receiver->health.paused_until = 10;
    cr_expect_eq(receivers_room(&receivers, receiver, 9), 0);
    receivers_release(&receivers);
}

Test(receivers, however_many_there_are_few_idle_ones_are_kept_and_every_one_at_work)
{
    struct receivers receivers;
    struct receiver_state *busy;
    char name[32];

    receivers_init(&receivers, 10, 4);
    busy = remember(&receivers, "busy");
    receivers_hold(&receivers, busy);
    for (int i = 0; i < 3 * RECEIVERS_IDLE_MAX; i++) {
        snprintf(name, sizeof name, "%d", i);
        cr_assert_not_null(remember(&receivers, name));
    }
    cr_expect_eq(receivers.idle_count, RECEIVERS_IDLE_MAX);
    cr_expect_eq(remember(&receivers, "busy"), busy);
    receivers_let_go(&receivers, busy, HEALTH_NEW);
    cr_expect_eq(receivers.idle_count, RECEIVERS_IDLE_MAX);
    receivers_release(&receivers);
}

Test(receivers, one_that_was_forgotten_begins_as_the_database_has_it)
{
    static const struct receiver_standing slow = {.class = HEALTH_SLOW, .failing_since = 5};
    struct receivers receivers;
    struct receiver_state *receiver;

    receivers_init(&receivers, 100, 16);
    receiver = receivers_add(&receivers, "a", &slow, 1000);
    cr_expect_eq(receiver->health.class, HEALTH_SLOW);
    cr_expect_eq(receivers_room(&receivers, receiver, 1000), 1, "it is tried by one at a time");
    cr_expect(health_is_down(&receiver->health, 1000 + HEALTH_DOWN_MS));
    health_note(&receiver->health, HEALTH_TAKEN, true, 2000, 16);
    cr_expect_not(health_is_failing(&receiver->health));
    receivers_release(&receivers);
}
