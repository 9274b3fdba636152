/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole databases as files: a copy of one that is in use, and the examination of one that is not.
 *
 * A copy is a single file, in rollback-journal mode, with no WAL beside it: it may be moved, linked and
 * hashed. The first program that opens it as its database puts it into WAL mode again.
 */
#ifndef DB_COPY_H
#define DB_COPY_H

#include "base/error.h"

/*
 * Copies the database as of one moment, whoever writes to it meanwhile, to a new file with the owner and mode
 * of the database, and makes it durable.  It holds a read transaction while it lasts, so that the WAL grows
 * by what is written in that time.  -EEXIST where target is there; -ENOSPC where the disk is full.  After a
 * failure there is no target.
 */
int db_copy(const char *path, const char *target, struct error *err);

/* Makes a database that no other program has open such a single file again. */
int db_make_single(const char *path, struct error *err);

/* The schema version of a database.  -EUCLEAN where it is none of Sayhook. */
int db_version_of(const char *path, int *ret_version, struct error *err);

/*
 * Reads a database that nobody writes to, such as a copy, from its beginning to its end: *ret_version is its
 * schema version.  -EUCLEAN where it is damaged, or no database of Sayhook.
 */
int db_examine(const char *path, int *ret_version, struct error *err);

#endif
