/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the webhooks that are due and have a place.  Receivers are served in turn, from behind the one that
 * was served last: where places are few, none waits for ever, and one that is at its limit is passed over.
 */
#ifndef WEBHOOK_DUE_H
#define WEBHOOK_DUE_H

#include "config/settings.h"
#include "store/store.h"
#include "webhook/attempt.h"

/* The caller fills the first four members and leaves the rest zero. */
struct due_finder {
    struct store *store;
    const struct settings *settings; /* the limits and the delay of a first attempt */
    const struct attempt_list *attempts;

    /* Begins an attempt, which is then in the list; takes over the strings of webhook, as attempt_new() does.
     */
    int (*begin)(struct due_finder *due, struct webhook *webhook, struct error *err);

    bool look;        /* something may be due that was not seen yet */
    int64_t next_due; /* wall-clock milliseconds of the next that will be; 0 is none */
    char *cursor;     /* the receiver served last; NULL: start with the first */
};

/* Calls begin for all that is due at now (wall-clock milliseconds) and has a place, and sets next_due. */
int due_look(struct due_finder *due, int64_t now, struct error *err);

void due_release(struct due_finder *due);

#endif
