/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/status_report.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "codec/json_write.h"
#include "ctl/show.h"

/* ---- text ---- */

static void row(struct buf *out, const char *name)
{
    buf_printf(out, "%s%-10s ", out->length > 0 ? "\n" : "", name);
}

/* A duration as far as a glance takes it in. */
static void append_age(struct buf *out, int64_t ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"d", INT64_C(86400000)}, {"h", 3600000}, {"min", 60000}, {"s", 1000}};
    size_t i = 0;

    while (i < array_length(units) - 1 && ms < 2 * units[i].ms)
        i++;
    buf_printf(out, "%" PRId64 " %s", (ms > 0 ? ms : 0) / units[i].ms, units[i].unit);
}

static void append_bytes(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t i = 0;

    for (; value >= 1024 && i < array_length(units) - 1; i++)
        value /= 1024;
    buf_printf(out, i == 0 ? "%.0f %s" : "%.1f %s", value, units[i]);
}

static void append_count(struct buf *out, int64_t count)
{
    buf_printf(out, "%" PRId64 "%s", count, count >= VIEW_COUNT_MAX ? "+" : "");
}

static double counted(const struct status_report *report, enum metric metric)
{
    return report->view.metrics[metric];
}

static void append_service(struct buf *out, const struct status_report *report)
{
    row(out, "database");
    show_string(out, report->settings->database);
    buf_append_str(out, ", ");
    append_bytes(out, (uint64_t)report->database_bytes);
    buf_append_str(out, ", WAL ");
    append_bytes(out, (uint64_t)report->wal_bytes);
    buf_printf(out, ", version %d", report->database_version);
    row(out, "API");
    if (report->api_failure == 0)
        buf_append_str(out, "listens at ");
    else
        buf_printf(out, "NOBODY LISTENS (%s) at ", strerrordesc_np(report->api_failure));
    show_string(out, report->settings->api_socket);
}

static void append_workers(struct buf *out, const struct status_report *report)
{
    row(out, "workers");
    if (report->workers_alive > 0)
        buf_printf(out, "%zu alive", report->workers_alive);
    else
        buf_append_str(out, "NONE IS ALIVE: systemctl start sayhook-worker");
    for (size_t i = 0; i < report->worker_count; i++) {
        const struct status_worker *worker = &report->workers[i];

        row(out, "");
        buf_printf(out, "worker %" PRId64 ", %s, started ", worker->worker, worker_state_name(worker->state));
        show_time(out, worker->started_at);
        buf_append_str(out, ", last sign of life ");
        append_age(out, report->now - worker->beat_at);
        buf_append_str(out, " ago");
    }
    if (report->view.paused_since != 0) {
        row(out, "PAUSED");
        buf_append_str(out, "since ");
        show_time(out, report->view.paused_since);
        buf_append_str(out, "; 'sayhookctl worker resume' has the workers go on");
    }
}

static void append_jobs(struct buf *out, const struct status_report *report)
{
    const struct service_view *view = &report->view;

    row(out, "jobs");
    buf_printf(out, "pending %.0f", counted(report, METRIC_QUEUE_LENGTH));
    if (view->oldest_pending_at != 0) {
        buf_append_str(out, " (the oldest for ");
        append_age(out, report->now - view->oldest_pending_at);
        buf_append_str(out, ")");
    }
    buf_printf(out, ", processing %" PRId64, view->claimed);
    row(out, "");
    buf_append_str(out, "in the last minute: created ");
    append_count(out, view->created_lately);
    buf_append_str(out, ", ended ");
    append_count(out, view->ended_lately);
    if (report->characters_a_second >= 0)
        buf_printf(out, "; spoken %.0f characters/s", report->characters_a_second);
    row(out, "");
    buf_printf(out, "ever: completed %.0f, failed %.0f, cancelled %.0f",
               counted(report, METRIC_JOBS_COMPLETED), counted(report, METRIC_JOBS_FAILED),
               counted(report, METRIC_JOBS_CANCELLED));
}

