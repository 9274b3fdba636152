/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to the SQLite database: opening, write transactions under the turnstile, and statements that
 * are prepared once and always reset.
 *
 * A connection belongs to one thread at a time.  The database is in WAL mode with synchronous=FULL: what was
 * committed survives a power cut.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct db;
struct db_query;

/* One named statement; a connection gets the table of all of them and prepares each at its first use. */
struct db_statement {
    const char *name;
    const char *sql;
};

struct db_options {
    const char *path;
    const struct db_statement *statements;
    size_t statement_count;
    bool read_only; /* opens what is there, and db_begin() is not to be called */
};

/* Opens (and creates, unless read_only) the file.  It is not migrated: see db/migrate.h.  -EUCLEAN where a
 * restore was interrupted: see db/replace.h. */
int db_open(const struct db_options *options, struct db **ret_db, struct error *err);
struct db *db_close(struct db *db);

const char *db_path(const struct db *db);

/*
 * The only way to write: takes the turnstile, then BEGIN IMMEDIATE.  who names the caller in diagnostics.
 * -EBUSY where the turnstile was held by others for DB_TURNSTILE_WAIT_MS.
 */
int db_begin(struct db *db, const char *who, struct error *err);

/*
 * Commits and leaves the turnstile.  Where a statement of the transaction failed, rolls back and returns that
 * failure: errors stick.  -ENOSPC where the disk is full.
 */
int db_commit(struct db *db, struct error *err);

/* Rolls back and leaves the turnstile; nothing happens outside a transaction. */
void db_rollback(struct db *db);

/*
 * A read transaction over several statements: they see one state, and the locks of a read are taken once.
 * Short, since the WAL cannot be reset while it lasts.  db_snapshot_end() does nothing where none is open.
 */
int db_snapshot_begin(struct db *db, struct error *err);
void db_snapshot_end(struct db *db);

bool db_in_transaction(const struct db *db);

/*
 * Outside a transaction: brings all that is in the WAL into the database's file and cuts the WAL to nothing,
 * so that nothing older than the last commit is left in either.  -EBUSY where a reader holds an older state
 * for seconds.
 */
int db_empty_wal(struct db *db, struct error *err);

/* True where another connection has committed since the last call (and at the first call). */
bool db_changed(struct db *db);

/* ---- statements ---- */

/*
 * Starts to use the statement with that index: binds follow, then steps.  Never NULL: a failure to prepare it
 * is reported by the first step.  A query is in use until db_query_end(); a statement is used once at a time.
 *
 *     cleanup(db_query_end) struct db_query *query = db_query(db, STATEMENT_job_get);
 */
struct db_query *db_query(struct db *db, size_t statement);

/* Resets the statement, so that it holds no read transaction open. */
void db_query_end(struct db_query **query);

/* Parameters count from 1.  Text and blobs are not copied: they must live until db_query_end(). */
void db_bind_int(struct db_query *query, int parameter, int64_t value);
void db_bind_double(struct db_query *query, int parameter, double value);
void db_bind_text(struct db_query *query, int parameter, const char *text); /* NULL binds NULL */
void db_bind_blob(struct db_query *query, int parameter, const void *bytes, size_t size);
void db_bind_null(struct db_query *query, int parameter);

/* The value, or NULL where it is 0 (a time that has not come). */
void db_bind_int_or_null(struct db_query *query, int parameter, int64_t value);

/* DB_ROW, or 0 at the end of the rows. */
#define DB_ROW 1
int db_step(struct db_query *query, struct error *err);

/* Runs a statement that returns no rows. */
int db_run(struct db_query *query, struct error *err);

/* Columns count from 0.  A NULL reads as 0; text is valid until the next step. */
int64_t db_column_int(struct db_query *query, int column);
double db_column_double(struct db_query *query, int column);
bool db_column_is_null(struct db_query *query, int column);
const char *db_column_text(struct db_query *query, int column); /* NULL for NULL */

/* A copy that the caller frees: NULL for NULL.  Running out of memory sticks to the query: see
 * db_query_failed(). */
char *db_column_dup(struct db_query *query, int column);

/* Valid until the next step; NULL for NULL. */
const void *db_column_blob(struct db_query *query, int column, size_t *ret_size);

/* Copies a blob of exactly that size; zeros where the column has another. */
void db_column_bytes(struct db_query *query, int column, void *ret_bytes, size_t size);

/* Copies a text column into a fixed array; a longer one is cut. */
void db_column_copy(struct db_query *query, int column, char *ret_text, size_t size);

/* True where a bind or a copy has failed since db_query(). */
bool db_query_failed(const struct db_query *query);

/* Rows that this connection has written since it was opened. */
int64_t db_rows_written(struct db *db);

/* Rows that the last write changed, and the key of the last inserted row. */
int64_t db_changes(struct db *db);
int64_t db_last_insert(struct db *db);

/*
 * Reads a part of a blob without loading the rest.  *ret_size is 0 past its end.  DB_NO_ROW where the row is
 * gone.
 */
#define DB_NO_ROW 1
int db_blob_read(struct db *db, const char *table, const char *column, int64_t row, int64_t offset,
                 void *buffer, size_t size, size_t *ret_size, struct error *err);

/* Runs SQL text of this program's own (schema, tests); never a client's. */
int db_execute(struct db *db, const char *sql, struct error *err);

/* The first column of the first row of such SQL; 0 where there is none. */
int db_read_int(struct db *db, const char *sql, int64_t *ret_value, struct error *err);

#endif
