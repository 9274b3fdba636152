/* SPDX-License-Identifier: Apache-2.0 */
#include "db/upkeep.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "db/internal.h"
#include "db/turnstile.h"

/* ---- inspecting ---- */

struct inspection {
    sqlite3 *handle;
    const char *path;
    void (*report)(void *context, const char *fault);
    void *context;
};

/* Each row is a fault but for the one that says "ok". */
static int check_pages(const struct inspection *inspection, const char *sql, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(inspection->handle, sql, -1, &statement, NULL);

    while (code == SQLITE_OK || code == SQLITE_ROW) {
        const char *fault;

        code = sqlite3_step(statement);
        if (code != SQLITE_ROW)
            break;
        fault = (const char *)sqlite3_column_text(statement, 0);
        if (fault != NULL && strcmp(fault, "ok") != 0)
            inspection->report(inspection->context, fault);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE
               ? 0
               : db_fail_handle(inspection->handle, inspection->path, "cannot read it", code, err);
}

static int check_references(const struct inspection *inspection, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(inspection->handle, "PRAGMA foreign_key_check", -1, &statement, NULL);

    for (int count = 0; code == SQLITE_OK || code == SQLITE_ROW; count++) {
        char fault[ERROR_TEXT_MAX];

        code = count < DB_FAULTS_MAX ? sqlite3_step(statement) : SQLITE_DONE;
        if (code != SQLITE_ROW)
            break;
        snprintf(fault, sizeof fault, "row %lld of %s refers to a row of %s that is not there",
                 (long long)sqlite3_column_int64(statement, 1), sqlite3_column_text(statement, 0),
                 sqlite3_column_text(statement, 2));
        inspection->report(inspection->context, fault);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE
               ? 0
               : db_fail_handle(inspection->handle, inspection->path, "cannot read it", code, err);
}

int db_inspect(const char *path, bool full, void (*report)(void *context, const char *fault), void *context,
               struct error *err)
{
    cleanup(db_close_handle) sqlite3 *handle = NULL;
    struct inspection inspection = {.path = path, .report = report, .context = context};
    char sql[64];
    int r = db_open_handle(path, SQLITE_OPEN_READONLY, &handle, err);

    if (r < 0)
        return r;
    inspection.handle = handle;
    snprintf(sql, sizeof sql, "PRAGMA %s_check(%d)", full ? "integrity" : "quick", DB_FAULTS_MAX);
    r = check_pages(&inspection, sql, err);
    return r == 0 ? check_references(&inspection, err) : r;
}

/* ---- vacuuming ---- */

static int read_int(sqlite3 *handle, const char *path, const char *sql, int64_t *ret_value, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);
    int64_t value = 0;

    if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    if (code != SQLITE_ROW)
        return db_fail_handle(handle, path, "cannot read it", code, err);
    *ret_value = value;
    return 0;
}

int db_size_read(const char *path, struct db_size *ret_size, struct error *err)
{
    cleanup(db_close_handle) sqlite3 *handle = NULL;
    int64_t page = 0, pages = 0, unused = 0;
    int r = db_open_handle(path, SQLITE_OPEN_READONLY, &handle, err);

    if (r == 0)
        r = read_int(handle, path, "PRAGMA page_size", &page, err);
    if (r == 0)
        r = read_int(handle, path, "PRAGMA page_count", &pages, err);
    if (r == 0)
        r = read_int(handle, path, "PRAGMA freelist_count", &unused, err);
    if (r == 0)
        *ret_size = (struct db_size){.bytes = page * pages, .unused = page * unused};
    return r;
}

static int vacuum_inside(sqlite3 *handle, const char *path, struct error *err)
{
    /* secure_delete as everywhere: a secret that was deleted stays deleted. */
    static const char sql[] =
        "PRAGMA temp_store = FILE; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; VACUUM";
    int code = sqlite3_exec(handle, sql, NULL, NULL, NULL);

    if (code != SQLITE_OK)
        return db_fail_handle(handle, path, "cannot vacuum it", code, err);
    code = sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    /* A reader may keep the WAL: then a later checkpoint empties it. */
    return code == SQLITE_OK || code == SQLITE_BUSY
               ? 0
               : db_fail_handle(handle, path, "cannot empty the WAL", code, err);
}

int db_vacuum(const char *path, struct error *err)
{
    cleanup(db_close_handle) sqlite3 *handle = NULL;
    struct turnstile *turnstile;
    char folder[PATH_MAX];
    int r;

    /* The new database is written beside the old one first, not to a /tmp that may be in memory. */
    if ((size_t)snprintf(folder, sizeof folder, "%s", path) < sizeof folder)
        setenv("SQLITE_TMPDIR", dirname(folder), 1);
    r = turnstile_get(path, &turnstile, err);
    if (r < 0)
        return r;
    r = turnstile_enter(turnstile, err);
    if (r == 0) {
        r = db_open_handle(path, SQLITE_OPEN_READWRITE, &handle, err);
        if (r == 0)
            r = vacuum_inside(handle, path, err);
        turnstile_leave(turnstile);
    }
    turnstile_put(turnstile);
    return r;
}
