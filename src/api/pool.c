/* SPDX-License-Identifier: Apache-2.0 */
#include "api/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "api/connection.h"
#include "api/wait.h"

/* A thread's stack: the handlers need a few dozen KiB. */
#define THREAD_STACK (512 * 1024)

/* What epoll tells a thread: a connection, or one of these. */
static const char listener_mark, resume_mark, wait_mark, reload_mark, tick_mark, stop_mark;

int pool_watch(struct pool *pool, int operation, int fd, uint32_t events, const void *mark)
{
    struct epoll_event event = {.events = events, .data.ptr = (void *)(uintptr_t)mark};

    return epoll_ctl(pool->epoll_fd, operation, fd, &event);
}

static void look_at_listener(struct pool *pool)
{
    connections_accept(pool);
    pool_watch(pool, EPOLL_CTL_MOD, pool->api->sockets->listener, EPOLLIN | EPOLLONESHOT, &listener_mark);
}

static void look_at_waits(struct pool *pool)
{
    struct waits *waits = pool->api->waits;

    waits_look(waits);
    pool_watch(pool, EPOLL_CTL_MOD, waits_fd(waits), EPOLLIN | EPOLLONESHOT, &wait_mark);
}

/* Every thread ends at the mark, as when the process is to stop. */
static void look_at_reload(struct pool *pool)
{
    struct api *api = pool->api;

    if (service_reload_asked(api->service)) {
        atomic_store(&api->is_reloading, true);
        eventfd_write(api->leave_fd, 1);
    } else {
        pool_watch(pool, EPOLL_CTL_MOD, api->service->reload_fd, EPOLLIN | EPOLLONESHOT, &reload_mark);
    }
}

/* By whichever thread is free: where none ever is, the watchdog bites. */
static void tick(struct pool *pool)
{
    struct api *api = pool->api;
    char status[SERVICE_STATUS_MAX];
    uint64_t expirations = 1;

    if (read(pool->tick_fd, &expirations, sizeof expirations) != sizeof expirations)
        expirations = 1;
    snprintf(status, sizeof status, "taking requests: %llu in the last %g s",
             atomic_exchange(&api->requests, 0), (double)expirations * (double)api->service->tick_ms / 1000);
    service_alive(status);
    pool_watch(pool, EPOLL_CTL_MOD, pool->tick_fd, EPOLLIN | EPOLLONESHOT, &tick_mark);
}

static void end_waits(struct pool *pool)
{
    struct api *api = pool->api;

    if (!atomic_exchange(&api->is_ending, true)) {
        if (atomic_load(&api->is_reloading))
            service_reloading();
        else
            service_stopping();
    }
    waits_end(api->waits);
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
            end_waits(pool);
            continue;
        }
        if (event.data.ptr == &listener_mark)
            look_at_listener(pool);
        else if (event.data.ptr == &resume_mark)
            pool_resume(thread);
        else if (event.data.ptr == &wait_mark)
            look_at_waits(pool);
        else if (event.data.ptr == &reload_mark)
            look_at_reload(pool);
        else if (event.data.ptr == &tick_mark)
            tick(pool);
        else
            connection_serve(thread, event.data.ptr);
    }
    return NULL;
}

static int watch_all(struct pool *pool)
{
    const struct api *api = pool->api;
    const struct {
        int fd;
        uint32_t events;
        const char *mark;
    } watched[] = {
        {waits_fd(api->waits), EPOLLIN | EPOLLONESHOT, &wait_mark},
        {pool->resume_fd, EPOLLIN | EPOLLET, &resume_mark},
        {pool->tick_fd, EPOLLIN | EPOLLONESHOT, &tick_mark},
        {api->service->reload_fd, EPOLLIN | EPOLLONESHOT, &reload_mark},
        {api->service->stop_fd, EPOLLIN, &stop_mark},
        {api->leave_fd, EPOLLIN, &stop_mark},
        {api->sockets->listener, EPOLLIN | EPOLLONESHOT, &listener_mark},
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < array_length(watched); i++)
        r = pool_watch(pool, EPOLL_CTL_ADD, watched[i].fd, watched[i].events, watched[i].mark);
    return r;
}

/* A timer that never wakes where nobody listens. */
static int open_tick(const struct service *service)
{
    const struct timespec interval = {service->tick_ms / 1000, service->tick_ms % 1000 * 1000000L};
    const struct itimerspec timer = {.it_interval = interval, .it_value = interval};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

    if (fd >= 0)
        timerfd_settime(fd, 0, &timer, NULL);
    return fd;
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
    pool->tick_fd = open_tick(api->service);
    pool->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    r = waits_new(api, &api->waits, err);
    if (r < 0) {
        pool_free(pool);
        return r;
    }
    if (pool->epoll_fd < 0 || watch_all(pool) < 0) {
        r = error_system(err, errno, "cannot watch the socket");
        pool_free(pool);
        return r;
    }
    connections_adopt(pool);
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
        pool_resume(&pool->threads[0]);
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
        pool_resume(&pool->threads[0]);
    pool->api->waits = waits_free(pool->api->waits);
    connections_leave(pool);
    close_fd(&pool->tick_fd);
    close_fd(&pool->resume_fd);
    close_fd(&pool->epoll_fd);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
    return NULL;
}
