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

#endif
