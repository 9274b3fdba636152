/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The turnstile: one writer at a time, among the threads of this process by a mutex and among processes by
 * flock(2) on a file beside the database.
 *
 * SQLite up to 3.51.2 can corrupt a database when a checkpoint starts while another connection resets the WAL
 * (Debian 12 ships 3.40.1).  Every write transaction, and with it every checkpoint, runs inside the
 * turnstile, so the two never meet.  It is also faster and fairer than SQLite's own busy handler, which
 * sleeps and tries again.
 */
#ifndef DB_TURNSTILE_H
#define DB_TURNSTILE_H

#include <stdint.h>

#include "base/error.h"

/* A writer that waited this long is told "busy": longer, and its client has gone. */
#define DB_TURNSTILE_WAIT_MS 10000

struct turnstile;

/* The one turnstile of a database in this process; each call is paired with a turnstile_put(). */
int turnstile_get(const char *database, struct turnstile **ret_turnstile, struct error *err);
struct turnstile *turnstile_put(struct turnstile *turnstile);

/* -EBUSY after DB_TURNSTILE_WAIT_MS. */
int turnstile_enter(struct turnstile *turnstile, struct error *err);
void turnstile_leave(struct turnstile *turnstile);

/* Inside: a program that is started from here on holds it too, until it ends, whatever becomes of this one.
 */
int turnstile_share(struct turnstile *turnstile, struct error *err);

#endif
