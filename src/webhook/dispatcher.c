/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/dispatcher.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"
#include "crypto/random.h"
#include "net/guard.h"
#include "webhook/attempt.h"
#include "webhook/due.h"
#include "webhook/outcome.h"
#include "webhook/receivers.h"
#include "webhook/recovery.h"
#include "webhook/schedule.h"
#include "webhook/sender.h"
#include "webhook/signer.h"

/* How long a failure of the database is left alone, so that a full disk is not asked in a tight loop. */
#define FAILURE_PAUSE_MS 1000

/* Attempts at hand, with those whose end waits to be recorded, at which nothing more begins. */
#define ENDS_MAX(settings) (2 * (size_t)(settings)->webhook_max_in_flight)

/* What stopping grants beyond webhook_timeout, for the commit behind the last answer. */
#define STOP_GRACE_MS 1000

struct dispatcher {
    struct dispatcher_options options;
    const struct settings *settings;
    struct guard *guard;
    struct sender *sender;
    struct store *store;
    int wake_fd;
    pthread_t thread;
    atomic_bool stopping;
    struct attempt_returns returns;

    /* The thread's own. */
    struct attempt_list attempts; /* in flight */
    struct receivers receivers;
    struct due_finder due;
    bool recovered;      /* the attempts of a predecessor are ended */
    int64_t pause_until; /* monotonic milliseconds */
    struct signer signer;
};

