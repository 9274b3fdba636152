/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sha256.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

static EVP_MD *fetched;

static void fetch(void)
{
    fetched = EVP_MD_fetch(NULL, "SHA256", NULL); /* lives as long as the process */
}

/* EVP_sha256() is looked up under a lock at every use (OpenSSL 3, crypto(7)); fetched once, it is not. */
static const EVP_MD *algorithm(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, fetch);
    return fetched != NULL ? fetched : EVP_sha256();
}

struct sha256 {
    EVP_MD_CTX *context;
};

static void must(int done)
{
    if (done != 1)
        abort();
}

struct sha256 *sha256_free(struct sha256 *hash)
{
    if (hash != NULL)
        EVP_MD_CTX_free(hash->context);
    free(hash);
    return NULL;
}

struct sha256 *sha256_new(void)
{
    struct sha256 *hash = calloc(1, sizeof *hash);

    if (hash == NULL)
        return NULL;
    hash->context = EVP_MD_CTX_new();
    if (hash->context == NULL)
        return sha256_free(hash);
    must(EVP_DigestInit_ex(hash->context, algorithm(), NULL));
    return hash;
}

void sha256_update(struct sha256 *hash, const void *bytes, size_t size)
{
    must(EVP_DigestUpdate(hash->context, bytes, size));
}

void sha256_final(struct sha256 *hash, unsigned char ret_hash[SHA256_SIZE])
{
    must(EVP_DigestFinal_ex(hash->context, ret_hash, NULL));
    must(EVP_DigestInit_ex(hash->context, algorithm(), NULL));
}

void sha256_final_hex(struct sha256 *hash, char ret_hex[SHA256_HEX_SIZE])
{
    unsigned char raw[SHA256_SIZE];

    sha256_final(hash, raw);
    hex_encode(raw, sizeof raw, ret_hex);
}

void sha256(const void *bytes, size_t size, unsigned char ret_hash[SHA256_SIZE])
{
    must(EVP_Digest(bytes, size, ret_hash, NULL, algorithm(), NULL));
}

void hex_encode(const void *bytes, size_t size, char *ret_hex)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = bytes;

    for (size_t i = 0; i < size; i++) {
        *ret_hex++ = digits[from[i] >> 4];
        *ret_hex++ = digits[from[i] & 15];
    }
    *ret_hex = '\0';
}
