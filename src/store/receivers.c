/* SPDX-License-Identifier: Apache-2.0 */
/* Which receivers are due; the transactions that plan attempts keep the table (webhooks.c, ends.c). */
#include "store/receivers.h"

#include <errno.h>
#include <string.h>

#include "store/internal.h"

void due_receivers_free(struct due_receiver *receivers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(receivers[i].receiver);
}

static int read_receivers(struct db_query *query, int class, struct due_receiver *receivers, size_t max,
                          size_t *count, struct error *err)
{
    int r = 0;

    while (*count < max && (r = db_step(query, err)) == DB_ROW) {
        struct due_receiver one = {
            .receiver = db_column_dup(query, 0),
            .due_at = db_column_int(query, 1),
            .standing = {.class = class, .failing_since = db_column_int(query, 2)},
        };

        if (one.receiver == NULL)
            return error_set(err, -ENOMEM, "out of memory");
        receivers[(*count)++] = one;
    }
    return r < 0 ? r : 0;
}

int receiver_due(struct store *store, int class, int64_t now_ms, const struct due_receiver *after,
                 struct due_receiver *ret_receivers, size_t max, size_t *ret_count, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_receiver_due);
    size_t count = 0;
    int r;

    db_bind_int(query, 1, class);
    db_bind_int(query, 2, now_ms);
    db_bind_int(query, 3, after != NULL ? after->due_at : INT64_MIN);
    db_bind_text(query, 4, after != NULL ? after->receiver : "");
    db_bind_int(query, 5, (int64_t)max);
    r = read_receivers(query, class, ret_receivers, max, &count, err);
    if (r < 0) {
        due_receivers_free(ret_receivers, count);
        return r;
    }
    *ret_count = count;
    return 0;
}

int receiver_next_due(struct store *store, int class, int64_t now_ms, int64_t *ret_due_at, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_receiver_next_due);
    int r;

    db_bind_int(query, 1, class);
    db_bind_int(query, 2, now_ms);
    r = db_step(query, err);
    if (r < 0)
        return r;
    *ret_due_at = r == DB_ROW ? db_column_int(query, 0) : 0;
    return 0;
}

int receiver_wrong(struct store *store, char **ret_receivers, size_t max, size_t *ret_count,
                   struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_receiver_wrong);
    size_t count = 0;
    int r = 0;

    db_bind_int(query, 1, store_now(store));
    db_bind_int(query, 2, (int64_t)max);
    while (count < max && (r = db_step(query, err)) == DB_ROW) {
        char *receiver = db_column_dup(query, 0);

        if (receiver == NULL) {
            r = error_set(err, -ENOMEM, "out of memory");
            break;
        }
        ret_receivers[count++] = receiver;
    }
    if (r >= 0) {
        *ret_count = count;
        return 0;
    }
    while (count > 0)
        free(ret_receivers[--count]);
    return r;
}

int receiver_mend(struct store *store, const char *receiver, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_receiver_mend);

    db_bind_text(query, 1, receiver);
    return db_run(query, err);
}
