/* SPDX-License-Identifier: Apache-2.0 */
/* The receivers that a dispatcher has to do with, in memory.  One thread's. */
#ifndef WEBHOOK_RECEIVERS_H
#define WEBHOOK_RECEIVERS_H

#include <sys/queue.h>

#include "store/receivers.h"
#include "webhook/health.h"

/*
 * Receivers without attempts that are remembered; past it, those are forgotten that were idle for longest:
 * their windows, while the database keeps their class and whether they fail.
 */
#define RECEIVERS_IDLE_MAX 4096

/*
 * Attempts that are recorded ahead for a receiver that works, in windows: as many as it may take while the
 * disk writes one group.  With one a disk that took 2 ms for it left 12,000 deliveries a second of 20,000.
 */
#define RECEIVERS_AHEAD 4

struct receiver_state {
    char *name; /* as the store has it: scheme, host and port */
    struct health health;
    struct receiver_standing recorded; /* as the database has it, or will */
    size_t attempts;                   /* begun and not answered */
    size_t beginning; /* those of them that are not committed yet, and so still look due in the database */
    size_t sending;   /* those at the receiver */
    TAILQ_ENTRY(receiver_state) idle;
};

struct receivers {
    struct places places;
    size_t window_max; /* attempts at one receiver */
    void *tree;        /* tsearch(3), by name */
    TAILQ_HEAD(, receiver_state) idle;
    size_t idle_count;
};

void receivers_init(struct receivers *receivers, size_t max_in_flight, size_t max_per_receiver);
void receivers_release(struct receivers *receivers);

/* The receiver of that name, or NULL where it is not remembered.  Valid until one is added or let go, unless
 * an attempt holds it. */
struct receiver_state *receivers_find(const struct receivers *receivers, const char *name);

/* Remembers one that is not yet; failing_since is the standing's, in monotonic milliseconds.  NULL where
 * memory ran out. */
struct receiver_state *receivers_add(struct receivers *receivers, const char *name,
                                     const struct receiver_standing *standing, int64_t failing_since);

/*
 * How many attempts may begin at it now (monotonic milliseconds).  Where it works, and half of all places are
 * free, RECEIVERS_AHEAD more windows than may be sent: they are recorded while others are sent.
 */
size_t receivers_room(const struct receivers *receivers, const struct receiver_state *receiver, int64_t now);

/* An attempt begins and takes a place, or gives it back: class is what the first returned. */
enum health_class receivers_hold(struct receivers *receivers, struct receiver_state *receiver);
void receivers_let_go(struct receivers *receivers, struct receiver_state *receiver, enum health_class class);

/* Whether an attempt that has begun may be sent. */
bool receivers_may_send(const struct receiver_state *receiver);

#endif
