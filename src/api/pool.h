/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads that answer requests.
 *
 * All wait at one epoll descriptor for the listener and for every idle connection, each of which is handed to
 * one thread at a time (EPOLLONESHOT).  So an idle connection costs a descriptor and no thread, and under
 * load a thread goes from one request to the next without ever sleeping.  A request whose answer waits for a
 * commit leaves its thread, too: the committer answers it.
 */
#ifndef API_POOL_H
#define API_POOL_H

#include "api/internal.h"

struct pool;

/* Threads and the epoll descriptor, not started. */
int pool_new(struct api *api, struct pool **ret_pool, struct error *err);
int pool_start(struct pool *pool, struct error *err);

/* Waits until the threads have seen that they are to end, and have ended. */
void pool_join(struct pool *pool);

/* After the committer was stopped: puts the connections into api->sockets, and frees.  Takes NULL. */
struct pool *pool_free(struct pool *pool);

#endif
