/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "store/internal.h"

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

int metrics_read(struct store *store, double ret_values[METRIC_COUNT], struct error *err)
{
    double values[METRIC_COUNT];
    char name[METRIC_NAME_SIZE];
    int r = 0;

    for (size_t i = 0; r == 0 && i < METRIC_COUNT; i++) {
        metric_name((enum metric)i, name);
        r = metric_get(store, name, &values[i], err);
    }
    if (r == 0)
        memcpy(ret_values, values, sizeof values);
    return r;
}

void metric_add(struct store *store, enum metric metric, double amount)
{
    assert(db_in_transaction(store->db));
    store->counted[metric] += amount;
}

void store_observe_ms(struct store *store, enum metric histogram, int64_t ms)
{
    if (ms < 0)
        ms = 0;
    metric_add(store, metric_bucket(histogram, ms * METRIC_MILLIONTHS / 1000), 1);
    metric_add(store, metric_sum(histogram), (double)ms / 1000);
}

static int write_one(struct store *store, enum metric metric, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_metric_add);
    char name[METRIC_NAME_SIZE];

    metric_name(metric, name);
    db_bind_text(query, 1, name);
    db_bind_double(query, 2, store->counted[metric]);
    return db_run(query, err);
}

int store_flush_counters(struct store *store, struct error *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < METRIC_COUNT; i++)
        if (store->counted[i] != 0.0)
            r = write_one(store, (enum metric)i, err);
    return r;
}
