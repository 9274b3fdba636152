/* SPDX-License-Identifier: Apache-2.0 */
#include "store/service.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

int job_newest_at(struct store *store, int64_t *ret_wall_ms, struct error *err)
{
    int64_t row = 0;
    int r = read_one(store, STATEMENT_job_last_id, &row, err);

    if (r == 0)
        *ret_wall_ms = row / 1000; /* a row is the microsecond of its creation */
    return r;
}

/* The first column, as text, of a statement that has one row; a longer one is cut. */
static int read_text(struct store *store, enum statement statement, char *ret_text, size_t size,
                     struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, statement);
    int r = db_step(query, err);

    if (r < 0)
        return r;
    db_column_copy(query, 0, ret_text, size);
    return 0;
}

int store_is_wal(struct store *store, bool *ret_is_wal, struct error *err)
{
    char mode[16];
    int r = read_text(store, STATEMENT_journal_mode, mode, sizeof mode, err);

    if (r == 0)
        *ret_is_wal = strcmp(mode, "wal") == 0;
    return r;
}

int store_library_version(struct store *store, int ret_version[3], struct error *err)
{
    char text[32];
    int r = read_text(store, STATEMENT_library_version, text, sizeof text, err);

    if (r == 0 && sscanf(text, "%d.%d.%d", &ret_version[0], &ret_version[1], &ret_version[2]) != 3)
        r = error_set(err, -EINVAL, "SQLite has the version \"%s\"", text);
    return r;
}