static void append_webhooks(struct buf *out, const struct status_report *report)
{
    const struct service_view *view = &report->view;

    row(out, "webhooks");
    buf_append_str(out, "planned ");
    append_count(out, view->webhooks_planned);
    buf_append_str(out, ", under way ");
    append_count(out, view->webhooks_open);
    buf_append_str(out, ", given up in the last day ");
    append_count(out, view->webhooks_failed_in_a_day);
    row(out, "");
    buf_printf(out, "attempts ever: delivered %.0f, failed %.0f",
               counted(report, METRIC_DELIVERIES_SUCCEEDED), counted(report, METRIC_DELIVERIES_FAILED));
    row(out, "receivers");
    buf_printf(out, "paused %" PRId64 ", failing %" PRId64 ", slow %" PRId64, view->receivers_paused,
               view->receivers_failing, view->receivers_slow);
    for (size_t i = 0; i < view->receiver_count; i++) {
        const struct view_receiver *receiver = &view->receivers[i];

        row(out, "");
        show_string(out, receiver->receiver);
        if (receiver->slow)
            buf_append_str(out, ", slow");
        if (receiver->failing_since != 0)
            buf_append_str(out, ", failing");
        if (receiver->paused_until != 0) {
            buf_append_str(out, ", paused until ");
            show_time(out, receiver->paused_until);
        }
    }
}

static void append_disks(struct buf *out, const struct status_report *report)
{
    for (size_t i = 0; i < SURVEY_DISKS; i++) {
        const struct survey_disk *disk = &report->disks[i];

        row(out, i == 0 ? "disk" : "");
        buf_printf(out, "%-14s ", disk->setting);
        if (!disk->is_known) {
            buf_append_str(out, "cannot be looked at: ");
            show_string(out, disk->path);
            continue;
        }
        append_bytes(out, disk->free_bytes);
        buf_printf(out, " free, %s", survey_room(report->settings, disk->free_bytes));
    }
}

void status_report_text(struct buf *out, const struct status_report *report)
{
    buf_append_str(out, "Sayhook " PACKAGE_VERSION ", ");
    show_time(out, report->now);
    append_service(out, report);
    append_workers(out, report);
    append_jobs(out, report);
    append_webhooks(out, report);
    append_disks(out, report);
    row(out, "keys");
    buf_printf(out, "live %" PRId64 ", revoked %" PRId64, report->view.keys - report->view.keys_revoked,
               report->view.keys_revoked);
}

/* ---- JSON ---- */

static void open_object(struct buf *out, const char *name)
{
    json_name(out, name);
    buf_append_str(out, "{");
}

static void member_counted(struct buf *out, const char *name, const struct status_report *report,
                           enum metric metric)
{
    json_member_int(out, name, (int64_t)counted(report, metric));
}

static void append_service_json(struct buf *out, const struct status_report *report)
{
    json_member_string(out, "version", PACKAGE_VERSION);
    json_member_time(out, "time", report->now);
    open_object(out, "database");
    json_member_string(out, "path", report->settings->database);
    json_member_int(out, "version", report->database_version);
    json_member_int(out, "bytes", report->database_bytes);
    json_member_int(out, "wal_bytes", report->wal_bytes);
    buf_append_str(out, "}");
    open_object(out, "api");
    json_member_string(out, "socket", report->settings->api_socket);
    json_member_bool(out, "listens", report->api_failure == 0);
    buf_append_str(out, "}");
}

static void append_workers_json(struct buf *out, const struct status_report *report)
{
    open_object(out, "workers");
    json_member_int(out, "alive", (int64_t)report->workers_alive);
    json_member_int(out, "known", (int64_t)report->workers_seen);
    json_name(out, "list");
    buf_append_str(out, "[");
    for (size_t i = 0; i < report->worker_count; i++) {
        const struct status_worker *worker = &report->workers[i];

        json_item(out);
        buf_append_str(out, "{");
        json_member_int(out, "worker", worker->worker);
        json_member_string(out, "state", worker_state_name(worker->state));
        json_member_time(out, "started_at", worker->started_at);
        json_member_time(out, "beat_at", worker->beat_at);
        buf_append_str(out, "}");
    }
    buf_append_str(out, "]}");
    json_member_time(out, "paused_since", report->view.paused_since);
}

