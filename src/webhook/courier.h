/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries attempts from their beginning to the record of their end.  An attempt is recorded as begun, waits
 * until its receiver has a place, is signed and sent, and is recorded as ended; what was begun and may not be
 * sent after all, since its receiver fails or asks for a pause, is withdrawn.  One thread's.
 */
#ifndef WEBHOOK_COURIER_H
#define WEBHOOK_COURIER_H

#include "base/clock.h"
#include "base/repeat.h"
#include "config/settings.h"
#include "webhook/attempt.h"
#include "webhook/report.h"
#include "webhook/signer.h"

/* The caller sets the first five members, and initialises receivers and returns. */
struct courier {
    const struct settings *settings;
    const struct clock *clock;
    struct committer *committer;
    report_log *log;
    struct signer signer;

    struct sender *sender;
    struct receivers receivers;
    struct attempt_returns returns;
    struct attempt_list attempts;
    int64_t pause_until; /* the database failed: nothing is asked of it before, monotonic milliseconds */
    struct repeat fault; /* of the database */
    struct repeat
        unsent;    /* a fault here, of a secret for one: never over, since others can be sent beside it */
    bool draining; /* what has begun and is not sent yet is withdrawn: set by the owner, when it stops */
    bool look;     /* a place is free, or something is due again: set here, cleared by who has looked */
};

/* A sender, with what the settings say of it. */
int courier_open_sender(struct courier *courier, struct guard *guard, struct error *err);

/* Begins an attempt; takes over the strings of webhook.  Negative where it could not be posted. */
int courier_begin(struct courier *courier, struct webhook *webhook, struct receiver_state *receiver,
                  struct error *err);

/* Whether it has room for more: places at receivers are counted by receivers_room(). */
bool courier_has_room(const struct courier *courier);

/* Goes on with all that can: call it whenever the returns' eventfd or the sender has something. */
void courier_step(struct courier *courier);

/* The database failed: says so, and leaves it alone for a while. */
void courier_pause(struct courier *courier, const struct error *err);

/* Breaks off what is still being sent, and waits for what the committer has. */
void courier_abandon(struct courier *courier);

#endif
