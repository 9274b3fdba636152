/* SPDX-License-Identifier: Apache-2.0 */
#include "db/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "db/internal.h"
#include "db/replace.h"

/* A reader that meets the recovery of a WAL after a crash. */
#define BUSY_WAIT_MS 5000

void db_close_handle(sqlite3 **handle)
{
    sqlite3_close(*handle);
}

int db_fail_handle(sqlite3 *handle, const char *path, const char *what, int code, struct error *err)
{
    return error_set(err, db_error_number(code), "%s: %s: %s", path, what,
                     handle != NULL ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
}

int db_open_handle(const char *path, int flags, sqlite3 **ret_handle, struct error *err)
{
    sqlite3 *handle = NULL;
    int r = db_refuse_restore(path, err);
    int code;

    if (r < 0)
        return r;
    code = sqlite3_open_v2(path, &handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        r = db_fail_handle(handle, path, "cannot open it", code, err);
        sqlite3_close(handle);
        return r;
    }
    sqlite3_busy_timeout(handle, BUSY_WAIT_MS);
    /* Closing would checkpoint outside the turnstile. */
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    *ret_handle = handle;
    return 0;
}

/* ---- copying ---- */

/* An empty file of the database's owner and mode: root makes what the service must be able to read. */
static int create_like(const char *path, const char *target, int *ret_fd, struct error *err)
{
    cleanup(close_fd) int fd = -1;
    struct stat status;

    if (stat(path, &status) < 0)
        return error_system(err, errno, "cannot look at %s", path);
    fd = open(target, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_system(err, errno, "cannot create %s", target);
    if (fchmod(fd, status.st_mode & 0777) < 0 ||
        (geteuid() == 0 && fchown(fd, status.st_uid, status.st_gid) < 0)) {
        int r = error_system(err, errno, "cannot give %s the owner and mode of the database", target);

        unlink(target);
        return r;
    }
    *ret_fd = steal_fd(&fd);
    return 0;
}

/* All pages in one step: a reader's snapshot, which writers do not disturb. */
static int copy_pages(sqlite3 *source, sqlite3 *target, const char *target_path, struct error *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(target, "main", source, "main");
    int code;

    if (backup == NULL)
        return db_fail_handle(target, target_path, "cannot begin the copy", sqlite3_errcode(target), err);
    code = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    if (code != SQLITE_DONE)
        return error_set(err, db_error_number(code), "%s: cannot write the copy: %s", target_path,
                         sqlite3_errstr(code));
    return 0;
}

static int copy_into(const char *path, const char *target, struct error *err)
{
    cleanup(db_close_handle) sqlite3 *from = NULL;
    cleanup(db_close_handle) sqlite3 *to = NULL;
    int code;
    int r = db_open_handle(path, SQLITE_OPEN_READONLY, &from, err);

    if (r == 0)
        r = db_open_handle(target, SQLITE_OPEN_READWRITE, &to, err);
    if (r < 0)
        return r;
    /* It is synced once, when it is whole. */
    code = sqlite3_exec(to, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return db_fail_handle(to, target, "a statement failed", code, err);
    r = copy_pages(from, to, target, err);
    if (r < 0)
        return r;
    code = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : db_fail_handle(to, target, "cannot leave the WAL mode", code, err);
}

static void remove_copy(const char *target)
{
    static const char *const beside[] = {"", "-journal", "-wal", "-shm"};
    char path[PATH_MAX];

    for (size_t i = 0; i < array_length(beside); i++)
        if ((size_t)snprintf(path, sizeof path, "%s%s", target, beside[i]) < sizeof path)
            unlink(path);
}

int db_make_single(const char *path, struct error *err)
{
    cleanup(db_close_handle) sqlite3 *handle = NULL;
    char turnstile[PATH_MAX];
    int code;
    int r = db_open_handle(path, SQLITE_OPEN_READWRITE, &handle, err);

    if (r < 0)
        return r;
    code = sqlite3_exec(handle, "PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return db_fail_handle(handle, path, "cannot leave the WAL mode", code, err);
    if ((size_t)snprintf(turnstile, sizeof turnstile, "%s-turnstile", path) < sizeof turnstile)
        unlink(turnstile);
    return 0;
}

int db_copy(const char *path, const char *target, struct error *err)
{
    cleanup(close_fd) int fd = -1;
    char folder[PATH_MAX];
    int r;

    if ((size_t)snprintf(folder, sizeof folder, "%s", target) >= sizeof folder)
        return error_set(err, -ENAMETOOLONG, "the path %s is too long", target);
    r = create_like(path, target, &fd, err);
    if (r < 0)
        return r;
    r = copy_into(path, target, err);
    if (r == 0 && fsync(fd) < 0)
        r = error_system(err, errno, "cannot sync %s", target);
    if (r == 0)
        r = file_sync_folder(dirname(folder), err);
    if (r < 0)
        remove_copy(target);
    return r;
}

/* ---- examining ---- */

/* The first column of the first row; SQLITE_ROW, or what went wrong. */
static int read_first(sqlite3 *handle, const char *sql, char *ret_text, size_t size)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(statement, 0);

        snprintf(ret_text, size, "%s", text != NULL ? (const char *)text : "");
    }
    sqlite3_finalize(statement);
    return code;
}

static int identify(sqlite3 *handle, const char *path, int *ret_version, struct error *err)
{
    char application[32], version[32];
    int code = read_first(handle, "PRAGMA application_id", application, sizeof application);

    if (code == SQLITE_ROW)
        code = read_first(handle, "PRAGMA user_version", version, sizeof version);
    if (code != SQLITE_ROW)
        return db_fail_handle(handle, path, "cannot read it", code, err);
    if (strtol(application, NULL, 10) != DB_APPLICATION_ID)
        return error_set(err, -EUCLEAN, "%s is no database of Sayhook", path);
    *ret_version = (int)strtol(version, NULL, 10);
    return 0;
}

int db_version_of(const char *path, int *ret_version, struct error *err)
{
    cleanup(db_close_handle) sqlite3 *handle = NULL;
    int r = db_open_handle(path, SQLITE_OPEN_READONLY, &handle, err);

    return r == 0 ? identify(handle, path, ret_version, err) : r;
}

int db_examine(const char *path, int *ret_version, struct error *err)
{
    cleanup(db_close_handle) sqlite3 *handle = NULL;
    char verdict[ERROR_TEXT_MAX / 2];
    int version = 0, code;
    int r = db_open_handle(path, SQLITE_OPEN_READONLY, &handle, err);

    if (r == 0)
        r = identify(handle, path, &version, err);
    if (r < 0)
        return r;
    code = read_first(handle, "PRAGMA quick_check(1)", verdict, sizeof verdict);
    if (code != SQLITE_ROW)
        return db_fail_handle(handle, path, "cannot read it", code, err);
    if (strcmp(verdict, "ok") != 0)
        return error_set(err, -EUCLEAN, "%s is damaged: %s", path, verdict);
    *ret_version = version;
    return 0;
}
