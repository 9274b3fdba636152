/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/event_json.h"

#include <errno.h>

#include "base/cleanup.h"
#include "codec/job_json.h"
#include "codec/json_write.h"

int event_json_render(enum event_type type, int64_t now_ms, const struct job *job,
                      const char *public_base_url, struct buf *body, struct error *err)
{
    buf_append_str(body, "{");
    json_member_string(body, "type", event_type_name(type));
    json_member_time(body, "timestamp", now_ms);
    json_member_string(body, "job_id", job->job_id);
    json_member_string(body, "status", job_status_name(job->status));
    job_json_audio_url(body, job, public_base_url);
    json_member_time(body, "created_at", job->created_at);
    json_member_time(body, "completed_at", job->completed_at);
    json_member_string(body, "language", job->language);
    json_member_string(body, "voice", job->voice);
    json_member_string(body, "format", audio_format_name(job->format));
    json_member_int(body, "characters", job->characters);
    job_json_duration(body, job);
    json_member_int_if(body, "bytes", job->status == JOB_COMPLETED, job->audio.bytes);
    job_json_error(body, job);
    json_member_raw(body, "warnings", job->warnings);
    json_member_raw(body, "metadata", job->metadata);
    buf_append_str(body, "}");
    return buf_ok(body) ? 0 : error_set(err, -ENOBUFS, "the webhook of %s does not fit", job->job_id);
}

int event_json_render_ping(int64_t now_ms, struct buf *body, struct error *err)
{
    static const char *const of_jobs[] = {"job_id",   "status", "audio_url", "created_at", "completed_at",
                                          "language", "voice",  "format",    "characters", "duration_seconds",
                                          "bytes",    "error",  "warnings",  "metadata"};

    buf_append_str(body, "{");
    json_member_string(body, "type", event_type_name(EVENT_PING));
    json_member_time(body, "timestamp", now_ms);
    for (size_t i = 0; i < array_length(of_jobs); i++)
        json_member_raw(body, of_jobs[i], NULL);
    buf_append_str(body, "}");
    return buf_ok(body) ? 0 : error_set(err, -ENOBUFS, "the ping does not fit");
}

static int render(const struct event_renderer *self, enum event_type type, int64_t now_ms,
                  const struct job *job, struct buf *body, struct error *err)
{
    const struct event_json *json = container_of(self, const struct event_json, renderer);

    return event_json_render(type, now_ms, job, json->public_base_url, body, err);
}

struct event_json event_json_make(const char *public_base_url)
{
    return (struct event_json){.renderer.render = render, .public_base_url = public_base_url};
}
