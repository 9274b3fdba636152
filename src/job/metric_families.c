/* SPDX-License-Identifier: Apache-2.0 */
/* The table of all metrics, in the order of enum metric. */
#include "base/cleanup.h"
#include "job/job.h"
#include "job/metric.h"

/* clang-format off: one row is one line of values and one or two of prose. */

/* ---- labels ---- */

#define VALUES(function, ...)                                                                                \
    static const char *function(size_t index)                                                                \
    {                                                                                                        \
        static const char *const values[] = {__VA_ARGS__};                                                   \
                                                                                                             \
        return values[index];                                                                                \
    }

VALUES(loss_value, "process_ended", "hung", "rebooted")
VALUES(result_value, "success", "failure")
VALUES(program_value, "sayhook-api", "sayhook-worker")
VALUES(disk_value, "database", "downloads", "spool")
VALUES(version_value, PACKAGE_VERSION)

static const char *status_value(size_t index)
{
    return job_status_name((enum job_status)index);
}

static const char *route_value(size_t index)
{
    return http_routes[index].name;
}

static const char *code_value(size_t index)
{
    return http_statuses[index].name;
}

#define NO_LABELS                                                                                            \
    {                                                                                                        \
        {                                                                                                    \
            NULL, 0, NULL                                                                                    \
        }                                                                                                    \
    }
#define LABEL(name, count, value)                                                                            \
    {                                                                                                        \
        {                                                                                                    \
            name, count, value                                                                               \
        }                                                                                                    \
    }

/* ---- buckets ---- */

#define MS(milliseconds) ((milliseconds)*METRIC_MILLIONTHS / 1000)
#define S(seconds)       ((seconds)*METRIC_MILLIONTHS)

