/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the webhooks that are due and have a place.  Receivers are served in turn: of a class the one that
 * has waited longest, and one that was served goes to the end, which the database remembers
 * (receiver_due()); and the classes take turns in being served first, so that none of them takes each place
 * that becomes free.  So none waits for ever, and what a look costs is what it finds to send and the
 * receivers that have attempts under way: those that are paused, or whose class has no place left, are not
 * looked at.
 */
#ifndef WEBHOOK_DUE_H
#define WEBHOOK_DUE_H

#include "base/clock.h"
#include "store/receivers.h"
#include "webhook/receivers.h"

/* The caller fills the first four members and leaves the rest zero. */
struct due_finder {
    struct store *store;
    const struct clock *clock;
    struct receivers *receivers;

    /* Begins an attempt, which from then on holds its receiver; takes over the strings of webhook, as
     * attempt_new() does. */
    int (*begin)(struct due_finder *due, struct webhook *webhook, struct receiver_state *receiver,
                 struct error *err);

    bool look;        /* something may be due that was not seen yet */
    int64_t next_due; /* wall-clock milliseconds of the next that will be; 0 is none */

    /* Its own. */
    unsigned int turn; /* the class that the next look serves first, modulo their number */
    bool begun;        /* this look has found something to send */
};

/* Calls begin for all that is due now and has a place, and sets next_due. */
int due_look(struct due_finder *due, struct error *err);

#endif
