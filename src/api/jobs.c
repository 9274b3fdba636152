/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/tts/async and /v1/jobs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/internal.h"
#include "codec/delivery_json.h"
#include "codec/job_json.h"
#include "codec/request.h"
#include "crypto/sha256.h"
#include "job/files.h"

/* What a client that polls should wait, in seconds. */
#define POLL_RETRY_AFTER 1

void reply_job_not_found(struct exchange *exchange)
{
    reply_problem(exchange, PROBLEM_NOT_FOUND, "there is no such job, or it is not one of this key's");
}

static void reply_job(struct exchange *exchange, int status, const struct job *job, const char *message)
{
    job_json_render(exchange->body, job, exchange->api->settings->public_base_url, message);
    reply_json(exchange, status);
}

/* ---- create ---- */

struct creation {
    struct commit_work work;
    struct job_request request;
    struct job job;
};

static int create(struct commit_work *work, struct store *store, struct error *err)
{
    struct creation *creation = container_of(work, struct creation, work);

    job_release(&creation->job); /* of a turn that was rolled back */
    return job_create(store, &creation->request, &creation->job, err);
}

static void commit_creation(struct exchange *exchange, const struct create_request *request)
{
    struct api *api = exchange->api;
    struct creation creation = {
        .work.run = create,
        .request = {.key = exchange->key->key,
                    .request_id = exchange->request_id,
                    .text = request->text,
                    .text_bytes = request->text_bytes,
                    .characters = request->characters,
                    .language = request->language->name,
                    .voice = request->voice->id,
                    .format = request->format,
                    .speed = request->speed,
                    .pitch = request->pitch,
                    .timings = request->timings,
                    .metadata = request->metadata,
                    .webhook_url = request->webhook_url,
                    .receiver = request->webhook_url != NULL ? request->receiver : NULL},
    };
    struct error err = {""};
    int r = committer_call(api->committer, &creation.work, &err);

    if (r < 0) {
        reply_failure(exchange, r, &err);
    } else {
        reply_field(exchange, "Location", "/v1/jobs/%s", creation.job.job_id);
        reply_field(exchange, "Retry-After", "%d", POLL_RETRY_AFTER);
        reply_job(exchange, 202, &creation.job, "Job queued");
    }
    job_release(&creation.job);
}

static void create_from(struct exchange *exchange, const char *body, size_t size)
{
    const struct request_limits limits = {
        .max_text_chars = exchange->api->settings->max_text_chars,
        .formats = 1u << AUDIO_WAV,
        .guard = exchange->api->guard,
    };
    cleanup(create_request_release) struct create_request request = {0};
    struct faults faults = {0};
    struct json_fault fault = {0};
    struct error err = {""};
    int r = create_request_parse(body, size, &limits, &request, &fault, &faults, &err);

    if (r == 0)
        commit_creation(exchange, &request);
    else if (r == REQUEST_NOT_JSON)
        reply_problem(exchange, PROBLEM_INVALID_JSON, "%s, at byte %zu of the body", fault.reason,
                      fault.offset);
    else if (r == REQUEST_FAULTY)
        reply_faults(exchange, problem_of_faults(&faults), &faults);
    else
        reply_failure(exchange, r, &err);
}

void handle_job_create(struct exchange *exchange)
{
    char *body;
    size_t size;

    if (storage_is_full(exchange->api)) {
        reply_problem(exchange, PROBLEM_STORAGE_FULL,
                      "the server's disk is below its reserve; try again later");
        return;
    }
    if (!body_read(exchange, &body, &size))
        return;
    create_from(exchange, body, size);
    body_free(exchange->api, body, size);
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

    if (r == STORE_NOT_FOUND) {
        reply_job_not_found(exchange);
        return;
    }
    if (r < 0) {
        reply_failure(exchange, r, &err);
        return;
    }
    reply_job(exchange, 200, &job, NULL);
    if (!job_status_is_terminal(job.status))
        reply_field(exchange, "Retry-After", "%d", POLL_RETRY_AFTER);
    tag_reply(exchange);
}

/* ---- cancel ---- */

struct cancellation {
    struct commit_work work;
    int64_t key;
    const char *job_id;
    struct job job;
};

static int cancel(struct commit_work *work, struct store *store, struct error *err)
{
    struct cancellation *cancellation = container_of(work, struct cancellation, work);

    job_release(&cancellation->job);
    return job_cancel(store, cancellation->key, cancellation->job_id, &cancellation->job, err);
}

void handle_job_cancel(struct exchange *exchange)
{
    struct api *api = exchange->api;
    struct cancellation cancellation = {
        .work.run = cancel, .key = exchange->key->key, .job_id = exchange->argument};
    struct error err = {""};
    int r = committer_call(api->committer, &cancellation.work, &err);

    if (r == 0) {
        /* An earlier claim may have left files; nobody makes others of a job that has ended. */
        if (cancellation.job.status == JOB_CANCELLED && cancellation.job.epoch > 0)
            job_files_discard(api->settings->downloads_dir, &cancellation.job, cancellation.job.epoch, true);
        reply_job(exchange, cancellation.job.status == JOB_CANCELLED ? 200 : 202, &cancellation.job, NULL);
    } else if (r == STORE_NOT_FOUND) {
        reply_job_not_found(exchange);
    } else if (r == STORE_CONFLICT) {
        reply_problem(exchange, PROBLEM_JOB_NOT_CANCELLABLE,
                      "the job is %s already; only one that has not ended can be cancelled",
                      job_status_name(cancellation.job.status));
    } else {
        reply_failure(exchange, r, &err);
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

    if (r == STORE_NOT_FOUND) {
        reply_job_not_found(exchange);
        return;
    }
    if (r < 0) {
        reply_failure(exchange, r, &err);
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
