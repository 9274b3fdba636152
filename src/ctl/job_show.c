/* SPDX-License-Identifier: Apache-2.0 */
/* All that is known of a job but its text. */
#include <inttypes.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "codec/job_json.h"
#include "codec/json_write.h"
#include "ctl/job_options.h"
#include "ctl/show.h"

/* All that is known of a job. */
struct sight {
    struct job job;
    struct job_inside inside;
    struct delivery *attempts; /* owned */
    size_t count;
};

static void release_sight(struct sight *sight)
{
    job_release(&sight->job);
    deliveries_free(sight->attempts, sight->count);
}

static void append_attempt_json(struct buf *text, const struct delivery *attempt)
{
    json_item(text);
    buf_append_str(text, "{");
    json_member_int(text, "attempt", attempt->attempt);
    json_member_string(text, "event", event_type_name(attempt->event));
    json_member_string(text, "webhook_id", attempt->webhook_id);
    json_member_time(text, "started_at", attempt->started_at);
    json_member_int_if(text, "duration_ms", attempt->duration_ms >= 0, attempt->duration_ms);
    json_member_int_if(text, "status_code", attempt->status_code != 0, attempt->status_code);
    json_member_string(text, "error_code", attempt->error_code);
    buf_append_str(text, "}");
}

static int print_sight_json(const struct ctl *ctl, const struct sight *sight)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    const struct job *job = &sight->job;

    buf_append_str(&text, "{\"job\":");
    job_json_render(&text, job, ctl->options.settings.public_base_url, NULL);
    json_member_string(&text, "key_id", sight->inside.key_id);
    json_member_string(&text, "request_id", job->request_id);
    json_member_int(&text, "claims", job->epoch);
    json_member_int(&text, "setbacks", sight->inside.setbacks);
    json_member_int_if(&text, "text_bytes", sight->inside.text_bytes >= 0, sight->inside.text_bytes);
    json_member_time(&text, "audio_removed_at", job->audio_removed_at);
    json_name(&text, "attempts");
    buf_append_str(&text, "[");
    for (size_t i = 0; i < sight->count; i++)
        append_attempt_json(&text, &sight->attempts[i]);
    buf_append_str(&text, "]}");
    return ctl_print(ctl, &text);
}

/* What happened to it, in order. */
static void append_events(struct buf *text, const struct job *job)
{
    show_line_time(text, "created", job->created_at);
    show_line_time(text, "started", job->started_at);
    if (job->cancel_requested)
        buf_append_str(text, ", and its cancellation was asked for");
    show_line_time(text, "ended", job->completed_at);
    if (job->expires_at != 0)
        show_line_time(text, "audio until", job->expires_at);
    if (job->audio_removed_at != 0)
        show_line_time(text, "audio removed", job->audio_removed_at);
}

static void append_outcome(struct buf *text, const struct job *job)
{
    if (job->status == JOB_COMPLETED) {
        show_label(text, "audio");
        buf_printf(text, "%" PRId64 " bytes, %.1f s, SHA-256 %s", job->audio.bytes,
                   job->audio.sample_rate > 0 ? (double)job->audio.samples / job->audio.sample_rate : 0.0,
                   job->audio.sha256);
    }
    if (job->error_code != NULL) {
        show_label(text, "error");
        buf_printf(text, "%s: ", job->error_code);
        show_string(text, job->error_message);
        if (job->error_start >= 0)
            buf_printf(text, " (characters %" PRId64 " to %" PRId64 ")", job->error_start, job->error_end);
    }
    if (job->warnings != NULL)
        show_line(text, "warnings", job->warnings);
}

static void append_webhook(struct buf *text, const struct sight *sight)
{
    const struct job *job = &sight->job;

    if (job->webhook_url == NULL)
        return;
    show_line(text, "webhook", job->webhook_url);
    show_label(text, "  is");
    buf_printf(text, "%s, attempts: %" PRId64, webhook_status_name(job->webhook_status),
               job->webhook_attempts);
    for (size_t i = 0; i < sight->count; i++) {
        const struct delivery *attempt = &sight->attempts[i];

        show_label(text, "");
        buf_printf(text, "%" PRId64 ": ", attempt->attempt);
        show_time(text, attempt->started_at);
        buf_printf(text, " %s",
                   attempt->duration_ms < 0      ? "under way"
                   : attempt->error_code != NULL ? attempt->error_code
                                                 : "delivered");
        if (attempt->status_code != 0)
            buf_printf(text, " %" PRId64, attempt->status_code);
    }
}

static int print_sight_text(const struct ctl *ctl, const struct sight *sight)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    const struct job *job = &sight->job;

    show_line(&text, "job", job->job_id);
    show_line(&text, "key", sight->inside.key_id);
    show_line(&text, "request", job->request_id);
    show_line(&text, "status", job_status_name(job->status));
    if (job->status == JOB_PENDING)
        buf_printf(&text, ", place in its key's queue: %" PRId64, job->queue_position);
    if (job->status == JOB_PROCESSING)
        buf_printf(&text, ", %d %% by worker %" PRId64, (int)(job_progress(job) * 100), sight->inside.worker);
    show_label(&text, "asked for");
    buf_printf(&text, "%" PRId64 " characters, %s, %s, %s, speed %g, pitch %g%s", job->characters,
               job->language, job->voice, audio_format_name(job->format), job->speed, job->pitch,
               job->timings ? ", with timings" : "");
    if (job->metadata != NULL)
        show_line(&text, "metadata", job->metadata);
    show_label(&text, "text");
    if (sight->inside.text_bytes >= 0)
        buf_printf(&text, "kept, %" PRId64 " bytes", sight->inside.text_bytes);
    else
        buf_append_str(&text, "gone");
    append_events(&text, job);
    show_label(&text, "claims");
    buf_printf(&text, "%" PRId64 ", setbacks in a row: %" PRId64, job->epoch, sight->inside.setbacks);
    append_outcome(&text, job);
    append_webhook(&text, sight);
    return ctl_print(ctl, &text);
}

static int print_sight(const struct ctl *ctl, struct store *store, struct sight *sight)
{
    struct error error;
    int r = manage_inside(store, sight->job.id, &sight->inside, &error);

    if (r == 0)
        r = delivery_list(store, 0, sight->job.job_id, &sight->attempts, &sight->count, &error);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    if (r != 0)
        return ctl_fail(ctl, EX_NOINPUT, "%s was removed meanwhile", sight->job.job_id);
    return ctl->json ? print_sight_json(ctl, sight) : print_sight_text(ctl, sight);
}

int ctl_job_show(struct ctl *ctl, int argc, char **argv)
{
    static const struct program_option options[] = {{NULL}};
    cleanup(ctl_close_store) struct store *store = NULL;
    struct sight sight = {0};
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);

    if (code != OPTIONS_RUN || (code = ctl_open_store(ctl, &store)) != 0 ||
        (code = job_find_named(ctl, store, arguments[0], &sight.job)) != 0)
        return code;
    code = print_sight(ctl, store, &sight);
    release_sight(&sight);
    return code;
}
