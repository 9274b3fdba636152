/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "api/internal.h"
#include "base/wake.h"
#include "codec/event_json.h"

/* Connections that wait for a thread; the kernel's own limit is 4096. */
#define LISTEN_BACKLOG 1024

/* Without a descriptor to spare the listener stays readable: better to wait than to spin. */
#define ACCEPT_PAUSE_US 10000

/* A thread's stack: the handlers need a few dozen KiB, and there are many threads. */
#define THREAD_STACK (512 * 1024)

/* Bytes that are read at once of what is not looked at: libfcgi's own buffer. */
#define DRAIN_CHUNK 8192

/* ---- one thread ---- */

struct server_thread {
    struct api *api;
    pthread_t thread;
    struct store *store;
    int epoll_fd; /* the listener and the stop descriptor */
    struct key_cache keys;
    struct buf head;
    struct buf body;
    FCGX_Request request;
};

/*
 * Reads the request to its end, the empty record behind the body with it.  libfcgi leaves what was not read
 * on the connection, takes it for a malformed request there, and closes a connection that nginx has kept: a
 * request that is under way on it by then is lost.  False where the rest is longer than any body may be.
 */
static bool drain(struct server_thread *thread)
{
    int64_t left = thread->api->settings->max_body_bytes;
    char bytes[DRAIN_CHUNK];

    while (left > 0) {
        if (FCGX_GetStr(bytes, sizeof bytes, thread->request.in) < (int)sizeof bytes)
            return true;
        left -= (int64_t)sizeof bytes;
    }
    return false;
}

/* False where the connection cannot be used again. */
static bool answer(struct server_thread *thread)
{
    struct exchange exchange = {
        .api = thread->api,
        .store = thread->store,
        .keys = &thread->keys,
        .fcgi = &thread->request,
        .head = &thread->head,
        .body = &thread->body,
    };
    bool is_read;

    buf_clear(&thread->head);
    buf_clear(&thread->body);
    if (exchange_start(&exchange))
        route(&exchange);
    is_read = drain(thread);
    exchange_send(&exchange);
    return is_read;
}

/* What an idle thread waits for.  A new connection wakes one thread, not all of them (EPOLLEXCLUSIVE). */
static int watch_listener(struct server_thread *thread, struct error *err)
{
    struct epoll_event connection = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = thread->api->listen_fd};
    struct epoll_event stop = {.events = EPOLLIN, .data.fd = thread->api->stop_fd};

    thread->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (thread->epoll_fd < 0 ||
        epoll_ctl(thread->epoll_fd, EPOLL_CTL_ADD, thread->api->listen_fd, &connection) < 0 ||
        epoll_ctl(thread->epoll_fd, EPOLL_CTL_ADD, thread->api->stop_fd, &stop) < 0)
        return error_system(err, errno, "cannot watch the socket");
    return 0;
}

static bool wait_for_connection(const struct server_thread *thread)
{
    struct epoll_event events[2];
    int count;

    while ((count = epoll_wait(thread->epoll_fd, events, 2, -1)) < 0)
        if (errno != EINTR)
            return false;
    /* What was sent is answered before the thread stops. */
    return count > 1 || events[0].data.fd == thread->api->listen_fd;
}

static bool wait_for_next(const struct server_thread *thread)
{
    struct pollfd fds[2] = {
        {.fd = thread->request.ipcFd, .events = POLLIN},
        {.fd = thread->api->stop_fd, .events = POLLIN},
    };

    while (poll(fds, 2, -1) < 0)
        if (errno != EINTR)
            return false;
    return fds[0].revents != 0 || fds[1].revents == 0;
}

/*
 * Waits for the next request: on the connection that nginx keeps open to this thread, or for a new one.
 * libfcgi would block in read(2) or accept(2) where no signal wakes it, so it is called only when there is
 * something.  False to stop.
 */
static bool wait_for_request(const struct server_thread *thread)
{
    return thread->request.ipcFd >= 0 ? wait_for_next(thread) : wait_for_connection(thread);
}

static void *serve(void *argument)
{
    struct server_thread *thread = argument;
    bool is_read;

    while (wait_for_request(thread)) {
        int r = FCGX_Accept_r(&thread->request);

        if (r == -EMFILE || r == -ENFILE || r == -ENOMEM)
            usleep(ACCEPT_PAUSE_US);
        if (r < 0)
            continue; /* another thread was quicker, or nginx closed the connection */
        is_read = answer(thread);
        FCGX_Finish_r(&thread->request);
        if (!is_read)
            FCGX_Free(&thread->request, 1);
    }
    FCGX_Free(&thread->request, 1);
    return NULL;
}

