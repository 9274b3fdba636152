/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the webhooks that are due and have a place.  Receivers are served in turn, from behind the one that
 * was served last: where places are few, none waits for ever, and one that may have no more is passed over.
 */
#ifndef WEBHOOK_DUE_H
#define WEBHOOK_DUE_H

#include "base/clock.h"
#include "store/store.h"
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
    char *cursor;     /* the receiver served last; NULL: start with the first */
};

/* Calls begin for all that is due now and has a place, and sets next_due. */
int due_look(struct due_finder *due, struct error *err);

void due_release(struct due_finder *due);

#endif
