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
 * When the next attempt is due after `used` (0 or more) entries of the schedule: from, which is wall-clock
 * milliseconds, and the delay, which random (any 32 random bits) makes up to SCHEDULE_JITTER_PERCENT shorter
 * or longer.  False where no attempt is left.
 */
bool schedule_next(const struct duration_list *schedule, int64_t used, int64_t from, uint32_t random,
                   int64_t *ret_due_at);

/*
 * An attempt whose sender died costs nothing of the schedule and is repeated soon, for it may never have
 * left, and if it has, nobody knows its answer.  So many of one webhook: crashes that others cause seldom hit
 * the same one more often.  Further ones count as failures do, so that a webhook that itself kills the worker
 * comes to its end.
 */
#define SCHEDULE_INTERRUPTIONS_MAX 20

/* Before it is repeated, so that between two deaths that it causes others are sent. */
#define SCHEDULE_REPEAT_MS 2000

/* How many entries of the schedule are used up after so many attempts, interrupted ones among them. */
int64_t schedule_used(int64_t attempts, int64_t interruptions);

/* As schedule_next(), after an attempt that was interrupted and is counted in both figures. */
bool schedule_next_interrupted(const struct duration_list *schedule, int64_t attempts, int64_t interruptions,
                               int64_t from, uint32_t random, int64_t *ret_due_at);

/* How long a webhook is tried for at most, in milliseconds, where each attempt is made in time and lasts
 * attempt_ms. */
int64_t schedule_length(const struct duration_list *schedule, int64_t attempt_ms);

#endif
