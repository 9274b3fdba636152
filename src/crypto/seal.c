/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/seal.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/hmac.h"
#include "crypto/random.h"

/* The first byte: how the rest is laid out. */
#define FORMAT_VERSION 1

/* Version and id of the key, which are authenticated too. */
#define HEADER_SIZE (1 + SEAL_KEY_ID_SIZE)

/* What the id is the HMAC of, by the key: a use of its own, so that it tells nothing that a seal depends on.
 */
#define KEY_ID_LABEL "sayhook: the id of a sealing key"

static void free_context(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context);
}

/* As in sha256.c: a process that cannot encrypt must not go on. */
static void must(bool done)
{
    if (!done)
        abort();
}

void sealer_init(struct sealer *sealer, const unsigned char key[SEAL_KEY_SIZE])
{
    unsigned char mac[SHA256_SIZE];

    memcpy(sealer->key, key, sizeof sealer->key);
    hmac_sha256(key, SEAL_KEY_SIZE, KEY_ID_LABEL, strlen(KEY_ID_LABEL), mac);
    memcpy(sealer->key_id, mac, sizeof sealer->key_id);
}

void sealer_release(struct sealer *sealer)
{
    OPENSSL_cleanse(sealer, sizeof *sealer);
}

/* Starts to encrypt (or decrypt) behind a header, and authenticates header and place. */
static EVP_CIPHER_CTX *begin(const struct sealer *sealer, const char *place, const unsigned char *header,
                             const unsigned char *nonce, bool encrypt)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int size;

    must(context != NULL);
    must(EVP_CipherInit_ex2(context, EVP_aes_256_gcm(), sealer->key, nonce, encrypt, NULL) == 1);
    must(EVP_CipherUpdate(context, NULL, &size, header, HEADER_SIZE) == 1);
    must(EVP_CipherUpdate(context, NULL, &size, (const unsigned char *)place, (int)strlen(place)) == 1);
    return context;
}

void sealer_seal(const struct sealer *sealer, const char *place, const void *bytes, size_t size,
                 unsigned char *ret_sealed)
{
    cleanup(free_context) EVP_CIPHER_CTX *context = NULL;
    unsigned char *nonce = ret_sealed + HEADER_SIZE;
    unsigned char *text = nonce + SEAL_NONCE_SIZE;
    int written, rest;

    ret_sealed[0] = FORMAT_VERSION;
    memcpy(ret_sealed + 1, sealer->key_id, SEAL_KEY_ID_SIZE);
    crypto_random(nonce, SEAL_NONCE_SIZE);
    context = begin(sealer, place, ret_sealed, nonce, true);
    must(EVP_CipherUpdate(context, text, &written, bytes, (int)size) == 1 && (size_t)written == size);
    must(EVP_CipherFinal_ex(context, text + size, &rest) == 1 && rest == 0);
    must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_SIZE, text + size) == 1);
}

int sealer_check(const struct sealer *sealer, const void *sealed, size_t sealed_size, struct error *err)
{
    const unsigned char *header = sealed;
    char theirs[2 * SEAL_KEY_ID_SIZE + 1], ours[2 * SEAL_KEY_ID_SIZE + 1];

    if (sealed_size < SEAL_OVERHEAD)
        return error_set(err, -EUCLEAN, "%zu bytes are too few for anything encrypted", sealed_size);
    if (header[0] != FORMAT_VERSION)
        return error_set(err, -EPROTO,
                         "it was encrypted in a form that this program does not know, number %d", header[0]);
    if (memcmp(header + 1, sealer->key_id, SEAL_KEY_ID_SIZE) == 0)
        return 0;
    hex_encode(header + 1, SEAL_KEY_ID_SIZE, theirs);
    hex_encode(sealer->key_id, SEAL_KEY_ID_SIZE, ours);
    return error_set(err, -EPROTO,
                     "it was encrypted under the key with the id %s, and the one that is configured has %s",
                     theirs, ours);
}

/* Whether the tag is right; what came out must not be looked at where it is not. */
static bool decrypt(const struct sealer *sealer, const char *place, const unsigned char *sealed, size_t size,
                    unsigned char *ret_bytes)
{
    const unsigned char *nonce = sealed + HEADER_SIZE;
    const unsigned char *text = nonce + SEAL_NONCE_SIZE;
    cleanup(free_context) EVP_CIPHER_CTX *context = begin(sealer, place, sealed, nonce, false);
    unsigned char tag[SEAL_TAG_SIZE]; /* a copy, since the call takes no const */
    int written, rest;

    memcpy(tag, text + size, sizeof tag);
    must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, sizeof tag, tag) == 1);
    must(EVP_CipherUpdate(context, ret_bytes, &written, text, (int)size) == 1 && (size_t)written == size);
    return EVP_CipherFinal_ex(context, ret_bytes + size, &rest) == 1;
}

int sealer_open(const struct sealer *sealer, const char *place, const void *sealed, size_t sealed_size,
                void *ret_bytes, struct error *err)
{
    int r = sealer_check(sealer, sealed, sealed_size, err);
    unsigned char *opened;
    size_t size;

    if (r < 0)
        return r;
    size = sealed_size - SEAL_OVERHEAD;
    opened = malloc(size + 1);
    if (opened == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    if (decrypt(sealer, place, sealed, size, opened))
        memcpy(ret_bytes, opened, size);
    else
        r = error_set(err, -EUCLEAN, "it was changed after it was encrypted, or belongs elsewhere");
    OPENSSL_cleanse(opened, size);
    free(opened);
    return r;
}
