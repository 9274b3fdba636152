/* SPDX-License-Identifier: Apache-2.0 */
#include "db/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/ownership.h"
#include "db/internal.h"
#include "db/replace.h"
#include "db/turnstile.h"

/* Pages of a connection's own cache, in KiB: an API process has one connection a thread, so they add up. */
#define CACHE_KIB 2048

/* The WAL file is cut to this after a checkpoint; it grows past it only while a reader holds an old snapshot.
 */
#define WAL_BYTES_KEPT (16 * 1024 * 1024)

/* For what the turnstile does not cover: a reader that meets the recovery of a WAL after a crash. */
#define BUSY_WAIT_MS 5000

/* Texts are nobody else's business; the group is the service's own. */
#define DATABASE_MODE 0640

static const char *const own_sql[OWN_COUNT] = {
    [OWN_DATA_VERSION] = "PRAGMA data_version",
    [OWN_BEGIN] = "BEGIN",
    [OWN_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [OWN_COMMIT] = "COMMIT",
    [OWN_ROLLBACK] = "ROLLBACK",
};

int db_fail(struct db *db, int code, const char *what, struct error *err)
{
    struct error reason;
    int r = error_set(&reason, db_error_number(code), "database %s: %s: %s", db->path, what,
                      db->handle != NULL ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code));

    if (db->inside && db->failure == 0) {
        db->failure = r;
        db->reason = reason;
    }
    if (err != NULL)
        *err = reason;
    return r;
}

int db_execute(struct db *db, const char *sql, struct error *err)
{
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? 0 : db_fail(db, code, "a statement failed", err);
}

int db_read_int(struct db *db, const char *sql, int64_t *ret_value, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL);
    int64_t value = 0;

    if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return db_fail(db, code, "a statement failed", err);
    *ret_value = value;
    return 0;
}

static int configure(struct db *db, struct error *err)
{
    char pragmas[512];
    int r;

    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, BUSY_WAIT_MS);
    /* Closing would checkpoint outside the turnstile. */
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    /* secure_delete: what is deleted, such as a secret, is overwritten; Debian's SQLite does so anyway. */
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
             "PRAGMA cache_size = -%d; PRAGMA journal_size_limit = %d; PRAGMA mmap_size = 0;"
             "PRAGMA secure_delete = ON;",
             CACHE_KIB, WAL_BYTES_KEPT);
    r = db_execute(db, pragmas, err);
    if (r < 0 || db->turnstile == NULL)
        return r;
    /* Changing the mode writes; a database that is in WAL mode already is left alone. */
    return db_execute(db, "PRAGMA journal_mode = WAL", err);
}

/*
 * SQLite's own statistics of memory take a mutex at every allocation, which the threads of the API would wait
 * for.  It must be said before the library's first use; where that is over already, nothing but speed is
 * lost.
 */
static void configure_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/*
 * An empty file is an empty database; SQLite gives the files beside it the same owner and mode.  One that is
 * there is not touched: closing it would end the locks that other connections of this process have on it.
 */
static int make_file(const char *path, struct error *err)
{
    cleanup(close_fd) int fd = ownership_open(path, O_EXCL, DATABASE_MODE);

    return fd < 0 && fd != -EEXIST ? error_system(err, -fd, "cannot make the database %s", path) : 0;
}

