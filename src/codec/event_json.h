/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a webhook. */
#ifndef CODEC_EVENT_JSON_H
#define CODEC_EVENT_JSON_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "job/event.h"
#include "job/job.h"

/*
 * Appends one line of JSON that says what became of a job: the contract's members, never the text.  now_ms is
 * when the event happened.  -ENOBUFS where it does not fit.
 */
int event_json_render(enum event_type type, int64_t now_ms, const struct job *job,
                      const char *public_base_url, struct buf *body, struct error *err);

/* The body of a ping: the same members, and null where they would tell of a job.  -ENOBUFS as above. */
int event_json_render_ping(int64_t now_ms, struct buf *body, struct error *err);

/* Of jobs, as a renderer: hand &event_json.renderer to whoever records events. */
struct event_json {
    struct event_renderer renderer;
    const char *public_base_url; /* must outlive it */
};

struct event_json event_json_make(const char *public_base_url);

#endif
