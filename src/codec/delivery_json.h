/* SPDX-License-Identifier: Apache-2.0 */
/* The attempts to deliver a webhook, as clients read them.  Failures stick in the buffer. */
#ifndef CODEC_DELIVERY_JSON_H
#define CODEC_DELIVERY_JSON_H

#include "base/buf.h"
#include "job/job.h"

/* One attempt; times in wall-clock milliseconds, 0 is none. */
struct delivery_view {
    int64_t attempt;
    enum event_type event;
    const char *webhook_id;
    int64_t started_at;
    int64_t duration_ms; /* -1 until it ended */
    int64_t status_code; /* 0 is none */
    const char *error_code;
    const char *error_message;
    const char *response_excerpt;
    int64_t next_attempt_at;
};

/* {"deliveries": […]} in three steps. */
void delivery_json_list_begin(struct buf *out);
void delivery_json_list_add(struct buf *out, const struct delivery_view *delivery);
void delivery_json_list_end(struct buf *out);

#endif
