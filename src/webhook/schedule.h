/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a webhook is tried again: webhook_retry_schedule has one delay for each attempt.  The first one counts
 * from the event, the others from the end of the attempt before.  Pure functions.
 */
#ifndef WEBHOOK_SCHEDULE_H
#define WEBHOOK_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/settings.h"

/* Delays vary by this share, so that what failed together does not come back together. */
#define SCHEDULE_JITTER_PERCENT 10

/*
 * When the attempt after `attempts` (0 or more) is due: from, which is wall-clock milliseconds, and the
 * delay, which random (any 32 random bits) makes up to SCHEDULE_JITTER_PERCENT shorter or longer.  False
 * where no attempt is left.
 */
bool schedule_next(const struct duration_list *schedule, int64_t attempts, int64_t from, uint32_t random,
                   int64_t *ret_due_at);

/* How long a webhook is tried for at most, in milliseconds, where each attempt is made in time and lasts
 * attempt_ms. */
int64_t schedule_length(const struct duration_list *schedule, int64_t attempt_ms);

#endif
