/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signatures of a webhook, in both forms of the contract: the plain one (X-Webhook-Signature over the
 * body) and that of Standard Webhooks 1.0.0 ("Signature scheme").  Pure functions.
 */
#ifndef WEBHOOK_SIGNATURE_H
#define WEBHOOK_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "crypto/base64.h"
#include "crypto/sha256.h"

/* Secrets live at once while they rotate. */
#define SIGNATURE_SECRETS_MAX 4

/* How far a timestamp may be from the receiver's clock; Standard Webhooks leaves the number open, its
 * libraries use this. */
#define SIGNATURE_TOLERANCE_S 300

#define SIGNATURE_PLAIN_SIZE    (sizeof "sha256=" - 1 + SHA256_HEX_SIZE)
#define SIGNATURE_STANDARD_SIZE (SIGNATURE_SECRETS_MAX * (sizeof "v1," - 1 + BASE64_SIZE(SHA256_SIZE)))
#define SIGNATURE_TIME_SIZE     sizeof "-9223372036854775808"

/* The values of the headers. */
struct signature {
    char plain[SIGNATURE_PLAIN_SIZE];       /* X-Webhook-Signature: the newest secret's */
    char timestamp[SIGNATURE_TIME_SIZE];    /* X-Webhook-Timestamp and webhook-timestamp */
    char standard[SIGNATURE_STANDARD_SIZE]; /* webhook-signature: one item a secret, newest first */
};

/*
 * Signs one attempt.  timestamp: Unix seconds.  secrets: 1 to SIGNATURE_SECRETS_MAX texts ("whsec_…"), newest
 * first. -EINVAL where there is none or one is malformed; the text of err never holds a secret.
 */
int signature_make(const char *webhook_id, int64_t timestamp, const void *body, size_t size,
                   char *const *secrets, size_t secret_count, struct signature *ret_signature,
                   struct error *err);

/* The headers that a receiver got; NULL where one is missing. */
struct signature_claim {
    const char *plain;           /* X-Webhook-Signature */
    const char *plain_timestamp; /* X-Webhook-Timestamp */
    const char *webhook_id;      /* webhook-id */
    const char *timestamp;       /* webhook-timestamp */
    const char *standard;        /* webhook-signature */
};

struct signature_verdict {
    bool plain_valid;
    bool standard_valid;
    bool timestamp_fresh; /* both timestamps agree and are within SIGNATURE_TOLERANCE_S of now */
};

/* Judges a webhook as its receiver does.  -EINVAL where secret is malformed. */
int signature_verify(const struct signature_claim *claim, const void *body, size_t size, const char *secret,
                     int64_t now, struct signature_verdict *ret_verdict, struct error *err);

#endif