static int start_thread(struct server_thread *thread, const pthread_attr_t *attributes, struct error *err)
{
    int r = store_open(&thread->api->store_options, &thread->store, err);

    if (r < 0)
        return r;
    r = watch_listener(thread, err);
    if (r < 0)
        return r; /* the process ends */
    thread->head = BUF_INIT(HEAD_MAX);
    thread->body = BUF_INIT(REPLY_MAX);
    if (FCGX_InitRequest(&thread->request, thread->api->listen_fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
        thread->store = store_close(thread->store);
        return error_set(err, -EIO, "libfcgi cannot start");
    }
    r = pthread_create(&thread->thread, attributes, serve, thread);
    if (r != 0) {
        thread->store = store_close(thread->store);
        return error_system(err, r, "cannot start a thread");
    }
    return 0;
}

static void join_thread(struct server_thread *thread)
{
    pthread_join(thread->thread, NULL);
    close(thread->epoll_fd);
    key_cache_clear(&thread->keys);
    store_close(thread->store);
    buf_release(&thread->head);
    buf_release(&thread->body);
}

/* ---- the process ---- */

/* Beside its place first, then renamed into it: whoever connects finds the old socket or the new one. */
static int listen_at(const char *path, int *ret_fd, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cleanup(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return error_system(err, errno, "cannot make a socket");
    if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s.new", path) >=
        sizeof address.sun_path)
        return error_set(err, -ENAMETOOLONG, "the setting `api_socket`, %s, must be shorter than %zu bytes",
                         path, sizeof address.sun_path - sizeof ".new" + 1);
    unlink(address.sun_path);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return error_system(err, errno, "cannot bind the socket %s", address.sun_path);
    /* Its group is nginx's; a hostile peer could end the process, so nobody else may connect. */
    if (chmod(address.sun_path, 0660) < 0 || listen(fd, LISTEN_BACKLOG) < 0 ||
        rename(address.sun_path, path) < 0)
        return error_system(err, errno, "cannot listen at the socket %s", path);
    *ret_fd = steal_fd(&fd);
    return 0;
}

/*
 * libfcgi waits for a peer with select(2), which writes past its sets for a descriptor of 1024 or more: there
 * must be none.  The setting api_threads is bounded so that they suffice.
 */
static int limit_descriptors(struct error *err)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return error_system(err, errno, "cannot read the limit of descriptors");
    if (limit.rlim_cur <= FD_SETSIZE)
        return 0;
    limit.rlim_cur = FD_SETSIZE;
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? error_system(err, errno, "cannot limit descriptors") : 0;
}

static int make_guard(const struct settings *settings, struct guard **ret_guard, struct error *err)
{
    const struct guard_options options = {
        .allow_http = settings->webhook_allow_http,
        .cidrs = settings->webhook_allow_cidrs.items,
        .cidr_count = settings->webhook_allow_cidrs.count,
        .ports = settings->webhook_ports.items,
        .port_count = settings->webhook_ports.count,
        .clock = &clock_system,
    };

    return guard_new(&options, ret_guard, err);
}

/* One hint a commit, however many jobs are in it. */
static void hint(void *context)
{
    const struct api *api = context;

    wake_send(api->wake_socket, api->settings->database);
}

static int run_threads(struct api *api, void (*ready)(void), struct error *err)
{
    size_t count = (size_t)api->settings->api_threads;
    struct server_thread *threads = calloc(count, sizeof *threads);
    pthread_attr_t attributes;
    size_t started = 0;
    int r = 0;

    if (threads == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_STACK);
    while (r == 0 && started < count) {
        threads[started].api = api;
        r = start_thread(&threads[started], &attributes, err);
        started += r == 0;
    }
    pthread_attr_destroy(&attributes);
    if (r == 0)
        ready();
    for (size_t i = 0; r == 0 && i < started; i++)
        join_thread(&threads[i]);
    free(threads);
    return r; /* on a failure the process ends, and its threads with it */
}

static int open_listener(const struct settings *settings, int passed, int *ret_fd, struct error *err)
{
    int r = 0;

    if (passed >= 0)
        *ret_fd = passed;
    else
        r = listen_at(settings->api_socket, ret_fd, err);
    /* Several threads are woken by one connection; those that find it taken must not block. */
    if (r == 0 && fcntl(*ret_fd, F_SETFL, O_NONBLOCK) < 0)
        r = error_system(err, errno, "cannot set the socket up");
    return r;
}

int api_serve(const struct settings *settings, int listen_fd, int stop_fd, void (*ready)(void),
              struct error *err)
{
    const struct duration_list *schedule = &settings->webhook_retry_schedule;
    const struct event_json event_json = event_json_make(settings->public_base_url);
    struct api api = {
        .settings = settings,
        .clock = &clock_system,
        .store_options = {.path = settings->database,
                          .clock = &clock_system,
                          .renderer = &event_json.renderer,
                          .webhook_delay = schedule->count > 0 ? schedule->items_ms[0] : 0},
        .wake_socket = wake_sender(),
        .listen_fd = -1,
        .stop_fd = stop_fd,
        .is_writable = true,
    };
    /* Each thread has at most one write under way. */
    size_t queue_max = (size_t)settings->api_threads + 1;
    int r = limit_descriptors(err);

    if (r == 0)
        r = make_guard(settings, &api.guard, err);
    if (r == 0 && FCGX_Init() != 0)
        r = error_set(err, -EIO, "libfcgi cannot start");
    if (r == 0)
        r = committer_start(&api.store_options, "sayhook-api", queue_max, &api.committer, err);
    if (r == 0)
        committer_on_commit(api.committer, hint, &api);
    if (r == 0)
        r = open_listener(settings, listen_fd, &api.listen_fd, err);
    if (r == 0)
        r = run_threads(&api, ready, err);
    if (r == 0) {
        committer_stop(api.committer);
        guard_free(api.guard);
        close_fd(&api.wake_socket);
        close_fd(&api.listen_fd);
    }
    return r;
}
