/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that delivers the webhooks that are owed: it finds what is due, records each attempt before and
 * after, signs and sends, and plans the next attempt where one failed.
 *
 * Only one may work on a database at a time (its owner holds an flock for that); then the limits per receiver
 * hold.  At most webhook_max_in_flight attempts run, at most webhook_max_per_receiver at one receiver, and
 * only these are held in memory.  Receivers are served in turn: one at its limit delays no other.
 */
#ifndef WEBHOOK_DISPATCHER_H
#define WEBHOOK_DISPATCHER_H

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "config/settings.h"
#include "store/committer.h"

/* All that is pointed to must outlive the dispatcher. */
struct dispatcher_options {
    const struct settings *settings;
    const struct store_options *store; /* for a connection of its own, to read */
    struct committer *committer;       /* for what it writes */
    const struct clock *clock;

    /* Called on the dispatcher's thread; may be NULL. */
    void (*log)(enum log_level level, const struct log_context *context, const char *message);
};

struct dispatcher;

/* -EINVAL where a setting of the address guard is wrong, or what opening the database returns. */
int dispatcher_start(const struct dispatcher_options *options, struct dispatcher **ret_dispatcher,
                     struct error *err);

/* Something may be due: looks at once rather than at the next poll.  Any thread. */
void dispatcher_wake(struct dispatcher *dispatcher);

/*
 * The longest that stopping waits for answers, whatever webhook_timeout says.  systemd kills a worker 60 s
 * after it was asked to stop (systemd/sayhook-worker.service.in), and jobs are put back within that time,
 * too.
 */
#define DISPATCHER_DRAIN_MAX_MS 30000

/*
 * Takes nothing new, gives running attempts webhook_timeout to end, DISPATCHER_DRAIN_MAX_MS at most, and ends
 * the thread; takes NULL.  Attempts that are open then are repeated by the next dispatcher.  The committer
 * must still run.
 */
struct dispatcher *dispatcher_stop(struct dispatcher *dispatcher);

#endif
