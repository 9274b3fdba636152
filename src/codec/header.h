/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header fields that clients send, from a field's value to what it means.
 *
 * Pure: no exchange, no memory.  A value is the whole of its field, which ends with a NUL; where a client
 * sent the field several times, it is their values joined by commas (RFC 9110 section 5.3).
 */
#ifndef CODEC_HEADER_H
#define CODEC_HEADER_H

#include <stdbool.h>

/* What the contract lets a client choose as its request id. */
#define HEADER_REQUEST_ID_MAX 64

/* What the contract lets a client choose as its idempotency key. */
#define HEADER_IDEMPOTENCY_KEY_MAX  255
#define HEADER_IDEMPOTENCY_KEY_SIZE (HEADER_IDEMPOTENCY_KEY_MAX + 1)

/* X-Request-Id: 1 to 64 of [A-Za-z0-9._-]. */
bool header_is_request_id(const char *value);

/*
 * Idempotency-Key: a string of RFC 8941 (section 3.3.3), or the same bare, without quotes; a key is the same
 * key in either form.  1 to 255 bytes of printable ASCII behind the unquoting; false where it is none.
 */
bool header_idempotency_key(const char *value, char ret_key[HEADER_IDEMPOTENCY_KEY_SIZE]);

/*
 * Prefer: the seconds of its `wait` (RFC 7240 section 4.3), of several the first (section 2).  False where
 * there is none, or none that is a number: a preference that is not understood is passed over.  A number that
 * int does not hold becomes INT_MAX; the caller cuts it to its own maximum.
 */
bool header_prefer_wait(const char *value, int *ret_seconds);

/*
 * If-None-Match: true where it is `*` or lists etag, which is an entity tag with its quotes, by weak
 * comparison (RFC 9110 sections 8.8.3.2 and 13.1.2).  What stands behind a fault in the list is not looked
 * at: the client gets an answer that it did not need, and never a 304 that it cannot use.
 */
bool header_etag_matches(const char *value, const char *etag);

/*
 * Accept: true where media_type ("application/json", in lower case) may be sent (RFC 9110 section 12.5.1):
 * the most specific range that fits decides, and q=0 refuses.  Parameters other than q are not looked at; a
 * weight that cannot be read counts as 1.  NULL, or a value without a range, accepts all.
 */
bool header_accepts(const char *value, const char *media_type);

/* Content-Type of JSON: "application/json", whose charset, if it names one, is UTF-8 (RFC 8259 knows no
 * other). */
bool header_is_json(const char *value);

/* Authorization: where the token of `Bearer TOKEN` begins (RFC 6750 section 2.1), or NULL. */
const char *header_bearer(const char *value);

#endif
