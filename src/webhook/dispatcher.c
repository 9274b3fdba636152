/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/dispatcher.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"
#include "job/webhook_guard.h"
#include "webhook/courier.h"
#include "webhook/due.h"
#include "webhook/recovery.h"

/* What stopping grants beyond that, for the commit behind the last answer. */
#define STOP_GRACE_MS 1000

struct dispatcher {
    struct dispatcher_options options;
    const struct settings *settings;
    struct guard *guard;
    struct store *store;
    int wake_fd;
    pthread_t thread;
    atomic_bool stopping;

    /* The thread's own. */
    struct courier courier;
    struct due_finder due;
    bool recovered; /* the attempts of a predecessor are ended */
};

static int64_t monotonic(const struct dispatcher *dispatcher)
{
    return clock_monotonic_ms(dispatcher->options.clock);
}

static int64_t wall(const struct dispatcher *dispatcher)
{
    return clock_wall_ms(dispatcher->options.clock);
}

/* ---- what is due ---- */

/* The finder's call for each webhook that is to be sent. */
static int begin(struct due_finder *due, struct webhook *webhook, struct receiver_state *receiver,
                 struct error *err)
{
    return courier_begin(&container_of(due, struct dispatcher, due)->courier, webhook, receiver, err);
}

static void look_around(struct dispatcher *dispatcher)
{
    struct error err = {""};

    if (due_look(&dispatcher->due, &err) < 0)
        courier_pause(&dispatcher->courier, &err);
}

static void recover(struct dispatcher *dispatcher)
{
    struct error err = {""};
    int64_t count = 0;
    int r = recovery_run(dispatcher->store, dispatcher->options.committer, dispatcher->settings,
                         dispatcher->options.clock, &count, &err);

    if (r < 0) {
        courier_pause(&dispatcher->courier, &err);
        return;
    }
    dispatcher->recovered = true;
    dispatcher->due.look = true;
    if (count > 0)
        report(dispatcher->options.log, LOG_LEVEL_WARNING, NULL,
               "%" PRId64 " webhook attempts were interrupted", count);
}

/* ---- the thread ---- */

static bool is_stopping(const struct dispatcher *dispatcher)
{
    return atomic_load(&dispatcher->stopping);
}

static bool may_take(const struct dispatcher *dispatcher)
{
    return !is_stopping(dispatcher) && monotonic(dispatcher) >= dispatcher->courier.pause_until;
}

static void take_what_is_due(struct dispatcher *dispatcher)
{
    if (!dispatcher->recovered)
        recover(dispatcher);
    if (!dispatcher->recovered)
        return;
    if (store_changed(dispatcher->store))
        dispatcher->due.look = true;
    if (dispatcher->due.next_due != 0 && dispatcher->due.next_due <= wall(dispatcher)) {
        dispatcher->due.look = true;
        dispatcher->due.next_due = 0;
    }
    if (dispatcher->courier.look)
        dispatcher->due.look = true;
    dispatcher->courier.look = false;
    if (dispatcher->due.look && courier_has_room(&dispatcher->courier))
        look_around(dispatcher);
}

static int wait_ms(const struct dispatcher *dispatcher)
{
    int64_t wait = dispatcher->settings->poll_interval;
    int sender = sender_wait_ms(dispatcher->courier.sender);

    if (sender >= 0 && sender < wait)
        wait = sender;
    if (dispatcher->due.next_due != 0 && may_take(dispatcher)) {
        int64_t until = dispatcher->due.next_due - wall(dispatcher);

        wait = until < wait ? until : wait;
    }
    return wait > 0 ? (int)wait : 0;
}

static void wait_and_serve(struct dispatcher *dispatcher)
{
    struct pollfd fds[] = {
        {.fd = dispatcher->wake_fd, .events = POLLIN},
        {.fd = sender_fd(dispatcher->courier.sender), .events = POLLIN},
    };
    eventfd_t wakes;

    if (poll(fds, array_length(fds), wait_ms(dispatcher)) > 0 && fds[0].revents != 0 &&
        eventfd_read(dispatcher->wake_fd, &wakes) == 0)
        dispatcher->due.look = true;
    courier_step(&dispatcher->courier);
}

