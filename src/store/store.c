/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "db/migrate.h"
#include "store/internal.h"
#include "store/service.h"

const struct db_statement store_statements[STATEMENT_COUNT] = {
#define STATEMENT(name, sql) {#name, sql},
#include "store/statements.inc"
#undef STATEMENT
};

/* The connection alone; whoever calls it closes the store, also where it failed. */
static int open_database(const struct store_options *options, bool read_only, struct store **ret_store,
                         struct error *err)
{
    const struct db_options db_options = {.path = options->path,
                                          .statements = store_statements,
                                          .statement_count = STATEMENT_COUNT,
                                          .read_only = read_only};
    struct store *store = calloc(1, sizeof *store);

    *ret_store = store;
    if (store == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    store->clock = options->clock;
    store->renderer = options->renderer;
    store->sealer = options->sealer;
    store->webhook_delay = options->webhook_delay;
    store->limits = options->limits;
    store->retention_audio = options->retention_audio;
    return db_open(&db_options, &store->db, err);
}

int store_open(const struct store_options *options, struct store **ret_store, struct error *err)
{
    struct store *store = NULL;
    int r = open_database(options, false, &store, err);

    if (r == 0 && store != NULL) /* never NULL then, but analysers cannot know */
        r = db_migrate(store->db, options->clock, NULL, err);
    if (r < 0) {
        store_close(store);
        return r;
    }
    *ret_store = store;
    return 0;
}

int store_look(const struct store_options *options, struct store **ret_store, int *ret_version,
               struct error *err)
{
    struct store *store = NULL;
    int version = 0;
    int r;

    /* SQLite says the same of a file that is missing and of one that may not be read. */
    if (access(options->path, R_OK) < 0)
        return error_system(err, errno, "the database %s", options->path);
    r = open_database(options, true, &store, err);
    if (r == 0 && store != NULL) /* never NULL then, but analysers cannot know */
        r = db_version(store->db, &version, err);
    if (r == 0)
        *ret_version = version;
    if (r == 0 && version != db_newest_version())
        r = STORE_CONFLICT;
    if (r != 0) {
        store_close(store);
        return r;
    }
    *ret_store = store;
    return 0;
}

int store_version(void)
{
    return db_newest_version();
}

struct store *store_close(struct store *store)
{
    if (store != NULL)
        db_close(store->db);
    free(store);
    return NULL;
}

int store_begin(struct store *store, const char *who, struct error *err)
{
    memset(store->counted, 0, sizeof store->counted);
    store_forget_accounts(store);
    store->last_job = store->first_job = store->repeatables = 0;
    store->rows_before = db_rows_written(store->db);
    return db_begin(store->db, who, err);
}

int store_commit(struct store *store, struct error *err)
{
    int r = store_write_accounts(store, err);

    if (r == 0)
        r = store_expire_repeatables(store, err);
    if (r == 0)
        r = store_flush_counters(store, err);
    if (r < 0) {
        db_rollback(store->db);
        return r;
    }
    return db_commit(store->db, err);
}

void store_rollback(struct store *store)
{
    db_rollback(store->db);
}

int store_read_begin(struct store *store, struct error *err)
{
    return db_snapshot_begin(store->db, err);
}

void store_read_end(struct store *store)
{
    db_snapshot_end(store->db);
}

bool store_changed(struct store *store)
{
    return db_changed(store->db);
}

int64_t store_rows_written(const struct store *store)
{
    return db_rows_written(store->db) - store->rows_before;
}

int64_t store_now(const struct store *store)
{
    return clock_wall_ms(store->clock);
}

int store_run_on_row(struct store *store, enum statement statement, int64_t row, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, statement);

    assert(db_in_transaction(store->db));
    db_bind_int(query, 1, row);
    return db_run(query, err);
}
