/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/problem.h"

#include <string.h>

#include "codec/json_write.h"

static const struct {
    const char *code;
    const char *title;
    int status;
} kinds[PROBLEM_COUNT] = {
    [PROBLEM_INVALID_JSON] = {"invalid_json", "The body is not JSON", 400},
    [PROBLEM_INVALID_PARAMETER] = {"invalid_parameter", "A query parameter is wrong", 400},
    [PROBLEM_INVALID_HEADER] = {"invalid_header", "A header field is wrong", 400},
    [PROBLEM_INCOMPLETE_BODY] = {"incomplete_body", "The body ended early", 400},
    [PROBLEM_UNAUTHORIZED] = {"unauthorized", "An API key is needed", 401},
    [PROBLEM_FORBIDDEN] = {"forbidden", "Forbidden", 403},
    [PROBLEM_NOT_FOUND] = {"not_found", "Not found", 404},
    [PROBLEM_METHOD_NOT_ALLOWED] = {"method_not_allowed", "Method not allowed", 405},
    [PROBLEM_NOT_ACCEPTABLE] = {"not_acceptable", "Not acceptable", 406},
    [PROBLEM_JOB_NOT_CANCELLABLE] = {"job_not_cancellable", "The job has ended", 409},
    [PROBLEM_AUDIO_NOT_READY] = {"audio_not_ready", "The audio is not ready yet", 409},
    [PROBLEM_IDEMPOTENCY_KEY_IN_USE] = {"idempotency_key_in_use", "The first request is still in flight",
                                        409},
    [PROBLEM_NO_WEBHOOK] = {"no_webhook", "The job has no webhook", 409},
    [PROBLEM_WEBHOOK_PENDING] = {"webhook_pending", "The webhook is on its way", 409},
    [PROBLEM_TOO_MANY_ATTEMPTS] = {"too_many_attempts", "The webhook was sent too often", 409},
    [PROBLEM_JOB_FAILED] = {"job_failed", "The job failed", 410},
    [PROBLEM_JOB_CANCELLED] = {"job_cancelled", "The job was cancelled", 410},
    [PROBLEM_AUDIO_EXPIRED] = {"audio_expired", "The audio was removed", 410},
    [PROBLEM_WEBHOOK_EXPIRED] = {"webhook_expired", "The webhook was removed", 410},
    [PROBLEM_LENGTH_REQUIRED] = {"length_required", "Length required", 411},
    [PROBLEM_BODY_TOO_LARGE] = {"body_too_large", "Body too large", 413},
    [PROBLEM_UNSUPPORTED_MEDIA_TYPE] = {"unsupported_media_type", "Unsupported media type", 415},
    [PROBLEM_INVALID_REQUEST] = {"invalid_request", "The request is not valid", 422},
    [PROBLEM_NOTHING_TO_SPEAK] = {"nothing_to_speak", "The text holds nothing to speak", 422},
    [PROBLEM_IDEMPOTENCY_KEY_REUSED] = {"idempotency_key_reused", "The Idempotency-Key was used before", 422},
    [PROBLEM_RATE_LIMITED] = {"rate_limited", "Too many requests", 429},
    [PROBLEM_QUOTA_EXCEEDED] = {"quota_exceeded", "A quota of the key is used up", 429},
    [PROBLEM_INTERNAL_ERROR] = {"internal_error", "Internal error", 500},
    [PROBLEM_UNAVAILABLE] = {"unavailable", "The server is busy", 503},
    [PROBLEM_NOT_READY] = {"not_ready", "The server is not ready", 503},
    [PROBLEM_STORAGE_FULL] = {"storage_full", "Storage full", 507},
};

int problem_status(enum problem problem)
{
    return kinds[problem].status;
}

const char *problem_code(enum problem problem)
{
    return kinds[problem].code;
}

enum problem problem_of_faults(const struct faults *faults)
{
    const char *silent = kinds[PROBLEM_NOTHING_TO_SPEAK].code;

    return faults->total == 1 && strcmp(faults->items[0].code, silent) == 0 ? PROBLEM_NOTHING_TO_SPEAK
                                                                            : PROBLEM_INVALID_REQUEST;
}

static void write_faults(struct buf *out, const struct faults *faults)
{
    json_name(out, "errors");
    buf_append(out, "[", 1);
    for (size_t i = 0; i < faults->count; i++) {
        json_item(out);
        buf_append(out, "{", 1);
        json_member_string(out, "pointer", faults->items[i].pointer);
        json_member_string(out, "detail", faults->items[i].detail);
        json_member_string(out, "code", faults->items[i].code);
        buf_append(out, "}", 1);
    }
    buf_append(out, "]", 1);
}

void problem_render(struct buf *out, enum problem problem, const struct problem_details *details)
{
    buf_append(out, "{", 1);
    json_name(out, "type");
    buf_append(out, "\"", 1);
    buf_append_str(out, details->public_base_url);
    buf_append_str(out, "/docs/problems/");
    buf_append_str(out, kinds[problem].code);
    buf_append(out, "\"", 1);
    json_member_string(out, "title", kinds[problem].title);
    json_member_int(out, "status", kinds[problem].status);
    json_member_string(out, "detail", details->detail);
    json_member_string(out, "code", kinds[problem].code);
    json_member_string(out, "request_id", details->request_id);
    if (details->policy != NULL)
        json_member_string(out, "policy", details->policy);
    if (details->faults != NULL && details->faults->count > 0)
        write_faults(out, details->faults);
    buf_append(out, "}", 1);
}