#define BOUNDS(name, number, ...)                                                                            \
    static const int64_t name##_millionths[number] = {__VA_ARGS__};                                          \
    static const struct metric_bounds name = {number, name##_millionths};

/* A job is claimed at once where a synthesizer is free; where the machine is too small, it waits for hours.
 */
BOUNDS(wait_bounds, METRIC_JOB_BOUNDS, MS(10), MS(50), MS(100), MS(250), MS(500), S(1), MS(2500), S(5), S(10),
       S(30), S(60), S(300), S(900), S(3600), S(14400))
/* A sentence takes some hundredths of a second, a book up to an hour. */
BOUNDS(duration_bounds, METRIC_JOB_BOUNDS, MS(50), MS(100), MS(250), MS(500), S(1), MS(2500), S(5), S(10),
       S(30), S(60), S(120), S(300), S(600), S(1800), S(3600))
/* A receiver that works takes it within a second; the schedule goes on for three days. */
BOUNDS(delay_bounds, METRIC_JOB_BOUNDS, MS(25), MS(50), MS(100), MS(250), MS(500), S(1), MS(2500), S(5),
       S(10), S(30), S(60), S(600), S(3600), S(21600), S(86400))
/* A read takes a fraction of a millisecond, a creation a sync of the disk, a wait for a job up to 30 s. */
BOUNDS(http_bounds, METRIC_HTTP_BOUNDS, MS(1), 2500, MS(5), MS(10), MS(25), MS(50), MS(100), MS(250), S(1),
       S(10))
/* Up to COMMITTER_GROUP_MAX. */
BOUNDS(batch_bounds, METRIC_BATCH_BOUNDS, S(1), S(2), S(4), S(8), S(16), S(32), S(64), S(128))
/* One sync of the disk: good flash takes half a millisecond, a disk that turns some ten. */
BOUNDS(commit_bounds, METRIC_COMMIT_BOUNDS, 500, MS(1), 2500, MS(5), MS(10), MS(25), MS(50), MS(100), MS(500),
       S(5))

/* ---- the table ---- */

#define ROW(type, name, first, labels, bounds, help)                                                         \
    {                                                                                                        \
        name, METRIC_TYPE_##type, help, first, labels, bounds                                                \
    }

static const struct metric_family families[] = {
    ROW(COUNTER, "job_status_total", METRIC_JOBS_PENDING, LABEL("status", JOB_STATUS_COUNT, status_value),
        NULL, "Entries of jobs into a status; one that is put back enters pending again."),
    ROW(GAUGE, "job_queue_length", METRIC_QUEUE_LENGTH, NO_LABELS, NULL, "Jobs that are pending."),
    ROW(COUNTER, "job_taken_back_total", METRIC_JOBS_TAKEN_BACK, NO_LABELS, NULL,
        "Jobs that were taken back from a worker that stopped, died or hung."),
    ROW(HISTOGRAM, "sayhook_job_wait_seconds", METRIC_WAIT, NO_LABELS, &wait_bounds,
        "Time from the creation of a job to its first claim."),
    ROW(HISTOGRAM, "job_processing_duration_seconds", METRIC_DURATION, NO_LABELS, &duration_bounds,
        "Time from the first claim of a job to its completion, of jobs that completed."),
    ROW(COUNTER, "engine_characters_total", METRIC_ENGINE_CHARACTERS, NO_LABELS, NULL,
        "Characters of text that synthesizers have spoken, whatever came of the job."),
    ROW(COUNTER, "sayhook_audio_seconds_total", METRIC_AUDIO_SECONDS, NO_LABELS, NULL,
        "Seconds of audio that completed jobs have."),
    ROW(COUNTER, "sayhook_synthesizer_restarts_total", METRIC_SYNTHESIZER_RESTARTS, NO_LABELS, NULL,
        "Synthesizers that workers had to replace, for whatever reason; a job that is cancelled while it is spoken is one."),
    ROW(COUNTER, "sayhook_leases_lost_total", METRIC_LEASES_LOST, LABEL("cause", LEASE_LOSSES, loss_value),
        NULL, "Workers whose lease ended without their doing, as another worker found."),
    ROW(COUNTER, "webhook_delivery_total", METRIC_DELIVERIES_SUCCEEDED, LABEL("result", 2, result_value),
        NULL, "Attempts to deliver a webhook that have ended."),
    ROW(COUNTER, "webhook_retry_total", METRIC_RETRIES, NO_LABELS, NULL,
        "Attempts to deliver a webhook after its first one."),
    ROW(HISTOGRAM, "sayhook_webhook_delay_seconds", METRIC_DELIVERY_DELAY, NO_LABELS, &delay_bounds,
        "Time from the end of a job, or the wish to have its webhook once more, to the delivery."),
    ROW(COUNTER, "readiness_check_total", METRIC_READINESS_CHECKS, NO_LABELS, NULL,
        "Writes that /readyz has made to see whether the database takes any."),
    {"sayhook_http_requests_total",
     METRIC_TYPE_COUNTER,
     "Requests that the API has answered; what nginx answers by itself is not among them.",
     METRIC_HTTP_REQUESTS,
     {{"route", HTTP_ROUTES, route_value}, {"status", HTTP_STATUSES, code_value}},
     NULL},
    ROW(HISTOGRAM, "sayhook_http_request_duration_seconds", METRIC_HTTP_DURATION,
        LABEL("route", HTTP_ROUTES, route_value), &http_bounds,
        "Time from a request's arrival at the API to its answer."),
    ROW(HISTOGRAM, "sayhook_commit_batch_size", METRIC_COMMIT_BATCH,
        LABEL("program", METRIC_PROGRAMS, program_value), &batch_bounds,
        "Writes that one transaction has committed together."),
    ROW(HISTOGRAM, "sayhook_commit_duration_seconds", METRIC_COMMIT_DURATION,
        LABEL("program", METRIC_PROGRAMS, program_value), &commit_bounds,
        "Time that a commit took, which is the disk's, without the wait for its turn."),
    ROW(GAUGE, "sayhook_job_oldest_pending_age_seconds", METRIC_OLDEST_PENDING_AGE, NO_LABELS, NULL,
        "Age of the oldest job that is pending; 0 where none is."),
    ROW(GAUGE, "sayhook_webhook_overdue_seconds", METRIC_WEBHOOK_OVERDUE, NO_LABELS, NULL,
        "How long the webhook that has been due for longest has waited for its attempt; 0 where none is due."),
    ROW(GAUGE, "sayhook_workers", METRIC_WORKERS, NO_LABELS, NULL,
        "Workers that are alive: they hold their lock, and their lease has not run out."),
    ROW(GAUGE, "sayhook_worker_heartbeat_age_seconds", METRIC_HEARTBEAT_AGE, NO_LABELS, NULL,
        "Time since a worker gave a sign of life; +Inf where none is registered."),
    ROW(GAUGE, "sayhook_database_bytes", METRIC_DATABASE_BYTES, NO_LABELS, NULL,
        "Size of the database's file."),
    ROW(GAUGE, "sayhook_wal_bytes", METRIC_WAL_BYTES, NO_LABELS, NULL,
        "Size of the database's write-ahead log."),
    ROW(GAUGE, "sayhook_disk_free_bytes", METRIC_DISK_FREE, LABEL("disk", METRIC_DISKS, disk_value), NULL,
        "Space left for the service where database, downloads and spool lie; NaN where that cannot be found out."),
    ROW(GAUGE, "sayhook_disk_reserve_bytes", METRIC_DISK_RESERVE, NO_LABELS, NULL,
        "The setting disk_reserve: with less space left no job is accepted."),
    ROW(GAUGE, "sayhook_build_info", METRIC_BUILD_INFO, LABEL("version", 1, version_value), NULL,
        "The version of the program that answers."),
};

const struct metric_family *metric_families(size_t *ret_count)
{
    *ret_count = array_length(families);
    return families;
}
