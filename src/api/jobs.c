/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/jobs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "api/wait.h"
#include "codec/delivery_json.h"
#include "codec/header.h"
#include "codec/job_json.h"
#include "job/files.h"

/* The contract's longest wait for a change, in seconds: half of what nginx waits for an answer. */
#define WAIT_MAX 30

/* For what came of asking for a job where that is not 0: not being there has the same words for every reason.
 */
static void reply_no_job(struct exchange *exchange, int r, const struct error *err)
{
    if (r == STORE_NOT_FOUND)
        reply_problem(exchange, PROBLEM_NOT_FOUND, "there is no such job, or it is not one of this key's");
    else
        reply_failure(exchange, r, err);
}

static void reply_job(struct exchange *exchange, int status, const struct job *job)
{
    job_json_render(exchange->body, job, exchange->api->settings->public_base_url, NULL);
    reply_json(exchange, status);
}

/* ---- get ---- */

/* The seconds that the client would wait for the job to change its state, cut to WAIT_MAX; -1 is none. */
static int preferred_wait(const struct exchange *exchange)
{
    char joined[REQUEST_LIST_SIZE];
    const char *prefer = request_list(exchange, "HTTP_PREFER", joined);
    int seconds;

    if (prefer == NULL || !header_prefer_wait(prefer, &seconds))
        return -1;
    return seconds < WAIT_MAX ? seconds : WAIT_MAX;
}

/* The wait is over: the request is answered as if it came now, its key judged anew. */
static void answer_after_wait(struct exchange *exchange)
{
    buf_clear(exchange->head);
    buf_clear(exchange->body);
    exchange->deferred = NULL;
    exchange->key = NULL;
    exchange->has_waited = true;
    route(exchange);
    exchange_finish(exchange);
}

/* Where too many wait already, the answer is the one that is rendered. */
static void begin_wait(struct exchange *exchange)
{
    exchange->deferred = answer_after_wait;
    if (!waits_add(exchange->api->waits, exchange))
        exchange_finish(exchange);
}

static void wait_for_change(struct exchange *exchange, const struct job *job, int seconds)
{
    bool over = exchange->has_waited || seconds == 0 || job_status_is_terminal(job->status);

    if (seconds >= 0 && over)
        reply_field(exchange, "Preference-Applied", "wait=%d", seconds);
    if (seconds < 0 || over)
        return;
    exchange->wait = (struct job_wait){
        .job = job->id,
        .key = job->key,
        .status = job->status,
        .until = clock_monotonic_ms(exchange->api->clock) + (int64_t)seconds * 1000,
    };
    exchange->deferred = begin_wait;
}

void handle_job_get(struct exchange *exchange)
{
    cleanup(job_release) struct job job = {0};
    struct error err = {""};
    int r = job_get(exchange->store, exchange->key->key, exchange->argument, &job, &err);

    if (r != 0) {
        reply_no_job(exchange, r, &err);
        return;
    }
    reply_job(exchange, 200, &job);
    if (!job_status_is_terminal(job.status))
        reply_field(exchange, "Retry-After", "%d", POLL_RETRY_AFTER);
    reply_tagged(exchange);
    wait_for_change(exchange, &job, preferred_wait(exchange));
}

/* ---- changes ---- */

/* A change to a job on its way to disk: its request holds no thread meanwhile. */
struct change {
    struct commit_work work;
    struct exchange *exchange;
    int64_t key;
    void (*answer)(struct change *change);
    struct job job;
};

static void answer_change(struct exchange *exchange)
{
    struct change *change = exchange->creation;

    change->answer(change);
    job_release(&change->job);
    free(change);
    exchange_finish(exchange);
}

static void resume_change(struct commit_work *work)
{
    exchange_resume(container_of(work, struct change, work)->exchange);
}

static void post_change(struct exchange *exchange)
{
    struct change *change = exchange->creation;

    exchange->deferred = answer_change; /* once it is resumed */
    if (committer_post(exchange->api->committer, &change->work) == 0)
        return;
    change->work.result = error_set(&change->work.error, -EAGAIN, "too many writes are waiting");
    answer_change(exchange);
}

static void defer_change(struct exchange *exchange,
                         int (*run)(struct commit_work *work, struct store *store, struct error *err),
                         void (*answer)(struct change *change))
{
    struct change *change = calloc(1, sizeof *change);
    struct error err;

    if (change == NULL) {
        reply_failure(exchange, error_set(&err, -ENOMEM, "out of memory"), &err);
        return;
    }
    change->work = (struct commit_work){.run = run, .done = resume_change};
    change->exchange = exchange;
    change->key = exchange->key->key;
    change->answer = answer;
    exchange->creation = change;
    exchange->deferred = post_change;
}

