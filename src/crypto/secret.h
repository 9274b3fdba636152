/* SPDX-License-Identifier: Apache-2.0 */
/* The two secrets of a client: the API key that it sends, and the webhook secret that it verifies with. */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include <stddef.h>

#include "crypto/base64.h"
#include "crypto/sha256.h"

/* Standard Webhooks, "Signature scheme": "whsec_" and the base64 of 24 to 64 bytes. */
#define WEBHOOK_SECRET_PREFIX    "whsec_"
#define WEBHOOK_SECRET_BYTES     32 /* of those made here: the hash's own size */
#define WEBHOOK_SECRET_BYTES_MIN 24
#define WEBHOOK_SECRET_BYTES_MAX 64

/* Room for the text of a secret made here, and of any that is legal. */
#define WEBHOOK_SECRET_SIZE     (sizeof WEBHOOK_SECRET_PREFIX - 1 + BASE64_SIZE(WEBHOOK_SECRET_BYTES))
#define WEBHOOK_SECRET_SIZE_MAX (sizeof WEBHOOK_SECRET_PREFIX - 1 + BASE64_SIZE(WEBHOOK_SECRET_BYTES_MAX))

void secret_make_webhook(char ret_secret[WEBHOOK_SECRET_SIZE]);

/* The bytes that the text stands for: the key of the webhook-signature header.  -EINVAL where it is not a
 * secret. */
int secret_webhook_key(const char *text, unsigned char ret_bytes[WEBHOOK_SECRET_BYTES_MAX], size_t *ret_size);

/* "sk_" and 50 characters of [0-9a-z]: 36^50 is 2^258.5. */
#define API_KEY_PREFIX       "sk_"
#define API_KEY_RANDOM_CHARS 50
#define API_KEY_SIZE         (sizeof API_KEY_PREFIX + API_KEY_RANDOM_CHARS)

/* Makes an API key and the hash of its text, which is all that is stored. */
void secret_make_api_key(char ret_text[API_KEY_SIZE], unsigned char ret_hash[SHA256_SIZE]);

/* The hash of an API key as a client sent it.  The key is random, so a plain hash is enough. */
void secret_hash_api_key(const char *text, unsigned char ret_hash[SHA256_SIZE]);

#endif
