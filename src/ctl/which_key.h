/* SPDX-License-Identifier: Apache-2.0 */
/* The API key that a command is about. */
#ifndef CTL_WHICH_KEY_H
#define CTL_WHICH_KEY_H

#include "ctl/ctl.h"

/*
 * Finds a key, revoked or not, by its public name; NULL is the only one that is not revoked.  0 with
 * *ret_key, which the caller releases, or an exit code with the reason on stderr.
 */
int which_key(const struct ctl *ctl, struct store *store, const char *key_id, struct api_key *ret_key);

#endif
