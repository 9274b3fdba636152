/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/courier.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"
#include "crypto/random.h"
#include "webhook/outcome.h"
#include "webhook/schedule.h"

/* How long a failure of the database is left alone, so that a full disk is not asked in a tight loop. */
#define FAILURE_PAUSE_MS 1000

/*
 * How long a webhook waits whose request could not be made: a fault here uses up no attempt.  Others of its
 * receiver go on: the fault may be one key's, whose secret cannot be read.
 */
#define FAULT_PAUSE_MS 60000

static int64_t monotonic(const struct courier *courier)
{
    return clock_monotonic_ms(courier->clock);
}

void courier_pause(struct courier *courier, const struct error *err)
{
    int64_t now = monotonic(courier);

    if (repeat_is_news(&courier->fault, now))
        report(courier->log, LOG_LEVEL_ERROR, NULL, "webhooks wait: %s", err->text);
    courier->pause_until = now + FAILURE_PAUSE_MS;
    courier->look = true;
}

/* With those whose end waits to be recorded: where the disk is slow they are many. */
bool courier_has_room(const struct courier *courier)
{
    return courier->attempts.count < 2 * courier->receivers.places.max;
}

/* ---- the end ---- */

static void leave_receiver(struct courier *courier, struct attempt *attempt)
{
    if (attempt->receiver == NULL)
        return;
    if (attempt->state == ATTEMPT_SENDING)
        attempt->receiver->sending--;
    receivers_let_go(&courier->receivers, attempt->receiver, attempt->class);
    attempt->receiver = NULL;
    courier->look = true;
}

static void drop(struct courier *courier, struct attempt *attempt)
{
    leave_receiver(courier, attempt);
    attempt_list_remove(&courier->attempts, attempt);
    attempt_free(attempt);
}

/* Records how it ended, or that it was withdrawn. */
static void post_end(struct courier *courier, struct attempt *attempt)
{
    attempt->state = ATTEMPT_ENDED;
    if (attempt_post_end(attempt, courier->committer) < 0)
        attempt->post_at = monotonic(courier) + courier->settings->poll_interval;
}

static void withdraw(struct courier *courier, struct attempt *attempt)
{
    leave_receiver(courier, attempt);
    attempt->withdrawn = true;
    post_end(courier, attempt);
}

static void withdraw_ready(struct courier *courier, const struct receiver_state *receiver)
{
    for (struct attempt *at = courier->attempts.first; at != NULL; at = at->next)
        if (at->state == ATTEMPT_READY && at->receiver == receiver)
            withdraw(courier, at);
}

/*
 * A receiver that has been down for as long as the whole schedule lasts is owed no more than that.  The
 * pauses that it asked for count, or one that always asks would be owed more and more; time without a sender
 * does not (due.c).
 */
static void give_up(struct courier *courier, struct attempt *attempt, int64_t now)
{
    const struct settings *settings = courier->settings;
    int64_t length = schedule_length(&settings->webhook_retry_schedule, settings->webhook_timeout);

    if (!health_is_down(&attempt->receiver->health, now) ||
        now - attempt->receiver->health.failing_since < length)
        return;
    attempt->record.give_up_until = clock_wall_ms(courier->clock) - length;
    report(courier->log, LOG_LEVEL_WARNING, NULL,
           "%s has failed for as long as webhooks are tried: what it was owed before that is given up",
           attempt->webhook.receiver);
}

/* An answer that took no more than this part of webhook_timeout came soon. */
#define SOON_SHARE 4

/* Since when it fails may differ by what clocks do; by more where the time without a sender was taken off. */
static bool is_same(const struct receiver_standing *a, const struct receiver_standing *b)
{
    return a->class == b->class && (a->failing_since != 0) == (b->failing_since != 0) &&
           llabs(a->failing_since - b->failing_since) < HEALTH_DOWN_MS;
}

/* The record has what others must know of the receiver: a pause, and what its next sender begins with. */
static void record_health(const struct courier *courier, struct attempt *attempt, int64_t now)
{
    struct receiver_state *receiver = attempt->receiver;
    const struct health *health = &receiver->health;
    int64_t wall = clock_wall_ms(courier->clock);
    struct receiver_standing standing = {
        .class = health->class,
        .failing_since = health_is_failing(health) ? wall - (now - health->failing_since) : 0,
    };

    if (health->paused_until > now) {
        attempt->record.pause_until = wall + health->paused_until - now;
        attempt->paused_until = health->paused_until;
    }
    if (is_same(&standing, &receiver->recorded))
        return;
    receiver->recorded = standing;
    attempt->standing = standing;
    attempt->record.standing = &attempt->standing;
}

