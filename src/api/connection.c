/* SPDX-License-Identifier: Apache-2.0 */
#include "api/connection.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "api/wait.h"

/* A thread's stack: the handlers need a few dozen KiB. */
#define THREAD_STACK (512 * 1024)

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
    int resume_fd; /* an eventfd: there are exchanges to resume */
    struct exchange *resumed;
    struct exchange **last_resumed;
    size_t count;
    size_t started;
    struct pool_thread threads[];
};

/* ---- connections ---- */

/* What epoll tells a thread: a connection, or one of these. */
static const char listener_mark, resume_mark, wait_mark, stop_mark;

static int watch(struct pool *pool, int operation, int fd, uint32_t events, const void *mark)
{
    struct epoll_event event = {.events = events, .data.ptr = (void *)(uintptr_t)mark};

    return epoll_ctl(pool->epoll_fd, operation, fd, &event);
}

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

static void accept_connections(struct pool *pool)
{
    for (int i = 0; i < ACCEPT_TURN; i++) {
        int fd = accept4(pool->api->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        struct connection *connection;

        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                usleep(ACCEPT_PAUSE_US);
            break;
        }
        connection = connection_new(pool, fd);
        if (connection != NULL && watch(pool, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT, connection) < 0)
            connection_close(connection);
    }
    watch(pool, EPOLL_CTL_MOD, pool->api->listen_fd, EPOLLIN | EPOLLONESHOT, &listener_mark);
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
           watch(connection->pool, EPOLL_CTL_MOD, connection->request.ipcFd, EPOLLIN | EPOLLONESHOT,
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

static void resume_exchanges(struct pool_thread *thread)
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

static void serve_request(struct pool_thread *thread, struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;

    pthread_mutex_lock(&connection->handing);
    pthread_mutex_unlock(&connection->handing);
    if (FCGX_Accept_r(&connection->request) < 0) { /* nginx has closed it */
        connection_close(connection);
        return;
    }
    buf_clear(&connection->head);
    buf_clear(&connection->body);
    *exchange = (struct exchange){
        .api = thread->pool->api,
        .store = thread->store,
        .keys = &thread->keys,
        .fcgi = &connection->request,
        .head = &connection->head,
        .body = &connection->body,
    };
    if (exchange_start(exchange))
        route(exchange);
    connection->usable = drain(connection);
    if (exchange->deferred != NULL)
        exchange->deferred(exchange); /* from here on it may be another thread's */
    else
        exchange_finish(exchange);
}

/* ---- threads ---- */

static void look_at_waits(struct pool *pool)
{
    struct waits *waits = pool->api->waits;

    waits_look(waits);
    watch(pool, EPOLL_CTL_MOD, waits_fd(waits), EPOLLIN | EPOLLONESHOT, &wait_mark);
}

static void *run(void *argument)
{
    struct pool_thread *thread = argument;
    struct pool *pool = thread->pool;
    int stops =
        0; /* in a row: the mark goes to the end of the queue, so at the second all before it is answered */

    while (stops < 2) {
        struct epoll_event event;
        int count = epoll_wait(pool->epoll_fd, &event, 1, -1);

        if (count < 0 && errno != EINTR)
            break;
        if (count <= 0)
            continue;
        stops = event.data.ptr == &stop_mark ? stops + 1 : 0;
        if (stops > 0) {
            waits_end(pool->api->waits);
            continue;
        }
        if (event.data.ptr == &listener_mark)
            accept_connections(pool);
        else if (event.data.ptr == &resume_mark)
            resume_exchanges(thread);
        else if (event.data.ptr == &wait_mark)
            look_at_waits(pool);
        else
            serve_request(thread, event.data.ptr);
    }
    return NULL;
}

int pool_new(struct api *api, struct pool **ret_pool, struct error *err)
{
    size_t count = (size_t)api->settings->api_threads;
    struct pool *pool = calloc(1, sizeof *pool + count * sizeof pool->threads[0]);
    int r;

    if (pool == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    pool->api = api;
    pool->count = count;
    pthread_mutex_init(&pool->mutex, NULL);
    pool->last_resumed = &pool->resumed;
    pool->resume_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pool->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    r = waits_new(api, &api->waits, err);
    if (r < 0) {
        pool_free(pool);
        return r;
    }
    if (pool->epoll_fd < 0 ||
        watch(pool, EPOLL_CTL_ADD, waits_fd(api->waits), EPOLLIN | EPOLLONESHOT, &wait_mark) < 0 ||
        watch(pool, EPOLL_CTL_ADD, pool->resume_fd, EPOLLIN | EPOLLET, &resume_mark) < 0 ||
        watch(pool, EPOLL_CTL_ADD, api->stop_fd, EPOLLIN, &stop_mark) < 0 ||
        watch(pool, EPOLL_CTL_ADD, api->listen_fd, EPOLLIN | EPOLLONESHOT, &listener_mark) < 0) {
        r = error_system(err, errno, "cannot watch the socket");
        pool_free(pool);
        return r;
    }
    *ret_pool = pool;
    return 0;
}

int pool_start(struct pool *pool, struct error *err)
{
    pthread_attr_t attributes;
    int r = 0;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_STACK);
    while (r == 0 && pool->started < pool->count) {
        struct pool_thread *thread = &pool->threads[pool->started];

        thread->pool = pool;
        r = store_open(&pool->api->store_options, &thread->store, err);
        if (r == 0 && (r = pthread_create(&thread->thread, &attributes, run, thread)) != 0) {
            thread->store = store_close(thread->store);
            r = error_system(err, r, "cannot start a thread");
        }
        pool->started += r == 0;
    }
    pthread_attr_destroy(&attributes);
    return r;
}

/* The committer may still add to them. */
static bool has_resumed(struct pool *pool)
{
    bool has;

    pthread_mutex_lock(&pool->mutex);
    has = pool->resumed != NULL;
    pthread_mutex_unlock(&pool->mutex);
    return has;
}

void pool_join(struct pool *pool)
{
    for (size_t i = 0; i < pool->started; i++)
        pthread_join(pool->threads[i].thread, NULL);
    /* What the threads have left needs one's connection to the database. */
    while (has_resumed(pool))
        resume_exchanges(&pool->threads[0]);
    for (size_t i = 0; i < pool->started; i++) {
        struct pool_thread *thread = &pool->threads[i];

        key_cache_clear(&thread->keys);
        thread->store = store_close(thread->store);
    }
    pool->started = 0;
}

struct pool *pool_free(struct pool *pool)
{
    if (pool == NULL)
        return NULL;
    while (has_resumed(pool)) /* by the committer, when it was stopped */
        resume_exchanges(&pool->threads[0]);
    pool->api->waits = waits_free(pool->api->waits);
    for (struct connection *connection = pool->connections, *next; connection != NULL; connection = next) {
        next = connection->next;
        connection_free(connection);
    }
    close_fd(&pool->resume_fd);
    close_fd(&pool->epoll_fd);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
    return NULL;
}
