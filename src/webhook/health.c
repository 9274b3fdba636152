/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/health.h"

/* What receivers of a class and of worse ones may have together, of 100 places. */
static const size_t shares[HEALTH_CLASS_COUNT] = {
    [HEALTH_PROVEN] = 100,
    [HEALTH_NEW] = 75,
    [HEALTH_SLOW] = 50,
};

void health_init(struct health *health, size_t window_max)
{
    *health = (struct health){
        .class = HEALTH_NEW,
        .window = window_max < HEALTH_WINDOW_FIRST ? (double)window_max : HEALTH_WINDOW_FIRST,
    };
}

void health_restore(struct health *health, enum health_class class, bool failing, int64_t failing_since)
{
    health->class = class;
    health->failures = failing ? HEALTH_FAILURES_MAX : 0;
    health->failing_since = failing ? failing_since : 0;
}

static void grow(struct health *health, size_t window_max)
{
    health->window += 1 / health->window;
    if (health->window > (double)window_max)
        health->window = (double)window_max;
}

static void shrink(struct health *health)
{
    health->window = health->window > 2 ? health->window / 2 : 1;
}

/* The pause behind an attempt at a receiver that is down. */
static int64_t pause_ms(const struct health *health, int64_t now)
{
    int64_t pause = (now - health->failing_since) / HEALTH_PAUSE_SHARE;

    return pause < HEALTH_PAUSE_MAX_MS ? pause : HEALTH_PAUSE_MAX_MS;
}

void health_pause(struct health *health, int64_t until)
{
    if (health->paused_until < until)
        health->paused_until = until;
}

void health_note(struct health *health, enum health_event event, bool soon, int64_t now, size_t window_max)
{
    health->class = soon && event != HEALTH_TIMED_OUT ? HEALTH_PROVEN : HEALTH_SLOW;
    if (event == HEALTH_TAKEN) {
        health->failures = 0;
        grow(health, window_max);
        return;
    }
    if (health->failures++ == 0)
        health->failing_since = now;
    if (event != HEALTH_FAILED)
        shrink(health);
    if (health_is_down(health, now))
        health_pause(health, now + pause_ms(health, now));
}

bool health_is_failing(const struct health *health)
{
    return health->failures >= HEALTH_FAILURES_MAX;
}

bool health_is_down(const struct health *health, int64_t now)
{
    return health_is_failing(health) && now - health->failing_since >= HEALTH_DOWN_MS;
}

size_t health_window(const struct health *health)
{
    return health_is_failing(health) ? 1 : (size_t)health->window;
}

bool health_is_well(const struct health *health)
{
    return health->class == HEALTH_PROVEN && health->failures == 0;
}

size_t places_used(const struct places *places)
{
    size_t used = 0;

    for (int class = 0; class < HEALTH_CLASS_COUNT; class ++)
        used += places->used[class];
    return used;
}

size_t places_free(const struct places *places, enum health_class class)
{
    size_t used = 0, room = SIZE_MAX;

    /* A place that the worst has is also one of what it and the better ones may have together. */
    for (int at = HEALTH_CLASS_COUNT - 1; at >= 0; at--) {
        size_t most = (places->max * shares[at] + 99) / 100;

        used += places->used[at];
        if (at <= (int)class) {
            size_t left = used < most ? most - used : 0;

            room = left < room ? left : room;
        }
    }
    return room;
}
