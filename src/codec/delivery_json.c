/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/delivery_json.h"

#include "codec/json_write.h"

void delivery_json_list_begin(struct buf *out)
{
    buf_append_str(out, "{\"deliveries\":[");
}

void delivery_json_list_end(struct buf *out)
{
    buf_append_str(out, "]}");
}

void delivery_json_list_add(struct buf *out, const struct delivery_view *delivery)
{
    json_item(out);
    buf_append_str(out, "{");
    json_member_int(out, "attempt", delivery->attempt);
    json_member_string(out, "event", event_type_name(delivery->event));
    json_member_string(out, "webhook_id", delivery->webhook_id);
    json_member_time(out, "started_at", delivery->started_at);
    json_member_int_if(out, "duration_ms", delivery->duration_ms >= 0, delivery->duration_ms);
    json_member_int_if(out, "status_code", delivery->status_code != 0, delivery->status_code);
    json_member_error(out, "error", delivery->error_code, delivery->error_message);
    json_member_string(out, "response_excerpt", delivery->response_excerpt);
    json_member_time(out, "next_attempt_at", delivery->next_attempt_at);
    buf_append_str(out, "}");
}
