/* SPDX-License-Identifier: Apache-2.0 */
/* The attempts at a webhook, as clients and administrators see them. */
#include <errno.h>

#include "store/internal.h"
#include "store/outbox.h"

void deliveries_free(struct delivery *deliveries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(deliveries[i].error_code);
        free(deliveries[i].error_message);
        free(deliveries[i].response_excerpt);
        free(deliveries[i].peer);
    }
    free(deliveries);
}

/* -1 for NULL. */
static int64_t column_or_none(struct db_query *query, int column)
{
    return db_column_is_null(query, column) ? -1 : db_column_int(query, column);
}

static void read_delivery(struct db_query *query, struct delivery *ret_delivery)
{
    char *peer = db_column_dup(query, 10);

    *ret_delivery = (struct delivery){
        .attempt = db_column_int(query, 0),
        .started_at = db_column_int(query, 3),
        .duration_ms = column_or_none(query, 4),
        .status_code = db_column_int(query, 5),
        .error_code = db_column_dup(query, 6),
        .error_message = db_column_dup(query, 7),
        .response_excerpt = db_column_dup(query, 8),
        .next_attempt_at = db_column_int(query, 9),
        .traced = !db_column_is_null(query, 12),
        .trace = {.peer = peer,
                  .reused = db_column_int(query, 11) != 0,
                  .sends = db_column_int(query, 12),
                  .name_lookup_us = column_or_none(query, 13),
                  .connect_us = column_or_none(query, 14),
                  .tls_us = column_or_none(query, 15),
                  .first_byte_us = column_or_none(query, 16),
                  .total_us = column_or_none(query, 17)},
        .peer = peer,
    };
    event_type_parse(db_column_text(query, 1), &ret_delivery->event);
    db_column_copy(query, 2, ret_delivery->webhook_id, sizeof ret_delivery->webhook_id);
}

int outbox_attempts(struct store *store, int64_t webhook, struct delivery **ret_deliveries, size_t *ret_count,
                    struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_delivery_of_webhook);
    struct delivery *deliveries = NULL;
    size_t count = 0;
    int r;

    db_bind_int(query, 1, webhook);
    db_bind_int(query, 2, WEBHOOK_ATTEMPTS_MAX);
    while ((r = db_step(query, err)) == DB_ROW) {
        struct delivery *grown = reallocarray(deliveries, count + 1, sizeof *deliveries);

        if (grown == NULL)
            break;
        deliveries = grown;
        read_delivery(query, &deliveries[count++]);
    }
    if (r == DB_ROW || (r == 0 && db_query_failed(query)))
        r = error_set(err, -ENOMEM, "out of memory");
    if (r < 0) {
        deliveries_free(deliveries, count);
        return r;
    }
    *ret_deliveries = deliveries;
    *ret_count = count;
    return 0;
}

int delivery_list(struct store *store, int64_t key, const char *job_id, struct delivery **ret_deliveries,
                  size_t *ret_count, struct error *err)
{
    cleanup(job_release) struct job job = {0};
    int64_t webhook;
    int r = job_get(store, key, job_id, &job, err);

    if (r == 0)
        r = store_webhook_of_job(store, job.id, &webhook, err);
    if (r == 0)
        return outbox_attempts(store, webhook, ret_deliveries, ret_count, err);
    if (r != STORE_CONFLICT)
        return r;
    *ret_deliveries = NULL; /* it owes none */
    *ret_count = 0;
    return 0;
}
