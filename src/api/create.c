/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/tts/async: from a body to a job on disk. */
#include <errno.h>

#include "api/internal.h"
#include "codec/header.h"
#include "codec/job_json.h"
#include "codec/request.h"
#include "crypto/sha256.h"

/* What a worker can write (audio_format_is_writable()): all of them. */
#define FORMATS ((1u << AUDIO_FORMAT_COUNT) - 1)

/* A job on its way to disk, with all that its row is made from. */
struct creation {
    struct commit_work work;
    struct exchange *exchange;
    char *body; /* NULL once it is parsed */
    size_t size;
    struct create_request request; /* points into its document */
    struct job_request row;
    struct repeatable repeatable; /* name NULL: the request is not one */
    char name[HEADER_IDEMPOTENCY_KEY_SIZE];
    bool repeated; /* the job is an earlier request's of that name, as it was answered then */
    struct job job;
    struct key_standing standing;
};

static void creation_free(struct creation *creation)
{
    job_release(&creation->job);
    create_request_release(&creation->request);
    body_free(creation->exchange->api, creation->body, creation->size);
    free(creation);
}

/* 0 where a job was created or an earlier one was found. */
static int create(struct commit_work *work, struct store *store, struct error *err)
{
    struct creation *creation = container_of(work, struct creation, work);
    const struct repeatable *repeatable = &creation->repeatable;
    int r = STORE_NOT_FOUND;

    job_release(&creation->job); /* of a turn that was rolled back */
    if (repeatable->name != NULL)
        r = repeatable_find(store, repeatable, &creation->job, err);
    creation->repeated = r == 0;
    if (r != STORE_NOT_FOUND)
        return r;
    r = job_create(store, &creation->row, &creation->job, &creation->standing, err);
    if (r == 0 && repeatable->name != NULL)
        r = repeatable_keep(store, repeatable, &creation->job, err);
    return r;
}

static void reply_created(struct exchange *exchange, const struct creation *creation)
{
    const char *base_url = exchange->api->settings->public_base_url;

    reply_field(exchange, "Location", "/v1/jobs/%s", creation->job.job_id);
    reply_field(exchange, "Retry-After", "%d", POLL_RETRY_AFTER);
    if (creation->repeated)
        reply_field(exchange, "Idempotent-Replayed", "true");
    else
        exchange->standing = creation->standing;
    job_json_render(exchange->body, &creation->job, base_url, "Job queued");
    reply_json(exchange, 202);
}

static void reply_over_limit(struct exchange *exchange, const struct creation *creation)
{
    const struct job_cost cost = job_request_cost(&creation->row);
    struct limit_hit hit = {.limit = LIMIT_BURST};

    exchange->standing = creation->standing;
    usage_fits(&creation->standing, &cost, &hit);
    reply_limited(exchange, &hit);
}

/* After the commit: the job is on disk, and the client may hear of it. */
static void answer_creation(struct exchange *exchange)
{
    struct creation *creation = exchange->creation;

    switch (creation->work.result) {
    case 0:
        reply_created(exchange, creation);
        break;
    case STORE_LIMITED:
        reply_over_limit(exchange, creation);
        break;
    case STORE_CONFLICT:
        reply_problem(exchange, PROBLEM_IDEMPOTENCY_KEY_REUSED,
                      "this Idempotency-Key came with another body before; a new request needs a new key");
        break;
    case STORE_IN_FLIGHT:
        reply_field(exchange, "Retry-After", "%d", POLL_RETRY_AFTER);
        reply_problem(exchange, PROBLEM_IDEMPOTENCY_KEY_IN_USE,
                      "the first request with this Idempotency-Key is being answered just now");
        break;
    default:
        reply_failure(exchange, creation->work.result, &creation->work.error);
    }
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

/* False where the reply is made: the header field is not one of ours. */
static bool read_idempotency_key(struct creation *creation)
{
    static const char name[] = "HTTP_IDEMPOTENCY_KEY";
    char *const *parameters = creation->exchange->fcgi->envp;
    const char *field = request_line(&parameters, name);

    if (field == NULL)
        return true;
    if (request_line(&parameters, name) != NULL || !header_idempotency_key(field, creation->name)) {
        reply_problem(
            creation->exchange, PROBLEM_INVALID_HEADER,
            "there must be one Idempotency-Key, of 1 to %d printable ASCII characters, bare and without a "
            "double quote, or in double quotes",
            HEADER_IDEMPOTENCY_KEY_MAX);
        return false;
    }
    creation->repeatable.key = creation->exchange->key->key;
    creation->repeatable.name = creation->name;
    sha256(creation->body, creation->size, creation->repeatable.body_hash);
    return true;
}

/* False where the reply is made: there is no room.  A repetition needs none, and gets its answer. */
static bool may_store(struct creation *creation)
{
    struct exchange *exchange = creation->exchange;
    cleanup(job_release) struct job job = {0};

    if (!storage_is_full(exchange->api) ||
        (creation->repeatable.name != NULL &&
         repeatable_find(exchange->store, &creation->repeatable, &job, NULL) != STORE_NOT_FOUND))
        return true;
    reply_storage_full(exchange);
    return false;
}

/* False where the reply is made: the body is not one of ours. */
static bool parse(struct creation *creation)
{
    struct exchange *exchange = creation->exchange;
    const struct request_limits limits = {
        .max_text_chars = exchange->api->settings->max_text_chars,
        .formats = FORMATS,
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
    /* The document has all that is needed of it; its bytes stay counted, since those of the document do not.
     */
    free(creation->body);
    creation->body = NULL;
    return r == 0;
}

void handle_job_create(struct exchange *exchange)
{
    struct creation *creation;
    char *body;
    size_t size;

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
    if (!read_idempotency_key(creation) || !may_store(creation) || !parse(creation)) {
        creation_free(creation);
        return;
    }
    describe_row(creation);
    exchange->creation = creation;
    exchange->deferred = post_creation;
}
