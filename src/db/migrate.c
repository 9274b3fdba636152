/* SPDX-License-Identifier: Apache-2.0 */
#include "db/migrate.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"

/* "Sayh": tells our databases from others' (SQLite's application_id). */
#define APPLICATION_ID 0x53617968

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
    if (!identity->empty && identity->application != APPLICATION_ID)
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
        migration->version, APPLICATION_ID);
    r = db_execute(db, migration->sql, err);
    if (r == 0)
        r = db_execute(db, record, err);
    return r < 0 ? error_prefix(err, r, "migration %04d-%s", migration->version, migration->name) : 0;
}

/* Inside the turnstile: another process may have migrated since the first look. */
static int migrate_inside(struct db *db, const struct clock *clock, struct error *err)
{
    struct identity identity;
    int r = identify(db, &identity, err);

    if (r == 0)
        r = judge(db, &identity, err);
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
