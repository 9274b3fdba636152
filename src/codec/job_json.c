/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/job_json.h"

#include "codec/json_write.h"

/* The audio is there: the job is completed, and its audio has not expired. */
static bool has_audio(const struct job *job)
{
    return job->status == JOB_COMPLETED && job->audio_removed_at == 0;
}

static void download_url(struct buf *out, const char *name, const struct job *job,
                         const char *public_base_url, const char *suffix)
{
    json_name(out, name);
    buf_printf(out, "\"%s/v1/download/%s%s\"", public_base_url, job->job_id, suffix);
}

void job_json_audio_url(struct buf *out, const struct job *job, const char *public_base_url)
{
    if (has_audio(job))
        download_url(out, "audio_url", job, public_base_url, "");
    else
        json_member_raw(out, "audio_url", NULL);
}

void job_json_duration(struct buf *out, const struct job *job)
{
    if (job->status == JOB_COMPLETED && job->audio.sample_rate > 0)
        json_member_double(out, "duration_seconds", (double)job->audio.samples / job->audio.sample_rate);
    else
        json_member_raw(out, "duration_seconds", NULL);
}

static void render_audio(struct buf *out, const struct job *job)
{
    if (job->status != JOB_COMPLETED) {
        json_member_raw(out, "audio", NULL);
        return;
    }
    json_name(out, "audio");
    buf_append_str(out, "{");
    json_member_int(out, "bytes", job->audio.bytes);
    job_json_duration(out, job);
    json_member_int(out, "sample_rate", job->audio.sample_rate);
    json_member_string(out, "content_type", audio_format_content_type(job->format));
    json_member_string(out, "sha256", job->audio.sha256);
    buf_append_str(out, "}");
}

void job_json_error(struct buf *out, const struct job *job)
{
    if (job->error_code == NULL) {
        json_member_raw(out, "error", NULL);
        return;
    }
    json_name(out, "error");
    buf_append_str(out, "{");
    json_member_string(out, "code", job->error_code);
    json_member_string(out, "message", job->error_message);
    if (job->error_start >= 0) {
        json_member_int(out, "start", job->error_start);
        json_member_int(out, "end", job->error_end);
    }
    buf_append_str(out, "}");
}

static void render_webhook(struct buf *out, const struct job *job)
{
    json_name(out, "webhook");
    buf_append_str(out, "{");
    json_member_string(out, "url", job->webhook_url);
    json_member_string(out, "status", webhook_status_name(job->webhook_status));
    json_member_int(out, "attempts", job->webhook_attempts);
    json_member_int_if(out, "last_status_code", job->webhook_last_status_code != 0,
                       job->webhook_last_status_code);
    json_member_string(out, "last_error", job->webhook_last_error);
    json_member_time(out, "next_attempt_at", job->webhook_next_attempt_at);
    buf_append_str(out, "}");
}

void job_json_render(struct buf *out, const struct job *job, const char *public_base_url, const char *message)
{
    buf_append_str(out, "{");
    json_member_string(out, "job_id", job->job_id);
    json_member_string(out, "status", job_status_name(job->status));
    if (message != NULL)
        json_member_string(out, "message", message);
    json_member_string(out, "language", job->language);
    json_member_string(out, "voice", job->voice);
    json_member_string(out, "format", audio_format_name(job->format));
    json_member_double(out, "speed", job->speed);
    json_member_double(out, "pitch", job->pitch);
    json_member_int(out, "characters", job->characters);
    json_member_double(out, "progress", (double)(int64_t)(job_progress(job) * 10000.0) / 10000.0);
    json_member_int_if(out, "queue_position", job->status == JOB_PENDING, job->queue_position);
    json_member_time(out, "created_at", job->created_at);
    json_member_time(out, "started_at", job->started_at);
    json_member_time(out, "completed_at", job->completed_at);
    json_member_time(out, "expires_at", job->expires_at);
    json_member_raw(out, "metadata", job->metadata);
    json_member_bool(out, "cancel_requested", job->cancel_requested);
    job_json_audio_url(out, job, public_base_url);
    render_audio(out, job);
    if (job->timings && has_audio(job))
        download_url(out, "timings_url", job, public_base_url, ".json");
    else
        json_member_raw(out, "timings_url", NULL);
    job_json_error(out, job);
    json_member_raw(out, "warnings", job->warnings);
    render_webhook(out, job);
    buf_append_str(out, "}");
}
