/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators do to a database as a whole. */
#ifndef DB_UPKEEP_H
#define DB_UPKEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Faults that are told; a database that has more is not mended by knowing them. */
#define DB_FAULTS_MAX 100

/*
 * Reads the whole database, while others use it: its pages, rows and constraints, with full its indexes
 * against their tables too, and what refers to a row that is not there.  report is called for each fault, at
 * most DB_FAULTS_MAX times.  It holds a read transaction while it lasts.
 */
int db_inspect(const char *path, bool full, void (*report)(void *context, const char *fault), void *context,
               struct error *err);

/* Bytes of a database and, of them, those in pages that hold nothing. */
struct db_size {
    int64_t bytes;
    int64_t unused;
};
int db_size_read(const char *path, struct db_size *ret_size, struct error *err);

/*
 * Writes the database anew without its unused pages, inside the turnstile: nobody writes meanwhile.  It needs
 * twice the bytes of what is left on the disk of the database.  -ENOSPC.
 */
int db_vacuum(const char *path, struct error *err);

#endif
