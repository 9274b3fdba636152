/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEBHOOK_RECOVERY_H
#define WEBHOOK_RECOVERY_H

#include "base/clock.h"
#include "config/settings.h"
#include "store/committer.h"

/*
 * Ends, with the code "interrupted", the attempts that a sender which is no more has left open, and has each
 * repeated (schedule_next_interrupted()): what was recorded ahead never left, what did leave may have reached
 * the receiver, and nobody can tell them apart.  Then it puts right
 * when receivers are due, where a program of another version wrote beside that sender (receiver_wrong()).
 * To be called before an attempt of one's own is begun.  Waits
 * for the commits.  *ret_count is how many there were.
 */
int recovery_run(struct store *store, struct committer *committer, const struct settings *settings,
                 const struct clock *clock, int64_t *ret_count, struct error *err);

#endif
