/* SPDX-License-Identifier: Apache-2.0 */
/* The connections that nginx keeps open, and what comes on them: what connection.c and pool.c share. */
#ifndef API_CONNECTION_H
#define API_CONNECTION_H

#include <pthread.h>

#include "api/internal.h"
#include "api/pool.h"

struct connection {
    struct pool *pool;
    FCGX_Request request; /* between two requests only its descriptor counts */
    struct exchange exchange;
    struct buf head;
    struct buf body;
    bool usable; /* for another request */
    /* Held while one thread hands it to the next by epoll: the next may be at work before the first is out of
     * the call. */
    pthread_mutex_t handing;
    struct connection *next, *previous;
};

struct pool_thread {
    struct pool *pool;
    pthread_t thread;
    struct store *store;
    struct key_cache keys;
};

struct pool {
    struct api *api;
    int epoll_fd;
    pthread_mutex_t mutex; /* of the lists */
    struct connection *connections;
    int tick_fd;   /* a timer: the service manager is to hear of this process */
    int resume_fd; /* an eventfd: there are exchanges to resume */
    struct exchange *resumed;
    struct exchange **last_resumed;
    size_t count;
    size_t started;
    struct pool_thread threads[];
};

/* Has epoll tell a thread of events at fd, by the mark. */
int pool_watch(struct pool *pool, int operation, int fd, uint32_t events, const void *mark);

/* Answers a few of the exchanges that wait for a thread. */
void pool_resume(struct pool_thread *thread);

/* Takes what waits at the listener, a turn's worth. */
void connections_accept(struct pool *pool);

/* Takes those that a predecessor left in api->sockets. */
void connections_adopt(struct pool *pool);

/* Puts all, each between two requests, into api->sockets. */
void connections_leave(struct pool *pool);

/* Reads a request and answers it, or closes what nginx has closed. */
void connection_serve(struct pool_thread *thread, struct connection *connection);

#endif
