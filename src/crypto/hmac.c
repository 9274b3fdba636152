/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"

static void free_context(EVP_MAC_CTX **context)
{
    EVP_MAC_CTX_free(*context);
}

/* As in sha256.c: a process that cannot sign must not go on. */
static void must(bool done)
{
    if (!done)
        abort();
}

static EVP_MAC_CTX *prepared;

static void prepare(void)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

    prepared = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL; /* lives as long as the process */
    EVP_MAC_free(mac);
    must(prepared != NULL && EVP_MAC_CTX_set_params(prepared, params) == 1);
}

/* HMAC and its digest are looked up by name, which costs more than a short message: once, then copied. */
static EVP_MAC_CTX *context_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, prepare);
    return EVP_MAC_CTX_dup(prepared);
}

void hmac_sha256_parts(const void *key, size_t key_size, const struct hmac_part *parts, size_t count,
                       unsigned char ret_mac[SHA256_SIZE])
{
    cleanup(free_context) EVP_MAC_CTX *context = context_new();
    /* OpenSSL takes a NULL key for "the one from before", so an empty key needs an address. */
    const unsigned char *bytes = key_size > 0 ? key : (const unsigned char *)"";
    size_t size;

    must(context != NULL && EVP_MAC_init(context, bytes, key_size, NULL) == 1);
    for (size_t i = 0; i < count; i++)
        must(EVP_MAC_update(context, parts[i].bytes, parts[i].size) == 1);
    must(EVP_MAC_final(context, ret_mac, &size, SHA256_SIZE) == 1 && size == SHA256_SIZE);
}

void hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
                 unsigned char ret_mac[SHA256_SIZE])
{
    const struct hmac_part part = {bytes, size};

    hmac_sha256_parts(key, key_size, &part, 1, ret_mac);
}
