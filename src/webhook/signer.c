/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/signer.h"

#include <stdlib.h>
#include <string.h>

void signer_forget(struct signer *signer)
{
    key_secrets_free(signer->secrets, signer->count);
    signer->count = 0;
    signer->key = 0;
}

static int read_secrets(struct signer *signer, int64_t key, struct error *err)
{
    int r;

    if (signer->key == key)
        return 0;
    signer_forget(signer);
    r = key_secrets(signer->store, key, signer->secrets, &signer->count, err);
    if (r == 0)
        signer->key = key;
    return r;
}

int signer_sign(struct signer *signer, const struct webhook *webhook, int64_t now,
                struct signature *ret_signature, struct error *err)
{
    int r = read_secrets(signer, webhook->key, err);

    return r != 0 ? r
                  : signature_make(webhook->webhook_id, now / 1000, webhook->body, strlen(webhook->body),
                                   signer->secrets, signer->count, ret_signature, err);
}
