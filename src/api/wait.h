/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that wait for a job to change its state (Prefer: wait, RFC 7240 section 4.3).
 *
 * A request that waits holds a connection and no thread: it stands in a list that a timer has looked at.  An
 * idle database costs one read for all of them, a busy one a small read for each.
 */
#ifndef API_WAIT_H
#define API_WAIT_H

#include "api/internal.h"

/* Of waits_fd(): how often the list is looked at while it holds anything. */
#define WAITS_INTERVAL_MS 50

/* A quarter of the descriptors that the process may have: the rest stays for those that do not wait. */
#define WAITS_MAX 256

/* One key's part of them, so that no key takes all. */
#define WAITS_OF_KEY_MAX 64

/* Opens a connection to the database of its own. */
int waits_new(struct api *api, struct waits **ret_waits, struct error *err);

/* After waits_end().  Takes NULL. */
struct waits *waits_free(struct waits *waits);

/* A timer's descriptor: it is readable when waits_look() is due. */
int waits_fd(const struct waits *waits);

/*
 * Takes an exchange whose member `wait` is filled; it is resumed once the state is another, the time is over,
 * the client has gone or the process stops.  False where too many wait already: the exchange stays the
 * caller's.
 */
bool waits_add(struct waits *waits, struct exchange *exchange);

/* Resumes those that need wait no longer.  One thread at a time. */
void waits_look(struct waits *waits);

/* Resumes all, and takes no more. */
void waits_end(struct waits *waits);

#endif
