/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of db/ share: a connection and its statements. */
#ifndef DB_INTERNAL_H
#define DB_INTERNAL_H

#include <sqlite3.h>

#include "db/db.h"

struct db_query {
    struct db *db;
    const struct db_statement *statement;
    sqlite3_stmt *prepared;
    bool in_use;
    int failure; /* an SQLite result code */
};

/* Statements of the connection itself, prepared like the others. */
enum own_statement { OWN_DATA_VERSION, OWN_BEGIN, OWN_BEGIN_WRITE, OWN_COMMIT, OWN_ROLLBACK, OWN_COUNT };

struct db {
    sqlite3 *handle;
    char *path;
    struct turnstile *turnstile;
    bool inside;          /* the turnstile is ours */
    int failure;          /* of the transaction: a negative errno value, or 0 */
    struct error reason;  /* of that failure */
    int64_t data_version; /* at the last db_changed() */
    sqlite3_stmt *own[OWN_COUNT];
    size_t query_count;
    struct db_query queries[];
};

/* What an SQLite result code other than SQLITE_OK comes to.  A failure inside a transaction sticks to it. */
int db_fail(struct db *db, int code, const char *what, struct error *err);

/* "Sayh": tells our databases from others' (SQLite's application_id). */
#define DB_APPLICATION_ID 0x53617968

/* The negative errno value for a result code of SQLite. */
int db_error_number(int code);

/* ---- connections beside those of db.h, for work on whole databases: copy.c ---- */

/* flags are those of sqlite3_open_v2(); it never checkpoints by being closed. */
int db_open_handle(const char *path, int flags, sqlite3 **ret_handle, struct error *err);
void db_close_handle(sqlite3 **handle); /* for cleanup() */

/* Reports a result code of such a connection (or NULL) and returns its negative errno value. */
int db_fail_handle(sqlite3 *handle, const char *path, const char *what, int code, struct error *err);

#endif
