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

/* For what came of asking for a job where that is not 0: not being there has the same words for every reason.
 */
static void reply_no_job(struct exchange *exchange, int r, const struct error *err)
{
    if (r == STORE_NOT_FOUND)
        reply_problem(exchange, PROBLEM_NOT_FOUND, "there is no such job, or it is not one of this key's");
    else
        reply_failure(exchange, r, err);
}

static void reply_job(struct exchange *exchange, int status, const struct job *job, const char *message)
{
    job_json_render(exchange->body, job, exchange->api->settings->public_base_url, message);
    reply_json(exchange, status);
}

/* ---- create ---- */

/* A job on its way to disk, with all that its row is made from. */
struct creation {
    struct commit_work work;
    struct exchange *exchange;
    char *body;
    size_t size;
    struct create_request request; /* points into body's document */
    struct job_request row;
    struct job job;
};

static void creation_free(struct creation *creation)
{
    job_release(&creation->job);
    create_request_release(&creation->request);
    body_free(creation->exchange->api, creation->body, creation->size);
    free(creation);
}

static int create(struct commit_work *work, struct store *store, struct error *err)
{
    struct creation *creation = container_of(work, struct creation, work);

    job_release(&creation->job); /* of a turn that was rolled back */
    return job_create(store, &creation->row, &creation->job, err);
}

static void reply_created(struct exchange *exchange, const struct job *job)
{
    reply_field(exchange, "Location", "/v1/jobs/%s", job->job_id);
    reply_field(exchange, "Retry-After", "%d", POLL_RETRY_AFTER);
    reply_job(exchange, 202, job, "Job queued");
}

/* After the commit: the job is on disk, and the client may hear of it. */
static void answer_creation(struct exchange *exchange)
{
    struct creation *creation = exchange->creation;

    if (creation->work.result < 0)
        reply_failure(exchange, creation->work.result, &creation->work.error);
    else
        reply_created(exchange, &creation->job);
    creation_free(creation);
    exchange_finish(exchange);
}

static void resume_creation(struct commit_work *work)
{
    struct exchange *exchange = container_of(work, struct creation, work)->exchange;

    exchange_resume(exchange);
}

static void post_creation(struct exchange *exchange)
{
    struct creation *creation = exchange->creation;
    struct error err;

    exchange->deferred = answer_creation; /* once it is resumed */
    if (committer_post(exchange->api->committer, &creation->work) == 0)
        return;
    creation_free(creation);
    reply_failure(exchange, error_set(&err, -EAGAIN, "too many writes are waiting"), &err);
    exchange_finish(exchange);
}

static void describe_row(struct creation *creation)
{
    const struct create_request *request = &creation->request;
    const struct exchange *exchange = creation->exchange;

    creation->row = (struct job_request){
        .key = exchange->key->key,
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
        .receiver = request->webhook_url != NULL ? request->receiver : NULL,
    };
}

/* False where the reply is made: the body is not one of ours. */
static bool parse(struct creation *creation)
{
    struct exchange *exchange = creation->exchange;
    const struct request_limits limits = {
        .max_text_chars = exchange->api->settings->max_text_chars,
        .formats = 1u << AUDIO_WAV,
        .guard = exchange->api->guard,
    };
    struct faults faults = {0};
    struct json_fault fault = {0};
    struct error err = {""};
    int r = create_request_parse(creation->body, creation->size, &limits, &creation->request, &fault, &faults,
                                 &err);

    if (r == REQUEST_NOT_JSON)
        reply_problem(exchange, PROBLEM_INVALID_JSON, "%s, at byte %zu of the body", fault.reason,
                      fault.offset);
    else if (r == REQUEST_FAULTY)
        reply_faults(exchange, problem_of_faults(&faults), &faults);
    else if (r < 0)
        reply_failure(exchange, r, &err);
    return r == 0;
}

void handle_job_create(struct exchange *exchange)
{
    struct creation *creation;
    char *body;
    size_t size;

    if (storage_is_full(exchange->api)) {
        reply_problem(exchange, PROBLEM_STORAGE_FULL,
                      "the server's disk is below its reserve; try again later");
        return;
    }
    if (!body_read(exchange, &body, &size))
        return;
    creation = calloc(1, sizeof *creation);
    if (creation == NULL) {
        struct error err;

        body_free(exchange->api, body, size);
        reply_failure(exchange, error_set(&err, -ENOMEM, "out of memory"), &err);
        return;
    }
    creation->work = (struct commit_work){.run = create, .done = resume_creation};
    creation->exchange = exchange;
    creation->body = body;
    creation->size = size;
    if (!parse(creation)) {
        creation_free(creation);
        return;
    }
    describe_row(creation);
    exchange->creation = creation;
    exchange->deferred = post_creation;
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
