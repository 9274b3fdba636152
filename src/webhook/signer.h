/* SPDX-License-Identifier: Apache-2.0 */
/* Signs webhooks with the live secrets of their keys, which are read once for all that are signed together.
 */
#ifndef WEBHOOK_SIGNER_H
#define WEBHOOK_SIGNER_H

#include "store/store.h"
#include "webhook/signature.h"

_Static_assert(SIGNATURE_SECRETS_MAX >= KEY_SECRETS_MAX, "every live secret signs");

/* The caller sets the store and leaves the rest zero. */
struct signer {
    struct store *store;
    int64_t key; /* whose secrets these are; 0: nobody's */
    size_t count;
    char *secrets[KEY_SECRETS_MAX];
};

/* now is wall-clock milliseconds.  Negative as key_secrets() and signature_make(). */
int signer_sign(struct signer *signer, const struct webhook *webhook, int64_t now,
                struct signature *ret_signature, struct error *err);

/* Reads secrets anew from now on: they may have been rotated. */
void signer_forget(struct signer *signer);

#endif
