/* SPDX-License-Identifier: Apache-2.0 */
/* Which webhooks a command is about: --key, --receiver, --status, --since. */
#ifndef CTL_OUTBOX_OPTIONS_H
#define CTL_OUTBOX_OPTIONS_H

#include "ctl/ctl.h"
#include "net/url.h"
#include "store/outbox.h"

/* For a command's table. */
#define OUTBOX_OPTION_KEY(words)                                                                             \
    {                                                                                                        \
        "key", "KEY_ID", "of that API key", &(words).key                                                     \
    }
#define OUTBOX_OPTION_RECEIVER(words)                                                                        \
    {                                                                                                        \
        "receiver", "RECEIVER", "to scheme://host[:port]; any URL of it will do", &(words).receiver          \
    }

/* What was given; NULL is not. */
struct outbox_words {
    const char *key;
    const char *receiver;
    const char *status;
    const char *since;
};

/*
 * Makes a filter of the words but for the key, which outbox_find_key() adds once the store is open.  *ret_url
 * holds the receiver, and lives as long as the filter.  0, or an exit code with the reason on stderr.
 */
int outbox_read_words(const struct ctl *ctl, const struct outbox_words *words, struct url *ret_url,
                      struct outbox_filter *ret_filter);
int outbox_find_key(const struct ctl *ctl, struct store *store, const struct outbox_words *words,
                    struct outbox_filter *filter);

/* The webhook that an argument names, by its id or its job's: 0, or an exit code with the reason on stderr.
 */
int outbox_find_named(const struct ctl *ctl, struct store *store, const char *id,
                      struct outbox_entry *ret_entry);

#endif
