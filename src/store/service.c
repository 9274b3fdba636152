/* SPDX-License-Identifier: Apache-2.0 */
/* The service as a whole: whether claiming is paused. */
#include "store/internal.h"

/* The first column of a statement without parameters; 0 where it has no row. */
static int read_one(struct store *store, enum statement statement, int64_t *ret_value, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, statement);
    int r = db_step(query, err);

    if (r < 0)
        return r;
    *ret_value = r == DB_ROW ? db_column_int(query, 0) : 0;
    return 0;
}

int service_paused_since(struct store *store, int64_t *ret_wall_ms, struct error *err)
{
    return read_one(store, STATEMENT_pause_since, ret_wall_ms, err);
}

int service_pause(struct store *store, struct error *err)
{
    int r = store_run_on_row(store, STATEMENT_pause_begin, store_now(store), err);

    if (r < 0)
        return r;
    return db_changes(store->db) > 0 ? 0 : STORE_CONFLICT;
}

int service_resume(struct store *store, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_pause_end);
    int r = db_run(query, err);

    if (r < 0)
        return r;
    return db_changes(store->db) > 0 ? 0 : STORE_CONFLICT;
}

int job_count_claimed(struct store *store, int64_t *ret_count, struct error *err)
{
    return read_one(store, STATEMENT_job_count_claimed, ret_count, err);
}
