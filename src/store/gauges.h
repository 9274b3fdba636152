/* SPDX-License-Identifier: Apache-2.0 */
/* What metrics look at and nothing counts, each by a bounded number of looks into an index.  As in store.h.
 */
#ifndef STORE_GAUGES_H
#define STORE_GAUGES_H

#include "store/store.h"

/*
 * When the oldest job that is pending was created; 0 where none is.  Of more than OLDEST_KEYS_MAX keys that
 * wait it looks at those only that have been served most, whose turn is last: so it costs a few milliseconds
 * at most, and is never too old.
 */
#define OLDEST_KEYS_MAX 1000
int job_oldest_pending(struct store *store, int64_t *ret_created_at, struct error *err);

/* Since when the webhook is due that has been due for longest; it may be a time that has not come.  0 where
 * none is planned. */
int webhook_longest_due(struct store *store, int64_t *ret_due_at, struct error *err);

#endif
