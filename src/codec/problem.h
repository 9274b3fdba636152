/* SPDX-License-Identifier: Apache-2.0 */
/* Every error that a client of the API can meet, as problem details (RFC 9457): one table row each. */
#ifndef CODEC_PROBLEM_H
#define CODEC_PROBLEM_H

#include "base/buf.h"
#include "codec/fault.h"

enum problem {
    PROBLEM_INVALID_JSON,
    PROBLEM_INVALID_PARAMETER,
    PROBLEM_INVALID_HEADER,
    PROBLEM_INCOMPLETE_BODY,
    PROBLEM_UNAUTHORIZED,
    PROBLEM_FORBIDDEN,
    PROBLEM_NOT_FOUND,
    PROBLEM_METHOD_NOT_ALLOWED,
    PROBLEM_NOT_ACCEPTABLE,
    PROBLEM_JOB_NOT_CANCELLABLE,
    PROBLEM_AUDIO_NOT_READY,
    PROBLEM_NO_WEBHOOK,
    PROBLEM_WEBHOOK_PENDING,
    PROBLEM_TOO_MANY_ATTEMPTS,
    PROBLEM_IDEMPOTENCY_KEY_IN_USE,
    PROBLEM_JOB_FAILED,
    PROBLEM_JOB_CANCELLED,
    PROBLEM_AUDIO_EXPIRED,
    PROBLEM_WEBHOOK_EXPIRED,
    PROBLEM_LENGTH_REQUIRED,
    PROBLEM_BODY_TOO_LARGE,
    PROBLEM_UNSUPPORTED_MEDIA_TYPE,
    PROBLEM_INVALID_REQUEST,
    PROBLEM_NOTHING_TO_SPEAK,
    PROBLEM_IDEMPOTENCY_KEY_REUSED,
    PROBLEM_RATE_LIMITED,
    PROBLEM_QUOTA_EXCEEDED,
    PROBLEM_INTERNAL_ERROR,
    PROBLEM_UNAVAILABLE,
    PROBLEM_NOT_READY,
    PROBLEM_STORAGE_FULL,
};
#define PROBLEM_COUNT (PROBLEM_STORAGE_FULL + 1)

int problem_status(enum problem problem);
const char *problem_code(enum problem problem);

/* What the faults of a request's members are together. */
enum problem problem_of_faults(const struct faults *faults);

/* What one occurrence says beside what its row says.  Strings may be NULL, faults too. */
struct problem_details {
    const char *detail;
    const char *request_id;
    const char *public_base_url; /* in front of the page that explains the problem */
    const char *policy;          /* the limit that was hit */
    const struct faults *faults;
};

/* Appends the document. */
void problem_render(struct buf *out, enum problem problem, const struct problem_details *details);

#endif
