/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another file in the place of a database that no program has open.  What was there stays beside it.
 *
 *     turnstile_enter()        programs that start wait
 *     db_is_in_use()           those that run are seen
 *     file_replace(the mark)   from here on no program opens it
 *     db_replace()
 *     unlink(the mark)
 *
 * Whoever is killed in between leaves the mark, and the same steps again lead to the end.
 */
#ifndef DB_REPLACE_H
#define DB_REPLACE_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"

/*
 * Whether any program has the database open, by the lock that each connection to a database in WAL mode holds
 * on its index: *ret_pid is one of them (0 where it is in another namespace, and has no number here).
 * DB_IN_USE; 0 where none has.  This process must have no connection of its own, whose locks it would lose.
 */
#define DB_IN_USE 1
int db_is_in_use(const char *path, int *ret_pid, struct error *err);

/* The file that says that a restore is under way: db_open() refuses then.  False where the path is too long.
 */
bool db_path_restore_mark(const char *path, char ret_path[PATH_MAX]);

/* -EUCLEAN where the mark is there: half of what lies there is of before, half of the backup, and nobody is
 * to build on it.  Whoever opens a database calls it first. */
int db_refuse_restore(const char *path, struct error *err);

/*
 * Renames the database, with its WAL, to aside, and next to the database's path, and makes both durable.
 * What an earlier call did is not done again: where next is gone, it has its place.
 */
int db_replace(const char *path, const char *aside, const char *next, struct error *err);

#endif
