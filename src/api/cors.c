/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of other origins (the Fetch standard, section 3.3 "CORS protocol"), as the setting cors_origins lets
 * them: without credentials, since a key goes in a header field that a page sets itself.  nginx does the same
 * for what it answers alone (nginx/upstream.conf.in): the two lists of fields must agree.
 */
#include <string.h>
#include <strings.h>

#include "api/internal.h"

/* What a page may read beside the body: the fields that the contract names. */
#define EXPOSED_FIELDS                                                                                       \
    "X-Request-Id, Location, ETag, Link, RateLimit, RateLimit-Policy, Retry-After, Idempotent-Replayed, "    \
    "Preference-Applied, Allow, WWW-Authenticate, Content-Disposition, Content-Range"

/* What a page may send. */
#define ALLOWED_FIELDS                                                                                       \
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Prefer, Range, X-Request-Id"

/* Seconds that a browser keeps what a preflight has told it: the most that any of them keeps it. */
#define PREFLIGHT_MAX_AGE 7200

/* What to answer as the origin that may read: the request's own, "*" for every one, or NULL. */
static const char *allowed_origin(const struct exchange *exchange)
{
    const struct string_list *origins = &exchange->api->settings->cors_origins;
    const char *origin = request_field(exchange, "HTTP_ORIGIN");

    for (size_t i = 0; i < origins->count; i++) {
        if (strcmp(origins->items[i], "*") == 0)
            return "*";
        if (origin != NULL && strcasecmp(origins->items[i], origin) == 0)
            return origin;
    }
    return NULL;
}

void cors_preflight(struct exchange *exchange, const char *methods)
{
    if (allowed_origin(exchange) == NULL || request_field(exchange, "HTTP_ORIGIN") == NULL ||
        request_field(exchange, "HTTP_ACCESS_CONTROL_REQUEST_METHOD") == NULL)
        return;
    reply_field(exchange, "Access-Control-Allow-Methods", "%s", methods);
    reply_field(exchange, "Access-Control-Allow-Headers", ALLOWED_FIELDS);
    reply_field(exchange, "Access-Control-Max-Age", "%d", PREFLIGHT_MAX_AGE);
}

void cors_reply(struct exchange *exchange)
{
    const char *origin;

    if (exchange->api->settings->cors_origins.count == 0)
        return;
    origin = allowed_origin(exchange);
    /* Where every origin gets the same answer, a cache may keep one for all. */
    if (origin == NULL || strcmp(origin, "*") != 0)
        reply_field(exchange, "Vary", "Origin");
    if (origin == NULL)
        return;
    reply_field(exchange, "Access-Control-Allow-Origin", "%s", origin);
    reply_field(exchange, "Access-Control-Expose-Headers", EXPOSED_FIELDS);
}