/*
 * The database has the pause, where an administrator can end it.  What was on its way to the database before
 * the pause is ready by now, if not only just, and waits for its end like the rest.
 */
static void forget_pause(struct courier *courier, const struct attempt *attempt)
{
    struct receiver_state *receiver;

    if (attempt->paused_until == 0)
        return;
    receiver = receivers_find(&courier->receivers, attempt->webhook.receiver);
    if (receiver == NULL || receiver->health.paused_until != attempt->paused_until)
        return;
    withdraw_ready(courier, receiver);
    receiver->health.paused_until = 0;
}

/* What the end tells of the receiver.  What is ready for it is withdrawn where it may have fewer at once now.
 */
static void note_health(struct courier *courier, struct attempt *attempt)
{
    struct health *health = &attempt->receiver->health;
    bool soon = attempt->sent.duration_ms <= courier->settings->webhook_timeout / SOON_SHARE;
    size_t window = health_window(health);
    int64_t now = monotonic(courier);
    enum health_event event;

    if (!outcome_tells(&attempt->sent, &event))
        return;
    health_note(health, event, soon, now, courier->receivers.window_max);
    if (attempt->record.pause_until != 0)
        health_pause(health, now + attempt->record.pause_until - clock_wall_ms(courier->clock));
    record_health(courier, attempt, now);
    give_up(courier, attempt, now);
    if (health_window(health) < window || health->paused_until > now)
        withdraw_ready(courier, attempt->receiver);
}

/* From how the request went to what is recorded and what follows. */
static void end(struct courier *courier, struct attempt *attempt)
{
    int64_t used = schedule_used(attempt->number, attempt->webhook.interruptions);
    uint32_t random;

    crypto_random(&random, sizeof random);
    attempt->sent.trace.peer = attempt->sent.peer[0] != '\0' ? attempt->sent.peer : NULL;
    outcome_make(courier->settings, &attempt->sent, used, clock_wall_ms(courier->clock), random,
                 &attempt->record);
    note_health(courier, attempt);
    leave_receiver(courier, attempt);
    post_end(courier, attempt);
}

static void report_end(const struct courier *courier, const struct attempt *attempt)
{
    const struct send_result *sent = &attempt->sent;
    const struct webhook *webhook = &attempt->webhook;

    if (attempt->record.status == WEBHOOK_DELIVERED)
        report(courier->log, LOG_LEVEL_DEBUG, webhook,
               "webhook delivered to %s in %" PRId64 " ms, attempt %" PRId64, webhook->receiver,
               sent->duration_ms, attempt->number);
    else
        report(courier->log, attempt->record.status == WEBHOOK_PENDING ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
               webhook, "webhook to %s %s attempt %" PRId64 ": %s (%s)", webhook->receiver,
               attempt->record.status == WEBHOOK_PENDING ? "failed," : "given up after", attempt->number,
               sent->error_code, sent->error_message);
}

/* ---- the request ---- */

static void on_sent(const struct send_request *request, const struct send_result *result)
{
    struct attempt *attempt = request->context;
    struct courier *courier = container_of(attempt->returns, struct courier, returns);

    attempt->sent = *result;
    end(courier, attempt);
}

int courier_open_sender(struct courier *courier, struct guard *guard, struct error *err)
{
    const struct sender_options options = {
        .guard = guard,
        .connect_timeout_ms = courier->settings->webhook_connect_timeout,
        .timeout_ms = courier->settings->webhook_timeout,
        .max_in_flight = (size_t)courier->settings->webhook_max_in_flight,
        .done = on_sent,
    };

    return sender_new(&options, &courier->sender, err);
}

