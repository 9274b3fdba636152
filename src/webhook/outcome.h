/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from how a request went: for the webhook, and for its receiver.  Pure functions. */
#ifndef WEBHOOK_OUTCOME_H
#define WEBHOOK_OUTCOME_H

#include "config/settings.h"
#include "store/store.h"
#include "webhook/health.h"
#include "webhook/sender.h"

/* The longest pause that a receiver can ask for: what it is owed must come some time. */
#define OUTCOME_PAUSE_MAX_S (24 * 60 * 60)

/*
 * What is recorded.  used is how much of the schedule is, with this attempt (schedule_used()); now is
 * wall-clock milliseconds, random any 32 random bits.  The record points into sent.
 */
void outcome_make(const struct settings *settings, const struct send_result *sent, int64_t used, int64_t now,
                  uint32_t random, struct attempt_result *ret_record);

/* False where the request never set out, so that it tells nothing of the receiver. */
bool outcome_tells(const struct send_result *sent, enum health_event *ret_event);

#endif
