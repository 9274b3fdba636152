/* SPDX-License-Identifier: Apache-2.0 */
#include "store/gauges.h"

#include "store/internal.h"
#include "store/receivers.h"

int job_oldest_pending(struct store *store, int64_t *ret_created_at, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_metric_oldest_pending);
    int r;

    db_bind_int(query, 1, OLDEST_KEYS_MAX);
    r = db_step(query, err);
    if (r < 0)
        return r;
    *ret_created_at = db_column_int(query, 0) / 1000; /* an id is its creation in microseconds */
    return 0;
}

int webhook_longest_due(struct store *store, int64_t *ret_due_at, struct error *err)
{
    int64_t longest = 0;
    int r = 0;

    for (int class = 0; r == 0 && class < RECEIVER_CLASSES; class ++) {
        int64_t due_at = 0;

        r = receiver_next_due(store, class, 0, &due_at, err);
        if (due_at != 0 && (longest == 0 || due_at < longest))
            longest = due_at;
    }
    if (r == 0)
        *ret_due_at = longest;
    return r;
}
