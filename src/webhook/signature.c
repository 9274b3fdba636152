/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/signature.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/equal.h"
#include "crypto/hmac.h"
#include "crypto/secret.h"

#define ITEM_SIZE (sizeof "v1," - 1 + BASE64_SIZE(SHA256_SIZE))

static void sign_plain(const char *secret, const void *body, size_t size,
                       char ret_value[SIGNATURE_PLAIN_SIZE])
{
    unsigned char mac[SHA256_SIZE];

    hmac_sha256(secret, strlen(secret), body, size, mac);
    hex_encode(mac, sizeof mac, stpcpy(ret_value, "sha256="));
}

static int sign_standard(const char *secret, const char *webhook_id, const char *timestamp, const void *body,
                         size_t size, char ret_item[ITEM_SIZE], struct error *err)
{
    const struct hmac_part parts[] = {
        {webhook_id, strlen(webhook_id)}, {".", 1}, {timestamp, strlen(timestamp)}, {".", 1}, {body, size},
    };
    unsigned char key[WEBHOOK_SECRET_BYTES_MAX];
    unsigned char mac[SHA256_SIZE];
    size_t key_size;

    if (secret_webhook_key(secret, key, &key_size) < 0)
        return error_set(err, -EINVAL, "a webhook secret is not whsec_ and the base64 of 24 to 64 bytes");
    hmac_sha256_parts(key, key_size, parts, sizeof parts / sizeof parts[0], mac);
    base64_encode(mac, sizeof mac, stpcpy(ret_item, "v1,"));
    return 0;
}

int signature_make(const char *webhook_id, int64_t timestamp, const void *body, size_t size,
                   char *const *secrets, size_t secret_count, struct signature *ret_signature,
                   struct error *err)
{
    struct signature signature = {""};
    size_t length = 0;

    if (secret_count < 1 || secret_count > SIGNATURE_SECRETS_MAX)
        return error_set(err, -EINVAL, "the key has no live webhook secret");
    snprintf(signature.timestamp, sizeof signature.timestamp, "%" PRId64, timestamp);
    sign_plain(secrets[0], body, size, signature.plain);
    for (size_t i = 0; i < secret_count; i++) {
        char item[ITEM_SIZE];
        int r = sign_standard(secrets[i], webhook_id, signature.timestamp, body, size, item, err);

        if (r < 0)
            return r;
        length += (size_t)snprintf(signature.standard + length, sizeof signature.standard - length, "%s%s",
                                   i > 0 ? " " : "", item);
    }
    *ret_signature = signature;
    return 0;
}

/* Whether one of the items, which spaces separate, is the expected one. */
static bool holds_item(const char *items, const char *expected)
{
    size_t wanted = strlen(expected);
    bool found = false;

    while (*items != '\0') {
        size_t length = strcspn(items, " ");

        found |= length == wanted && crypto_equal(items, expected, wanted);
        items += length;
        items += strspn(items, " ");
    }
    return found;
}

static bool is_fresh(const struct signature_claim *claim, int64_t now)
{
    char *end;
    long long timestamp;

    if (claim->timestamp == NULL || claim->plain_timestamp == NULL ||
        strcmp(claim->timestamp, claim->plain_timestamp) != 0)
        return false;
    errno = 0;
    timestamp = strtoll(claim->timestamp, &end, 10);
    if (errno != 0 || end == claim->timestamp || *end != '\0')
        return false;
    return timestamp >= now - SIGNATURE_TOLERANCE_S && timestamp <= now + SIGNATURE_TOLERANCE_S;
}

int signature_verify(const struct signature_claim *claim, const void *body, size_t size, const char *secret,
                     int64_t now, struct signature_verdict *ret_verdict, struct error *err)
{
    struct signature_verdict verdict = {.timestamp_fresh = is_fresh(claim, now)};
    char plain[SIGNATURE_PLAIN_SIZE];
    char item[ITEM_SIZE];
    int r = sign_standard(secret, claim->webhook_id != NULL ? claim->webhook_id : "",
                          claim->timestamp != NULL ? claim->timestamp : "", body, size, item, err);

    if (r < 0)
        return r;
    sign_plain(secret, body, size, plain);
    verdict.plain_valid = claim->plain != NULL && crypto_equal_str(claim->plain, plain);
    verdict.standard_valid = claim->webhook_id != NULL && claim->timestamp != NULL &&
                             claim->standard != NULL && holds_item(claim->standard, item);
    *ret_verdict = verdict;
    return 0;
}
