/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "api/internal.h"
#include "crypto/equal.h"
#include "crypto/secret.h"

void key_cache_clear(struct key_cache *cache)
{
    for (size_t i = 0; i < KEY_CACHE_SIZE; i++) {
        api_key_release(&cache->entries[i].key);
        cache->entries[i].loaded_at = 0;
    }
}

/*
 * 0 with exchange->key set, STORE_NOT_FOUND, or a failure.  The hash is random, so its first byte picks the
 * entry.  Whoever guesses cannot choose a hash byte by byte, so how long an index takes to find one tells
 * nothing of a key.
 */
static int find_key(struct exchange *exchange, const unsigned char hash[KEY_HASH_SIZE], struct error *err)
{
    __typeof__(exchange->keys->entries[0]) *entry = &exchange->keys->entries[hash[0] % KEY_CACHE_SIZE];
    int64_t now = clock_monotonic_ms(exchange->api->clock);
    struct api_key key;
    int r = 0;

    if (entry->loaded_at == 0 || now - entry->loaded_at >= KEY_CACHE_MS ||
        !crypto_equal(entry->hash, hash, KEY_HASH_SIZE)) {
        r = key_find(exchange->store, hash, &key, err);
        if (r != 0)
            return r;
        api_key_release(&entry->key);
        entry->key = key;
        entry->loaded_at = now;
        memcpy(entry->hash, hash, KEY_HASH_SIZE);
    }
    exchange->key = &entry->key;
    exchange->standing = entry->key.standing;
    usage_refresh(&exchange->standing, clock_wall_ms(exchange->api->clock));
    return 0;
}

bool authenticate(struct exchange *exchange)
{
    const char *field = request_field(exchange, "HTTP_AUTHORIZATION");
    const char *token = field != NULL ? header_bearer(field) : NULL;
    unsigned char hash[KEY_HASH_SIZE];
    struct error err = {""};
    int r = STORE_NOT_FOUND;

    if (token != NULL) {
        secret_hash_api_key(token, hash);
        r = find_key(exchange, hash, &err);
    }
    if (r == 0)
        return true;
    if (r < 0) {
        reply_failure(exchange, r, &err);
        return false;
    }
    reply_field(exchange, "WWW-Authenticate", "Bearer");
    reply_problem(exchange, PROBLEM_UNAUTHORIZED,
                  "this call needs the header field `Authorization: Bearer KEY` with a live API key; "
                  "`sayhookctl key create` makes one");
    return false;
}
