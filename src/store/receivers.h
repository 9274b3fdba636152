/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receivers that webhooks are owed to: whose turn it is, and what a sender knows of each and leaves to
 * the next.  As in store.h.
 */
#ifndef STORE_RECEIVERS_H
#define STORE_RECEIVERS_H

#include "store/store.h"

/* What a sender knows of a receiver and keeps here. */
struct receiver_standing {
    int class; /* the sender's, below RECEIVER_CLASSES; RECEIVER_CLASS_NEW until it says otherwise */
    int64_t failing_since; /* 0: it does not fail */
};
#define RECEIVER_CLASS_NEW 1
#define RECEIVER_CLASSES   3

struct due_receiver {
    char *receiver;
    int64_t due_at; /* whose is smaller waits longer; an attempt that begins ends the wait */
    struct receiver_standing standing;
};

/*
 * The receivers of a class that have a webhook due at now_ms and no pause, at most max of them: those first
 * that wait longest, behind `after` (NULL is the start; the caller goes on from the last).  What it costs
 * does not depend on how many others there are.  The caller frees the strings.
 */
int receiver_due(struct store *store, int class, int64_t now_ms, const struct due_receiver *after,
                 struct due_receiver *ret_receivers, size_t max, size_t *ret_count, struct error *err);
void due_receivers_free(struct due_receiver *receivers, size_t count);

/*
 * At most max receivers whose time in the store does not follow from their webhooks, which an older program
 * beside this one may leave behind; and [write] one that is put right.  It looks at each receiver that is
 * owed something, once, and takes no lock for that.  The caller frees the strings.
 */
int receiver_wrong(struct store *store, char **ret_receivers, size_t max, size_t *ret_count,
                   struct error *err);
int receiver_mend(struct store *store, const char *receiver, struct error *err);

/* The time behind now_ms at which the next receiver of a class will be due; 0 where none will. */
int receiver_next_due(struct store *store, int class, int64_t now_ms, int64_t *ret_due_at, struct error *err);

#endif
