/* SPDX-License-Identifier: Apache-2.0 */
#include "db/migrate.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "db/copy.h"
#include "db/internal.h"

static const struct migration {
    int version;
    const char *name;
    const char *sql;
} migrations[] = {
#define MIGRATION(version, name, sql) {version, name, sql},
#include "db/migrations.inc"
#undef MIGRATION
};

int db_newest_version(void)
{
    return migrations[array_length(migrations) - 1].version;
}

/* What a database says of itself. */
struct identity {
    int64_t application;
    int64_t version;
    bool empty;
};

static int identify(struct db *db, struct identity *ret_identity, struct error *err)
{
    struct identity found = {0};
    int64_t tables = 0;
    /* First of the three: another process may make the database meanwhile, and then it is either seen as
     * empty or its id is there. */
    int r = db_read_int(db, "SELECT EXISTS (SELECT 1 FROM sqlite_schema)", &tables, err);

    if (r == 0)
        r = db_read_int(db, "PRAGMA application_id", &found.application, err);
    if (r == 0)
        r = db_read_int(db, "PRAGMA user_version", &found.version, err);
    if (r < 0)
        return r;
    found.empty = tables == 0;
    *ret_identity = found;
    return 0;
}

static int judge_program(const struct db *db, const struct identity *identity, struct error *err)
{
    if (!identity->empty && identity->application != DB_APPLICATION_ID)
        return error_set(err, -EUCLEAN,
                         "%s is a database of another program; name a new file in the setting `database`",
                         db_path(db));
    return 0;
}

int db_version(struct db *db, int *ret_version, struct error *err)
{
    struct identity identity;
    int r = identify(db, &identity, err);

    if (r == 0)
        r = judge_program(db, &identity, err);
    if (r == 0)
        *ret_version = (int)identity.version;
    return r;
}

static int judge(const struct db *db, const struct identity *identity, struct error *err)
{
    int r = judge_program(db, identity, err);

    if (r < 0)
        return r;
    if (identity->version > db_newest_version())
        return error_set(
            err, -EPROTO,
            "%s has schema version %lld, and this program (sayhook %s) knows versions up to %d: it was "
            "written by a newer Sayhook; install that version, or restore a backup made before the upgrade",
            db_path(db), (long long)identity->version, PACKAGE_VERSION, db_newest_version());
    return 0;
}

static int apply(struct db *db, const struct migration *migration, const struct clock *clock,
                 struct error *err)
{
    char record[512];
    int r;

    snprintf(
        record, sizeof record,
        "INSERT INTO migrations VALUES (%d, '%s', '%s', %lld); PRAGMA user_version = %d; PRAGMA application_id = %d",
        migration->version, migration->name, PACKAGE_VERSION, (long long)clock_wall_ms(clock),
        migration->version, DB_APPLICATION_ID);
    r = db_execute(db, migration->sql, err);
    if (r == 0)
        r = db_execute(db, record, err);
    return r < 0 ? error_prefix(err, r, "migration %04d-%s", migration->version, migration->name) : 0;
}

/* ---- the copy of before ---- */

static bool is_older(const struct timespec *left, const struct timespec *right)
{
    return left->tv_sec < right->tv_sec || (left->tv_sec == right->tv_sec && left->tv_nsec < right->tv_nsec);
}

/* Whether a copy that an earlier start has made before it failed holds all that was written since. */
static bool is_current(const char *copy, const char *database, int64_t version)
{
    static const char *const written[] = {"", "-wal"};
    struct stat made, changed;
    char path[PATH_MAX];
    int found = 0;

    if (stat(copy, &made) < 0)
        return false;
    for (size_t i = 0; i < array_length(written); i++)
        if ((size_t)snprintf(path, sizeof path, "%s%s", database, written[i]) >= sizeof path ||
            (stat(path, &changed) == 0 && is_older(&made.st_mtim, &changed.st_mtim)))
            return false;
    return db_examine(copy, &found, NULL) == 0 && found == version;
}

static int make_copy(const char *database, const char *copy, struct error *err)
{
    char part[PATH_MAX], folder[PATH_MAX];
    int version;
    int r;

    if ((size_t)snprintf(part, sizeof part, "%s.part", copy) >= sizeof part)
        return error_set(err, -ENAMETOOLONG, "the path %s is too long", copy);
    unlink(part); /* of a start that was killed; it is remade */
    r = db_copy(database, part, err);
    if (r == 0)
        r = db_examine(part, &version, err);
    if (r == 0 && rename(part, copy) < 0)
        r = error_system(err, errno, "cannot rename %s to %s", part, copy);
    if (r < 0) {
        unlink(part);
        return r;
    }
    snprintf(folder, sizeof folder, "%s", copy);
    return file_sync_folder(dirname(folder), err);
}

/*
 * Inside the turnstile, before anything is changed: what is committed is what the copy has, and of programs
 * that start together one makes it.
 */
static int keep_copy(const struct db *db, const struct identity *identity, struct error *err)
{
    char copy[PATH_MAX];
    int r;

    if (identity->version == 0 || identity->version >= db_newest_version())
        return 0;
    r = db_path_before(db_path(db), db_newest_version(), copy, err);
    if (r < 0 || is_current(copy, db_path(db), identity->version))
        return r;
    r = make_copy(db_path(db), copy, err);
    return r < 0 ? error_prefix(err, r,
                                "the database stays at version %lld, since the copy that is kept of it "
                                "before it becomes version %d was not made (its folder needs room for it)",
                                (long long)identity->version, db_newest_version())
                 : 0;
}

int db_path_before(const char *database, int version, char ret_path[PATH_MAX], struct error *err)
{
    if ((size_t)snprintf(ret_path, PATH_MAX, "%s.before-v%d", database, version) >= PATH_MAX)
        return error_set(err, -ENAMETOOLONG, "the path of the database, %s, is too long", database);
    return 0;
}

/* Inside the turnstile: another process may have migrated since the first look. */
static int migrate_inside(struct db *db, const struct clock *clock, struct error *err)
{
    struct identity identity;
    int r = identify(db, &identity, err);

    if (r == 0)
        r = judge(db, &identity, err);
    if (r == 0)
        r = keep_copy(db, &identity, err);
    for (size_t i = 0; r == 0 && i < array_length(migrations); i++)
        if (migrations[i].version > identity.version)
            r = apply(db, &migrations[i], clock, err);
    return r;
}

int db_migrate(struct db *db, const struct clock *clock, int *ret_before, struct error *err)
{
    struct identity identity;
    int r = identify(db, &identity, err);

    if (r == 0)
        r = judge(db, &identity, err);
    if (r < 0)
        return r;
    if (identity.version < db_newest_version()) {
        r = db_begin(db, "migrate", err);
        if (r < 0)
            return r;
        r = migrate_inside(db, clock, err);
        if (r < 0) {
            db_rollback(db);
            return r;
        }
        r = db_commit(db, err);
        if (r < 0)
            return r;
    }
    if (ret_before != NULL)
        *ret_before = (int)identity.version;
    return 0;
}
