/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What attempts have shown of a receiver, and how many may run at it at once.  Pure functions.
 *
 * A window grows by one for each round of attempts that were taken, and halves where the receiver says that
 * it has too much, or does not answer in time (additive increase, multiplicative decrease).  A receiver that
 * fails again and again is tried by one attempt at a time, until one is taken; where that lasts, with a pause
 * behind each.
 */
#ifndef WEBHOOK_HEALTH_H
#define WEBHOOK_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Attempts at a receiver of which nothing is known yet. */
#define HEALTH_WINDOW_FIRST 4

/* So many failures in a row, and it is tried by one attempt at a time. */
#define HEALTH_FAILURES_MAX 5

/* A receiver that has failed for so long is down: it gets a tenth of that time as a pause behind each
 * attempt, and this at most. */
#define HEALTH_DOWN_MS      60000
#define HEALTH_PAUSE_SHARE  10
#define HEALTH_PAUSE_MAX_MS 60000

/* Better ones first: the worse may have a part of all places only.  The database has these numbers. */
enum health_class {
    HEALTH_PROVEN = 0, /* its last attempt was answered soon */
    HEALTH_NEW = 1,    /* it has answered none yet */
    HEALTH_SLOW = 2,   /* its last attempt took long, or timed out */
    HEALTH_CLASS_COUNT
};

/* How an attempt ended, as far as it tells of the receiver. */
enum health_event {
    HEALTH_TAKEN,      /* it works: a success, or an answer that is about the one request (4xx) */
    HEALTH_FAILED,     /* an error of the receiver's, or no way to it */
    HEALTH_OVERLOADED, /* 429, 502, 503, 504 */
    HEALTH_TIMED_OUT,
};

struct health {
    enum health_class class;
    double window;         /* attempts at once, at least 1 */
    int failures;          /* in a row */
    int64_t failing_since; /* the time of the first of them, monotonic milliseconds */
    int64_t paused_until;  /* the same clock; 0: no pause, or the database has it */
};

/* window_max, 1 or more, is the most that any receiver may have. */
void health_init(struct health *health, size_t window_max);

/* As a sender before has left it: of that class, and failing since then (monotonic milliseconds) or not. */
void health_restore(struct health *health, enum health_class class, bool failing, int64_t failing_since);

/* soon: it took no long time, whatever it was. */
void health_note(struct health *health, enum health_event event, bool soon, int64_t now, size_t window_max);

/* Nothing goes to the receiver before then. */
void health_pause(struct health *health, int64_t until);

/* It failed so often that it is tried by one attempt at a time. */
bool health_is_failing(const struct health *health);

/* It has failed for HEALTH_DOWN_MS or longer. */
bool health_is_down(const struct health *health, int64_t now);

/* How many attempts may be at it at once. */
size_t health_window(const struct health *health);

/* It answers soon, and its last attempt was taken. */
bool health_is_well(const struct health *health);

/* The places of all receivers together: each attempt has one from its beginning to its answer. */
struct places {
    size_t max; /* 1 or more */
    size_t used[HEALTH_CLASS_COUNT];
};

size_t places_used(const struct places *places);

/* How many are free for receivers of that class: some are kept for those that are better. */
size_t places_free(const struct places *places, enum health_class class);

#endif