/* ---- cancel ---- */

static int cancel(struct commit_work *work, struct store *store, struct error *err)
{
    struct change *change = container_of(work, struct change, work);

    job_release(&change->job); /* of a turn that was rolled back */
    return job_cancel(store, change->key, change->exchange->argument, &change->job, err);
}

static void answer_cancel(struct change *change)
{
    struct exchange *exchange = change->exchange;
    const struct job *job = &change->job;

    if (change->work.result == STORE_CONFLICT) {
        reply_problem(exchange, PROBLEM_JOB_NOT_CANCELLABLE,
                      "the job is %s already; only one that has not ended can be cancelled",
                      job_status_name(job->status));
        return;
    }
    if (change->work.result != 0) {
        reply_no_job(exchange, change->work.result, &change->work.error);
        return;
    }
    /* An earlier claim may have left files; nobody makes others of a job that has ended. */
    if (job->status == JOB_CANCELLED && job->epoch > 0)
        job_files_discard(exchange->api->settings, job, job->epoch, true);
    if (job->status != JOB_CANCELLED)
        reply_field(exchange, "Retry-After", "%d", POLL_RETRY_AFTER);
    reply_job(exchange, job->status == JOB_CANCELLED ? 200 : 202, job);
}

void handle_job_cancel(struct exchange *exchange)
{
    if (body_is_none_or_json(exchange))
        defer_change(exchange, cancel, answer_cancel);
}

/* ---- deliveries ---- */

void handle_deliveries(struct exchange *exchange)
{
    struct delivery *deliveries;
    struct error err = {""};
    size_t count;
    int r = delivery_list(exchange->store, exchange->key->key, exchange->argument, &deliveries, &count, &err);

    if (r != 0) {
        reply_no_job(exchange, r, &err);
        return;
    }
    delivery_json_list_begin(exchange->body);
    for (size_t i = 0; i < count; i++) {
        const struct delivery *d = &deliveries[i];

        delivery_json_list_add(exchange->body, &(struct delivery_view){
                                                   .attempt = d->attempt,
                                                   .event = d->event,
                                                   .webhook_id = d->webhook_id,
                                                   .started_at = d->started_at,
                                                   .duration_ms = d->duration_ms,
                                                   .status_code = d->status_code,
                                                   .error_code = d->error_code,
                                                   .error_message = d->error_message,
                                                   .response_excerpt = d->response_excerpt,
                                                   .next_attempt_at = d->next_attempt_at,
                                               });
    }
    delivery_json_list_end(exchange->body);
    reply_json(exchange, 200);
    deliveries_free(deliveries, count);
}

/* ---- redeliver ---- */

static int redeliver(struct commit_work *work, struct store *store, struct error *err)
{
    struct change *change = container_of(work, struct change, work);

    job_release(&change->job);
    return webhook_redeliver(store, change->key, change->exchange->argument, &change->job, err);
}

static void answer_redeliver(struct change *change)
{
    struct exchange *exchange = change->exchange;
    const struct job *job = &change->job;

    if (change->work.result == 0)
        reply_job(exchange, 202, job);
    else if (change->work.result != STORE_CONFLICT)
        reply_no_job(exchange, change->work.result, &change->work.error);
    else if (job->webhook_url == NULL)
        reply_problem(exchange, PROBLEM_NO_WEBHOOK, "the job was created without a webhook_url");
    else if (job->webhook_status == WEBHOOK_PENDING)
        reply_problem(
            exchange, PROBLEM_WEBHOOK_PENDING,
            "the webhook has been neither delivered nor given up yet; `webhook` of the job tells more");
    else if (job->webhook_attempts >= WEBHOOK_ATTEMPTS_MAX)
        reply_problem(exchange, PROBLEM_TOO_MANY_ATTEMPTS,
                      "the webhook was sent %d times, and no webhook is sent more often",
                      WEBHOOK_ATTEMPTS_MAX);
    else
        reply_problem(exchange, PROBLEM_WEBHOOK_EXPIRED,
                      "what was sent was kept for a time, and has been removed");
}

/* An attempt writes what the receiver answers, as often as it is asked for: the reserve is not for that. */
void handle_redeliver(struct exchange *exchange)
{
    if (!body_is_none_or_json(exchange))
        return;
    if (storage_is_full(exchange->api))
        reply_storage_full(exchange);
    else
        defer_change(exchange, redeliver, answer_redeliver);
}
