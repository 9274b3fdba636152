/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: prepared once a connection, bound, stepped, and always reset. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "db/internal.h"

struct db_query *db_query(struct db *db, size_t statement)
{
    struct db_query *query = &db->queries[statement];

    assert(statement < db->query_count && !query->in_use);
    query->in_use = true;
    query->failure = SQLITE_OK;
    if (query->prepared == NULL)
        query->failure = sqlite3_prepare_v3(db->handle, query->statement->sql, -1, SQLITE_PREPARE_PERSISTENT,
                                            &query->prepared, NULL);
    return query;
}

void db_query_end(struct db_query **query)
{
    if (*query == NULL)
        return;
    if ((*query)->prepared != NULL) {      /* NULL where the database lacks what the statement names */
        sqlite3_reset((*query)->prepared); /* its result is that of the last step, which was reported there */
        sqlite3_clear_bindings((*query)->prepared);
    }
    (*query)->in_use = false;
    *query = NULL;
}

static void note(struct db_query *query, int code)
{
    if (code != SQLITE_OK && query->failure == SQLITE_OK)
        query->failure = code;
}

void db_bind_int(struct db_query *query, int parameter, int64_t value)
{
    note(query, sqlite3_bind_int64(query->prepared, parameter, value));
}

void db_bind_double(struct db_query *query, int parameter, double value)
{
    note(query, sqlite3_bind_double(query->prepared, parameter, value));
}

void db_bind_text(struct db_query *query, int parameter, const char *text)
{
    note(query, sqlite3_bind_text(query->prepared, parameter, text, -1, SQLITE_STATIC));
}

void db_bind_blob(struct db_query *query, int parameter, const void *bytes, size_t size)
{
    note(query, sqlite3_bind_blob64(query->prepared, parameter, bytes, size, SQLITE_STATIC));
}

void db_bind_null(struct db_query *query, int parameter)
{
    note(query, sqlite3_bind_null(query->prepared, parameter));
}

void db_bind_int_or_null(struct db_query *query, int parameter, int64_t value)
{
    if (value != 0)
        db_bind_int(query, parameter, value);
    else
        db_bind_null(query, parameter);
}

int db_step(struct db_query *query, struct error *err)
{
    int code = query->failure;

    if (code == SQLITE_OK)
        code = sqlite3_step(query->prepared);
    if (code == SQLITE_ROW)
        return DB_ROW;
    if (code == SQLITE_DONE)
        return 0;
    note(query, code);
    return db_fail(query->db, code, query->statement->name, err);
}

int db_run(struct db_query *query, struct error *err)
{
    int r = db_step(query, err);

    assert(r != DB_ROW);
    return r;
}

int64_t db_column_int(struct db_query *query, int column)
{
    return sqlite3_column_int64(query->prepared, column);
}

double db_column_double(struct db_query *query, int column)
{
    return sqlite3_column_double(query->prepared, column);
}

bool db_column_is_null(struct db_query *query, int column)
{
    return sqlite3_column_type(query->prepared, column) == SQLITE_NULL;
}

const char *db_column_text(struct db_query *query, int column)
{
    return (const char *)sqlite3_column_text(query->prepared, column);
}

char *db_column_dup(struct db_query *query, int column)
{
    const char *text = db_column_text(query, column);
    char *copy;

    if (text == NULL)
        return NULL;
    copy = strdup(text);
    if (copy == NULL)
        note(query, SQLITE_NOMEM);
    return copy;
}

const void *db_column_blob(struct db_query *query, int column, size_t *ret_size)
{
    const void *bytes = sqlite3_column_blob(query->prepared, column);

    *ret_size = (size_t)sqlite3_column_bytes(query->prepared, column);
    return bytes;
}

void db_column_bytes(struct db_query *query, int column, void *ret_bytes, size_t size)
{
    const void *bytes = sqlite3_column_blob(query->prepared, column);

    if (bytes != NULL && sqlite3_column_bytes(query->prepared, column) == (int)size)
        memcpy(ret_bytes, bytes, size);
    else
        memset(ret_bytes, 0, size);
}

void db_column_copy(struct db_query *query, int column, char *ret_text, size_t size)
{
    const char *text = db_column_text(query, column);

    snprintf(ret_text, size, "%s", text != NULL ? text : "");
}

bool db_query_failed(const struct db_query *query)
{
    return query->failure != SQLITE_OK;
}
