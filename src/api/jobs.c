/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/jobs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/internal.h"
#include "codec/delivery_json.h"
#include "codec/job_json.h"
#include "crypto/sha256.h"
#include "job/files.h"

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

/* RFC 9110 section 13.1.2: a list of tags, compared weakly, or "*". */
static bool matches_tag(const char *field, const char *tag)
{
    size_t length = strlen(tag);

    if (field == NULL)
        return false;
    if (strcmp(field, "*") == 0)
        return true;
    for (const char *at = strstr(field, tag); at != NULL; at = strstr(at + 1, tag))
        if (at[length] == '\0' || strchr(", \t", at[length]) != NULL)
            return true;
    return false;
}

/* The tag is over the bytes: whatever a client can see changes it, and nothing else does. */
static void tag_reply(struct exchange *exchange)
{
    unsigned char hash[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE], tag[2 + 32 + 1];

    sha256(buf_str(exchange->body), exchange->body->length, hash);
    hex_encode(hash, 16, hex);
    snprintf(tag, sizeof tag, "\"%.32s\"", hex);
    reply_field(exchange, "ETag", "%s", tag);
    if (matches_tag(request_field(exchange, "HTTP_IF_NONE_MATCH"), tag)) {
        exchange->status = 304;
        exchange->content_type = NULL;
    }
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
    tag_reply(exchange);
}

/* ---- cancel ---- */

/* A change to a job that its caller waits for. */
struct change {
    struct commit_work work;
    int64_t key;
    const char *job_id;
    struct job job;
};

static int cancel(struct commit_work *work, struct store *store, struct error *err)
{
    struct change *cancellation = container_of(work, struct change, work);

    job_release(&cancellation->job); /* of a turn that was rolled back */
    return job_cancel(store, cancellation->key, cancellation->job_id, &cancellation->job, err);
}

void handle_job_cancel(struct exchange *exchange)
{
    struct api *api = exchange->api;
    struct change cancellation = {
        .work.run = cancel, .key = exchange->key->key, .job_id = exchange->argument};
    struct error err = {""};
    int r = committer_call(api->committer, &cancellation.work, &err);

    if (r == 0) {
        /* An earlier claim may have left files; nobody makes others of a job that has ended. */
        if (cancellation.job.status == JOB_CANCELLED && cancellation.job.epoch > 0)
            job_files_discard(api->settings, &cancellation.job, cancellation.job.epoch, true);
        reply_job(exchange, cancellation.job.status == JOB_CANCELLED ? 200 : 202, &cancellation.job);
    } else if (r == STORE_CONFLICT) {
        reply_problem(exchange, PROBLEM_JOB_NOT_CANCELLABLE,
                      "the job is %s already; only one that has not ended can be cancelled",
                      job_status_name(cancellation.job.status));
    } else {
        reply_no_job(exchange, r, &err);
    }
    job_release(&cancellation.job);
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
    struct change *redelivery = container_of(work, struct change, work);

    job_release(&redelivery->job);
    return webhook_redeliver(store, redelivery->key, redelivery->job_id, &redelivery->job, err);
}

void handle_redeliver(struct exchange *exchange)
{
    struct change redelivery = {
        .work.run = redeliver, .key = exchange->key->key, .job_id = exchange->argument};
    struct error err = {""};
    int r = committer_call(exchange->api->committer, &redelivery.work, &err);

    if (r == 0)
        reply_job(exchange, 202, &redelivery.job);
    else if (r == STORE_CONFLICT && redelivery.job.webhook_url == NULL)
        reply_problem(exchange, PROBLEM_NO_WEBHOOK, "the job was created without a webhook_url");
    else if (r == STORE_CONFLICT && redelivery.job.webhook_status != WEBHOOK_PENDING)
        reply_problem(exchange, PROBLEM_WEBHOOK_EXPIRED,
                      "what was sent was kept for a time, and has been removed");
    else if (r == STORE_CONFLICT)
        reply_problem(
            exchange, PROBLEM_WEBHOOK_PENDING,
            "the webhook has been neither delivered nor given up yet; `webhook` of the job tells more");
    else
        reply_no_job(exchange, r, &err);
    job_release(&redelivery.job);
}
