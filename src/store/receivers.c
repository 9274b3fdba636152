/* SPDX-License-Identifier: Apache-2.0 */
/* Which receivers are due; the transactions that plan attempts keep the table (webhooks.c, ends.c). */
#include <errno.h>
#include <string.h>

#include "store/internal.h"

void receivers_free(char **receivers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(receivers[i]);
}

int receiver_due(struct store *store, int64_t now_ms, const char *after, char **ret_receivers, size_t max,
                 size_t *ret_count, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_receiver_due);
    size_t count = 0;
    int r = 0;

    db_bind_int(query, 1, now_ms);
    db_bind_text(query, 2, after);
    db_bind_int(query, 3, (int64_t)max);
    while (count < max && (r = db_step(query, err)) == DB_ROW) {
        ret_receivers[count] = db_column_dup(query, 0);
        if (ret_receivers[count] == NULL) {
            r = error_set(err, -ENOMEM, "out of memory");
            break;
        }
        count++;
    }
    if (r < 0) {
        receivers_free(ret_receivers, count);
        return r;
    }
    *ret_count = count;
    return 0;
}

int receiver_next_due(struct store *store, int64_t now_ms, int64_t *ret_due_at, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_receiver_next_due);
    int r;

    db_bind_int(query, 1, now_ms);
    r = db_step(query, err);
    if (r < 0)
        return r;
    *ret_due_at = r == DB_ROW ? db_column_int(query, 0) : 0;
    return 0;
}
