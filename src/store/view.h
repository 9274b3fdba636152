/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service at a glance, as an administrator looks at it.  As in store.h.
 *
 * It costs the same with ten rows as with ten million: what is over is counted by counters, what waits by
 * indices that hold nothing else, and counts end at VIEW_COUNT_MAX.
 */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include "store/store.h"

/* Where a count ends: some milliseconds of work, and more is "many". */
#define VIEW_COUNT_MAX 100000

/* So many receivers are looked at, the slow ones first, and so many of those in trouble named. */
#define VIEW_RECEIVERS_MAX 2000
#define VIEW_RECEIVERS     10

/* What is lately. */
#define VIEW_LATELY_MS INT64_C(60000)
#define VIEW_DAY_MS    (INT64_C(24) * 60 * 60 * 1000)

struct view_receiver {
    char *receiver;       /* owned */
    int64_t paused_until; /* 0 is not paused */
    int64_t failing_since;
    bool slow;
};

struct service_view {
    double metrics[METRIC_COUNT];
    int64_t paused_since;      /* 0 is not */
    int64_t claimed;           /* jobs */
    int64_t oldest_pending_at; /* 0 where none waits */
    int64_t created_lately;
    int64_t ended_lately;
    int64_t webhooks_planned;
    int64_t webhooks_open; /* attempts under way */
    int64_t webhooks_failed_in_a_day;
    int64_t receivers_paused;
    int64_t receivers_failing;
    int64_t receivers_slow;
    struct view_receiver receivers[VIEW_RECEIVERS];
    size_t receiver_count;
    int64_t keys; /* revoked ones too */
    int64_t keys_revoked;
};

/* All of it in one state; the caller releases it. */
int service_view_read(struct store *store, struct service_view *ret_view, struct error *err);
void service_view_release(struct service_view *view);

#endif
