/* SPDX-License-Identifier: Apache-2.0 */
/* Who writes what a webhook says: an interface, so that whoever records an event need not know its form. */
#ifndef JOB_EVENT_H
#define JOB_EVENT_H

#include "base/buf.h"
#include "base/error.h"
#include "job/job.h"

/*
 * Renders the body of an event's webhook.  It is called inside the transaction that makes the event, with the
 * job as it then stands; so body and state cannot differ.  now_ms is when the event happened.
 */
struct event_renderer {
    int (*render)(const struct event_renderer *self, enum event_type type, int64_t now_ms,
                  const struct job *job, struct buf *body, struct error *err);
};

#endif
