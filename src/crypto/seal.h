/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing: what is stored so that only the holder of a key can read it, or change it unseen.
 *
 * AES-256-GCM (NIST SP 800-38D) under a random nonce of 96 bits for each seal; one key is good for 2^32 of
 * them (section 8.3 there).  A sealed text is a version, a short id of the key, the nonce, the encrypted
 * bytes and the tag of 16 bytes.  The id tells a wrong key from damage; it says nothing of the key itself.
 */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include <stddef.h>

#include "base/error.h"

#define SEAL_KEY_SIZE    32
#define SEAL_KEY_ID_SIZE 4 /* two keys share an id once in 2^32: enough to tell them apart for people */
#define SEAL_NONCE_SIZE  12
#define SEAL_TAG_SIZE    16

/* So much longer than the text is what it is sealed to. */
#define SEAL_OVERHEAD (1 + SEAL_KEY_ID_SIZE + SEAL_NONCE_SIZE + SEAL_TAG_SIZE)

/* A key at work; any number of threads may use it at once. */
struct sealer {
    unsigned char key[SEAL_KEY_SIZE];
    unsigned char key_id[SEAL_KEY_ID_SIZE];
};

void sealer_init(struct sealer *sealer, const unsigned char key[SEAL_KEY_SIZE]);

/* Wipes the key from memory. */
void sealer_release(struct sealer *sealer);

/* Seals size bytes for a place, a text that names where they will lie: nowhere else can they be opened. */
void sealer_seal(const struct sealer *sealer, const char *place, const void *bytes, size_t size,
                 unsigned char *ret_sealed /* size + SEAL_OVERHEAD bytes */);

/* Whether this key sealed it, judged by the id alone.  -EPROTO where another did, or a newer Sayhook;
 * -EUCLEAN where it is nothing sealed. */
int sealer_check(const struct sealer *sealer, const void *sealed, size_t sealed_size, struct error *err);

/* Opens it.  Besides the errors of sealer_check() -EUCLEAN where it was changed, or sealed for another place.
 */
int sealer_open(const struct sealer *sealer, const char *place, const void *sealed, size_t sealed_size,
                void *ret_bytes /* sealed_size - SEAL_OVERHEAD bytes */, struct error *err);

#endif