static void append_jobs_json(struct buf *out, const struct status_report *report)
{
    const struct service_view *view = &report->view;

    open_object(out, "jobs");
    member_counted(out, "pending", report, METRIC_QUEUE_LENGTH);
    json_member_int(out, "processing", view->claimed);
    member_counted(out, "completed_ever", report, METRIC_JOBS_COMPLETED);
    member_counted(out, "failed_ever", report, METRIC_JOBS_FAILED);
    member_counted(out, "cancelled_ever", report, METRIC_JOBS_CANCELLED);
    json_member_time(out, "oldest_pending_at", view->oldest_pending_at);
    json_member_int(out, "created_in_a_minute", view->created_lately);
    json_member_int(out, "ended_in_a_minute", view->ended_lately);
    member_counted(out, "characters_ever", report, METRIC_ENGINE_CHARACTERS);
    buf_append_str(out, "}");
}

static void append_receivers_json(struct buf *out, const struct service_view *view)
{
    open_object(out, "receivers");
    json_member_int(out, "paused", view->receivers_paused);
    json_member_int(out, "failing", view->receivers_failing);
    json_member_int(out, "slow", view->receivers_slow);
    json_name(out, "list");
    buf_append_str(out, "[");
    for (size_t i = 0; i < view->receiver_count; i++) {
        const struct view_receiver *receiver = &view->receivers[i];

        json_item(out);
        buf_append_str(out, "{");
        json_member_string(out, "receiver", receiver->receiver);
        json_member_time(out, "paused_until", receiver->paused_until);
        json_member_bool(out, "failing", receiver->failing_since != 0);
        json_member_bool(out, "slow", receiver->slow);
        buf_append_str(out, "}");
    }
    buf_append_str(out, "]}");
}

static void append_webhooks_json(struct buf *out, const struct status_report *report)
{
    const struct service_view *view = &report->view;

    open_object(out, "webhooks");
    json_member_int(out, "planned", view->webhooks_planned);
    json_member_int(out, "under_way", view->webhooks_open);
    json_member_int(out, "failed_in_a_day", view->webhooks_failed_in_a_day);
    member_counted(out, "attempts_delivered_ever", report, METRIC_DELIVERIES_SUCCEEDED);
    member_counted(out, "attempts_failed_ever", report, METRIC_DELIVERIES_FAILED);
    buf_append_str(out, "}");
    append_receivers_json(out, view);
}

static void append_disks_json(struct buf *out, const struct status_report *report)
{
    json_name(out, "disks");
    buf_append_str(out, "[");
    for (size_t i = 0; i < SURVEY_DISKS; i++) {
        const struct survey_disk *disk = &report->disks[i];

        json_item(out);
        buf_append_str(out, "{");
        json_member_string(out, "setting", disk->setting);
        json_member_string(out, "path", disk->path);
        json_member_int_if(out, "free_bytes", disk->is_known, (int64_t)disk->free_bytes);
        json_member_int(out, "reserve_bytes", report->settings->disk_reserve);
        buf_append_str(out, "}");
    }
    buf_append_str(out, "]");
}

void status_report_json(struct buf *out, const struct status_report *report)
{
    buf_append_str(out, "{");
    append_service_json(out, report);
    append_workers_json(out, report);
    append_jobs_json(out, report);
    append_webhooks_json(out, report);
    append_disks_json(out, report);
    open_object(out, "keys");
    json_member_int(out, "live", report->view.keys - report->view.keys_revoked);
    json_member_int(out, "revoked", report->view.keys_revoked);
    buf_append_str(out, "}");
    json_member_int(out, "counts_end_at", VIEW_COUNT_MAX);
    buf_append_str(out, "}");
}