static int open_file(struct db *db, int flags, struct error *err)
{
    int r = db_refuse_restore(db->path, err);
    int code;

    if (r == 0 && db->turnstile != NULL)
        r = make_file(db->path, err);
    if (r < 0)
        return r;
    code = sqlite3_open_v2(db->path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return db_fail(db, code, "cannot open it", err);
    /* SQLite opens a file of another owner for reading alone, and stays at that when the owner is mended. */
    if ((flags & SQLITE_OPEN_READWRITE) != 0 && sqlite3_db_readonly(db->handle, "main") == 1)
        return error_set(err, -EACCES, "database %s: it belongs to another user and can only be read",
                         db->path);
    return configure(db, err);
}

/*
 * Inside the turnstile: whoever puts another file in the place of the database holds it, so that nobody has
 * the one and the WAL of the other.
 */
static int open_to_write(struct db *db, struct error *err)
{
    int r = turnstile_get(db->path, &db->turnstile, err);

    if (r == 0)
        r = turnstile_enter(db->turnstile, err);
    if (r < 0)
        return r;
    r = open_file(db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
    turnstile_leave(db->turnstile);
    return r;
}

int db_open(const struct db_options *options, struct db **ret_db, struct error *err)
{
    struct db *db = calloc(1, sizeof *db + options->statement_count * sizeof db->queries[0]);
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int r;

    pthread_once(&once, configure_library);
    if (db == NULL || (db->path = strdup(options->path)) == NULL) {
        free(db);
        return error_set(err, -ENOMEM, "out of memory");
    }
    db->query_count = options->statement_count;
    for (size_t i = 0; i < options->statement_count; i++)
        db->queries[i] = (struct db_query){.db = db, .statement = &options->statements[i]};
    r = options->read_only ? open_file(db, SQLITE_OPEN_READONLY, err) : open_to_write(db, err);
    if (r < 0) {
        db_close(db);
        return r;
    }
    *ret_db = db;
    return 0;
}

struct db *db_close(struct db *db)
{
    if (db == NULL)
        return NULL;
    db_rollback(db);
    for (size_t i = 0; i < db->query_count; i++)
        sqlite3_finalize(db->queries[i].prepared);
    for (size_t i = 0; i < OWN_COUNT; i++)
        sqlite3_finalize(db->own[i]);
    sqlite3_close(db->handle);
    turnstile_put(db->turnstile);
    free(db->path);
    free(db);
    return NULL;
}

const char *db_path(const struct db *db)
{
    return db->path;
}

/* Runs a statement of our own; *ret_value (may be NULL) is the first column of its row.  An SQLite result
 * code. */
static int run_own(struct db *db, enum own_statement which, int64_t *ret_value)
{
    sqlite3_stmt **statement = &db->own[which];
    int code = SQLITE_OK;

    if (*statement == NULL)
        code = sqlite3_prepare_v3(db->handle, own_sql[which], -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
    if (code != SQLITE_OK)
        return code;
    code = sqlite3_step(*statement);
    if (code == SQLITE_ROW && ret_value != NULL)
        *ret_value = sqlite3_column_int64(*statement, 0);
    sqlite3_reset(*statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

int db_begin(struct db *db, const char *who, struct error *err)
{
    int code, r;

    assert(!db->inside && db->turnstile != NULL);
    r = turnstile_enter(db->turnstile, err);
    if (r < 0)
        return error_prefix(err, r, "%s cannot write", who);
    code = run_own(db, OWN_BEGIN_WRITE, NULL);
    if (code != SQLITE_OK) {
        r = db_fail(db, code, "cannot begin a transaction", err);
        turnstile_leave(db->turnstile);
        return error_prefix(err, r, "%s cannot write", who);
    }
    db->inside = true;
    db->failure = 0;
    return 0;
}

void db_rollback(struct db *db)
{
    if (!db->inside)
        return;
    /* A full disk or a broken file has rolled back by itself. */
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    db->inside = false;
    turnstile_leave(db->turnstile);
}

int db_commit(struct db *db, struct error *err)
{
    int r = db->failure;
    int code;

    assert(db->inside);
    if (r == 0) {
        code = run_own(db, OWN_COMMIT, NULL);
        if (code != SQLITE_OK)
            r = db_fail(db, code, "cannot commit", err);
    } else if (err != NULL) {
        *err = db->reason;
    }
    if (r < 0) {
        db_rollback(db);
        return r;
    }
    db->inside = false;
    turnstile_leave(db->turnstile);
    return 0;
}

int db_empty_wal(struct db *db, struct error *err)
{
    int r = turnstile_enter(db->turnstile, err);
    int code;

    if (r < 0)
        return r;
    code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    turnstile_leave(db->turnstile);
    return code == SQLITE_OK ? 0 : db_fail(db, code, "cannot empty the WAL", err);
}

bool db_in_transaction(const struct db *db)
{
    return db->inside;
}

bool db_changed(struct db *db)
{
    int64_t version = -1;
    bool changed = run_own(db, OWN_DATA_VERSION, &version) != SQLITE_OK || version != db->data_version;

    db->data_version = version;
    return changed;
}

int db_snapshot_begin(struct db *db, struct error *err)
{
    int code = run_own(db, OWN_BEGIN, NULL);

    return code == SQLITE_OK ? 0 : db_fail(db, code, "cannot begin to read", err);
}

void db_snapshot_end(struct db *db)
{
    /* It read only, and a rollback of nothing cannot fail. */
    if (!db->inside && !sqlite3_get_autocommit(db->handle))
        run_own(db, OWN_ROLLBACK, NULL);
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t db_rows_written(struct db *db)
{
    return sqlite3_total_changes64(db->handle);
}

int64_t db_last_insert(struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int db_blob_read(struct db *db, const char *table, const char *column, int64_t row, int64_t offset,
                 void *buffer, size_t size, size_t *ret_size, struct error *err)
{
    sqlite3_blob *blob = NULL;
    int64_t length;
    int code = sqlite3_blob_open(db->handle, "main", table, column, row, 0, &blob);

    if (code == SQLITE_ERROR && blob == NULL)
        return DB_NO_ROW;
    if (code != SQLITE_OK)
        return db_fail(db, code, "cannot open a blob", err);
    length = sqlite3_blob_bytes(blob);
    if (offset >= length)
        size = 0;
    else if ((int64_t)size > length - offset)
        size = (size_t)(length - offset);
    code = size > 0 ? sqlite3_blob_read(blob, buffer, (int)size, (int)offset) : SQLITE_OK;
    sqlite3_blob_close(blob);
    if (code != SQLITE_OK)
        return db_fail(db, code, "cannot read a blob", err);
    *ret_size = size;
    return 0;
}
