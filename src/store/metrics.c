/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

static const char *const names[METRIC_COUNT] = {
    [METRIC_JOBS_PENDING] = "job_status_total{status=\"pending\"}",
    [METRIC_JOBS_PROCESSING] = "job_status_total{status=\"processing\"}",
    [METRIC_JOBS_COMPLETED] = "job_status_total{status=\"completed\"}",
    [METRIC_JOBS_FAILED] = "job_status_total{status=\"failed\"}",
    [METRIC_JOBS_CANCELLED] = "job_status_total{status=\"cancelled\"}",
    [METRIC_QUEUE_LENGTH] = "job_queue_length",
    [METRIC_DELIVERIES_SUCCEEDED] = "webhook_delivery_total{result=\"success\"}",
    [METRIC_DELIVERIES_FAILED] = "webhook_delivery_total{result=\"failure\"}",
    [METRIC_RETRIES] = "webhook_retry_total",
    [METRIC_LEASES_LOST] = "leases_lost_total",
};

int metric_add(struct store *store, const char *name, double amount, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_metric_add);

    db_bind_text(query, 1, name);
    db_bind_double(query, 2, amount);
    return db_run(query, err);
}

int metric_get(struct store *store, const char *name, double *ret_value, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_metric_get);
    int r;

    db_bind_text(query, 1, name);
    r = db_step(query, err);
    if (r < 0)
        return r;
    *ret_value = r == DB_ROW ? db_column_double(query, 0) : 0.0; /* a counter that nothing has raised yet */
    return 0;
}

void store_count(struct store *store, enum metric metric, double amount)
{
    store->counted[metric] += amount;
}

int store_flush_counters(struct store *store, struct error *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < METRIC_COUNT; i++)
        if (store->counted[i] != 0.0)
            r = metric_add(store, names[i], store->counted[i], err);
    return r;
}
