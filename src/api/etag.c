/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "api/internal.h"
#include "codec/header.h"
#include "crypto/sha256.h"

/* Half of a SHA-256: no two bodies that differ have the same. */
#define TAG_BYTES 16

void reply_tagged(struct exchange *exchange)
{
    char joined[REQUEST_LIST_SIZE];
    const char *known = request_list(exchange, "HTTP_IF_NONE_MATCH", joined);
    unsigned char hash[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE], tag[2 + 2 * TAG_BYTES + 1];

    sha256(buf_str(exchange->body), exchange->body->length, hash);
    hex_encode(hash, TAG_BYTES, hex);
    snprintf(tag, sizeof tag, "\"%.*s\"", 2 * TAG_BYTES, hex);
    reply_field(exchange, "ETag", "%s", tag);
    exchange->caching = CACHING_BY_TAG;
    if (known != NULL && header_etag_matches(known, tag)) {
        exchange->status = 304;
        exchange->content_type = NULL;
    }
}
