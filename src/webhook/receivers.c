/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/receivers.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *left, const void *right)
{
    const struct receiver_state *a = left, *b = right;

    return strcmp(a->name, b->name);
}

static void free_receiver(void *argument)
{
    struct receiver_state *receiver = argument;

    free(receiver->name);
    free(receiver);
}

void receivers_init(struct receivers *receivers, size_t max_in_flight, size_t max_per_receiver)
{
    *receivers = (struct receivers){.places = {.max = max_in_flight}, .window_max = max_per_receiver};
    TAILQ_INIT(&receivers->idle);
}

void receivers_release(struct receivers *receivers)
{
    tdestroy(receivers->tree, free_receiver);
    receivers->tree = NULL;
}

static void forget(struct receivers *receivers, struct receiver_state *receiver)
{
    TAILQ_REMOVE(&receivers->idle, receiver, idle);
    receivers->idle_count--;
    tdelete(receiver, &receivers->tree, compare);
    free_receiver(receiver);
}

struct receiver_state *receivers_add(struct receivers *receivers, const char *name,
                                     const struct receiver_standing *standing, int64_t failing_since)
{
    struct receiver_state *receiver = calloc(1, sizeof *receiver);

    if (receiver == NULL)
        return NULL;
    receiver->name = strdup(name);
    if (receiver->name == NULL || tsearch(receiver, &receivers->tree, compare) == NULL) {
        free_receiver(receiver);
        return NULL;
    }
    health_init(&receiver->health, receivers->window_max);
    health_restore(&receiver->health, (enum health_class)standing->class, standing->failing_since != 0,
                   failing_since);
    receiver->recorded = *standing;
    TAILQ_INSERT_TAIL(&receivers->idle, receiver, idle);
    if (++receivers->idle_count > RECEIVERS_IDLE_MAX)
        forget(receivers, TAILQ_FIRST(&receivers->idle));
    return receiver;
}

struct receiver_state *receivers_find(const struct receivers *receivers, const char *name)
{
    const struct receiver_state wanted = {.name = (char *)(uintptr_t)name};
    struct receiver_state *const *found = tfind(&wanted, &receivers->tree, compare);

    return found != NULL ? *found : NULL;
}

static bool may_record_ahead(const struct receivers *receivers, const struct health *health)
{
    return health_is_well(health) && places_used(&receivers->places) <= receivers->places.max / 2;
}

size_t receivers_room(const struct receivers *receivers, const struct receiver_state *receiver, int64_t now)
{
    const struct health *health = &receiver->health;
    size_t window = health_window(health);
    size_t most = may_record_ahead(receivers, health) ? (1 + RECEIVERS_AHEAD) * window : window;
    size_t places = places_free(&receivers->places, health->class);
    size_t room = receiver->attempts < most ? most - receiver->attempts : 0;

    if (now < health->paused_until)
        return 0;
    return room < places ? room : places;
}

enum health_class receivers_hold(struct receivers *receivers, struct receiver_state *receiver)
{
    if (receiver->attempts++ == 0) {
        TAILQ_REMOVE(&receivers->idle, receiver, idle);
        receivers->idle_count--;
    }
    receivers->places.used[receiver->health.class]++;
    return receiver->health.class;
}

void receivers_let_go(struct receivers *receivers, struct receiver_state *receiver, enum health_class class)
{
    receivers->places.used[class]--;
    if (--receiver->attempts > 0)
        return;
    TAILQ_INSERT_TAIL(&receivers->idle, receiver, idle);
    if (++receivers->idle_count > RECEIVERS_IDLE_MAX)
        forget(receivers, TAILQ_FIRST(&receivers->idle));
}

bool receivers_may_send(const struct receiver_state *receiver)
{
    return receiver->sending < health_window(&receiver->health);
}
