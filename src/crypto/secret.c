/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secret.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "base/id.h"
#include "crypto/random.h"

void secret_make_webhook(char ret_secret[WEBHOOK_SECRET_SIZE])
{
    unsigned char bytes[WEBHOOK_SECRET_BYTES];

    crypto_random(bytes, sizeof bytes);
    memcpy(ret_secret, WEBHOOK_SECRET_PREFIX, sizeof WEBHOOK_SECRET_PREFIX - 1);
    base64_encode(bytes, sizeof bytes, ret_secret + sizeof WEBHOOK_SECRET_PREFIX - 1);
    OPENSSL_cleanse(bytes, sizeof bytes);
}

int secret_webhook_key(const char *text, unsigned char ret_bytes[WEBHOOK_SECRET_BYTES_MAX], size_t *ret_size)
{
    const size_t prefix = sizeof WEBHOOK_SECRET_PREFIX - 1;
    unsigned char bytes[BASE64_DECODED_MAX(BASE64_SIZE(WEBHOOK_SECRET_BYTES_MAX))];
    size_t length = strlen(text);
    size_t size;

    if (length >= WEBHOOK_SECRET_SIZE_MAX || strncmp(text, WEBHOOK_SECRET_PREFIX, prefix) != 0)
        return -EINVAL;
    if (base64_decode(text + prefix, length - prefix, bytes, &size) < 0)
        return -EINVAL;
    if (size < WEBHOOK_SECRET_BYTES_MIN || size > WEBHOOK_SECRET_BYTES_MAX)
        return -EINVAL;
    memcpy(ret_bytes, bytes, size);
    *ret_size = size;
    OPENSSL_cleanse(bytes, sizeof bytes);
    return 0;
}

void secret_make_api_key(char ret_text[API_KEY_SIZE], unsigned char ret_hash[SHA256_SIZE])
{
    memcpy(ret_text, API_KEY_PREFIX, sizeof API_KEY_PREFIX);
    id_random(ret_text + sizeof API_KEY_PREFIX - 1, API_KEY_RANDOM_CHARS);
    secret_hash_api_key(ret_text, ret_hash);
}

void secret_hash_api_key(const char *text, unsigned char ret_hash[SHA256_SIZE])
{
    sha256(text, strlen(text), ret_hash);
}