/* What is running is given its time to end. */
static void drain(struct dispatcher *dispatcher)
{
    int64_t timeout = dispatcher->settings->webhook_timeout;
    int64_t wait = timeout < DISPATCHER_DRAIN_MAX_MS ? timeout : DISPATCHER_DRAIN_MAX_MS;
    int64_t stop_at = monotonic(dispatcher) + wait + STOP_GRACE_MS;

    dispatcher->courier.draining = true;
    while (dispatcher->courier.attempts.count > 0 && monotonic(dispatcher) < stop_at)
        wait_and_serve(dispatcher);
    courier_abandon(&dispatcher->courier);
}

static void *run(void *context)
{
    struct dispatcher *dispatcher = context;

    while (!is_stopping(dispatcher)) {
        if (may_take(dispatcher))
            take_what_is_due(dispatcher);
        wait_and_serve(dispatcher);
    }
    drain(dispatcher);
    return NULL;
}

static struct dispatcher *dispatcher_free(struct dispatcher *dispatcher)
{
    sender_free(dispatcher->courier.sender);
    guard_free(dispatcher->guard);
    store_close(dispatcher->store);
    attempt_returns_release(&dispatcher->courier.returns);
    close_fd(&dispatcher->wake_fd);
    receivers_release(&dispatcher->courier.receivers);
    free(dispatcher);
    return NULL;
}

static int set_up(struct dispatcher *dispatcher, struct error *err)
{
    int r = webhook_guard_new(dispatcher->settings, dispatcher->options.clock, &dispatcher->guard, err);

    if (r == 0)
        r = courier_open_sender(&dispatcher->courier, dispatcher->guard, err);
    if (r == 0)
        r = store_open(dispatcher->options.store, &dispatcher->store, err);
    dispatcher->due.store = dispatcher->store;
    dispatcher->courier.signer.store = dispatcher->store;
    if (r == 0) {
        r = pthread_create(&dispatcher->thread, NULL, run, dispatcher);
        if (r != 0)
            r = error_system(err, r, "a thread for webhooks");
    }
    return r;
}

static void init_courier(struct dispatcher *dispatcher)
{
    struct courier *courier = &dispatcher->courier;

    courier->settings = dispatcher->settings;
    courier->clock = dispatcher->options.clock;
    courier->committer = dispatcher->options.committer;
    courier->log = dispatcher->options.log;
    receivers_init(&courier->receivers, (size_t)dispatcher->settings->webhook_max_in_flight,
                   (size_t)dispatcher->settings->webhook_max_per_receiver);
    attempt_returns_init(&courier->returns, dispatcher->wake_fd);
}

int dispatcher_start(const struct dispatcher_options *options, struct dispatcher **ret_dispatcher,
                     struct error *err)
{
    struct dispatcher *dispatcher = calloc(1, sizeof *dispatcher);
    int r;

    if (dispatcher == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    dispatcher->options = *options;
    dispatcher->settings = options->settings;
    dispatcher->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    init_courier(dispatcher);
    dispatcher->due = (struct due_finder){
        .clock = options->clock,
        .receivers = &dispatcher->courier.receivers,
        .begin = begin,
    };
    if (dispatcher->wake_fd < 0)
        r = error_system(err, errno, "eventfd");
    else
        r = set_up(dispatcher, err);
    if (r < 0)
        dispatcher_free(dispatcher);
    else
        *ret_dispatcher = dispatcher;
    return r;
}

void dispatcher_wake(struct dispatcher *dispatcher)
{
    eventfd_write(dispatcher->wake_fd, 1);
}

struct dispatcher *dispatcher_stop(struct dispatcher *dispatcher)
{
    if (dispatcher == NULL)
        return NULL;
    atomic_store(&dispatcher->stopping, true);
    dispatcher_wake(dispatcher);
    pthread_join(dispatcher->thread, NULL);
    return dispatcher_free(dispatcher);
}
