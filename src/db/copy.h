/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole databases as files: a copy of one that is in use, and the examination of one that is not.
 *
 * A copy is a single file, in rollback-journal mode, with no WAL beside it: it may be moved, linked and
 * hashed. The first program that opens it as its database puts it into WAL mode again.
 */
#ifndef DB_COPY_H
#define DB_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Copies the database as of one moment, whoever writes to it meanwhile, to a new file with the owner and mode
 * of the database, and makes it durable.  It holds a read transaction while it lasts, so that the WAL grows
 * by what is written in that time.  -EEXIST where target is there; -ENOSPC where the disk is full.  After a
 * failure there is no target.
 */
int db_copy(const char *path, const char *target, struct error *err);

/*
 * Reads a database that nobody writes to, such as a copy, from its beginning to its end: *ret_version is its
 * schema version.  -EUCLEAN where it is damaged, or no database of Sayhook.
 */
int db_examine(const char *path, int *ret_version, struct error *err);

/*
 * Whether any program has the database open, by the lock that each connection to a database in WAL mode holds
 * on its index: *ret_pid is one of them (0 where it is in another namespace, and has no number here).
 * DB_IN_USE; 0 where none has.  This process must have no connection of its own, whose locks it would lose.
 */
#define DB_IN_USE 1
int db_is_in_use(const char *path, int *ret_pid, struct error *err);

#endif