static void report(struct dispatcher *dispatcher, enum log_level level, const struct attempt *attempt,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

static void report(struct dispatcher *dispatcher, enum log_level level, const struct attempt *attempt,
                   const char *format, ...)
{
    struct log_context context = {0};
    char message[LOG_LINE_MAX];
    va_list args;

    if (dispatcher->options.log == NULL)
        return;
    if (attempt != NULL) {
        context.job_id = attempt->webhook.job_id[0] != '\0' ? attempt->webhook.job_id : NULL;
        context.webhook_id = attempt->webhook.webhook_id;
    }
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    dispatcher->options.log(level, &context, message);
}

static int64_t monotonic(const struct dispatcher *dispatcher)
{
    return clock_monotonic_ms(dispatcher->options.clock);
}

static int64_t wall(const struct dispatcher *dispatcher)
{
    return clock_wall_ms(dispatcher->options.clock);
}

/* The database failed: says so, and leaves it alone for a while. */
static void pause_for(struct dispatcher *dispatcher, const struct error *err)
{
    report(dispatcher, LOG_LEVEL_ERROR, NULL, "webhooks wait: %s", err->text);
    dispatcher->pause_until = monotonic(dispatcher) + FAILURE_PAUSE_MS;
    dispatcher->due.look = true;
}

/* ---- attempts in flight ---- */

/* Its place at the receiver is free: what waited for one may go, while its end is recorded. */
static void leave_receiver(struct dispatcher *dispatcher, struct attempt *attempt)
{
    if (attempt->receiver == NULL)
        return;
    receivers_let_go(&dispatcher->receivers, attempt->receiver, attempt->class);
    attempt->receiver = NULL;
    dispatcher->due.look = true;
}

static void drop_attempt(struct dispatcher *dispatcher, struct attempt *attempt)
{
    leave_receiver(dispatcher, attempt);
    attempt_list_remove(&dispatcher->attempts, attempt);
    attempt_free(attempt);
}

static void post_end(struct dispatcher *dispatcher, struct attempt *attempt)
{
    attempt->state = ATTEMPT_ENDED;
    if (attempt_post_end(attempt, dispatcher->options.committer) < 0)
        attempt->post_at = monotonic(dispatcher) + dispatcher->settings->poll_interval;
}

/* What the end tells of the receiver; one that is down for long is owed no more than its schedule has. */
static void note_health(struct dispatcher *dispatcher, struct attempt *attempt)
{
    const struct settings *settings = dispatcher->settings;
    struct health *health = &attempt->receiver->health;
    int64_t now = monotonic(dispatcher);
    enum health_event event;

    if (!outcome_tells(&attempt->sent, &event))
        return;
    health_note(health, event, now, dispatcher->receivers.window_max);
    if (health_is_down(health, now))
        attempt->record.give_up_until =
            wall(dispatcher) - schedule_length(&settings->webhook_retry_schedule, settings->webhook_timeout);
}

/* From how the request went to what is recorded and what follows. */
static void end_attempt(struct dispatcher *dispatcher, struct attempt *attempt)
{
    uint32_t random;

    crypto_random(&random, sizeof random);
    attempt->sent.trace.peer = attempt->sent.peer[0] != '\0' ? attempt->sent.peer : NULL;
    outcome_make(dispatcher->settings, &attempt->sent, attempt->number, wall(dispatcher), random,
                 &attempt->record);
    note_health(dispatcher, attempt);
    leave_receiver(dispatcher, attempt);
    post_end(dispatcher, attempt);
}

static void send_attempt(struct dispatcher *dispatcher, struct attempt *attempt)
{
    const struct webhook *webhook = &attempt->webhook;
    const struct send_request request = {webhook->url,          webhook->webhook_id, webhook->body,
                                         strlen(webhook->body), &attempt->signature, attempt};
    struct error err = {""};
    int r = signer_sign(&dispatcher->signer, webhook, wall(dispatcher), &attempt->signature, &err);

    attempt->state = ATTEMPT_SENDING;
    if (r == 0)
        r = sender_start(dispatcher->sender, &request, &attempt->sent, &err);
    if (r == 0)
        return;
    if (r != SENDER_REFUSED) {
        /* The fault is ours, so the attempt is one that was cut off. */
        attempt->sent = (struct send_result){.error_code = DELIVERY_INTERRUPTED};
        snprintf(attempt->sent.error_message, sizeof attempt->sent.error_message,
                 "the request could not be made");
        report(dispatcher, LOG_LEVEL_ERROR, attempt, "webhook to %s was not sent: %s", webhook->receiver,
               err.text);
    }
    end_attempt(dispatcher, attempt);
}

static void report_end(struct dispatcher *dispatcher, const struct attempt *attempt)
{
    const struct send_result *sent = &attempt->sent;
    const char *receiver = attempt->webhook.receiver;

    if (attempt->record.status == WEBHOOK_DELIVERED)
        report(dispatcher, LOG_LEVEL_DEBUG, attempt,
               "webhook delivered to %s in %" PRId64 " ms, attempt %" PRId64, receiver, sent->duration_ms,
               attempt->number);
    else if (attempt->record.status == WEBHOOK_PENDING)
        report(dispatcher, LOG_LEVEL_INFO, attempt, "webhook to %s failed, attempt %" PRId64 ": %s (%s)",
               receiver, attempt->number, sent->error_code, sent->error_message);
    else
        report(dispatcher, LOG_LEVEL_WARNING, attempt,
               "webhook to %s given up after attempt %" PRId64 ": %s (%s)", receiver, attempt->number,
               sent->error_code, sent->error_message);
}

/* The committer is done with it. */
static void go_on(struct dispatcher *dispatcher, struct attempt *attempt)
{
    int result = attempt->work.result;

    if (result < 0)
        pause_for(dispatcher, &attempt->work.error);
    if (attempt->state == ATTEMPT_BEGINNING) {
        attempt->receiver->beginning--;
        dispatcher->due.look = true;
        if (result == 0)
            send_attempt(dispatcher, attempt);
        else /* not begun: it stays due, or it is no longer owed */
            drop_attempt(dispatcher, attempt);
    } else if (result < 0) {
        attempt->state = ATTEMPT_ENDED;
        attempt->post_at = dispatcher->pause_until;
    } else {
        if (result == 0)
            report_end(dispatcher, attempt);
        drop_attempt(dispatcher, attempt);
    }
}

static void take_returns(struct dispatcher *dispatcher)
{
    struct attempt *attempt = attempt_returns_take(&dispatcher->returns);

    while (attempt != NULL) {
        struct attempt *next = attempt->next_returned;

        go_on(dispatcher, attempt);
        attempt = next;
    }
    signer_forget(&dispatcher->signer);
}

static void post_waiting_ends(struct dispatcher *dispatcher)
{
    int64_t now = monotonic(dispatcher);

    for (struct attempt *at = dispatcher->attempts.first; at != NULL; at = at->next)
        if (at->state == ATTEMPT_ENDED && at->post_at <= now)
            post_end(dispatcher, at);
}

/* The finder's call for each webhook that is to be sent. */
static int begin_attempt(struct due_finder *due, struct webhook *webhook, struct receiver_state *receiver,
                         struct error *err)
{
    struct dispatcher *dispatcher = container_of(due, struct dispatcher, due);
    struct attempt *attempt = attempt_new(webhook, &dispatcher->returns);
    int r;

    if (attempt == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    attempt->receiver = receiver;
    attempt->class = receivers_hold(&dispatcher->receivers, receiver);
    attempt_list_add(&dispatcher->attempts, attempt);
    r = attempt_post_begin(attempt, dispatcher->options.committer);
    if (r < 0) {
        drop_attempt(dispatcher, attempt);
        return error_set(err, r, "too much waits to be written");
    }
    receiver->beginning++;
    return 0;
}

static void look_around(struct dispatcher *dispatcher)
{
    struct error err = {""};

    if (due_look(&dispatcher->due, &err) < 0)
        pause_for(dispatcher, &err);
}

static void recover(struct dispatcher *dispatcher)
{
    struct error err = {""};
    int64_t count = 0;
    int r = recovery_run(dispatcher->store, dispatcher->options.committer, dispatcher->settings,
                         dispatcher->options.clock, &count, &err);

    if (r < 0) {
        pause_for(dispatcher, &err);
        return;
    }
    dispatcher->recovered = true;
    dispatcher->due.look = true;
    if (count > 0)
        report(dispatcher, LOG_LEVEL_WARNING, NULL, "%" PRId64 " webhook attempts were interrupted", count);
}

/* ---- the thread ---- */

static bool is_stopping(const struct dispatcher *dispatcher)
{
    return atomic_load(&dispatcher->stopping);
}

static bool may_take(const struct dispatcher *dispatcher)
{
    return !is_stopping(dispatcher) && monotonic(dispatcher) >= dispatcher->pause_until;
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
    if (dispatcher->due.look && dispatcher->attempts.count < ENDS_MAX(dispatcher->settings))
        look_around(dispatcher);
}

static int wait_ms(const struct dispatcher *dispatcher)
{
    int64_t wait = dispatcher->settings->poll_interval;
    int sender = sender_wait_ms(dispatcher->sender);

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
        {.fd = sender_fd(dispatcher->sender), .events = POLLIN},
    };
    eventfd_t wakes;

    if (poll(fds, array_length(fds), wait_ms(dispatcher)) > 0 && fds[0].revents != 0 &&
        eventfd_read(dispatcher->wake_fd, &wakes) == 0)
        dispatcher->due.look = true;
    take_returns(dispatcher);
    sender_step(dispatcher->sender);
}

/* Breaks off what is still being sent, and waits for what the committer has. */
static void abandon(struct dispatcher *dispatcher)
{
    struct attempt *next;
    eventfd_t wakes;

    dispatcher->sender = sender_free(dispatcher->sender);
    while (dispatcher->attempts.first != NULL) {
        struct attempt *returned = attempt_returns_take(&dispatcher->returns);

        for (; returned != NULL; returned = returned->next_returned)
            returned->state = ATTEMPT_ENDED;
        for (struct attempt *at = dispatcher->attempts.first; at != NULL; at = next) {
            next = at->next;
            if (at->state == ATTEMPT_SENDING || at->state == ATTEMPT_ENDED)
                drop_attempt(dispatcher, at);
        }
        if (dispatcher->attempts.first != NULL) {
            struct pollfd fd = {.fd = dispatcher->wake_fd, .events = POLLIN};

            poll(&fd, 1, -1);
            eventfd_read(dispatcher->wake_fd, &wakes);
        }
    }
}

static void *run(void *context)
{
    struct dispatcher *dispatcher = context;
    int64_t stop_at;

    while (!is_stopping(dispatcher)) {
        post_waiting_ends(dispatcher);
        if (may_take(dispatcher))
            take_what_is_due(dispatcher);
        wait_and_serve(dispatcher);
    }
    stop_at = monotonic(dispatcher) + dispatcher->settings->webhook_timeout + STOP_GRACE_MS;
    while (dispatcher->attempts.count > 0 && monotonic(dispatcher) < stop_at) {
        post_waiting_ends(dispatcher);
        wait_and_serve(dispatcher);
    }
    abandon(dispatcher);
    return NULL;
}

static void on_sent(const struct send_request *request, const struct send_result *result)
{
    struct attempt *attempt = request->context;
    struct dispatcher *dispatcher = container_of(attempt->returns, struct dispatcher, returns);

    attempt->sent = *result;
    end_attempt(dispatcher, attempt);
}

static struct dispatcher *dispatcher_free(struct dispatcher *dispatcher)
{
    sender_free(dispatcher->sender);
    guard_free(dispatcher->guard);
    store_close(dispatcher->store);
    attempt_returns_release(&dispatcher->returns);
    close_fd(&dispatcher->wake_fd);
    due_release(&dispatcher->due);
    receivers_release(&dispatcher->receivers);
    free(dispatcher);
    return NULL;
}

static int set_up(struct dispatcher *dispatcher, struct error *err)
{
    const struct settings *settings = dispatcher->settings;
    const struct guard_options guard = {
        .allow_http = settings->webhook_allow_http,
        .cidrs = settings->webhook_allow_cidrs.items,
        .cidr_count = settings->webhook_allow_cidrs.count,
        .ports = settings->webhook_ports.items,
        .port_count = settings->webhook_ports.count,
        .clock = dispatcher->options.clock,
    };
    struct sender_options sender = {
        .connect_timeout_ms = settings->webhook_connect_timeout,
        .timeout_ms = settings->webhook_timeout,
        .max_in_flight = (size_t)settings->webhook_max_in_flight,
        .done = on_sent,
    };
    int r = guard_new(&guard, &dispatcher->guard, err);

    sender.guard = dispatcher->guard;
    if (r == 0)
        r = sender_new(&sender, &dispatcher->sender, err);
    if (r == 0)
        r = store_open(dispatcher->options.store, &dispatcher->store, err);
    dispatcher->due.store = dispatcher->store;
    dispatcher->signer.store = dispatcher->store;
    if (r == 0) {
        r = pthread_create(&dispatcher->thread, NULL, run, dispatcher);
        if (r != 0)
            r = error_system(err, r, "a thread for webhooks");
    }
    return r;
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
    receivers_init(&dispatcher->receivers, (size_t)options->settings->webhook_max_in_flight,
                   (size_t)options->settings->webhook_max_per_receiver);
    dispatcher->due = (struct due_finder){
        .clock = options->clock, .receivers = &dispatcher->receivers, .begin = begin_attempt};
    dispatcher->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    attempt_returns_init(&dispatcher->returns, dispatcher->wake_fd);
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
