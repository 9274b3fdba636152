/* SPDX-License-Identifier: Apache-2.0 */
#include "api/connection.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/* Without a descriptor to spare the listener stays readable: better to wait than to spin. */
#define ACCEPT_PAUSE_US 10000

/* Connections taken at once, before another thread may have a turn. */
#define ACCEPT_TURN 16

/* Bytes that are read at once of what is not looked at: libfcgi's own buffer. */
#define DRAIN_CHUNK 8192

/* Replies that one thread writes before it lets another go on with the rest. */
#define RESUME_TURN 16

/* A connection keeps the memory of an answer up to this size for the next one. */
#define BODY_KEPT 16384

/* ---- connections ---- */

static void unlink_connection(struct connection *connection)
{
    struct pool *pool = connection->pool;

    pthread_mutex_lock(&pool->mutex);
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        pool->connections = connection->next;
    pthread_mutex_unlock(&pool->mutex);
}

/* Closes it at once: libfcgi would wait for the peer to close first, for up to two seconds. */
static void connection_free(struct connection *connection)
{
    close_fd(&connection->request.ipcFd);
    connection->request.ipcFd = -1;
    FCGX_Free(&connection->request, 0);
    buf_release(&connection->head);
    buf_release(&connection->body);
    pthread_mutex_destroy(&connection->handing);
    free(connection);
}

static void connection_close(struct connection *connection)
{
    unlink_connection(connection);
    connection_free(connection);
}

/*
 * A connection whose descriptor libfcgi is to take for one that nginx has kept.  It must never accept on its
 * own, which it would do in place of a connection that was closed: hence no listener.
 */
static struct connection *connection_new(struct pool *pool, int fd)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (connection == NULL || FCGX_InitRequest(&connection->request, -1, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
        free(connection);
        close(fd);
        return NULL;
    }
    connection->request.ipcFd = fd;
    connection->request.keepConnection = 1;
    pthread_mutex_init(&connection->handing, NULL);
    connection->pool = pool;
    connection->head = BUF_INIT(HEAD_MAX);
    connection->body = BUF_INIT(REPLY_MAX);
    pthread_mutex_lock(&pool->mutex);
    connection->next = pool->connections;
    if (connection->next != NULL)
        connection->next->previous = connection;
    pool->connections = connection;
    pthread_mutex_unlock(&pool->mutex);
    return connection;
}

static void add_connection(struct pool *pool, int fd)
{
    struct connection *connection = connection_new(pool, fd);

    if (connection != NULL && pool_watch(pool, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT, connection) < 0)
        connection_close(connection);
}

/* Those that a predecessor left. */
void connections_adopt(struct pool *pool)
{
    struct handover *sockets = pool->api->sockets;

    while (sockets->count > 0)
        add_connection(pool, sockets->connections[--sockets->count]);
}

void connections_accept(struct pool *pool)
{
    for (int i = 0; i < ACCEPT_TURN; i++) {
        int fd = accept4(pool->api->sockets->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                usleep(ACCEPT_PAUSE_US);
            break;
        }
        add_connection(pool, fd);
    }
}

void connections_leave(struct pool *pool)
{
    for (struct connection *connection = pool->connections, *next; connection != NULL; connection = next) {
        next = connection->next;
        handover_add(pool->api->sockets, steal_fd(&connection->request.ipcFd));
        connection_free(connection);
    }
    pool->connections = NULL;
}

/* ---- requests ---- */

/*
 * Reads the request to its end, the empty record behind the body with it.  libfcgi leaves what was not read
 * on the connection, takes it for a malformed request there, and closes a connection that nginx has kept: a
 * request that is under way on it by then is lost.  False where the rest is longer than any body may be.
 */
static bool drain(struct connection *connection)
{
    int64_t left = connection->pool->api->settings->max_body_bytes;
    char bytes[DRAIN_CHUNK];

    while (left > 0) {
        if (FCGX_GetStr(bytes, sizeof bytes, connection->request.in) < (int)sizeof bytes)
            return true;
        left -= (int64_t)sizeof bytes;
    }
    return false;
}

void exchange_finish(struct exchange *exchange)
{
    struct connection *connection = container_of(exchange, struct connection, exchange);

    bool kept;

    exchange_send(exchange);
    FCGX_Finish_r(&connection->request);
    if (connection->body.capacity > BODY_KEPT)
        buf_release(&connection->body);
    pthread_mutex_lock(&connection->handing);
    kept = connection->usable && connection->request.ipcFd >= 0 &&
           pool_watch(connection->pool, EPOLL_CTL_MOD, connection->request.ipcFd, EPOLLIN | EPOLLONESHOT,
                      connection) == 0;
    pthread_mutex_unlock(&connection->handing);
    if (!kept)
        connection_close(connection);
}

void exchange_resume(struct exchange *exchange)
{
    struct pool *pool = container_of(exchange, struct connection, exchange)->pool;
    bool first;

    exchange->next = NULL;
    pthread_mutex_lock(&pool->mutex);
    first = pool->resumed == NULL;
    *pool->last_resumed = exchange;
    pool->last_resumed = &exchange->next;
    pthread_mutex_unlock(&pool->mutex);
    if (first)
        eventfd_write(pool->resume_fd, 1);
}

/* Takes a few of those that wait; *ret_more tells whether others do. */
static struct exchange *take_resumed(struct pool *pool, bool *ret_more)
{
    struct exchange *first, **end = &first;

    pthread_mutex_lock(&pool->mutex);
    first = pool->resumed;
    for (int i = 0; i < RESUME_TURN && *end != NULL; i++)
        end = &(*end)->next;
    pool->resumed = *end;
    if (pool->resumed == NULL)
        pool->last_resumed = &pool->resumed;
    *end = NULL;
    *ret_more = pool->resumed != NULL;
    pthread_mutex_unlock(&pool->mutex);
    return first;
}

void pool_resume(struct pool_thread *thread)
{
    struct pool *pool = thread->pool;
    eventfd_t count;
    bool more;
    struct exchange *exchange;

    eventfd_read(pool->resume_fd,
                 &count); /* before the list is taken, so that what comes later wakes again */
    exchange = take_resumed(pool, &more);
    if (more)
        eventfd_write(pool->resume_fd, 1); /* another thread goes on with them */
    while (exchange != NULL) {
        struct exchange *next = exchange->next;

        /* What it had of its own thread it has of this one. */
        exchange->store = thread->store;
        exchange->keys = &thread->keys;
        exchange->deferred(exchange);
        exchange = next;
    }
}

void connection_serve(struct pool_thread *thread, struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;

    pthread_mutex_lock(&connection->handing);
    pthread_mutex_unlock(&connection->handing);
    if (FCGX_Accept_r(&connection->request) < 0) { /* nginx has closed it */
        connection_close(connection);
        return;
    }
    atomic_fetch_add_explicit(&thread->pool->api->requests, 1, memory_order_relaxed);
    buf_clear(&connection->head);
    buf_clear(&connection->body);
    *exchange = (struct exchange){
        .api = thread->pool->api,
        .store = thread->store,
        .keys = &thread->keys,
        .fcgi = &connection->request,
        .head = &connection->head,
        .body = &connection->body,
        .route = HTTP_OTHER,
        .started_at = clock_monotonic_us(thread->pool->api->clock),
    };
    if (exchange_start(exchange))
        route(exchange);
    connection->usable = drain(connection);
    if (exchange->deferred != NULL)
        exchange->deferred(exchange); /* from here on it may be another thread's */
    else
        exchange_finish(exchange);
}