static void send_attempt(struct courier *courier, struct attempt *attempt)
{
    const struct webhook *webhook = &attempt->webhook;
    const struct send_request request = {webhook->url,          webhook->webhook_id, webhook->body,
                                         strlen(webhook->body), &attempt->signature, attempt};
    struct error err = {""};
    int r = signer_sign(&courier->signer, webhook, clock_wall_ms(courier->clock), &attempt->signature, &err);

    if (r == 0)
        r = sender_start(courier->sender, &request, &attempt->sent, &err);
    if (r == 0 || r == SENDER_REFUSED) {
        attempt->state = ATTEMPT_SENDING;
        attempt->receiver->sending++;
    }
    if (r == SENDER_REFUSED) {
        end(courier, attempt);
    } else if (r != 0) {
        if (repeat_is_news(&courier->unsent, monotonic(courier)))
            report(courier->log, LOG_LEVEL_ERROR, webhook, "webhook to %s cannot be sent: %s",
                   webhook->receiver, err.text);
        attempt->delay_ms = FAULT_PAUSE_MS;
        withdraw(courier, attempt);
    }
}

/* ---- the beginning ---- */

int courier_begin(struct courier *courier, struct webhook *webhook, struct receiver_state *receiver,
                  struct error *err)
{
    struct attempt *attempt = attempt_new(webhook, &courier->returns);
    int r;

    if (attempt == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    attempt->receiver = receiver;
    attempt->class = receivers_hold(&courier->receivers, receiver);
    attempt_list_add(&courier->attempts, attempt);
    r = attempt_post_begin(attempt, courier->committer);
    if (r < 0) {
        drop(courier, attempt);
        return error_set(err, r, "too much waits to be written");
    }
    receiver->beginning++;
    return 0;
}

/* ---- all of them ---- */

/* The committer is done with it. */
static void go_on(struct courier *courier, struct attempt *attempt)
{
    int result = attempt->work.result;

    if (result < 0)
        courier_pause(courier, &attempt->work.error);
    else if (repeat_is_over(&courier->fault))
        report(courier->log, LOG_LEVEL_INFO, NULL, "webhooks go on");
    if (attempt->state == ATTEMPT_BEGINNING) {
        attempt->receiver->beginning--;
        courier->look = true;
        attempt->state = ATTEMPT_READY;
        if (result != 0) /* not begun: it stays due, or it is no longer owed */
            drop(courier, attempt);
    } else if (result < 0) {
        attempt->state = ATTEMPT_ENDED;
        attempt->post_at = courier->pause_until;
    } else {
        if (result == 0 && !attempt->withdrawn)
            report_end(courier, attempt);
        forget_pause(courier, attempt);
        courier->look |= attempt->withdrawn;
        drop(courier, attempt);
    }
}

static void take_returns(struct courier *courier)
{
    struct attempt *attempt = attempt_returns_take(&courier->returns);

    while (attempt != NULL) {
        struct attempt *next = attempt->next_returned;

        go_on(courier, attempt);
        attempt = next;
    }
}

/* What waits for a place or for its time. */
static void advance(struct courier *courier)
{
    int64_t now = monotonic(courier);

    for (struct attempt *at = courier->attempts.first; at != NULL; at = at->next) {
        if (at->state == ATTEMPT_READY && (courier->draining || now < at->receiver->health.paused_until))
            withdraw(courier, at);
        else if (at->state == ATTEMPT_READY && receivers_may_send(at->receiver))
            send_attempt(courier, at);
        else if (at->state == ATTEMPT_ENDED && at->post_at <= now)
            post_end(courier, at);
    }
    signer_forget(&courier->signer); /* secrets may have been rotated by the next time */
}

void courier_step(struct courier *courier)
{
    take_returns(courier);
    sender_step(courier->sender);
    advance(courier);
}

void courier_abandon(struct courier *courier)
{
    struct attempt *next;
    eventfd_t wakes;

    courier->sender = sender_free(courier->sender);
    while (courier->attempts.first != NULL) {
        struct attempt *returned = attempt_returns_take(&courier->returns);

        for (; returned != NULL; returned = returned->next_returned)
            returned->state = ATTEMPT_ENDED;
        for (struct attempt *at = courier->attempts.first; at != NULL; at = next) {
            next = at->next;
            if (at->state != ATTEMPT_BEGINNING && at->state != ATTEMPT_ENDING)
                drop(courier, at);
        }
        if (courier->attempts.first != NULL) {
            struct pollfd fd = {.fd = courier->returns.wake_fd, .events = POLLIN};

            poll(&fd, 1, -1);
            eventfd_read(courier->returns.wake_fd, &wakes);
        }
    }
}
