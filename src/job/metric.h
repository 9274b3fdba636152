/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every metric, in one table: what /metrics shows, what the store keeps and what docs/METRICS.md explains are
 * read from it.  A family is a metric as Prometheus names it; each value of its label is a series, a number
 * of its own.
 */
#ifndef JOB_METRIC_H
#define JOB_METRIC_H

#include <stddef.h>
#include <stdint.h>

/* Buckets of job_processing_duration_seconds that have a bound; one more has none. */
#define METRIC_DURATION_BOUNDS 15

/* The series, those of a family in a row. */
enum metric {
    METRIC_JOBS_PENDING, /* entries into a status, in the order of enum job_status */
    METRIC_JOBS_PROCESSING,
    METRIC_JOBS_COMPLETED,
    METRIC_JOBS_FAILED,
    METRIC_JOBS_CANCELLED,
    METRIC_QUEUE_LENGTH,
    METRIC_JOBS_TAKEN_BACK,
    METRIC_DURATION_FIRST, /* a bucket counts what falls in it alone: one row changes, and not all above it */
    METRIC_DURATION_LAST = METRIC_DURATION_FIRST + METRIC_DURATION_BOUNDS,
    METRIC_DURATION_SUM, /* seconds */
    METRIC_ENGINE_CHARACTERS,
    METRIC_DELIVERIES_SUCCEEDED,
    METRIC_DELIVERIES_FAILED,
    METRIC_RETRIES,
    METRIC_READINESS_CHECKS,
    METRIC_BUILD_INFO, /* says something by its label alone: it is 1, and not kept */
};
#define METRIC_COUNT METRIC_BUILD_INFO /* of those that are kept */

enum metric_type {
    METRIC_TYPE_COUNTER,
    METRIC_TYPE_GAUGE,
    METRIC_TYPE_HISTOGRAM, /* its series are the buckets; behind them comes the sum */
};

/* The most values that a label has. */
#define METRIC_VALUES_MAX 5

struct metric_family {
    const char *name;
    enum metric_type type;
    const char *help;
    const char *label;                     /* NULL: one series */
    enum metric first;                     /* the others follow */
    const char *values[METRIC_VALUES_MAX]; /* of the label; none for a histogram's, which are its bounds */
};

const struct metric_family *metric_families(size_t *ret_count);

/* As Prometheus writes it: "counter". */
const char *metric_type_name(enum metric_type type);

/* How many series a family has, a histogram's sum not among them. */
size_t metric_series(const struct metric_family *family);

/* Room for the name of a series. */
#define METRIC_NAME_SIZE 80

/* The name of a series with its label, job_status_total{status="pending"}: how Prometheus and the database
 * call it. */
void metric_name(enum metric metric, char ret_name[METRIC_NAME_SIZE]);

/* Room for a bound. */
#define METRIC_BOUND_SIZE 16

/* The upper bound of a bucket in seconds, as text: "0.25", "+Inf". */
void metric_duration_bound(enum metric bucket, char ret_bound[METRIC_BOUND_SIZE]);

/* The bucket of a duration. */
enum metric metric_duration_bucket(int64_t duration_ms);

#endif
