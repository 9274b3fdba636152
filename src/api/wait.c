/* SPDX-License-Identifier: Apache-2.0 */
#include "api/wait.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/timerfd.h>

struct waits {
    struct api *api;
    struct store *store; /* the looking thread's, so that it hears of each commit once */
    int timer_fd;
    pthread_mutex_t mutex; /* of all below */
    bool ended;
    size_t count;
    struct exchange *waiting[WAITS_MAX];
};

int waits_new(struct api *api, struct waits **ret_waits, struct error *err)
{
    struct waits *waits = calloc(1, sizeof *waits);
    int r;

    if (waits == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    waits->api = api;
    pthread_mutex_init(&waits->mutex, NULL);
    waits->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    r = waits->timer_fd < 0 ? error_system(err, errno, "cannot make a timer")
                            : store_open(&api->store_options, &waits->store, err);
    if (r < 0) {
        waits_free(waits);
        return r;
    }
    *ret_waits = waits;
    return 0;
}

struct waits *waits_free(struct waits *waits)
{
    if (waits == NULL)
        return NULL;
    waits->store = store_close(waits->store);
    close_fd(&waits->timer_fd);
    pthread_mutex_destroy(&waits->mutex);
    free(waits);
    return NULL;
}

int waits_fd(const struct waits *waits)
{
    return waits->timer_fd;
}

/* An empty list needs no looks. */
static void set_timer(struct waits *waits)
{
    const struct timespec interval = {.tv_nsec = waits->count > 0 ? WAITS_INTERVAL_MS * 1000000L : 0};
    const struct itimerspec timer = {.it_interval = interval, .it_value = interval};

    timerfd_settime(waits->timer_fd, 0, &timer, NULL);
}

bool waits_add(struct waits *waits, struct exchange *exchange)
{
    size_t of_key = 0;
    bool taken;

    pthread_mutex_lock(&waits->mutex);
    for (size_t i = 0; i < waits->count; i++)
        of_key += waits->waiting[i]->wait.key == exchange->wait.key;
    taken = !waits->ended && waits->count < WAITS_MAX && of_key < WAITS_OF_KEY_MAX;
    if (taken) {
        waits->waiting[waits->count++] = exchange;
        if (waits->count == 1)
            set_timer(waits);
    }
    pthread_mutex_unlock(&waits->mutex);
    return taken;
}

/* Bit by bit, who has closed the connection: nginx does when its client has. */
static void find_gone(const struct waits *waits, bool ret_gone[WAITS_MAX])
{
    struct pollfd fds[WAITS_MAX];

    for (size_t i = 0; i < waits->count; i++)
        fds[i] = (struct pollfd){.fd = waits->waiting[i]->fcgi->ipcFd, .events = POLLRDHUP};
    if (poll(fds, waits->count, 0) < 0)
        return;
    for (size_t i = 0; i < waits->count; i++)
        ret_gone[i] = fds[i].revents != 0;
}

/* A job that cannot be read is one to answer of: the answer says what is wrong. */
static bool has_changed(struct waits *waits, const struct job_wait *wait)
{
    enum job_status status;

    return job_status_get(waits->store, wait->job, &status, NULL) != 0 || status != wait->status;
}

void waits_look(struct waits *waits)
{
    int64_t now = clock_monotonic_ms(waits->api->clock);
    bool gone[WAITS_MAX] = {false};
    uint64_t expirations;
    bool changed;
    size_t kept = 0;

    while (read(waits->timer_fd, &expirations, sizeof expirations) > 0)
        ;
    pthread_mutex_lock(&waits->mutex);
    find_gone(waits, gone);
    changed = store_changed(waits->store);
    store_read_begin(waits->store, NULL); /* where it fails, each read is one of its own */
    for (size_t i = 0; i < waits->count; i++) {
        struct exchange *exchange = waits->waiting[i];
        struct job_wait *wait = &exchange->wait;
        bool look = changed || !wait->looked_at;

        wait->looked_at = true;
        if (gone[i] || now >= wait->until || (look && has_changed(waits, wait)))
            exchange_resume(exchange);
        else
            waits->waiting[kept++] = exchange;
    }
    store_read_end(waits->store);
    waits->count = kept;
    if (kept == 0)
        set_timer(waits);
    pthread_mutex_unlock(&waits->mutex);
}

void waits_end(struct waits *waits)
{
    pthread_mutex_lock(&waits->mutex);
    waits->ended = true;
    while (waits->count > 0)
        exchange_resume(waits->waiting[--waits->count]);
    set_timer(waits);
    pthread_mutex_unlock(&waits->mutex);
}
