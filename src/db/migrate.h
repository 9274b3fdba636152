/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: sql/migrations/NNNN-name.sql, embedded, append-only; all that are missing run in one
 * transaction. */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include <limits.h>
#include <stdint.h>

#include "base/clock.h"
#include "db/db.h"

/* The version that this program's migrations lead to. */
int db_newest_version(void);

/*
 * The version of a database as it is, which may be another than db_newest_version(); 0 where it is empty.
 * -EUCLEAN where the file is another program's.
 */
int db_version(struct db *db, int *ret_version, struct error *err);

/*
 * Brings the database to the newest version, and records each step in the table migrations.  *ret_before (may
 * be NULL) is the version found: 0 for a new file.  -EPROTO where the database is newer than this program: it
 * is not touched. -EUCLEAN where the file is another program's database.
 */
int db_migrate(struct db *db, const struct clock *clock, int *ret_before, struct error *err);

/* Where the copy lies that is made before a database becomes that version: "DATABASE.before-vN". */
int db_path_before(const char *database, int version, char ret_path[PATH_MAX], struct error *err);

#endif
