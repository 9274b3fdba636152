/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every metric, in one table (metric_families.c): what /metrics shows, what the store keeps and what
 * docs/METRICS.md explains are read from it.  A family is a metric as Prometheus names it; each combination
 * of its labels' values is a series, a number of its own.
 */
#ifndef JOB_METRIC_H
#define JOB_METRIC_H

#include <stddef.h>
#include <stdint.h>

#include "job/http.h"

/* Bounds of the histograms' buckets; one more bucket has none. */
#define METRIC_JOB_BOUNDS    15
#define METRIC_HTTP_BOUNDS   10
#define METRIC_BATCH_BOUNDS  8
#define METRIC_COMMIT_BOUNDS 10

/* The numbers of one histogram: its buckets, and their sum behind them.  A bucket counts what falls in it
 * alone: one row changes, and not all above it. */
#define METRIC_HISTOGRAM(bounds) ((bounds) + 2)

/* The programs that commit in groups, and the disks that are looked at. */
#define METRIC_PROGRAMS 2
#define METRIC_DISKS    3

/* Why a worker lost its lease. */
enum lease_loss {
    LEASE_PROCESS_ENDED, /* without signing off */
    LEASE_HUNG,          /* its process is there, and gave no sign of life in time */
    LEASE_REBOOTED,      /* the machine was started anew */
};
#define LEASE_LOSSES 3

/* The series, those of a family in a row.  Those before METRIC_COUNT are kept in the database. */
enum metric {
    METRIC_JOBS_PENDING, /* entries into a status, in the order of enum job_status */
    METRIC_JOBS_PROCESSING,
    METRIC_JOBS_COMPLETED,
    METRIC_JOBS_FAILED,
    METRIC_JOBS_CANCELLED,
    METRIC_QUEUE_LENGTH,
    METRIC_JOBS_TAKEN_BACK,
    METRIC_WAIT, /* a histogram, as those below whose next one is so much further on */
    METRIC_DURATION = METRIC_WAIT + METRIC_HISTOGRAM(METRIC_JOB_BOUNDS),
    METRIC_ENGINE_CHARACTERS = METRIC_DURATION + METRIC_HISTOGRAM(METRIC_JOB_BOUNDS),
    METRIC_AUDIO_SECONDS,
    METRIC_SYNTHESIZER_RESTARTS,
    METRIC_LEASES_LOST, /* in the order of enum lease_loss */
    METRIC_DELIVERIES_SUCCEEDED = METRIC_LEASES_LOST + LEASE_LOSSES,
    METRIC_DELIVERIES_FAILED,
    METRIC_RETRIES,
    METRIC_DELIVERY_DELAY,
    METRIC_READINESS_CHECKS = METRIC_DELIVERY_DELAY + METRIC_HISTOGRAM(METRIC_JOB_BOUNDS),
    METRIC_HTTP_REQUESTS, /* by route, then by status: metric_http_requests() */
    METRIC_HTTP_DURATION = METRIC_HTTP_REQUESTS + HTTP_ROUTES * HTTP_STATUSES, /* metric_http_duration() */
    METRIC_COMMIT_BATCH = METRIC_HTTP_DURATION + HTTP_ROUTES * METRIC_HISTOGRAM(METRIC_HTTP_BOUNDS),
    METRIC_COMMIT_DURATION = METRIC_COMMIT_BATCH + METRIC_PROGRAMS * METRIC_HISTOGRAM(METRIC_BATCH_BOUNDS),

    /* What is found out when it is asked for. */
    METRIC_OLDEST_PENDING_AGE =
        METRIC_COMMIT_DURATION + METRIC_PROGRAMS * METRIC_HISTOGRAM(METRIC_COMMIT_BOUNDS),
    METRIC_WEBHOOK_OVERDUE,
    METRIC_WORKERS,
    METRIC_HEARTBEAT_AGE,
    METRIC_DATABASE_BYTES,
    METRIC_WAL_BYTES,
    METRIC_DISK_FREE, /* of the database, the downloads, the spool */
    METRIC_DISK_RESERVE = METRIC_DISK_FREE + METRIC_DISKS,
    METRIC_BUILD_INFO, /* says something by its label alone: it is 1 */
    METRIC_END,
};
#define METRIC_COUNT METRIC_OLDEST_PENDING_AGE

enum metric_type {
    METRIC_TYPE_COUNTER,
    METRIC_TYPE_GAUGE,
    METRIC_TYPE_HISTOGRAM,
};

/* What several threads add up without a lock is counted in these: so exact are sums. */
#define METRIC_MILLIONTHS INT64_C(1000000)

struct metric_bounds {
    size_t count;
    const int64_t *millionths; /* of seconds, or of what else is counted */
};

/* value gives those from 0 to count - 1. */
struct metric_label {
    const char *name; /* NULL: no such label */
    size_t count;
    const char *(*value)(size_t index);
};
#define METRIC_LABELS 2

struct metric_family {
    const char *name;
    enum metric_type type;
    const char *help;
    enum metric first; /* the others follow: all of the first label's first value, then of its next */
    struct metric_label labels[METRIC_LABELS];
    const struct metric_bounds
        *bounds; /* of a histogram, whose buckets have the label le beside the others */
};

const struct metric_family *metric_families(size_t *ret_count);

/* As Prometheus writes it: "counter". */
const char *metric_type_name(enum metric_type type);

/* How many combinations its labels have: its series, or its histograms. */
size_t metric_combinations(const struct metric_family *family);

/* Room for the name of a series. */
#define METRIC_NAME_SIZE 128

/* The name of a series with its labels, job_status_total{status="pending"}: how Prometheus and the database
 * call it. */
void metric_name(enum metric metric, char ret_name[METRIC_NAME_SIZE]);

/* The name under which a histogram shows how much it has counted; histogram is its first bucket. */
void metric_count_name(enum metric histogram, char ret_name[METRIC_NAME_SIZE]);

/* Where a histogram counts a value, and where it sums it up. */
enum metric metric_bucket(enum metric histogram, int64_t millionths);
enum metric metric_sum(enum metric histogram);

/* The requests of a route that were answered with a status, and the histogram of how long a route's took. */
enum metric metric_http_requests(enum http_route route, int status);
enum metric metric_http_duration(enum http_route route);

/* The histograms of a program that commits in groups.  METRIC_END for one that the table does not name. */
enum metric metric_commit_batch(const char *program);
enum metric metric_commit_duration(const char *program);

#endif
