/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEBHOOK_RECOVERY_H
#define WEBHOOK_RECOVERY_H

#include "base/clock.h"
#include "config/settings.h"
#include "store/committer.h"

/*
 * Ends, with the code "interrupted", the attempts that a sender which is no more has left open, and plans the
 * next ones by the schedule: a request may have reached the receiver, so such an attempt counts.  To be
 * called before an attempt of one's own is begun.  Waits for the commits.  *ret_count is how many there were.
 */
int recovery_run(struct store *store, struct committer *committer, const struct settings *settings,
                 const struct clock *clock, int64_t *ret_count, struct error *err);

#endif
