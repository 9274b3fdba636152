/* SPDX-License-Identifier: Apache-2.0 */
/* Removes audio, jobs and attempts once they have been kept for their time, and files that crashes left. */
#ifndef WORKER_RETIRE_H
#define WORKER_RETIRE_H

#include "config/settings.h"
#include "store/committer.h"

struct retirer;

struct retirer_options {
    const struct settings *settings;
    const struct store_options *store; /* for a connection of its own, to read */
    struct committer *committer;       /* must outlive it */
    const struct clock *clock;
};

/* Starts a thread.  One for a database is enough; more do no harm. */
int retirer_start(const struct retirer_options *options, struct retirer **ret_retirer, struct error *err);

/* Waits for what is under way; takes NULL. */
struct retirer *retirer_stop(struct retirer *retirer);

#endif
